"""Who took part in past meetings and webinars: one row for each join."""

from __future__ import annotations

from typing import Any

from .clock import epoch, seconds, stamp
from .errors import ControlError
from .registrants import find
from .storage import Doc
from .world import World

STATUSES = ("in_meeting", "in_waiting_room")
NAMES = ("Ada Lindqvist", "Bruno Castellanos", "Chidi Nwosu", "Dagny Halvorsen", "Emre Yildiz")


def add(world: World, instance: Doc, rows: list[dict[str, Any]], strangers: int = 0) -> int:
    """Add joins to an instance; returns how many rows it has then.

    Each row names a ``registrant`` (id or email), or a guest by ``name`` and, optionally,
    ``email``. ``join`` and ``leave``: seconds after the start, or such as ``5m`` (default: the
    whole time until the end, or until now). ``status``: in_meeting or in_waiting_room.
    ``late``: seconds after the end until the row is listed. ``strangers``: so many guests more.
    """
    meeting = world.meeting(instance["meeting_id"])
    start = epoch(instance["start_time"])
    end = epoch(instance["end_time"]) if instance["end_time"] else int(world.clock.time())
    length = end - start
    docs = [_doc(world, meeting, instance, row, length) for row in rows]
    for number in range(strangers):
        name = f"{NAMES[number % len(NAMES)]} {number}"
        docs.append(_doc(world, meeting, instance, {"name": name}, length))
    world.store.put("participants", *docs)
    return world.store.count("participants", "instance_id = ?", instance["id"])


def _doc(world: World, meeting: Doc, instance: Doc, row: dict[str, Any], length: int) -> Doc:
    status = row.get("status", "in_meeting")
    if status not in STATUSES:
        raise ControlError("status is in_meeting or in_waiting_room")
    registrant = None
    if row.get("registrant"):
        registrant = find(world, meeting, str(row["registrant"]))
        if registrant is None:
            raise ControlError(f"no registrant {row['registrant']!r}")
    start = epoch(instance["start_time"])
    joined = start + int(seconds(row.get("join", 0)))
    left = start + int(seconds(row.get("leave", length)))
    name = row.get("name", "")
    if registrant is not None and not name:
        name = f"{registrant['first_name']} {registrant.get('last_name', '')}".strip()
    return {
        "id": world.ids.random_id(),
        "instance_id": instance["id"],
        "user": str(row.get("user", "")),
        "name": name or "Guest",
        "email": registrant["address_as_given"] if registrant else str(row.get("email", "")),
        "registrant_id": registrant["id"] if registrant and row.get("known", True) else "",
        "join_time": stamp(joined),
        "leave_time": stamp(left),
        "duration": max(0, left - joined),
        "status": status,
        "late": int(seconds(row.get("late", 0))),
    }


def instance_of(world: World, meeting: Doc, uuid: str = "") -> Doc:
    """One instance of a meeting; the newest without a UUID."""
    if uuid:
        instance = world.store.get("instances", uuid)
    else:
        where = "meeting_id = ?"
        instance = world.store.first(
            "instances", where, meeting["id"], tail="ORDER BY started DESC, seq DESC"
        )
    if instance is None or instance["meeting_id"] != meeting["id"]:
        raise ControlError("no such instance")
    return instance


def condition(world: World, instance: Doc) -> tuple[str, tuple[Any, ...]]:
    """Which rows of an instance are listed by now."""
    elapsed = int(world.clock.time()) - epoch(instance["end_time"])
    where = "instance_id = ? AND late <= ?"
    return where, (instance["id"], elapsed)


def item(doc: Doc) -> dict[str, Any]:
    """One row as Zoom lists it."""
    row = {
        "id": doc["user"],
        "user_id": doc["id"],
        "name": doc["name"],
        "user_email": doc["email"],
        "join_time": doc["join_time"],
        "leave_time": doc["leave_time"],
        "duration": doc["duration"],
        "status": doc["status"],
        "internal_user": bool(doc["user"]),
        "failover": False,
    }
    return {**row, "registrant_id": doc["registrant_id"]} if doc["registrant_id"] else row


def add_host(world: World, instance: Doc) -> None:
    """The host is in every meeting that took place."""
    host = world.user(instance["host_id"])
    row = {"name": host["display_name"], "email": host["email"], "user": host["id"]}
    add(world, instance, [row])
