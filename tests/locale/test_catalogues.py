"""All messages are translated, with the same placeholders; the compiled file is current."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polib
import pytest
from django.utils import timezone, translation

from wagtail_zoom.admin import formatting

PACKAGE = Path(__file__).resolve().parents[2] / "wagtail_zoom"
FOLDER = PACKAGE / "locale"
HUB_FOLDER = PACKAGE / "hub/locale"
"""The hub is an app of its own, with its own messages."""
PLACEHOLDER = re.compile(r"%\(\w+\)[0-9]*[a-z]|\{\w+\}|<[^>]+>")

LANGUAGES = ["de", "es", "fr"]
every_language = pytest.mark.parametrize("language", LANGUAGES)
every_folder = pytest.mark.parametrize("folder", [FOLDER, HUB_FOLDER], ids=["app", "hub"])
LEAST_MESSAGES = {FOLDER: 1000, HUB_FOLDER: 100}


def entries(language: str, folder: Path = FOLDER) -> list[polib.POEntry]:
    catalogue = polib.pofile(str(folder / language / "LC_MESSAGES/django.po"))
    return [entry for entry in catalogue if not entry.obsolete]


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


PLURAL_FORMS = {"de": 2, "fr": 2, "es": 3}


@every_language
@every_folder
def test_complete(language: str, folder: Path) -> None:
    all_entries = entries(language, folder)
    assert len(all_entries) > LEAST_MESSAGES[folder]
    assert [entry.msgid for entry in all_entries if entry.fuzzy or not all(texts(entry))] == []
    forms = {len(texts(entry)) for entry in all_entries if entry.msgid_plural}
    assert forms == {PLURAL_FORMS[language]}


@every_language
@every_folder
def test_placeholders(language: str, folder: Path) -> None:
    """Placeholders are complete; a singular may omit its number."""
    for entry in entries(language, folder):
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
@every_folder
def test_compiled(language: str, folder: Path) -> None:
    compiled = polib.mofile(str(folder / language / "LC_MESSAGES/django.mo"))
    messages = {(entry.msgctxt, entry.msgid): texts(entry) for entry in compiled}
    for entry in entries(language, folder):
        assert messages.get((entry.msgctxt, entry.msgid)) == texts(entry), entry.msgid


@every_language
def test_messages_of_both_apps_are_translated_alike(language: str) -> None:
    """Django has one catalogue for all apps: which of two texts is shown follows from the order of
    the apps."""
    of_app = {(entry.msgctxt, entry.msgid): texts(entry) for entry in entries(language)}
    for entry in entries(language, HUB_FOLDER):
        key = (entry.msgctxt, entry.msgid)
        assert of_app.get(key, texts(entry)) == texts(entry), entry.msgid


END = re.compile(r"[.:?!…]$")
ABBREVIATED = re.compile(r"(Std|Min)\.$")
GREETINGS = {"Hello,", "Hello %(name)s,"}


@every_language
def test_texts_end_alike(language: str) -> None:
    """With the same sign as the English text; an abbreviation has its own, a greeting its rule."""
    for entry in entries(language):
        if entry.msgid in GREETINGS:
            continue
        sources = [entry.msgid, entry.msgid_plural or entry.msgid]
        ends = {match[0] if (match := END.search(text.rstrip())) else "" for text in sources}
        for text in texts(entry):
            if not ABBREVIATED.search(text):
                match = END.search(text.rstrip())
                assert (match[0] if match else "") in ends, entry.msgid


SPACING = {
    "fr": re.compile(
        r"[ \w»)](?<!\u00a0)(?<!\u202f)[;?!](?!\w)|[^\u00a0/\w]:(?!/)|\w:(?=\s|$)|« | »"
    ),
    "de": re.compile(r"\b(z|d|u|o)\. ?[A-Za-zÄ]\.|[ \u00a0][;:?!]|»|«"),
    "es": re.compile(r"[ \u00a0][;:?!]"),
}
"""What the typography of a language does not allow. French: no-break spaces before ``: ; ? !``."""


@every_language
def test_typography(language: str) -> None:
    """Of our own texts; those that the hub has, too, are the same as there."""
    of_hub = {entry.msgid for entry in entries(language, HUB_FOLDER)}
    for entry in entries(language):
        if entry.msgid in of_hub:
            continue
        for text in texts(entry):
            plain = PLACEHOLDER.sub("x", re.sub(r"https?:\S+|&\w+;", "", text))
            match = SPACING[language].search(plain)
            assert match is None or entry.msgctxt, (entry.msgid, match)


TEXTS_PAGE = FOLDER.parents[1] / "docs/wording.md"


def test_the_page_for_translators_has_the_present_texts() -> None:
    """The last column of its tables is in the code or in a catalogue."""
    rows = re.findall(r"^\| (\w+) \| .* \| ([^|]+) \|$", TEXTS_PAGE.read_text(), re.MULTILINE)
    codes = {"German": "de", "French": "fr", "Spanish": "es"}
    present = {name: {text for entry in entries(code) for text in texts(entry)}
               for name, code in codes.items()}  # fmt: skip
    present["English"] = {
        text for entry in entries("de") for text in (entry.msgid, entry.msgid_plural)
    }
    rows = [(name, text) for name, text in rows if name in present and text != "Spanish"]
    assert len(rows) == 40
    assert [text for name, text in rows if text not in present[name]] == []


AGES = {
    "de": ["30 Minuten", "1 Stunde", "3 Tagen", "2 Wochen", "2 Monaten", "3 Jahren"],
    "fr": ["30 minutes", "1 heure", "3 jours", "2 semaines", "2 mois", "3 ans"],
    "es": ["30 minutos", "1 hora", "3 días", "2 semanas", "2 meses", "3 años"],
    "en": ["30 minutes", "1 hour", "3 days", "2 weeks", "2 months", "3 years"],
}


@pytest.mark.parametrize("language", AGES)
def test_ages_have_the_case_that_their_sentence_needs(language: str) -> None:
    """German: "vor 3 Tagen", where Django's own text would be "3 Tage"."""
    now = timezone.now()
    minutes = [30, 61, 3 * 1440 + 5, 15 * 1440, 63 * 1440, 3 * 366 * 1440]
    with translation.override(language):
        ages = [formatting.age(now - timedelta(minutes=ago), now) for ago in minutes]
    assert ages == AGES[language]


def test_translation_functions_have_names_that_xgettext_knows() -> None:
    """Under another name, what is passed to them never reaches the catalogues."""
    for file in FOLDER.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                names = {alias.asname for alias in node.names if "gettext" in alias.name}
                assert names <= {None, "_"}, file


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs GNU gettext")
@every_folder
def test_catalogues_contain_all_messages(tmp_path: Path, folder: Path) -> None:
    """The catalogues contain exactly the messages of the code."""
    package = tmp_path / folder.parent.name
    other_apps = ("hub",) if folder == FOLDER else ()
    ignored = shutil.ignore_patterns("static", "*.pyc", *other_apps)
    shutil.copytree(folder.parent, package, ignore=ignored)
    # -P: no module of the package may shadow one of the standard library.
    command = [sys.executable, "-P", "-m", "django", "makemessages", "--no-obsolete", "-v0"]
    plain = {name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([*command, "-l", "de"], cwd=package, env=plain, check=True)
    catalogue = polib.pofile(str(package / "locale/de/LC_MESSAGES/django.po"))
    message_ids = {(entry.msgctxt, entry.msgid) for entry in catalogue}
    for language in LANGUAGES:
        in_catalogue = {(entry.msgctxt, entry.msgid) for entry in entries(language, folder)}
        assert in_catalogue == message_ids, language
