"""Maps Zoom's detail payload of a meeting or webinar to fields and occurrences.

Only the keys named here are ever stored; a new key of Zoom's never gets into the database.
Sources: Zoom's API reference, "Get a meeting" and "Get a webinar".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..models import Kind, Meeting
from .parsing import (
    InvalidItem,
    get_dict,
    get_list,
    parse_datetime,
    parse_id,
    parse_int,
    parse_minutes,
    parse_timezone,
    parse_zoom_url,
    single_line,
    text,
)

SINGLE_TYPES = {2, 5}
"""Types with one occurrence: scheduled meeting, webinar."""
DATED_SERIES_TYPES = {8, 9}
"""Types with a list of occurrences: recurring meeting, recurring webinar."""
WEBINAR_TYPES = {5, 6, 9}


@dataclass(frozen=True)
class MappedOccurrence:
    """One occurrence at Zoom. ``zoom_id`` is empty for the only occurrence of a single meeting."""

    zoom_id: str
    start: datetime
    duration: int
    deleted: bool = False


@dataclass(frozen=True)
class MappedMeeting:
    """The mapped detail: column values by name, and the occurrences."""

    zoom_id: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)
    """Not printed: holds the join link and the passcode."""
    occurrences: tuple[MappedOccurrence, ...] = ()


def map_meeting(payload: dict[str, Any]) -> MappedMeeting:
    """Map a detail read of a meeting or webinar.

    Raises:
        InvalidItem: number, host or type is missing.
    """
    zoom_id = parse_id(payload.get("id"))
    host_zoom_id = parse_id(payload.get("host_id"))
    zoom_type = parse_int(payload.get("type"))
    if zoom_type is None or not 0 <= zoom_type < 1000:
        raise InvalidItem("The type is missing.")
    settings = get_dict(payload, "settings")
    kind = Kind.WEBINAR if zoom_type in WEBINAR_TYPES else Kind.MEETING
    fields = {
        "host_zoom_id": host_zoom_id,
        "kind": kind.value,
        "uuid": single_line(payload.get("uuid"), 100),
        "zoom_type": zoom_type,
        "topic": single_line(payload.get("topic")),
        "agenda": text(payload.get("agenda")),
        "start": parse_datetime(payload.get("start_time")),
        "duration": parse_minutes(payload.get("duration")),
        "timezone": parse_timezone(payload.get("timezone")),
        "is_private": settings.get("private_meeting") is True,
        "uses_personal_room": settings.get("use_pmi") is True or zoom_type == 4,
        "is_events_webinar": payload.get("is_events_webinar") is True,
        "requires_login": settings.get("meeting_authentication") is True,
        "login_domains": single_line(settings.get("authentication_domains"), 255),
        "join_url": parse_zoom_url(payload.get("join_url")),
        "passcode": single_line(payload.get("password"), 100),
        **_map_registration(settings),
    }
    return MappedMeeting(
        zoom_id, host_zoom_id, fields, _map_occurrences(payload, zoom_type, fields)
    )


def _map_registration(settings: dict[str, Any]) -> dict[str, Any]:
    approval = parse_int(settings.get("approval_type"))
    capacity = parse_int(settings.get("registrants_restrict_number"))
    registration_type = parse_int(settings.get("registration_type"))
    return {
        "approval_type": approval if approval in (0, 1) else Meeting.ApprovalType.NONE.value,
        "registration_type": registration_type if registration_type in (1, 2, 3) else 1,
        "close_registration": settings.get("close_registration") is True,
        "capacity": capacity if capacity and 0 < capacity < 1_000_000 else None,
        "zoom_confirms": settings.get("registrants_confirmation_email") is not False,
        "zoom_notifies": settings.get("registrants_email_notification") is not False,
    }


def _map_occurrences(
    payload: dict[str, Any], zoom_type: int, fields: dict[str, Any]
) -> tuple[MappedOccurrence, ...]:
    """Times as Zoom gives them; recurrence rules are never expanded here (daylight saving)."""
    if zoom_type in SINGLE_TYPES and fields["start"] is not None:
        return (MappedOccurrence("", fields["start"], fields["duration"]),)
    if zoom_type not in DATED_SERIES_TYPES:
        return ()
    occurrences: dict[str, MappedOccurrence] = {}
    for item in get_list(payload, "occurrences"):
        start = parse_datetime(item.get("start_time"))
        try:
            zoom_id = parse_id(item.get("occurrence_id"))
        except InvalidItem:
            continue
        if start is not None:
            duration = parse_minutes(item.get("duration")) or fields["duration"]
            is_deleted = item.get("status") == "deleted"
            occurrences[zoom_id] = MappedOccurrence(zoom_id, start, duration, is_deleted)
    return tuple(occurrences.values())
