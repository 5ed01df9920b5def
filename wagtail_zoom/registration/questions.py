"""Zoom's questions of one registration, and its vocabulary: field names, enumerations, languages.

Source: Zoom's API reference, "List registration questions" and "Add a meeting registrant". The
values are what Zoom accepts when written (for the number of employees it reads others).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from ..models import Meeting

VALUE_LIMIT = 128
"""Characters of an answer to a custom question."""
MOST_CUSTOM = 100

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
"""Standard fields in the order in which we ask."""

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
class Custom:
    """A question of the organiser's own."""

    title: str
    """Goes back to Zoom letter by letter."""
    kind: str
    required: bool
    answers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the form: stays when questions change their order."""
        return "q_" + hashlib.sha256(self.title.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Questions:
    """What one registration asks for beside the e-mail address and the first name."""

    standard: dict[str, bool]
    """``{field name: required}`` in our order."""
    custom: tuple[Custom, ...] = ()


def of(meeting: Meeting) -> Questions:
    """The stored questions; while they have never been read, what Zoom asks by default."""
    stored = meeting.questions if isinstance(meeting.questions, dict) else {}
    if not stored:
        return Questions({"last_name": True})
    asked = {
        row.get("field_name"): row.get("required") is True for row in _rows(stored, "questions")
    }
    standard = {name: asked[name] for name in LABELS if name in asked and name != "first_name"}
    found = [_custom(row) for row in _rows(stored, "custom_questions")[:MOST_CUSTOM]]
    unique = {question.title: question for question in found if question is not None}
    return Questions(standard, tuple(unique.values()))


def _rows(stored: dict[str, Any], member: str) -> list[dict[str, Any]]:
    rows = stored.get(member)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _custom(row: dict[str, Any]) -> Custom | None:
    title = row.get("title")
    kind = _TYPES.get(str(row.get("type")), TEXT)
    answers = row.get("answers") if isinstance(row.get("answers"), list) else []
    known = tuple(dict.fromkeys(str(answer) for answer in answers if str(answer).strip()))
    if not isinstance(title, str) or not title.strip():
        return None
    if kind != TEXT and not known:
        kind = TEXT
    return Custom(title, kind, row.get("required") is True, known)


def zoom_language(code: str | None = None) -> str:
    """Zoom's code for a language of ours (the active one); empty when Zoom does not have it."""
    code = (code or get_language() or "").lower()
    return LANGUAGES.get(code) or LANGUAGES.get(code.split("-")[0], "")


@lru_cache(maxsize=1)
def countries() -> tuple[tuple[str, str], ...]:
    """ISO 3166 codes and English names, from the time zone data that is installed anyway."""
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    rows = [line.split("\t", 1) for line in table.splitlines() if line and line[0] != "#"]
    return tuple(sorted(((code, name) for code, name in rows), key=lambda row: row[1]))
