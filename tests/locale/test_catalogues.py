"""Every sentence is translated, with the same placeholders; the compiled file is current."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "wagtail_zoom/locale"
PLACEHOLDER = re.compile(r"%\(\w+\)[0-9]*[a-z]|\{\w+\}|<[^>]+>")

LANGUAGES = ["de", "es", "fr"]
every_language = pytest.mark.parametrize("language", LANGUAGES)


def entries(language: str) -> list[polib.POEntry]:
    catalogue = polib.pofile(str(FOLDER / language / "LC_MESSAGES/django.po"))
    return [entry for entry in catalogue if not entry.obsolete]


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@every_language
def test_complete(language: str) -> None:
    found = entries(language)
    assert len(found) > 1000
    assert [entry.msgid for entry in found if entry.fuzzy or not all(texts(entry))] == []
    assert all(len(texts(entry)) >= 2 for entry in found if entry.msgid_plural)


@every_language
def test_placeholders(language: str) -> None:
    """What Python fills in is there; a singular may leave its number out."""
    for entry in entries(language):
        wanted = {*PLACEHOLDER.findall(entry.msgid), *PLACEHOLDER.findall(entry.msgid_plural or "")}
        for text in texts(entry):
            assert set(PLACEHOLDER.findall(text)) <= wanted, entry.msgid
        last = texts(entry)[-1]
        assert set(PLACEHOLDER.findall(last)) == wanted, entry.msgid
        assert entry.msgid.endswith("\n") == texts(entry)[0].endswith("\n")


@every_language
def test_compiled(language: str) -> None:
    compiled = polib.mofile(str(FOLDER / language / "LC_MESSAGES/django.mo"))
    known = {(entry.msgctxt, entry.msgid): texts(entry) for entry in compiled}
    for entry in entries(language):
        assert known.get((entry.msgctxt, entry.msgid)) == texts(entry), entry.msgid


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs GNU gettext")
def test_no_sentence_is_left_out(tmp_path: Path) -> None:
    """The catalogues hold what the code says today, and nothing else."""
    package = tmp_path / "wagtail_zoom"
    shutil.copytree(FOLDER.parent, package, ignore=shutil.ignore_patterns("static", "*.pyc"))
    # -P: a module of ours is named like one that Python brings.
    command = [sys.executable, "-P", "-m", "django", "makemessages", "--no-obsolete", "-v0"]
    plain = {name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([*command, "-l", "de"], cwd=package, env=plain, check=True)
    made = polib.pofile(str(package / "locale/de/LC_MESSAGES/django.po"))
    said = {(entry.msgctxt, entry.msgid) for entry in made}
    for language in LANGUAGES:
        assert {(entry.msgctxt, entry.msgid) for entry in entries(language)} == said, language
