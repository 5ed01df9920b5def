"""The outbox: sign-ups that have something due, worked off without losing or doubling one.

``next_try_at`` says when, ``task`` and ``mail_due`` say what. A worker claims a row by a
conditional UPDATE with a lease that expires, so a killed worker costs two minutes and nothing
else. Everything here may run twice or at once.
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
"""Longer than any one attempt."""
BATCH = 20
DAYS = 30
"""Retention of a Site without choices."""
NAP = 5.0
"""Seconds for which the worker itself waits when an account asks for a short pause."""
AWAKE = "deliver"


def wake() -> None:
    """Call the worker after the commit, about once a second over all sign-ups."""

    def call() -> None:
        if debounce(AWAKE, 1):
            enqueue("deliver_registrations")

    transaction.on_commit(call, robust=True)


def due(now: datetime) -> QuerySet[Registration]:
    """Rows with something to do that nobody works on."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Registration.objects.filter(
        free,  # guard: registration-lock
        next_try_at__lte=now,
    )


def claim(pk: int, now: datetime | None = None) -> str:
    """Take one row; the lease to give back, or nothing when somebody was faster."""
    now = now or timezone.now()
    lease = new_lease()
    taken = due(now).filter(pk=pk).update(lease_owner=lease, lease_until=now + LEASE)
    return lease if taken else ""


def new_lease() -> str:
    """A name for whoever works on a row."""
    return str(uuid.uuid4())


@contextmanager
def locked(pk: int) -> Iterator[Registration]:
    """The row as it is now, for a change that nobody else makes at the same time."""
    with transaction.atomic():
        yield Registration.objects.select_for_update().get(pk=pk)


def move(row: Registration, state: str, *, mail: str = "") -> None:
    """Set the state of a locked row and, if it is a new one, tell the project after the commit.

    The row is not saved here.
    """
    previous = row.state
    if mail:
        post(row, mail)
    if previous == state:
        return
    row.state, row.state_since = state, timezone.now()
    if not registration_changed.has_listeners(Registration):
        return
    pk = row.pk

    def tell() -> None:
        found = Registration.objects.filter(pk=pk).first()
        if found is not None:
            registration_changed.send_robust(
                sender=Registration, registration=found, previous=previous
            )

    transaction.on_commit(tell, robust=True)


def plan(row: Registration, task: str, at: datetime | None = None) -> None:
    """Set what is to be done at Zoom on a locked row: now, later, or nothing. Not saved here."""
    row.task = task
    row.task_at = (at or timezone.now()) if task else None
    _next(row)


def post(row: Registration, mail: str, at: datetime | None = None) -> None:
    """Set which mail is to be sent on a locked row: now, later, or none. Not saved here."""
    row.mail_due = mail
    row.mail_at = (at or timezone.now()) if mail else None
    _next(row)


def _next(row: Registration) -> None:
    times = [at for at in (row.task_at, row.mail_at) if at is not None]
    row.next_try_at = min(times, default=None)


def release(row: Registration, lease: str) -> None:
    """Give the lease back on a locked row, if it is still ours. The row is not saved here."""
    if row.lease_owner == lease:
        row.lease_owner, row.lease_until = "", None


def run(work: Callable[[int, str], tuple[int, datetime] | None], seconds: float = 0) -> int:
    """Work off what is due for some seconds; returns how many rows were taken.

    ``work(pk, lease)`` may return an account that wants to be left alone, and until when.
    """
    forget_wake()
    begun, taken = time.monotonic(), 0
    limit = seconds or settings.slice_seconds
    while time.monotonic() - begun < limit:
        now = timezone.now()
        rows = due(now).order_by("next_try_at", "pk")
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if not keys and not _nap(now, limit - (time.monotonic() - begun)):
            return taken
        for pk in keys:
            lease = claim(pk)
            if not lease:
                continue
            taken += 1
            try:
                wish = work(pk, lease)
            except Exception:
                # The lease keeps this row away from everybody for a while; the others go on.
                logger.exception("A sign-up could not be worked on.")
                continue
            if wish:
                spare(*wish)
            if time.monotonic() - begun >= limit:
                break
    if due(timezone.now()).exists():
        wake()
    return taken


def spare(account_id: int, until: datetime) -> None:
    """Postpone all tasks of an account that wants to be left alone; mails still go."""
    waiting = due(timezone.now()).filter(account_id=account_id).exclude(task="")
    waiting.filter(mail_due="").update(task_at=until, next_try_at=until)
    waiting.exclude(mail_due="").update(task_at=until)


def forget_wake() -> None:
    """From here on a new sign-up calls the worker anew: it may miss what this run reads."""
    reset_debounce(AWAKE, 1)


def _nap(now: datetime, left: float) -> bool:
    """Wait for what is due within seconds, if there is time for it."""
    soon = due(now + timedelta(seconds=min(NAP, left))).order_by("next_try_at")
    at = soon.values_list("next_try_at", flat=True).first()
    if at is None:
        return False
    time.sleep(max(0.0, (at - now).total_seconds()) + 0.01)
    return True


def sweep(now: datetime | None = None) -> dict[str, int]:
    """For the tick: wake the worker for whatever is due, and keep rows whose dates moved."""
    now = now or timezone.now()
    waiting = due(now).count()
    if waiting:
        enqueue("deliver_registrations")
    return {"due": waiting, "kept": keep_moved(now)}


def keep_moved(now: datetime) -> int:
    """Retention counts from the last date as it is now: look again before a row goes."""
    kept = 0
    soon = Registration.objects.filter(purge_on__lte=now.date()).exclude(
        state=Registration.State.UNCONFIRMED
    )
    for row in soon.select_related("meeting")[:200]:
        wanted = purge_day(row, now)
        if row.purge_on and wanted > row.purge_on:
            kept += Registration.objects.filter(pk=row.pk).update(purge_on=wanted)
    return kept


def date_anew(site_pk: int) -> int:
    """The owner changed the retention: set every sign-up's last day anew; how many changed."""
    changed, now = 0, timezone.now()
    rows = Registration.objects.filter(site=site_pk).exclude(state=Registration.State.UNCONFIRMED)
    for row in rows.select_related("meeting").order_by("pk").iterator(chunk_size=500):
        wanted = purge_day(row, now)
        if row.purge_on != wanted:
            changed += Registration.objects.filter(pk=row.pk).update(purge_on=wanted)
    return changed


def purge_day(row: Registration, now: datetime | None = None) -> Any:
    """The day after which a sign-up is deleted: the Site's retention after its last date."""
    choice = ZoomSettings.objects.filter(site=row.site_id).first()
    days = choice.registration_days if choice else DAYS
    last = last_end(row) or row.created_at or now or timezone.now()
    return last.date() + timedelta(days=days)


def last_end(row: Registration) -> datetime | None:
    """When the last date that a sign-up is for ends; None without a fixed time."""
    # The date may have moved since; its start as it was counts only when it is gone.
    kept = Max("start", filter=Q(occurrence=None))
    ends = row.dates.aggregate(end=Max("occurrence__end"), start=kept)
    found = [end for end in (ends["end"], ends["start"]) if end]
    if not found and row.meeting_id:
        every = row.meeting.occurrences.aggregate(end=Max("end"))["end"]
        found = [every] if every else []
    return max(found, default=None)
