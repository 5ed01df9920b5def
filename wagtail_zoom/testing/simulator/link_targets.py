"""Where Zoom's links lead visitors: into a meeting, to a recording, to Zoom's own form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request

from . import registrations, vtt
from .errors import Problem
from .registration_form import questions
from .request_context import world

blueprint = Blueprint("landing", __name__)


@blueprint.get("/wc/join/<int:number>", defaults={"room": "wc"})
@blueprint.get("/<any(j, w, s):room>/<int:number>")
def room(room: str, number: int) -> tuple[str, int]:
    """Where a join link leads. Who comes with ``tk`` is greeted by name."""
    here = world()
    where = "id = ? OR json_extract(data, '$.pmi') = ?"
    doc = here.store.first("meetings", where, number, str(number))
    found = here.store.find("registrants", "json_extract(data, '$.token') = ?", _token())
    name = found[0]["first_name"] if found else ""
    gone = doc is None or doc["state"] == "deleted"
    status = 404 if gone else 200
    return render_template("open.html", doc=doc, gone=gone, name=name, host=room == "s"), status


def _token() -> str:
    return request.args.get("tk", "-")


@blueprint.get("/rec/<any(share, play):what>/<ref>")
def watch(what: str, ref: str) -> tuple[str, int]:
    """Where a link to a recording leads."""
    here = world()
    url = f"{here.base_url}/rec/{what}/{ref}"
    where = "json_extract(data, '$.share_url') = ? OR instr(data, ?) > 0"
    doc = here.store.first("recordings", where, url, f'"{url}"')
    gone = doc is None or doc["state"] != "active"
    return render_template("watch.html", doc=doc, gone=gone), 404 if gone else 200


@blueprint.get("/rec/download/<ref>")
def download(ref: str) -> Response:
    """The text of a recording's transcript, for holders of a token."""
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        abort(401)
    url = f'"{world().base_url}/rec/download/{ref}"'
    doc = world().store.first("recordings", "instr(data, ?) > 0", url)
    if doc is None or doc["state"] != "active":
        abort(404)
    return current_app.response_class(vtt.vtt(doc), mimetype="text/vtt")


@blueprint.get("/<any(meeting, webinar):kind>/register/<int:number>")
def register(kind: str, number: int) -> str:
    """Where a registration link leads: Zoom's own form, in short."""
    doc = world().meeting(number)
    return render_template("register.html", doc=doc, form=questions(doc))


@blueprint.post("/<any(meeting, webinar):kind>/register/<int:number>")
def registered(kind: str, number: int) -> tuple[str, int]:
    """Zoom's own form comes back."""
    here = world()
    doc = here.meeting(number)
    body: dict[str, Any] = {
        name: value for name, value in request.form.items() if value and not name.startswith("q")
    }
    asked = questions(doc)["custom_questions"]
    given = [";".join(request.form.getlist(f"q{place}")) for place in range(len(asked))]
    body["custom_questions"] = [
        {"title": question["title"], "value": value}
        for question, value in zip(asked, given, strict=True)
        if value
    ]
    dates = [date["occurrence_id"] for date in doc.get("occurrences", [])]
    chosen = ",".join(date for date in request.form.getlist("dates") if date in dates)
    body.pop("dates", None)
    try:
        with here.transaction():
            person = registrations.add(here, doc, body, chosen)
    except Problem as problem:
        wrong = [one["message"] for one in problem.fields or []] or [str(problem)]
        page = render_template("register.html", doc=doc, form=questions(doc), wrong=wrong)
        return page, 400
    return render_template("register.html", doc=doc, form=None, person=person), 200
