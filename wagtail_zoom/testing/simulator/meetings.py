"""Changes of meetings and webinars, each with the event that Zoom sends for it."""

from __future__ import annotations

from typing import Any

from . import payloads
from .clock import stamp
from .content import SERIES, change_meeting, columns, delete_meeting, make_meeting
from .errors import ControlError
from .outbox import emit
from .storage import Doc
from .world import World

CONVERTED = {2: 5, 3: 6, 8: 9, 5: 2, 6: 3, 9: 8}
"""Type of a meeting as a webinar, and back."""


def tell(world: World, doc: Doc, what: str, **payload: Any) -> None:
    """Queue ``meeting.<what>`` or ``webinar.<what>``."""
    event = f"{doc['kind']}.{what}"
    emit(world, event, doc["account_id"], payload, user_id=doc["host_id"])


def _operation(doc: Doc, name: str, occurrence: Doc | None) -> dict[str, str]:
    """``operation`` and ``scope`` are absent for single meetings (5.6)."""
    if occurrence is not None:
        return {name: "single"}
    return {name: "all"} if doc["type"] in SERIES else {}


def create(world: World, host: Doc, facts: dict[str, Any]) -> Doc:
    """Schedule a meeting or webinar."""
    doc = make_meeting(world, host, facts)
    operation = _operation(doc, "operation", None)
    who = payloads.operator(world, doc)
    tell(world, doc, "created", **who, **operation, object=payloads.created(world, doc))
    return doc


def change(world: World, doc: Doc, facts: dict[str, Any]) -> Doc:
    """Change a meeting or one date of it; ``kind`` turns a meeting into a webinar and back."""
    if facts.get("kind", doc["kind"]) != doc["kind"]:
        return _convert(world, doc)
    before = world.copy(doc)
    doc = change_meeting(world, doc, facts)
    new, old = payloads.delta(world, before, doc)
    date = None
    if facts.get("occurrence_id"):
        date, number = doc, doc["id"]
        new = {"id": number, "occurrences": _differing(doc, before)}
        old = {"id": number, "occurrences": _differing(before, doc)}
        new = new if new["occurrences"] or old["occurrences"] else {}
    if new:
        scope = _operation(doc, "scope", date)
        who, now = payloads.operator(world, doc), int(world.clock.time() * 1000)
        tell(world, doc, "updated", **who, **scope, object=new, old_object=old, time_stamp=now)
    return doc


def _differing(doc: Doc, other: Doc) -> list[Doc]:
    known = other.get("occurrences", [])
    return [date for date in doc.get("occurrences", []) if date not in known]


def _convert(world: World, doc: Doc) -> Doc:
    if doc["type"] not in CONVERTED:
        raise ControlError("this type cannot be converted")
    was = doc["kind"]
    doc["kind"] = "meeting" if was == "webinar" else "webinar"
    doc["type"] = CONVERTED[doc["type"]]
    world.store.put("meetings", columns(world, doc))
    payload = {**payloads.operator(world, doc), "object": payloads.core(world, doc)}
    event = f"{was}.converted_to_{doc['kind']}"
    emit(world, event, doc["account_id"], payload, user_id=doc["host_id"])
    return doc


def delete(world: World, doc: Doc, occurrence_id: str = "", *, permanent: bool = False) -> Doc:
    """Delete a meeting (it can be recovered unless ``permanent``) or cancel one date of it."""
    if doc["state"] == "deleted" and not permanent:
        raise ControlError("already deleted")
    doc = delete_meeting(world, doc, occurrence_id or None)
    date = _date(doc, occurrence_id) if occurrence_id else None
    thing = payloads.core(world, doc)
    if date is not None:
        thing["occurrences"] = [date]
    if permanent:
        world.store.delete("meetings", "id = ?", doc["id"])
    _removal(world, doc, "permanently_deleted" if permanent else "deleted", thing, date)
    return doc


def recover(world: World, doc: Doc, occurrence_id: str = "") -> Doc:
    """Bring a deleted meeting back, or one cancelled date."""
    date = None
    thing = payloads.core(world, doc)
    if occurrence_id:
        date = _date(doc, occurrence_id)
        date["status"] = "available"
        thing["occurrences"] = [date]
    else:
        doc["state"] = "active"
    world.store.put("meetings", columns(world, doc))
    _removal(world, doc, "recovered", thing, date)
    return doc


def _removal(world: World, doc: Doc, what: str, thing: Doc, date: Doc | None) -> None:
    operation = _operation(doc, "operation", date)
    tell(world, doc, what, **payloads.operator(world, doc), **operation, object=thing)


def _date(doc: Doc, occurrence_id: str) -> Doc:
    dates: list[Doc] = doc.get("occurrences", [])
    for date in dates:
        if date["occurrence_id"] == occurrence_id:
            return date
    raise ControlError(f"no occurrence {occurrence_id}")


def start(world: World, doc: Doc) -> Doc:
    """Let the host open the room: a new instance with a UUID of its own."""
    if doc["status"] == "started":
        raise ControlError("already started")
    if world.store.get("instances", doc["uuid"]) is not None:
        doc["uuid"] = world.ids.uuid()
    now = world.clock.now()
    instance = {
        "id": doc["uuid"],
        "account_id": doc["account_id"],
        "meeting_id": doc["id"],
        "host_id": doc["host_id"],
        "kind": doc["kind"],
        "type": doc["type"],
        "topic": doc["topic"],
        "started": int(now.timestamp()),
        "start_time": stamp(now),
        "end_time": "",
    }
    doc["status"] = "started"
    world.store.put("instances", instance)
    world.store.put("meetings", columns(world, doc))
    tell(world, doc, "started", object=payloads.running(world, doc, instance))
    return doc


def end(world: World, doc: Doc, *, practice: bool = False) -> Doc:
    """Close the room. ``practice``: only the rehearsal of a webinar ended."""
    if doc["status"] != "started":
        raise ControlError("not started")
    instance = world.store.get("instances", doc["uuid"])
    if instance is None:
        raise ControlError("no such instance")
    instance["end_time"] = world.clock.stamp()
    doc["status"] = "waiting"
    world.store.put("instances", instance)
    columns(world, doc)
    if doc["type"] == 1:
        doc["expires"] = 0  # The number of an instant meeting lapses when it ends (3.3).
    world.store.put("meetings", doc)
    thing = payloads.running(world, doc, instance)
    if practice:
        thing["practice_session"] = True
    tell(world, doc, "ended", object=thing)
    return doc
