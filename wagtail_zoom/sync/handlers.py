"""Handles webhook events: ``EVENT_TYPES`` names each event with its handler.

A handler applies what only the event reports and returns what to read again. Names and shapes:
Zoom, "Webhooks" reference; unknown names are counted and ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from ..mapping.parsing import get_dict, get_list, parse_datetime
from ..models import SUMMARY, Kind, WebhookEvent, ZoomAccount
from ..oauth import disconnect
from ..oauth.scopes import REGISTRATION, SUMMARIES
from ..signals import registration_event
from ..utils.queue import enqueue
from . import attendance, event_effects, summaries


@dataclass(frozen=True)
class RefetchRequest:
    """An object to read again: ``family`` is meeting, webinar, recording, summary or user."""

    family: str
    key: str
    host_zoom_id: str = ""


@dataclass(frozen=True)
class HandlerResult:
    """Whether an event has a handler, and which objects to read again for it."""

    is_known: bool = True
    refetches: tuple[RefetchRequest, ...] = ()


def event_time(event: WebhookEvent) -> datetime:
    """When it happened, by Zoom's clock, never later than when it was received."""
    if event.event_ts:
        return min(datetime.fromtimestamp(event.event_ts / 1000, UTC), event.received_at)
    return event.received_at


def apply_event(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    """Apply what only this event reports; return what has to be read again."""
    event_type = EVENT_TYPES.get(event.event)
    if event_type is None:
        return HandlerResult(is_known=False)
    return event_type.handler(account, event)


def subscriptions(*, admin: bool, kinds: Iterable[str] = ()) -> list[tuple[str, str, Any]]:
    """Name, feature and reason of the events that the Marketplace app subscribes to.

    Args:
        admin: an account-level app; a personal app receives no events of other users.
        kinds: only for these features; when empty, for all but summaries, whose events Zoom offers
            only to apps with a scope of its own.
    """
    features = {*kinds, "directory"} if kinds else None
    return [
        (name, event_type.feature, event_type.reason)
        for name, event_type in EVENT_TYPES.items()
        if event_type.reason
        and (admin or event_type.feature != "directory")
        and (event_type.feature in features if features else event_type.feature != SUMMARIES)
    ]


def _on_meeting_changed(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    return _refetch_meeting(event, event.event.partition(".")[0])


def _on_meeting_started(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    meeting = _object_of(event)
    key = _id_text(meeting.get("id"))
    if not key:
        return HandlerResult(is_known=False)
    started = parse_datetime(meeting.get("start_time")) or event_time(event)
    event_effects.mark_live(account, key, started)
    return HandlerResult()


def _on_meeting_ended(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    meeting = _object_of(event)
    key = _id_text(meeting.get("id"))
    if not key:
        return HandlerResult(is_known=False)
    if meeting.get("practice_session") is not True:
        started = parse_datetime(meeting.get("start_time"))
        ended = parse_datetime(meeting.get("end_time")) or event_time(event)
        event_effects.mark_ended(account, key, started, ended)
        attendance.record_end(account, key, _id_text(meeting.get("uuid")), started, ended)
    return HandlerResult()


def _on_meeting_deleted(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    """Hide it immediately, the whole meeting or single occurrences, and confirm by reading."""
    meeting = _object_of(event)
    key = _id_text(meeting.get("id"))
    if not key:
        return HandlerResult(is_known=False)
    ids = [_id_text(item.get("occurrence_id")) for item in get_list(meeting, "occurrences")]
    occurrence_ids = [zoom_id for zoom_id in ids if zoom_id]
    is_single = _payload_of(event).get("operation") == "single"
    event_effects.hide_deleted(
        account, key, (occurrence_ids or None) if is_single else None, event_time(event)
    )
    return _on_meeting_changed(account, event)


def _on_converted_to_webinar(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    return _refetch_meeting(event, "webinar")


def _on_converted_to_meeting(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    return _refetch_meeting(event, "meeting")


def _on_registration(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    registration_event.send(WebhookEvent, account=account, event=event)
    return HandlerResult(is_known=registration_event.has_listeners(WebhookEvent))


def _on_recording_changed(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    host_zoom_id = _id_text(_object_of(event).get("host_id"))
    uuids = _recording_uuids(event)
    return HandlerResult(
        refetches=tuple(RefetchRequest("recording", uuid, host_zoom_id) for uuid in uuids)
    )


def _on_recording_trashed(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    uuids = _recording_uuids(event)
    event_effects.hide_recordings(account, uuids, event_time(event), deleted=False)
    return HandlerResult()


def _on_recording_deleted(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    uuids = _recording_uuids(event)
    event_effects.hide_recordings(account, uuids, event_time(event), deleted=True)
    return HandlerResult()


def _on_recording_progress(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    """Nothing to do until ``recording.completed``."""
    return HandlerResult()


def _on_summary_changed(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    summary = _object_of(event)
    uuid, host_zoom_id = _id_text(summary.get("meeting_uuid")), summary.get("meeting_host_id")
    if not uuid:
        return HandlerResult(is_known=False)
    return HandlerResult(refetches=(RefetchRequest("summary", uuid, _id_text(host_zoom_id)),))


def _on_summary_gone(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    """Withdraw it immediately, and confirm by reading: an earlier event may arrive later."""
    uuid = _id_text(_object_of(event).get("meeting_uuid"))
    deleted = event.event == SUMMARY_DELETED
    summaries.withdraw(account, [uuid], event_time(event), deleted=deleted)
    return _on_summary_changed(account, event)


def _on_user_changed(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    user_id = _id_text(_object_of(event).get("id"))
    if not user_id:
        return HandlerResult(is_known=False)
    return HandlerResult(refetches=(RefetchRequest("user", user_id),))


def _on_app_deauthorized(account: ZoomAccount, event: WebhookEvent) -> HandlerResult:
    """The app was removed at Zoom: its data is deleted immediately and permanently."""
    payload = _payload_of(event)
    removed_at = parse_datetime(payload.get("deauthorization_time")) or event_time(event)
    user_id = _id_text(payload.get("user_id"))
    for pk in disconnect.deauthorize(account.zoom_id, user_id, removed_at):
        enqueue("purge_account", pk)
    return HandlerResult()


_CHANGES = _("to follow new, moved, renamed and cancelled dates at once")
_LIVE = _("to show that it is live, and that it is over")
_REGISTRATIONS = _("to follow registrations that Zoom or the host decides on")
_TRASHED = _("to take a recording off the pages at once")
_BATCH_TRASHED = _("to take recordings off the pages at once")
_SUMMARY = _("to offer a summary for review, and to follow what changes in it")
_SUMMARY_GONE = _("to take a summary off the pages at once")
SUMMARY_DELETED = "meeting.summary_deleted"
_NEW_HOST = _("to offer new hosts for choice")
_HOST_GONE = _("to notice that a host has left")


@dataclass(frozen=True)
class EventType:
    """A webhook event that is handled here."""

    handler: Callable[[ZoomAccount, WebhookEvent], HandlerResult]
    feature: str = ""
    """Feature of ``oauth.scopes`` that needs it."""
    reason: Any = ""
    """Why the Marketplace app subscribes to it; empty: it is received without a subscription."""


EVENT_TYPES: dict[str, EventType] = {
    "meeting.created": EventType(_on_meeting_changed, "meeting", _CHANGES),
    "meeting.updated": EventType(_on_meeting_changed, "meeting", _CHANGES),
    "meeting.deleted": EventType(_on_meeting_deleted, "meeting", _CHANGES),
    "meeting.permanently_deleted": EventType(_on_meeting_deleted, "meeting", _CHANGES),
    "meeting.recovered": EventType(_on_meeting_changed, "meeting", _CHANGES),
    "meeting.converted_to_webinar": EventType(_on_converted_to_webinar, "meeting", _CHANGES),
    "meeting.started": EventType(_on_meeting_started, "meeting", _LIVE),
    "meeting.ended": EventType(_on_meeting_ended, "meeting", _LIVE),
    "meeting.registration_created": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "meeting.registration_approved": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "meeting.registration_cancelled": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "meeting.registration_denied": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "webinar.created": EventType(_on_meeting_changed, "webinar", _CHANGES),
    "webinar.updated": EventType(_on_meeting_changed, "webinar", _CHANGES),
    "webinar.deleted": EventType(_on_meeting_deleted, "webinar", _CHANGES),
    "webinar.permanently_deleted": EventType(_on_meeting_deleted, "webinar", _CHANGES),
    "webinar.recovered": EventType(_on_meeting_changed, "webinar", _CHANGES),
    "webinar.converted_to_meeting": EventType(_on_converted_to_meeting, "webinar", _CHANGES),
    "webinar.started": EventType(_on_meeting_started, "webinar", _LIVE),
    "webinar.ended": EventType(_on_meeting_ended, "webinar", _LIVE),
    "webinar.registration_created": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "webinar.registration_approved": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "webinar.registration_cancelled": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "webinar.registration_denied": EventType(_on_registration, REGISTRATION, _REGISTRATIONS),
    "recording.completed": EventType(
        _on_recording_changed, "recording", _("to offer a recording as soon as it is ready")
    ),
    "recording.transcript_completed": EventType(
        _on_recording_changed, "recording", _("to offer the transcript")
    ),
    "recording.renamed": EventType(_on_recording_changed, "recording", _CHANGES),
    "recording.trashed": EventType(_on_recording_trashed, "recording", _TRASHED),
    "recording.deleted": EventType(_on_recording_deleted, "recording", _TRASHED),
    "recording.recovered": EventType(
        _on_recording_changed, "recording", _("to bring a recording back")
    ),
    "recording.batch_trashed": EventType(_on_recording_trashed, "recording", _BATCH_TRASHED),
    "recording.batch_deleted": EventType(_on_recording_deleted, "recording", _BATCH_TRASHED),
    "recording.batch_recovered": EventType(
        _on_recording_changed, "recording", _("to bring recordings back")
    ),
    "recording.started": EventType(_on_recording_progress),
    "recording.stopped": EventType(_on_recording_progress),
    "recording.paused": EventType(_on_recording_progress),
    "recording.resumed": EventType(_on_recording_progress),
    "meeting.summary_completed": EventType(_on_summary_changed, SUMMARIES, _SUMMARY),
    "meeting.summary_updated": EventType(_on_summary_changed, SUMMARIES, _SUMMARY),
    "meeting.summary_shared": EventType(_on_summary_changed, SUMMARIES, _SUMMARY),
    "meeting.summary_recovered": EventType(_on_summary_changed, SUMMARIES, _SUMMARY),
    "meeting.summary_trashed": EventType(_on_summary_gone, SUMMARIES, _SUMMARY_GONE),
    SUMMARY_DELETED: EventType(_on_summary_gone, SUMMARIES, _SUMMARY_GONE),
    "user.created": EventType(_on_user_changed, "directory", _NEW_HOST),
    "user.updated": EventType(_on_user_changed, "directory", _("to keep the names of hosts")),
    "user.activated": EventType(_on_user_changed, "directory", _NEW_HOST),
    "user.deactivated": EventType(_on_user_changed, "directory", _HOST_GONE),
    "user.deleted": EventType(_on_user_changed, "directory", _HOST_GONE),
    "user.disassociated": EventType(_on_user_changed, "directory", _HOST_GONE),
    "user.invitation_accepted": EventType(_on_user_changed),
    "app_deauthorized": EventType(_on_app_deauthorized),
}
"""Every webhook event that is handled, by Zoom's name. Others are stored and ignored."""


def _refetch_meeting(event: WebhookEvent, family: str) -> HandlerResult:
    meeting = _object_of(event)
    key = _id_text(meeting.get("id"))
    if not key:
        return HandlerResult(is_known=False)
    return HandlerResult(refetches=(RefetchRequest(family, key, _id_text(meeting.get("host_id"))),))


def _recording_uuids(event: WebhookEvent) -> list[str]:
    """UUIDs of one recording, or of all in a ``recording.batch_…`` event."""
    recording = _object_of(event)
    uuids = [_id_text(recording.get("uuid"))]
    if event.event.startswith("recording.batch_"):
        values = recording.get("meeting_uuids")
        uuids = [_id_text(value) for value in values] if isinstance(values, list) else []
        uuids += [
            _id_text(meeting.get("meeting_uuid")) for meeting in get_list(recording, "meetings")
        ]
    return [uuid for uuid in uuids if uuid]


def _payload_of(event: WebhookEvent) -> dict[str, Any]:
    return event.payload if isinstance(event.payload, dict) else {}


def _object_of(event: WebhookEvent) -> dict[str, Any]:
    return get_dict(_payload_of(event), "object")


def _id_text(value: Any) -> str:
    """Zoom sends ids as numbers and as text."""
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value)[:100] if is_id else ""


def kind_of(request: RefetchRequest) -> str:
    """The kind of object that a family of events is about."""
    kinds = {"webinar": Kind.WEBINAR, "recording": Kind.RECORDING, "summary": SUMMARY}
    return str(kinds.get(request.family, Kind.MEETING))
