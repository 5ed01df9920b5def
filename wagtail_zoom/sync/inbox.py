"""Processes webhook events: object by object, one read for many events, and none is lost.

Each object of an account has a lock. A worker that processes its events holds the lock; events that
arrive in the meantime cause exactly one more read, ``DEBOUNCE_SECONDS`` later. An object that fails
is retried alone and delays no other. What all objects of an account need (scope, hosts, stored
rows, locks and outcomes) is read and written once for a batch.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet, Value, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from ..conf import settings
from ..models import Heartbeat, WebhookEvent, ZoomAccount, ZoomSettings
from ..utils import leases
from ..utils.logging import log_context
from ..utils.queue import enqueue
from . import batch, locks, outcomes
from .locks import due_events

POLL_SECONDS = 1.3
"""How long to poll after the last wake-up: the endpoint enqueues at most once a second."""
MAX_SECONDS = 20.0
POLL_INTERVAL = 0.05
ROUND_SECONDS = 0.3
"""A pass begins no further round of the accounts after this time."""
MAX_LOCKS = 100
"""Locks of one pass."""
LOCKS_PER_BATCH = 32
"""Locks of one account before another account gets its turn."""
EVENTS_PER_BATCH = 3000
"""Events in memory at once; all events of a lock are loaded together, up to this number."""
MAX_WORKERS = 2
SECOND_WORKER_FROM = 4
"""Due locks from which on a second worker starts."""
HEARTBEAT_REQUESTED = "process-events-requested"
"""Name of the heartbeat that holds the time of the last call."""


def process_events() -> None:
    """Process due events, then poll briefly, because wake-ups are debounced.

    Two calls may run side by side; a third one only notes that there is more.
    """
    Heartbeat.beat(HEARTBEAT_REQUESTED)
    for slot in range(MAX_WORKERS):
        if slot and _due_lock_count() < SECOND_WORKER_FROM:
            return
        if owner := _acquire_slot(slot):
            break
    else:
        return
    try:
        _process_until_idle(polls=slot == 0)
    finally:
        leases.release(_slot(slot), owner)
    if (
        slot == 0
        and _seconds_since_request() < POLL_SECONDS
        and due_events(timezone.now()).exists()
    ):
        enqueue("process_events")


def _slot(slot: int) -> QuerySet[Heartbeat]:
    return Heartbeat.objects.filter(name=f"process-events-{slot}")


def _acquire_slot(slot: int) -> str:
    """Returns the owner of the slot's lease, empty if another worker has it.

    Slots only limit the number of workers: exclusive access is ensured by the object locks.
    """
    rows = _slot(slot)
    if not rows.exists():
        Heartbeat.beat(f"process-events-{slot}")
    return leases.acquire(rows, locks.LEASE)


def _seconds_since_request() -> float:
    heartbeats = Heartbeat.objects.filter(name=HEARTBEAT_REQUESTED)
    requested_at = heartbeats.values_list("beat_at", flat=True).first()
    return (timezone.now() - requested_at).total_seconds() if requested_at else POLL_SECONDS


def _process_until_idle(*, polls: bool) -> None:
    began = time.monotonic()
    while time.monotonic() - began < MAX_SECONDS:
        if process_due_events(timezone.now(), until=began + MAX_SECONDS):
            continue
        if not polls or (_seconds_since_request() > POLL_SECONDS and not _has_events_soon()):
            return
        time.sleep(POLL_INTERVAL)
    enqueue("process_events")


def _has_events_soon() -> bool:
    """Whether an event becomes due within the debounce time: worth waiting for."""
    now = timezone.now()
    soon = now + timedelta(seconds=settings.debounce_seconds)
    rows = WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING, run_after__lte=soon)
    return rows.filter(run_after__gt=now).exists()


def _due_lock_count() -> int:
    return due_events(timezone.now()).values("lock_key").distinct().count()


def process_due_events(now: datetime, *, until: float | None = None) -> int:
    """One pass over the due locks; returns how many were processed.

    The oldest of each account come first: a burst of one account delays no other one.

    Args:
        until: monotonic time from which on no further account is begun.
    """
    rows = (
        due_events(now)
        .values("lock_key", "account_zoom_id")
        .annotate(first=Min("received_at"), events=Count("pk"), lost_workers=_lost_workers())
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    isolated: set[str] = set()
    turn = Window(RowNumber(), partition_by=F("account_zoom_id"), order_by=F("first").asc())
    rows = rows.annotate(turn=turn).order_by(
        "lost_workers",
        "turn",  # guard: burst-delays-no-other-account
        "first",
    )
    for row in rows[:MAX_LOCKS]:
        counts[row["account_zoom_id"]][row["lock_key"]] = row["events"]
        if row["lost_workers"]:
            isolated.add(row["lock_key"])
    connected = ZoomAccount.objects.filter(
        zoom_id__in=list(counts), pk__in=ZoomSettings.objects.values("account")
    )
    accounts = {account.zoom_id: account for account in connected}
    processed = _park([key for zoom_id in set(counts) - set(accounts) for key in counts[zoom_id]])
    for account, keys in _round_robin(accounts, counts, isolated):
        if until is not None and time.monotonic() > until:
            return max(1, processed)
        processed += _process_locks(account, keys)
    return processed


def _lost_workers() -> Coalesce:
    """How often a worker crashed while it held a lock (the maximum of its events)."""
    attempts = Max("attempts", filter=Q(error_class=WebhookEvent.WORKER_LOST))
    return Coalesce(attempts, Value(0))


def _round_robin(
    accounts: dict[str, ZoomAccount], counts: dict[str, dict[str, int]], isolated: set[str]
) -> Iterator[tuple[ZoomAccount, list[str]]]:
    """Some locks of each account in turn, so that no account waits for all locks of another.

    Locks whose worker crashed (``isolated``) come last and one at a time: it is not known which of
    many events was the reason, and it must not crash the others again.
    """
    batches = {
        zoom_id: list(
            _lock_batches({key: n for key, n in counts[zoom_id].items() if key not in isolated})
        )
        for zoom_id in counts
        if zoom_id in accounts
    }
    began = time.monotonic()
    fewest_first = sorted(batches.items(), key=lambda pair: len(pair[1]))
    position = 0
    while any(len(key_lists) > position for _zoom_id, key_lists in fewest_first):
        for zoom_id, key_lists in fewest_first:
            if len(key_lists) > position:
                yield accounts[zoom_id], key_lists[position]
        position += 1
        if time.monotonic() - began > ROUND_SECONDS:
            break  # the next pass sees what has come since
    for zoom_id, account in accounts.items():
        for key in counts[zoom_id]:
            if key in isolated:
                yield account, [key]


def _lock_batches(counts: dict[str, int]) -> Iterator[list[str]]:
    """Keys in lists of limited length, with no more events at once than memory should hold."""
    keys: list[str] = []
    event_count = 0
    for key, count in counts.items():
        if keys and (len(keys) == LOCKS_PER_BATCH or event_count + count > EVENTS_PER_BATCH):
            yield keys
            keys, event_count = [], 0
        keys.append(key)
        event_count += count
    if keys:
        yield keys


def _park(keys: list[str]) -> int:
    """Store events of accounts that are not connected for a day, in case the accounts connect."""
    if keys:
        WebhookEvent.objects.filter(lock_key__in=keys, state=WebhookEvent.State.PENDING).update(
            state=WebhookEvent.State.PARKED
        )
    return len(keys)


def _process_locks(account: ZoomAccount, keys: list[str]) -> int:
    """Process some locks of one account; returns how many. Other workers' locks are left alone."""
    acquired = locks.acquire(account, keys)
    if not acquired.locks:
        return 0
    try:
        queryset = due_events(timezone.now()).filter(lock_key__in=list(acquired.locks))
        rows = list(queryset.order_by("event_ts", "pk")[:EVENTS_PER_BATCH])
        if events := outcomes.drop_poison(rows):
            with log_context(account=account.pk):
                _handle_events(account, acquired, events)
        return len({event.lock_key for event in rows})
    finally:
        locks.release(acquired)


def _handle_events(
    account: ZoomAccount, acquired: locks.AcquiredLocks, events: list[WebhookEvent]
) -> None:
    try:
        batch.handle_events(account, acquired, events)
    except Exception:
        # If the database fails here too, the events count as those of a crashed worker.
        with suppress(DatabaseError):
            outcomes.undo_started(events)
        raise


def replay(event: WebhookEvent) -> None:
    """Process an event again, from the beginning. Harmless: events only cause reads."""
    with transaction.atomic():
        WebhookEvent.objects.filter(pk=event.pk).exclude(payload={}).update(
            state=WebhookEvent.State.PENDING, attempts=0, run_after=timezone.now(), done_at=None,
            error_class="", error_code=None,
        )  # fmt: skip
        enqueue("process_events")


def sweep(now: datetime | None = None) -> None:
    """Periodic job: enqueue processing when an event is due, as a wake-up may be lost."""
    if due_events(now or timezone.now()).exists():
        enqueue("process_events")
