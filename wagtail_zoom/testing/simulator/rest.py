"""The REST endpoints under ``/v2`` (REFERENCE 3)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from . import responses
from .errors import invalid
from .limits import LIGHT, MEDIUM
from .paging import page
from .request_context import enter, meeting_of_account, user_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest", __name__, url_prefix="/v2")


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
            shape=responses.user_item,
        )
    )


@blueprint.get("/users/<ref>")
def user(ref: str) -> Response:
    """One user; ``me`` is the token's owner and tells the account."""
    here = enter("user:read:user", LIGHT)
    return jsonify(responses.user_detail(here, user_of_account(here, ref)))


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
        shape=lambda doc: responses.meeting_item(here, doc),
    )


@blueprint.get("/meetings/<ref>")
def meeting(ref: str) -> Response:
    """One meeting; a webinar's number is 400/3000."""
    here = enter("meeting:read:meeting", LIGHT)
    return jsonify(_detail(here, meeting_of_account(here, ref, "meeting")))


@blueprint.get("/webinars/<ref>")
def webinar(ref: str) -> Response:
    """One webinar."""
    here = enter("webinar:read:webinar", LIGHT)
    return jsonify(_detail(here, meeting_of_account(here, ref, "webinar")))


def _detail(here: World, doc: Doc) -> dict[str, Any]:
    previous = request.args.get("show_previous_occurrences") == "true"
    return responses.meeting_detail(here, doc, show_previous=previous)
