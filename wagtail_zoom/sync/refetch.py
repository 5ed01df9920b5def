"""Reads one object again because an event reported a change; safe to repeat, in any order."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from ..client import Priority, client_for_reading
from ..exceptions import ZoomNotFound
from ..mapping.parsing import InvalidItem
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
)
from . import removals, transcripts
from .persist import WriteContext, store_recordings
from .users import store_hosts


@dataclass(frozen=True)
class RefetchTarget:
    """What to read: a meeting or webinar by number, or a recording by UUID."""

    account: ZoomAccount
    kind: str
    key: str
    host_zoom_id: str = ""
    """From the event; if it is empty, the host of the stored row is used."""
    event: WebhookEvent | None = None


def handle_missing(target: RefetchTarget, scope: FetchScope, row: Meeting) -> None:
    """After a 404: a past meeting has expired; an upcoming one is checked in the host's list."""
    if row.removed_at is not None or row.expired_at is not None:
        return
    upcoming = Occurrence.objects.filter(meeting=row, end__gt=timezone.now())
    is_deletion = target.event is not None and ".deleted" in target.event.event
    if not upcoming.exists() and row.has_fixed_time and not is_deletion:
        Meeting.objects.filter(
            pk=row.pk  # guard: expiry-of-one-meeting
        ).update(expired_at=timezone.now())
        return
    if not _is_listed(target, row):
        removals.remove(target.account, scope, [row])


def _is_listed(target: RefetchTarget, row: Meeting) -> bool:
    """Whether the host's list still has the number."""
    client = client_for_reading(target.account, row.host_zoom_id, Priority.EVENT, kind=row.kind)
    try:
        return any(
            str(item.get("id")) == row.zoom_id
            for page in client.meetings(row.host_zoom_id, row.kind)
            for item in page.items
        )
    except ZoomNotFound:
        return True  # a missing host proves nothing about the meeting


def refetch_recording(target: RefetchTarget) -> bool:
    """Read a recording and store the answer; returns whether any Site needs it.

    Raises:
        ZoomError: Zoom cannot be reached, or refuses for another reason than absence.
    """
    scope = fetch_scope(target.account)
    row = Recording.objects.filter(account=target.account, uuid=target.key).first()
    host_zoom_id = target.host_zoom_id or (row.host_zoom_id if row else "")
    host = Host.objects.filter(account=target.account, zoom_id=host_zoom_id).first()
    if host is None or not scope.includes(Kind.RECORDING, host.pk):
        return False
    client = client_for_reading(target.account, host_zoom_id, Priority.EVENT, kind=Kind.RECORDING)
    started = timezone.now()
    try:
        payload = client.recording(target.key)
    except ZoomNotFound:
        # "None" and "still processing" look the same; another event will follow.
        if row is not None:
            Recording.objects.filter(pk=row.pk, missing_since=None).update(missing_since=started)
        return True
    scope = fetch_scope(target.account)
    store_recordings(
        target.account,
        scope,
        [map_recording(payload)],
        WriteContext(started, events={target.key: target.event}),
    )
    transcripts.refresh_quietly(target.account, scope, payload)
    return True


def refetch_host(account: ZoomAccount, zoom_id: str) -> None:
    """Read a changed Zoom user again. Rows they host stay, whatever changed.

    Raises:
        ZoomError: Zoom cannot be reached.
    """
    started = timezone.now()
    try:
        payload = client_for_reading(account, zoom_id, Priority.EVENT).user(zoom_id)
        store_hosts(account, [map_user(payload)], started)
    except (ZoomNotFound, InvalidItem):
        Host.objects.filter(account=account, zoom_id=zoom_id, missing_since=None).update(
            missing_since=started
        )
