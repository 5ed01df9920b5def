"""Creates meetings, webinars and recordings, and computes when their numbers expire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .clock import epoch, parse, stamp, when
from .errors import ControlError
from .recurrence import expand
from .registration_form import check_questions
from .storage import Doc
from .world import World

NEVER = 9_999_999_999
DAY = 86_400
SINGLE, UNDATED, SERIES = {2, 5}, {3, 6}, {8, 9}
WEBINARS = {5, 6, 9}
DEFAULTS: dict[str, Any] = {"approval_type": 2, "registration_type": 1, "use_pmi": False}
EXTRAS = (
    "questions",
    "custom_questions",
    "tracking_sources",
    "capacity",
    "new_status",
    "paid",
    "is_events_webinar",
    "is_simulive",
    "creation_source",
    "template_id",
)
"""Fields of a meeting or webinar that are stored as given; ``capacity`` is that of a meeting,
``new_status`` the status of everybody who registers from now on."""
RECORDING_DEFAULTS: dict[str, Any] = {
    "share_recording": "publicly",
    "recording_authentication": False,
    "viewer_download": False,
    "on_demand": False,
    "approval_type": 0,
    "send_email_to_host": False,
    "show_social_share_buttons": False,
    "auto_delete": False,
}
FILES = {"MP4": ("MP4", 8_400_000), "M4A": ("M4A", 950_000), "TRANSCRIPT": ("VTT", 1_100)}
"""File type → extension and bytes per minute."""


def columns(world: World, doc: Doc) -> Doc:
    """Set the columns that lists filter by.

    A number expires 30 days after a single meeting, 365 days after the last occurrence of a series.
    """
    kind, length = doc["type"], doc["duration"] * 60
    starts = ends = NEVER
    if kind in SERIES and doc.get("occurrences"):
        times = [epoch(item["start_time"]) for item in doc["occurrences"]]
        starts, ends = min(times), max(times) + length
    elif kind in SINGLE or kind == 1:
        starts = epoch(doc["start_time"])
        ends = starts + length
    expires = NEVER
    if kind in WEBINARS and ends != NEVER:
        expires = ends + world.options.webinar_readable_days * DAY
    elif ends != NEVER:
        expires = ends + (365 if kind in SERIES else 30) * DAY
    doc.update(starts=starts, ends=ends, expires=expires)
    return doc


def make_meeting(world: World, host: Doc, fields: dict[str, Any]) -> Doc:
    """Create a meeting or webinar from the control API's fields and store it.

    Raises:
        ControlError: a field is missing or invalid.
    """
    webinar = fields.get("kind", "meeting") == "webinar"
    rule = fields.get("recurrence")
    kind = int(fields.get("type") or ((9 if rule else 5) if webinar else (8 if rule else 2)))
    if (kind in WEBINARS) != webinar:
        raise ControlError("type does not fit kind")
    zone = fields.get("timezone") or host.get("timezone") or "UTC"
    now = world.clock.now()
    doc: Doc = {
        "id": int(fields.get("id") or world.free_number()),
        "uuid": fields.get("uuid") or world.ids.uuid(),
        "account_id": host["account_id"],
        "host_id": host["id"],
        "kind": "webinar" if webinar else "meeting",
        "state": "unlisted" if kind == 1 else "active",
        "status": "waiting",
        "type": kind,
        "topic": str(fields.get("topic", "Untitled")),
        "agenda": str(fields.get("agenda", "")),
        "duration": int(fields.get("duration", 60)),
        "timezone": zone,
        "password": fields.get("password", world.ids.passcode()),
        "created_at": stamp(now),
        "settings": {**DEFAULTS, **_registration(fields), **(fields.get("settings") or {})},
    }
    if fields.get("private"):
        doc["settings"]["private_meeting"] = True
    doc.update(_extras(fields))
    if doc["settings"]["use_pmi"] or kind == 4:
        doc["pmi"] = str(host["pmi"])
    if kind == 4:
        # The personal room: one number for all its meetings, in no list.
        doc.update(id=host["pmi"], state="unlisted", pmi_room=host["id"])
    if kind not in UNDATED and kind != 4:
        start = when(str(fields.get("start_time", "+1d 18:00")), zone, now)
        doc["start_time"] = stamp(start)
        if kind in SERIES:
            doc["recurrence"] = rule or {"type": 2, "repeat_interval": 1, "end_times": 6}
            doc["occurrences"] = expand(start, zone, doc["duration"], doc["recurrence"])
            if not doc["occurrences"]:
                raise ControlError("the rule has no occurrence")
            doc["start_time"] = doc["occurrences"][0]["start_time"]
    world.store.put("meetings", columns(world, doc))
    return doc


def _registration(fields: dict[str, Any]) -> dict[str, Any]:
    """``registration``: auto, manual, none or closed."""
    mode = fields.get("registration")
    if not mode:
        return {}
    if mode == "closed":
        return {"approval_type": 0, "close_registration": True}
    return {"approval_type": {"manual": 1, "none": 2}.get(mode, 0)}


def _extras(fields: dict[str, Any]) -> dict[str, Any]:
    extras = {name: fields[name] for name in EXTRAS if name in fields}
    check_questions(extras)
    if "registration" in fields:
        extras["registration_closed"] = fields["registration"] == "closed"
    return extras


def change_meeting(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Apply a PATCH of the control API; with ``occurrence_id`` to that occurrence only.

    ``renew_dates``: the dates are new ones even if the rule is the same, as at Zoom whenever an
    app sends a rule.
    """
    now = world.clock.now()
    number = fields.get("occurrence_id")
    if number:
        dates = doc.get("occurrences", [])
        date = next((date for date in dates if date["occurrence_id"] == str(number)), None)
        if date is None:
            raise ControlError(f"no occurrence {number}")
        if "start_time" in fields:
            start = when(str(fields["start_time"]), doc["timezone"], now)
            date["start_time"] = stamp(start)
            if not world.options.moved_occurrence_keeps_id:
                date["occurrence_id"] = str(int(start.timestamp()) * 1000)
        date["duration"] = int(fields.get("duration") or date["duration"])
        _store_details(doc, date["occurrence_id"], fields)
    else:
        former_zone, former_length = doc["timezone"], doc["duration"]
        for name in ("topic", "agenda", "password", "timezone"):
            if name in fields:
                doc[name] = str(fields[name])
        doc["duration"] = int(fields.get("duration", doc["duration"]) or 0)
        for date in doc.get("occurrences", []):
            if date["duration"] == former_length:
                date["duration"] = doc["duration"]
        doc["settings"].update({**_registration(fields), **(fields.get("settings") or {})})
        doc.update(_extras(fields))
        new_ids = bool(fields.get("renew_dates"))
        is_same_rule = not _change_type(doc, fields) and not new_ids
        if "start_time" in fields:
            start = when(str(fields["start_time"]), doc["timezone"], now)
            _shift(world, doc, stamp(start), new_ids=new_ids)
        elif "start_time" in doc and doc["timezone"] != former_zone:
            # The hour stays, in the new zone.
            wall = parse(doc["start_time"]).astimezone(ZoneInfo(former_zone)).replace(tzinfo=None)
            start = wall.replace(tzinfo=ZoneInfo(doc["timezone"]))
            _shift(world, doc, stamp(start), new_ids=new_ids)
        elif not is_same_rule and "start_time" in doc:
            _shift(world, doc, doc["start_time"], new_ids=new_ids)
    world.store.put("meetings", columns(world, doc))
    return doc


