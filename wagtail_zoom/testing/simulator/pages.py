"""The simulator's web page: look at an account, change it, watch what Zoom tells the website."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request

from . import meetings, page_context, people, recordings, registrations
from .clock import parse, seconds, stamp
from .delivery import validate
from .errors import ControlError, Problem
from .registrants import find
from .request_context import world
from .storage import Doc
from .world import World

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """One account at a time; ``?account=`` key or id."""
    here = world()
    accounts = here.store.find("accounts", "1")
    chosen = request.args.get("account")
    account = here.account(chosen) if chosen else accounts[0]
    users = here.store.find(
        "users",
        "account_id = ? AND status = 'active'",
        account["id"],
        tail="ORDER BY seq LIMIT 200",
    )
    every = request.args.get("all") == "1"
    dates, more = page_context.coming(here, account, 500 if every else page_context.ROWS)
    return render_template(
        "world.html",
        accounts=accounts,
        account=account,
        users=users,
        dates=dates,
        more=more,
        deleted=page_context.deleted(here, account),
        waiting=page_context.waiting(here, account),
        recordings=page_context.recordings(here, account),
        installations=page_context.installations(here, account),
        deliveries=page_context.deliveries(here, account),
        tomorrow=page_context.tomorrow(here, users[0]["timezone"] if users else "UTC"),
        now=here.clock.stamp(),
        travelled=abs(here.clock.offset) > 1 or here.clock.frozen is not None,
        options=here.options,
    )


@blueprint.get("/registrants/<int:number>")
def registrants(number: int) -> str:
    """Everybody who registered for one meeting or webinar."""
    here = world()
    thing = here.meeting(number)
    where = "target = ? AND object_id = ?"
    found = here.store.find("registrants", where, thing["kind"], str(number))
    rows = [page_context.person_row(person, thing) for person in found]
    account = here.account(thing["account_id"])
    return render_template("registrants.html", thing=thing, rows=rows, account=account)


@blueprint.post("/do/<name>")
def do(name: str) -> Response:
    """Carry out what a form asks and come back to it; ``said`` tells how it went."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    action = ACTIONS.get(name)
    if action is None:
        abort(404)
    here, form = world(), request.form.to_dict()
    try:
        # The challenge waits for the website: nobody else may wait for it meanwhile.
        with nullcontext() if action is _validate else here.transaction():
            said = action(here, form)
    except (ControlError, Problem, ValueError) as error:
        details = getattr(error, "fields", None) or []
        said = " ".join([str(error), *(one["message"] for one in details)])
    if name == "clock":
        here.save()
    back = form.get("back", "")
    anchor = f"#{form['anchor']}" if form.get("anchor") else ""
    if not back.startswith("/registrants/"):
        back = "/"
    query = urlencode({"account": form.get("account", ""), "said": said})
    return redirect(f"{back}?{query}{anchor}", 303)  # type: ignore[return-value]


def _create(here: World, form: dict[str, str]) -> str:
    doc = meetings.create(here, here.user(form["host"]), page_context.facts_of_form(form))
    return f"Created: {doc['topic']}."


def _date(doc: Doc, form: dict[str, str]) -> Doc:
    dates: list[Doc] = doc.get("occurrences", [])
    for date in dates:
        if date["occurrence_id"] == form.get("occurrence_id"):
            return date
    return doc


def _move(here: World, form: dict[str, str]) -> str:
    doc = here.meeting(form["number"])
    facts: dict[str, Any] = {}
    if form.get("later"):
        start = parse(_date(doc, form)["start_time"]) + timedelta(seconds=seconds(form["later"]))
        facts["start_time"] = stamp(start)
    elif form.get("start"):
        facts["start_time"] = form["start"]
    if form.get("topic") and form["topic"] != doc["topic"] and not form.get("later"):
        meetings.change(here, doc, {"topic": form["topic"]})
    if "start_time" in facts:
        facts["occurrence_id"] = form.get("occurrence_id", "")
        meetings.change(here, doc, facts)
    return f"Changed: {doc['topic']}."


def _cancel(here: World, form: dict[str, str]) -> str:
    doc = meetings.delete(here, here.meeting(form["number"]), form.get("occurrence_id", ""))
    return f"Cancelled: {doc['topic']}."


def _recover(here: World, form: dict[str, str]) -> str:
    doc = meetings.recover(here, here.meeting(form["number"]), form.get("occurrence_id", ""))
    return f"Back again: {doc['topic']}."


def _start(here: World, form: dict[str, str]) -> str:
    return f"Started: {meetings.start(here, here.meeting(form['number']))['topic']}."


def _end(here: World, form: dict[str, str]) -> str:
    return f"Ended: {meetings.end(here, here.meeting(form['number']))['topic']}."


def _record(here: World, form: dict[str, str]) -> str:
    """A recording of a meeting (``number``) or of a host, just over."""
    facts: dict[str, Any] = {"processing": form.get("processing") == "1"}
    if form.get("number"):
        doc = here.meeting(form["number"])
        facts |= {"meeting": doc["id"], "duration": doc["duration"]}
        host = here.user(doc["host_id"])
    else:
        host = here.user(form["host"])
        facts |= {"topic": form.get("topic") or "Untitled", "duration": form.get("duration") or 60}
    start = here.clock.now() - timedelta(minutes=int(facts["duration"]))
    if not (form.get("number") and here.store.get("instances", doc["uuid"])):
        facts["start_time"] = stamp(start)
    return f"Recorded: {recordings.create(here, host, facts)['topic']}."


def _recording(here: World, form: dict[str, str]) -> str:
    doc, what = here.recording(form["uuid"]), form.get("what", "")
    if what == "trash":
        recordings.remove(here, [doc])
    elif what == "delete":
        recordings.remove(here, [doc], permanent=True)
    elif what == "recover":
        recordings.recover(here, [doc])
    elif what == "ready":
        recordings.change(here, doc, {"processing": False})
    else:
        recordings.change(here, doc, {"topic": form.get("topic") or doc["topic"]})
    return f"Changed: {doc['topic']}."


def _decide(here: World, form: dict[str, str]) -> str:
    thing = here.meeting(form["number"])
    person = find(here, thing, form["registrant"])
    if person is None:
        raise ControlError("nobody of that name")
    registrations.set_status(here, thing, person, form["what"])
    return f"{person['first_name']}: {person['status']}."


def _deauthorize(here: World, form: dict[str, str]) -> str:
    people.deauthorize(here, here.store.find("grants", "user_id = ?", form["user"]))
    return "The app was removed."


def _retry(here: World, form: dict[str, str]) -> str:
    for doc in here.store.find("events", "id = ?", form["event_id"]):
        here.store.put("events", {**doc, "state": "pending", "next_try": here.clock.time()})
    return "Sent again."


def _validate(here: World, form: dict[str, str]) -> str:
    if not here.options.webhook_url:
        raise ControlError("No webhook URL is set.")
    found = validate(here)
    return (
        "The endpoint proved its secret." if found["valid"] else "The endpoint's answer is wrong."
    )


def _clock(here: World, form: dict[str, str]) -> str:
    if form.get("advance"):
        here.clock.advance(seconds(form["advance"]))
    else:
        here.clock.freeze(False)
        here.clock.offset = 0.0
    return f"It is {here.clock.stamp()}."


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
