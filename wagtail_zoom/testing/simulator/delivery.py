"""Sends what the outbox holds: signed, in order, again after 5, 20 and 60 minutes (REFERENCE 5)."""

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
"""Seconds of the simulated clock between one attempt and the next; then the event is lost."""
TIMEOUT = 3.0
"""Real seconds that an endpoint has; longer counts as silence."""
SUCCESS = (200, 204)
DUE = "state = 'pending' AND next_try <= ?"


class Sender:
    """Threads that deliver due events, ``options.delivery_workers`` of them at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; what was under way when an earlier process ended is sent again."""
        with self.world.store.transaction():
            for doc in self.world.store.find("events", "state = 'sending'"):
                self.world.store.put("events", {**doc, "state": "pending"})
        self.grow()

    def grow(self) -> None:
        """Have as many threads as the options ask for."""
        while len(self._threads) < self.world.options.delivery_workers:
            place = len(self._threads)
            thread = threading.Thread(target=self._run, args=(place,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until nothing is due or under way; False when that took longer."""
        world, until = self.world, time.monotonic() + seconds
        while time.monotonic() < until:
            seen = world.generation
            busy = f"state = 'sending' OR ({DUE})"
            if not world.store.count("events", busy, world.clock.time()):
                return True
            world.wait(seen, 0.5)
        return False

    def _run(self, place: int) -> None:
        world = self.world
        while True:
            seen = world.generation
            doc = self._take() if place < world.options.delivery_workers else None
            if doc is None:
                world.wait(seen, self._pause())
            else:
                self._attempt(doc)

    def _pause(self) -> float:
        """Seconds until the next event is due, as the clock runs now."""
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
        secret = "somebody-else" if doc.get("fault") == "forge" else world.options.webhook_secret
        result = post(world, doc["body"].encode(), secret, doc["request_id"])
        with world.store.transaction():
            if world.epoch == epoch:
                self._settle(doc, result)
        world.wake()

    def _settle(self, doc: Doc, result: dict[str, Any]) -> None:
        world = self.world
        doc["tries"] += 1
        status = result["status"]
        again = status is None or status >= 500
        if status in SUCCESS:
            doc["state"] = "delivered"
        elif again and doc["tries"] <= len(RETRY_AFTER):
            doc["state"] = "pending"
            doc["next_try"] = world.clock.time() + RETRY_AFTER[doc["tries"] - 1]
        else:
            doc["state"] = "lost"
        waiting = doc["state"] == "pending"
        attempt = {
            "id": f"{doc['id']}:{doc['tries']}",
            "event_id": doc["id"],
            "number": doc["tries"],
            "at": world.clock.stamp(),
            "next_try": stamp(doc["next_try"]) if waiting else None,
            "state": "waiting" if waiting else doc["state"],
            **result,
        }
        world.store.put("events", doc)
        world.store.put("attempts", attempt)


def post(world: World, body: bytes, secret: str, request_id: str) -> dict[str, Any]:
    """Sign and send one message now; ``status`` is None when no answer came in time."""
    sim = int(world.clock.time()) if world.options.sign_clock == "sim" else None
    headers = {
        **sign(body, secret, timestamp=sim, request_id=request_id),
        "clientid": world.options.client_id,
    }
    began, sent = time.monotonic(), time.time()
    status, error, answer = None, "", ""
    # A fresh connection each: a stale one must not look like an endpoint that is down.
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
    """Send ``endpoint.url_validation`` and tell whether the answer proves the secret (5.3)."""
    token = secrets.token_urlsafe(16)
    message = {
        "event": "endpoint.url_validation",
        "event_ts": int(world.clock.time() * 1000),
        "payload": {"plainToken": token},
    }
    body = json.dumps(message, separators=(",", ":")).encode()
    result = post(world, body, world.options.webhook_secret, secrets.token_hex(16))
    try:
        answer = json.loads(result["answer"])
    except ValueError:
        answer = None
    wanted = {
        "plainToken": token,
        "encryptedToken": challenge_answer(token, world.options.webhook_secret),
    }
    right = result["status"] == 200 and answer == wanted
    return {"valid": right, "message": message, "expected": wanted, "received": answer, **result}


def deliveries(world: World, wanted: dict[str, str]) -> list[dict[str, Any]]:
    """Every attempt and every event that waits for its first, the oldest first.

    ``wanted`` filters by members (``event``, ``state``, ``status``, ``account_id``, ``request_id``,
    ``error``); ``limit`` keeps the newest so many events (default 1000).
    """
    limit = int(wanted.pop("limit", 1000))
    events = world.store.find("events", "1", tail=f"ORDER BY seq DESC LIMIT {limit}")
    found = [row for doc in reversed(events) for row in _rows(world, doc)]
    return [
        row for row in found if all(str(row.get(name)) == value for name, value in wanted.items())
    ]


def _rows(world: World, doc: Doc) -> list[dict[str, Any]]:
    common = {name: doc[name] for name in ("event", "account_id", "request_id", "created")}
    common |= {"event_id": doc["id"], "fault": doc.get("fault", "")}
    common["message"] = json.loads(doc["body"])
    attempts = world.store.find("attempts", "event_id = ?", doc["id"])
    rows = [{**common, **attempt} for attempt in attempts]
    if not attempts:
        next_try = stamp(doc["next_try"]) if doc["state"] == "pending" else None
        blank = {"number": 0, "at": None, "status": None, "error": "", "next_try": next_try}
        rows.append({**common, **blank, "state": doc["state"]})
    return rows
