"""Listings: page after page until Zoom says that there is no other one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..exceptions import ZoomError, ZoomProtocolError
from ..oauth import tokens
from ..oauth.http import refuse_in_transaction
from . import ratelimit
from .base import Calls
from .ratelimit import MEDIUM
from .responses import TokenRefused

PAGE_SIZE = 300
USERS_PAGE_SIZE = 2000
MOST_PAGES = 2000
"""More pages than any account has: an endless listing is an error, never a truncation (S5)."""
MOST_SLOTS = 4
"""Pages for which slots are reserved at once."""
QUICK = 0.5
"""Seconds between two pages up to which a listing goes on quickly: reserved slots are then used in
their time."""


@dataclass(frozen=True)
class Page:
    """One page of a listing. ``total`` is what Zoom says of the whole, None where it does not."""

    items: list[dict[str, Any]]
    total: int | None
    lists: bool = True
    """False: Zoom does not list such things for this account, so absence says nothing."""


def pages(
    calls: Calls, path: str, params: dict[str, Any], member: str, *, ahead: bool = False
) -> Iterator[Page]:
    """Follow ``next_page_token`` to the empty one; a token that repeats itself is an error."""
    seen: set[str] = set()
    runner = _Ahead(calls) if ahead else None
    coming: Callable[[], dict[str, Any]] | None = None
    listed = 0
    try:
        for _page in range(MOST_PAGES):
            body = (
                coming()
                if coming
                else calls.call("GET", path, MEDIUM, params=params, member=member)
            )
            items = body[member]
            if not isinstance(items, list):
                raise ZoomProtocolError("Zoom's list is none.")
            listed += len(items)
            total = body.get("total_records")
            total = total if isinstance(total, int) else None
            token = body.get("next_page_token") or ""
            good = (
                isinstance(token, str) and token not in seen  # guard: listing-loop-detected
            )
            if good and token:
                params = {**params, "next_page_token": token}
                if runner:
                    left = -(-(total - listed) // max(1, len(items))) if total else 1
                    coming = runner.send(path, params, member, left)
            yield Page([item for item in items if isinstance(item, dict)], total)
            if not good:
                raise ZoomProtocolError("Zoom's list does not end.")
            if not token:
                return
            seen.add(token)
        raise ZoomProtocolError("Zoom's list has too many pages.")
    finally:
        if runner:
            runner.end()


class _Ahead:
    """Sends for the next page while the caller works on the last one.

    Where that is done quickly, slots are reserved and the token is read for several pages at once:
    in a listing of which nothing is new, this would take as long as comparing it.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.slots: list[tuple[float, tokens.AccessToken]] = []
        """Moments of the monotonic clock, and the token to be used then."""
        self.asked = 0.0

    def send(
        self, path: str, params: dict[str, Any], member: str, left: int
    ) -> Callable[[], dict[str, Any]] | None:
        """What waits for the page. None: there is no slot now, ask in the usual way.

        Args:
            left: pages that the listing still has, as far as it tells.
        """
        refuse_in_transaction()
        now, calls = time.monotonic(), self.calls
        is_quick, self.asked = now - self.asked < QUICK, now
        if not is_quick:
            self.slots = []
        try:
            if not self.slots:
                self._reserve(max(1, min(left, MOST_SLOTS)) if is_quick else 1)
        except ZoomError:
            return None
        due, token = self.slots.pop(0)

        def work() -> dict[str, Any]:
            time.sleep(max(0.0, due - time.monotonic()))
            ratelimit.wait_turn(calls.account, MEDIUM)
            return calls.send("GET", path, token, params=params, member=member)

        future = self.pool.submit(work)

        def wait() -> dict[str, Any]:
            try:
                return calls.judged(future.result)
            except TokenRefused:
                self.slots = []
                return calls.call("GET", path, MEDIUM, params=params, member=member)

        return wait

    def _reserve(self, count: int) -> None:
        calls = self.calls
        waits = ratelimit.reserve(
            calls.account, MEDIUM, calls.priority, calls=count, patience=calls.patience
        )
        token = tokens.get_token(calls.grant, renew=calls.renew)
        now = time.monotonic()
        self.slots = [(now + wait, token) for wait in waits]

    def end(self) -> None:
        self.pool.shutdown(cancel_futures=True)
