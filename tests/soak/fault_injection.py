"""Injects a few random faults at a time, and counts how often each was applied."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from wagtail_zoom.testing.server import SimulatorControl

API = "^/v2/"
TOKEN = "^/oauth/token"
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("429 a second", {"kind": "status", "status": 429, "code": 429, "path": API, "probability": 0.3,
                      "headers": {"X-RateLimit-Type": "QPS"}}),
    ("429 with Retry-After", {"kind": "status", "status": 429, "code": 429, "path": API, "count": 3,
                              "headers": {"Retry-After": "3"}}),
    ("500", {"kind": "status", "status": 500, "path": API, "probability": 0.3}),
    ("503", {"kind": "status", "status": 503, "path": API, "probability": 0.5}),
    ("502 of a proxy, HTML", {"kind": "status", "status": 502, "path": API, "probability": 0.3,
                              "body": "<html><h1>Bad gateway</h1></html>"}),
    ("401", {"kind": "status", "status": 401, "code": 124, "path": API, "count": 2}),
    ("slow by 1 s", {"kind": "slow", "seconds": 1, "path": API, "probability": 0.3}),
    ("slower than our time-out", {"kind": "slow", "seconds": 4, "path": API, "count": 4}),
    ("cut before", {"kind": "cut_before", "path": API, "probability": 0.3}),
    ("cut after the work was done", {"kind": "cut_after", "path": API, "probability": 0.3}),
    ("half an answer", {"kind": "truncate", "path": API, "probability": 0.3}),
    ("no JSON", {"kind": "broken_json", "path": API, "probability": 0.3}),
    ("JSON of another shape", {"kind": "wrong_type", "path": API, "probability": 0.2}),
    ("page tokens expired", {"kind": "expire_page_tokens", "path": API, "probability": 0.5}),
    ("token: 503", {"kind": "status", "status": 503, "path": TOKEN, "probability": 0.7}),
    ("token: slow", {"kind": "slow", "seconds": 2, "path": TOKEN}),
    ("token: answer lost", {"kind": "cut_after", "path": TOKEN, "count": 1}),
    ("event dropped", {"kind": "drop", "probability": 0.5}),
    ("event doubled", {"kind": "duplicate", "probability": 0.6}),
    ("events reordered", {"kind": "reorder", "count": 1000}),
    ("event forged", {"kind": "forge", "probability": 0.4}),
    ("event late", {"kind": "delay", "seconds": 7, "probability": 0.6}),
)  # fmt: skip


class FaultInjector:
    """Switches faults on and off."""

    def __init__(self, zoom: SimulatorControl, rng: random.Random) -> None:
        self.zoom, self.rng = zoom, rng
        self.hits: Counter[str] = Counter()
        self._on: dict[int, str] = {}

    def change(self) -> None:
        """Switch to other faults: usually one or two, sometimes none."""
        self.clear()
        for name, fields in self.rng.sample(FAULTS, self.rng.choice((0, 1, 1, 2, 2, 3))):
            self._on[self.zoom.fault(**fields)["id"]] = name

    def clear(self) -> None:
        """Switch all faults off and add up their counts."""
        for fault in self.zoom.state()["faults"]:
            self.hits[self._on.get(fault["id"], fault["kind"])] += fault["hits"]
        self._on = {}
        self.zoom.clear_faults()
