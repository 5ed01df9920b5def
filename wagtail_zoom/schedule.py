"""The one schedule: a minutely *tick* that dispatches, sweeps and beats."""

from __future__ import annotations

from typing import Any

from django.apps import apps

NAME = "wagtail-zoom tick"
FUNCTION = "wagtail_zoom.tasks.tick"


def ensure_schedule(**kwargs: Any) -> None:
    """Make the schedule be there exactly once, whatever happened before (after ``migrate``).

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
