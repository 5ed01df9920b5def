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
    Meeting,
    OAuthState,
    ObjectLock,
    Recording,
    Registration,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
    fetch_scope,
)
from . import transcripts
from .persist import WriteResult, publish_changes

TICK = "tick"
BATCH = 1000
SCOPE_BATCH = 500
MAX_PARKED_HOURS = 24


def record_heartbeat(now: datetime) -> None:
    """Record that the worker is alive."""
    Heartbeat.beat(TICK, now)


def delete_outdated(now: datetime) -> dict[str, int]:
    """Apply every retention rule. Returns how many rows each changed or deleted.

    Bounded: each rule handles at most ``BATCH`` rows; the rest waits for the next minute.
    """
    counts = {name: _delete(rows) for name, rows in _outdated(now).items()}
    counts["payloads"] = _empty_payloads(now)
    return counts


def _outdated(now: datetime) -> dict[str, QuerySet]:
    """Rows past their retention, by rule."""
    finished = [SyncRun.State.DONE, SyncRun.State.FAILED, SyncRun.State.CANCELLED]
    return {
        "states": OAuthState.objects.filter(expires_at__lt=now),
        "invitations": Invitation.objects.filter(expires_at__lt=now - timedelta(days=30)),
        "events": outdated_events(now),
        "runs": SyncRun.objects.filter(
            state__in=finished, finished_at__lt=now - timedelta(days=settings.days("RUN_DAYS"))
        ),
        "activity": Activity.objects.filter(
            created_at__lt=now - timedelta(days=settings.days("ACTIVITY_DAYS"))
        ),
        "registrations": Registration.objects.filter(purge_on__lt=now.date()),
    }


def outdated_events(now: datetime | None = None) -> QuerySet[WebhookEvent]:
    """Events past their retention: parked ones after a day, handled ones with their keys later."""
    now = now or timezone.now()
    states = WebhookEvent.State
    handled = Q(state__in=[states.DONE, states.IGNORED, states.DEAD])
    parked = Q(state=states.PARKED, received_at__lt=now - timedelta(hours=MAX_PARKED_HOURS))
    old = Q(received_at__lt=now - timedelta(days=settings.days("EVENT_KEY_DAYS")))
    return WebhookEvent.objects.filter(parked | (handled & old))


def _delete(rows: QuerySet) -> int:
    """Delete one batch by primary key, so that no database locks a whole table."""
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not pks:
        return 0
    rows.model._default_manager.filter(pk__in=pks).delete()
    return len(pks)


def _empty_payloads(now: datetime) -> int:
    """Delete the payloads; the keys stay for a while, to recognise repeated deliveries."""
    limit = now - timedelta(days=settings.days("EVENT_PAYLOAD_DAYS"))
    states = WebhookEvent.State
    rows = WebhookEvent.objects.filter(
        state__in=[states.DONE, states.IGNORED], received_at__lt=limit
    ).exclude(payload={})
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return WebhookEvent.objects.filter(pk__in=pks).update(payload={}) if pks else 0


def purge_outside_scope(account: ZoomAccount) -> dict[str, int]:
    """Delete the rows of kinds and hosts that no Site retains; returns how many of each kind.

    With no Site left, the directory of users is deleted too; the account's own row stays.
    """
    scope = fetch_scope(account)
    counts: dict[str, int] = {}
    deleted = WriteResult()
    for kind in (Kind.MEETING, Kind.WEBINAR):
        rows = Meeting.objects.filter(account=account, kind=kind)
        counts[kind.value] = _delete_all(
            account, _outside_hosts(rows, scope.retained_hosts(kind)), deleted.meetings
        )
    rows = _outside_hosts(
        Recording.objects.filter(account=account), scope.retained_hosts(Kind.RECORDING)
    )
    counts[Kind.RECORDING.value] = _delete_all(account, rows, deleted.recordings)
    transcripts.delete_unused(account, scope)
    publish_changes(account, [deleted])
    if not ZoomSettings.objects.filter(account=account).exists():
        Host.objects.filter(account=account).delete()
        ObjectLock.objects.filter(account=account).delete()
        WebhookEvent.objects.filter(account_zoom_id=account.zoom_id).exclude(payload={}).update(
            payload={}
        )
        ZoomAccount.objects.filter(pk=account.pk).update(
            directory_at=None, reconciled_at=None, next_reconcile_at=None
        )
    return counts


def _outside_hosts(rows: QuerySet, hosts: set[int]) -> QuerySet:
    return rows.filter(Q(host=None) | ~Q(host__in=hosts))


def _delete_all(account: ZoomAccount, rows: QuerySet, deleted: set[int]) -> int:
    """Delete in batches, so that no database holds a lock for long."""
    count = 0
    while pks := list(rows.values_list("pk", flat=True)[:SCOPE_BATCH]):
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=pks).delete()
            bump_data_version(account.pk)
        deleted.update(pks)
        count += len(pks)
    return count
