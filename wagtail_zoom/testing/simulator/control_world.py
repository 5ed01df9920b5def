"""Control of what is in the world: meetings, recordings, users, accounts (under ``/_sim/``)."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, request

from . import meetings, people, recordings, registrations
from .errors import ControlError
from .registrants import find, key
from .request_context import facts, world
from .storage import Doc

blueprint = Blueprint("control_world", __name__, url_prefix="/_sim")


@blueprint.post("/meetings")
def meeting_create() -> Response:
    """Create a meeting or webinar: ``host``, ``topic``, ``start_time``, ``duration``, ..."""
    here, given = world(), facts()
    with here.transaction():
        return jsonify(meetings.create(here, here.user(str(given.get("host"))), given))


@blueprint.get("/meetings")
def meeting_list() -> Response:
    """Every meeting and webinar as it is kept, also deleted ones; ``?account=`` key or id."""
    here, account = world(), request.args.get("account", "")
    where, values = ("account_id = ?", (here.account(account)["id"],)) if account else ("1", ())
    return jsonify(meetings=here.store.find("meetings", where, *values))


@blueprint.get("/meetings/<number>")
def meeting_read(number: str) -> Response:
    """One meeting as it is kept."""
    return jsonify(world().meeting(number))


@blueprint.patch("/meetings/<number>")
def meeting_change(number: str) -> Response:
    """Change a meeting, or one date of it (``occurrence_id``); ``kind`` converts it."""
    here = world()
    with here.transaction():
        return jsonify(meetings.change(here, here.meeting(number), facts()))


@blueprint.delete("/meetings/<number>")
def meeting_delete(number: str) -> Response:
    """Delete a meeting (``?permanent=1`` for good), or one date of it (``?occurrence_id=``)."""
    here, args = world(), request.args
    permanent = args.get("permanent") in ("1", "true")
    with here.transaction():
        doc = here.meeting(number)
        date = args.get("occurrence_id", "")
        return jsonify(meetings.delete(here, doc, date, permanent=permanent))


@blueprint.post("/meetings/<number>/recover")
def meeting_recover(number: str) -> Response:
    """Bring back a deleted meeting, or one cancelled date (``occurrence_id``)."""
    here = world()
    with here.transaction():
        date = str(facts().get("occurrence_id", ""))
        return jsonify(meetings.recover(here, here.meeting(number), date))


@blueprint.post("/meetings/<number>/start")
def meeting_start(number: str) -> Response:
    """The host opens the room."""
    here = world()
    with here.transaction():
        return jsonify(meetings.start(here, here.meeting(number)))


@blueprint.post("/meetings/<number>/end")
def meeting_end(number: str) -> Response:
    """The room closes; ``practice`` true: only the rehearsal of a webinar is over."""
    here = world()
    with here.transaction():
        practice = bool(facts().get("practice"))
        return jsonify(meetings.end(here, here.meeting(number), practice=practice))


@blueprint.post("/meetings/<number>/recording/<any(start, stop):what>")
def meeting_record(number: str, what: str) -> Response:
    """Press "record" or "stop" in a running meeting."""
    here = world()
    with here.transaction():
        return jsonify(recordings.running(here, here.meeting(number), what))


@blueprint.get("/recordings")
def recording_list() -> Response:
    """Every recording as it is kept; ``?account=`` key or id."""
    here, account = world(), request.args.get("account", "")
    where, values = ("account_id = ?", (here.account(account)["id"],)) if account else ("1", ())
    return jsonify(recordings=here.store.find("recordings", where, *values))


@blueprint.post("/recordings")
def recording_create() -> Response:
    """Finish a recording: ``host`` or ``meeting``, ``topic``, ``start_time``, ``duration``, ...

    ``speech``: what the transcript says, a list of ``"Name: sentence"``.
    """
    here, given = world(), facts()
    with here.transaction():
        ref = given.get("host")
        host = here.user(str(ref) if ref else here.meeting(given.get("meeting", 0))["host_id"])
        return jsonify(recordings.create(here, host, given))


@blueprint.patch("/recordings")
def recording_change() -> Response:
    """Change the recording ``uuid``: ``topic``, ``processing`` false, ``transcript``, ``settings``.

    ``action`` trash, delete or recover does that to ``uuid`` or, as one batch, to all ``uuids``.
    """
    here, given = world(), facts()
    with here.transaction():
        docs = _recordings(given)
        action = given.get("action")
        if action == "recover":
            recordings.recover(here, docs)
        elif action in ("trash", "delete"):
            recordings.remove(here, docs, permanent=action == "delete")
        elif action:
            raise ControlError("action is trash, delete or recover")
        else:
            docs = [recordings.change(here, doc, given) for doc in docs]
        return jsonify(recordings=docs)


@blueprint.delete("/recordings")
def recording_delete() -> Response:
    """Move ``uuid`` or all ``uuids`` to the trash; ``permanent`` deletes them for good."""
    here, given = world(), facts()
    with here.transaction():
        docs = _recordings(given)
        recordings.remove(here, docs, permanent=bool(given.get("permanent")))
        return jsonify(recordings=docs)


def _recordings(given: dict[str, Any]) -> list[Doc]:
    wanted = given.get("uuids") or [given.get("uuid", "")]
    return [world().recording(str(uuid)) for uuid in wanted]


@blueprint.get("/registrants/<ref>")
def registrant_list(ref: str) -> Response:
    """Everybody who ever registered for a meeting, webinar (number) or recording (UUID)."""
    here = world()
    where = "target = ? AND object_id = ?"
    found = here.store.find("registrants", where, *key(_thing(ref)))
    return jsonify(registrants=found)


@blueprint.post("/registrants/<ref>")
def registrant_add(ref: str) -> tuple[Response, int]:
    """Register a person as Zoom's own page would: ``email``, ``first_name``, answers, dates."""
    here, given = world(), facts()
    dates = ",".join(given.pop("occurrence_ids", []))
    with here.transaction():
        thing = _thing(ref)
        if "files" in thing:
            return jsonify(registrations.add_recording_viewer(here, thing, given)), 201
        return jsonify(registrations.add(here, thing, given, dates)), 201


