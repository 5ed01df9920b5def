"""Several reads at once: threads do the HTTP only, the caller's thread the database.

Slots are reserved a batch at a time, so that pacing costs one statement for several calls, and the
next batch is on its way while the caller stores what this one brought: neither Zoom's latency nor
our own work costs any of the rate.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore
from typing import Any

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomError, ZoomRateLimited
from ..oauth import tokens
from ..oauth.http import refuse_in_transaction
from . import ratelimit
from .base import Calls
from .responses import TokenRefused

Wanted = tuple[str, str, str]
"""Name, path and label of one read."""
_Running = tuple[str, str, str, Future[dict[str, Any]]]
Outcome = tuple[str, dict[str, Any] | ZoomError]


def in_parallel(calls: Calls, wanted: Iterable[Wanted]) -> Iterator[Outcome]:
    """GETs; yields each name with its payload, or with the error of that one read.

    Raises:
        ZoomError: what concerns the whole account (rate, authorisation).
    """
    size = max(1, settings.parallel_reads)
    turns = Semaphore(size)
    pool = ThreadPoolExecutor(max_workers=2 * size)
    earlier: list[_Running] = []
    batches = _batches(wanted, size)
    try:
        while True:
            try:
                # Whoever names what is wanted may read a listing for it, and fail.
                batch = next(batches, [])
                running = _launch(calls, pool, turns, batch) if batch else []
            except Exception:
                yield from _outcomes(calls, earlier)
                raise
            yield from _outcomes(calls, earlier)
            if not batch:
                return
            earlier = running
    finally:
        pool.shutdown(cancel_futures=True)


def _launch(
    calls: Calls, pool: ThreadPoolExecutor, turns: Semaphore, batch: list[Wanted]
) -> list[_Running]:
    """Reserve slots for a batch and let each call go at its time."""
    # The threads have connections of their own and cannot see this one's transaction.
    refuse_in_transaction()
    label = batch[0][2]
    waits = ratelimit.reserve(
        calls.account, label, calls.priority, calls=len(batch), patience=calls.patience
    )
    token = tokens.get_token(calls.grant)
    begun = time.monotonic()

    def send_at(moment: float, path: str) -> dict[str, Any]:
        time.sleep(max(0.0, moment - time.monotonic()))
        with turns:
            ratelimit.wait_turn(calls.account, label)
            return calls.send("GET", path, token)

    return [
        (name, path, label, pool.submit(send_at, begun + wait, path))
        for (name, path, _label), wait in zip(batch, waits, strict=True)
    ]


def _outcomes(calls: Calls, running: list[_Running]) -> Iterator[Outcome]:
    for name, path, label, future in running:
        yield name, _outcome(calls, path, label, future)


def _outcome(
    calls: Calls, path: str, label: str, future: Future[dict[str, Any]]
) -> dict[str, Any] | ZoomError:
    try:
        return calls.judged(future.result)
    except TokenRefused:
        return calls.call("GET", path, label)
    except (ZoomRateLimited, ZoomAuthError):
        raise
    except ZoomError as error:
        return error


def _batches(wanted: Iterable[Wanted], size: int) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    for one in wanted:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
