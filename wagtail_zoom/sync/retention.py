"""Deletes rows past their retention or outside the fetch scope; the worker's heartbeat.

Curation (``SiteItem``) stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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
    LimitCounter,
    Meeting,
    MeetingChange,
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
from ..models.versions import publish_changes
from . import attendance, purged_occurrences, summaries, transcripts
from .persist import WriteResult

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


def _outdated(now: datetime) -> dict[str, QuerySet[Any]]:
    """Rows past their retention, by rule."""
    finished = [SyncRun.State.DONE, SyncRun.State.FAILED, SyncRun.State.CANCELLED]
    return {
        "states": OAuthState.objects.filter(expires_at__lt=now),  # guard: expired-states-deleted
        "invitations": Invitation.objects.filter(
            expires_at__lt=now - timedelta(days=30)
        ),  # guard: expired-invitations-deleted
        "events": outdated_events(now),
        "runs": SyncRun.objects.filter(
            state__in=finished, finished_at__lt=now - timedelta(days=settings.days("RUN_DAYS"))
        ),
        "activity": Activity.objects.filter(
            created_at__lt=now - timedelta(days=settings.days("ACTIVITY_DAYS"))
        ),
        "registrations": Registration.objects.filter(purge_on__lt=now.date()),
        "changes": outdated_changes(now),
        "limits": LimitCounter.objects.filter(expires_at__lt=now),
        "attendance": attendance.outdated(now),
        "purged_dates": purged_occurrences.unneeded(),
        "summaries": summaries.outdated(now),
    }


def outdated_events(now: datetime | None = None) -> QuerySet[WebhookEvent]:
    """Events past their retention: parked ones after a day, handled ones with their keys later."""
    now = now or timezone.now()
    states = WebhookEvent.State
    handled = Q(state__in=[states.DONE, states.IGNORED, states.DEAD])
    parked = Q(state=states.PARKED, received_at__lt=now - timedelta(hours=MAX_PARKED_HOURS))
    old = Q(received_at__lt=now - timedelta(days=settings.days("EVENT_KEY_DAYS")))
    return WebhookEvent.objects.filter(parked | (handled & old))


def outdated_changes(now: datetime) -> QuerySet[MeetingChange]:
    """Finished changes of meetings. The one that has created a meeting stays with it, because it
    says that the meeting was made here."""
    old = now - timedelta(days=settings.days("ACTIVITY_DAYS"))
    has_ended = Q(meeting=None) | ~Q(action=MeetingChange.Action.CREATE)
    return MeetingChange.objects.filter(has_ended, finished_at__lt=old)


def _delete(rows: QuerySet[Any]) -> int:
    """Delete one batch by primary key, so that no database locks a whole table."""
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not pks:
        return 0
    # The condition again: a row may have been renewed since it was read.
    rows.filter(pk__in=pks).delete()
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
        meetings = Meeting.objects.filter(account=account, kind=kind)
        outside = _outside_hosts(meetings, scope.retained_hosts(kind))
        counts[kind.value] = _delete_all(account, outside, deleted.meetings)
    rows = _outside_hosts(
        Recording.objects.filter(account=account), scope.retained_hosts(Kind.RECORDING)
    )
    counts[Kind.RECORDING.value] = _delete_all(account, rows, deleted.recordings)
    transcripts.delete_unused(account, scope)
    summaries.delete_unneeded(account, scope)
    publish_changes(account, deleted.meetings, deleted.recordings)
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


def _outside_hosts(rows: QuerySet[Any], hosts: set[int]) -> QuerySet[Any]:
    return rows.filter(Q(host=None) | ~Q(host__in=hosts))


def _delete_all(account: ZoomAccount, rows: QuerySet[Any], deleted: set[int]) -> int:
    """Delete in batches, so that no database holds a lock for long."""
    count = 0
    while pks := list(rows.values_list("pk", flat=True)[:SCOPE_BATCH]):
        with transaction.atomic():
            if rows.model is Meeting:
                purged_occurrences.save(pks)  # guard: dates-of-registrations-saved
            rows.model._default_manager.filter(pk__in=pks).delete()
            bump_data_version(account.pk)
        deleted.update(pks)
        count += len(pks)
    return count
