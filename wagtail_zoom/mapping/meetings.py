"""Maps Zoom's detail payload of a meeting or webinar to fields and occurrences.

Only the keys named here are ever stored; a new key of Zoom's never gets into the database.
Sources: Zoom's API reference, "Get a meeting" and "Get a webinar".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..conf import settings as app_settings
from ..models import Kind
from ..models.mirror import (
    DATED_SERIES_TYPES,
    PERSONAL_ROOM_TYPES,
    REGISTRATION_TYPES,
    SINGLE_TYPES,
    WEBINAR_TYPES,
    ApprovalType,
    RegistrationType,
)
from ..utils.crypto import blind_index
from ..utils.secret_text import KnownValues, passcodes_in
from ..utils.text import without_secrets
from .parsing import (
    InvalidItem,
    get_dict,
    get_list,
    is_known_flag,
    parse_datetime,
    parse_flag,
    parse_id,
    parse_int,
    parse_minutes,
    parse_timezone,
    parse_zoom_url,
    single_line,
    text,
    unknown_link_host,
)

AGENDA_EXCERPT_LENGTH = 250
"""Characters of a description that Zoom includes in a listing."""
PASSCODE_KEYS = (
    "password", "passcode", "encrypted_password", "encrypted_passcode", "pstn_password",
    "h323_password", "h323_passcode", "dynamic_host_key", "host_key",
)  # fmt: skip
LINK_KEYS = ("join_url", "start_url", "registration_url")


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
    known_values: KnownValues = KnownValues()
    """What opens it: cut from its texts, and from those of its recordings."""
    raw_digest: str = field(default="", repr=False)
    """``listing_digest`` of the texts as Zoom has them."""

    def without(self, known_values: KnownValues) -> dict[str, Any]:
        """The fields with further values cut from the texts, such as the host's personal room."""
        topic, agenda = (
            without_secrets(self.fields[name], known_values) for name in ("topic", "agenda")
        )
        if (topic, agenda) == (self.fields["topic"], self.fields["agenda"]):
            return self.fields
        cut_digest = self.raw_digest
        return {**self.fields, "topic": topic, "agenda": agenda, "cut_digest": cut_digest}


def texts_without_secrets(
    payload: dict[str, Any], known_values: KnownValues | None = None
) -> tuple[str, str]:
    """Topic and description of a detail read, without what opens the meeting."""
    own_values = _known_values(payload, get_dict(payload, "settings"))
    known_values = own_values | known_values if known_values else own_values
    topic = single_line(payload.get("topic"), 600)
    agenda = text(payload.get("agenda"), 40_000)
    return without_secrets(topic, known_values), without_secrets(agenda, known_values)


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
    known_values = _known_values(payload, settings)
    topic = single_line(payload.get("topic"), 600)
    agenda = text(payload.get("agenda"), 40_000)
    raw_digest = listing_digest(topic[:300], agenda)
    shown_topic = without_secrets(topic, known_values)  # guard: known-values-cut-from-topic
    shown_agenda = without_secrets(agenda, known_values)  # guard: known-values-cut-from-agenda
    is_cut = (shown_topic, shown_agenda) != (topic, agenda)
    join_url = parse_zoom_url(payload.get("join_url"))
    kind = Kind.WEBINAR if zoom_type in WEBINAR_TYPES else Kind.MEETING
    fields = {
        "host_zoom_id": host_zoom_id,
        "kind": kind.value,
        "uuid": single_line(payload.get("uuid"), 100),
        "zoom_type": zoom_type,
        "topic": shown_topic[:300].strip(),
        "agenda": shown_agenda[:20_000],
        "cut_digest": raw_digest if is_cut else "",
        "start": parse_datetime(payload.get("start_time")),
        "duration": parse_minutes(payload.get("duration")),
        "timezone": parse_timezone(payload.get("timezone")),
        "is_private": parse_flag(settings.get("private_meeting")),
        "uses_personal_room": _uses_personal_room(payload, settings, zoom_type),
        "unclear_setting": _unclear_setting(settings),
        "is_events_webinar": parse_flag(payload.get("is_events_webinar")),
        "requires_login": parse_flag(settings.get("meeting_authentication")),
        "login_domains": single_line(settings.get("authentication_domains"), 255),
        "join_url": join_url,
        "has_join_link": bool(join_url),
        "unknown_link_host": unknown_link_host(payload.get("join_url")),
        "passcode": single_line(payload.get("password"), 100),
        **_map_registration(settings),
    }
    return MappedMeeting(
        zoom_id,
        host_zoom_id,
        fields,
        _map_occurrences(payload, zoom_type, fields),
        known_values,
        raw_digest,
    )


def listing_digest(topic: str, agenda: str) -> str:
    """Keyed digest of the texts as a listing has them, to notice changes of a text that was cut.

    The oldest key is used, so that adding a newer one reads nothing again.
    """
    text = f"{topic}\x00{agenda[:AGENDA_EXCERPT_LENGTH]}"
    return blind_index(text, "listing", key=app_settings.encryption_keys[-1])


def _known_values(payload: dict[str, Any], settings: dict[str, Any]) -> KnownValues:
    places = (payload, settings)
    links = (text(payload.get(name), 4000) for name in LINK_KEYS)
    return KnownValues.of(
        numbers=[payload.get("id"), payload.get("pmi")],
        passcodes=[
            *(place.get(name) for place in places for name in PASSCODE_KEYS),
            *(value for link in links for value in passcodes_in(link)),
        ],
    )


def _uses_personal_room(payload: dict[str, Any], settings: dict[str, Any], zoom_type: int) -> bool:
    """By its type, its switch, or because its number is the personal one."""
    number = single_line(payload.get("pmi"), 20).replace(" ", "").replace("-", "")
    is_personal_number = bool(number) and number == str(payload.get("id"))
    has_room_type = zoom_type in PERSONAL_ROOM_TYPES
    return parse_flag(settings.get("use_pmi")) or has_room_type or is_personal_number


def _unclear_setting(settings: dict[str, Any]) -> str:
    """The first setting whose value we do not know: the meeting is hidden then."""
    for name in ("private_meeting", "use_pmi"):
        if not is_known_flag(settings.get(name)):
            return name
    approval = settings.get("approval_type")
    is_known = approval in (None, "") or parse_int(approval) in ApprovalType.values
    return "" if is_known else "approval_type"


def _map_registration(settings: dict[str, Any]) -> dict[str, Any]:
    approval = parse_int(settings.get("approval_type"))
    capacity = parse_int(settings.get("registrants_restrict_number"))
    registration_type = parse_int(settings.get("registration_type"))
    if registration_type not in RegistrationType.values:
        registration_type = RegistrationType.ALL_DATES.value
    return {
        "approval_type": approval if approval in REGISTRATION_TYPES else ApprovalType.NONE.value,
        "registration_type": registration_type,
        "close_registration": parse_flag(settings.get("close_registration")),
        "capacity": capacity if capacity and 0 < capacity < 1_000_000 else None,
        "zoom_confirms": parse_flag(settings.get("registrants_confirmation_email"), missing=True),
        "zoom_notifies": parse_flag(settings.get("registrants_email_notification"), missing=True),
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
