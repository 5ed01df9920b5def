"""Changes of meetings and webinars, each with its webhook event."""

from __future__ import annotations

from typing import Any

from . import participants, payloads
from .clock import stamp
from .content import SERIES, change_meeting, columns, delete_meeting, make_meeting
from .errors import ControlError
from .outbox import emit
from .storage import Doc
from .world import World

CONVERTED = {2: 5, 3: 6, 8: 9, 5: 2, 6: 3, 9: 8}
"""Meeting type → webinar type, and back."""


def queue_event(world: World, doc: Doc, what: str, **payload: Any) -> None:
    """Queue ``meeting.<what>`` or ``webinar.<what>``."""
    event = f"{doc['kind']}.{what}"
    emit(world, event, doc["account_id"], payload, user_id=doc["host_id"])


def _operation(doc: Doc, name: str, occurrence: Doc | None) -> dict[str, str]:
    """``operation`` and ``scope`` are absent for single meetings."""
    if occurrence is not None:
        return {name: "single"}
    return {name: "all"} if doc["type"] in SERIES else {}


def create(world: World, host: Doc, fields: dict[str, Any]) -> Doc:
    """Schedule a meeting or webinar."""
    doc = make_meeting(world, host, fields)
    operation = _operation(doc, "operation", None)
    operator = payloads.operator(world, doc)
    queue_event(world, doc, "created", **operator, **operation, object=payloads.created(world, doc))
    return doc


def change(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Change a meeting or one occurrence; ``kind`` converts a meeting to a webinar and back."""
    if fields.get("kind", doc["kind"]) != doc["kind"]:
        return _convert(world, doc)
    before = world.copy(doc)
    doc = change_meeting(world, doc, fields)
    new, old = payloads.delta(world, before, doc)
    date = None
    if fields.get("occurrence_id"):
        date, number = doc, doc["id"]
        new = {"id": number, "occurrences": _differing(doc, before)}
        old = {"id": number, "occurrences": _differing(before, doc)}
        new = new if new["occurrences"] or old["occurrences"] else {}
    if new:
        scope = _operation(doc, "scope", date)
        operator, now = payloads.operator(world, doc), int(world.clock.time() * 1000)
        queue_event(
            world, doc, "updated", **operator, **scope, object=new, old_object=old, time_stamp=now
        )
    return doc


def _differing(doc: Doc, other: Doc) -> list[Doc]:
    other_dates = other.get("occurrences", [])
    return [date for date in doc.get("occurrences", []) if date not in other_dates]


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
    """Delete a meeting (recoverable unless ``permanent``) or cancel one occurrence of it."""
    if doc["state"] == "deleted" and not permanent:
        raise ControlError("already deleted")
    doc = delete_meeting(world, doc, occurrence_id or None)
    date = _date(doc, occurrence_id) if occurrence_id else None
    payload_object = payloads.core(world, doc)
    if date is not None:
        payload_object["occurrences"] = [date]
    if permanent:
        world.store.delete("meetings", "id = ?", doc["id"])
    _removal(world, doc, "permanently_deleted" if permanent else "deleted", payload_object, date)
    return doc


def recover(world: World, doc: Doc, occurrence_id: str = "") -> Doc:
    """Recover a deleted meeting, or one cancelled occurrence."""
    date = None
    payload_object = payloads.core(world, doc)
    if occurrence_id:
        date = _date(doc, occurrence_id)
        date["status"] = "available"
        payload_object["occurrences"] = [date]
    else:
        doc["state"] = "active"
    world.store.put("meetings", columns(world, doc))
    _removal(world, doc, "recovered", payload_object, date)
    return doc


def _removal(world: World, doc: Doc, what: str, payload_object: Doc, date: Doc | None) -> None:
    operation = _operation(doc, "operation", date)
    queue_event(
        world, doc, what, **payloads.operator(world, doc), **operation, object=payload_object
    )


def _date(doc: Doc, occurrence_id: str) -> Doc:
    dates: list[Doc] = doc.get("occurrences", [])
    for date in dates:
        if date["occurrence_id"] == occurrence_id:
            return date
    raise ControlError(f"no occurrence {occurrence_id}")


def start(world: World, doc: Doc) -> Doc:
    """Start a meeting: creates an instance with its own UUID."""
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
    queue_event(world, doc, "started", object=payloads.running(world, doc, instance))
    return doc


def end(world: World, doc: Doc, *, practice: bool = False) -> Doc:
    """End a meeting. ``practice``: only the practice session of a webinar ended."""
    if doc["status"] != "started":
        raise ControlError("not started")
    instance = world.store.get("instances", doc["uuid"])
    if instance is None:
        raise ControlError("no such instance")
    instance["end_time"] = world.clock.stamp()
    doc["status"] = "waiting"
    world.store.put("instances", instance)
    participants.add_host(world, instance)
    columns(world, doc)
    if doc["type"] == 1:
        doc["expires"] = 0  # The number of an instant meeting expires when it ends.
    world.store.put("meetings", doc)
    payload_object = payloads.running(world, doc, instance)
    if practice:
        payload_object["practice_session"] = True
    queue_event(world, doc, "ended", object=payload_object)
    return doc
