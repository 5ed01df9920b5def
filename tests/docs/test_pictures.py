"""The pictures of the documentation: all are used, and none is too large."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
PICTURES = sorted([*IMAGES.rglob("*.png"), *IMAGES.rglob("*.webp")])
PAGES = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]


def shown_pictures() -> set[Path]:
    return {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)\s]+\.(?:png|webp))\)", page.read_text())
    }


def test_every_picture_is_used_with_an_alternative_text() -> None:
    assert shown_pictures() == set(PICTURES)


CAPTIONED = ("tutorial.md", "reference/blocks.md", "how-to/theming-gallery.md")


@pytest.mark.parametrize("name", CAPTIONED)
def test_every_picture_has_a_caption(name: str) -> None:
    """A line in italics below it."""
    text = (ROOT / "docs" / name).read_text()
    pictures = re.findall(r"^ *!\[[^\]]+\]\([^)]+\)\n(.*)", text, re.MULTILINE)
    assert len(pictures) > 3
    assert [line for line in pictures if not re.fullmatch(r" *\*[^*]+\.\*", line)] == []


def test_every_block_has_a_picture() -> None:
    from wagtail_zoom import blocks

    page = (ROOT / "docs/reference/blocks.md").read_text()
    names = [name for name in blocks.__all__ if name != "ZoomStreamBlock"]
    assert len(re.findall(r"images/blocks/", page)) >= len(names)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_no_picture_is_too_large(picture: Path) -> None:
    assert picture.stat().st_size < (1_000_000 if picture.suffix == ".webp" else 150_000)


def test_all_pictures_together_are_small() -> None:
    assert sum(picture.stat().st_size for picture in PICTURES) < 3_500_000
