"""A health endpoint for monitoring: public results of checks, and numbers for a token."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from ..conf import settings
from .logging import get_logger

logger = get_logger("health")

TICK_LATE = timedelta(minutes=3)
"""Without a run of the periodic jobs for so long, the worker counts as stopped."""
CACHE_SECONDS = 5
"""Seconds for which the numbers are cached, so that frequent requests cost nothing."""

Metrics = Callable[[], dict[str, Any]]
Checks = Callable[[dict[str, Any]], dict[str, bool]]


def health_view(name: str, metrics: Metrics, checks: Checks) -> Callable[..., HttpResponse]:
    """A view: 200 when all checks pass, otherwise 503; with ``HEALTH_TOKEN`` also the numbers.

    Args:
        name: names the numbers in the cache.
        metrics: reads the numbers.
        checks: results by name; True means healthy.
    """

    @login_not_required
    @transaction.non_atomic_requests
    @require_safe
    def health(request: HttpRequest) -> HttpResponse:
        """200 when all checks pass, otherwise 503."""
        try:
            numbers = _cached(name, metrics)
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
        if _is_authorized(request):  # guard: health-numbers-with-token
            body["numbers"] = numbers
        return _json_response(body, 200 if is_healthy else 503)

    return health


def age_seconds(time: datetime | None, now: datetime) -> float | None:
    """Seconds from a time until now; None without one."""
    return round((now - time).total_seconds(), 1) if time else None


def is_worker_running(tick_age: float | None) -> bool:
    """Whether the periodic jobs ran lately. A run that lies in the future does not count: the
    clock was set back."""
    return tick_age is not None and abs(tick_age) < TICK_LATE.total_seconds()


def _cached(name: str, metrics: Metrics) -> dict[str, Any]:
    """The metrics, cached if possible: an outage of the cache is not part of this check."""
    # The time is part of the key: after a clock jump, an old entry is not used.
    key = f"{name}:{int(time.time()) // CACHE_SECONDS}"
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


def _json_response(body: dict[str, Any], status: int) -> HttpResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
