"""Seed data: three accounts with users, meetings and recordings."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .catalogue import PEOPLE, PROGRAMMES
from .content import change_meeting, delete_meeting, make_meeting, make_recording
from .demo import add_programme
from .ids import Ids
from .storage import Doc
from .world import World

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "key": "aurora",
        "name": "Aurora Yoga",
        "plan": "pro",
        "webinars": False,
        "zone": "Europe/Berlin",
        "users": ("Studio Aurora", "Ines Krüger", "Mika Sørensen"),
    },
    {
        "key": "borealis",
        "name": "Borealis Institute",
        "plan": "business",
        "webinars": True,
        "zone": "America/New_York",
        "users": ("Lena Brandt", "Tomás Rivera", "Amara Osei", "王芳"),
    },
    {
        "key": "harbour",
        "name": "Harbour House",
        "plan": "free",
        "webinars": False,
        "zone": "Europe/London",
        "users": ("Josefine Adler",),
    },
)
TOPICS: dict[str, tuple[str, ...]] = {
    "aurora": ("Morning flow", "Yin and rest", "Breath and stillness", "Yoga für den Rücken"),
    "borealis": ("Reading group: The Living Mountain", "Open studio", "Members' assembly"),
    "harbour": ("Sourdough morning", "Repair café: planning"),
}
TEMPLATES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "aurora": (
        ("Class", {"mute_upon_entry": True}),
        ("Workshop with recording", {"auto_recording": "cloud", "join_before_host": True}),
    ),
    "borealis": (
        ("Reading group", {"participant_video": True}),
        ("Lecture with recording", {"auto_recording": "cloud", "mute_upon_entry": True}),
    ),
    "harbour": (("Open kitchen", {"join_before_host": True, "participant_video": True}),),
}
"""Templates of each host: name and settings."""
HOSTILE = (
    "<script>alert('topic')</script>",
    '=HYPERLINK("https://evil.example","Click")',
    "Two\r\nlines\r\nBcc: everyone@example.org",
    "مجموعة القراءة",
)


def seed(
    world: World,
    number: int | str = 1,
    *,
    demo: bool = False,
    extra: dict[str, int] | None = None,
) -> None:
    """Fill an empty world; the same number gives the same ids.

    ``demo`` creates the demo data instead of the test data; ``extra``: numbers of additional
    ``hosts``, ``meetings``, ``webinars`` and ``recordings`` of each account.
    """
    world.ids = Ids(number)
    with world.transaction():
        for account_data in ACCOUNTS:
            users = _add_account(world, account_data, (extra or {}).get("hosts", 0))
            if demo:
                add_programme(world, account_data["key"], users)
            else:
                _add_meetings(world, account_data["key"], users)
                if account_data["plan"] != "free":
                    _add_recordings(world, account_data["key"], users[0])
            _add_extra(world, account_data, users, extra or {})
        world.store.set_meta("seeded", True)


def _add_extra(
    world: World, account_data: dict[str, Any], users: list[Doc], extra: dict[str, int]
) -> None:
    """Additional objects, distributed over the hosts; times stay within Zoom's limits."""
    for index in range(extra.get("meetings", 0)):
        start_time = f"+{index % 300 + 1}d {7 + index % 14:02}:{index % 4 * 15:02}"
        topic = f"Meeting {index}"
        make_meeting(world, users[index % len(users)], {"topic": topic, "start_time": start_time})
    for index in range(extra.get("webinars", 0) if account_data["webinars"] else 0):
        start_time = f"+{index % 300 + 1}d {9 + index % 12:02}:30"
        fields = {"kind": "webinar", "topic": f"Webinar {index}", "start_time": start_time}
        make_meeting(world, users[index % len(users)], fields)
    for index in range(extra.get("recordings", 0) if account_data["plan"] != "free" else 0):
        start_time = f"-{index % 400 + 2}d 18:00"
        fields = {"topic": f"Recording {index}", "start_time": start_time}
        make_recording(world, users[index % len(users)], fields)


