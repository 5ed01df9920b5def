"""Parallel reads: threads do HTTP only, the caller's thread uses the database.

Slots are reserved per batch, so that rate limiting costs one statement for several calls. The next
batch is fetched while the caller stores this one, so neither Zoom's latency nor our own work
reduces the rate.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Semaphore
from typing import Any

from django.utils import timezone

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomError, ZoomRateLimited
from ..oauth import tokens
from ..oauth.http import refuse_in_transaction
from . import ratelimit
from .base import BaseClient
from .responses import TokenRejected

ReadRequest = tuple[str, str, str]
"""Name, path and label of one read."""
_RunningRead = tuple[str, str, str, datetime, Future[dict[str, Any]]]
Outcome = tuple[str, dict[str, Any] | ZoomError]


def fetch_in_parallel(client: BaseClient, reads: Iterable[ReadRequest]) -> Iterator[Outcome]:
    """Run GET requests; yield each name with its payload, or with the error of that one read.

    Raises:
        ZoomError: an error that concerns the whole account (rate, authorisation).
    """
    size = max(1, settings.parallel_reads)
    slots = Semaphore(size)
    pool = ThreadPoolExecutor(max_workers=2 * size)
    previous: list[_RunningRead] = []
    batches = _batches(reads, size)
    try:
        while True:
            try:
                # The iterable may itself read a listing, and fail.
                batch = next(batches, [])
                running = _start_batch(client, pool, slots, batch) if batch else []
            except Exception:
                yield from _outcomes(client, previous)
                raise
            yield from _outcomes(client, previous)
            if not batch:
                return
            previous = running
    finally:
        pool.shutdown(cancel_futures=True)


def _start_batch(
    client: BaseClient, pool: ThreadPoolExecutor, slots: Semaphore, batch: list[ReadRequest]
) -> list[_RunningRead]:
    """Reserve slots for a batch and start each call at its time."""
    # The threads have their own connections and cannot see this thread's transaction.
    refuse_in_transaction()
    label = batch[0][2]
    waits = ratelimit.reserve(
        client.account, label, client.priority, calls=len(batch), max_wait=client.max_wait
    )
    token = tokens.get_token(client.grant)
    started_at, began_at = time.monotonic(), timezone.now()

    def send_at(send_time: float, path: str) -> dict[str, Any]:
        time.sleep(max(0.0, send_time - time.monotonic()))
        with slots:
            ratelimit.wait_before_send(client.account, label)
            return client.send("GET", path, token)

    return [
        (name, path, label, began_at, pool.submit(send_at, started_at + wait, path))
        for (name, path, _label), wait in zip(batch, waits, strict=True)
    ]


def _outcomes(client: BaseClient, running: list[_RunningRead]) -> Iterator[Outcome]:
    for name, path, label, began_at, future in running:
        yield name, _outcome(client, path, label, began_at, future)


def _outcome(
    client: BaseClient, path: str, label: str, began_at: datetime, future: Future[dict[str, Any]]
) -> dict[str, Any] | ZoomError:
    try:
        return client.record_outcome(future.result, began_at)
    except TokenRejected:
        return client.call("GET", path, label)
    except (ZoomRateLimited, ZoomAuthError):
        raise
    except ZoomError as error:
        return error


def _batches(reads: Iterable[ReadRequest], size: int) -> Iterator[list[ReadRequest]]:
    batch: list[ReadRequest] = []
    for read in reads:
        batch.append(read)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
