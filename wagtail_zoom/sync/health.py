"""``zoom/health/``: whether worker, messages and sign-ups keep up, for a monitor of the host's.

Anybody may ask and learns only that; with ``HEALTH_TOKEN`` the numbers behind it come along.
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

logger = get_logger("monitor")

TICK_LATE = timedelta(minutes=3)
MESSAGES_LATE = timedelta(minutes=5)
SIGNUPS_LATE = timedelta(minutes=10)
RUN_LATE = timedelta(minutes=15)
KEPT = 5
"""Seconds for which an answer is good: asking often costs nothing."""
KEY = "wagtail-zoom:health"


def facts(now: datetime | None = None) -> dict[str, Any]:
    """What there is to know, in numbers: ages in seconds, counts of rows. Seven queries."""
    now = now or timezone.now()
    beat = Heartbeat.objects.filter(name="tick").values_list("at", flat=True).first()
    pending = WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING, run_after__lte=now)
    lanes = pending.values("lane").annotate(depth=Count("pk"), oldest=Min("received_at"))
    deepest = lanes.order_by("-depth").values_list("depth", flat=True).first()
    due = Registration.objects.filter(next_try_at__lte=now)
    runs = SyncRun.objects.filter(state=SyncRun.State.RUNNING)
    lost = Grant.objects.filter(state=GrantState.NEEDS_RECONNECT, site_settings__isnull=False)
    dead = WebhookEvent.objects.filter(
        state=WebhookEvent.State.DEAD, received_at__gt=now - timedelta(days=1)
    )
    return {
        "tick_age": _age(beat, now),
        "messages_due": pending.count(),
        "messages_oldest": _oldest(pending, "run_after", now),
        "messages_deepest_lane": deepest or 0,
        "messages_dead_today": dead.count(),
        "signups_due": due.count(),
        "signups_oldest": _oldest(due, "next_try_at", now),
        "runs_quiet": runs.filter(beat_at__lt=now - RUN_LATE, next_try_at=None).count(),
        "connections_lost": lost.distinct().count(),
    }


def _age(at: datetime | None, now: datetime) -> float | None:
    return round((now - at).total_seconds(), 1) if at else None


def _oldest(rows: QuerySet[Any], column: str, now: datetime) -> float:
    return _age(rows.aggregate(first=Min(column))["first"], now) or 0.0


def verdicts(found: dict[str, Any]) -> dict[str, bool]:
    """What is fine, by name: ``worker``, ``messages``, ``signups``, ``sync``.

    A worker that has last beaten in the future does not beat now: the clock was set back.
    A connection that its owner has to renew is no trouble of the installation's; the owner is told.
    """
    age = found["tick_age"]
    return {
        "worker": age is not None and abs(age) < TICK_LATE.total_seconds(),
        "messages": found["messages_oldest"] < MESSAGES_LATE.total_seconds(),
        "signups": found["signups_oldest"] < SIGNUPS_LATE.total_seconds(),
        "sync": not found["runs_quiet"],
    }


@login_not_required
@transaction.non_atomic_requests
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when all keeps up, else 503; for monitors."""
    try:
        found = _kept()
    except DatabaseError as error:
        logger.warning("The database does not answer a monitor (%s).", type(error).__name__)
        return _answer({"status": "trouble", "database": False}, 503)
    fine = verdicts(found)
    good = all(fine.values())
    body: dict[str, Any] = {"status": "ok" if good else "trouble", "database": True, **fine}
    if _may_know(request):
        body["numbers"] = found
    return _answer(body, 200 if good else 503)


def _kept() -> dict[str, Any]:
    """From the cache, which may be away: that is no answer to what a monitor asks."""
    # The moment is part of the key: an answer that a wrong clock has dated would else stay.
    key = f"{KEY}:{int(time.time()) // KEPT}"
    try:
        found = cache.get(key)
    except Exception:
        found = None
    if isinstance(found, dict):
        return found
    found = facts()
    with suppress(Exception):
        cache.set(key, found, KEPT)
    return found


def _may_know(request: HttpRequest) -> bool:
    token = settings.health_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _answer(body: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("health/", health, name="health")]
