"""The REST endpoints under ``/v2`` (REFERENCE 3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, current_app, g, jsonify, request

from . import answers
from .clock import epoch
from .errors import Problem, invalid, no_meeting, no_recording, no_user
from .limits import LIGHT, MEDIUM
from .paging import page
from .storage import Doc
from .world import World

blueprint = Blueprint("rest", __name__, url_prefix="/v2")


def world() -> World:
    """The world that this server simulates."""
    return current_app.config["WORLD"]


def enter(scope: str, label: str) -> World:
    """Check token, scope and rate limit of a call; leaves grant and account in ``g``."""
    here = world()
    header = request.headers.get("Authorization", "")
    found = here.store.get("tokens", header.removeprefix("Bearer "))
    grant = here.store.get("grants", found["grant_id"]) if found else None
    if found is None or grant is None or found["kind"] != "access":
        raise Problem(401, 124, "Invalid access token.")
    if found["until"] < here.clock.time():
        raise Problem(401, 124, "Access token is expired.")
    g.grant, g.account, g.label = grant, here.account(grant["account_id"]), label
    here.limits.check(g.account, label, here.options.rate_limit, here.clock.now())
    wanted = [scope] if here.options.app_kind == "user" else [f"{scope}:admin"]
    if not set(wanted) & set(grant["scope"]):
        text = f"Invalid access token, does not contain scopes:[{', '.join(wanted)}]."
        raise Problem(400, 4711, text)
    return here


def user_of_account(here: World, ref: str) -> Doc:
    """The user named in the path; another account's user does not exist (404/1001)."""
    wanted = g.grant["user_id"] if ref == "me" else ref
    user = here.store.get("users", wanted) or here.store.first("users", "email = ?", wanted)
    if user is None or user["account_id"] != g.account["id"]:
        raise no_user(ref)
    if here.options.app_kind == "user" and user["id"] != g.grant["user_id"]:
        raise Problem(403, 200, "The authenticated user has not permitted access.")
    return user


@blueprint.get("/users")
def users() -> Response:
    """List the users of the account."""
    here = enter("user:read:list_users", MEDIUM)
    status = request.args.get("status", "active")
    if status not in ("active", "inactive", "pending"):
        raise invalid("status", "Unknown status.")
    return jsonify(
        page(
            here,
            request.path,
            request.args.to_dict(),
            query=("users", "account_id = ? AND status = ?", (g.account["id"], status)),
            name="users",
            most=2000,
            shape=answers.user_item,
        )
    )


@blueprint.get("/users/<ref>")
def user(ref: str) -> Response:
    """One user; ``me`` is the token's owner and tells the account."""
    here = enter("user:read:user", LIGHT)
    return jsonify(answers.user_detail(here, user_of_account(here, ref)))


@blueprint.get("/accounts/me")
def account() -> Response:
    """Not in the public reference, used in the wild (1.8, unverified)."""
    enter("account:read:sub_account", LIGHT)
    names = {"account_name": g.account["name"], "account_number": g.account["number"]}
    return jsonify({"id": g.account["id"], **names})


@blueprint.get("/users/<ref>/meetings")
def meetings(ref: str) -> Response:
    """List a host's meetings: no instant, no lapsed ones, one row per series."""
    here = enter("meeting:read:list_meetings", MEDIUM)
    return jsonify(_listing(here, user_of_account(here, ref), "meeting", "meetings"))


@blueprint.get("/users/<ref>/webinars")
def webinars(ref: str) -> Response | tuple[Response, int]:
    """List a host's webinars; without the add-on an error, usually under HTTP 200 (3.1)."""
    here = enter("webinar:read:list_webinars", MEDIUM)
    owner = user_of_account(here, ref)
    if not g.account.get("webinars"):
        text = "Webinar plan is missing. Enable webinar for this user once the plan is there."
        return jsonify(code=200, message=text), here.options.webinar_plan_status
    return jsonify(_listing(here, owner, "webinar", "webinars"))


