"""REST endpoints of cloud recordings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, g, jsonify, request

from . import recordings, registrations, responses
from .clock import epoch
from .errors import Problem, invalid, no_recording, no_user
from .ids import secret
from .limits import LIGHT, MEDIUM
from .links import personal_url
from .paging import page
from .registrants import key, listed_status
from .registration_form import questions
from .request_context import body, enter, user_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_recordings", __name__, url_prefix="/v2")

KIND = "/meetings/<path:identifier>/recordings"
LONGEST_TOKEN_LIFE = 604_800


@blueprint.get("/users/<identifier>/recordings")
def of_user(identifier: str) -> Response:
    """List a host's recordings; the date range defaults to today (option ``long_window``)."""
    world = enter("cloud_recording:read:list_user_recordings", MEDIUM)
    return jsonify(_listing(world, "host_id = ?", user_of_account(world, identifier)["id"]))


@blueprint.get("/accounts/<identifier>/recordings")
def of_account(identifier: str) -> Response:
    """List an account's recordings (option ``account_recordings``: unverified for every plan)."""
    world = enter("cloud_recording:read:list_account_recordings", MEDIUM)
    if not world.options.account_recordings:
        text = "Invalid access token, does not contain scopes:[account:read:admin]."
        raise Problem(400, 4711, text)
    if identifier not in ("me", g.account["id"]):
        raise no_user(identifier)
    return jsonify(_listing(world, "account_id = ?", g.account["id"]))


def _listing(world: World, where: str, value: str) -> dict[str, Any]:
    args = request.args.to_dict()
    today = world.clock.now().date()
    start, end = _day(args, "from", today), _day(args, "to", today)
    if world.options.long_window == "clip":
        start = max(start, end - timedelta(days=31))
    elif world.options.long_window == "error" and end - start > timedelta(days=31):
        raise invalid("from", "The range is one month at most.")
    is_trash = args.get("trash") == "true"
    values: tuple[str | int, ...] = (value, "trashed" if is_trash else "active")
    where = f"{where} AND state = ?"
    if not is_trash:  # dates are ignored there
        days = (start, end + timedelta(days=1))
        values += tuple(epoch(f"{day.isoformat()}T00:00:00Z") for day in days)
        where = f"{where} AND started >= ? AND started < ?"
    if args.get("meeting_id", "").isdigit():
        where, values = f"{where} AND meeting_id = ?", (*values, int(args["meeting_id"]))
    answer = page(
        world,
        request.path,
        args,
        query=("recordings", where, values),
        name="meetings",
        numbered=False,
        shape=responses.recording,
    )
    return {**answer, "from": start.isoformat(), "to": end.isoformat()}


def _day(args: dict[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(args[name]) if args.get(name) else default
    except ValueError as error:
        raise invalid(name, "Dates are written yyyy-mm-dd.") from error


def _find(world: World, identifier: str) -> Doc:
    """The recording in a path. A UUID that begins with ``/`` or contains ``//`` must be encoded
    twice; one slash inside works either way."""
    if "//" in identifier:
        raise no_recording()
    identifier = unquote(identifier)
    by_number = identifier.isdigit() and len(identifier) < 19
    where = "meeting_id = ? AND account_id = ?" if by_number else "id = ? AND account_id = ?"
    doc = world.store.first(
        "recordings", where, int(identifier) if by_number else identifier, g.account["id"],
        tail="ORDER BY started DESC",
    )  # fmt: skip
    waiting = doc is not None and all(file["status"] != "completed" for file in doc["files"])
    if doc is None or doc["state"] != "active" or waiting:
        raise no_recording()
    user_of_account(world, doc["host_id"])
    return doc


@blueprint.get(KIND)
def files(identifier: str) -> Response:
    """The files of one instance; ``include_fields=download_access_token`` adds the token."""
    world = enter("cloud_recording:read:list_recording_files", LIGHT)
    recording = responses.recording(_find(world, identifier))
    recording["password"] = recording["recording_play_passcode"]
    if request.args.get("include_fields") == "download_access_token":
        life = request.args.get("ttl", "604800")
        if not life.isdigit() or int(life) > LONGEST_TOKEN_LIFE:
            raise Problem(400, 1010, "Invalid ttl.")
        recording["download_access_token"] = secret(120)
    return jsonify(recording)


@blueprint.get(f"{KIND}/settings")
def settings(identifier: str) -> Response:
    """Sharing settings of a recording."""
    world = enter("cloud_recording:read:recording_settings", LIGHT)
    doc = _find(world, identifier)
    return jsonify({**doc["settings"], "topic": doc["topic"], "password": doc["passcode"]})


@blueprint.patch(f"{KIND}/settings")
def change_settings(identifier: str) -> tuple[str, int]:
    """Change the sharing settings."""
    world, data = enter("cloud_recording:update:recording_settings", LIGHT), body()
    with world.transaction():
        doc = _find(world, identifier)
        changes: dict[str, Any] = {}
        if "topic" in data:
            changes["topic"] = data.pop("topic")
        if "password" in data:
            changes["passcode"] = data.pop("password")
        recordings.change(world, doc, {**changes, "settings": data})
    return "", 204


@blueprint.get(f"{KIND}/registrants")
def viewers(identifier: str) -> Response:
    """Registrants of an on-demand recording."""
    world = enter("cloud_recording:read:list_recording_registrants", MEDIUM)
    doc = _find(world, identifier)
    args = request.args.to_dict()
    values = (*key(doc), listed_status(args))
    return jsonify(
        page(
            world,
            request.path,
            args,
            query=("registrants", "target = ? AND object_id = ? AND status = ?", values),
            name="registrants",
            shape=responses.viewer,
        )
    )


@blueprint.post(f"{KIND}/registrants")
def add_viewer(identifier: str) -> tuple[Response, int]:
    """Register for an on-demand recording."""
    world = enter("cloud_recording:write:recording_registrant", LIGHT)
    with world.transaction():
        doc = _find(world, identifier)
        viewer = registrations.add_recording_viewer(world, doc, body())
    answer = {"id": doc["meeting_id"], "registrant_id": viewer["id"], "topic": doc["topic"]}
    if viewer["status"] == "approved":
        answer["share_url"] = personal_url(world, doc, viewer)
    return jsonify(answer), 201


@blueprint.put(f"{KIND}/registrants/status")
def viewer_status(identifier: str) -> tuple[str, int]:
    """Approve or deny."""
    world = enter("cloud_recording:update:registrant_status", MEDIUM)
    with world.transaction():
        registrations.change_statuses(world, _find(world, identifier), body(), "")
    return "", 204


@blueprint.get(f"{KIND}/registrants/questions")
def viewer_form(identifier: str) -> Response:
    """Questions of the registration for a recording."""
    world = enter("cloud_recording:read:registration_questions", LIGHT)
    return jsonify(questions(_find(world, identifier)))
