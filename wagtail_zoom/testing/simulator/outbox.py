"""Queues webhook events for apps that are subscribed to them."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

from .scopes import default_scopes, event_scope, plan_allows
from .storage import Doc
from .world import World


def emit(
    world: World,
    event: str,
    account_id: str,
    payload: dict[str, Any],
    *,
    user_id: str = "",
    top: dict[str, Any] | None = None,
    always: bool = False,
) -> Doc | None:
    """Queue an event; call it inside the transaction of the change.

    ``user_id`` is the user it concerns (a user-managed app receives events of its own users only),
    ``top`` is added beside ``payload`` in the body, ``always`` skips the subscription check.
    Returns the queued event, None when no app is subscribed to it.
    """
    if not always and not _is_subscribed(world, event, account_id, user_id):
        return None
    now = world.clock.time()
    body = {
        "event": event,
        "event_ts": int(now * 1000),
        "payload": {"account_id": account_id, **payload},
        **(top or {}),
    }
    # The order of the members varies at Zoom, too.
    members = random.sample(list(body.items()), len(body))
    return queue(world, event, account_id, dict(members))


def queue(world: World, event: str, account_id: str, body: dict[str, Any]) -> Doc:
    """Queue an event body unchanged; applies event faults."""
    doc: Doc = {
        "id": str(uuid.uuid4()),
        "request_id": str(uuid.uuid4()),
        "event": event,
        "account_id": account_id,
        # Compact and with non-ASCII letters, as Zoom sends it: the signature covers these bytes.
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "state": "pending" if world.options.webhook_url else "unsubscribed",
        "tries": 0,
        "created": world.clock.stamp(),
        "next_try": world.clock.time(),
    }
    fault = world.faults.event(event, account_id)
    if fault is not None:
        doc["fault"] = fault["kind"]
        doc["fault_id"] = fault["id"]
    kind = doc.get("fault")
    if kind == "drop":
        doc["state"] = "dropped"
    elif kind == "delay" and fault is not None:
        doc["next_try"] += float(fault.get("seconds", 60))
    elif kind == "reorder" and doc["state"] == "pending":
        doc["state"] = "held"
    world.store.put("events", doc)
    if kind == "duplicate":
        world.store.put("events", {**doc, "id": str(uuid.uuid4())})
    if kind == "reorder" and fault is not None:
        batch_size = int(fault.get("count") or 2)
        if fault["hits"] % batch_size == 0:
            release(world, fault["id"])
    return doc


def release(world: World, fault_id: int | None = None) -> int:
    """Release held events, the last one first; returns how many."""
    held = world.store.find("events", "state = 'held'")
    held = [doc for doc in held if fault_id is None or doc["fault_id"] == fault_id]
    now = world.clock.time()
    for index, doc in enumerate(reversed(held)):
        world.store.put("events", {**doc, "state": "pending", "next_try": now + index / 1e6})
    return len(held)


def _is_subscribed(world: World, event: str, account_id: str, user_id: str) -> bool:
    """Whether app, plan and scopes allow this account's event."""
    account, options = world.account(account_id), world.options
    if not plan_allows(event, account["plan"], bool(account.get("webinars"))):
        return False
    grants = world.store.find("grants", "account_id = ?", account_id)
    if options.app_kind == "user":
        grants = [grant for grant in grants if grant["user_id"] == user_id]
    scopes = {scope for grant in grants for scope in grant["scope"]}
    if options.webhook_all:
        scopes.update(options.scopes or default_scopes(options.app_kind))
    required_scope = event_scope(event)
    return (
        bool(scopes)
        if required_scope is None
        else not scopes.isdisjoint((required_scope, f"{required_scope}:admin"))
    )
