"""The one schedule: a minutely *tick* that dispatches, sweeps and beats."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from . import observing

logger = observing.logger("schedule")

NAME = "wagtail-zoom tick"
FUNCTION = "wagtail_zoom.tasks.tick"


def ensure_schedule(**kwargs: Any) -> None:
    """Make the schedule be there exactly once and due within a minute, whatever happened before
    (after ``migrate``).

    Names of schedules are not unique in django-q2, so surplus rows are removed.
    """
    if not apps.is_installed("django_q"):
        return
    from django.db import connections, router
    from django_q.models import Schedule

    alias = router.db_for_write(Schedule)
    if kwargs.get("using", alias) != alias:
        return
    if Schedule._meta.db_table not in connections[alias].introspection.table_names():
        return
    rows = Schedule.objects.using(alias).filter(name=NAME).order_by("pk")
    first = rows.first()
    if first is None:
        Schedule.objects.using(alias).create(
            name=NAME, func=FUNCTION, schedule_type=Schedule.MINUTES, minutes=1, repeats=-1
        )
        return
    rows.exclude(pk=first.pk).delete()
    if (first.func, first.minutes, first.repeats) != (FUNCTION, 1, -1):
        first.func, first.minutes, first.repeats = FUNCTION, 1, -1
        first.save(using=alias)
    straighten()


def straighten(now: datetime | None = None) -> int:
    """A minutely job is due within a minute. A later time was written by a clock that ran ahead,
    and nothing would beat until then."""
    if not apps.is_installed("django_q"):
        return 0
    from django_q.models import Schedule

    now = now or timezone.now()
    late = Schedule.objects.filter(name=NAME, next_run__gt=now + timedelta(minutes=2))
    return late.update(next_run=now)  # guard: schedule-corrected


def on_worker_start(**kwargs: Any) -> None:
    """Receiver of django-q2's ``post_spawn``: to start the worker anew helps in any case."""
    try:
        straighten()
    except Exception as error:
        # A worker that cannot reach its database has worse to tell; it must not die of this.
        logger.warning("The schedule could not be looked at (%s).", type(error).__name__)