def _change_type(doc: Doc, fields: dict[str, Any]) -> bool:
    """A new rule, a single meeting that becomes a series (8, 9), or a series that becomes single.

    The ids of all dates are new then.
    """
    kind = int(fields.get("type") or doc["type"])
    rule = fields.get("recurrence", doc.get("recurrence"))
    if "type" not in fields and rule and doc["type"] in SINGLE:
        kind = 9 if doc["type"] in WEBINARS else 8
    if (kind in WEBINARS) != (doc["type"] in WEBINARS):
        raise ControlError("type does not fit kind")
    changed = kind != doc["type"] or rule != doc.get("recurrence")
    doc["type"] = kind
    if kind in SERIES:
        doc["recurrence"] = rule or {"type": 2, "repeat_interval": 1, "end_times": 6}
        doc.setdefault("occurrences", [])
    else:
        doc.pop("recurrence", None)
        doc.pop("occurrences", None)
    if kind in UNDATED:
        doc.pop("start_time", None)
    return changed


def _store_details(doc: Doc, occurrence_id: str, fields: dict[str, Any]) -> None:
    """Store what an occurrence has of its own beside its time; it is not in lists and events."""
    if not {"agenda", "settings"} & fields.keys():
        return
    details = doc.setdefault("date_details", {}).setdefault(occurrence_id, {})
    if "agenda" in fields:
        details["agenda"] = str(fields["agenda"])
    details["settings"] = {**details.get("settings", {}), **(fields.get("settings") or {})}


def _shift(world: World, doc: Doc, start: str, *, new_ids: bool = False) -> None:
    """Move the start; the occurrences of a series move too and get new ids, as at Zoom.

    An id is the planned start. With ``new_ids`` dates at former times get other ids, too, unless
    the option says otherwise. Those who had registered for single dates are registered for the
    new ones, in order.
    """
    doc.pop("date_details", None)
    if doc["type"] in SERIES:
        former = [date["occurrence_id"] for date in doc["occurrences"]]
        first = parse(start)
        doc["occurrences"] = expand(first, doc["timezone"], doc["duration"], doc["recurrence"])
        if new_ids and not world.options.rule_keeps_occurrence_ids:
            _renumber(doc["occurrences"], former)
        present = [date["occurrence_id"] for date in doc["occurrences"]]
        _rename_dates(world, doc, dict(zip(former, present, strict=False)))
        start = doc["occurrences"][0]["start_time"] if doc["occurrences"] else start
    doc["start_time"] = start


