"""The outbox: registrations with a task or an email due, processed without loss or duplicates.

``next_try_at`` is the time, ``task`` and ``mail_due`` are what is due. A worker claims a row by a
conditional UPDATE with a lease that expires, so a killed worker only costs two minutes.
Everything here may run twice or in parallel.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import Registration, ZoomSettings
from ..signals import registration_changed
from ..utils.logging import get_logger
from ..utils.queue import debounce, enqueue, reset_debounce

logger = get_logger("registration")

LEASE = timedelta(minutes=2)
"""Longer than any single attempt."""
BATCH_SIZE = 20
DEFAULT_RETENTION_DAYS = 30
"""Retention of a Site without settings."""
MAX_SLEEP_SECONDS = 5.0
"""The worker itself waits for rows that are due within so many seconds."""
WAKE_UP_KEY = "deliver"


def wake_worker() -> None:
    """Queue the worker after the commit, at most about once a second for all registrations."""

    def enqueue_worker() -> None:
        if debounce(WAKE_UP_KEY, 1):
            enqueue("deliver_registrations")

    transaction.on_commit(enqueue_worker, robust=True)


def due(now: datetime) -> QuerySet[Registration]:
    """Rows with something due that no process works on."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Registration.objects.filter(
        free,  # guard: registration-lock
        next_try_at__lte=now,
    )


def claim(pk: int, now: datetime | None = None) -> str:
    """Claim one row. Returns its lease, or an empty string if another process was faster."""
    now = now or timezone.now()
    lease = new_lease()
    claimed = due(now).filter(pk=pk).update(lease_owner=lease, lease_until=now + LEASE)
    return lease if claimed else ""


def new_lease() -> str:
    """An id for the process that works on a row."""
    return str(uuid.uuid4())


@contextmanager
def lock_row(pk: int) -> Iterator[Registration]:
    """The current row, locked until the end of the block."""
    with transaction.atomic():
        yield Registration.objects.select_for_update().get(pk=pk)


def set_state(row: Registration, state: str, *, mail: str = "") -> None:
    """Set the state of a locked row. A new state sends ``registration_changed`` after the commit.

    The row is not saved here.
    """
    previous = row.state
    if mail:
        queue_mail(row, mail)
    if previous == state:
        return
    row.state, row.state_since = state, timezone.now()
    if not registration_changed.has_listeners(Registration):
        return
    pk = row.pk

    def send_signal() -> None:
        registration = Registration.objects.filter(pk=pk).first()
        if registration is not None:
            registration_changed.send_robust(
                sender=Registration, registration=registration, previous=previous
            )

    transaction.on_commit(send_signal, robust=True)


def queue_task(row: Registration, task: str, due_at: datetime | None = None) -> None:
    """Set the task of a locked row: due now, later, or none. The row is not saved here."""
    row.task = task
    row.task_at = (due_at or timezone.now()) if task else None
    _update_next_try(row)


def queue_mail(row: Registration, mail: str, due_at: datetime | None = None) -> None:
    """Set the email of a locked row: due now, later, or none. The row is not saved here."""
    row.mail_due = mail
    row.mail_at = (due_at or timezone.now()) if mail else None
    _update_next_try(row)


def _update_next_try(row: Registration) -> None:
    times = [due_at for due_at in (row.task_at, row.mail_at) if due_at is not None]
    row.next_try_at = min(times, default=None)


def release(row: Registration, lease: str) -> None:
    """Release the lease of a locked row if it still has it. The row is not saved here."""
    if row.lease_owner == lease:
        row.lease_owner, row.lease_until = "", None


