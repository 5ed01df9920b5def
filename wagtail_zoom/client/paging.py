"""Listings: page after page until Zoom says that there is no other one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..errors import ZoomError, ZoomProtocolError
from ..oauth import tokens
from ..oauth.http import refuse_in_transaction
from . import budget
from .answers import TokenRefused
from .budget import MEDIUM
from .calling import Calls

PAGE_SIZE = 300
USERS_PAGE_SIZE = 2000
MOST_PAGES = 2000
"""More pages than any account has: an endless listing is an error, never a truncation (S5)."""


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
    pool = ThreadPoolExecutor(max_workers=1) if ahead else None
    coming: Callable[[], dict[str, Any]] | None = None
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
            total = body.get("total_records")
            token = body.get("next_page_token") or ""
            good = isinstance(token, str) and token not in seen
            if good and token:
                params = {**params, "next_page_token": token}
                coming = _ahead(calls, pool, path, params, member) if pool else None
            yield Page(
                [item for item in items if isinstance(item, dict)],
                total if isinstance(total, int) else None,
            )
            if not good:
                raise ZoomProtocolError("Zoom's list does not end.")
            if not token:
                return
            seen.add(token)
        raise ZoomProtocolError("Zoom's list has too many pages.")
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def _ahead(
    calls: Calls, pool: ThreadPoolExecutor, path: str, params: dict[str, Any], member: str
) -> Callable[[], dict[str, Any]] | None:
    """Send for a page; what waits for it. None: there is no slot now, ask in the usual way."""
    refuse_in_transaction()
    try:
        waits = budget.reserve(calls.account, MEDIUM, calls.priority, patience=calls.patience)
        token = tokens.get_token(calls.grant, renew=calls.renew)
    except ZoomError:
        return None
    due = time.monotonic() + waits[0]

    def send() -> dict[str, Any]:
        time.sleep(max(0.0, due - time.monotonic()))
        budget.wait_turn(calls.account, MEDIUM)
        return calls.send("GET", path, token, params=params, member=member)

    future = pool.submit(send)

    def wait() -> dict[str, Any]:
        try:
            return calls.judged(future.result)
        except TokenRefused:
            return calls.call("GET", path, MEDIUM, params=params, member=member)

    return wait
