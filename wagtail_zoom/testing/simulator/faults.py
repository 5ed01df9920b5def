"""Injected faults: of HTTP responses, of connections and of webhook events.

A fault is a dict with ``kind`` and optional filters ``method``, ``path`` (regular expression
over the path), ``account`` (id), ``grant_type``, ``event`` (regular expression over the event's
name); ``count`` (how many times, default unlimited) and ``probability`` (default 1).
"""

from __future__ import annotations

import random
import re
import threading
from typing import Any

from .errors import ControlError

BEFORE = {
    "status": "answer with `status` (and `code`, `message`, `headers`, `body`) instead",
    "slow": "wait `seconds`, then continue",
    "cut_before": "drop the connection before the call is processed",
}
PAGE = {"expire_page_tokens": "treat every next_page_token as expired"}
AFTER = {
    "cut_after": "process the call, then drop the connection without a response",
    "truncate": "send half of the response, then drop the connection",
    "drip": "send the response (with `head`, its headers too) byte by byte, `seconds` (0.2) apart",
    "broken_json": "answer with invalid JSON",
    "wrong_type": "answer with JSON of the wrong shape",
    "change_body": "`set` and `drop` members of the JSON in the response",
    "gzip_bomb": "answer with gzip that unpacks to `megabytes` (default 200)",
    "huge_body": "answer with `megabytes` (default 50) of JSON",
    "loop_page_tokens": "always return the same next_page_token",
}
EVENT = {
    "drop": "never send the event",
    "duplicate": "send the event twice",
    "reorder": "hold `count` events and send them in reverse order",
    "forge": "sign the event with another secret",
    "delay": "send the event `seconds` late (simulated clock)",
}
KINDS = {**BEFORE, **PAGE, **AFTER, **EVENT}


class Faults:
    """The list of active faults."""

    def __init__(self, faults: list[dict[str, Any]] | None = None) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults or [])
        self._next = max((fault["id"] for fault in self._faults), default=0) + 1

    def add(self, fault: dict[str, Any]) -> dict[str, Any]:
        """Switch a fault on; returns it with its id."""
        if fault.get("kind") not in KINDS:
            raise ControlError(f"unknown kind of fault; known: {', '.join(KINDS)}")
        for name in ("path", "event"):
            try:
                re.compile(fault.get(name) or "")
            except re.error as error:
                raise ControlError(f"{name}: {error}") from error
        with self._lock:
            fault = {**fault, "id": self._next, "hits": 0}
            self._next += 1
            self._faults.append(fault)
        return fault

    def remove(self, number: int | None = None) -> int:
        """Switch one fault off, or all of them."""
        with self._lock:
            before = len(self._faults)
            self._faults = [
                fault for fault in self._faults if number is not None and fault["id"] != number
            ]
            return before - len(self._faults)

    def dump(self) -> list[dict[str, Any]]:
        """Return all faults with their number of hits."""
        with self._lock:
            return [dict(fault) for fault in self._faults]

    def load(self, faults: list[dict[str, Any]]) -> None:
        """Replace all faults by those of :meth:`dump`."""
        with self._lock:
            self._faults = [dict(fault) for fault in faults]

    def _take(self, kinds: dict[str, str], attributes: dict[str, str]) -> dict[str, Any] | None:
        with self._lock:
            for fault in self._faults:
                if fault["kind"] not in kinds or not _matches(fault, attributes):
                    continue
                count = fault.get("count")
                if count is not None and fault["hits"] >= int(count):
                    continue
                if random.random() >= float(fault.get("probability", 1)):
                    continue
                fault["hits"] += 1
                return dict(fault)
        return None

    def before(self, attributes: dict[str, str]) -> dict[str, Any] | None:
        """Return the fault to apply before the call is processed."""
        return self._take(BEFORE, attributes)

    def page(self, path: str) -> dict[str, Any] | None:
        """Return the fault to apply to a page token of this listing."""
        return self._take(PAGE, {"path": path})

    def after(self, attributes: dict[str, str]) -> dict[str, Any] | None:
        """Return the fault to apply after the call was processed."""
        return self._take(AFTER, attributes)

    def event(self, name: str, account_id: str) -> dict[str, Any] | None:
        """Return the fault to apply to this event."""
        return self._take(EVENT, {"event": name, "account": account_id})


def _matches(fault: dict[str, Any], attributes: dict[str, str]) -> bool:
    for name in ("method", "account", "grant_type"):
        if fault.get(name) and fault[name] != attributes.get(name):
            return False
    return all(
        not fault.get(name) or re.search(fault[name], attributes.get(name, "")) is not None
        for name in ("path", "event")
    )
