"""All messages are translated, with the same placeholders; the compiled file is current."""

from __future__ import annotations

import ast
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


PLURAL_FORMS = {"de": 2, "fr": 2, "es": 3}


@every_language
def test_complete(language: str) -> None:
    all_entries = entries(language)
    assert len(all_entries) > 1000
    assert [entry.msgid for entry in all_entries if entry.fuzzy or not all(texts(entry))] == []
    forms = {len(texts(entry)) for entry in all_entries if entry.msgid_plural}
    assert forms == {PLURAL_FORMS[language]}


@every_language
def test_placeholders(language: str) -> None:
    """Placeholders are complete; a singular may omit its number."""
    for entry in entries(language):
        placeholders = {
            *PLACEHOLDER.findall(entry.msgid),
            *PLACEHOLDER.findall(entry.msgid_plural or ""),
        }
        for text in texts(entry):
            assert set(PLACEHOLDER.findall(text)) <= placeholders, entry.msgid
        last = texts(entry)[-1]
        assert set(PLACEHOLDER.findall(last)) == placeholders, entry.msgid
        assert entry.msgid.endswith("\n") == texts(entry)[0].endswith("\n")


@every_language
def test_compiled(language: str) -> None:
    compiled = polib.mofile(str(FOLDER / language / "LC_MESSAGES/django.mo"))
    messages = {(entry.msgctxt, entry.msgid): texts(entry) for entry in compiled}
    for entry in entries(language):
        assert messages.get((entry.msgctxt, entry.msgid)) == texts(entry), entry.msgid


def test_translation_functions_have_names_that_xgettext_knows() -> None:
    """Under another name, what is passed to them never reaches the catalogues."""
    for file in FOLDER.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                names = {alias.asname for alias in node.names if "gettext" in alias.name}
                assert names <= {None, "_"}, file


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs GNU gettext")
def test_catalogues_contain_all_messages(tmp_path: Path) -> None:
    """The catalogues contain exactly the messages of the code."""
    package = tmp_path / "wagtail_zoom"
    shutil.copytree(FOLDER.parent, package, ignore=shutil.ignore_patterns("static", "hub", "*.pyc"))
    # -P: no module of the package may shadow one of the standard library.
    command = [sys.executable, "-P", "-m", "django", "makemessages", "--no-obsolete", "-v0"]
    plain = {name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([*command, "-l", "de"], cwd=package, env=plain, check=True)
    catalogue = polib.pofile(str(package / "locale/de/LC_MESSAGES/django.po"))
    message_ids = {(entry.msgctxt, entry.msgid) for entry in catalogue}
    for language in LANGUAGES:
        assert {(entry.msgctxt, entry.msgid) for entry in entries(language)} == message_ids, (
            language
        )
