"""The outbox of registrations: what is due, when, and for how long registrations are kept.

``next_try_at`` is the time, ``task`` and ``mail_due`` are what is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from ..client.error_policy import UNREACHABLE
from ..models import Registration, ZoomSettings
from ..models.outbox import CONNECTION_ERRORS, Outbox
from ..signals import registration_changed
from ..utils.logging import get_logger

logger = get_logger("registration")

OUTBOX = Outbox(Registration, task="deliver_registrations")
due, claim, release, edit_row = OUTBOX.due, OUTBOX.claim, OUTBOX.release, OUTBOX.edit_row
run, wake_worker = OUTBOX.run, OUTBOX.wake_worker
AMBIGUOUS_SECONDS = 20
"""Seconds for which a request that was not answered may still take effect at Zoom, and until Zoom
lists a new registrant. We send and look up nothing about this registration earlier."""
MAIL_DELAY = timedelta(seconds=45)
"""Zoom usually answers again within this time: then one email reports the outcome."""
DEFAULT_RETENTION_DAYS = 30
"""Retention of a Site without settings."""


def set_state(row: Registration, state: str, *, mail: str = "") -> None:
    """Set the state of a locked row. A new one sends ``registration_changed`` after the commit."""
    previous = row.state
    if mail:
        queue_mail(row, mail)
    if previous == state:
        return
    row.state, row.state_since = state, timezone.now()
    if state == Registration.State.CANCELLED:
        is_at_zoom = row.zoom_registrant_id or row.maybe_sent
        row.cancelled_at = row.state_since if is_at_zoom else None
    elif state in (Registration.State.APPROVED, Registration.State.DENIED):
        row.cancelled_at = None
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
    """Set the task of a locked row: due now, later, or none."""
    row.task = task
    row.task_at = (due_at or timezone.now()) if task else None
    _update_next_try(row)


def queue_mail(row: Registration, mail: str, due_at: datetime | None = None) -> None:
    """Set the email of a locked row: due now, later, or none."""
    row.mail_due = mail
    row.mail_at = (due_at or timezone.now()) if mail else None
    _update_next_try(row)


def earliest_after(task: str, error: str) -> datetime:
    """When a registration's next task may be sent: after its last one, which ended with ``error``.

    Otherwise an approval that Zoom did not answer could arrive after a later cancellation.
    """
    changes_zoom = task not in ("", Registration.Task.CHECK)
    is_unanswered = changes_zoom and error == UNREACHABLE  # guard: unanswered-task-awaited
    return timezone.now() + timedelta(seconds=AMBIGUOUS_SECONDS if is_unanswered else 0)


def _update_next_try(row: Registration) -> None:
    times = [due_at for due_at in (row.task_at, row.mail_at) if due_at is not None]
    row.next_try_at = min(times, default=None)


@dataclass(frozen=True)
class Deferral:
    """The due tasks of an account have to wait; with ``site_id`` only those of that Site."""

    account_id: int
    until: datetime
    site_id: int | None = None


def defer(deferral: Deferral) -> None:
    """Defer the due tasks of an account or of one of its Sites. Emails are still sent.

    Who has had no email yet gets one that reports the delay.
    """
    now, until = timezone.now(), deferral.until
    waiting = due(now).filter(account_id=deferral.account_id).exclude(task="")
    if deferral.site_id is not None:
        waiting = waiting.filter(site_id=deferral.site_id)
    mail_at = now + MAIL_DELAY
    waiting.filter(task=Registration.Task.ADD, mail_due="", mails={}).update(
        task_at=until, mail_due="received", mail_at=mail_at, next_try_at=min(mail_at, until)
    )
    waiting.filter(mail_due="").update(task_at=until, next_try_at=until)
    waiting.exclude(mail_due="").update(task_at=until)


def resume(account_id: int) -> int:
    """Try at once what waited for a connection with this account. Returns how many rows.

    Also those that have failed because the connection was not restored in time.
    """
    now = timezone.now()
    rows = Registration.objects.filter(account_id=account_id)  # guard: resumes-own-account
    waiting = rows.filter(error_class__in=["", *CONNECTION_ERRORS], task_at__gt=now)
    count = waiting.exclude(task="").update(task_at=now, next_try_at=now)
    failed = rows.filter(
        state=Registration.State.FAILED, error_class__in=CONNECTION_ERRORS, task=""
    )
    for pk in list(failed.values_list("pk", flat=True)):
        with edit_row(pk) as row:
            end = last_end(row)
            is_over = end is not None and end < now
            if row.state == Registration.State.FAILED and not row.task and not is_over:
                row.clear_error()
                set_state(row, Registration.State.WAITING)
                queue_task(row, Registration.Task.ADD)
                count += 1
    if count:
        wake_worker()
    return count


def of_linked_sites(host_zoom_id: str) -> Q:
    """Registrations of Sites that are linked with their account now, by a grant for this host.

    What happens at Zoom afterwards is none of a Site's business that has left.
    """
    covers = Q(site__zoomsettings__grant__account_level=True)
    if host_zoom_id:
        covers |= Q(site__zoomsettings__grant__zoom_user_id=host_zoom_id)
    return covers & Q(
        site__zoomsettings__grant__account=F("account"),
        site__zoomsettings__needs_confirmation=False,
    )


def sweep(now: datetime | None = None) -> dict[str, int]:
    """Every minute: wake the worker for due rows, extend the retention where dates have moved."""
    now = now or timezone.now()
    return {"due": OUTBOX.sweep(now), "extended": extend_retention(now)}


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
    if not end_times and row.meeting is not None:
        meeting_end = row.meeting.occurrences.aggregate(end=Max("end"))["end"]
        end_times = [meeting_end] if meeting_end else []
    return max(end_times, default=None)
