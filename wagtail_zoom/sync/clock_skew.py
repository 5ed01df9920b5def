"""A clock that was wrong and is set right: what it has dated ahead must not hold anything up.

Leases, pauses and plans are kept as times. After a clock has run hours ahead they lie hours in
the future: nothing would be due, every lease taken, every read older than the row it is about.
So each job notes the time; one that finds itself well before what was noted brings all of it back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from ..models import Heartbeat, Meeting, Occurrence, RateBudget, ZoomAccount, touch
from ..utils.logging import get_logger, record_metric
from ..utils.queue import repair_schedule

logger = get_logger("clock")

WATCH = "clock"
APART = timedelta(minutes=30)  # guard: clock-tolerance
"""Clocks of several machines may differ by so much; what is dated ahead by less waits it out."""
OFTEN = 20.0
"""Seconds between two looks of one process."""
TOKEN_LIFE = timedelta(minutes=65)
State = Occurrence.State

NOT_OURS = {
    ("Invitation", "expires_at"), ("OAuthState", "expires_at"),
    ("Meeting", "start"), ("Meeting", "live_since"), ("Meeting", "ended_at"),
    ("Occurrence", "start"), ("Occurrence", "end"), ("Occurrence", "previous_start"),
    ("Recording", "start"),
    ("Registration", "consented_at"), ("RegistrationDate", "start"),
}  # fmt: skip
"""Times that are Zoom's or a person's: they may lie ahead, or are not ours to change."""

_next_look = 0.0


def look(now: datetime | None = None) -> bool:
    """Note the time; whether it was found to have gone back, and everything was mended."""
    global _next_look
    if time.monotonic() < _next_look:
        return False
    _next_look = time.monotonic() + OFTEN
    now = now or timezone.now()
    seen = Heartbeat.objects.filter(name=WATCH).values_list("at", flat=True).first()
    if seen is None:
        Heartbeat.objects.bulk_create([Heartbeat(name=WATCH, at=now)], ignore_conflicts=True)
        return False
    if seen <= now + APART:  # guard: clock-set-back-repaired
        Heartbeat.objects.filter(name=WATCH, at__lt=now).update(at=now)
        return False
    with transaction.atomic():
        # Of many who see it one mends.
        if not Heartbeat.objects.filter(name=WATCH, at=seen).update(at=now):
            return False
        logger.error(
            "The clock was set back by %s minutes.", int((seen - now).total_seconds() / 60)
        )
        record_metric("clock_set_back_seconds", (seen - now).total_seconds())
        mend(now)
    return True


def mend(now: datetime) -> None:
    """Bring back to ``now`` what lies ahead of it, and have every account compared with Zoom:
    messages that came meanwhile were refused, because they looked too old or too new."""
    _reopen(now)
    for model, column in columns():
        later = now + (TOKEN_LIFE if column == "expires_at" else timedelta())
        values: dict[str, object] = {column: now}
        if column == "lease_until":
            values = {column: None, "lease_owner": ""}
            later += APART
        model._default_manager.filter(**{f"{column}__gt": later}).update(**values)
    slot = int(now.timestamp() * 1_000_000)
    RateBudget.objects.filter(slot__gt=slot).update(slot=slot)
    ZoomAccount.objects.exclude(next_reconcile_at=None).update(next_reconcile_at=now)
    touch(*ZoomAccount.objects.values_list("pk", flat=True))
    repair_schedule(now)


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every stored time that is taken from our clock."""
    for model in apps.get_app_config("wagtail_zoom").get_models():
        for field in model._meta.concrete_fields:
            if (
                isinstance(field, models.DateTimeField)
                and (model.__name__, field.name) not in NOT_OURS
            ):
                yield model, field.name


def _reopen(now: datetime) -> None:
    """Dates that were taken for over, and meetings for lapsed, before they had even begun."""
    hasty = Q(state=State.OVER) | Q(state=State.EXPIRED)
    dates = Occurrence.objects.filter(hasty, state_since__gt=now, end__gt=now)
    dates.exclude(previous_start=None).update(state=State.MOVED, state_since=now)
    dates.update(state=State.SCHEDULED, state_since=now)
    Meeting.objects.filter(expired_at__gt=now).update(expired_at=None)