def _renumber(dates: list[Doc], former: list[str]) -> None:
    """Make ids that no former date had: a millisecond later for each rule."""
    generation = 1 + max((int(number) % 1000 for number in former), default=-1)
    for date in dates:
        date["occurrence_id"] = str(int(date["occurrence_id"]) + generation)


def _rename_dates(world: World, doc: Doc, names: dict[str, str]) -> None:
    where = "target = ? AND object_id = ?"
    for person in world.store.find("registrants", where, doc["kind"], str(doc["id"])):
        person["occurrences"] = [names.get(name, name) for name in person["occurrences"]]
        world.store.put("registrants", person)


def delete_meeting(world: World, doc: Doc, occurrence: str | None = None) -> Doc:
    """Delete a meeting, or one occurrence of a series, which stays in the list as ``deleted``."""
    if occurrence:
        for date in doc.get("occurrences", []):
            if date["occurrence_id"] == occurrence:
                date["status"] = "deleted"
                break
        else:
            raise ControlError(f"no occurrence {occurrence}")
    else:
        doc["state"] = "deleted"
    world.store.put("meetings", doc)
    return doc


def make_recording(world: World, host: Doc, fields: dict[str, Any]) -> Doc:
    """Create a cloud recording with a video file and, by default, a transcript."""
    meeting = world.store.get("meetings", int(fields.get("meeting") or 0)) or {}
    instance = _unrecorded(world, meeting)
    fields = {**{name: meeting[name] for name in ("topic", "type") if name in meeting}, **fields}
    zone = meeting.get("timezone") or host.get("timezone") or "UTC"
    start_text = fields.get("start_time") or instance.get("start_time") or "-1d 18:00"
    start = when(str(start_text), zone, world.clock.now())
    length = int(fields.get("duration") or meeting.get("duration") or 60)
    uuid = fields.get("uuid") or instance.get("id") or world.ids.uuid()
    status = "processing" if fields.get("processing") else "completed"
    doc: Doc = {
        "id": uuid,
        "meeting_id": int(fields.get("meeting") or world.free_number()),
        "account_id": host["account_id"],
        "host_id": host["id"],
        "state": "active",
        "started": int(start.timestamp()),
        "type": int(fields.get("type", 2)),
        "topic": str(fields.get("topic", "Untitled")),
        "start_time": stamp(start),
        "timezone": zone,
        "duration": length,
        "passcode": fields.get("passcode", world.ids.passcode()),
        "share_url": f"{world.base_url}/rec/share/{world.ids.random_id(40)}",
        "settings": {**RECORDING_DEFAULTS, **(fields.get("settings") or {})},
        "files": [],
    }
    doc.update(_extras(fields))
    if fields.get("transcript_lines"):
        doc["transcript_lines"] = list(fields["transcript_lines"])
    doc["files"].append(_file(world, doc, "MP4", "shared_screen_with_speaker_view", status))
    if fields.get("audio"):
        doc["files"].append(_file(world, doc, "M4A", "audio_only", status))
    if fields.get("transcript", True):
        doc["files"].append(transcript_file(world, doc, status))
    world.store.put("recordings", doc)
    return doc


def _unrecorded(world: World, meeting: Doc) -> Doc:
    """The newest instance of a meeting without a recording."""
    number = meeting.get("id", 0)
    instances = world.store.find(
        "instances", "meeting_id = ?", number, tail="ORDER BY started DESC"
    )
    for instance in instances:
        if world.store.get("recordings", instance["id"]) is None:
            return instance
    return {}


def _file(world: World, doc: Doc, kind: str, name: str, status: str) -> Doc:
    end = parse(doc["start_time"]) + timedelta(minutes=doc["duration"])
    extension, size = FILES[kind]
    return {
        "id": world.ids.file_id(),
        "meeting_id": doc["id"],
        "recording_start": doc["start_time"],
        "recording_end": stamp(end),
        "file_type": kind,
        "file_extension": extension,
        "file_size": size * max(1, doc["duration"]),
        "play_url": f"{world.base_url}/rec/play/{world.ids.random_id(40)}",
        "download_url": f"{world.base_url}/rec/download/{world.ids.random_id(40)}",
        "status": status,
        "recording_type": name,
    }


def transcript_file(world: World, doc: Doc, status: str = "completed") -> Doc:
    """The recording file of a transcript."""
    return _file(world, doc, "TRANSCRIPT", "audio_transcript", status)
