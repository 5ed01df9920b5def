"""Records calls always, and full requests and responses on request."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

MAX_CALLS = 200_000
MAX_EXCHANGES = 20_000


class Recorder:
    """Ring buffers of calls and exchanges, and counters of all calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self.calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS)
        self.exchanges: deque[dict[str, Any]] = deque(maxlen=MAX_EXCHANGES)
        self.counters: Counter[str] = Counter()

    def call(self, entry: dict[str, Any]) -> None:
        """Record one API or token call."""
        with self._lock:
            self._number += 1
            self._add({"n": self._number, **entry})

    def _add(self, entry: dict[str, Any]) -> None:
        self.calls.append(entry)
        self.counters["total"] += 1
        self.counters[f"status {entry['status']}"] += 1
        name = entry.get("operation") or entry["path"]
        self.counters[f"{entry['method']} {name}"] += 1

    def exchange(self, entry: dict[str, Any]) -> None:
        """Record one request with its response."""
        with self._lock:
            self.exchanges.append(entry)

    def drain(self) -> list[dict[str, Any]]:
        """Return the exchanges and delete them."""
        with self._lock:
            entries = list(self.exchanges)
            self.exchanges.clear()
        return entries

    def find(self, **filters: str) -> list[dict[str, Any]]:
        """Return the calls that match the filters; ``path`` may be a part of the path."""
        with self._lock:
            entries = list(self.calls)
        for name, value in filters.items():
            if name == "path":
                entries = [entry for entry in entries if value in entry["path"]]
            else:
                entries = [entry for entry in entries if str(entry.get(name)) == value]
        return entries

    def dump(self) -> list[dict[str, Any]]:
        """Return the recorded calls."""
        with self._lock:
            return list(self.calls)

    def load(self, calls: list[dict[str, Any]]) -> None:
        """Record these calls only, and no exchange."""
        self.clear()
        self.drain()
        with self._lock:
            for entry in calls:
                self._add(entry)

    def clear(self) -> None:
        """Delete the calls and counters, not the exchanges."""
        with self._lock:
            self.calls.clear()
            self.counters.clear()
