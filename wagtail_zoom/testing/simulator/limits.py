"""Zoom's rate limits: per account, label and plan, each second and each UTC day."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

from .clock import stamp
from .errors import Problem

LIGHT, MEDIUM, HEAVY = "LIGHT", "MEDIUM", "HEAVY"
PER_SECOND = {
    "free": {LIGHT: 4, MEDIUM: 2, HEAVY: 1},
    "pro": {LIGHT: 30, MEDIUM: 20, HEAVY: 10},
    "business": {LIGHT: 80, MEDIUM: 60, HEAVY: 40},
}
PER_DAY = {
    "free": {LIGHT: 6000, MEDIUM: 2000, HEAVY: 1000},
    "pro": {HEAVY: 30_000},
    "business": {HEAVY: 60_000},
}
SCHEDULES_A_DAY = 100
"""How many meetings and webinars of one host may be created and changed each UTC day."""
QPS_TEXT = "You have reached the maximum per-second rate limit for this API. Try again later."
DAILY_TEXT = (
    "You have reached the maximum daily rate limit for this API. "
    "Refer to the response header for details on when you can make another request."
)


def midnight(now: datetime) -> datetime:
    """Return the next UTC midnight, when daily limits are reset."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


class Limits:
    """Counts calls. Seconds are those of the real clock, days those of the simulated clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[tuple[str, str], tuple[int, int]] = {}
        self._days: dict[tuple[str, str, str], int] = {}

    def clear(self) -> None:
        """Reset all counters."""
        with self._lock:
            self._seconds.clear()
            self._days.clear()

    def dump(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return all counters."""
        with self._lock:
            return dict(self._seconds), dict(self._days)

    def load(self, counters: tuple[dict[Any, Any], dict[Any, Any]]) -> None:
        """Set all counters to those of :meth:`dump`."""
        with self._lock:
            self._seconds, self._days = dict(counters[0]), dict(counters[1])

    def check(self, account: dict[str, Any], label: str, setting: str, now: datetime) -> None:
        """Count one call; raises 429 when the account exceeds its limit."""
        if setting == "off":
            return
        plan = account["plan"]
        if setting == "plan":
            limit: float = PER_SECOND[plan][label]
            daily = PER_DAY[plan].get(label)
        else:
            limit, daily = max(1.0, float(setting)), None
        daily = (account.get("daily_limits") or {}).get(label, daily)
        with self._lock:
            used_today = self._count_day(account["id"], label, now)
            used = self._count_second(account["id"], label)
        name = label.capitalize()
        if daily is not None and used_today > daily:
            raise _refuse(name, "Daily-limit", daily, DAILY_TEXT, midnight(now))
        if used > limit:
            raise _refuse(name, "QPS", int(limit), QPS_TEXT, None)

    def _count_second(self, account_id: str, label: str) -> int:
        second = int(time.monotonic())
        before, used = self._seconds.get((account_id, label), (second, 0))
        used = used + 1 if before == second else 1
        self._seconds[(account_id, label)] = (second, used)
        return used

    def _count_day(self, account_id: str, label: str, now: datetime) -> int:
        key = (account_id, label, now.date().isoformat())
        self._days[key] = self._days.get(key, 0) + 1
        return self._days[key]


def _refuse(name: str, kind: str, limit: int, text: str, until: datetime | None) -> Problem:
    headers = {
        "X-RateLimit-Category": name,
        "X-RateLimit-Type": kind,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
    }
    if until is None:
        headers["X-RateLimit-Reset"] = stamp(time.time() + 1)
    else:
        headers["Retry-After"] = stamp(until)
    return Problem(429, 429, text, headers=headers)


def daily_registrant_limit(limit: int, what: str, who: str, now: datetime) -> Problem:
    """Return the 429 of the per-registrant limits (3 adds, 10 status changes a day)."""
    text = (
        f"You have exceeded the daily rate limit of ({limit}) for {what} API requests for the "
        f"registrant ({who}). You can resume these API requests at GMT 00:00:00."
    )
    return _daily(limit, text, now)


def daily_schedule_limit(limit: int, now: datetime) -> Problem:
    """Return the 429 of a host's own limit of creating and changing meetings."""
    text = (
        f"You have exceeded the daily rate limit ({limit}) of Meeting Create/Update API requests "
        "permitted for this particular user."
    )
    return _daily(limit, text, now)


def _daily(limit: int, text: str, now: datetime) -> Problem:
    headers = {"X-RateLimit-Type": "Daily-limit", "X-RateLimit-Limit": str(limit)}
    headers |= {"X-RateLimit-Remaining": "0", "Retry-After": stamp(midnight(now))}
    return Problem(429, 429, text, headers=headers)
