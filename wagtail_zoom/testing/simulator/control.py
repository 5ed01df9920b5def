"""The control API under ``/_sim/``: JSON over HTTP, for tests and for people with curl."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from .clock import seconds, when
from .content import make_meeting, make_recording
from .outbox import release
from .request_context import get_simulator, request_data
from .seed import seed

blueprint = Blueprint("control", __name__, url_prefix="/_sim")


@blueprint.get("/state")
def state() -> Response:
    """Accounts, users, row counts, clock, options and faults; also a health check."""
    world = get_simulator()
    tables = (*("users", "meetings", "recordings", "summaries", "registrants", "grants", "events"),)
    return jsonify(
        accounts=world.store.find("accounts", "1"),
        users=world.store.find("users", "1", tail="ORDER BY seq LIMIT 200"),
        counts={table: world.store.count(table) for table in tables},
        clock=world.clock.stamp(),
        options=world.options.dump(),
        faults=world.faults.dump(),
    )


@blueprint.post("/bulk")
def bulk() -> Response:
    """Create many objects of one ``host``: numbers of ``meetings``, ``recordings``; no events."""
    world, data = get_simulator(), request_data()
    host = world.user(str(data.get("host")))
    with world.transaction():
        for index in range(int(data.get("meetings", 0))):
            start_time = f"+{index % 300 + 1}d {8 + index % 12:02}:00"
            make_meeting(world, host, {"topic": f"Meeting {index}", "start_time": start_time})
        for index in range(int(data.get("recordings", 0))):
            start_time = f"-{index % int(data.get('days', 300)) + 1}d 18:00"
            make_recording(world, host, {"topic": f"Recording {index}", "start_time": start_time})
    return jsonify(counts={name: world.store.count(name) for name in ("meetings", "recordings")})


@blueprint.route("/faults", methods=["POST", "DELETE"])
def faults() -> Response:
    """Switch a fault on, or all faults (``?id=``: one) off."""
    world = get_simulator()
    if request.method == "POST":
        fault = world.faults.add(request_data())
    else:
        number = request.args.get("id")
        fault = {"removed": world.faults.remove(int(number) if number else None)}
        with world.transaction():
            release(world, int(number) if number else None)
    world.save()
    return jsonify(fault)


@blueprint.post("/clock")
def clock() -> Response:
    """Move the clock: ``advance`` (seconds or ``3d``), ``set`` (a time), ``freeze`` (bool)."""
    world, data = get_simulator(), request_data()
    if "advance" in data:
        world.clock.advance(seconds(data["advance"]))
    if "set" in data:
        world.clock.set(when(str(data["set"]), "UTC", world.clock.now()))
    if "freeze" in data:
        world.clock.freeze(bool(data["freeze"]))
    world.save()
    world.wake()
    return jsonify(clock=world.clock.stamp())


@blueprint.post("/options")
def options() -> Response:
    """Change options; an unknown name is refused."""
    world = get_simulator()
    world.options.update(request_data())
    world.save()
    current_app.config["SENDER"].grow()
    world.wake()
    return jsonify(world.options.dump())


@blueprint.route("/calls", methods=["GET", "DELETE"])
def calls() -> Response:
    """Every API and token call; filters ``path`` (part), ``method``, ``status``."""
    world = get_simulator()
    if request.method == "DELETE":
        world.recorder.clear()
    entries = world.recorder.find(**request.args.to_dict())
    return jsonify(calls=entries, counters=dict(world.recorder.counters))


@blueprint.get("/exchanges")
def exchanges() -> Response:
    """Full requests and responses since the last call (option ``record_exchanges``)."""
    return jsonify(exchanges=get_simulator().recorder.drain())


@blueprint.post("/reset")
def reset() -> Response:
    """Delete all data and seed again; options are as at the start.

    ``seed`` (a number), ``demo`` (bool) and ``extra`` (see :func:`seed.seed`) override the start's.
    """
    world, data = get_simulator(), request_data()
    with world.store.lock:
        world.epoch += 1
        world.store.clear()
        world.options.update(world.baseline)
        world.clock.advance(-world.clock.offset)
        world.clock.freeze(False)
        world.clock.offset = 0.0
        world.faults.remove()
        world.limits.clear()
        world.recorder.clear()
        world.recorder.drain()
        arguments = dict(world.seed_args)
        if "seed" in data:
            arguments["number"] = data["seed"]
        if "demo" in data:
            arguments["demo"] = bool(data["demo"])
        if "extra" in data:
            arguments["extra"] = data["extra"]
        seed(world, **arguments)
        world.save()
    world.wake()
    return state()


@blueprint.post("/snapshots/<name>")
def take_snapshot(name: str) -> Response:
    """Store the present state in memory under a name."""
    current_app.config["SNAPSHOTS"].take(name)
    return jsonify(name=name)


@blueprint.post("/snapshots/<name>/restore")
def restore_snapshot(name: str) -> Response:
    """Return to the state of that snapshot."""
    current_app.config["SNAPSHOTS"].restore(name)
    return jsonify(name=name)
