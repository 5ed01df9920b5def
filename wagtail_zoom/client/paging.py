"""Paginated listings: fetches page after page until Zoom returns no token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..exceptions import ZoomError, ZoomProtocolError
from ..oauth import tokens
from ..oauth.http import refuse_in_transaction
from . import ratelimit
from .base import BaseClient
from .ratelimit import MEDIUM
from .responses import TokenRejected

PAGE_SIZE = 300
USERS_PAGE_SIZE = 2000
MAX_PAGES = 2000
"""More pages than any account has: an endless listing is an error, never truncated (S5)."""
MAX_RESERVED_SLOTS = 4
"""Pages for which slots are reserved at once."""
FAST_PAGE_SECONDS = 0.5
"""Seconds between two pages up to which slots are reserved for several pages: the caller is then
fast enough to use them in time."""


@dataclass(frozen=True)
class ApiPage:
    """One page of a listing. ``total`` is Zoom's count of all items, None where it gives none."""

    items: list[dict[str, Any]]
    total: int | None
    available: bool = True
    """False: the account has no such listing, so missing items prove nothing."""


def iter_pages(
    client: BaseClient,
    path: str,
    params: dict[str, Any],
    required_key: str,
    *,
    prefetch: bool = False,
) -> Iterator[ApiPage]:
    """Follow ``next_page_token`` until it is empty; a repeated token is an error."""
    seen_tokens: set[str] = set()
    prefetcher = _Prefetcher(client) if prefetch else None
    next_page: Callable[[], dict[str, Any]] | None = None
    item_count = 0
    try:
        for _page in range(MAX_PAGES):
            body = (
                next_page()
                if next_page
                else client.call("GET", path, MEDIUM, params=params, required_key=required_key)
            )
            items = body[required_key]
            if not isinstance(items, list):
                raise ZoomProtocolError("Zoom's list is not a list.")
            item_count += len(items)
            total = body.get("total_records")
            total = total if isinstance(total, int) else None
            token = body.get("next_page_token") or ""
            is_new_token = (
                isinstance(token, str) and token not in seen_tokens  # guard: listing-loop-detected
            )
            if is_new_token and token:
                params = {**params, "next_page_token": token}
                if prefetcher:
                    pages_left = -(-(total - item_count) // max(1, len(items))) if total else 1
                    next_page = prefetcher.send(path, params, required_key, pages_left)
            yield ApiPage([item for item in items if isinstance(item, dict)], total)
            if not is_new_token:
                raise ZoomProtocolError("Zoom's list does not end.")
            if not token:
                return
            seen_tokens.add(token)
        raise ZoomProtocolError("Zoom's list has too many pages.")
    finally:
        if prefetcher:
            prefetcher.close()


class _Prefetcher:
    """Fetches the next page while the caller works on the current one.

    While the caller is fast, slots are reserved and the token is read for several pages at once: in
    a listing without changes, doing this per page would take as long as comparing the items.
    """

    def __init__(self, client: BaseClient) -> None:
        self.client = client
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.slots: list[tuple[float, tokens.AccessToken]] = []
        """Send times (monotonic clock), each with the token to use."""
        self.last_sent = 0.0

    def send(
        self, path: str, params: dict[str, Any], required_key: str, pages_left: int
    ) -> Callable[[], dict[str, Any]] | None:
        """Start fetching a page; return a function that waits for it. None: no slot is free.

        Args:
            pages_left: pages that the listing still has, as far as known.
        """
        refuse_in_transaction()
        now, client = time.monotonic(), self.client
        is_fast, self.last_sent = now - self.last_sent < FAST_PAGE_SECONDS, now
        if not is_fast:
            self.slots = []
        try:
            if not self.slots:
                self._reserve(max(1, min(pages_left, MAX_RESERVED_SLOTS)) if is_fast else 1)
        except ZoomError:
            return None
        send_time, token = self.slots.pop(0)

        def work() -> dict[str, Any]:
            time.sleep(max(0.0, send_time - time.monotonic()))
            ratelimit.wait_before_send(client.account, MEDIUM)
            return client.send("GET", path, token, params=params, required_key=required_key)

        began_at = timezone.now()
        future = self.pool.submit(work)

        def wait() -> dict[str, Any]:
            try:
                return client.record_outcome(future.result, began_at)
            except TokenRejected:
                self.slots = []
                return client.call("GET", path, MEDIUM, params=params, required_key=required_key)

        return wait

    def _reserve(self, count: int) -> None:
        client = self.client
        waits = ratelimit.reserve(
            client.account, MEDIUM, client.priority, calls=count, max_wait=client.max_wait
        )
        token = tokens.get_token(client.grant, allow_refresh=client.allow_refresh)
        now = time.monotonic()
        self.slots = [(now + wait, token) for wait in waits]

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)
