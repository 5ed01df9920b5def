"""Control of meetings, recordings, registrants, users and accounts (under ``/_sim/``)."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, request

from . import meetings, participants, people, recordings, registrations, summaries
from .errors import ControlError
from .registrants import find, key
from .request_context import get_simulator, request_data
from .storage import Doc

blueprint = Blueprint("control_world", __name__, url_prefix="/_sim")


@blueprint.post("/meetings")
def meeting_create() -> Response:
    """Create a meeting or webinar: ``host``, ``topic``, ``start_time``, ``duration``, ..."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        return jsonify(meetings.create(world, world.user(str(data.get("host"))), data))


@blueprint.get("/meetings")
def meeting_list() -> Response:
    """Every stored meeting and webinar, including deleted ones; ``?account=`` key or id."""
    world, account = get_simulator(), request.args.get("account", "")
    where, values = ("account_id = ?", (world.account(account)["id"],)) if account else ("1", ())
    return jsonify(meetings=world.store.find("meetings", where, *values))


@blueprint.get("/meetings/<number>")
def meeting_read(number: str) -> Response:
    """One stored meeting or webinar."""
    return jsonify(get_simulator().meeting(number))


@blueprint.patch("/meetings/<number>")
def meeting_change(number: str) -> Response:
    """Change a meeting, or one occurrence of it (``occurrence_id``); ``kind`` converts it."""
    world = get_simulator()
    with world.transaction():
        return jsonify(meetings.change(world, world.meeting(number), request_data()))


@blueprint.delete("/meetings/<number>")
def meeting_delete(number: str) -> Response:
    """Delete a meeting (``?permanent=1``: for good), or one occurrence (``?occurrence_id=``)."""
    world, args = get_simulator(), request.args
    permanent = args.get("permanent") in ("1", "true")
    with world.transaction():
        doc = world.meeting(number)
        date = args.get("occurrence_id", "")
        return jsonify(meetings.delete(world, doc, date, permanent=permanent))


@blueprint.post("/meetings/<number>/recover")
def meeting_recover(number: str) -> Response:
    """Recover a deleted meeting, or one cancelled occurrence (``occurrence_id``)."""
    world = get_simulator()
    with world.transaction():
        date = str(request_data().get("occurrence_id", ""))
        return jsonify(meetings.recover(world, world.meeting(number), date))


@blueprint.post("/meetings/<number>/start")
def meeting_start(number: str) -> Response:
    """The host starts the meeting."""
    world = get_simulator()
    with world.transaction():
        return jsonify(meetings.start(world, world.meeting(number)))


@blueprint.post("/meetings/<number>/end")
def meeting_end(number: str) -> Response:
    """The meeting ends; ``practice`` true: only the practice session of a webinar has ended."""
    world = get_simulator()
    with world.transaction():
        practice = bool(request_data().get("practice"))
        return jsonify(meetings.end(world, world.meeting(number), practice=practice))


@blueprint.post("/meetings/<number>/participants")
def meeting_participants(number: str) -> Response:
    """Who took part: ``participants`` (see :func:`participants.add`), ``strangers``: a number.

    In the newest instance, or in that with ``uuid``.
    """
    world, data = get_simulator(), request_data()
    with world.transaction():
        instance = participants.instance_of(world, world.meeting(number), str(data.get("uuid", "")))
        strangers = int(data.get("strangers", 0))
        count = participants.add(world, instance, data.get("participants", []), strangers)
        return jsonify(uuid=instance["id"], count=count)


@blueprint.post("/meetings/<number>/recording/<any(start, stop):what>")
def meeting_record(number: str, what: str) -> Response:
    """Start or stop recording in a running meeting."""
    world = get_simulator()
    with world.transaction():
        return jsonify(recordings.running(world, world.meeting(number), what))


@blueprint.get("/recordings")
def recording_list() -> Response:
    """Every stored recording; ``?account=`` key or id."""
    world, account = get_simulator(), request.args.get("account", "")
    where, values = ("account_id = ?", (world.account(account)["id"],)) if account else ("1", ())
    return jsonify(recordings=world.store.find("recordings", where, *values))


@blueprint.post("/recordings")
def recording_create() -> Response:
    """Create a recording: ``host`` or ``meeting``, ``topic``, ``start_time``, ``duration``, ...

    ``transcript_lines``: the text of the transcript, a list of ``"Name: sentence"``.
    """
    world, data = get_simulator(), request_data()
    with world.transaction():
        identifier = data.get("host")
        host = world.user(
            str(identifier) if identifier else world.meeting(data.get("meeting", 0))["host_id"]
        )
        return jsonify(recordings.create(world, host, data))


@blueprint.patch("/recordings")
def recording_change() -> Response:
    """Change the recording ``uuid``: ``topic``, ``processing`` false, ``transcript``, ``settings``.

    ``action`` trash, delete or recover applies to ``uuid`` or, as one batch, to all ``uuids``.
    """
    world, data = get_simulator(), request_data()
    with world.transaction():
        docs = _recordings(data)
        action = data.get("action")
        if action == "recover":
            recordings.recover(world, docs)
        elif action in ("trash", "delete"):
            recordings.remove(world, docs, permanent=action == "delete")
        elif action:
            raise ControlError("action is trash, delete or recover")
        else:
            docs = [recordings.change(world, doc, data) for doc in docs]
        return jsonify(recordings=docs)


