"""Zoom's registration questions: field names, choices, languages.

Source: Zoom's API reference, "List registration questions" and "Add a meeting registrant". The
values are those that Zoom accepts in requests (for the number of employees it returns others).
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from ..models import Meeting
from ..utils.crypto import DecryptionError, decrypt

MAX_ANSWER_LENGTH = 128
"""Characters of an answer to a custom question that is not one of Zoom's own options."""
MULTIPLE_SEPARATOR = ";"
"""Between several answers to one question, as in Zoom's own form. An answer may hold a comma."""
MAX_CUSTOM_QUESTIONS = 100

LABELS: dict[str, Any] = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "org": _("Organisation"),
    "job_title": _("Job title"),
    "address": _("Street address"),
    "zip": _("Postcode"),
    "city": _("City"),
    "state": _("State or region"),
    "country": _("Country"),
    "phone": _("Phone number"),
    "industry": _("Industry"),
    "no_of_employees": _("Number of employees"),
    "purchasing_time_frame": _("When do you plan to buy?"),
    "role_in_purchase_process": _("Your role in the purchase"),
    "comments": _("Questions and comments"),
}
"""Standard fields in the order of our form."""

AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "org": "organization",
    "job_title": "organization-title",
    "address": "street-address",
    "zip": "postal-code",
    "city": "address-level2",
    "state": "address-level1",
    "country": "country",
    "phone": "tel",
}

LENGTHS = {"first_name": 64, "last_name": 64, "zip": 20, "phone": 60, "comments": 500}
"""Characters; 255 where not named."""

CHOICES: dict[str, list[tuple[str, Any]]] = {
    "purchasing_time_frame": [
        ("Within a month", _("Within a month")),
        ("1-3 months", _("1 to 3 months")),
        ("4-6 months", _("4 to 6 months")),
        ("More than 6 months", _("More than 6 months")),
        ("No timeframe", _("No date yet")),
    ],
    "role_in_purchase_process": [
        ("Decision Maker", _("I decide")),
        ("Evaluator/Recommender", _("I compare and recommend")),
        ("Influencer", _("I am asked for my opinion")),
        ("Not involved", _("I am not involved")),
    ],
    "no_of_employees": [
        ("1-20", pgettext_lazy("employees", "1 to 20")),
        ("21-50", pgettext_lazy("employees", "21 to 50")),
        ("51-100", pgettext_lazy("employees", "51 to 100")),
        ("101-500", pgettext_lazy("employees", "101 to 500")),
        ("500-1,000", pgettext_lazy("employees", "500 to 1,000")),
        ("1,001-5,000", pgettext_lazy("employees", "1,001 to 5,000")),
        ("5,001-10,000", pgettext_lazy("employees", "5,001 to 10,000")),
        ("More than 10,000", pgettext_lazy("employees", "more than 10,000")),
    ],
}

LANGUAGES = {
    "en": "en-US",
    "de": "de-DE",
    "es": "es-ES",
    "fr": "fr-FR",
    "ja": "jp-JP",
    "pt": "pt-PT",
    "ru": "ru-RU",
    "zh-hans": "zh-CN",
    "zh-cn": "zh-CN",
    "zh-hant": "zh-TW",
    "zh-tw": "zh-TW",
    "ko": "ko-KO",
    "it": "it-IT",
    "vi": "vi-VN",
    "pl": "pl-PL",
    "tr": "Tr-TR",
}
"""Our language codes → Zoom's, which are not BCP 47."""

TEXT, ONE, MANY, MENU = "text", "one", "many", "menu"
_TYPES = {
    "short": TEXT,
    "single": ONE,
    "single_radio": ONE,
    "single_dropdown": MENU,
    "multiple": MANY,
}


@dataclass(frozen=True)
class CustomQuestion:
    """A question that the organiser has added in Zoom."""

    title: str
    """Sent back to Zoom unchanged."""
    kind: str
    required: bool
    answers: tuple[str, ...] = ()
    shown_title: str = ""
    """What visitors read, if a secret was cut from the title."""
    digest: str = ""
    """Keyed digest of such a title."""

    @property
    def label(self) -> str:
        if not self.digest:
            return self.title
        return self.shown_title or str(_("Question of the organiser"))

    @property
    def name(self) -> str:
        """Its name in the form. It does not depend on the order of the questions."""
        if self.digest:  # a digest without key could be guessed
            return f"q_{self.digest[:12]}"
        return "q_" + hashlib.sha256(self.title.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Questions:
    """The questions of one registration, besides email address and first name."""

    standard: dict[str, bool]
    """``{field name: required}`` in our order."""
    custom: tuple[CustomQuestion, ...] = ()


def questions_of(meeting: Meeting) -> Questions:
    """The stored questions; Zoom's default questions until they are read for the first time."""
    stored = meeting.questions if isinstance(meeting.questions, dict) else {}
    if not stored:
        return Questions({"last_name": True})
    required_by_name = {
        row.get("field_name"): row.get("required") is True for row in _rows(stored, "questions")
    }
    standard = {
        name: required_by_name[name]
        for name in LABELS
        if name in required_by_name and name != "first_name"
    }
    parsed = [
        _parse_custom(row, meeting)
        for row in _rows(stored, "custom_questions")[:MAX_CUSTOM_QUESTIONS]
    ]
    unique = {question.title: question for question in parsed if question is not None}
    return Questions(standard, tuple(unique.values()))


def _rows(stored: dict[str, Any], member: str) -> list[dict[str, Any]]:
    rows = stored.get(member)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _parse_custom(row: dict[str, Any], meeting: Meeting) -> CustomQuestion | None:
    title = shown_title = row.get("title")
    digest = str(row.get("digest") or "")
    if digest:
        with contextlib.suppress(DecryptionError):  # Zoom is asked for the questions once more
            title = decrypt(str(row.get("sealed")), meeting.question_binding())
    kind = _TYPES.get(str(row.get("type")), TEXT)
    answers = row.get("answers")
    texts = [str(answer) for answer in answers] if isinstance(answers, list) else []
    unique_answers = tuple(dict.fromkeys(text for text in texts if text.strip()))
    if not isinstance(title, str) or not title.strip():
        return None
    if kind != TEXT and not unique_answers:
        kind = TEXT
    required = row.get("required") is True
    return CustomQuestion(title, kind, required, unique_answers, str(shown_title), digest)


def zoom_language(code: str | None = None) -> str:
    """Zoom's code for a language code (default: the active one); empty when Zoom has none."""
    code = (code or get_language() or "").lower()
    return LANGUAGES.get(code) or LANGUAGES.get(code.split("-")[0], "")


@lru_cache(maxsize=1)
def countries() -> tuple[tuple[str, str], ...]:
    """ISO 3166 codes and English names, from the installed time zone data."""
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    rows = [line.split("\t", 1) for line in table.splitlines() if line and line[0] != "#"]
    return tuple(sorted(((code, name) for code, name in rows), key=lambda row: row[1]))
