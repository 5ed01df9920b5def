"""REST endpoints of past meetings and webinars, upcoming meetings and the status of a user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, g, jsonify, request

from . import participants, people, responses
from .clock import epoch, parse, stamp
from .errors import WEBINAR_PLAN_MISSING, Problem, invalid, no_meeting
from .limits import LIGHT, MEDIUM
from .links import join_url
from .paging import page
from .request_context import body, enter, user_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_past", __name__, url_prefix="/v2")


def _instances(world: World, identifier: str, kind: str) -> list[Doc]:
    if not (identifier.isdigit() and len(identifier) < 19):
        return []
    instances = world.store.find(
        "instances", "meeting_id = ? AND account_id = ?", int(identifier), g.account["id"],
        tail="ORDER BY started",
    )  # fmt: skip
    return [instance for instance in instances if instance["end_time"] and instance["kind"] == kind]


@blueprint.get("/past_meetings/<path:identifier>")
def past(identifier: str) -> Response:
    """One past instance by UUID; a number means the newest."""
    world = enter("meeting:read:past_meeting", LIGHT)
    if g.account["plan"] == "free":
        raise Problem(400, 200, "Only available for Paid account.")
    identifier = unquote(identifier)
    instances = _instances(world, identifier, "meeting")
    if not instances:
        instance = world.store.get("instances", identifier)
        is_own = (
            instance is not None
            and instance["account_id"] == g.account["id"]
            and instance["end_time"]
        )
        instances = [instance] if instance is not None and is_own else []
    if not instances:
        raise no_meeting(identifier)
    if world.clock.now() - parse(instances[-1]["start_time"]) > timedelta(days=365):
        raise Problem(400, 12702, "Can not access a meeting a year ago.")
    return jsonify(responses.past_meeting(world, instances[-1]))


@blueprint.get("/past_meetings/<path:identifier>/participants")
def meeting_participants(identifier: str) -> Response:
    """Who took part in one instance; a number means the newest."""
    world = enter("meeting:read:list_past_participants", MEDIUM)
    if g.account["plan"] == "free":
        raise Problem(400, 200, "Only available for Paid account.")
    return _participants(world, identifier, "meeting")


@blueprint.get("/past_webinars/<path:identifier>/participants")
def webinar_participants(identifier: str) -> Response:
    """Who took part in one instance of a webinar."""
    world = enter("webinar:read:list_past_participants", MEDIUM)
    if not g.account.get("webinars"):
        raise Problem(400, 200, WEBINAR_PLAN_MISSING)
    return _participants(world, identifier, "webinar")


def _participants(world: World, identifier: str, kind: str) -> Response:
    instances = _instances(world, identifier, kind)
    is_ambiguous = identifier.startswith("/") or "//" in identifier  # not encoded twice
    if not instances and not is_ambiguous:
        instance = world.store.get("instances", unquote(identifier))
        if instance is not None and instance["account_id"] == g.account["id"]:
            instances = [instance] if instance["kind"] == kind and instance["end_time"] else []
    if not instances:
        raise no_meeting(identifier)
    instance = instances[-1]
    now = world.clock.now()
    if now - parse(instance["start_time"]) > timedelta(days=365):
        raise Problem(400, 12702, "Can not access a meeting a year ago.")
    ready_at = parse(instance["end_time"]) + timedelta(seconds=world.options.participants_delay)
    if now < ready_at and world.options.participants_early == "error":
        raise no_meeting(identifier)
    where, values = participants.condition(world, instance)
    if now < ready_at:
        where = f"{where} AND 0"
    return jsonify(
        page(
            world,
            request.path,
            request.args.to_dict(),
            query=("participants", where, values),
            name="participants",
            numbered=False,
            shape=participants.item,
        )
    )


@blueprint.get("/past_meetings/<identifier>/instances")
def past_meetings(identifier: str) -> Response:
    """All past instances; ``from`` and ``to`` only together."""
    world = enter("meeting:read:list_past_instances", MEDIUM)
    instances = _instances(world, identifier, "meeting")
    low, high = request.args.get("from"), request.args.get("to")
    if bool(low) != bool(high):
        raise invalid("from", "from and to belong together.")
    if low and high:
        instances = [
            instance for instance in instances if low <= instance["start_time"][: len(low)] <= high
        ]
    if (
        not instances
        and world.store.get("meetings", int(identifier) if identifier.isdigit() else 0) is None
    ):
        raise no_meeting(identifier)
    return jsonify(meetings=[_short(instance) for instance in instances])


@blueprint.get("/past_webinars/<identifier>/instances")
def past_webinars(identifier: str) -> Response:
    """All past instances of a webinar."""
    world = enter("webinar:read:list_past_instances", LIGHT)
    return jsonify(
        webinars=[_short(instance) for instance in _instances(world, identifier, "webinar")]
    )


def _short(instance: Doc) -> dict[str, Any]:
    return {"uuid": instance["id"], "start_time": instance["start_time"]}


@blueprint.get("/users/<identifier>/upcoming_meetings")
def upcoming(identifier: str) -> Response:
    """The next 24 hours, one row for each occurrence of a series."""
    world = enter("meeting:read:list_upcoming_meetings", MEDIUM)
    owner = user_of_account(world, identifier)
    now = int(world.clock.time())
    docs = world.store.find(
        "meetings", "host_id = ? AND kind = 'meeting' AND state = 'active' AND ends > ?",
        owner["id"], now,
    )  # fmt: skip
    rows = [row for doc in docs for row in _rows(world, doc, now)]
    rows.sort(key=lambda row: row["start_time"])
    return jsonify(total_records=len(rows), meetings=rows)


def _rows(world: World, doc: Doc, now: int) -> list[dict[str, Any]]:
    dates = [date for date in doc.get("occurrences", [doc]) if date.get("status") != "deleted"]
    starts = [epoch(date["start_time"]) for date in dates if "start_time" in date]
    near = [
        start for start in starts if now <= start + doc["duration"] * 60 and start < now + 86400
    ]
    return [
        {
            **{name: doc[name] for name in ("id", "topic", "type", "duration", "timezone")},
            "start_time": stamp(start),
            "created_at": doc["created_at"],
            "join_url": join_url(world, doc),
            "passcode": doc["password"],
            "use_pmi": bool(doc["settings"].get("use_pmi")),
            "is_host": True,
            "is_all_day": False,
        }
        for start in near
    ]


@blueprint.put("/users/<identifier>/status")
def user_status(identifier: str) -> tuple[str, int]:
    """Activate or deactivate a user."""
    world, action = enter("user:update:status", LIGHT), body().get("action")
    if action not in ("activate", "deactivate"):
        raise invalid("action", "Invalid field.")
    with world.transaction():
        status = "active" if action == "activate" else "inactive"
        people.change(world, user_of_account(world, identifier), {"status": status})
    return "", 204
