"""Zoom's registration questions, stored with the meeting so that a page can show the form."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..client import Priority, client_for_reading
from ..exceptions import ZoomAuthError, ZoomError, ZoomTransient
from ..mapping.parsing import get_list, parse_flag, single_line, text
from ..models import FetchScope, Meeting, ZoomAccount, ZoomSettings
from ..models.versions import publish_changes
from ..oauth.scopes import REGISTRATION
from ..utils.crypto import blind_index, encrypt
from ..utils.text import without_secrets

MAX_AGE = timedelta(hours=24)
BATCH = 200
MAX_TEXT_LENGTH = 2000
"""Characters of a title or an option. Zoom takes back only the whole one."""
QUESTION = "question"
"""Purpose of the digests of titles."""


def refresh_due(account: ZoomAccount, scope: FetchScope, *, until: float) -> bool:
    """Read the questions of meetings with registration that are new or a day old.

    Returns whether all are done before ``until`` (monotonic clock).

    Raises:
        ZoomError: the error concerns the whole account.
    """
    if not _shows_registration(account):
        return True
    is_old = Q(questions_at=None) | Q(questions_at__lt=timezone.now() - MAX_AGE)
    rows = Meeting.objects.taking_registration().not_over(timezone.now())
    rows = rows.filter(is_old, account=account, removed_at=None, expired_at=None)
    rows = rows.select_related("host")
    while True:
        batch = list(rows.order_by("pk")[:BATCH])
        if not batch:
            return True
        for meeting in batch:
            if not scope.includes(meeting.kind, meeting.host_id):
                Meeting.objects.filter(pk=meeting.pk).update(questions_at=timezone.now())
                continue
            refresh(account, meeting, Priority.RECONCILE)
            if time.monotonic() > until:
                return False


def _shows_registration(account: ZoomAccount) -> bool:
    return ZoomSettings.objects.filter(account=account, show_registration=True).exists()


def refresh(account: ZoomAccount, meeting: Meeting, priority: Priority) -> None:
    """Read and store the questions of one meeting. A refusal leaves the stored ones.

    Raises:
        ZoomTransient, ZoomAuthError: the error concerns the whole account.
    """
    try:
        payload = client_for_reading(
            account, meeting.host_zoom_id, priority, kind=REGISTRATION
        ).questions(meeting.zoom_id, meeting.kind)
    except (ZoomTransient, ZoomAuthError):
        raise
    except ZoomError:
        Meeting.objects.filter(
            pk=meeting.pk  # guard: refused-questions-of-one-meeting
        ).update(questions_at=timezone.now())
        return
    store(meeting, payload)


def store(meeting: Meeting, payload: dict[str, Any]) -> bool:
    """Store the questions; if they changed, publish the change and return True."""
    before = meeting.questions if isinstance(meeting.questions, dict) else {}
    questions = _cut(clean(payload), meeting, before)
    has_changed = {"questions": [], "custom_questions": [], **before} != questions
    meeting.questions, meeting.questions_at = questions, timezone.now()
    with transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(
            questions=questions, questions_at=meeting.questions_at
        )
        if has_changed:
            publish_changes(meeting.account, meetings={meeting.pk})
    return has_changed


def clean(payload: dict[str, Any]) -> dict[str, Any]:
    """The values that a form needs, in Zoom's order."""
    standard = [
        {
            "field_name": single_line(question.get("field_name"), 64),
            "required": parse_flag(question.get("required")),
        }
        for question in get_list(payload, "questions")
    ]
    custom: list[dict[str, Any]] = []
    for question in get_list(payload, "custom_questions"):
        answers = question.get("answers")
        custom.append(
            {
                "title": text(question.get("title"), MAX_TEXT_LENGTH),
                "type": single_line(question.get("type"), 32) or "short",
                "required": parse_flag(question.get("required")),
                "answers": [
                    text(answer, MAX_TEXT_LENGTH) for answer in answers if single_line(answer)
                ]
                if isinstance(answers, list)
                else [],
            }
        )
    return {
        "questions": [question for question in standard if question["field_name"]],
        "custom_questions": [question for question in custom if question["title"].strip()],
    }


def _cut(questions: dict[str, Any], meeting: Meeting, before: dict[str, Any]) -> dict[str, Any]:
    """Without what opens the meeting, as visitors read them.

    Titles go back to Zoom unchanged, so a title that was cut is kept encrypted too, with a digest
    that tells whether it is still the same. An answer that holds a secret is not offered.
    """
    known_values = meeting.known_values
    sealed = {
        question.get("digest"): question.get("sealed")
        for question in get_list(before, "custom_questions")
    }
    for question in questions["custom_questions"]:
        title = question["title"]
        shown = without_secrets(title, known_values)  # guard: known-values-cut-from-question
        question["answers"] = [
            answer
            for answer in question["answers"]
            if without_secrets(answer, known_values) == answer
        ]
        if shown != title:
            digest = blind_index(title, QUESTION)
            question |= {
                "title": shown.strip(),
                "digest": digest,
                "sealed": sealed.get(digest) or encrypt(title, meeting.question_binding()),
            }
    return questions


def refresh_quietly(account: ZoomAccount, meeting: Meeting) -> None:
    """After an event: read the questions too if a Site takes registrations; ignore errors."""
    if meeting.takes_registration and _shows_registration(account):
        with contextlib.suppress(ZoomError):
            refresh(account, meeting, Priority.EVENT)
