"""The task queue: ``enqueue()`` for tasks, and the schedule of an app, which runs every minute.

django-q2 has no de-duplication and no priorities, and its brokers lose or repeat tasks when a
worker dies. So a task only wakes the worker for rows in our own tables. Each task may run twice or
never; a sweep every minute finds rows whose task was lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from logging import LoggerAdapter
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from .error_reports import exc_info_of
from .logging import get_logger

logger = get_logger("queue")

PeriodicJob = Callable[[datetime], object]
TASKS = "wagtail_zoom.tasks"
SCHEDULE_NAME = "wagtail-zoom tick"
SCHEDULE_FUNCTION = "wagtail_zoom.tasks.tick"
Q_OPTIONS = {"ack_failure": True, "save": False, "group": "wagtail-zoom"}


@dataclass(frozen=True)
class MinuteSchedule:
    """The one schedule of an app; it exists as long as the table of ``model`` does."""

    name: str
    function: str
    """Dotted path of the task."""
    model: tuple[str, str]
    """App label and name of a model."""


SCHEDULE = MinuteSchedule(SCHEDULE_NAME, SCHEDULE_FUNCTION, ("wagtail_zoom", "ZoomSettings"))


def enqueue(name: str, *ids: int | str, tasks: str = TASKS) -> None:
    """Wake the worker: run ``<tasks>.<name>(*ids)`` after the transaction commits.

    Only integers and short strings are allowed: the queue stores pickles that anyone with database
    access can read. A broker that cannot be reached is logged, not raised: the sweep finds the
    rows.
    """
    for value in ids:
        if not isinstance(value, int | str) or (
            isinstance(value, str) and len(value) > 64
        ):  # guard: queue-takes-ids-only
            raise TypeError("Only ids may be put into the task queue.")
    transaction.on_commit(partial(_send, f"{tasks}.{name}", ids), robust=True)


def debounce(name: str, seconds: int) -> bool:
    """Whether this is the first call for ``name`` in the current interval of ``seconds``.

    Limits how often the worker is woken. The interval is part of the key; otherwise a clock jump
    would suppress wake-ups until the key expires.
    """
    try:
        return cache.add(_bucket(name, seconds), 1, timeout=seconds)
    except Exception:
        return True


def reset_debounce(name: str, seconds: int) -> None:
    """Make the next call of ``debounce`` the first one again."""
    try:
        cache.delete(_bucket(name, seconds))
    except Exception:
        return


def run_periodic_jobs(jobs: Iterable[PeriodicJob], now: datetime, log: LoggerAdapter[Any]) -> None:
    """Run every job once; when one fails, it is logged, and the others still run."""
    for job in jobs:
        try:
            job(now)
        except Exception as error:
            log.error(
                "The periodic job %s.%s failed.",
                job.__module__, job.__name__, exc_info=exc_info_of(error),
            )  # fmt: skip


def _bucket(name: str, seconds: int) -> str:
    return f"wagtail-zoom:{name}:{int(time.time()) // seconds}"  # guard: wake-up-not-by-cache-age


def _send(path: str, ids: tuple[int | str, ...]) -> None:
    try:
        async_task(path, *ids, q_options=dict(Q_OPTIONS))
    except Exception as error:
        logger.warning(
            "The task queue cannot be reached (%s); the sweep will find the rows.",
            type(error).__name__,
        )


def ensure_schedule(schedule: MinuteSchedule = SCHEDULE, **kwargs: Any) -> None:
    """Create or repair a schedule, so that it exists once and is due within a minute (after
    ``migrate``). Once the app's tables are gone it is removed: its job would find none.

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
    rows = Schedule.objects.using(alias).filter(name=schedule.name).order_by("pk")
    if not _has_table(*schedule.model):
        rows.delete()
        return
    first = rows.first()
    if first is None:
        Schedule.objects.using(alias).create(
            name=schedule.name,
            func=schedule.function,
            schedule_type=Schedule.MINUTES,
            minutes=1,
            repeats=-1,
        )
        return
    rows.exclude(pk=first.pk).delete()
    if (first.func, first.minutes, first.repeats) != (schedule.function, 1, -1):
        first.func, first.minutes, first.repeats = schedule.function, 1, -1
        first.save(using=alias)
    repair_schedule(schedule=schedule)


def _has_table(app_label: str, model_name: str) -> bool:
    """Whether the table of a model exists."""
    from django.db import connections, router

    model = apps.get_model(app_label, model_name)
    names = connections[router.db_for_write(model)].introspection.table_names()
    return model._meta.db_table in names


def repair_schedule(now: datetime | None = None, schedule: MinuteSchedule = SCHEDULE) -> int:
    """Make a schedule due now if its next run is later than two minutes. Such a time was written
    by a clock that ran ahead, and no job would run until then."""
    if not apps.is_installed("django_q"):
        return 0
    from django_q.models import Schedule

    now = now or timezone.now()
    late = Schedule.objects.filter(name=schedule.name, next_run__gt=now + timedelta(minutes=2))
    count: int = late.update(next_run=now)  # guard: schedule-corrected
    return count


def on_worker_start(**kwargs: Any) -> None:
    """Receiver of django-q2's ``post_spawn``: restarting the worker repairs the schedule, and runs
    the periodic jobs at once, so that every screen knows of it."""
    try:
        repair_schedule()
        if debounce("worker-start", 20):
            enqueue("tick")
    except Exception as error:
        # A worker that cannot reach its database reports that itself; it must not stop here.
        logger.warning("The schedule could not be checked (%s).", type(error).__name__)