@blueprint.post("/registrants/<ref>/<registrant>/<any(approve, deny, cancel):action>")
def registrant_decide(ref: str, registrant: str, action: str) -> Response:
    """The host decides; ``occurrence_id`` cancels one date of several. By id or e-mail."""
    here = world()
    with here.transaction():
        thing = _thing(ref)
        found = find(here, thing, registrant)
        if found is None:
            raise ControlError(f"no registrant {registrant!r}")
        date = str(facts().get("occurrence_id", ""))
        return jsonify(registrations.set_status(here, thing, found, action, date))


def _thing(ref: str) -> Doc:
    return world().meeting(ref) if ref.isdigit() else world().recording(unquote(ref))


@blueprint.post("/users")
def user_create() -> Response:
    """Add a user to an ``account`` (key or id): names, ``email``, ``type``, ``status``."""
    here, given = world(), facts()
    with here.transaction():
        return jsonify(people.create(here, here.account(str(given.get("account"))), given))


@blueprint.get("/users")
def user_list() -> Response:
    """Every user; ``?account=`` key or id."""
    here, account = world(), request.args.get("account", "")
    where, values = ("account_id = ?", (here.account(account)["id"],)) if account else ("1", ())
    return jsonify(users=here.store.find("users", where, *values))


@blueprint.get("/users/<ref>")
def user_read(ref: str) -> Response:
    """One user by id, e-mail or key."""
    return jsonify(world().user(ref))


@blueprint.patch("/users/<ref>")
def user_change(ref: str) -> Response:
    """Edit a user; ``status`` active or inactive."""
    here = world()
    with here.transaction():
        return jsonify(people.change(here, here.user(ref), facts()))


@blueprint.delete("/users/<ref>")
def user_delete(ref: str) -> Response:
    """Delete a user; ``transfer_to`` (another user) takes over, ``disassociate`` only unlinks."""
    here, given = world(), facts()
    with here.transaction():
        doc = here.user(ref)
        heir = here.user(str(given["transfer_to"])) if given.get("transfer_to") else None
        unlink = bool(given.get("disassociate"))
        people.remove(here, doc, transfer_to=heir, disassociate=unlink)
        return jsonify(doc)


@blueprint.patch("/accounts/<ref>")
def account_change(ref: str) -> Response:
    """Change ``name``, ``settings``, ``plan``, ``webinars`` or ``daily_limits`` of an account."""
    here = world()
    with here.transaction():
        return jsonify(people.change_account(here, here.account(ref), facts()))
