"""The rate budget of a Zoom account, shared by every process of the installation.

Generic cell rate algorithm: one number per account and label ("when the next call is due") that a
conditional UPDATE moves. Background work is paced evenly; what is more urgent may borrow from the
next second, which pushes background work back. Limits: Zoom, "Rate limits".
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import defaultdict, deque
from datetime import UTC, timedelta
from enum import IntEnum

from django.utils import timezone

from ..conf import settings
from ..exceptions import ZoomRateLimited
from ..models import Plan, RateBudget, ZoomAccount
from .responses import next_midnight

LIGHT, MEDIUM, HEAVY = "light", "medium", "heavy"
RATES: dict[str, dict[str, int]] = {
    Plan.UNKNOWN: {LIGHT: 4, MEDIUM: 2, HEAVY: 1},
    Plan.FREE: {LIGHT: 4, MEDIUM: 2, HEAVY: 1},
    Plan.PRO: {LIGHT: 30, MEDIUM: 20, HEAVY: 10},
    Plan.BUSINESS: {LIGHT: 80, MEDIUM: 60, HEAVY: 40},
}
"""Calls a second of the whole account."""
DAILY: dict[str, dict[str, int]] = {
    Plan.UNKNOWN: {LIGHT: 6000, MEDIUM: 2000, HEAVY: 1000},
    Plan.FREE: {LIGHT: 6000, MEDIUM: 2000, HEAVY: 1000},
    Plan.PRO: {HEAVY: 30_000},
    Plan.BUSINESS: {HEAVY: 60_000},
}

FULLEST = 0.965
"""Of the whole rate at most: Zoom counts by its own seconds, and calls arrive a little unevenly."""

WINDOW = 1.03
"""Seconds that count as one of Zoom's: calls may reach it some milliseconds unevenly."""

_lock = threading.Lock()
_left: dict[tuple[int | None, str], deque[float]] = defaultdict(deque)
"""When the calls of this process left, per account and label (``time.perf_counter``)."""


class Priority(IntEnum):
    """Who goes first; the value is how far into the next seconds it may borrow, in tenths."""

    BACKFILL = 0
    RECONCILE = 1
    EVENT = 5
    REGISTRATION = 10


def reserve(
    account: ZoomAccount, label: str, priority: Priority, *, calls: int = 1, patience: float = 0.0
) -> list[float]:
    """Take ``calls`` slots and return for each how many seconds to wait from now.

    Args:
        patience: seconds that the first slot may be away. Nothing sleeps here.

    Raises:
        ZoomRateLimited: the first slot is further away, the day's share is used up, or Zoom itself
            asked this account to wait.
    """
    _honour_throttle(account, priority)  # guard: rate-limit-honoured
    share = settings.rate_share
    held = min(share, FULLEST)
    # Rounded up: a microsecond less, and a second could hold one call too many.
    gap = math.ceil(1_000_000 / (RATES[account.plan][label] * held))
    limit = DAILY[account.plan].get(label)
    today = timezone.now().astimezone(UTC).date()
    for _attempt in range(200):
        row = _row(account, label)
        now = time.time_ns() // 1000
        ahead = max(0, row.slot - now)
        # What is borrowed comes on top of what a second holds: together never more than the plan.
        allowance = min(priority / 10, 1 / held - 1) * 1_000_000  # guard: borrowed-rate-limit
        wait = max(0.0, ahead - allowance) / 1_000_000
        if wait > patience:  # guard: rate-wait-limited
            retry_at = timezone.now() + timedelta(seconds=wait)
            raise ZoomRateLimited("This account's share of Zoom's rate is used.", retry_at=retry_at)
        count = row.day_count if row.day == today else 0
        if limit and count + calls > limit * (
            1 if priority >= Priority.EVENT else share
        ):  # guard: daily-limit
            raise ZoomRateLimited(
                "This account's share of the day is used.", retry_at=next_midnight(), daily=True
            )
        start = max(now, row.slot)
        moved = RateBudget.objects.filter(
            pk=row.pk, slot=row.slot, day=row.day, day_count=row.day_count
        ).update(slot=start + calls * gap, day=today, day_count=count + calls)
        if moved:  # guard: rate-budget-shared
            first = max(0.0, start - now - allowance)
            return [(first + place * gap) / 1_000_000 for place in range(calls)]
        time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 - spreads rivals, no secret
    raise ZoomRateLimited("The rate budget is contended.", retry_at=timezone.now())


def wait_turn(account: ZoomAccount, label: str) -> None:
    """Just before sending, in any thread: sleep while this process has filled the second."""
    wait_in_process(account.pk, label, RATES[account.plan][label])


def wait_in_process(account_pk: int | None, label: str, rate: int) -> None:
    """Sleep until fewer than ``rate`` calls of this account have left within the last second.

    Slots are handed out evenly, but a thread that wakes late on a busy machine would send into a
    second that is already full. Each process remembers when its own calls left.
    """
    while (seconds := _take_in_process(account_pk, label, rate)) > 0:
        time.sleep(seconds)


def _take_in_process(account_pk: int | None, label: str, rate: int) -> float:
    """0 and noted, or the seconds until there is room."""
    with _lock:
        left, now = _left[account_pk, label], time.perf_counter()
        while left and now - left[0] >= WINDOW:
            left.popleft()
        if len(left) < rate:
            left.append(now)
            return 0.0
        return left[0] + WINDOW - now


def pause(account: ZoomAccount, error: ZoomRateLimited) -> None:
    """Zoom said 429: every worker honours it from now on. A later time already noted stays."""
    if error.personal or error.retry_at is None:
        return
    rows = ZoomAccount.objects.filter(pk=account.pk)
    rows = rows.exclude(throttled_until__gte=error.retry_at)  # guard: rate-pause-not-shortened
    rows.update(throttled_until=error.retry_at, throttle_daily=error.daily)


def _honour_throttle(account: ZoomAccount, priority: Priority) -> None:
    """Registrations may knock while only the daily limit is reached: theirs may be another one."""
    row = ZoomAccount.objects.values("throttled_until", "throttle_daily", "plan").get(pk=account.pk)
    account.throttled_until, account.throttle_daily = row["throttled_until"], row["throttle_daily"]
    account.plan = row["plan"]
    if account.is_throttled and not (account.throttle_daily and priority is Priority.REGISTRATION):
        raise ZoomRateLimited(
            "Zoom asked this account to wait.",
            retry_at=account.throttled_until,
            daily=account.throttle_daily,
        )


def _row(account: ZoomAccount, label: str) -> RateBudget:
    row = RateBudget.objects.filter(account=account, label=label).first()
    if row is None:
        row, _created = RateBudget.objects.get_or_create(account=account, label=label)
    return row
