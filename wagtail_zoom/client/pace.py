"""The last look before a call leaves: never more than the plan's rate within one of Zoom's seconds.

Slots are handed out evenly (``budget``), but a thread that wakes late on a busy machine sends into
a second that is full already. Each process remembers when its own calls left and waits once more.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

WINDOW = 1.03
"""Seconds that count as one of Zoom's: calls may reach it some milliseconds unevenly."""

_lock = threading.Lock()
_left: dict[tuple[int | None, str], deque[float]] = defaultdict(deque)


def wait_turn(account_pk: int | None, label: str, rate: int) -> None:
    """Sleep until fewer than ``rate`` calls of this account have left within the last second."""
    while (seconds := _take(account_pk, label, rate)) > 0:
        time.sleep(seconds)


def _take(account_pk: int | None, label: str, rate: int) -> float:
    """0 and noted, or the seconds until there is room."""
    with _lock:
        left, now = _left[account_pk, label], time.perf_counter()
        while left and now - left[0] >= WINDOW:
            left.popleft()
        if len(left) < rate:
            left.append(now)
            return 0.0
        return left[0] + WINDOW - now
