"""``zoom/health/``: whether worker, webhooks and registrations are up to date, for monitoring.

Public, with results only; a request with ``HEALTH_TOKEN`` also gets the numbers.
"""

from __future__ import annotations

import hmac
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from ..conf import settings
from ..models import Grant, GrantState, Heartbeat, Registration, SyncRun, WebhookEvent
from ..utils.logging import get_logger

logger = get_logger("health")

TICK_LATE = timedelta(minutes=3)
EVENTS_LATE = timedelta(minutes=5)
REGISTRATIONS_LATE = timedelta(minutes=10)
RUN_LATE = timedelta(minutes=15)
CACHE_SECONDS = 5
"""Seconds for which the numbers are cached, so that frequent requests cost nothing."""
CACHE_KEY = "wagtail-zoom:health"


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
        "tick_age": _age(last_tick, now),
        "events_due": pending.count(),
        "events_oldest": _oldest(pending, "run_after", now),
        "events_most_per_object": deepest or 0,
        "events_dead_today": dead.count(),
        "registrations_due": due.count(),
        "registrations_oldest": _oldest(due, "next_try_at", now),
        "runs_stalled": runs.filter(beat_at__lt=now - RUN_LATE, next_try_at=None).count(),
        "connections_lost": lost.distinct().count(),
    }


def _age(time: datetime | None, now: datetime) -> float | None:
    return round((now - time).total_seconds(), 1) if time else None


def _oldest(rows: QuerySet[Any], column: str, now: datetime) -> float:
    return _age(rows.aggregate(first=Min(column))["first"], now) or 0.0


def checks(numbers: dict[str, Any]) -> dict[str, bool]:
    """Results by name: ``worker``, ``events``, ``registrations``, ``sync``; True means healthy.

    A worker whose last heartbeat lies in the future is not running: the clock was set back.
    A connection that needs re-authorisation does not affect the result; its owner is notified.
    """
    age = numbers["tick_age"]
    return {
        "worker": age is not None and abs(age) < TICK_LATE.total_seconds(),
        "events": numbers["events_oldest"] < EVENTS_LATE.total_seconds(),
        "registrations": numbers["registrations_oldest"] < REGISTRATIONS_LATE.total_seconds(),
        "sync": not numbers["runs_stalled"],
    }


@login_not_required
@transaction.non_atomic_requests
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when all checks pass, otherwise 503."""
    try:
        numbers = _cached_metrics()
    except DatabaseError as error:
        logger.warning("The health check cannot query the database (%s).", type(error).__name__)
        return _json_response({"status": "failing", "database": False}, 503)
    results = checks(numbers)
    is_healthy = all(results.values())
    body: dict[str, Any] = {
        "status": "ok" if is_healthy else "failing",
        "database": True,
        **results,
    }
    if _is_authorized(request):
        body["numbers"] = numbers
    return _json_response(body, 200 if is_healthy else 503)


def _cached_metrics() -> dict[str, Any]:
    """The metrics, cached if possible: an outage of the cache is not part of this check."""
    # The time is part of the key: after a clock jump, an old entry is not used.
    key = f"{CACHE_KEY}:{int(time.time()) // CACHE_SECONDS}"
    try:
        cached = cache.get(key)
    except Exception:
        cached = None
    if isinstance(cached, dict):
        return cached
    numbers = metrics()
    with suppress(Exception):
        cache.set(key, numbers, CACHE_SECONDS)
    return numbers


def _is_authorized(request: HttpRequest) -> bool:
    token = settings.health_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _json_response(body: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("health/", health, name="health")]
