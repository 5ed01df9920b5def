"""Plants the programmes of :mod:`.catalogue`: dates, recordings, registrations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import registrations
from .catalogue import PEOPLE, PROGRAMMES
from .clock import epoch, parse, stamp
from .content import change_meeting, delete_meeting, make_meeting, make_recording
from .registration_form import questions
from .storage import Doc
from .world import World

OWN = ("host", "move", "cancel", "record", "people", "waiting")
"""Members of an entry that are no facts of the meeting."""


def plant(world: World, key: str, users: list[Doc]) -> None:
    """Plant the programme of one account."""
    for place, entry in enumerate(PROGRAMMES[key]):
        facts = {name: value for name, value in entry.items() if name not in OWN}
        doc = make_meeting(world, users[entry["host"]], world.copy(facts))
        _register(world, doc, entry, place)
        _amend(world, doc, entry)
        _record(world, doc, int(entry.get("record", 0)), place)


def _coming(world: World, doc: Doc) -> list[Doc]:
    now = world.clock.time()
    return [date for date in doc.get("occurrences", []) if epoch(date["start_time"]) > now]


def _amend(world: World, doc: Doc, entry: Doc) -> None:
    """Move one coming date by a day and an hour, and cancel another."""
    coming = _coming(world, doc)
    if "move" in entry:
        date = coming[entry["move"]]
        later = parse(date["start_time"]) + timedelta(days=1, hours=1)
        facts = {"occurrence_id": date["occurrence_id"], "start_time": stamp(later)}
        change_meeting(world, doc, facts)
    if "cancel" in entry:
        delete_meeting(world, doc, coming[entry["cancel"]]["occurrence_id"])


def _record(world: World, doc: Doc, number: int, place: int) -> None:
    """Let the newest past dates have taken place and been recorded."""
    if not number:
        return
    now = world.clock.time()
    past = [
        date for date in doc.get("occurrences", [doc])
        if epoch(date["start_time"]) + doc["duration"] * 60 < now - 86_400
    ]  # fmt: skip
    for turn, date in enumerate(past[-number:]):
        start = date["start_time"]
        instance = {
            "id": _uuid(world, place, turn),
            "account_id": doc["account_id"],
            "meeting_id": doc["id"],
            "host_id": doc["host_id"],
            "kind": doc["kind"],
            "type": doc["type"],
            "topic": doc["topic"],
            "started": epoch(start),
            "start_time": start,
            "end_time": stamp(parse(start) + timedelta(minutes=doc["duration"])),
        }
        world.store.put("instances", instance)
        facts: dict[str, Any] = {"meeting": doc["id"], "audio": turn % 2 == 0}
        # Some without a transcript, some open to everybody, one behind a registration.
        facts["transcript"] = (place + turn) % 3 != 2
        if place % 4 == 3:
            facts["passcode"] = ""
        if doc["kind"] == "webinar":
            facts["settings"] = {"on_demand": True}
        make_recording(world, world.user(doc["host_id"]), facts)


def _uuid(world: World, place: int, turn: int) -> str:
    """Now and then one of the awkward kind, as at Zoom."""
    if (place, turn) == (1, 0):
        return world.ids.uuid(start="/")
    return world.ids.uuid(within="//" if (place, turn) == (2, 1) else "")


def _register(world: World, doc: Doc, entry: Doc, place: int) -> None:
    """Register people as they would have answered; the last ``waiting`` are not approved yet."""
    total, waiting = int(entry.get("people", 0)), int(entry.get("waiting", 0))
    closed = doc.pop("registration_closed", False)
    dates = [date["occurrence_id"] for date in _coming(world, doc)]
    for number in range(total + waiting):
        first, last = PEOPLE[(place * 5 + number) % len(PEOPLE)]
        name = f"{first}.{last}".lower().replace(" ", "").replace("'", "")
        body = {"first_name": first, "last_name": last, "email": f"{_ascii(name)}@example.net"}
        body |= _answers(doc, number)
        wanted = ",".join(dates[number % 3 : number % 3 + 1])
        found = registrations.add(world, doc, body, wanted)
        if found["status"] == "pending" and number < total:
            registrations.set_status(world, doc, found, "approve")
    doc["registration_closed"] = closed
    world.store.put("meetings", doc)


def _answers(doc: Doc, number: int) -> Doc:
    asked = questions(doc)["custom_questions"]
    found = []
    for question in asked:
        offered = question.get("answers") or ["I am curious.", "Nothing yet.", ""]
        value = offered[number % len(offered)]
        if value or question.get("required"):
            found.append({"title": question["title"], "value": value or "I am curious."})
    return {"custom_questions": found} if found else {}


def _ascii(text: str) -> str:
    table = str.maketrans("öüäéßńıłś", "ouaesnils")
    return text.translate(table).encode("ascii", "ignore").decode()
