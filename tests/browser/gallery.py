"""The samples of ``docs/how-to/theming-gallery.md``, and a page with one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/theming-gallery.md"


@dataclass(frozen=True)
class Sample:
    """One set of styles of the gallery."""

    name: str
    """Its heading as a file name."""
    css: str
    template: str
    """A template of a row; empty for our own."""


def code(text: str, language: str) -> str:
    """The samples of one language in a text."""
    return "\n".join(
        re.findall(rf"^```{re.escape(language)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    )


def page_css() -> str:
    """The CSS of the page around the block."""
    return code(PAGE.read_text().split("\n## ")[0], "css")


def samples() -> list[Sample]:
    """All samples, in the order of the page."""
    return [
        Sample(
            name=section.split("\n")[0].lower().replace(" ", "-"),
            css=code(section, "css"),
            template=code(section, "html+django"),
        )
        for section in PAGE.read_text().split("\n## ")[1:]
    ]


def document(block: str, css: str, base: str) -> str:
    """A page with this block alone; ``base`` is the URL of the website with the static files."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Gallery</title>'
        f'<base href="{base}">'
        '<link rel="stylesheet" href="/static/wagtail_zoom/blocks.css">'
        f"<style>{page_css()}\n{css}\nbody {{ margin: 24px }}</style></head>"
        f"<body><main><h1 hidden>Gallery</h1>{block}</main></body></html>"
    )
