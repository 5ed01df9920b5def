"""Our stylesheets work in both writing directions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[1] / "wagtail_zoom/static"
STYLESHEETS = sorted(STATIC.rglob("*.css"))
PHYSICAL = re.compile(
    r"(?<![\w-])(?:"
    r"(?:margin|padding|border)-(?:left|right)[\w-]*\s*:"
    r"|(?:left|right)\s*:"
    r"|border-(?:top|bottom)-(?:left|right)-radius\s*:"
    r"|(?:float|clear|text-align)\s*:\s*(?:left|right)\b"
    r")"
)
"""Declarations that name the left or the right."""
SHORTHAND = re.compile(r"(?<![\w-])(margin|padding|inset)\s*:\s*([^;}]+)")


def declarations(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


def physical(css: str) -> list[str]:
    """Declarations that do not turn around with the direction of the text."""
    css = declarations(css)
    lines = [match.group(0) for match in PHYSICAL.finditer(css)]
    for match in SHORTHAND.finditer(css):
        value = match.group(2)
        while (simpler := re.sub(r"\([^()]*\)", "", value)) != value:
            value = simpler
        sides = value.split()
        if len(sides) == 4 and sides[1] != sides[3]:
            lines.append(match.group(0))
    return lines


@pytest.mark.parametrize("file", STYLESHEETS, ids=lambda file: file.name)
def test_no_stylesheet_names_the_left_or_the_right(file: Path) -> None:
    assert physical(file.read_text()) == []


@pytest.mark.parametrize(
    ("css", "count"),
    [
        ("a { margin-left: 1em }", 1),
        ("a { right: 0; text-align: left }", 2),
        ("a { padding: 0 calc(1em + 2px) 0 0 }", 1),
        ("a { margin: 0 1em; padding: 1em 2em 3em 2em; inset-inline-start: 0 }", 0),
        ("/* left: 0 */ a { text-align: start; border-start-start-radius: 0 }", 0),
    ],
)
def test_such_declarations_are_recognised(css: str, count: int) -> None:
    assert len(physical(css)) == count
