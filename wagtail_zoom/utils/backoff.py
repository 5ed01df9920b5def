"""When to try again after failures: one table of seconds for each kind of work."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone


def retry_at(
    seconds: Sequence[float],
    failures: int,
    *,
    not_before: datetime | None = None,
    jitter: bool = False,
) -> datetime:
    """When to try again after so many failures in a row.

    Args:
        seconds: the waits after the first failure, the second and so on; the last one repeats.
        not_before: when the other side allows the next attempt.
        jitter: wait for a random part of it, so that many rows do not come back together.
    """
    wait = seconds[min(max(failures, 1), len(seconds)) - 1]
    if jitter:
        wait = random.uniform(1, wait)  # noqa: S311 - spreads load, no secret
    now = timezone.now()
    return max(now + timedelta(seconds=wait), not_before or now)
