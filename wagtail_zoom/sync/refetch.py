"""Reads one object anew, because a message said that it changed. Any number of times, any order."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from ..client import Priority, client_for
from ..exceptions import ZoomNotFound
from ..mapping.parsing import BadItem
from ..mapping.recordings import map_recording
from ..mapping.users import map_user
from ..models import (
    FetchScope,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    WebhookEvent,
    ZoomAccount,
    fetch_scope,
    touch,
)
from . import removals, transcripts
from .persist import Occasion, announce, store_recordings
from .upsert import upsert


@dataclass(frozen=True)
class Target:
    """What to read: a meeting or webinar by number, or a recording by UUID."""

    account: ZoomAccount
    kind: str
    key: str
    host_zoom_id: str = ""
    """As the message says; the stored row's host counts where there is none."""
    event: WebhookEvent | None = None


def absent(target: Target, scope: FetchScope, row: Meeting) -> None:
    """404: over means lapsed; of something ahead the host's list is the second sighting."""
    if row.removed_at is not None or row.expired_at is not None:
        return
    dates = Occurrence.objects.filter(meeting=row, end__gt=timezone.now())
    told_deleted = target.event is not None and ".deleted" in target.event.event
    if not dates.exists() and row.has_fixed_time and not told_deleted:
        Meeting.objects.filter(pk=row.pk).update(expired_at=timezone.now())
        return
    if not _listed(target, row):
        removals.remove(target.account, scope, [row])


def _listed(target: Target, row: Meeting) -> bool:
    """Whether the host's list still has the number."""
    client = client_for(target.account, row.host_zoom_id, Priority.EVENT)
    try:
        return any(
            str(item.get("id")) == row.zoom_id
            for page in client.meetings(row.host_zoom_id, row.kind)
            for item in page.items
        )
    except ZoomNotFound:
        return True  # the host is out of reach: that says nothing about the meeting


def reread_recording(target: Target) -> bool:
    """Read a recording and store what Zoom says now; whether any Site wants it at all.

    Raises:
        ZoomError: Zoom is away, or refuses for a reason that is no absence.
    """
    scope = fetch_scope(target.account)
    row = Recording.objects.filter(account=target.account, uuid=target.key).first()
    host_zoom_id = target.host_zoom_id or (row.host_zoom_id if row else "")
    host = Host.objects.filter(account=target.account, zoom_id=host_zoom_id).first()
    if host is None or not scope.wants(Kind.RECORDING, host.pk):
        return False
    client = client_for(target.account, host_zoom_id, Priority.EVENT)
    begun = timezone.now()
    try:
        payload = client.recording(target.key)
    except ZoomNotFound:
        # "None" and "still processing" look the same; its own message will follow.
        if row is not None:
            Recording.objects.filter(pk=row.pk, missing_since=None).update(missing_since=begun)
        return True
    scope = fetch_scope(target.account)
    done = store_recordings(
        target.account,
        scope,
        [map_recording(payload)],
        Occasion(begun, events={target.key: target.event}),
    )  # fmt: skip
    announce(target.account, [done])
    transcripts.refresh_quietly(target.account, scope, payload)
    return True


def reread_host(account: ZoomAccount, zoom_id: str) -> None:
    """A Zoom user changed: read the person anew. Rows they host stay, whatever happened to them.

    Raises:
        ZoomError: Zoom is away.
    """
    begun = timezone.now()
    try:
        payload = client_for(account, zoom_id, Priority.EVENT).user(zoom_id)
        with transaction.atomic():
            upsert(Host, account, "zoom_id", [map_user(payload)], fetched_at=begun)
            touch(account.pk)
    except (ZoomNotFound, BadItem):
        Host.objects.filter(account=account, zoom_id=zoom_id, missing_since=None).update(
            missing_since=begun
        )
