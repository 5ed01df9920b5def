"""What Zoom's messages about registrants mean for our sign-ups.

A stored message holds the registrant's id and status only. It says that something changed; how
things stand is read from Zoom. A cancellation is the exception: Zoom no longer shows it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..models import Meeting, Registration, WebhookEvent, ZoomAccount
from ..sync.handlers import event_time
from . import capacity, mails, outbox

State, Task = Registration.State, Registration.Task


def apply(account: ZoomAccount, event: WebhookEvent, **kwargs: Any) -> None:
    """Receiver of ``registration_event``; repeating it changes nothing more."""
    family, _dot, what = event.event.partition(".")
    thing = event.payload.get("object") if isinstance(event.payload, dict) else None
    if family not in ("meeting", "webinar") or not isinstance(thing, dict):
        return
    person = thing.get("registrant")
    number, ident = _text(thing.get("id")), _text((person or {}).get("id"))
    if not number or not ident:
        return
    rows = Registration.objects.filter(account=account, meeting_zoom_id=number)
    mine = list(rows.filter(zoom_registrant_id=ident).values_list("pk", flat=True))
    at = event_time(event)
    for pk in mine:
        if what == "registration_cancelled":
            _cancelled(pk, at, _dates(thing))
        else:
            _look(pk)
    if mine:
        outbox.wake()
        return
    _count(account, number, what)
    if what == "registration_created":
        # Perhaps the one whose answer was lost: look for it at once.
        now = timezone.now()
        lost = rows.filter(state=State.WAITING, maybe_sent=True, lease_until=None)
        if lost.filter(Q(mail_due="") | Q(task_at__gt=now)).update(task_at=now, next_try_at=now):
            outbox.wake()


def _text(value: Any) -> str:
    return str(value)[:100] if isinstance(value, str | int) else ""


def _dates(thing: dict[str, Any]) -> set[str]:
    rows = thing.get("occurrences")
    rows = rows if isinstance(rows, list) else []
    return {_text(row.get("occurrence_id")) for row in rows if isinstance(row, dict)} - {""}


def _look(pk: int) -> None:
    with outbox.locked(pk) as row:
        if not row.task:
            outbox.plan(row, Task.CHECK)
            row.save(update_fields=["task", "task_at", "next_try_at"])


def _cancelled(pk: int, at: datetime, dates: set[str]) -> None:
    """Cancelled at Zoom: of all dates, or of those that the message names."""
    with outbox.locked(pk) as row:
        if row.state_since > at or row.state not in (State.PENDING, State.APPROVED):
            return
        chosen = row.dates.exclude(zoom_occurrence_id="")
        if dates and chosen.exists():
            chosen.filter(zoom_occurrence_id__in=dates).update(cancelled_at=at)
            if chosen.filter(cancelled_at=None).exists():
                return
        if row.task == Task.CHECK:
            outbox.plan(row, "")
            row.error_class, row.error_code, row.attempts = "", None, 0
        outbox.move(row, State.CANCELLED, mail=mails.after_change(row, State.CANCELLED))
        row.save()


def _count(account: ZoomAccount, number: str, what: str) -> None:
    """People who register on Zoom's own page are counted and not imported."""
    step = {"registration_created": 1, "registration_cancelled": -1, "registration_denied": -1}
    if what not in step:
        return
    rows = Meeting.objects.filter(account=account, zoom_id=number)
    for meeting in rows.select_related("account"):
        capacity.step_count(meeting, step[what])
