"""Remembers what reached the simulator: light calls always, whole exchanges on request."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

CALLS_KEPT = 200_000
EXCHANGES_KEPT = 20_000


class Recorder:
    """Ring buffers of calls and exchanges, and counters that never overflow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self.calls: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)
        self.exchanges: deque[dict[str, Any]] = deque(maxlen=EXCHANGES_KEPT)
        self.counters: Counter[str] = Counter()

    def call(self, entry: dict[str, Any]) -> None:
        """Keep one API or token call."""
        with self._lock:
            self._number += 1
            self.calls.append({"n": self._number, **entry})
            self.counters["total"] += 1
            self.counters[f"status {entry['status']}"] += 1
            name = entry.get("operation") or entry["path"]
            self.counters[f"{entry['method']} {name}"] += 1

    def exchange(self, entry: dict[str, Any]) -> None:
        """Keep one whole request with its answer."""
        with self._lock:
            self.exchanges.append(entry)

    def drain(self) -> list[dict[str, Any]]:
        """Return the exchanges and forget them."""
        with self._lock:
            entries = list(self.exchanges)
            self.exchanges.clear()
        return entries

    def find(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the calls whose members equal the given ones; ``path`` may be a part."""
        with self._lock:
            entries = list(self.calls)
        for name, value in wanted.items():
            if name == "path":
                entries = [entry for entry in entries if value in entry["path"]]
            else:
                entries = [entry for entry in entries if str(entry.get(name)) == value]
        return entries

    def clear(self) -> None:
        """Forget the calls and counters (exchanges stay until they are drained)."""
        with self._lock:
            self.calls.clear()
            self.counters.clear()
