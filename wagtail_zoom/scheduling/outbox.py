"""The outbox of changes of meetings: what is due, and the states of a row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..models import MeetingChange
from ..models.outbox import CONNECTION_ERRORS, Outbox
from ..signals import meeting_change_finished

OUTBOX = Outbox(MeetingChange, task="deliver_meeting_changes")
claim, release, edit_row = OUTBOX.claim, OUTBOX.release, OUTBOX.edit_row
run, wake_worker = OUTBOX.run, OUTBOX.wake_worker
State = MeetingChange.State
AMBIGUOUS_DELAY = timedelta(seconds=20)
"""For how long an unanswered call may still take effect at Zoom; we look for nothing earlier."""


def finish(row: MeetingChange, state: str) -> None:
    """End a locked row; ``meeting_change_finished`` follows after the commit.

    Its payload stays only as long as a person may edit it.
    """
    row.state, row.finished_at, row.next_try_at = state, timezone.now(), None
    if state != State.FAILED:
        row.payload = ""
    if row.action == MeetingChange.Action.UPDATE:
        waiting = updates_of(row).filter(error_class="earlier")
        if waiting.update(next_try_at=timezone.now()):
            wake_worker()
    pk = row.pk

    def send_signal() -> None:
        change = MeetingChange.objects.filter(pk=pk).first()
        if change is not None:
            meeting_change_finished.send_robust(sender=MeetingChange, change=change)

    transaction.on_commit(send_signal, robust=True)


def updates_of(row: MeetingChange) -> QuerySet[MeetingChange]:
    """Other updates of the same meeting that are not at Zoom yet. They go in their order."""
    return MeetingChange.objects.filter(
        account=row.account_id, meeting_zoom_id=row.meeting_zoom_id, state=State.WAITING,
        action=MeetingChange.Action.UPDATE,
    ).exclude(pk=row.pk)  # fmt: skip


def start(row: MeetingChange) -> None:
    """Put a locked row on its way (again). What may be at Zoom already is looked for first."""
    row.clear_error()
    row.state, row.finished_at, row.lookups = State.WAITING, None, 0
    is_open = row.maybe_sent_at is not None
    row.next_try_at = timezone.now() + (AMBIGUOUS_DELAY if is_open else timedelta(0))


def resume(account_id: int) -> int:
    """Try at once what waited for a connection with this account. Returns how many rows."""
    now = timezone.now()
    waiting = MeetingChange.objects.filter(
        account_id=account_id, state=State.WAITING, error_class__in=CONNECTION_ERRORS
    )
    count = waiting.filter(next_try_at__gt=now).update(next_try_at=now)
    if count:
        wake_worker()
    return count


def sweep(now: datetime | None = None) -> dict[str, Any]:
    """Every minute: wake the worker for due rows."""
    return {"due": OUTBOX.sweep(now or timezone.now())}
