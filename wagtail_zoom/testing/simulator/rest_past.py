"""The endpoints of what took place, and the small ones beside them (REFERENCE 3.2, 3.3, 3.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, g, jsonify, request

from . import people, responses
from .clock import epoch, parse, stamp
from .errors import Problem, invalid, no_meeting
from .limits import LIGHT, MEDIUM
from .links import join_url
from .request_context import body, enter, user_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_past", __name__, url_prefix="/v2")


def _instances(here: World, ref: str, kind: str) -> list[Doc]:
    if not (ref.isdigit() and len(ref) < 19):
        return []
    found = here.store.find(
        "instances", "meeting_id = ? AND account_id = ?", int(ref), g.account["id"],
        tail="ORDER BY started",
    )  # fmt: skip
    return [one for one in found if one["end_time"] and one["kind"] == kind]


@blueprint.get("/past_meetings/<ref>")
def past(ref: str) -> Response:
    """One instance that is over; a number means the newest."""
    here = enter("meeting:read:past_meeting", LIGHT)
    if g.account["plan"] == "free":
        raise Problem(400, 200, "Only available for Paid account.")
    ref = unquote(ref)
    found = _instances(here, ref, "meeting")
    if not found:
        one = here.store.get("instances", ref)
        mine = one is not None and one["account_id"] == g.account["id"] and one["end_time"]
        found = [one] if one is not None and mine else []
    if not found:
        raise no_meeting(ref)
    if here.clock.now() - parse(found[-1]["start_time"]) > timedelta(days=365):
        raise Problem(400, 12702, "Can not access a meeting a year ago.")
    return jsonify(responses.past_meeting(here, found[-1]))


@blueprint.get("/past_meetings/<ref>/instances")
def past_meetings(ref: str) -> Response:
    """Every instance that is over; ``from`` and ``to`` only together."""
    here = enter("meeting:read:list_past_instances", MEDIUM)
    found = _instances(here, ref, "meeting")
    low, high = request.args.get("from"), request.args.get("to")
    if bool(low) != bool(high):
        raise invalid("from", "from and to belong together.")
    if low and high:
        found = [one for one in found if low <= one["start_time"][: len(low)] <= high]
    if not found and here.store.get("meetings", int(ref) if ref.isdigit() else 0) is None:
        raise no_meeting(ref)
    return jsonify(meetings=[_short(one) for one in found])


@blueprint.get("/past_webinars/<ref>/instances")
def past_webinars(ref: str) -> Response:
    """Every instance of a webinar that is over."""
    here = enter("webinar:read:list_past_instances", LIGHT)
    return jsonify(webinars=[_short(one) for one in _instances(here, ref, "webinar")])


def _short(instance: Doc) -> dict[str, Any]:
    return {"uuid": instance["id"], "start_time": instance["start_time"]}


@blueprint.get("/users/<ref>/upcoming_meetings")
def upcoming(ref: str) -> Response:
    """The next 24 hours, one row for each date of a series."""
    here = enter("meeting:read:list_upcoming_meetings", MEDIUM)
    owner = user_of_account(here, ref)
    now = int(here.clock.time())
    docs = here.store.find(
        "meetings", "host_id = ? AND kind = 'meeting' AND state = 'active' AND ends > ?",
        owner["id"], now,
    )  # fmt: skip
    rows = [row for doc in docs for row in _rows(here, doc, now)]
    rows.sort(key=lambda row: row["start_time"])
    return jsonify(total_records=len(rows), meetings=rows)


def _rows(here: World, doc: Doc, now: int) -> list[dict[str, Any]]:
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
            "join_url": join_url(here, doc),
            "passcode": doc["password"],
            "use_pmi": bool(doc["settings"].get("use_pmi")),
            "is_host": True,
            "is_all_day": False,
        }
        for start in near
    ]


@blueprint.put("/users/<ref>/status")
def user_status(ref: str) -> tuple[str, int]:
    """Activate or deactivate a user."""
    here, action = enter("user:update:status", LIGHT), body().get("action")
    if action not in ("activate", "deactivate"):
        raise invalid("action", "Invalid field.")
    with here.transaction():
        status = "active" if action == "activate" else "inactive"
        people.change(here, user_of_account(here, ref), {"status": status})
    return "", 204