@blueprint.delete("/recordings")
def recording_delete() -> Response:
    """Move ``uuid`` or all ``uuids`` to the trash; ``permanent`` deletes them for good."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        docs = _recordings(data)
        recordings.remove(world, docs, permanent=bool(data.get("permanent")))
        return jsonify(recordings=docs)


def _recordings(data: dict[str, Any]) -> list[Doc]:
    uuids = data.get("uuids") or [data.get("uuid", "")]
    return [get_simulator().recording(str(uuid)) for uuid in uuids]


@blueprint.get("/summaries")
def summary_list() -> Response:
    """Every stored summary; ``?account=`` key or id."""
    world, account = get_simulator(), request.args.get("account", "")
    where, values = ("account_id = ?", (world.account(account)["id"],)) if account else ("1", ())
    return jsonify(summaries=world.store.find("summaries", where, *values))


@blueprint.post("/summaries")
def summary_create() -> Response:
    """AI Companion writes a summary: of ``uuid``, or of the last instance of ``meeting``.

    ``parts``: without Markdown; or any member of the answer, such as ``summary_content``.
    """
    world, data = get_simulator(), request_data()
    with world.transaction():
        identifier = data.get("host")
        host = world.user(
            str(identifier) if identifier else world.meeting(data.get("meeting", 0))["host_id"]
        )
        return jsonify(summaries.create(world, host, data))


@blueprint.patch("/summaries")
def summary_change() -> Response:
    """Edit the summary of ``uuid`` at Zoom, ``share`` it, or ``action``: trash, delete, recover."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        doc = world.summary(str(data.get("uuid", "")))
        action = data.get("action")
        if action == "recover":
            return jsonify(summaries.recover(world, doc))
        if action in ("trash", "delete"):
            return jsonify(summaries.remove(world, doc, permanent=action == "delete"))
        if action:
            raise ControlError("action is trash, delete or recover")
        return jsonify(summaries.change(world, doc, data))


@blueprint.get("/registrants/<identifier>")
def registrant_list(identifier: str) -> Response:
    """All registrants of a meeting, webinar (number) or recording (UUID)."""
    world = get_simulator()
    where = "target = ? AND object_id = ?"
    registrants = world.store.find("registrants", where, *key(_item(identifier)))
    return jsonify(registrants=registrants)


@blueprint.post("/registrants/<identifier>")
def registrant_add(identifier: str) -> tuple[Response, int]:
    """Register a person as Zoom's own page does: ``email``, ``first_name``, answers, dates."""
    world, data = get_simulator(), request_data()
    dates = ",".join(data.pop("occurrence_ids", []))
    with world.transaction():
        item = _item(identifier)
        if "files" in item:
            return jsonify(registrations.add_recording_viewer(world, item, data)), 201
        return jsonify(registrations.add(world, item, data, dates)), 201


@blueprint.post("/registrants/<identifier>/<registrant>/<any(approve, deny, cancel):action>")
def registrant_decide(identifier: str, registrant: str, action: str) -> Response:
    """The host decides; by id or email. ``occurrence_id`` cancels one of several occurrences."""
    world = get_simulator()
    with world.transaction():
        item = _item(identifier)
        person = find(world, item, registrant)
        if person is None:
            raise ControlError(f"no registrant {registrant!r}")
        date = str(request_data().get("occurrence_id", ""))
        return jsonify(registrations.set_status(world, item, person, action, date))


def _item(identifier: str) -> Doc:
    return (
        get_simulator().meeting(identifier)
        if identifier.isdigit()
        else get_simulator().recording(unquote(identifier))
    )


@blueprint.post("/users")
def user_create() -> Response:
    """Add a user to an ``account`` (key or id): names, ``email``, ``type``, ``status``."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        return jsonify(people.create(world, world.account(str(data.get("account"))), data))


@blueprint.get("/users")
def user_list() -> Response:
    """Every user; ``?account=`` key or id."""
    world, account = get_simulator(), request.args.get("account", "")
    where, values = ("account_id = ?", (world.account(account)["id"],)) if account else ("1", ())
    return jsonify(users=world.store.find("users", where, *values))


@blueprint.get("/users/<identifier>")
def user_read(identifier: str) -> Response:
    """One user by id, email or key."""
    return jsonify(get_simulator().user(identifier))


@blueprint.patch("/users/<identifier>")
def user_change(identifier: str) -> Response:
    """Edit a user; ``status`` active or inactive; ``can_host``, ``meeting_defaults``."""
    world = get_simulator()
    with world.transaction():
        return jsonify(people.change(world, world.user(identifier), request_data()))


@blueprint.delete("/users/<identifier>")
def user_delete(identifier: str) -> Response:
    """Delete a user; ``transfer_to``: new owner of its data; ``disassociate`` only unlinks it."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        doc = world.user(identifier)
        new_owner = world.user(str(data["transfer_to"])) if data.get("transfer_to") else None
        unlink = bool(data.get("disassociate"))
        people.remove(world, doc, transfer_to=new_owner, disassociate=unlink)
        return jsonify(doc)


@blueprint.patch("/accounts/<identifier>")
def account_change(identifier: str) -> Response:
    """Change an account: ``name``, ``settings``, ``plan``, ``webinars``, ``daily_limits``, ..."""
    world = get_simulator()
    with world.transaction():
        return jsonify(people.change_account(world, world.account(identifier), request_data()))
