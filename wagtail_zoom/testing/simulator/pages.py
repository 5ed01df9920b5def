"""The simulator's web page: shows and changes an account, lists the webhook deliveries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from . import meetings, page_context, people, recordings, registrations, scheduling
from .clock import parse, seconds, stamp
from .delivery import validate
from .errors import ControlError, Problem
from .registrants import find
from .request_context import get_simulator
from .storage import Doc
from .world import World

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """One account at a time; ``?account=`` key or id."""
    world = get_simulator()
    accounts = world.store.find("accounts", "1")
    selected = request.args.get("account")
    account = world.account(selected) if selected else accounts[0]
    users = world.store.find(
        "users",
        "account_id = ? AND status = 'active'",
        account["id"],
        tail="ORDER BY seq LIMIT 200",
    )
    show_all = request.args.get("all") == "1"
    dates, has_more = page_context.coming(world, account, 500 if show_all else page_context.ROWS)
    return render_template(
        "world.html",
        accounts=accounts,
        account=account,
        users=users,
        dates=dates,
        has_more=has_more,
        deleted=page_context.deleted(world, account),
        waiting=page_context.waiting(world, account),
        recordings=page_context.recordings(world, account),
        installations=page_context.installations(world, account),
        deliveries=page_context.deliveries(world, account),
        changes_by_apps=scheduling.changes_by_apps(world, account),
        tomorrow=page_context.tomorrow(world, users[0]["timezone"] if users else "UTC"),
        now=world.clock.stamp(),
        travelled=abs(world.clock.offset) > 1 or world.clock.frozen is not None,
        options=world.options,
    )


@blueprint.get("/registrants/<int:number>")
def registrants(number: int) -> str:
    """All registrants of one meeting or webinar."""
    world = get_simulator()
    meeting = world.meeting(number)
    where = "target = ? AND object_id = ?"
    people = world.store.find("registrants", where, meeting["kind"], str(number))
    rows = [page_context.person_row(person, meeting) for person in people]
    account = world.account(meeting["account_id"])
    return render_template("registrants.html", meeting=meeting, rows=rows, account=account)


@blueprint.post("/do/<name>")
def do(name: str) -> ResponseReturnValue:
    """Carry out a form's action and redirect to its page; ``message`` is the result."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    action = ACTIONS.get(name)
    if action is None:
        abort(404)
    world, form = get_simulator(), request.form.to_dict()
    try:
        # The validation waits for the website and must not hold the lock meanwhile.
        with nullcontext() if action is _validate else world.transaction():
            message = action(world, form)
    except (ControlError, Problem, ValueError) as error:
        details = getattr(error, "fields", None) or []
        message = " ".join([str(error), *(field["message"] for field in details)])
    if name == "clock":
        world.save()
    back = form.get("back", "")
    anchor = f"#{form['anchor']}" if form.get("anchor") else ""
    if not back.startswith("/registrants/"):
        back = "/"
    query = urlencode({"account": form.get("account", ""), "message": message})
    return redirect(f"{back}?{query}{anchor}", 303)


def _create(world: World, form: dict[str, str]) -> str:
    doc = meetings.create(world, world.user(form["host"]), page_context.fields_from_form(form))
    return f"Created: {doc['topic']}."


def _date(doc: Doc, form: dict[str, str]) -> Doc:
    dates: list[Doc] = doc.get("occurrences", [])
    for date in dates:
        if date["occurrence_id"] == form.get("occurrence_id"):
            return date
    return doc


def _move(world: World, form: dict[str, str]) -> str:
    doc = world.meeting(form["number"])
    fields: dict[str, Any] = {}
    if form.get("later"):
        start = parse(_date(doc, form)["start_time"]) + timedelta(seconds=seconds(form["later"]))
        fields["start_time"] = stamp(start)
    elif form.get("soon"):
        start = world.clock.now() + timedelta(seconds=seconds(form["soon"]))
        fields["start_time"] = stamp(start.replace(second=0))
    elif form.get("start"):
        fields["start_time"] = form["start"]
    if form.get("topic") and form["topic"] != doc["topic"]:
        meetings.change(world, doc, {"topic": form["topic"]})
    if "start_time" in fields:
        fields["occurrence_id"] = form.get("occurrence_id", "")
        meetings.change(world, doc, fields)
    return f"Changed: {doc['topic']}."


