"""A stored registration as a request body for Zoom: a fixed list of members only (X23)."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

from ..models import Registration
from ..utils.crypto import DecryptionError, blind_index
from . import questions
from .fields import greetable
from .questions import MULTIPLE_SEPARATOR

ENTRIES_PURPOSE = "registration-entries"
"""Purpose of the digest of what a person confirms."""


def answers_of(row: Registration) -> dict[str, Any]:
    """What the person entered.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    text = row.answers.reveal()
    data = json.loads(text) if text else {}
    return data if isinstance(data, dict) else {}


def answer_text(value: Any) -> str:
    """The answer to a custom question as Zoom expects it; several are stored as a list."""
    return MULTIPLE_SEPARATOR.join(value) if isinstance(value, list) else str(value)


def answer_pairs(row: Registration) -> list[tuple[str, str]]:
    """What the person entered as (name, value); a custom question is its own name.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    stored = answers_of(row)
    pairs = [(name, str(value)) for name, value in stored.get("standard", {}).items()]
    pairs += [
        (str(answer.get("label") or answer["title"]), answer_text(answer["value"]))
        for answer in stored.get("custom", [])
    ]
    return pairs + [(name, str(value)) for name, value in stored.get("extra", {}).items()]


def field_label(name: str) -> str:
    """Label of a field; custom questions are their own label."""
    return _("Email") if name == "email" else str(questions.LABELS.get(name, name))


def entries(row: Registration) -> list[tuple[str, str]]:
    """Everything that the person entered, as (label, value).

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    pairs = [("email", row.email.reveal()), *answer_pairs(row)]
    return [(field_label(name), value) for name, value in pairs]


def entries_digest(row: Registration) -> str:
    """A keyed digest of what a person confirms: address, answers and dates.

    Empty where they cannot be decrypted.
    """
    try:
        dates = sorted(str(pk) for pk in row.dates.values_list("occurrence_id", flat=True))
        parts = [row.email.reveal(), row.answers.reveal(), dates]
    except DecryptionError:
        return ""
    return blind_index(json.dumps(parts), ENTRIES_PURPOSE)


def greeting_name(row: Registration) -> str:
    """The first name for emails and for the page that they lead to; empty if it may be spam.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    return greetable(str(answers_of(row).get("standard", {}).get("first_name", "")))


def body_of(row: Registration) -> dict[str, Any]:
    """The request body of "Add a meeting registrant"."""
    answers = answers_of(row)
    standard = answers.get("standard", {})
    body: dict[str, Any] = {"email": row.email.reveal()}
    for name in questions.LABELS:
        if standard.get(name):
            body[name] = str(standard[name])[: questions.LENGTHS.get(name, 255)]
    body.setdefault("first_name", body["email"].partition("@")[0][:64])
    custom = [
        {"title": str(answer["title"]), "value": answer_text(answer["value"])}
        for answer in answers.get("custom", [])
        if answer.get("value")
    ]
    if custom:
        body["custom_questions"] = custom
    if answers.get("language") in questions.LANGUAGES.values():
        body["language"] = answers["language"]
    return body


def occurrence_ids(row: Registration) -> list[str]:
    """Zoom's ids of the chosen occurrences; empty where one registration covers all."""
    return [date.zoom_occurrence_id for date in row.dates.all() if date.zoom_occurrence_id]
