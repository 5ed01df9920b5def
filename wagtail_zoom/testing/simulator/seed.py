"""The world at the start: three accounts whose people and dates look like real ones."""

from __future__ import annotations

from typing import Any

from .catalogue import PEOPLE, PROGRAMMES
from .content import change_meeting, delete_meeting, make_meeting, make_recording
from .demo import plant
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


def seed(
    world: World,
    number: int | str = 1,
    *,
    demo: bool = False,
    more: dict[str, int] | None = None,
) -> None:
    """Fill an empty world; the same number gives the same ids.

    ``demo`` plants programmes to look at instead of what tests like; ``more`` tells how many
    ``hosts``, ``meetings``, ``webinars`` and ``recordings`` each account has on top.
    """
    world.ids = Ids(number)
    with world.transaction():
        for facts in ACCOUNTS:
            users = _people(world, facts, (more or {}).get("hosts", 0))
            if demo:
                plant(world, facts["key"], users)
            else:
                _dates(world, facts["key"], users)
                if facts["plan"] != "free":
                    _recordings(world, facts["key"], users[0])
            _bulk(world, facts, users, more or {})
        world.store.set_meta("seeded", True)


def _bulk(world: World, facts: dict[str, Any], users: list[Doc], more: dict[str, int]) -> None:
    """So many on top, dealt out to the hosts; lengths of time stay within Zoom's limits."""
    for place in range(more.get("meetings", 0)):
        moment = f"+{place % 300 + 1}d {7 + place % 14:02}:{place % 4 * 15:02}"
        topic = f"Meeting {place}"
        make_meeting(world, users[place % len(users)], {"topic": topic, "start_time": moment})
    for place in range(more.get("webinars", 0) if facts["webinars"] else 0):
        moment = f"+{place % 300 + 1}d {9 + place % 12:02}:30"
        wanted = {"kind": "webinar", "topic": f"Webinar {place}", "start_time": moment}
        make_meeting(world, users[place % len(users)], wanted)
    for place in range(more.get("recordings", 0) if facts["plan"] != "free" else 0):
        moment = f"-{place % 400 + 2}d 18:00"
        wanted = {"topic": f"Recording {place}", "start_time": moment}
        make_recording(world, users[place % len(users)], wanted)


def _people(world: World, facts: dict[str, Any], more: int) -> list[Doc]:
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
        for place, name in enumerate([*facts["users"], *_names(more)])
    ]
    world.store.put("accounts", account)
    world.store.put("users", *users)
    return users


def _names(number: int) -> list[str]:
    return [f"{PEOPLE[n % len(PEOPLE)][0]} {PEOPLE[n * 7 % len(PEOPLE)][1]}" for n in range(number)]


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
        asked = next(one for one in PROGRAMMES[key] if "tracking_sources" in one)
        names = ("questions", "custom_questions", "tracking_sources")
        facts = {"kind": "webinar", "topic": "Heat pumps in old houses", "registration": "auto"}
        make_meeting(world, users[0], {**facts, **{name: asked[name] for name in names}})
        asked = next(one for one in PROGRAMMES[key] if one["topic"].startswith("Writing"))
        table = {name: asked[name] for name in ("topic", "agenda", "custom_questions")}
        make_meeting(
            world, users[2], {**table, "registration": "manual", "start_time": "+6d 18:00"}
        )
        group = {"topic": "Every second week", "start_time": "-20d 19:00"}
        rule = {"type": 2, "repeat_interval": 2, "end_times": 12}
        _amended(world, make_meeting(world, users[1], {**group, "recurrence": rule}))
        room = {"topic": "Personal room", "type": 4}
        make_meeting(world, users[1], room)
        own = {"topic": "In the personal room", "settings": {"use_pmi": True}}
        make_meeting(world, users[1], {**own, "start_time": "+4d 09:00"})
        make_meeting(world, users[2], {**facts, "topic": "Lecture series", "recurrence": weekly})


def _amended(world: World, doc: Doc) -> None:
    """One coming date moved, another cancelled."""
    moved, cancelled = (doc["occurrences"][place]["occurrence_id"] for place in (4, 6))
    change_meeting(world, doc, {"occurrence_id": moved, "start_time": "+40d 20:00"})
    delete_meeting(world, doc, cancelled)


def _recordings(world: World, key: str, host: Doc) -> None:
    for place, topic in enumerate(TOPICS[key]):
        facts = {"topic": topic, "start_time": f"-{place * 25 + 2}d 18:30"}
        make_recording(world, host, facts)
    make_recording(world, host, {"topic": "Slash first", "uuid": world.ids.uuid(start="/")})
    make_recording(world, host, {"topic": "Slashes inside", "uuid": world.ids.uuid(within="//")})
    make_recording(world, host, {"topic": "Still processing", "processing": True})