def _cancel(world: World, form: dict[str, str]) -> str:
    doc = meetings.delete(world, world.meeting(form["number"]), form.get("occurrence_id", ""))
    return f"Cancelled: {doc['topic']}."


def _recover(world: World, form: dict[str, str]) -> str:
    doc = meetings.recover(world, world.meeting(form["number"]), form.get("occurrence_id", ""))
    return f"Back again: {doc['topic']}."


def _start(world: World, form: dict[str, str]) -> str:
    return f"Started: {meetings.start(world, world.meeting(form['number']))['topic']}."


def _end(world: World, form: dict[str, str]) -> str:
    return f"Ended: {meetings.end(world, world.meeting(form['number']))['topic']}."


def _record(world: World, form: dict[str, str]) -> str:
    """A recording, just finished, of a meeting (``number``) or of a host."""
    fields: dict[str, Any] = {"processing": form.get("processing") == "1"}
    if form.get("number"):
        doc = world.meeting(form["number"])
        fields |= {"meeting": doc["id"], "duration": doc["duration"]}
        host = world.user(doc["host_id"])
    else:
        host = world.user(form["host"])
        fields |= {"topic": form.get("topic") or "Untitled", "duration": form.get("duration") or 60}
    start = world.clock.now() - timedelta(minutes=int(fields["duration"]))
    if not (form.get("number") and world.store.get("instances", doc["uuid"])):
        fields["start_time"] = stamp(start)
    return f"Recorded: {recordings.create(world, host, fields)['topic']}."


def _recording(world: World, form: dict[str, str]) -> str:
    doc, what = world.recording(form["uuid"]), form.get("what", "")
    if what == "trash":
        recordings.remove(world, [doc])
    elif what == "delete":
        recordings.remove(world, [doc], permanent=True)
    elif what == "recover":
        recordings.recover(world, [doc])
    elif what == "ready":
        recordings.change(world, doc, {"processing": False})
    else:
        recordings.change(world, doc, {"topic": form.get("topic") or doc["topic"]})
    return f"Changed: {doc['topic']}."


def _decide(world: World, form: dict[str, str]) -> str:
    meeting = world.meeting(form["number"])
    person = find(world, meeting, form["registrant"])
    if person is None:
        raise ControlError("nobody of that name")
    registrations.set_status(world, meeting, person, form["what"])
    return f"{person['first_name']}: {person['status']}."


def _deauthorize(world: World, form: dict[str, str]) -> str:
    people.deauthorize(world, world.store.find("grants", "user_id = ?", form["user"]))
    return "The app was removed."


def _retry(world: World, form: dict[str, str]) -> str:
    for doc in world.store.find("events", "id = ?", form["event_id"]):
        world.store.put("events", {**doc, "state": "pending", "next_try": world.clock.time()})
    return "Sent again."


def _validate(world: World, form: dict[str, str]) -> str:
    if not world.options.webhook_url:
        raise ControlError("No webhook URL is set.")
    result = validate(world)
    return (
        "The endpoint proved its secret." if result["valid"] else "The endpoint's answer is wrong."
    )


def _clock(world: World, form: dict[str, str]) -> str:
    if form.get("advance"):
        world.clock.advance(seconds(form["advance"]))
    else:
        world.clock.freeze(False)
        world.clock.offset = 0.0
    return f"It is {world.clock.stamp()}."


ACTIONS: dict[str, Callable[[World, dict[str, str]], str]] = {
    "create": _create,
    "move": _move,
    "cancel": _cancel,
    "recover": _recover,
    "start": _start,
    "end": _end,
    "record": _record,
    "recording": _recording,
    "decide": _decide,
    "deauthorize": _deauthorize,
    "retry": _retry,
    "validate": _validate,
    "clock": _clock,
}
