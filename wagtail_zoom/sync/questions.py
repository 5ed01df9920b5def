"""Zoom's registration questions, stored with the meeting so that a page can show the form."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..client import Priority, client_for
from ..exceptions import ZoomAuthError, ZoomError, ZoomRateLimited, ZoomTransient
from ..mapping.parsing import get_list, single_line, text
from ..models import FetchScope, Meeting, Occurrence, ZoomAccount, ZoomSettings
from .persist import WriteResult, publish_changes

MAX_AGE = timedelta(hours=24)
BATCH = 200


def refresh_due(account: ZoomAccount, scope: FetchScope, *, until: float) -> bool:
    """Read the questions of meetings with registration that are new or a day old.

    Returns whether all are done before ``until`` (monotonic clock).

    Raises:
        ZoomError: the error concerns the whole account.
    """
    if not _shows_registration(account):
        return True
    is_old = Q(questions_at=None) | Q(questions_at__lt=timezone.now() - MAX_AGE)
    is_upcoming = Q(zoom_type__in=(3, 6)) | Q(
        pk__in=Occurrence.objects.filter(account=account, end__gt=timezone.now()).values("meeting")
    )
    rows = Meeting.objects.filter(
        is_old, is_upcoming, account=account, removed_at=None, expired_at=None,
        approval_type__in=(Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL),
    ).select_related("host")  # fmt: skip
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
        payload = client_for(account, meeting.host_zoom_id, priority).questions(
            meeting.zoom_id, meeting.kind
        )
    except (ZoomTransient, ZoomRateLimited, ZoomAuthError):
        raise
    except ZoomError:
        Meeting.objects.filter(pk=meeting.pk).update(questions_at=timezone.now())
        return
    store(meeting, payload)


def store(meeting: Meeting, payload: dict[str, Any]) -> bool:
    """Store the questions; if they changed, publish the change and return True."""
    questions, before = clean(payload), meeting.questions
    has_changed = clean(before if isinstance(before, dict) else {}) != questions
    meeting.questions, meeting.questions_at = questions, timezone.now()
    with transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(
            questions=questions, questions_at=meeting.questions_at
        )
        if has_changed:
            publish_changes(meeting.account, [WriteResult(meetings={meeting.pk})])
    return has_changed


def clean(payload: dict[str, Any]) -> dict[str, Any]:
    """The values that a form needs, in Zoom's order.

    Titles and answers are not changed: they are sent back to Zoom.
    """
    standard = [
        {
            "field_name": single_line(question.get("field_name"), 64),
            "required": question.get("required") is True,
        }
        for question in get_list(payload, "questions")
    ]
    custom = []
    for question in get_list(payload, "custom_questions"):
        answers = question.get("answers")
        custom.append(
            {
                "title": text(question.get("title"), 1000),
                "type": single_line(question.get("type"), 32) or "short",
                "required": question.get("required") is True,
                "answers": [text(answer, 300) for answer in answers if single_line(answer)]
                if isinstance(answers, list)
                else [],
            }
        )
    return {
        "questions": [question for question in standard if question["field_name"]],
        "custom_questions": [question for question in custom if question["title"].strip()],
    }


def refresh_quietly(account: ZoomAccount, meeting: Meeting) -> None:
    """After an event: read the questions too if a Site takes registrations; ignore errors."""
    if meeting.takes_registration and _shows_registration(account):
        with contextlib.suppress(ZoomError):
            refresh(account, meeting, Priority.EVENT)
