"""Meetings and webinars: Zoom's detail payload → the fields and dates that we keep.

Only the members named here are ever stored; a new member of Zoom's never lands in the database.
Sources: Zoom's API reference, "Get a meeting" and "Get a webinar".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..models import Kind, Meeting
from .parsing import (
    BadItem,
    identifier,
    line,
    link,
    member,
    members,
    minutes,
    moment,
    prose,
    whole,
    zone,
)

SINGLE = {2, 5}
"""Types with one date: scheduled meeting, webinar."""
SERIES = {8, 9}
"""Types with fixed dates of their own: recurring meeting, recurring webinar."""
WEBINARS = {5, 6, 9}


@dataclass(frozen=True)
class MappedDate:
    """One date as Zoom has it. ``zoom_id`` is empty for the one date of a single meeting."""

    zoom_id: str
    start: datetime
    duration: int
    deleted: bool = False


@dataclass(frozen=True)
class MappedMeeting:
    """What one detail read says: column values by name, and the dates."""

    zoom_id: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)
    """Not printed: holds the join link and the passcode."""
    dates: tuple[MappedDate, ...] = ()


def map_meeting(payload: dict[str, Any]) -> MappedMeeting:
    """Map a detail read of a meeting or webinar.

    Raises:
        BadItem: number, host or type is missing.
    """
    zoom_id = identifier(payload.get("id"))
    host_zoom_id = identifier(payload.get("host_id"))
    zoom_type = whole(payload.get("type"))
    if zoom_type is None or not 0 <= zoom_type < 1000:
        raise BadItem("The type is missing.")
    settings = member(payload, "settings")
    kind = Kind.WEBINAR if zoom_type in WEBINARS else Kind.MEETING
    fields = {
        "host_zoom_id": host_zoom_id,
        "kind": kind.value,
        "uuid": line(payload.get("uuid"), 100),
        "zoom_type": zoom_type,
        "topic": line(payload.get("topic")),
        "agenda": prose(payload.get("agenda")),
        "start": moment(payload.get("start_time")),
        "duration": minutes(payload.get("duration")),
        "timezone": zone(payload.get("timezone")),
        "is_private": settings.get("private_meeting") is True,
        "uses_personal_room": settings.get("use_pmi") is True or zoom_type == 4,
        "is_events_webinar": payload.get("is_events_webinar") is True,
        "requires_login": settings.get("meeting_authentication") is True,
        "login_domains": line(settings.get("authentication_domains"), 255),
        "join_url": link(payload.get("join_url")),
        "passcode": line(payload.get("password"), 100),
        **_registration(settings),
    }
    return MappedMeeting(zoom_id, host_zoom_id, fields, _dates(payload, zoom_type, fields))


def _registration(settings: dict[str, Any]) -> dict[str, Any]:
    approval = whole(settings.get("approval_type"))
    capacity = whole(settings.get("registrants_restrict_number"))
    kind = whole(settings.get("registration_type"))
    return {
        "approval_type": approval if approval in (0, 1) else Meeting.ApprovalType.NONE.value,
        "registration_type": kind if kind in (1, 2, 3) else 1,
        "close_registration": settings.get("close_registration") is True,
        "capacity": capacity if capacity and 0 < capacity < 1_000_000 else None,
        "zoom_confirms": settings.get("registrants_confirmation_email") is not False,
        "zoom_notifies": settings.get("registrants_email_notification") is not False,
    }


def _dates(
    payload: dict[str, Any], zoom_type: int, fields: dict[str, Any]
) -> tuple[MappedDate, ...]:
    """Zoom's own instants; a recurrence rule is never worked out here (daylight saving)."""
    if zoom_type in SINGLE and fields["start"] is not None:
        return (MappedDate("", fields["start"], fields["duration"]),)
    if zoom_type not in SERIES:
        return ()
    found: dict[str, MappedDate] = {}
    for item in members(payload, "occurrences"):
        start = moment(item.get("start_time"))
        try:
            zoom_id = identifier(item.get("occurrence_id"))
        except BadItem:
            continue
        if start is not None:
            length = minutes(item.get("duration")) or fields["duration"]
            found[zoom_id] = MappedDate(zoom_id, start, length, item.get("status") == "deleted")
    return tuple(found.values())
