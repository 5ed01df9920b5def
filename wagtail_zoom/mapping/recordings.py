"""Maps Zoom's payload of a cloud recording to fields.

Download links and tokens are credentials and have no column; names of participants' audio files
are personal data and are not read. Source: Zoom's API reference, "Get meeting recordings".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..models.recordings import SCHEDULED_TYPES
from ..utils.secret_text import KnownValues, passcodes_in
from ..utils.text import without_secrets
from .meetings import PASSCODE_KEYS
from .parsing import (
    InvalidItem,
    get_list,
    parse_datetime,
    parse_id,
    parse_minutes,
    parse_timezone,
    parse_zoom_url,
    single_line,
    text,
    unknown_link_host,
)

PLAYABLE_TYPES = {"MP4", "M4A"}
TRANSCRIPT_TYPES = {"TRANSCRIPT", "CC"}


@dataclass(frozen=True)
class MappedRecording:
    """One recorded instance; ``fields`` holds column values by name."""

    uuid: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)
    known_values: KnownValues = KnownValues()
    """What opens it: cut from its topic."""

    def without(self, known_values: KnownValues) -> dict[str, Any]:
        """The fields without what opens its meeting; Zoom sends that with the meeting only."""
        topic = without_secrets(self.fields["topic"], self.known_values | known_values).strip()
        return {**self.fields, "topic": topic}


def map_recording(payload: dict[str, Any]) -> MappedRecording:
    """Map one recording of a listing or of a single read.

    Raises:
        InvalidItem: UUID, host or start is missing.
    """
    uuid = parse_id(payload.get("uuid"))
    host_zoom_id = parse_id(payload.get("host_id"))
    start = parse_datetime(payload.get("start_time"))
    if start is None:
        raise InvalidItem("The start is missing.")
    zoom_type = single_line(payload.get("type"), 4)
    files = _files(payload)
    playable = [file for file in files if _file_type(file) in PLAYABLE_TYPES and _is_complete(file)]
    share_url = parse_zoom_url(payload.get("share_url"))
    play_url = "" if share_url else _play_url(playable)
    known_values = read_known_values(payload)
    topic = single_line(payload.get("topic"), 600)
    topic = without_secrets(topic, known_values)  # guard: known-values-cut-from-recording
    fields = {
        "host_zoom_id": host_zoom_id,
        "meeting_zoom_id": single_line(payload.get("id"), 100),
        "zoom_type": zoom_type,
        "is_unscheduled": zoom_type not in SCHEDULED_TYPES,
        "topic": topic[:300].strip(),
        "start": start,
        "duration": parse_minutes(payload.get("duration")),
        "timezone": parse_timezone(payload.get("timezone")),
        "share_url": share_url,
        "play_url": play_url,
        "has_link": bool(share_url or play_url),
        "unknown_link_host": "" if share_url or play_url else _unknown_host(payload, playable),
        "passcode": single_line(
            payload.get("recording_play_passcode") or payload.get("password"), 200
        ),
        "file_count": len(files),
        "file_types": sorted({file_type for file in files if (file_type := _file_type(file))}),
        "is_ready": bool(playable),
        "has_transcript": any(_file_type(file) in TRANSCRIPT_TYPES for file in files),
        "deletes_on": _parse_date(payload.get("auto_delete_date")),
    }
    return MappedRecording(uuid, host_zoom_id, fields, known_values)


def read_known_values(payload: dict[str, Any]) -> KnownValues:
    """What opens this recording: its own passcodes, and the number of its meeting."""
    links = [text(payload.get("share_url"), 4000)]
    links += [text(file.get("play_url"), 4000) for file in get_list(payload, "recording_files")]
    return KnownValues.of(
        numbers=[payload.get("id"), payload.get("pmi")],
        passcodes=[
            *(payload.get(name) for name in ("recording_play_passcode", *PASSCODE_KEYS)),
            *(value for link in links for value in passcodes_in(link)),
        ],
    )


def _unknown_host(payload: dict[str, Any], playable: list[dict[str, Any]]) -> str:
    links = (payload.get("share_url"), *(file.get("play_url") for file in playable))
    return next((host for link in links if (host := unknown_link_host(link))), "")


def _files(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Each file once. Some types (CC, TIMELINE) have no id: their type is unique in a recording."""
    by_id: dict[str, dict[str, Any]] = {}
    for file in get_list(payload, "recording_files"):
        key = single_line(file.get("id"), 100) or _file_type(file)
        if key:
            by_id[key] = file
    return list(by_id.values())


def _file_type(file: dict[str, Any]) -> str:
    return single_line(file.get("file_type"), 20)


def _is_complete(file: dict[str, Any]) -> bool:
    return (single_line(file.get("status"), 20) or "completed") == "completed"


def _play_url(playable: list[dict[str, Any]]) -> str:
    """The first link: videos before audio, in Zoom's order."""
    playable = sorted(playable, key=lambda file: _file_type(file) != "MP4")
    return next((url for file in playable if (url := parse_zoom_url(file.get("play_url")))), "")


def _parse_date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
