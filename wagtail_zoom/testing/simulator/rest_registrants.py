"""REST endpoints of registration for meetings and webinars."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from . import registrations, responses
from .errors import Problem
from .limits import HEAVY, LIGHT, MEDIUM
from .paging import page
from .registrants import find, key, listed_status
from .registration_form import questions
from .request_context import body, enter, meeting_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_registrants", __name__, url_prefix="/v2")

KIND = "/<any(meetings, webinars):plural>/<identifier>"


def _enter(plural: str, identifier: str, permission: str, label: str) -> tuple[World, Doc]:
    kind = plural.removesuffix("s")
    world = enter(f"{kind}:{permission}", label)
    return world, meeting_of_account(world, identifier, kind)


def _registrant(world: World, meeting: Doc, identifier: str) -> Doc:
    registrant = find(world, meeting, identifier)
    is_listed = world.options.cancelled_registrants == "denied"
    if registrant is None or (registrant["status"] == "cancelled" and not is_listed):
        if meeting["kind"] == "webinar":
            raise Problem(400, 3079, f"Registrant {identifier} does not exist.")
        raise Problem(404, 3001, f"Registrant {identifier} does not exist.")
    return registrant


@blueprint.get(f"{KIND}/registrants")
def listing(plural: str, identifier: str) -> Response:
    """By default approved registrants; cancelled ones cannot be listed by that name."""
    world, meeting = _enter(plural, identifier, "read:list_registrants", MEDIUM)
    registrations.check_open(world, meeting)
    args = request.args.to_dict()
    status = listed_status(args)
    statuses = [status]
    if status == "denied" and world.options.cancelled_registrants == "denied":
        statuses.append("cancelled")
    marks = ", ".join("?" for _status in statuses)
    where, values = f"target = ? AND object_id = ? AND status IN ({marks})", [*key(meeting)]
    values += statuses
    if args.get("occurrence_id"):
        where += (
            " AND (json_array_length(data, '$.occurrences') = 0 OR EXISTS (SELECT 1 FROM"
            " json_each(data, '$.occurrences') WHERE json_each.value = ?))"
        )
        values.append(args["occurrence_id"])
    if args.get("tracking_source_id"):
        where += " AND json_extract(data, '$.source_id') = ?"
        values.append(args["tracking_source_id"])
    return jsonify(
        page(
            world,
            request.path,
            args,
            query=("registrants", where, tuple(values)),
            name="registrants",
            shape=lambda doc: responses.registrant(world, meeting, doc),
        )
    )


@blueprint.post(f"{KIND}/registrants")
def add(plural: str, identifier: str) -> tuple[Response, int]:
    """Register a person; the join URL is absent until the host has approved."""
    world, meeting = _enter(plural, identifier, "write:registrant", LIGHT)
    with world.transaction():
        occurrence_ids = request.args.get("occurrence_ids", "")
        registrant = registrations.add(world, meeting, body(), occurrence_ids)
    return jsonify(responses.registered(world, meeting, registrant)), 201


@blueprint.post(f"{KIND}/batch_registrants")
def batch(plural: str, identifier: str) -> tuple[Response, int]:
    """Register up to 30 people."""
    world, meeting = _enter(plural, identifier, "write:batch_registrants", HEAVY)
    with world.transaction():
        registrants = registrations.batch(world, meeting, body())
    items = [_batch_item(world, meeting, doc) for doc in registrants]
    return jsonify(registrants=items), 201


def _batch_item(world: World, meeting: Doc, doc: Doc) -> dict[str, Any]:
    item = {"email": doc["address_as_given"], "registrant_id": doc["id"]}
    full = responses.registered(world, meeting, doc)
    names = ("join_url", "participant_pin_code")
    return {**item, **{name: full[name] for name in names if name in full}}


@blueprint.get(f"{KIND}/registrants/questions")
def form(plural: str, identifier: str) -> Response:
    """Questions of the registration."""
    world, meeting = _enter(plural, identifier, "read:list_registration_questions", LIGHT)
    registrations.check_open(world, meeting)
    return jsonify(questions(meeting))


@blueprint.put(f"{KIND}/registrants/status")
def status(plural: str, identifier: str) -> tuple[str, int]:
    """Approve, deny, cancel."""
    world, meeting = _enter(plural, identifier, "update:registrant_status", MEDIUM)
    with world.transaction():
        date = request.args.get("occurrence_id", "")
        registrations.change_statuses(world, meeting, body(), date)
    return "", 204


@blueprint.get(f"{KIND}/registrants/<registrant>")
def registrant_detail(plural: str, identifier: str, registrant: str) -> Response:
    """One registrant."""
    world, meeting = _enter(plural, identifier, "read:registrant", LIGHT)
    return jsonify(responses.registrant(world, meeting, _registrant(world, meeting, registrant)))


@blueprint.delete(f"{KIND}/registrants/<registrant>")
def remove(plural: str, identifier: str, registrant: str) -> tuple[str, int]:
    """Delete a registrant, or one of several occurrences (``occurrence_id``)."""
    world, meeting = _enter(plural, identifier, "delete:registrant", LIGHT)
    with world.transaction():
        registrant_doc = _registrant(world, meeting, registrant)
        registrations.remove(world, meeting, registrant_doc, request.args.get("occurrence_id", ""))
    return "", 204


@blueprint.get("/webinars/<identifier>/tracking_sources")
def tracking_sources(identifier: str) -> Response:
    """Tracking sources of a webinar."""
    world, meeting = _enter("webinars", identifier, "read:list_tracking_sources", MEDIUM)
    sources = [
        responses.tracking_source(world, meeting, source)
        for source in meeting.get("tracking_sources", [])
    ]
    return jsonify(total_records=len(sources), tracking_sources=sources)