def _listing(here: World, owner: Doc, kind: str, name: str) -> dict[str, Any]:
    args = request.args.to_dict()
    now = int(here.clock.time())
    where = "host_id = ? AND kind = ? AND state = 'active' AND expires > ?"
    values: tuple[Any, ...] = (owner["id"], kind, now)
    choice = args.get("type", "scheduled")
    if choice in ("upcoming", "upcoming_meetings"):
        where, values = f"{where} AND ends > ?", (*values, now)
    elif choice == "live":
        where = f"{where} AND status = 'started'"
    elif choice == "previous_meetings":
        where, values = f"{where} AND ends <= ?", (*values, now)
    elif choice != "scheduled":
        raise invalid("type", "Unknown type.")
    return page(
        here,
        request.path,
        # Filters must be repeated with the token; the clock's second is none of them.
        args,
        query=("meetings", where, values),
        name=name,
        most=300,
        shape=lambda doc: answers.meeting_item(here, doc),
    )


@blueprint.get("/meetings/<int:number>")
def meeting(number: int) -> Response:
    """One meeting; a webinar's number is 400/3000."""
    here = enter("meeting:read:meeting", LIGHT)
    return jsonify(_detail(here, number, "meeting"))


@blueprint.get("/webinars/<int:number>")
def webinar(number: int) -> Response:
    """One webinar."""
    here = enter("webinar:read:webinar", LIGHT)
    return jsonify(_detail(here, number, "webinar"))


def _detail(here: World, number: int, kind: str) -> dict[str, Any]:
    doc = here.store.get("meetings", number)
    gone = doc is None or doc["account_id"] != g.account["id"] or doc["state"] == "deleted"
    if doc is None or gone or doc["expires"] <= here.clock.time():
        raise no_meeting(number)
    if doc["kind"] != kind:
        if kind == "meeting":
            raise Problem(400, 3000, "This meeting number is a webinar.")
        raise Problem(400, 300, "Invalid webinar id.")
    user_of_account(here, doc["host_id"])
    previous = request.args.get("show_previous_occurrences") == "true"
    return answers.meeting_detail(here, doc, show_previous=previous)


@blueprint.get("/users/<ref>/recordings")
def recordings(ref: str) -> Response:
    """List a host's recordings; the window defaults to today and spans a month at most (3.6)."""
    here = enter("cloud_recording:read:list_user_recordings", MEDIUM)
    owner, args = user_of_account(here, ref), request.args.to_dict()
    today = here.clock.now().date()
    start, end = _day(args, "from", today), _day(args, "to", today)
    if end - start > timedelta(days=31):
        if here.options.long_window == "error":
            raise invalid("from", "The range is one month at most.")
        start = end - timedelta(days=31)
    low, high = (epoch(f"{day.isoformat()}T00:00:00Z") for day in (start, end + timedelta(days=1)))
    answer = page(
        here,
        request.path,
        args,
        query=(
            "recordings",
            "host_id = ? AND state = 'active' AND started >= ? AND started < ?",
            (owner["id"], low, high),
        ),
        name="meetings",
        most=300,
        shape=lambda doc: answers.recording(here, doc),
    )
    return jsonify({**answer, "from": start.isoformat(), "to": end.isoformat()})


def _day(args: dict[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(args[name]) if name in args else default
    except ValueError as error:
        raise invalid(name, "Dates are written yyyy-mm-dd.") from error


@blueprint.get("/meetings/<ref>/recordings")
def recording(ref: str) -> Response:
    """The files of one instance. A UUID with ``/`` arrives here only when encoded twice (3.1)."""
    here = enter("cloud_recording:read:list_recording_files", LIGHT)
    ref = unquote(ref)
    if ref.isdigit():
        where, value = "meeting_id = ? AND account_id = ?", int(ref)
    else:
        where, value = "id = ? AND account_id = ?", ref
    doc = here.store.first(
        "recordings", where, value, g.account["id"], tail="ORDER BY started DESC"
    )
    waiting = doc is not None and all(file["status"] != "completed" for file in doc["files"])
    if doc is None or doc["state"] != "active" or waiting:
        raise no_recording()
    user_of_account(here, doc["host_id"])
    return jsonify(answers.recording(here, doc))
