"""Deletes what no Site wants any more. Curation (``SiteItem``) stays."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from ..models import (
    Host,
    Kind,
    Lane,
    Meeting,
    Recording,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
    touch,
)
from . import transcripts
from .persist import Stored, announce

BATCH = 500


def purge_outside_scope(account: ZoomAccount) -> dict[str, int]:
    """Delete the rows of kinds and hosts that no Site keeps; how many of each kind.

    With no Site left, the directory of people goes too; the account's own row stays.
    """
    scope = fetch_scope(account)
    counts: dict[str, int] = {}
    gone = Stored()
    for kind in (Kind.MEETING, Kind.WEBINAR):
        rows = Meeting.objects.filter(account=account, kind=kind)
        counts[kind.value] = _delete(account, _outside(rows, scope.kept_hosts(kind)), gone.meetings)
    rows = _outside(Recording.objects.filter(account=account), scope.kept_hosts(Kind.RECORDING))
    counts[Kind.RECORDING.value] = _delete(account, rows, gone.recordings)
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


def _delete(account: ZoomAccount, rows: QuerySet, gone: set[int]) -> int:
    """In batches, so that no database holds a lock for long."""
    count = 0
    while pks := list(rows.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=pks).delete()
            touch(account.pk)
        gone.update(pks)
        count += len(pks)
    return count
