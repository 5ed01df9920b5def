"""Control of webhook deliveries and of installations (under ``/_sim/``)."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from . import people
from .delivery import Sender, deliveries, validate
from .errors import ControlError
from .outbox import queue
from .request_context import get_simulator, request_data

blueprint = Blueprint("control_events", __name__, url_prefix="/_sim")

FAILED = ("lost", "dropped", "unsubscribed")


def sender() -> Sender:
    """The threads that send webhooks."""
    sender_threads: Sender = current_app.config["SENDER"]
    return sender_threads


@blueprint.get("/deliveries")
def delivery_list() -> Response:
    """Every attempt with its status and next retry, see :func:`delivery.deliveries`."""
    filters = request.args.to_dict()
    if not filters.get("limit", "1").isdigit():
        raise ControlError("limit is a number")
    return jsonify(deliveries=deliveries(get_simulator(), filters))


@blueprint.post("/deliveries/retry")
def delivery_retry() -> Response:
    """Send due events and wait; ``all``: also waiting ones; ``event_id``: send that one again."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        docs = []
        if data.get("event_id"):
            docs = world.store.find("events", "id = ?", str(data["event_id"]))
            docs = [doc for doc in docs if doc["state"] in (*FAILED, "pending")]
        elif data.get("all"):
            docs = world.store.find("events", "state = 'pending'")
        for doc in docs:
            doc.update(state="pending", next_try=world.clock.time())
            world.store.put("events", doc)
    is_finished = sender().flush(float(data.get("seconds", 30)))
    return jsonify(finished=is_finished, made_due=len(docs))


@blueprint.post("/events")
def event_send() -> Response:
    """Send any event ``body`` for an ``account`` unchanged, even of an unknown event."""
    world, data = get_simulator(), request_data()
    body = data.get("body")
    if not isinstance(body, dict):
        raise ControlError("body must be a JSON object")
    with world.transaction():
        account = world.account(str(data["account"]))["id"] if "account" in data else ""
        doc = queue(world, str(body.get("event", "")), account, body)
        doc["fault"] = doc.get("fault", "raw")
        world.store.put("events", doc)
        return jsonify(doc)


@blueprint.post("/validate")
def validate_endpoint() -> Response:
    """Send the challenge to the webhook URL; ``valid``: whether the response was correct."""
    world = get_simulator()
    if not world.options.webhook_url:
        raise ControlError("no webhook_url is set")
    return jsonify(validate(world))


@blueprint.post("/deauthorize")
def deauthorize() -> Response:
    """Uninstall the app for an ``account`` (key or id), or for one ``user``."""
    world, data = get_simulator(), request_data()
    with world.transaction():
        if "user" in data:
            where, value = "user_id = ?", world.user(str(data["user"]))["id"]
        else:
            where, value = "account_id = ?", world.account(str(data.get("account")))["id"]
        ended = people.deauthorize(world, world.store.find("grants", where, value))
    return jsonify(ended=ended)
