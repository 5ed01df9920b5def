"""Control of webhook deliveries and of installations (under ``/_sim/``)."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from . import people
from .delivery import Sender, deliveries, validate
from .errors import ControlError
from .outbox import queue
from .request_context import facts, world

blueprint = Blueprint("control_events", __name__, url_prefix="/_sim")

FAILED = ("lost", "dropped", "unsubscribed")


def sender() -> Sender:
    """The threads that deliver."""
    found: Sender = current_app.config["SENDER"]
    return found


@blueprint.get("/deliveries")
def delivery_list() -> Response:
    """Every attempt with its status and next try, see :func:`delivery.deliveries`."""
    wanted = request.args.to_dict()
    if not wanted.get("limit", "1").isdigit():
        raise ControlError("limit is a number")
    return jsonify(deliveries=deliveries(world(), wanted))


@blueprint.post("/deliveries/retry")
def delivery_retry() -> Response:
    """Send what is due and wait for it; ``all``: what waits, too; ``event_id``: that one again."""
    here, given = world(), facts()
    with here.transaction():
        docs = []
        if given.get("event_id"):
            docs = here.store.find("events", "id = ?", str(given["event_id"]))
            docs = [doc for doc in docs if doc["state"] in (*FAILED, "pending")]
        elif given.get("all"):
            docs = here.store.find("events", "state = 'pending'")
        for doc in docs:
            doc.update(state="pending", next_try=here.clock.time())
            here.store.put("events", doc)
    done = sender().flush(float(given.get("seconds", 30)))
    return jsonify(done=done, made_due=len(docs))


@blueprint.post("/events")
def event_send() -> Response:
    """Send any ``message`` for an ``account`` as it is, whether or not Zoom knows its like."""
    here, given = world(), facts()
    message = given.get("message")
    if not isinstance(message, dict):
        raise ControlError("message must be a JSON object")
    with here.transaction():
        account = here.account(str(given["account"]))["id"] if "account" in given else ""
        doc = queue(here, str(message.get("event", "")), account, message)
        doc["fault"] = doc.get("fault", "raw")
        here.store.put("events", doc)
        return jsonify(doc)


@blueprint.post("/validate")
def validate_endpoint() -> Response:
    """Send the challenge to the webhook URL; ``valid`` tells whether the answer was right."""
    here = world()
    if not here.options.webhook_url:
        raise ControlError("no webhook_url is set")
    return jsonify(validate(here))


@blueprint.post("/deauthorize")
def deauthorize() -> Response:
    """Uninstall the app for an ``account`` (key or id) or only for one ``user`` of it."""
    here, given = world(), facts()
    with here.transaction():
        if "user" in given:
            where, value = "user_id = ?", here.user(str(given["user"]))["id"]
        else:
            where, value = "account_id = ?", here.account(str(given.get("account")))["id"]
        ended = people.deauthorize(here, here.store.find("grants", where, value))
    return jsonify(ended=ended)
