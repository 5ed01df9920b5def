"""Template context of the simulator's web page."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .clock import epoch, parse, stamp
from .content import SERIES, UNDATED
from .links import join_url
from .storage import Doc
from .world import World

ROWS = 30
REPEATS = {
    "daily": {"type": 1, "repeat_interval": 1},
    "weekly": {"type": 2, "repeat_interval": 1},
    "fortnightly": {"type": 2, "repeat_interval": 2},
    "monthly": {"type": 3, "repeat_interval": 1},
}
"""Choices of the form → Zoom's recurrence."""


def clock_face(start: str, minutes: int, zone: str) -> dict[str, Any]:
    """The parts of a date as a row shows them, in the time zone ``zone``."""
    begin = parse(start).astimezone(ZoneInfo(zone))
    end = (parse(start) + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    return {
        "weekday": begin.strftime("%a"),
        "day": begin.day,
        "month": begin.strftime("%b"),
        "year": begin.year,
        "time": f"{begin:%H:%M} to {end:%H:%M}",
        "zone": zone.replace("_", " "),
        "input": f"{begin:%Y-%m-%dT%H:%M}",
    }


def coming(world: World, account: Doc, limit: int = ROWS) -> tuple[list[dict[str, Any]], bool]:
    """The next occurrences of an account in order of time, and whether there are more.

    Those of the last hour are included, so that a meeting can be ended and recorded.
    """
    since = world.clock.time() - 3600
    docs = world.store.find(
        "meetings", "account_id = ? AND state = 'active' AND (ends > ? OR status = 'started')",
        account["id"], since, tail="ORDER BY starts LIMIT 500",
    )  # fmt: skip
    names = _names(world, account)
    dated = [(date, doc) for doc in docs for date in _dates(doc, since)]
    dated.sort(key=lambda pair: (pair[0].get("start_time", "9999"), pair[1]["id"]))
    running: set[int] = set()
    rows = []
    for date, doc in dated[:limit]:
        row = _row(world, doc, date, names)
        # A running series is marked on the first of its listed occurrences only.
        row["live"] = doc["status"] == "started" and doc["id"] not in running
        running.add(doc["id"])
        rows.append(row)
    return rows, len(dated) > limit


def _dates(doc: Doc, since: float) -> list[Doc]:
    if doc["type"] not in SERIES:
        return [doc]
    return [
        date
        for date in doc["occurrences"]
        if epoch(date["start_time"]) + date["duration"] * 60 > since
    ]


def _row(world: World, doc: Doc, date: Doc, names: dict[str, str]) -> dict[str, Any]:
    approval = doc["settings"].get("approval_type")
    row = {
        "id": doc["id"],
        "kind": doc["kind"],
        "occurrence_id": date.get("occurrence_id", ""),
        "anchor": f"d{doc['id']}-{date.get('occurrence_id', '')}",
        "topic": doc["topic"],
        "host": names.get(doc["host_id"], ""),
        "minutes": date["duration"],
        "series": doc["type"] in SERIES,
        "undated": doc["type"] in UNDATED,
        "private": bool(doc["settings"].get("private_meeting")),
        "by_app": doc.get("creation_source") == "open_api",
        "cancelled": date.get("status") == "deleted",
        "registration": {0: "Registration", 1: "Registration, approved by hand"}.get(approval, ""),
        "registered": world.store.count(
            "registrants", "target = ? AND object_id = ? AND status = 'approved'",
            doc["kind"], str(doc["id"]),
        ) if approval in (0, 1) else 0,
        "join_url": join_url(world, doc),
    }  # fmt: skip
    if "start_time" in date:
        row |= clock_face(date["start_time"], date["duration"], doc["timezone"])
    return row


def deleted(world: World, account: Doc) -> list[Doc]:
    """The last deleted meetings, which can be recovered."""
    return world.store.find(
        "meetings", "account_id = ? AND state = 'deleted'", account["id"],
        tail="ORDER BY seq DESC LIMIT 5",
    )  # fmt: skip


def waiting(world: World, account: Doc) -> list[dict[str, Any]]:
    """Registrants that wait for the host's approval."""
    rows = world.store.rows(
        "SELECT r.data AS person, m.data AS meeting FROM registrants r JOIN meetings m"
        " ON m.id = CAST(r.object_id AS INTEGER) WHERE r.status = 'pending'"
        " AND r.target != 'recording' AND m.account_id = ? ORDER BY r.seq LIMIT 50",
        account["id"],
    )
    pairs = [(json.loads(row["person"]), json.loads(row["meeting"])) for row in rows]
    return [person_row(person, meeting) for person, meeting in pairs]


def person_row(person: Doc, meeting: Doc) -> dict[str, Any]:
    """One registrant."""
    return {
        "id": person["id"],
        "name": f"{person['first_name']} {person.get('last_name', '')}".strip(),
        "email": person["address_as_given"],
        "status": person["status"],
        "dates": len(person["occurrences"]),
        "answers": person.get("custom_questions", []),
        "meeting": meeting["id"],
        "topic": meeting["topic"],
    }


def recordings(world: World, account: Doc) -> list[dict[str, Any]]:
    """The newest recordings, including those in the trash."""
    docs = world.store.find(
        "recordings", "account_id = ? AND state != 'deleted'", account["id"],
        tail="ORDER BY started DESC LIMIT 12",
    )  # fmt: skip
    names = _names(world, account)
    return [
        {
            "uuid": doc["id"],
            "topic": doc["topic"],
            "host": names.get(doc["host_id"], ""),
            "minutes": doc["duration"],
            "passcode": doc["passcode"],
            "share_url": doc["share_url"],
            "processing": any(file["status"] == "processing" for file in doc["files"]),
            "transcript": any(file["file_type"] == "TRANSCRIPT" for file in doc["files"]),
            "trashed": doc["state"] == "trashed",
            **clock_face(doc["start_time"], doc["duration"], doc["timezone"]),
        }
        for doc in docs
    ]


def installations(world: World, account: Doc) -> list[dict[str, Any]]:
    """Users who added the app."""
    grants = world.store.find("grants", "account_id = ?", account["id"])
    names = _names(world, account)
    return [
        {
            "user": grant["user_id"],
            "name": names.get(grant["user_id"], ""),
            "scopes": len(grant["scope"]),
        }
        for grant in grants
    ]


def deliveries(world: World, account: Doc) -> list[dict[str, Any]]:
    """The last events of an account with their delivery state."""
    docs = world.store.find(
        "events", "json_extract(data, '$.account_id') = ?", account["id"],
        tail="ORDER BY seq DESC LIMIT 15",
    )  # fmt: skip
    return [_delivery(world, doc) for doc in docs]


def _delivery(world: World, doc: Doc) -> dict[str, Any]:
    last = world.store.first("attempts", "event_id = ?", doc["id"], tail="ORDER BY seq DESC")
    status = last["status"] if last else None
    is_unanswered = last is not None and status is None
    is_retried = doc["state"] == "pending" and doc["tries"] > 0
    return {
        "id": doc["id"],
        "event": doc["event"],
        "created": doc["created"][11:19],
        "state": "waiting" if is_retried else doc["state"],
        "status": "no answer" if is_unanswered else status,
        "tries": doc["tries"],
        "milliseconds": last["milliseconds"] if last else None,
        "next_try": stamp(doc["next_try"])[11:19] if is_retried else "",
    }


def _names(world: World, account: Doc) -> dict[str, str]:
    users = world.store.find("users", "account_id = ?", account["id"])
    return {user["id"]: user["display_name"] for user in users}


def fields_from_form(form: dict[str, str]) -> dict[str, Any]:
    """The form of a new meeting as fields of the control API."""
    fields: dict[str, Any] = {
        "kind": form.get("kind", "meeting"),
        "topic": form.get("topic", "").strip() or "Untitled",
        "start_time": form.get("start", "") or "+1d 18:00",
        "duration": int(form.get("duration") or 60),
        "agenda": form.get("agenda", ""),
        "registration": form.get("registration") or "none",
        "settings": {"registration_type": int(form.get("registration_type") or 1)},
    }
    rule = REPEATS.get(form.get("repeat", ""))
    if rule:
        fields["recurrence"] = {**rule, "end_times": max(2, int(form.get("times") or 6))}
    return fields


def tomorrow(world: World, zone: str) -> str:
    """The form's initial start: tomorrow evening in the host's time zone."""
    day: datetime = world.clock.now().astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return f"{day:%Y-%m-%d}T18:00"
