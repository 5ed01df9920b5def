"""Rows that many tests begin with: made once, and then copied into the next test's database."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection, transaction

from tests.connected_sites import Rows, Table, _all_rows, _overridden_settings
from wagtail_zoom.utils import queue

MAX_AGE = 600.0
"""Seconds. Rows hold times such as "in an hour"."""
MAX_VARIANTS = 4
T = TypeVar("T")


@dataclass
class StoredRows:
    """What making the rows returned, and changed."""

    time: float
    settings: tuple[str, ...]
    result: Any
    changes: dict[Table, tuple[Rows, Rows]]
    cache: tuple[Any, Any]

    def fits(self, now: float, settings: tuple[str, ...]) -> bool:
        """Whether a test that starts now would make the same rows."""
        return (
            0 <= now - self.time <= MAX_AGE
            and self.settings == settings
            and all(table.rows() == before for table, (before, _) in self.changes.items())
        )


_stored: dict[str, list[StoredRows]] = defaultdict(list)


def made_once(name: str, make: Callable[[], T]) -> T:
    """``make()``, or a copy of the rows and of the objects that it made for an earlier test."""
    # Tasks that making the rows enqueues are no part of what is stored.
    if connection.vendor != "sqlite" or queue.transaction is not transaction:
        return make()
    now, settings = time.time(), tuple(_overridden_settings())
    for stored in _stored[name]:
        if stored.fits(now, settings):
            with transaction.atomic():
                for table, (before, after) in stored.changes.items():
                    table.replace(before, after)
            cache._cache.update(stored.cache[0])  # type: ignore[attr-defined]
            cache._expire_info.update(stored.cache[1])  # type: ignore[attr-defined]
            return copy.deepcopy(stored.result)
    before = _all_rows()
    result = make()
    after = _all_rows()
    changes = {
        table: (before[table], rows) for table, rows in after.items() if rows != before[table]
    }
    stored_cache = (cache._cache.copy(), cache._expire_info.copy())  # type: ignore[attr-defined]
    _stored[name] = [
        StoredRows(now, settings, copy.deepcopy(result), changes, stored_cache),
        *_stored[name][: MAX_VARIANTS - 1],
    ]
    return result
