"""Reads one object anew, because a message said that it changed. Any number of times, any order."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from ..client import Priority, client_for
from ..errors import ZoomNotFound, ZoomRejected
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
from . import questions, removals, transcripts
from .kinds.hosts import map_host
from .kinds.meetings import map_meeting
from .kinds.recordings import map_recording
from .store import Occasion, announce, store_meetings, store_recordings
from .upsert import upsert
from .values import BadItem

OTHER_KIND = 3000
"""Zoom: the number of a meeting is a webinar's."""
INVALID_WEBINAR = 300


@dataclass(frozen=True)
class Target:
    """What to read: a meeting or webinar by number, or a recording by UUID."""

    account: ZoomAccount
    kind: str
    key: str
    host_zoom_id: str = ""
    """As the message says; the stored row's host counts where there is none."""
    event: WebhookEvent | None = None


def reread(target: Target) -> bool:
    """Read the object and store what Zoom says now; whether it was wanted at all.

    Raises:
        ZoomError: Zoom is away, or refuses for a reason that is no absence.
    """
    scope = fetch_scope(target.account)
    if target.kind == Kind.RECORDING:
        return _recording(target, scope)
    return _meeting(target, scope)


def _host_id(target: Target, row: Meeting | Recording | None) -> str:
    return target.host_zoom_id or (row.host_zoom_id if row else "")


def _is_wanted(scope: FetchScope, target: Target, host_zoom_id: str, *kinds: str) -> bool:
    host = Host.objects.filter(account=target.account, zoom_id=host_zoom_id).first()
    return host is not None and any(scope.wants(kind, host.pk) for kind in kinds)


def _meeting(target: Target, scope: FetchScope) -> bool:
    row = Meeting.objects.filter(account=target.account, zoom_id=target.key).first()
    host = _host_id(target, row)
    if not _is_wanted(scope, target, host, Kind.MEETING, Kind.WEBINAR):
        return False
    client = client_for(target.account, host, Priority.EVENT)
    begun = timezone.now()
    kind = row.kind if row else target.kind
    try:
        try:
            payload = client.meeting(target.key, kind)
        except ZoomRejected as error:
            # Converted at Zoom: the same number is now of the other kind.
            if error.code not in (OTHER_KIND, INVALID_WEBINAR):
                raise
            other = Kind.MEETING if kind == Kind.WEBINAR else Kind.WEBINAR
            payload = client.meeting(target.key, other)
    except ZoomNotFound:
        if row is not None:
            _absent(target, scope, row)
        return True
    scope = fetch_scope(target.account)  # an owner may have let go while Zoom was answering
    mapped = map_meeting(payload)
    done = store_meetings(target.account, scope, [mapped], Occasion(begun, event=target.event))
    announce(target.account, [done])
    stored = Meeting.objects.filter(account=target.account, zoom_id=target.key).first()
    if stored is None:
        return True
    if not _is_wanted(scope, target, mapped.host_zoom_id, mapped.fields["kind"]):
        # It went to a host, or became a kind, that nobody shows: nothing of it is kept.
        with transaction.atomic():
            stored.delete()
            touch(target.account.pk)
        return True
    questions.refresh_quietly(target.account, stored)
    return True


def _absent(target: Target, scope: FetchScope, row: Meeting) -> None:
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


def _recording(target: Target, scope: FetchScope) -> bool:
    row = Recording.objects.filter(account=target.account, uuid=target.key).first()
    host = _host_id(target, row)
    if not _is_wanted(scope, target, host, Kind.RECORDING):
        return False
    client = client_for(target.account, host, Priority.EVENT)
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
        target.account, scope, [map_recording(payload)], Occasion(begun, event=target.event)
    )
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
            upsert(Host, account, "zoom_id", [map_host(payload)], fetched_at=begun)
            touch(account.pk)
    except (ZoomNotFound, BadItem):
        Host.objects.filter(account=account, zoom_id=zoom_id, missing_since=None).update(
            missing_since=begun
        )
