"""Cloud recordings: Zoom's payload → the fields that we store.

Download links and tokens are credentials and have no column; names of participants' audio files
are personal data and are not read. Source: Zoom's API reference, "Get meeting recordings".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .parsing import BadItem, identifier, line, link, members, minutes, moment, zone

WATCHABLE = {"MP4", "M4A"}
TRANSCRIPTS = {"TRANSCRIPT", "CC"}
UNSCHEDULED = {"1", "4", "7"}
"""Instant and personal-room meetings (type 7: personal room in messages)."""


@dataclass(frozen=True)
class MappedRecording:
    """One recorded instance; ``fields`` are column values by name."""

    uuid: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)


def map_recording(payload: dict[str, Any]) -> MappedRecording:
    """Map one recording of a listing or of a single read.

    Raises:
        BadItem: UUID, host or start is missing.
    """
    uuid = identifier(payload.get("uuid"))
    host_zoom_id = identifier(payload.get("host_id"))
    start = moment(payload.get("start_time"))
    if start is None:
        raise BadItem("The start is missing.")
    zoom_type = line(payload.get("type"), 4)
    files = _files(payload)
    watchable = [file for file in files if _file_type(file) in WATCHABLE and _is_complete(file)]
    share_url = link(payload.get("share_url"))
    fields = {
        "host_zoom_id": host_zoom_id,
        "meeting_zoom_id": line(payload.get("id"), 100),
        "zoom_type": zoom_type,
        "is_unscheduled": zoom_type in UNSCHEDULED,
        "topic": line(payload.get("topic")),
        "start": start,
        "duration": minutes(payload.get("duration")),
        "timezone": zone(payload.get("timezone")),
        "share_url": share_url,
        "play_url": "" if share_url else _play_url(watchable),
        "passcode": line(payload.get("recording_play_passcode") or payload.get("password"), 200),
        "file_count": len(files),
        "file_types": sorted({file_type for file in files if (file_type := _file_type(file))}),
        "is_ready": bool(watchable),
        "has_transcript": any(_file_type(file) in TRANSCRIPTS for file in files),
        "deletes_on": _day(payload.get("auto_delete_date")),
    }
    return MappedRecording(uuid, host_zoom_id, fields)


def _files(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Each file once. Some types (CC, TIMELINE) have no id: their type is unique in a recording."""
    by_id: dict[str, dict[str, Any]] = {}
    for file in members(payload, "recording_files"):
        key = line(file.get("id"), 100) or _file_type(file)
        if key:
            by_id[key] = file
    return list(by_id.values())


def _file_type(file: dict[str, Any]) -> str:
    return line(file.get("file_type"), 20)


def _is_complete(file: dict[str, Any]) -> bool:
    return (line(file.get("status"), 20) or "completed") == "completed"


def _play_url(watchable: list[dict[str, Any]]) -> str:
    """A video before sound alone, in Zoom's order."""
    watchable = sorted(watchable, key=lambda file: _file_type(file) != "MP4")
    return next((url for file in watchable if (url := link(file.get("play_url")))), "")


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
