"""Helpers of the views: the world, the request body, authentication and look-ups."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import current_app, g, request

from .errors import WEBINAR_PLAN_MISSING, ControlError, Problem, no_meeting, no_user
from .storage import Doc
from .world import World


def get_simulator() -> World:
    """The world of this server."""
    world: World = current_app.config["WORLD"]
    return world


def request_data() -> dict[str, Any]:
    """The JSON object of a request to the control API; empty without a body."""
    data = request.get_json(silent=True) or {}
    if not isinstance(data, dict):
        raise ControlError("the body must be a JSON object")
    return data


def body() -> dict[str, Any]:
    """The JSON object of an API call."""
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise Problem(400, 300, "Request Body should be a valid JSON object.")
    return data


def enter(scope: str, label: str) -> World:
    """Check token, scope and rate limit of a call; sets grant and account in ``g``."""
    world = get_simulator()
    header = request.headers.get("Authorization", "")
    token = world.store.get("tokens", header.removeprefix("Bearer "))
    grant = world.store.get("grants", token["grant_id"]) if token else None
    if token is None or grant is None or token["kind"] != "access":
        raise Problem(401, 124, "Invalid access token.")
    if token["until"] < world.clock.time():
        raise Problem(401, 124, "Access token is expired.")
    g.grant, g.account, g.label = grant, world.account(grant["account_id"]), label
    world.limits.check(g.account, label, world.options.rate_limit, world.clock.now())
    required = [scope] if world.options.app_kind == "user" else [f"{scope}:admin"]
    if not set(required) & set(grant["scope"]):
        text = f"Invalid access token, does not contain scopes:[{', '.join(required)}]."
        raise Problem(400, 4711, text)
    return world


def user_of_account(world: World, identifier: str) -> Doc:
    """The user in the path; 404/1001 for another account's user."""
    user_id = g.grant["user_id"] if identifier == "me" else identifier
    user = world.store.get("users", user_id) or world.store.first("users", "email = ?", user_id)
    if user is None or user["account_id"] != g.account["id"]:
        raise no_user(identifier)
    if world.options.app_kind == "user" and user["id"] != g.grant["user_id"]:
        raise Problem(403, 200, "The authenticated user has not permitted access.")
    return user


def meeting_of_account(world: World, identifier: str, kind: str) -> Doc:
    """The meeting or webinar in the path; one of the other kind is 400/3000 or 400/300.

    An expired number does not exist, except while the meeting is running. Webinars are also found
    by their UUID.
    """
    doc = _meeting(world, identifier, kind)
    user_of_account(world, doc["host_id"])
    return doc


def own_meeting(world: World, identifier: str, kind: str) -> Doc:
    """The meeting in the path of a change; a user-managed app changes its user's only."""
    doc = _meeting(world, identifier, kind)
    if world.options.app_kind == "user" and doc["host_id"] != g.grant["user_id"]:
        raise Problem(400, 3003, "You are not the meeting host.")
    return doc


def _meeting(world: World, identifier: str, kind: str) -> Doc:
    if kind == "webinar" and not g.account.get("webinars"):
        raise Problem(400, 200, WEBINAR_PLAN_MISSING)
    doc = None
    if identifier.isdecimal():
        doc = world.store.get("meetings", int(identifier[:18]))
    elif kind == "webinar":
        where = "kind = 'webinar' AND json_extract(data, '$.uuid') = ?"
        doc = world.store.first("meetings", where, unquote(identifier))
    is_gone = doc is None or doc["account_id"] != g.account["id"] or doc["state"] == "deleted"
    if doc is None or is_gone:
        raise no_meeting(identifier)
    if doc["expires"] <= world.clock.time() and doc["status"] != "started":
        raise no_meeting(identifier)
    if doc["kind"] != kind:
        if kind == "meeting":
            raise Problem(400, 3000, "This meeting number is a webinar.")
        raise Problem(400, 300, "Invalid webinar id.")
    return doc
