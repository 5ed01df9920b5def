"""A stored registration as a request body for Zoom: a fixed list of members only (X23)."""

from __future__ import annotations

import json
from typing import Any

from ..models import Registration
from . import questions
from .questions import MAX_ANSWER_LENGTH


def answers_of(row: Registration) -> dict[str, Any]:
    """What the person entered.

    Raises:
        wagtail_zoom.utils.crypto.DecryptionError: no key fits.
    """
    text = row.answers.reveal()
    data = json.loads(text) if text else {}
    return data if isinstance(data, dict) else {}


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
        {"title": str(answer["title"]), "value": str(answer["value"])[:MAX_ANSWER_LENGTH]}
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
