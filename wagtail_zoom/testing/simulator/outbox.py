"""Decides who hears of a change and keeps the message until it is sent (REFERENCE 5.4 to 5.6)."""

from __future__ import annotations

import json
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
    """Queue an event; call it inside the transaction of the change that it tells of.

    ``user_id`` is the person it concerns (a user-managed app hears of its own users only), ``top``
    goes beside ``payload`` in the body, ``always`` skips the question who may hear of it. Returns
    the queued event, None when nobody hears of it.
    """
    if not always and not _heard(world, event, account_id, user_id):
        return None
    now = world.clock.time()
    message = {
        "event": event,
        "event_ts": int(now * 1000),
        "payload": {"account_id": account_id, **payload},
        **(top or {}),
    }
    return queue(world, event, account_id, message)


def queue(world: World, event: str, account_id: str, message: dict[str, Any]) -> Doc:
    """Queue a message as it is; faults of events strike here."""
    doc: Doc = {
        "id": str(uuid.uuid4()),
        "request_id": str(uuid.uuid4()),
        "event": event,
        "account_id": account_id,
        # Compact and with its letters kept, as Zoom writes it: whoever serialises again loses.
        "body": json.dumps(message, ensure_ascii=False, separators=(",", ":")),
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
        wanted = int(fault.get("count") or 2)
        if fault["hits"] % wanted == 0:
            release(world, fault["id"])
    return doc


def release(world: World, fault_id: int | None = None) -> int:
    """Let held events go, the last one first; returns how many."""
    held = world.store.find("events", "state = 'held'")
    held = [doc for doc in held if fault_id is None or doc["fault_id"] == fault_id]
    now = world.clock.time()
    for place, doc in enumerate(reversed(held)):
        world.store.put("events", {**doc, "state": "pending", "next_try": now + place / 1e6})
    return len(held)


def _heard(world: World, event: str, account_id: str, user_id: str) -> bool:
    """Whether app, plan and scopes let this account's event through."""
    account, options = world.account(account_id), world.options
    if not plan_allows(event, account["plan"], bool(account.get("webinars"))):
        return False
    grants = world.store.find("grants", "account_id = ?", account_id)
    if options.app_kind == "user":
        grants = [grant for grant in grants if grant["user_id"] == user_id]
    scopes = {scope for grant in grants for scope in grant["scope"]}
    if options.webhook_all:
        scopes.update(options.scopes or default_scopes(options.app_kind))
    wanted = event_scope(event)
    return bool(scopes) if wanted is None else not scopes.isdisjoint((wanted, f"{wanted}:admin"))
