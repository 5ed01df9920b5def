"""REST endpoints of users, meetings and webinars."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from . import responses
from .errors import WEBINAR_PLAN_MISSING, invalid
from .limits import LIGHT, MEDIUM
from .paging import page
from .request_context import enter, meeting_of_account, user_of_account
from .scheduling import occurrence
from .storage import Doc
from .world import World

blueprint = Blueprint("rest", __name__, url_prefix="/v2")


@blueprint.get("/users")
def users() -> Response:
    """List the users of the account."""
    world = enter("user:read:list_users", MEDIUM)
    status = request.args.get("status", "")
    if status not in ("active", "inactive", "pending"):
        status = "active"  # as without one
    return jsonify(
        page(
            world,
            request.path,
            request.args.to_dict(),
            query=("users", "account_id = ? AND status = ?", (g.account["id"], status)),
            name="users",
            max_size=2000,
            shape=responses.user_item,
        )
    )


@blueprint.get("/users/<identifier>")
def user(identifier: str) -> Response:
    """One user; ``me`` is the token's user."""
    world = enter("user:read:user", LIGHT)
    return jsonify(responses.user_detail(world, user_of_account(world, identifier)))


@blueprint.get("/accounts/me")
def account() -> Response:
    """Not in Zoom's public documentation (unverified)."""
    world, account = enter("account:read:sub_account", LIGHT), g.account
    return jsonify(
        id=account["id"],
        account_name=account["name"],
        account_number=account["number"],
        owner_email=world.owner(account["id"])["email"],
    )


@blueprint.get("/users/<identifier>/meetings")
def meetings(identifier: str) -> Response:
    """List a host's meetings: no instant and no expired ones, one row per series."""
    world = enter("meeting:read:list_meetings", MEDIUM)
    return jsonify(_listing(world, user_of_account(world, identifier), "meeting", "meetings"))


@blueprint.get("/users/<identifier>/webinars")
def webinars(identifier: str) -> Response | tuple[Response, int]:
    """List a host's webinars; without the add-on an error, usually with HTTP 200."""
    world = enter("webinar:read:list_webinars", MEDIUM)
    owner = user_of_account(world, identifier)
    if not g.account.get("webinars"):
        body = {"code": 200, "message": WEBINAR_PLAN_MISSING}
        return jsonify(body), world.options.webinar_plan_status
    return jsonify(_listing(world, owner, "webinar", "webinars"))


def _listing(world: World, owner: Doc, kind: str, name: str) -> dict[str, Any]:
    args = request.args.to_dict()
    now = int(world.clock.time())
    where = "host_id = ? AND kind = ? AND state = 'active' AND expires > ?"
    values: tuple[Any, ...] = (owner["id"], kind, now)
    list_type = args.get("type", "scheduled")
    if list_type in ("upcoming", "upcoming_meetings"):
        where, values = f"{where} AND ends > ?", (*values, now)
    elif list_type == "live":
        where = f"{where} AND status = 'started'"
    elif list_type == "previous_meetings":
        where, values = f"{where} AND ends <= ?", (*values, now)
    elif list_type != "scheduled":
        raise invalid("type", "Unknown type.")
    if args.get("include_events_webinar") == "false":
        where = f"{where} AND json_extract(data, '$.is_events_webinar') IS NOT TRUE"
    return page(
        world,
        request.path,
        # The request's parameters, not ``values``: a page token is bound to them, not to the time.
        args,
        query=("meetings", where, values),
        name=name,
        shape=lambda doc: responses.meeting_item(world, doc),
    )


@blueprint.get("/meetings/<identifier>")
def meeting(identifier: str) -> Response:
    """One meeting; a webinar's number is 400/3000."""
    world = enter("meeting:read:meeting", LIGHT)
    return jsonify(_detail(world, meeting_of_account(world, identifier, "meeting")))


@blueprint.get("/webinars/<identifier>")
def webinar(identifier: str) -> Response:
    """One webinar."""
    world = enter("webinar:read:webinar", LIGHT)
    return jsonify(_detail(world, meeting_of_account(world, identifier, "webinar")))


def _detail(world: World, doc: Doc) -> dict[str, Any]:
    previous = request.args.get("show_previous_occurrences") == "true"
    occurrence_id = request.args.get("occurrence_id", "")
    date = occurrence(doc, occurrence_id) if occurrence_id else None
    return responses.meeting_detail(world, doc, show_previous=previous, date=date)