def _add_account(world: World, account_data: dict[str, Any], extra_hosts: int) -> list[Doc]:
    account = {
        "id": world.ids.random_id(),
        "key": account_data["key"],
        "name": account_data["name"],
        "number": world.ids.personal_number(),
        "plan": account_data["plan"],
        "webinars": account_data["webinars"],
    }
    users = [
        {
            "id": world.ids.random_id(),
            "key": f"{account_data['key']}-{index}",
            "account_id": account["id"],
            "email": f"{account_data['key']}-{index}@example.org",
            "first_name": name.split()[0],
            "last_name": " ".join(name.split()[1:]),
            "display_name": name,
            "type": 1 if account_data["plan"] == "free" else 2,
            "status": "active",
            "timezone": account_data["zone"],
            "role_id": "0" if index == 0 else "2",
            "pmi": world.ids.personal_number(),
            "templates": _templates(account_data["key"], index),
        }
        for index, name in enumerate([*account_data["users"], *_names(extra_hosts)])
    ]
    world.store.put("accounts", account)
    world.store.put("users", *users)
    return users


def _templates(key: str, index: int) -> list[Doc]:
    """The templates of one host; their ids do not use up the ids of the seed."""
    rows = []
    for name, settings in TEMPLATES[key]:
        digest = hashlib.sha256(f"{key}-{index} {name}".encode()).digest()
        identifier = base64.urlsafe_b64encode(digest).decode()[:22]
        rows.append({"id": identifier, "name": name, "type": 1, "settings": settings})
    return rows


def _names(number: int) -> list[str]:
    return [f"{PEOPLE[n % len(PEOPLE)][0]} {PEOPLE[n * 7 % len(PEOPLE)][1]}" for n in range(number)]


def _add_meetings(world: World, key: str, users: list[Doc]) -> None:
    for index, topic in enumerate(TOPICS[key]):
        host = users[index % len(users)]
        make_meeting(world, host, {"topic": topic, "start_time": f"+{index + 1}d 18:30"})
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 20}
    series = {"topic": f"{TOPICS[key][0]}, weekly", "start_time": "-20d 18:00"}
    make_meeting(world, users[0], {**series, "recurrence": weekly, "agenda": "Bring a blanket."})
    make_meeting(world, users[0], {"topic": "Past evening", "start_time": "-3d 19:00"})
    make_meeting(world, users[0], {"topic": "Without a date", "type": 3})
    make_meeting(world, users[0], {"topic": "Just now", "type": 1, "start_time": "-10m"})
    make_meeting(world, users[0], {"topic": "Private talk", "private": True})
    make_meeting(
        world, users[0], {"topic": "With registration", "registration": "manual", "duration": 90}
    )
    if key == "borealis":
        for index, topic in enumerate(HOSTILE):
            make_meeting(world, users[1], {"topic": topic, "start_time": f"+{index + 2}d 20:00"})
        entry = next(entry for entry in PROGRAMMES[key] if "tracking_sources" in entry)
        names = ("questions", "custom_questions", "tracking_sources")
        webinar = {"kind": "webinar", "topic": "Heat pumps in old houses", "registration": "auto"}
        make_meeting(world, users[0], {**webinar, **{name: entry[name] for name in names}})
        entry = next(entry for entry in PROGRAMMES[key] if entry["topic"].startswith("Writing"))
        table = {name: entry[name] for name in ("topic", "agenda", "custom_questions")}
        make_meeting(
            world, users[2], {**table, "registration": "manual", "start_time": "+6d 18:00"}
        )
        group = {"topic": "Every second week", "start_time": "-20d 19:00"}
        rule = {"type": 2, "repeat_interval": 2, "end_times": 12}
        _move_and_cancel(world, make_meeting(world, users[1], {**group, "recurrence": rule}))
        personal_room = {"topic": "Personal room", "type": 4}
        make_meeting(world, users[1], personal_room)
        own = {"topic": "In the personal room", "settings": {"use_pmi": True}}
        make_meeting(world, users[1], {**own, "start_time": "+4d 09:00"})
        make_meeting(world, users[2], {**webinar, "topic": "Lecture series", "recurrence": weekly})


def _move_and_cancel(world: World, doc: Doc) -> None:
    """Move one upcoming occurrence and cancel another."""
    moved, cancelled = (doc["occurrences"][index]["occurrence_id"] for index in (4, 6))
    change_meeting(world, doc, {"occurrence_id": moved, "start_time": "+40d 20:00"})
    delete_meeting(world, doc, cancelled)


def _add_recordings(world: World, key: str, host: Doc) -> None:
    for index, topic in enumerate(TOPICS[key]):
        fields = {"topic": topic, "start_time": f"-{index * 25 + 2}d 18:30"}
        make_recording(world, host, fields)
    make_recording(world, host, {"topic": "Slash first", "uuid": world.ids.uuid(start="/")})
    make_recording(world, host, {"topic": "Slashes inside", "uuid": world.ids.uuid(infix="//")})
    make_recording(world, host, {"topic": "Still processing", "processing": True})
