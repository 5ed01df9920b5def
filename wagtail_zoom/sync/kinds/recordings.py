"""Cloud recordings: Zoom's payload → the fields and files that we keep.

Download links and tokens are credentials and have no column; names of participants' audio files
are personal data and are not read. Source: Zoom's API reference, "Get meeting recordings".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..values import BadItem, identifier, line, link, members, minutes, moment, whole, zone

WATCHABLE = {"MP4", "M4A"}
TRANSCRIPTS = {"TRANSCRIPT", "CC"}
WEBINARS = {"5", "6", "9"}
UNSCHEDULED = {"1", "4", "7"}
"""Instant and personal-room meetings (type 7: personal room in messages)."""


@dataclass(frozen=True)
class MappedFile:
    """One file; ``fields`` are column values by name."""

    zoom_id: str
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class MappedRecording:
    """One recorded instance with its files."""

    uuid: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)
    files: tuple[MappedFile, ...] = ()


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
    fields = {
        "host_zoom_id": host_zoom_id,
        "meeting_zoom_id": line(payload.get("id"), 100),
        "zoom_type": zoom_type,
        "is_webinar": zoom_type in WEBINARS,
        "is_unscheduled": zoom_type in UNSCHEDULED,
        "topic": line(payload.get("topic")),
        "start": start,
        "duration": minutes(payload.get("duration")),
        "timezone": zone(payload.get("timezone")),
        "share_url": link(payload.get("share_url")),
        "passcode": line(payload.get("recording_play_passcode") or payload.get("password"), 200),
        "file_count": len(files),
        "total_size": max(0, whole(payload.get("total_size")) or 0),
        "is_ready": any(
            file.fields["file_type"] in WATCHABLE and file.fields["status"] == "completed"
            for file in files
        ),
        "has_transcript": any(file.fields["file_type"] in TRANSCRIPTS for file in files),
        "deletes_on": _day(payload.get("auto_delete_date")),
    }
    return MappedRecording(uuid, host_zoom_id, fields, files)


def _files(payload: dict[str, Any]) -> tuple[MappedFile, ...]:
    found: dict[str, MappedFile] = {}
    for item in members(payload, "recording_files"):
        # Some kinds (CC, TIMELINE) have no id of their own: their type is unique in a recording.
        zoom_id = line(item.get("id"), 100) or line(item.get("file_type"), 20)
        if zoom_id:
            found[zoom_id] = MappedFile(
                zoom_id,
                {
                    "file_type": line(item.get("file_type"), 20),
                    "recording_type": line(item.get("recording_type"), 64),
                    "extension": line(item.get("file_extension"), 10),
                    "start": moment(item.get("recording_start")),
                    "end": moment(item.get("recording_end")),
                    "size": max(0, whole(item.get("file_size")) or 0),
                    "status": line(item.get("status"), 20) or "completed",
                    "play_url": link(item.get("play_url")),
                },
            )
    return tuple(found.values())


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
