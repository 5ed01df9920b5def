"""The documentation as HTML (``make docs``): plain Markdown, Sphinx, no other host is asked.

The pages are ordinary CommonMark that reads the same in the repository, so what only the HTML needs
is added here: the menu, URLs for links that leave this folder, changelog and contributing.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from wagtail_zoom import __version__  # noqa: E402 - the path comes first

project = "wagtail-zoom"
author = "The wagtail-zoom contributors"
copyright = f"{author}. Not affiliated with Zoom."
release = version = __version__
REPOSITORY = "https://github.com/wagtail-zoom/wagtail-zoom"

extensions = ["myst_parser", "sphinx_copybutton"]
# Copied without prompts; our samples have none, quoted ones may.
copybutton_prompt_text = "$ "
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
nitpicky = True
myst_heading_anchors = 4
# A bare file name in a sentence is no link.
myst_enable_extensions: list[str] = []

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
language = "en"
html_title = "wagtail-zoom"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
    "light_css_variables": {
        "color-brand-primary": "#00676b",
        "color-brand-content": "#00676b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#5fd0d0",
        "color-brand-content": "#5fd0d0",
    },
}

MENU = {
    "Tutorial": ["tutorial"],
    "How-to guides": [
        "how-to/host",
        "how-to/production",
        "how-to/deployment",
        "how-to/multi-tenant",
        "how-to/hub",
        "how-to/performance",
        "how-to/multilingual",
        "how-to/staging",
        "how-to/upgrade",
        "how-to/uninstall",
        "how-to/own-zoom-account",
        "how-to/owner",
        "how-to/zoom-admin",
        "how-to/editor",
        "how-to/registration",
        "how-to/private-sites",
        "how-to/designer",
        "how-to/theming-gallery",
        "how-to/developer",
        "how-to/gdpr",
        "how-to/troubleshooting",
        "how-to/contribute",
    ],
    "Reference": [
        "reference/panel",
        "reference/settings",
        "reference/checks",
        "reference/commands",
        "reference/blocks",
        "reference/templates",
        "reference/api",
        "reference/signals",
        "reference/urls",
        "reference/testing",
        "reference/simulator",
        "data-stored",
        "marketplace",
        "reference/glossary",
    ],
    "Explanation": [
        "comparison",
        "architecture",
        *(f"adr/{path.stem}" for path in sorted((HERE / "adr").glob("*.md"))),
        "security",
        "zoom",
    ],
    "Project": [
        "changelog",
        "contributing",
        "requirements",
        "reliability",
        "guidelines",
        "wording",
    ],
}
"""Captions and pages of the menu at the side. A page that is not here ends the build."""

LINK = re.compile(r"(\]\()(\.\./[^)\s]*)(\))")


def outward(docname: str, text: str) -> str:
    """Turn links that climb out of this folder into URLs of the repository.

    Raises:
        FileNotFoundError: a link leads to a file that does not exist.
    """
    folder = posixpath.dirname(f"docs/{docname}")

    def outward_link(match: re.Match[str]) -> str:
        target, hash_, anchor = match[2].partition("#")
        path = posixpath.normpath(posixpath.join(folder, target))
        if path.startswith("docs/"):
            return match[0]
        if path.startswith("..") or not (ROOT / path).exists():
            raise FileNotFoundError(f"{docname}: there is no {match[2]}")
        return f"{match[1]}{REPOSITORY}/blob/main/{path}{hash_}{anchor}{match[3]}"

    return LINK.sub(outward_link, text)


ROOT_PAGES = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
"""Pages of this folder whose text is that of a file beside it, where GitHub expects it."""


def root_page(name: str) -> str:
    """The text of a file of the repository's root, with links as from this folder."""
    text = (ROOT / name).read_text()
    return re.sub(
        r"\]\((?![a-z]+:|#)([^)\s]+)\)",
        lambda match: f"]({posixpath.relpath(match[1], 'docs')})",
        text,
    )


def menu() -> str:
    """The table of contents that Sphinx wants in the first page."""
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"
        for caption, pages in MENU.items()
    )


def read(_app: Any, docname: str, source: list[str]) -> None:
    """Complete one page before it is parsed."""
    text = root_page(ROOT_PAGES[docname]) if docname in ROOT_PAGES else source[0]
    source[0] = outward(docname, text) + (menu() if docname == "index" else "")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", read)
