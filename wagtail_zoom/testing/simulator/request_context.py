"""What request handlers share: the world, the body, and who may call (REFERENCE 1.5, 4)."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request

from .errors import ControlError, Problem, no_meeting, no_user
from .storage import Doc
from .world import World


def world() -> World:
    """The world that this server simulates."""
    here: World = current_app.config["WORLD"]
    return here


def facts() -> dict[str, Any]:
    """The JSON object of a request to the control API, or an empty one."""
    found = request.get_json(silent=True) or {}
    if not isinstance(found, dict):
        raise ControlError("the body must be a JSON object")
    return found


def body() -> dict[str, Any]:
    """The JSON object of an API call."""
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise Problem(400, 300, "Request Body should be a valid JSON object.")
    return found


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


def meeting_of_account(here: World, ref: str, kind: str) -> Doc:
    """The meeting or webinar of the path; one of the other kind is 400/3000 or 400/300.

    A number that lapsed does not exist, except while its room is open.
    """
    number = int(ref) if ref.isdigit() and len(ref) < 19 else 0
    doc = here.store.get("meetings", number)
    gone = doc is None or doc["account_id"] != g.account["id"] or doc["state"] == "deleted"
    if doc is None or gone:
        raise no_meeting(ref)
    if doc["expires"] <= here.clock.time() and doc["status"] != "started":
        raise no_meeting(ref)
    if doc["kind"] != kind:
        if kind == "meeting":
            raise Problem(400, 3000, "This meeting number is a webinar.")
        raise Problem(400, 300, "Invalid webinar id.")
    user_of_account(here, doc["host_id"])
    return doc
