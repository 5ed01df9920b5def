"""What each message of Zoom's means: which facts it states, and what is to be read anew.

One table. Names and shapes: Zoom, "Webhooks" reference; unknown names are counted and ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..mapping.parsing import member, members, moment
from ..models import Kind, WebhookEvent, ZoomAccount
from ..oauth import disconnect
from ..signals import registration_event
from ..utils.queue import enqueue
from . import event_effects

READS = {
    "created", "updated", "recovered", "started", "ended", "deleted", "permanently_deleted",
    "converted_to_webinar", "converted_to_meeting",
}  # fmt: skip
RECORDING_READS = {"completed", "transcript_completed", "recovered", "renamed"}
USERS = {
    "created", "updated", "activated", "deactivated", "deleted", "disassociated",
    "invitation_accepted",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """An object to read anew: ``family`` is meeting, webinar, recording or user."""

    family: str
    key: str
    host_zoom_id: str = ""


@dataclass(frozen=True)
class Route:
    """What became of one message at once: whether it means anything, and what to read for it."""

    known: bool = True
    reads: tuple[Read, ...] = ()


def event_time(event: WebhookEvent) -> datetime:
    """When it happened, by Zoom's clock, never later than when it came in."""
    if event.event_ts:
        return min(datetime.fromtimestamp(event.event_ts / 1000, UTC), event.received_at)
    return event.received_at


def apply_facts(account: ZoomAccount, event: WebhookEvent) -> Route:
    """Apply what only this message can say; tell what has to be read anew."""
    family, _dot, what = event.event.partition(".")
    payload = event.payload if isinstance(event.payload, dict) else {}
    thing = member(payload, "object")
    if event.event == "app_deauthorized":
        return _deauthorized(account, event, payload)
    if what.startswith("registration_"):
        registration_event.send(WebhookEvent, account=account, event=event)
        return Route(known=registration_event.has_listeners(WebhookEvent))
    if family in ("meeting", "webinar") and what in READS:
        return _meeting(account, event, family, what, payload, thing)
    if family == "recording":
        return _recording(account, event, what, thing)
    if family == "user" and what in USERS and _text(thing.get("id")):
        return Route(reads=(Read("user", _text(thing.get("id"))),))
    return Route(known=False)


def _meeting(
    account: ZoomAccount,
    event: WebhookEvent,
    family: str,
    what: str,
    payload: dict[str, Any],
    thing: dict[str, Any],
) -> Route:
    key, at = _text(thing.get("id")), event_time(event)
    if not key:
        return Route(known=False)
    if what == "started":
        event_effects.mark_live(account, key, moment(thing.get("start_time")) or at)
    elif what == "ended" and thing.get("practice_session") is not True:
        ended = moment(thing.get("end_time")) or at
        event_effects.mark_ended(account, key, moment(thing.get("start_time")), ended)
    elif what in ("deleted", "permanently_deleted"):
        dates = [_text(date.get("occurrence_id")) for date in members(thing, "occurrences")]
        some = [date for date in dates if date] if payload.get("operation") == "single" else []
        event_effects.hide_deleted(account, key, some or None, at)
    if what in ("started", "ended"):
        return Route()
    if what == "converted_to_webinar":
        family = "webinar"
    elif what == "converted_to_meeting":
        family = "meeting"
    return Route(reads=(Read(family, key, _text(thing.get("host_id"))),))


def _recording(
    account: ZoomAccount, event: WebhookEvent, what: str, thing: dict[str, Any]
) -> Route:
    at = event_time(event)
    uuids = [_text(thing.get("uuid"))]
    if what in ("batch_trashed", "batch_deleted", "batch_recovered"):
        many = thing.get("meeting_uuids")
        uuids = [_text(one) for one in many] if isinstance(many, list) else []
        uuids += [_text(one.get("meeting_uuid")) for one in members(thing, "meetings")]
    uuids = [uuid for uuid in uuids if uuid]
    if what in ("trashed", "deleted", "batch_trashed", "batch_deleted"):
        event_effects.hide_recordings(account, uuids, at, gone=what.endswith("deleted"))
        return Route()
    if what in RECORDING_READS or what == "batch_recovered":
        host = _text(thing.get("host_id"))
        return Route(reads=tuple(Read("recording", uuid, host) for uuid in uuids))
    return Route(known=what in ("started", "stopped", "paused", "resumed"))


def _deauthorized(account: ZoomAccount, event: WebhookEvent, payload: dict[str, Any]) -> Route:
    """The app was removed: its data goes, at once and for good."""
    at = moment(payload.get("deauthorization_time")) or event_time(event)
    for pk in disconnect.deauthorize(account.zoom_id, _text(payload.get("user_id")), at):
        enqueue("purge_account", pk)
    return Route()


def _text(value: Any) -> str:
    """Ids come as numbers and as text."""
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value)[:100] if known else ""


def kind_of(read: Read) -> str:
    """The kind of thing that a family of messages speaks of."""
    names = {"webinar": Kind.WEBINAR, "recording": Kind.RECORDING}
    return names.get(read.family, Kind.MEETING).value
