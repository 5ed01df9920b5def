"""The world at the start: three accounts whose people and dates look like real ones."""

from __future__ import annotations

from typing import Any

from .content import make_meeting, make_recording
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
HOSTILE = (
    "<script>alert('topic')</script>",
    '=HYPERLINK("https://evil.example","Click")',
    "Two\r\nlines\r\nBcc: everyone@example.org",
    "مجموعة القراءة",
)


def seed(world: World, number: int | str = 1) -> None:
    """Fill an empty world; the same number gives the same ids."""
    world.ids = Ids(number)
    with world.transaction():
        for facts in ACCOUNTS:
            users = _people(world, facts)
            _dates(world, facts["key"], users)
            if facts["plan"] != "free":
                _recordings(world, facts["key"], users[0])
        world.store.set_meta("seeded", True)


def _people(world: World, facts: dict[str, Any]) -> list[Doc]:
    account = {
        "id": world.ids.opaque(),
        "key": facts["key"],
        "name": facts["name"],
        "number": world.ids.personal_number(),
        "plan": facts["plan"],
        "webinars": facts["webinars"],
    }
    users = [
        {
            "id": world.ids.opaque(),
            "key": f"{facts['key']}-{place}",
            "account_id": account["id"],
            "email": f"{facts['key']}-{place}@example.org",
            "first_name": name.split()[0],
            "last_name": " ".join(name.split()[1:]),
            "display_name": name,
            "type": 1 if facts["plan"] == "free" else 2,
            "status": "active",
            "timezone": facts["zone"],
            "role_id": "0" if place == 0 else "2",
            "pmi": world.ids.personal_number(),
        }
        for place, name in enumerate(facts["users"])
    ]
    world.store.put("accounts", account)
    world.store.put("users", *users)
    return users


def _dates(world: World, key: str, users: list[Doc]) -> None:
    for place, topic in enumerate(TOPICS[key]):
        host = users[place % len(users)]
        make_meeting(world, host, {"topic": topic, "start_time": f"+{place + 1}d 18:30"})
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
        for place, topic in enumerate(HOSTILE):
            make_meeting(world, users[1], {"topic": topic, "start_time": f"+{place + 2}d 20:00"})
        facts = {"kind": "webinar", "topic": "Heat pumps in old houses", "registration": "auto"}
        make_meeting(world, users[0], facts)
        make_meeting(world, users[2], {**facts, "topic": "Lecture series", "recurrence": weekly})


def _recordings(world: World, key: str, host: Doc) -> None:
    for place, topic in enumerate(TOPICS[key]):
        facts = {"topic": topic, "start_time": f"-{place * 25 + 2}d 18:30"}
        make_recording(world, host, facts)
    make_recording(world, host, {"topic": "Slash first", "uuid": world.ids.uuid(start="/")})
    make_recording(world, host, {"topic": "Slashes inside", "uuid": world.ids.uuid(within="//")})
    make_recording(world, host, {"topic": "Still processing", "processing": True})
