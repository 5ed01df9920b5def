"""Deletes rows past their retention or outside the fetch scope; the worker's heartbeat.

Curation (``SiteItem``) stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import (
    Activity,
    Heartbeat,
    Host,
    Invitation,
    Kind,
    Lane,
    Meeting,
    OAuthState,
    Recording,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
    touch,
)
from . import transcripts
from .persist import Stored, announce

TICK = "tick"
BATCH = 1000
SCOPE_BATCH = 500
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


def purge_outside_scope(account: ZoomAccount) -> dict[str, int]:
    """Delete the rows of kinds and hosts that no Site keeps; how many of each kind.

    With no Site left, the directory of people goes too; the account's own row stays.
    """
    scope = fetch_scope(account)
    counts: dict[str, int] = {}
    gone = Stored()
    for kind in (Kind.MEETING, Kind.WEBINAR):
        rows = Meeting.objects.filter(account=account, kind=kind)
        counts[kind.value] = _delete_all(
            account, _outside(rows, scope.kept_hosts(kind)), gone.meetings
        )
    rows = _outside(Recording.objects.filter(account=account), scope.kept_hosts(Kind.RECORDING))
    counts[Kind.RECORDING.value] = _delete_all(account, rows, gone.recordings)
    transcripts.drop_unwanted(account, scope)
    announce(account, [gone])
    if not ZoomSettings.objects.filter(account=account).exists():
        Host.objects.filter(account=account).delete()
        Lane.objects.filter(account=account).delete()
        WebhookEvent.objects.filter(account_zoom_id=account.zoom_id).exclude(payload={}).update(
            payload={}
        )
        ZoomAccount.objects.filter(pk=account.pk).update(
            directory_at=None, reconciled_at=None, next_reconcile_at=None
        )
    return counts


def _outside(rows: QuerySet, kept: set[int]) -> QuerySet:
    return rows.filter(Q(host=None) | ~Q(host__in=kept))


def _delete_all(account: ZoomAccount, rows: QuerySet, gone: set[int]) -> int:
    """In batches, so that no database holds a lock for long."""
    count = 0
    while pks := list(rows.values_list("pk", flat=True)[:SCOPE_BATCH]):
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=pks).delete()
            touch(account.pk)
        gone.update(pks)
        count += len(pks)
    return count
