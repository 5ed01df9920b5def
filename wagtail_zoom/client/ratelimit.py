"""Rate limiter for a Zoom account, shared by all processes of the installation.

Generic cell rate algorithm: one number per account and label (when the next call is due) that a
conditional UPDATE moves. Background work is spaced evenly; more urgent work may borrow from the
next second, which delays background work. Limits: Zoom, "Rate limits".
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
"""Calls per second of the whole account."""
DAILY_LIMITS: dict[str, dict[str, int]] = {
    Plan.UNKNOWN: {LIGHT: 6000, MEDIUM: 2000, HEAVY: 1000},
    Plan.FREE: {LIGHT: 6000, MEDIUM: 2000, HEAVY: 1000},
    Plan.PRO: {HEAVY: 30_000},
    Plan.BUSINESS: {HEAVY: 60_000},
}

MAX_UTILISATION = 0.965
"""Largest part of the rate to use: Zoom counts by its own seconds, and calls arrive unevenly."""

WINDOW_SECONDS = 1.03
"""Seconds that count as one of Zoom's: calls may arrive some milliseconds late."""

_lock = threading.Lock()
_sent_at: dict[tuple[int | None, str], deque[float]] = defaultdict(deque)
"""When this process sent its calls, per account and label (``time.perf_counter``)."""


class Priority(IntEnum):
    """Priority of calls; the value is how far they may borrow from the next second, in tenths."""

    BACKFILL = 0
    RECONCILE = 1
    EVENT = 5
    REGISTRATION = 10


def reserve(
    account: ZoomAccount, label: str, priority: Priority, *, calls: int = 1, max_wait: float = 0.0
) -> list[float]:
    """Reserve ``calls`` slots and return for each how many seconds to wait from now.

    Args:
        max_wait: seconds until the first slot at most. Nothing sleeps here.

    Raises:
        ZoomRateLimited: the first slot is later, the day's share is used up, or Zoom asked this
            account to wait.
    """
    _check_throttle(account, priority)  # guard: rate-limit-honoured
    share = settings.rate_share
    utilisation = min(share, MAX_UTILISATION)
    # Rounded up: with a microsecond less, a second could contain one call too many.
    interval = math.ceil(1_000_000 / (RATES[account.plan][label] * utilisation))
    limit = DAILY_LIMITS[account.plan].get(label)
    today = timezone.now().astimezone(UTC).date()
    for _attempt in range(200):
        row = _budget_row(account, label)
        now = time.time_ns() // 1000
        backlog = max(0, row.slot - now)
        # Borrowed calls and those of the second itself together never exceed the plan.
        allowance = (
            min(priority / 10, 1 / utilisation - 1) * 1_000_000
        )  # guard: borrowed-rate-limit
        wait = max(0.0, backlog - allowance) / 1_000_000
        if wait > max_wait:  # guard: rate-wait-limited
            retry_at = timezone.now() + timedelta(seconds=wait)
            raise ZoomRateLimited("This account's share of Zoom's rate is used.", retry_at=retry_at)
        used_today = row.day_count if row.day == today else 0
        if limit and used_today + calls > limit * (
            1 if priority >= Priority.EVENT else share
        ):  # guard: daily-limit
            raise ZoomRateLimited(
                "This account's share of the day is used.", retry_at=next_midnight(), daily=True
            )
        start = max(now, row.slot)
        updated = RateBudget.objects.filter(
            pk=row.pk, slot=row.slot, day=row.day, day_count=row.day_count
        ).update(slot=start + calls * interval, day=today, day_count=used_today + calls)
        if updated:  # guard: rate-budget-shared
            first_wait = max(0.0, start - now - allowance)
            return [(first_wait + index * interval) / 1_000_000 for index in range(calls)]
        time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 - spreads retries, no secret
    raise ZoomRateLimited("The rate budget is contended.", retry_at=timezone.now())


def wait_before_send(account: ZoomAccount, label: str) -> None:
    """Just before sending, in any thread: sleep while this process has used up the second."""
    wait_for_process_slot(account.pk, label, RATES[account.plan][label])


def wait_for_process_slot(account_pk: int | None, label: str, rate: int) -> None:
    """Sleep until fewer than ``rate`` calls of this account were sent within the last second.

    Slots are spaced evenly, but a thread that wakes late on a busy machine would send in a second
    that is already full. Each process records when it sent its own calls.
    """
    while (seconds := _take_process_slot(account_pk, label, rate)) > 0:
        time.sleep(seconds)


def _take_process_slot(account_pk: int | None, label: str, rate: int) -> float:
    """Record the call and return 0, or return the seconds until a slot is free."""
    with _lock:
        sent_at, now = _sent_at[account_pk, label], time.perf_counter()
        while sent_at and now - sent_at[0] >= WINDOW_SECONDS:
            sent_at.popleft()
        if len(sent_at) < rate:
            sent_at.append(now)
            return 0.0
        return sent_at[0] + WINDOW_SECONDS - now


def pause_account(account: ZoomAccount, error: ZoomRateLimited) -> None:
    """After a 429: pause the account for all workers. A later time already stored stays."""
    if error.personal or error.retry_at is None:
        return
    rows = ZoomAccount.objects.filter(pk=account.pk)
    rows = rows.exclude(throttled_until__gte=error.retry_at)  # guard: rate-pause-not-shortened
    rows.update(throttled_until=error.retry_at, throttle_daily=error.daily)


def _check_throttle(account: ZoomAccount, priority: Priority) -> None:
    """Refuse calls while the account is paused. Registrations may be sent when only the daily limit
    is reached: another limit may apply to them."""
    row = ZoomAccount.objects.values("throttled_until", "throttle_daily", "plan").get(pk=account.pk)
    account.throttled_until, account.throttle_daily = row["throttled_until"], row["throttle_daily"]
    account.plan = row["plan"]
    if account.is_throttled and not (account.throttle_daily and priority is Priority.REGISTRATION):
        raise ZoomRateLimited(
            "Zoom asked this account to wait.",
            retry_at=account.throttled_until,
            daily=account.throttle_daily,
        )


def _budget_row(account: ZoomAccount, label: str) -> RateBudget:
    row = RateBudget.objects.filter(account=account, label=label).first()
    if row is None:
        row, _created = RateBudget.objects.get_or_create(account=account, label=label)
    return row
