"""Zoom's registration questions, stored beside the meeting so that a page can show the form."""

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
from ..mapping.parsing import line, members, prose
from ..models import FetchScope, Meeting, Occurrence, ZoomAccount, ZoomSettings
from .persist import Stored, announce

AGE = timedelta(hours=24)
BATCH = 200


def refresh_due(account: ZoomAccount, scope: FetchScope, *, until: float) -> bool:
    """Read the questions of meetings with registration that are new or a day old.

    Returns whether all are done before ``until`` (monotonic clock).

    Raises:
        ZoomError: what concerns the whole account.
    """
    if not _wanted(account):
        return True
    old = Q(questions_at=None) | Q(questions_at__lt=timezone.now() - AGE)
    ahead = Q(zoom_type__in=(3, 6)) | Q(
        pk__in=Occurrence.objects.filter(account=account, end__gt=timezone.now()).values("meeting")
    )
    rows = Meeting.objects.filter(
        old, ahead, account=account, removed_at=None, expired_at=None,
        approval_type__in=(Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL),
    ).select_related("host")  # fmt: skip
    while True:
        batch = list(rows.order_by("pk")[:BATCH])
        if not batch:
            return True
        for meeting in batch:
            if not scope.wants(meeting.kind, meeting.host_id):
                Meeting.objects.filter(pk=meeting.pk).update(questions_at=timezone.now())
                continue
            refresh(account, meeting, Priority.RECONCILE)
            if time.monotonic() > until:
                return False


def _wanted(account: ZoomAccount) -> bool:
    return ZoomSettings.objects.filter(account=account, show_registration=True).exists()


def refresh(account: ZoomAccount, meeting: Meeting, priority: Priority) -> None:
    """Read and store the questions of one meeting. A refusal leaves the stored ones.

    Raises:
        ZoomTransient, ZoomAuthError: what concerns the whole account.
    """
    try:
        found = client_for(account, meeting.host_zoom_id, priority).questions(
            meeting.zoom_id, meeting.kind
        )
    except (ZoomTransient, ZoomRateLimited, ZoomAuthError):
        raise
    except ZoomError:
        Meeting.objects.filter(pk=meeting.pk).update(questions_at=timezone.now())
        return
    keep(meeting, found)


def keep(meeting: Meeting, payload: dict[str, Any]) -> bool:
    """Store what Zoom says it asks; whether that is something new, which pages then hear of."""
    fresh, before = clean(payload), meeting.questions
    is_new = clean(before if isinstance(before, dict) else {}) != fresh
    meeting.questions, meeting.questions_at = fresh, timezone.now()
    with transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(
            questions=fresh, questions_at=meeting.questions_at
        )
        if is_new:
            announce(meeting.account, [Stored(meetings={meeting.pk})])
    return is_new


def clean(payload: dict[str, Any]) -> dict[str, Any]:
    """The members that a form needs, in Zoom's order.

    Titles and answers stay letter by letter what they are: they go back to Zoom.
    """
    standard = [
        {"field_name": line(one.get("field_name"), 64), "required": one.get("required") is True}
        for one in members(payload, "questions")
    ]
    custom = []
    for one in members(payload, "custom_questions"):
        answers = one.get("answers")
        custom.append(
            {
                "title": prose(one.get("title"), 1000),
                "type": line(one.get("type"), 32) or "short",
                "required": one.get("required") is True,
                "answers": [prose(text, 300) for text in answers if line(text)]
                if isinstance(answers, list)
                else [],
            }
        )
    return {
        "questions": [one for one in standard if one["field_name"]],
        "custom_questions": [one for one in custom if one["title"].strip()],
    }


def refresh_quietly(account: ZoomAccount, meeting: Meeting) -> None:
    """After a message: read the questions too where a Site takes sign-ups; trouble waits."""
    if meeting.takes_registration and _wanted(account):
        with contextlib.suppress(ZoomError):
            refresh(account, meeting, Priority.EVENT)
