"""Sends webhook events: signed, in order, with retries after 5, 20 and 60 minutes."""

from __future__ import annotations

import json
import secrets
import threading
import time
from typing import Any

import requests

from ..signing import challenge_answer, sign
from .clock import stamp
from .storage import Doc
from .world import World

RETRY_AFTER = (300, 1200, 3600)
"""Seconds of the simulated clock between attempts; after the last one the event is lost."""
TIMEOUT = 3.0
"""Real seconds that an endpoint has to answer."""
SUCCESS = (200, 204)
DUE = "state = 'pending' AND next_try <= ?"


class Sender:
    """Threads that deliver due events, ``options.delivery_workers`` in number."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start; events that an earlier process was sending when it ended are sent again."""
        with self.world.store.transaction():
            for doc in self.world.store.find("events", "state = 'sending'"):
                self.world.store.put("events", {**doc, "state": "pending"})
        self.grow()

    def grow(self) -> None:
        """Start missing threads, up to the number in the options."""
        while len(self._threads) < self.world.options.delivery_workers:
            index = len(self._threads)
            thread = threading.Thread(target=self._run, args=(index,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until no event is due or being sent; False after ``seconds``."""
        world, until = self.world, time.monotonic() + seconds
        while time.monotonic() < until:
            seen = world.generation
            busy = f"state = 'sending' OR ({DUE})"
            if not world.store.count("events", busy, world.clock.time()):
                return True
            world.wait(seen, 0.5)
        return False

    def _run(self, index: int) -> None:
        world = self.world
        while True:
            seen = world.generation
            doc = self._take() if index < world.options.delivery_workers else None
            if doc is None:
                world.wait(seen, self._pause())
            else:
                self._attempt(doc)

    def _pause(self) -> float:
        """Seconds until the next event is due."""
        store, clock = self.world.store, self.world.clock
        first: float | None = store.rows(
            "SELECT MIN(next_try) FROM events WHERE state = 'pending'"
        )[0][0]
        if first is None or clock.frozen is not None:
            return 60.0
        return min(60.0, max(0.001, first - clock.time()))

    def _take(self) -> Doc | None:
        store = self.world.store
        with store.transaction():
            now = self.world.clock.time()
            doc = store.first("events", DUE, now, tail="ORDER BY next_try, seq")
            if doc is not None:
                doc["state"] = "sending"
                store.put("events", doc)
        return doc

    def _attempt(self, doc: Doc) -> None:
        world = self.world
        epoch = world.epoch
        secret = "wrong-secret" if doc.get("fault") == "forge" else world.options.webhook_secret
        result = post(world, doc["body"].encode(), secret, doc["request_id"])
        with world.store.transaction():
            if world.epoch == epoch:
                self._record_attempt(doc, result)
        world.wake()

    def _record_attempt(self, doc: Doc, result: dict[str, Any]) -> None:
        world = self.world
        doc["tries"] += 1
        status = result["status"]
        is_retried = status is None or status >= 500
        if status in SUCCESS:
            doc["state"] = "delivered"
        elif is_retried and doc["tries"] <= len(RETRY_AFTER):
            doc["state"] = "pending"
            doc["next_try"] = world.clock.time() + RETRY_AFTER[doc["tries"] - 1]
        else:
            doc["state"] = "lost"
        is_waiting = doc["state"] == "pending"
        attempt = {
            "id": f"{doc['id']}:{doc['tries']}",
            "event_id": doc["id"],
            "number": doc["tries"],
            "at": world.clock.stamp(),
            "next_try": stamp(doc["next_try"]) if is_waiting else None,
            "state": "waiting" if is_waiting else doc["state"],
            **result,
        }
        world.store.put("events", doc)
        world.store.put("attempts", attempt)


def post(world: World, body: bytes, secret: str, request_id: str) -> dict[str, Any]:
    """Sign and send one event now; ``status`` is None when no response came in time."""
    timestamp = int(world.clock.time()) if world.options.sign_clock == "sim" else None
    headers = {
        **sign(body, secret, timestamp=timestamp, request_id=request_id),
        "clientid": world.options.client_id,
    }
    began, sent = time.monotonic(), time.time()
    status, error, answer = None, "", ""
    # A new connection each time: a stale one must not look like an endpoint that is down.
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                world.options.webhook_url, data=body, headers=headers, timeout=TIMEOUT,
                allow_redirects=False,
            )  # fmt: skip
            status, answer = response.status_code, response.text[:2000]
        except requests.Timeout:
            error = "Timeout"
        except (requests.RequestException, ValueError) as failure:
            error = type(failure).__name__
    took = time.monotonic() - began
    if took > TIMEOUT:
        status, error = None, "Timeout"
    return {
        "status": status,
        "error": error,
        "answer": answer,
        "milliseconds": round(took * 1000, 1),
        "sent": sent,
        "timestamp": headers["x-zm-request-timestamp"],
        "signature": headers["x-zm-signature"],
    }


def validate(world: World) -> dict[str, Any]:
    """Send ``endpoint.url_validation``; ``valid``: whether the response proves the secret."""
    token = secrets.token_urlsafe(16)
    event = {
        "event": "endpoint.url_validation",
        "event_ts": int(world.clock.time() * 1000),
        "payload": {"plainToken": token},
    }
    body = json.dumps(event, separators=(",", ":")).encode()
    result = post(world, body, world.options.webhook_secret, secrets.token_hex(16))
    try:
        answer = json.loads(result["answer"])
    except ValueError:
        answer = None
    expected = {
        "plainToken": token,
        "encryptedToken": challenge_answer(token, world.options.webhook_secret),
    }
    is_valid = result["status"] == 200 and answer == expected
    return {"valid": is_valid, "body": event, "expected": expected, "received": answer, **result}


def deliveries(world: World, filters: dict[str, str]) -> list[dict[str, Any]]:
    """Every attempt and every event before its first attempt, the oldest first.

    ``filters`` compare fields of a row (``event``, ``state``, ``status``, ``account_id``,
    ``request_id``, ``error``); ``limit`` is the number of newest events (default 1000).
    """
    limit = int(filters.pop("limit", 1000))
    events = world.store.find("events", "1", tail=f"ORDER BY seq DESC LIMIT {limit}")
    rows = [row for doc in reversed(events) for row in _rows(world, doc)]
    return [
        row for row in rows if all(str(row.get(name)) == value for name, value in filters.items())
    ]


def _rows(world: World, doc: Doc) -> list[dict[str, Any]]:
    common = {name: doc[name] for name in ("event", "account_id", "request_id", "created")}
    common |= {"event_id": doc["id"], "fault": doc.get("fault", "")}
    common["body"] = json.loads(doc["body"])
    attempts = world.store.find("attempts", "event_id = ?", doc["id"])
    rows = [{**common, **attempt} for attempt in attempts]
    if not attempts:
        next_try = stamp(doc["next_try"]) if doc["state"] == "pending" else None
        blank = {"number": 0, "at": None, "status": None, "error": "", "next_try": next_try}
        rows.append({**common, **blank, "state": doc["state"]})
    return rows
