"""The tasks of the hub that django-q2 may run. Each may run twice, late, or never."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from ..conf import settings
from ..utils.logging import get_logger, instrumented_task
from ..utils.queue import PeriodicJob, enqueue, run_periodic_jobs
from . import delivery, notifications, routing
from .models import Authorization, Binding, CallCounter, Delivery, Deployment, JobRun

logger = get_logger("hub")

SEND_SECONDS = 50.0
"""Seconds that one task sends; another one continues."""
IDLE_SECONDS = 1.5
"""Longer than the interval in which the worker is woken once: events in between are sent at once.
"""


@instrumented_task
def deliver() -> None:
    """Send the deliveries that are due."""
    delivery.EventSender().run(SEND_SECONDS, idle_seconds=IDLE_SECONDS)
    if delivery.due(timezone.now()).exists():
        enqueue("deliver", tasks=routing.TASKS)


def wake_for_due(now: datetime) -> None:
    """Periodic job: send what a lost task has left."""
    if delivery.due(now).exists():
        enqueue("deliver", tasks=routing.TASKS)


def delete_outdated(now: datetime) -> None:
    """Periodic job: retention."""
    payload_days = timedelta(days=settings.days("EVENT_PAYLOAD_DAYS"))
    key_days = timedelta(days=settings.days("EVENT_KEY_DAYS"))
    Authorization.objects.filter(expires_at__lt=now).delete()
    CallCounter.objects.filter(expires_at__lt=now).delete()
    ended = Delivery.objects.exclude(state=Delivery.State.PENDING)
    ended.filter(received_at__lt=now - payload_days).exclude(body="").update(body="")
    ended.filter(received_at__lt=now - key_days).delete()
    Delivery.objects.filter(deployment__removed_at__lt=now - payload_days).delete()
    run_days = timedelta(days=settings.days("RUN_DAYS"))
    Binding.objects.filter(ended_at__lt=now - run_days).delete()
    # With its connections.
    Deployment.objects.filter(removed_at__lt=now - run_days).delete()


PERIODIC_JOBS: tuple[PeriodicJob, ...] = (
    delivery.give_up_outdated,  # guard: hub-job-give-up
    wake_for_due,  # guard: hub-job-deliver
    notifications.send_due_notifications,  # guard: hub-job-emails
    delete_outdated,  # guard: hub-job-retention
)
"""What runs every minute, in this order."""


@instrumented_task
def tick() -> None:
    """The hub's schedule: run every periodic job once."""
    now = timezone.now()
    JobRun.record("tick", now)
    run_periodic_jobs(PERIODIC_JOBS, now, logger)
