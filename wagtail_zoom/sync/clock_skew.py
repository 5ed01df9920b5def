"""Repairs stored times after a system clock that ran ahead is set back.

Leases, pauses and schedules are stored as times. After a clock has run hours ahead they lie hours
in the future: nothing would be due, every lease held, every read older than the stored row. So each
job stores the time; a job that runs well before the stored time resets all such times.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from ..models import (
    Heartbeat,
    Meeting,
    Occurrence,
    RateBudget,
    ZoomAccount,
    bump_data_version,
)
from ..models.mirror import ENDED_STATES
from ..utils import leases
from ..utils.logging import get_logger, record_metric
from ..utils.queue import repair_schedule

logger = get_logger("clock")

HEARTBEAT_NAME = "clock"
TOLERANCE = timedelta(minutes=30)  # guard: clock-tolerance
"""Clocks of several machines may differ by this much; smaller jumps are not repaired."""
CHECK_INTERVAL = 20.0
"""Seconds between two checks of one process."""
TOKEN_LIFE = timedelta(minutes=65)

EXCLUDED_COLUMNS = {
    ("Invitation", "expires_at"), ("OAuthState", "expires_at"),
    ("Meeting", "start"), ("Meeting", "live_since"), ("Meeting", "ended_at"),
    ("Occurrence", "start"), ("Occurrence", "end"), ("Occurrence", "previous_start"),
    ("Recording", "start"),
    ("Registration", "consented_at"), ("RegistrationDate", "start"),
    ("AttendanceReading", "start"), ("AttendanceReading", "ended_at"),
    ("AttendanceInstance", "started_at"), ("AttendanceInstance", "ended_at"),
    ("Attendance", "first_arrival"),
}  # fmt: skip
"""Times set by Zoom or a person: they may lie in the future, or must not be changed."""

_next_check = 0.0


def check_clock(now: datetime | None = None) -> bool:
    """Store the time; returns whether the clock was set back and the stored times were repaired."""
    global _next_check
    if time.monotonic() < _next_check:
        return False
    _next_check = time.monotonic() + CHECK_INTERVAL
    now = now or timezone.now()
    heartbeats = Heartbeat.objects.filter(name=HEARTBEAT_NAME)
    last_seen = heartbeats.values_list("beat_at", flat=True).first()
    if last_seen is None:
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=HEARTBEAT_NAME, beat_at=now)], ignore_conflicts=True
        )
        return False
    if last_seen <= now + TOLERANCE:  # guard: clock-set-back-repaired
        heartbeats.filter(beat_at__lt=now).update(beat_at=now)
        return False
    with transaction.atomic():
        # Only one process runs the repair.
        if not heartbeats.filter(beat_at=last_seen).update(beat_at=now):
            return False
        logger.error(
            "The clock was set back by %s minutes.", int((last_seen - now).total_seconds() / 60)
        )
        record_metric("clock_set_back_seconds", (last_seen - now).total_seconds())
        repair(now)
    return True


def repair(now: datetime) -> None:
    """Set future times to ``now``, and reconcile every account.

    Webhook events in between were refused, because they looked too old or too new.
    """
    _reopen_occurrences(now)
    for model, column in clock_columns():
        later = now + (TOKEN_LIFE if column == "expires_at" else timedelta())
        values: dict[str, object] = {column: now}
        if column == "lease_until":
            values = leases.RELEASED
            later += TOLERANCE
        model._default_manager.filter(**{f"{column}__gt": later}).update(**values)
    slot = int(now.timestamp() * 1_000_000)
    RateBudget.objects.filter(slot__gt=slot).update(slot=slot)
    ZoomAccount.objects.exclude(next_reconcile_at=None).update(next_reconcile_at=now)
    bump_data_version(*ZoomAccount.objects.values_list("pk", flat=True))
    repair_schedule(now)


def clock_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every stored time that comes from the system clock."""
    for model in apps.get_app_config("wagtail_zoom").get_models():
        for field in model._meta.concrete_fields:
            if (
                isinstance(field, models.DateTimeField)
                and (model.__name__, field.name) not in EXCLUDED_COLUMNS
            ):
                yield model, field.name


def _reopen_occurrences(now: datetime) -> None:
    """Reopen occurrences and meetings that counted as over or expired before they had started."""
    occurrences = Occurrence.objects.filter(
        state__in=ENDED_STATES, state_since__gt=now, end__gt=now
    )
    occurrences.exclude(previous_start=None).update(state=Occurrence.State.MOVED, state_since=now)
    occurrences.update(state=Occurrence.State.SCHEDULED, state_since=now)
    Meeting.objects.filter(expired_at__gt=now).update(expired_at=None)
