"""Pages behind Zoom's links: joining a meeting, watching a recording, Zoom's registration form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request

from . import registrations, vtt
from .errors import Problem
from .registration_form import questions
from .request_context import get_simulator

blueprint = Blueprint("landing", __name__)


@blueprint.get("/wc/join/<int:number>", defaults={"path": "wc"})
@blueprint.get("/<any(j, w, s):path>/<int:number>")
def join(path: str, number: int) -> tuple[str, int]:
    """Target of a join link; a registrant (parameter ``tk``) is greeted by name."""
    world = get_simulator()
    where = "id = ? OR json_extract(data, '$.pmi') = ?"
    doc = world.store.first("meetings", where, number, str(number))
    registrants = world.store.find("registrants", "json_extract(data, '$.token') = ?", _token())
    name = registrants[0]["first_name"] if registrants else ""
    is_gone = doc is None or doc["state"] == "deleted"
    status = 404 if is_gone else 200
    return render_template("open.html", doc=doc, gone=is_gone, name=name, host=path == "s"), status


def _token() -> str:
    return request.args.get("tk", "-")


@blueprint.get("/rec/<any(share, play):what>/<identifier>")
def watch_recording(what: str, identifier: str) -> tuple[str, int]:
    """Target of a recording's link."""
    world = get_simulator()
    url = f"{world.base_url}/rec/{what}/{identifier}"
    where = "json_extract(data, '$.share_url') = ? OR instr(data, ?) > 0"
    doc = world.store.first("recordings", where, url, f'"{url}"')
    is_gone = doc is None or doc["state"] != "active"
    return render_template("watch.html", doc=doc, gone=is_gone), 404 if is_gone else 200


@blueprint.get("/rec/download/<identifier>")
def download(identifier: str) -> Response:
    """A recording's transcript; requires a bearer token."""
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        abort(401)
    url = f'"{get_simulator().base_url}/rec/download/{identifier}"'
    doc = get_simulator().store.first("recordings", "instr(data, ?) > 0", url)
    if doc is None or doc["state"] != "active":
        abort(404)
    return current_app.response_class(vtt.to_vtt(doc), mimetype="text/vtt")


@blueprint.get("/<any(meeting, webinar):kind>/register/<int:number>")
def register(kind: str, number: int) -> str:
    """Target of a registration link: Zoom's own form, simplified."""
    doc = get_simulator().meeting(number)
    return render_template("register.html", doc=doc, form=questions(doc))


@blueprint.post("/<any(meeting, webinar):kind>/register/<int:number>")
def registered(kind: str, number: int) -> tuple[str, int]:
    """Zoom's own form was submitted."""
    world = get_simulator()
    doc = world.meeting(number)
    body: dict[str, Any] = {
        name: value for name, value in request.form.items() if value and not name.startswith("q")
    }
    custom_questions = questions(doc)["custom_questions"]
    answers = [
        ";".join(request.form.getlist(f"q{index}")) for index in range(len(custom_questions))
    ]
    body["custom_questions"] = [
        {"title": question["title"], "value": value}
        for question, value in zip(custom_questions, answers, strict=True)
        if value
    ]
    dates = [date["occurrence_id"] for date in doc.get("occurrences", [])]
    occurrence_ids = ",".join(date for date in request.form.getlist("dates") if date in dates)
    body.pop("dates", None)
    try:
        with world.transaction():
            person = registrations.add(world, doc, body, occurrence_ids)
    except Problem as problem:
        wrong = [field["message"] for field in problem.fields or []] or [str(problem)]
        page = render_template("register.html", doc=doc, form=questions(doc), wrong=wrong)
        return page, 400
    return render_template("register.html", doc=doc, form=None, person=person), 200
