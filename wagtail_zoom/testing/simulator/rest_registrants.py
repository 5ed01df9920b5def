"""The endpoints of registration, for meetings and webinars alike (REFERENCE 3.4, 3.5)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from . import registrations, responses
from .errors import Problem, invalid
from .limits import HEAVY, LIGHT, MEDIUM
from .paging import page
from .registrants import find, key
from .registration_form import questions
from .request_context import body, enter, meeting_of_account
from .storage import Doc
from .world import World

blueprint = Blueprint("rest_registrants", __name__, url_prefix="/v2")

KIND = "/<any(meetings, webinars):kinds>/<ref>"


def _enter(kinds: str, ref: str, right: str, label: str) -> tuple[World, Doc]:
    kind = kinds.removesuffix("s")
    here = enter(f"{kind}:{right}", label)
    return here, meeting_of_account(here, ref, kind)


def _registrant(here: World, thing: Doc, ref: str) -> Doc:
    found = find(here, thing, ref)
    if found is None or found["status"] == "cancelled":
        if thing["kind"] == "webinar":
            raise Problem(400, 3079, f"Registrant {ref} does not exist.")
        raise Problem(404, 3001, f"Registrant {ref} does not exist.")
    return found


@blueprint.get(f"{KIND}/registrants")
def listing(kinds: str, ref: str) -> Response:
    """Approved ones unless told otherwise; the cancelled cannot be listed."""
    here, thing = _enter(kinds, ref, "read:list_registrants", MEDIUM)
    registrations.check_open(here, thing)
    args = request.args.to_dict()
    status = args.get("status", "approved")
    if status not in ("pending", "approved", "denied"):
        raise invalid("status", "Invalid field.")
    where, values = "target = ? AND object_id = ? AND status = ?", [*key(thing)]
    values.append(status)
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
            here,
            request.path,
            args,
            query=("registrants", where, tuple(values)),
            name="registrants",
            most=300,
            shape=lambda doc: responses.registrant(here, thing, doc),
        )
    )


@blueprint.post(f"{KIND}/registrants")
def add(kinds: str, ref: str) -> tuple[Response, int]:
    """Register a person; the link is absent while the host has not approved (trap 15)."""
    here, thing = _enter(kinds, ref, "write:registrant", LIGHT)
    with here.transaction():
        wanted = request.args.get("occurrence_ids", "")
        found = registrations.add(here, thing, body(), wanted)
    return jsonify(responses.registered(here, thing, found)), 201


@blueprint.post(f"{KIND}/batch_registrants")
def batch(kinds: str, ref: str) -> tuple[Response, int]:
    """Register up to 30 people."""
    here, thing = _enter(kinds, ref, "write:batch_registrants", HEAVY)
    with here.transaction():
        found = registrations.batch(here, thing, body())
    made = [_batch_item(here, thing, doc) for doc in found]
    return jsonify(registrants=made), 201


def _batch_item(here: World, thing: Doc, doc: Doc) -> dict[str, Any]:
    item = {"email": doc["address_as_given"], "registrant_id": doc["id"]}
    full = responses.registered(here, thing, doc)
    names = ("join_url", "participant_pin_code")
    return {**item, **{name: full[name] for name in names if name in full}}


@blueprint.get(f"{KIND}/registrants/questions")
def form(kinds: str, ref: str) -> Response:
    """What the registration asks."""
    here, thing = _enter(kinds, ref, "read:list_registration_questions", LIGHT)
    registrations.check_open(here, thing)
    return jsonify(questions(thing))


@blueprint.put(f"{KIND}/registrants/status")
def status(kinds: str, ref: str) -> tuple[str, int]:
    """Approve, deny, cancel."""
    here, thing = _enter(kinds, ref, "update:registrant_status", MEDIUM)
    with here.transaction():
        date = request.args.get("occurrence_id", "")
        registrations.change_statuses(here, thing, body(), date)
    return "", 204


@blueprint.get(f"{KIND}/registrants/<registrant>")
def one(kinds: str, ref: str, registrant: str) -> Response:
    """One registrant."""
    here, thing = _enter(kinds, ref, "read:registrant", LIGHT)
    return jsonify(responses.registrant(here, thing, _registrant(here, thing, registrant)))


@blueprint.delete(f"{KIND}/registrants/<registrant>")
def remove(kinds: str, ref: str, registrant: str) -> tuple[str, int]:
    """Delete a registrant, or one date of several (``occurrence_id``)."""
    here, thing = _enter(kinds, ref, "delete:registrant", LIGHT)
    with here.transaction():
        found = _registrant(here, thing, registrant)
        registrations.remove(here, thing, found, request.args.get("occurrence_id", ""))
    return "", 204


@blueprint.get("/webinars/<ref>/tracking_sources")
def tracking_sources(ref: str) -> Response:
    """Where registrants came from."""
    here, thing = _enter("webinars", ref, "read:list_tracking_sources", MEDIUM)
    found = [
        responses.tracking_source(here, thing, one) for one in thing.get("tracking_sources", [])
    ]
    return jsonify(total_records=len(found), tracking_sources=found)
