"""Retention of what the package stores, and the heartbeat of the worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import (
    Activity,
    Heartbeat,
    Invitation,
    OAuthState,
    Registration,
    SyncRun,
    WebhookEvent,
)

TICK = "tick"
BATCH = 1000
PARKED_HOURS = 24


def beat(now: datetime) -> None:
    """Note that the worker is alive."""
    Heartbeat.beat(TICK, now)


def delete_outdated(now: datetime) -> dict[str, int]:
    """Apply every retention rule. Returns how many rows each took.

    Bounded: each rule takes at most ``BATCH`` rows; the rest waits for the next minute.
    """
    counts = {name: _delete(rows) for name, rows in _outdated(now).items()}
    counts["payloads"] = _empty_payloads(now)
    return counts


def _outdated(now: datetime) -> dict[str, QuerySet]:
    """Rows past their time, by rule."""
    finished = [SyncRun.State.DONE, SyncRun.State.FAILED, SyncRun.State.CANCELLED]
    return {
        "states": OAuthState.objects.filter(expires_at__lt=now),
        "invitations": Invitation.objects.filter(expires_at__lt=now - timedelta(days=30)),
        "events": outdated_events(now),
        "runs": SyncRun.objects.filter(
            state__in=finished, finished_at__lt=now - timedelta(days=settings.days("RUN_DAYS"))
        ),
        "activity": Activity.objects.filter(
            at__lt=now - timedelta(days=settings.days("ACTIVITY_DAYS"))
        ),
        "registrations": Registration.objects.filter(purge_on__lt=now.date()),
    }


def outdated_events(now: datetime | None = None) -> QuerySet[WebhookEvent]:
    """Messages that are past their time: parked ones soon, handled ones with their keys later."""
    now = now or timezone.now()
    states = WebhookEvent.State
    handled = Q(state__in=[states.DONE, states.IGNORED, states.DEAD])
    parked = Q(state=states.PARKED, received_at__lt=now - timedelta(hours=PARKED_HOURS))
    old = Q(received_at__lt=now - timedelta(days=settings.days("EVENT_KEY_DAYS")))
    return WebhookEvent.objects.filter(parked | (handled & old))


def _delete(rows: QuerySet) -> int:
    """Delete in a batch by key: no database locks a whole table for it."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not keys:
        return 0
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _empty_payloads(now: datetime) -> int:
    """Forget what Zoom sent; the key stays for a while, against repetitions."""
    limit = now - timedelta(days=settings.days("EVENT_PAYLOAD_DAYS"))
    states = WebhookEvent.State
    rows = WebhookEvent.objects.filter(
        state__in=[states.DONE, states.IGNORED], received_at__lt=limit
    ).exclude(payload={})
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return WebhookEvent.objects.filter(pk__in=keys).update(payload={}) if keys else 0
