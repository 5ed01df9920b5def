"""Creates the demo data of :mod:`.catalogue`: meetings, recordings, registrations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import participants, registrations, summaries
from .catalogue import PEOPLE, PROGRAMMES
from .clock import epoch, parse, stamp
from .content import change_meeting, delete_meeting, make_meeting, make_recording
from .registration_form import questions
from .storage import Doc
from .world import World

DEMO_ONLY_FIELDS = ("host", "move", "cancel", "record", "summary", "people", "waiting", "attended")
"""Keys of an entry that are not fields of the meeting."""


def add_programme(world: World, key: str, users: list[Doc]) -> None:
    """Create the meetings of one account."""
    for index, entry in enumerate(PROGRAMMES[key]):
        fields = {name: value for name, value in entry.items() if name not in DEMO_ONLY_FIELDS}
        doc = make_meeting(world, users[entry["host"]], world.copy(fields))
        _register(world, doc, entry, index)
        _move_and_cancel(world, doc, entry)
        _attend(world, doc, int(entry.get("attended", 0)))
        recorded = _record(world, doc, int(entry.get("record", 0)), index)
        if "summary" in entry and recorded:
            fields = {"uuid": recorded[-1]["id"], "summary_content": entry["summary"]}
            summaries.create(world, world.user(doc["host_id"]), {**fields, "event": False})


def _coming(world: World, doc: Doc) -> list[Doc]:
    now = world.clock.time()
    return [date for date in doc.get("occurrences", []) if epoch(date["start_time"]) > now]


def _move_and_cancel(world: World, doc: Doc, entry: Doc) -> None:
    """Move one upcoming occurrence by a day and an hour, and cancel another."""
    coming = _coming(world, doc)
    if "move" in entry:
        date = coming[entry["move"]]
        later = parse(date["start_time"]) + timedelta(days=1, hours=1)
        fields = {"occurrence_id": date["occurrence_id"], "start_time": stamp(later)}
        change_meeting(world, doc, fields)
    if "cancel" in entry:
        delete_meeting(world, doc, coming[entry["cancel"]]["occurrence_id"])


def _record(world: World, doc: Doc, count: int, index: int) -> list[Doc]:
    """Add an instance and a recording to the newest past occurrences; returns the recordings."""
    recordings: list[Doc] = []
    if not count:
        return recordings
    now = world.clock.time()
    past = [
        date for date in doc.get("occurrences", [doc])
        if epoch(date["start_time"]) + doc["duration"] * 60 < now - 86_400
    ]  # fmt: skip
    for turn, date in enumerate(past[-count:]):
        start = date["start_time"]
        world.store.put("instances", _instance(doc, _uuid(world, index, turn), start))
        fields: dict[str, Any] = {"meeting": doc["id"], "audio": turn % 2 == 0}
        # Some have no transcript, some no passcode, those of webinars need registration.
        fields["transcript"] = (index + turn) % 3 != 2
        if index % 4 == 3:
            fields["passcode"] = ""
        if doc["kind"] == "webinar":
            fields["settings"] = {"on_demand": True}
        recordings.append(make_recording(world, world.user(doc["host_id"]), fields))
    return recordings


def _instance(doc: Doc, uuid: str, start: str) -> Doc:
    """A past instance of a meeting that lasted as long as planned."""
    return {
        "id": uuid,
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


def _attend(world: World, doc: Doc, count: int) -> None:
    """Hold a past meeting: ``count`` of its registrants come, one of them twice, and two guests;
    one registrant stays in the waiting room."""
    if not count:
        return
    world.store.put("instances", _instance(doc, doc["uuid"], doc["start_time"]))
    instance = participants.instance_of(world, doc)
    people = world.store.find("registrants", "object_id = ?", str(doc["id"]))
    rows = [
        {"registrant": person["id"], "join": 60 * (number % 7), "leave": f"{55 - number}m"}
        for number, person in enumerate(people[:count])
    ]
    rows.append({"registrant": people[0]["id"], "join": "57m", "leave": "60m"})
    rows.append({"registrant": people[count]["id"], "status": "in_waiting_room"})
    participants.add_host(world, instance)
    participants.add(world, instance, rows, strangers=2)


def _uuid(world: World, index: int, number: int) -> str:
    """A UUID; two of them have slashes that need double encoding."""
    if (index, number) == (1, 0):
        return world.ids.uuid(start="/")
    return world.ids.uuid(infix="//" if (index, number) == (2, 1) else "")


def _register(world: World, doc: Doc, entry: Doc, index: int) -> None:
    """Register people with answers; the last ``waiting`` of them are not approved yet."""
    total, waiting = int(entry.get("people", 0)), int(entry.get("waiting", 0))
    closed = doc.pop("registration_closed", False)
    dates = [date["occurrence_id"] for date in _coming(world, doc)]
    for number in range(total + waiting):
        first, last = PEOPLE[(index * 5 + number) % len(PEOPLE)]
        name = f"{first}.{last}".lower().replace(" ", "").replace("'", "")
        body = {"first_name": first, "last_name": last, "email": f"{_ascii(name)}@example.net"}
        body |= _answers(doc, number)
        occurrence_ids = ",".join(dates[number % 3 : number % 3 + 1])
        registrant = registrations.add(world, doc, body, occurrence_ids)
        if registrant["status"] == "pending" and number < total:
            registrations.set_status(world, doc, registrant, "approve")
    doc["registration_closed"] = closed
    world.store.put("meetings", doc)


def _answers(doc: Doc, number: int) -> Doc:
    custom_questions = questions(doc)["custom_questions"]
    answers = []
    for question in custom_questions:
        options = question.get("answers") or ["I am curious.", "Nothing yet.", ""]
        value = options[number % len(options)]
        if value or question.get("required"):
            answers.append({"title": question["title"], "value": value or "I am curious."})
    return {"custom_questions": answers} if answers else {}


def _ascii(text: str) -> str:
    table = str.maketrans("öüäéßńıłś", "ouaesnils")
    return text.translate(table).encode("ascii", "ignore").decode()
