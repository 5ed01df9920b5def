"""REST endpoints that create, change and delete meetings and webinars."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from . import registrations, responses, scheduling
from .errors import invalid
from .limits import LIGHT, MEDIUM
from .registration_form import check_form
from .request_context import body, enter, own_meeting, user_of_account

blueprint = Blueprint("rest_write", __name__, url_prefix="/v2")

KIND = "/<any(meetings, webinars):plural>/<identifier>"
REMINDERS = {
    "meeting": ("schedule_for_reminder", "cancel_meeting_reminder"),
    "webinar": ("cancel_webinar_reminder",),
}
"""Parameters of a deletion: whom Zoom writes an email."""


@blueprint.post("/users/<identifier>/<any(meetings, webinars):plural>")
def create(identifier: str, plural: str) -> tuple[Response, int]:
    """Schedule a meeting or webinar; answers with all of it."""
    kind = plural.removesuffix("s")
    world = enter(f"{kind}:write:{kind}", MEDIUM if kind == "meeting" else LIGHT)
    host = user_of_account(world, identifier)
    scheduling.check_host(world, host, kind)
    scheduling.count(world, host)
    with world.transaction():
        doc = scheduling.create(world, host, kind, body())
        return jsonify(responses.meeting_detail(world, doc, show_previous=True)), 201


@blueprint.patch(KIND)
def change(plural: str, identifier: str) -> tuple[str, int]:
    """Change a meeting or webinar, or one date of a series (``occurrence_id``)."""
    kind = plural.removesuffix("s")
    world = enter(f"{kind}:update:{kind}", LIGHT)
    host = world.user(own_meeting(world, identifier, kind)["host_id"])
    scheduling.check_host(world, host, kind)
    scheduling.count(world, host)
    with world.transaction():
        doc = own_meeting(world, identifier, kind)
        occurrence_id = request.args.get("occurrence_id", "")
        if occurrence_id:
            scheduling.change_date(world, doc, occurrence_id, body())
        else:
            scheduling.change(world, doc, body())
    return "", 204


@blueprint.delete(KIND)
def delete(plural: str, identifier: str) -> tuple[str, int]:
    """Delete a meeting or webinar, or cancel one date of a series (``occurrence_id``)."""
    kind = plural.removesuffix("s")
    world = enter(f"{kind}:delete:{kind}", LIGHT)
    for name in REMINDERS[kind]:
        if request.args.get(name, "false") not in ("true", "false"):
            raise invalid(name, "Invalid field.")
    with world.transaction():
        doc = own_meeting(world, identifier, kind)
        scheduling.delete(world, doc, request.args.get("occurrence_id", ""))
    return "", 204


@blueprint.get("/users/<identifier>/meeting_templates")
def templates(identifier: str) -> Response:
    """The templates of a host."""
    world = enter("meeting:read:list_templates", MEDIUM)
    rows = [
        {name: template[name] for name in ("id", "name", "type")}
        for template in user_of_account(world, identifier).get("templates", [])
    ]
    return jsonify(total_records=len(rows), templates=rows)


@blueprint.patch("/meetings/<identifier>/registrants/questions")
def change_form(identifier: str) -> tuple[str, int]:
    """Replace all questions of the registration."""
    world = enter("meeting:update:registration_question", LIGHT)
    with world.transaction():
        doc = own_meeting(world, identifier, "meeting")
        registrations.check_open(world, doc)
        doc.update(check_form(body()))
        world.store.put("meetings", doc)
    return "", 204
