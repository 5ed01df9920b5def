"""A pseudo-language from right to left: our English texts in Arabic letters.

For screens in a language that the project has no catalogue of. Wagtail's own texts are in Arabic.
"""

from __future__ import annotations

import re
from pathlib import Path

import polib

CODE = "ar"
ROOT = Path(__file__).resolve().parents[2]
MESSAGES = ROOT / "wagtail_zoom/locale/de/LC_MESSAGES/django.po"
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابتثجحخدذرزسشصضطظعغفقكلمنه")
PLACEHOLDERS = re.compile(r"(%\(\w+\)[0-9]*[a-z]|%[a-z%]|\{\w*\}|<[^>]+>|&\w+;|Zoom)")
"""Placeholders, tags and the one name that stays in Latin letters."""


def pseudo(text: str) -> str:
    """The text in Arabic letters; placeholders stay."""
    parts = PLACEHOLDERS.split(text)
    return "".join(
        part if number % 2 else part.lower().translate(LETTERS) for number, part in enumerate(parts)
    )


def write_catalogue(folder: Path) -> Path:
    """Write the compiled catalogue; returns the folder for ``LOCALE_PATHS``."""
    catalogue = polib.POFile()
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=utf-8",
        "Language": CODE,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for entry in polib.pofile(str(MESSAGES)):
        if entry.obsolete or (entry.msgctxt or "").endswith(" format"):
            continue
        if entry.msgid_plural:
            entry.msgstr_plural = {0: pseudo(entry.msgid), 1: pseudo(entry.msgid_plural)}
        else:
            entry.msgstr = pseudo(entry.msgid)
        catalogue.append(entry)
    place = folder / CODE / "LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    catalogue.save_as_mofile(str(place / "django.mo"))
    return folder
