"""All metadata stands in pyproject.toml, but for the long description.

The README's links are relative, so that they work in any checkout. On PyPI they would lead nowhere:
here they get the address of this version in the repository.
"""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
REPOSITORY = "https://github.com/wagtail-zoom/wagtail-zoom"
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "wagtail_zoom/__init__.py").read_text())[1]


def absolute(found):
    """One target of a link with its address in the repository; pictures as files."""
    target = found[1]
    kind = "raw" if target.endswith((".png", ".webp")) else "blob"
    return f"]({REPOSITORY}/{kind}/v{VERSION}/{target})"


setup(
    long_description=re.sub(
        r"\]\((?![a-z]+:|#)([^)\s]+)\)", absolute, (HERE / "README.md").read_text(encoding="utf-8")
    ),
    long_description_content_type="text/markdown",
)