def run(process: Callable[[int, str], tuple[int, datetime] | None], seconds: float = 0) -> int:
    """Process due rows for some seconds. Returns how many rows were claimed.

    ``process(pk, lease)`` may return a rate-limited account, and until when.
    """
    reset_wake_up()
    started, count = time.monotonic(), 0
    limit = seconds or settings.slice_seconds
    while time.monotonic() - started < limit:
        now = timezone.now()
        rows = due(now).order_by("next_try_at", "pk")
        pks = list(rows.values_list("pk", flat=True)[:BATCH_SIZE])
        if not pks and not _sleep_until_due(now, limit - (time.monotonic() - started)):
            return count
        for pk in pks:
            lease = claim(pk)
            if not lease:
                continue
            count += 1
            try:
                deferral = process(pk, lease)
            except Exception:
                # No process takes this row until its lease expires; the others continue.
                logger.exception("A registration could not be processed.")
                continue
            if deferral:
                defer_account(*deferral)
            if time.monotonic() - started >= limit:
                break
    if due(timezone.now()).exists():
        wake_worker()
    return count


def defer_account(account_id: int, until: datetime) -> None:
    """Defer the due tasks of a rate-limited account. Emails are still sent."""
    waiting = due(timezone.now()).filter(account_id=account_id).exclude(task="")
    waiting.filter(mail_due="").update(task_at=until, next_try_at=until)
    waiting.exclude(mail_due="").update(task_at=until)


def reset_wake_up() -> None:
    """From now on a new registration queues the worker again: this run may not see it."""
    reset_debounce(WAKE_UP_KEY, 1)


def _sleep_until_due(now: datetime, seconds_left: float) -> bool:
    """Wait for rows that are due within seconds, if there is time for it."""
    upcoming = due(now + timedelta(seconds=min(MAX_SLEEP_SECONDS, seconds_left))).order_by(
        "next_try_at"
    )
    next_try_at = upcoming.values_list("next_try_at", flat=True).first()
    if next_try_at is None:
        return False
    time.sleep(max(0.0, (next_try_at - now).total_seconds()) + 0.01)
    return True


def sweep(now: datetime | None = None) -> dict[str, int]:
    """Every minute: wake the worker for due rows, extend the retention where dates have moved."""
    now = now or timezone.now()
    waiting = due(now).count()
    if waiting:
        enqueue("deliver_registrations")
    return {"due": waiting, "extended": extend_retention(now)}


def extend_retention(now: datetime) -> int:
    """Retention counts from the current last date: check it again before a row is deleted."""
    extended = 0
    expiring = Registration.objects.filter(purge_on__lte=now.date()).exclude(
        state=Registration.State.UNCONFIRMED
    )
    for row in expiring.select_related("meeting")[:200]:
        purge_on = purge_day(row, now)
        if row.purge_on and purge_on > row.purge_on:
            extended += Registration.objects.filter(pk=row.pk).update(purge_on=purge_on)
    return extended


def apply_retention(site_pk: int) -> int:
    """Recalculate ``purge_on`` after the owner changed the retention. Returns how many changed."""
    changed, now = 0, timezone.now()
    rows = Registration.objects.filter(site=site_pk).exclude(state=Registration.State.UNCONFIRMED)
    for row in rows.select_related("meeting").order_by("pk").iterator(chunk_size=500):
        purge_on = purge_day(row, now)
        if row.purge_on != purge_on:
            changed += Registration.objects.filter(pk=row.pk).update(purge_on=purge_on)
    return changed


def purge_day(row: Registration, now: datetime | None = None) -> Any:
    """The day after which a registration is deleted: its last date plus the Site's retention."""
    site_settings = ZoomSettings.objects.filter(site=row.site_id).first()
    days = site_settings.registration_days if site_settings else DEFAULT_RETENTION_DAYS
    last = last_end(row) or row.created_at or now or timezone.now()
    return last.date() + timedelta(days=days)


def last_end(row: Registration) -> datetime | None:
    """When the last date of a registration ends; None without a fixed time."""
    # The occurrence may have moved; the stored start counts only when the occurrence is gone.
    last_start = Max("start", filter=Q(occurrence=None))
    ends = row.dates.aggregate(end=Max("occurrence__end"), start=last_start)
    end_times = [end for end in (ends["end"], ends["start"]) if end]
    if not end_times and row.meeting_id:
        meeting_end = row.meeting.occurrences.aggregate(end=Max("end"))["end"]
        end_times = [meeting_end] if meeting_end else []
    return max(end_times, default=None)
