"""Applies webhook events about registrants to registrations.

A stored event holds the registrant's id and status only. It means that something changed; the
current status is read from Zoom. A cancellation is the exception: Zoom no longer returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..models import (
    Meeting,
    Occurrence,
    Registration,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from ..sync.handlers import event_time
from . import capacity, mails, outbox


def on_registration_event(account: ZoomAccount, event: WebhookEvent, **kwargs: Any) -> None:
    """Receiver of ``registration_event``. Idempotent."""
    family, _dot, action = event.event.partition(".")
    meeting_data = event.payload.get("object") if isinstance(event.payload, dict) else None
    if family not in ("meeting", "webinar") or not isinstance(meeting_data, dict):
        return
    registrant = meeting_data.get("registrant")
    meeting_zoom_id = _text(meeting_data.get("id"))
    registrant_id = _text((registrant or {}).get("id"))
    if not meeting_zoom_id or not registrant_id:
        return
    host_zoom_id = _text(meeting_data.get("host_id"))
    rows = Registration.objects.filter(
        outbox.of_linked_sites(host_zoom_id),  # guard: event-linked-sites-only
        account=account,
        meeting_zoom_id=meeting_zoom_id,
    )
    pks = list(rows.filter(zoom_registrant_id=registrant_id).values_list("pk", flat=True))
    happened_at = event_time(event)
    for pk in pks:
        if action == "registration_cancelled":
            _apply_cancellation(pk, happened_at, _occurrence_ids(meeting_data))
        else:
            _queue_check(pk)
    _update_count(account, meeting_zoom_id, "" if pks else action)
    if pks:
        outbox.wake_worker()
        return
    if action == "registration_created":
        # It may be the one whose response was lost: look it up now.
        now = timezone.now()
        unanswered = rows.filter(state=Registration.State.WAITING, maybe_sent=True)
        if unanswered.filter(Q(mail_due="") | Q(task_at__gt=now)).update(
            task_at=now, next_try_at=now
        ):
            outbox.wake_worker()


def on_occurrences_moved(
    account: ZoomAccount, occurrences: Sequence[Occurrence], **kwargs: Any
) -> None:
    """Receiver of ``occurrences_moved``: tell those who are registered, with one email.

    Zoom itself writes about approval, denial and cancellation only, whatever its settings. An
    email that is still to be sent names the new time anyway.
    """
    now = timezone.now()
    upcoming = [row for row in occurrences if row.end > now]
    if not upcoming:
        return
    connected = ZoomSettings.objects.filter(account=account, grant__account=account)
    rows = Registration.objects.filter(
        Q(dates=None) | Q(dates__occurrence__in=upcoming, dates__cancelled_at=None),
        account=account,
        meeting__in={row.meeting_id for row in upcoming},
        state__in=(Registration.State.PENDING, Registration.State.APPROVED),
        mail_due="",
        site__in=connected.values("site"),  # guard: moved-mail-for-connected-sites
    )
    pks = list(rows.values_list("pk", flat=True).distinct())
    due = Registration.objects.filter(pk__in=pks, mail_due="")
    if pks and due.update(mail_due="moved", mail_at=now, next_try_at=now):
        outbox.wake_worker()


def _text(value: Any) -> str:
    return str(value)[:100] if isinstance(value, str | int) else ""


def _occurrence_ids(meeting_data: dict[str, Any]) -> set[str]:
    rows = meeting_data.get("occurrences")
    rows = rows if isinstance(rows, list) else []
    return {_text(row.get("occurrence_id")) for row in rows if isinstance(row, dict)} - {""}


def _queue_check(pk: int) -> None:
    with outbox.edit_row(pk) as row:
        if not row.task:
            outbox.queue_task(row, Registration.Task.CHECK)


def _apply_cancellation(pk: int, happened_at: datetime, occurrence_ids: set[str]) -> None:
    """Cancelled at Zoom: all dates, or those that the event names."""
    with outbox.edit_row(pk) as row:
        if row.state_since > happened_at or row.state not in (
            Registration.State.PENDING,
            Registration.State.APPROVED,
        ):
            return
        chosen = row.dates.exclude(zoom_occurrence_id="")
        if occurrence_ids and chosen.exists():
            chosen.filter(zoom_occurrence_id__in=occurrence_ids).update(cancelled_at=happened_at)
            if chosen.filter(cancelled_at=None).exists():
                return
        if row.task == Registration.Task.CHECK:
            outbox.queue_task(row, "")
            row.clear_error()
        outbox.set_state(
            row,
            Registration.State.CANCELLED,
            mail=mails.mail_after_change(row, Registration.State.CANCELLED),
        )


def _update_count(account: ZoomAccount, meeting_zoom_id: str, action: str) -> None:
    """People who register on Zoom's own page are counted and not imported."""
    changes = {"registration_created": 1, "registration_cancelled": -1, "registration_denied": -1}
    rows = Meeting.objects.filter(account=account, zoom_id=meeting_zoom_id)
    for meeting in rows.select_related("account"):
        if action in changes:
            capacity.change_count(meeting, changes[action])
        capacity.request_count(meeting)
