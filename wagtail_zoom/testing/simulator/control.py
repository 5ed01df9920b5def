"""The control API under ``/_sim/``: JSON over HTTP, for tests and for people with curl."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from .clock import seconds, when
from .content import make_meeting, make_recording
from .outbox import release
from .request_context import facts, world
from .seed import seed

blueprint = Blueprint("control", __name__, url_prefix="/_sim")


@blueprint.get("/state")
def state() -> Response:
    """Accounts, users and the number of everything; also tells that the server is up."""
    here = world()
    tables = ("users", "meetings", "recordings", "registrants", "grants", "events")
    return jsonify(
        accounts=here.store.find("accounts", "1"),
        users=here.store.find("users", "1", tail="ORDER BY seq LIMIT 200"),
        counts={table: here.store.count(table) for table in tables},
        clock=here.clock.stamp(),
        options=here.options.dump(),
        faults=here.faults.dump(),
    )


@blueprint.post("/bulk")
def bulk() -> Response:
    """Create many at once for one host: ``host``, ``meetings``, ``recordings``; without events."""
    here, given = world(), facts()
    host = here.user(str(given.get("host")))
    with here.transaction():
        for place in range(int(given.get("meetings", 0))):
            moment = f"+{place % 300 + 1}d {8 + place % 12:02}:00"
            make_meeting(here, host, {"topic": f"Meeting {place}", "start_time": moment})
        for place in range(int(given.get("recordings", 0))):
            moment = f"-{place % int(given.get('days', 300)) + 1}d 18:00"
            make_recording(here, host, {"topic": f"Recording {place}", "start_time": moment})
    return jsonify(counts={name: here.store.count(name) for name in ("meetings", "recordings")})


@blueprint.route("/faults", methods=["POST", "DELETE"])
def faults() -> Response:
    """Switch a fault on, or all (``?id=`` one) off."""
    here = world()
    if request.method == "POST":
        fault = here.faults.add(facts())
    else:
        number = request.args.get("id")
        fault = {"removed": here.faults.remove(int(number) if number else None)}
        with here.transaction():
            release(here, int(number) if number else None)
    here.save()
    return jsonify(fault)


@blueprint.post("/clock")
def clock() -> Response:
    """Travel: ``advance`` (seconds or ``3d``), ``set`` (a time), ``freeze`` (bool)."""
    here, given = world(), facts()
    if "advance" in given:
        here.clock.advance(seconds(given["advance"]))
    if "set" in given:
        here.clock.set(when(str(given["set"]), "UTC", here.clock.now()))
    if "freeze" in given:
        here.clock.freeze(bool(given["freeze"]))
    here.save()
    here.wake()
    return jsonify(clock=here.clock.stamp())


@blueprint.post("/options")
def options() -> Response:
    """Change options; an unknown name is refused."""
    here = world()
    here.options.update(facts())
    here.save()
    current_app.config["SENDER"].grow()
    here.wake()
    return jsonify(here.options.dump())


@blueprint.route("/calls", methods=["GET", "DELETE"])
def calls() -> Response:
    """Every API and token call; filters ``path`` (part), ``method``, ``status``."""
    here = world()
    if request.method == "DELETE":
        here.recorder.clear()
    found = here.recorder.find(**request.args.to_dict())
    return jsonify(calls=found, counters=dict(here.recorder.counters))


@blueprint.get("/exchanges")
def exchanges() -> Response:
    """Whole requests and answers since the last time (option ``record_exchanges``)."""
    return jsonify(exchanges=world().recorder.drain())


@blueprint.post("/reset")
def reset() -> Response:
    """Start anew: empty everything and seed again, options as at the start.

    ``seed`` (a number), ``demo`` (bool) and ``more`` (see :func:`seed.seed`) differ from the start.
    """
    here, given = world(), facts()
    with here.store.lock:
        here.epoch += 1
        here.store.clear()
        here.options.update(here.baseline)
        here.clock.advance(-here.clock.offset)
        here.clock.freeze(False)
        here.clock.offset = 0.0
        here.faults.remove()
        here.limits.clear()
        here.recorder.clear()
        here.recorder.drain()
        arguments = dict(here.seed_args)
        if "seed" in given:
            arguments["number"] = given["seed"]
        if "demo" in given:
            arguments["demo"] = bool(given["demo"])
        if "more" in given:
            arguments["more"] = given["more"]
        seed(here, **arguments)
        here.save()
    here.wake()
    return state()
