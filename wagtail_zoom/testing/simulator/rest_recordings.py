"""The endpoints of cloud recordings (REFERENCE 3.6)."""

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
from .registrants import key
from .registration_form import questions
from .request_context import body, enter, user_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_recordings", __name__, url_prefix="/v2")

KIND = "/meetings/<path:ref>/recordings"
LONGEST_TOKEN_LIFE = 604_800


@blueprint.get("/users/<ref>/recordings")
def of_user(ref: str) -> Response:
    """List a host's recordings; the window defaults to today and spans a month at most."""
    here = enter("cloud_recording:read:list_user_recordings", MEDIUM)
    return jsonify(_listing(here, "host_id = ?", user_of_account(here, ref)["id"]))


@blueprint.get("/accounts/<ref>/recordings")
def of_account(ref: str) -> Response:
    """List an account's recordings; whether every plan has this is unverified (option)."""
    here = enter("cloud_recording:read:list_account_recordings", MEDIUM)
    if not here.options.account_recordings:
        text = "Invalid access token, does not contain scopes:[account:read:admin]."
        raise Problem(400, 4711, text)
    if ref not in ("me", g.account["id"]):
        raise no_user(ref)
    return jsonify(_listing(here, "account_id = ?", g.account["id"]))


def _listing(here: World, where: str, value: str) -> dict[str, Any]:
    args = request.args.to_dict()
    today = here.clock.now().date()
    start, end = _day(args, "from", today), _day(args, "to", today)
    if end - start > timedelta(days=31):
        if here.options.long_window == "error":
            raise invalid("from", "The range is one month at most.")
        start = end - timedelta(days=31)
    low, high = (epoch(f"{day.isoformat()}T00:00:00Z") for day in (start, end + timedelta(days=1)))
    state = "trashed" if args.get("trash") == "true" else "active"
    values: tuple[str | int, ...] = (value, state)
    where = f"{where} AND state = ?"
    if args.get("meeting_id", "").isdigit():
        where, values = f"{where} AND meeting_id = ?", (*values, int(args["meeting_id"]))
    answer = page(
        here,
        request.path,
        args,
        query=("recordings", f"{where} AND started >= ? AND started < ?", (*values, low, high)),
        name="meetings",
        most=300,
        shape=responses.recording,
    )
    return {**answer, "from": start.isoformat(), "to": end.isoformat()}


def _day(args: dict[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(args[name]) if name in args else default
    except ValueError as error:
        raise invalid(name, "Dates are written yyyy-mm-dd.") from error


def _find(here: World, ref: str) -> Doc:
    """The recording of a path. A UUID that begins with ``/`` or holds ``//`` arrives only when it
    was encoded twice; one slash inside arrives either way (3.1)."""
    if "//" in ref:
        raise no_recording()
    ref = unquote(ref)
    by_number = ref.isdigit() and len(ref) < 19
    where = "meeting_id = ? AND account_id = ?" if by_number else "id = ? AND account_id = ?"
    doc = here.store.first(
        "recordings", where, int(ref) if by_number else ref, g.account["id"],
        tail="ORDER BY started DESC",
    )  # fmt: skip
    waiting = doc is not None and all(file["status"] != "completed" for file in doc["files"])
    if doc is None or doc["state"] != "active" or waiting:
        raise no_recording()
    user_of_account(here, doc["host_id"])
    return doc


@blueprint.get(KIND)
def files(ref: str) -> Response:
    """The files of one instance; ``include_fields=download_access_token`` adds a key."""
    here = enter("cloud_recording:read:list_recording_files", LIGHT)
    found = responses.recording(_find(here, ref))
    found["password"] = found["recording_play_passcode"]
    if request.args.get("include_fields") == "download_access_token":
        life = request.args.get("ttl", "604800")
        if not life.isdigit() or int(life) > LONGEST_TOKEN_LIFE:
            raise Problem(400, 1010, "Invalid ttl.")
        found["download_access_token"] = secret(120)
    return jsonify(found)


@blueprint.get(f"{KIND}/settings")
def settings(ref: str) -> Response:
    """Who may watch: shared publicly, with a passcode, on demand."""
    here = enter("cloud_recording:read:recording_settings", LIGHT)
    doc = _find(here, ref)
    return jsonify({**doc["settings"], "topic": doc["topic"], "password": doc["passcode"]})


@blueprint.patch(f"{KIND}/settings")
def change_settings(ref: str) -> tuple[str, int]:
    """Change who may watch."""
    here, given = enter("cloud_recording:update:recording_settings", LIGHT), body()
    with here.transaction():
        doc = _find(here, ref)
        changes: dict[str, Any] = {}
        if "topic" in given:
            changes["topic"] = given.pop("topic")
        if "password" in given:
            changes["passcode"] = given.pop("password")
        recordings.change(here, doc, {**changes, "settings": given})
    return "", 204


@blueprint.get(f"{KIND}/registrants")
def viewers(ref: str) -> Response:
    """Who registered for an on-demand recording."""
    here = enter("cloud_recording:read:list_recording_registrants", MEDIUM)
    doc = _find(here, ref)
    args = request.args.to_dict()
    values = (*key(doc), args.get("status", "approved"))
    return jsonify(
        page(
            here,
            request.path,
            args,
            query=("registrants", "target = ? AND object_id = ? AND status = ?", values),
            name="registrants",
            most=300,
            shape=responses.viewer,
        )
    )


@blueprint.post(f"{KIND}/registrants")
def add_viewer(ref: str) -> tuple[Response, int]:
    """Register for an on-demand recording."""
    here = enter("cloud_recording:write:recording_registrant", LIGHT)
    with here.transaction():
        doc = _find(here, ref)
        found = registrations.add_recording_viewer(here, doc, body())
    answer = {"id": doc["meeting_id"], "registrant_id": found["id"], "topic": doc["topic"]}
    if found["status"] == "approved":
        answer["share_url"] = personal_url(here, doc, found)
    return jsonify(answer), 201


@blueprint.put(f"{KIND}/registrants/status")
def viewer_status(ref: str) -> tuple[str, int]:
    """Approve or deny."""
    here = enter("cloud_recording:update:registrant_status", MEDIUM)
    with here.transaction():
        registrations.change_statuses(here, _find(here, ref), body(), "")
    return "", 204


@blueprint.get(f"{KIND}/registrants/questions")
def viewer_form(ref: str) -> Response:
    """What the registration for a recording asks."""
    here = enter("cloud_recording:read:registration_questions", LIGHT)
    return jsonify(questions(_find(here, ref)))
