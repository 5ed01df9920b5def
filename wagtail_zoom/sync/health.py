"""``zoom/health/``: whether worker, webhooks and registrations are up to date, for monitoring.

Public, with results only; a request with ``HEALTH_TOKEN`` also gets the numbers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.urls import path
from django.utils import timezone

from ..models import Grant, GrantState, Heartbeat, Registration, SyncRun, WebhookEvent
from ..utils.health import age_seconds, health_view, is_worker_running

EVENTS_LATE = timedelta(minutes=5)
REGISTRATIONS_LATE = timedelta(minutes=10)
RUN_LATE = timedelta(minutes=15)


def metrics(now: datetime | None = None) -> dict[str, Any]:
    """Ages in seconds and counts of rows. Seven queries."""
    now = now or timezone.now()
    last_tick = Heartbeat.objects.filter(name="tick").values_list("beat_at", flat=True).first()
    pending = WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING, run_after__lte=now)
    objects = pending.values("lock_key").annotate(depth=Count("pk"), oldest=Min("received_at"))
    deepest = objects.order_by("-depth").values_list("depth", flat=True).first()
    due = Registration.objects.filter(next_try_at__lte=now)
    runs = SyncRun.objects.filter(state=SyncRun.State.RUNNING)
    lost = Grant.objects.filter(state=GrantState.NEEDS_RECONNECT, site_settings__isnull=False)
    dead = WebhookEvent.objects.filter(
        state=WebhookEvent.State.DEAD, received_at__gt=now - timedelta(days=1)
    )
    return {
        "tick_age": age_seconds(last_tick, now),
        "events_due": pending.count(),
        "events_oldest": _oldest(pending, "run_after", now),
        "events_most_per_object": deepest or 0,
        "events_dead_today": dead.count(),
        "registrations_due": due.count(),
        "registrations_oldest": _oldest(due, "next_try_at", now),
        "runs_stalled": runs.filter(beat_at__lt=now - RUN_LATE, next_try_at=None).count(),
        "connections_lost": lost.distinct().count(),
    }


def _oldest(rows: QuerySet[Any], column: str, now: datetime) -> float:
    return age_seconds(rows.aggregate(first=Min(column))["first"], now) or 0.0


def checks(numbers: dict[str, Any]) -> dict[str, bool]:
    """Results by name: ``worker``, ``events``, ``registrations``, ``sync``; True means healthy.

    A connection that needs re-authorisation does not affect the result; its owner is notified.
    """
    return {
        "worker": is_worker_running(numbers["tick_age"]),
        "events": numbers["events_oldest"] < EVENTS_LATE.total_seconds(),
        "registrations": numbers["registrations_oldest"] < REGISTRATIONS_LATE.total_seconds(),
        "sync": not numbers["runs_stalled"],
    }


health = health_view("wagtail-zoom:health", metrics, checks)
"""200 when all checks pass, otherwise 503."""

urlpatterns = [path("health/", health, name="health")]
