"""A stored sign-up as the body that Zoom takes: a fixed list of members, nothing else (X23)."""

from __future__ import annotations

import json
from typing import Any

from ..models import Registration
from . import questions
from .questions import VALUE_LIMIT


def answers_of(row: Registration) -> dict[str, Any]:
    """What the person typed.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    text = row.answers.reveal()
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def body_of(row: Registration) -> dict[str, Any]:
    """The body of "add a registrant"."""
    answers = answers_of(row)
    standard = answers.get("standard", {})
    body: dict[str, Any] = {"email": row.email.reveal()}
    for name in questions.LABELS:
        if standard.get(name):
            body[name] = str(standard[name])[: questions.LENGTHS.get(name, 255)]
    body.setdefault("first_name", body["email"].partition("@")[0][:64])
    custom = [
        {"title": str(each["title"]), "value": str(each["value"])[:VALUE_LIMIT]}
        for each in answers.get("custom", [])
        if each.get("value")
    ]
    if custom:
        body["custom_questions"] = custom
    if answers.get("language") in questions.LANGUAGES.values():
        body["language"] = answers["language"]
    return body


def occurrence_ids(row: Registration) -> list[str]:
    """Zoom's ids of the chosen dates; none where one registration covers all."""
    return [date.zoom_occurrence_id for date in row.dates.all() if date.zoom_occurrence_id]
