"""Works off the inbox: lane by lane, one read for many messages, nothing ever lost.

A lane is one object of one account. Who works on it holds its lease; messages that arrive
meanwhile cause exactly one more read, ``DEBOUNCE_SECONDS`` later. A lane that fails waits by itself
and holds up no other. What all lanes of an account need (scope, hosts, stored rows, claims and
fates) is asked and written once for a pass.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Count, Max, Min, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..conf import settings
from ..models import Heartbeat, WebhookEvent, ZoomAccount, ZoomSettings
from ..utils.logging import log_context
from ..utils.queue import enqueue
from . import batch, locks, outcomes
from .locks import due

State = WebhookEvent.State
LINGER = 1.3
"""Seconds that a drain looks on after the last wake-up: the door wakes at most once a second."""
BUDGET = 20.0
PAUSE = 0.05
LANES_AT_ONCE = 100
OF_ONE_ACCOUNT = 32
"""Lanes of one account before another account gets its turn."""
OF_ONE_PASS = 3000
"""Messages in memory at once; a lane comes whole, up to so many."""
SLOTS = 2
HELP_FROM = 4
WANTED = "drain-wanted"


def drain() -> None:
    """Take everything that is due; then look on for a moment, because wake-ups are rationed.

    Two drains may run side by side; a third call only leaves word that there is more.
    """
    Heartbeat.beat(WANTED)
    for slot in range(SLOTS):
        if slot and _due_count() < HELP_FROM:
            return
        if _take_slot(slot):
            break
    else:
        return
    try:
        _drain(lingers=slot == 0)
    finally:
        _give_slot(slot)
    if slot == 0 and _wanted_since() < LINGER and due(timezone.now()).exists():
        enqueue("drain")


def _slot_name(slot: int) -> str:
    return f"drain-{slot}"


def _take_slot(slot: int) -> bool:
    """A slot is free when its time is over; a killed drain's is after ``LEASE``.

    Slots only bound how many drains run: what two of them must not both do is claimed by lane.
    """
    now = timezone.now()
    name = _slot_name(slot)
    if not Heartbeat.objects.filter(name=name).exists():
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, at=now - locks.LEASE)], ignore_conflicts=True
        )
    return bool(Heartbeat.objects.filter(name=name, at__lte=now).update(at=now + locks.LEASE))


def _give_slot(slot: int) -> None:
    Heartbeat.objects.filter(name=_slot_name(slot)).update(at=timezone.now())


def _wanted_since() -> float:
    at = Heartbeat.objects.filter(name=WANTED).values_list("at", flat=True).first()
    return (timezone.now() - at).total_seconds() if at else LINGER


def _drain(*, lingers: bool) -> None:
    began = time.monotonic()
    while time.monotonic() - began < BUDGET:
        if work_off(timezone.now(), until=began + BUDGET):
            continue
        if not lingers or (_wanted_since() > LINGER and not _soon()):
            return
        time.sleep(PAUSE)
    enqueue("drain")


def _soon() -> bool:
    """Whether a lane becomes due within the debounce time: worth waiting for."""
    now = timezone.now()
    soon = now + timedelta(seconds=settings.debounce_seconds)
    rows = WebhookEvent.objects.filter(state=State.PENDING, run_after__lte=soon)
    return rows.filter(run_after__gt=now).exists()


def _due_count() -> int:
    return due(timezone.now()).values("lane").distinct().count()


def work_off(now: datetime, *, until: float | None = None) -> int:
    """One pass over the lanes that are due, oldest first; how many were worked on.

    Args:
        until: monotonic time from which on no further account is begun.
    """
    rows = (
        due(now)
        .values("lane", "account_zoom_id")
        .annotate(first=Min("received_at"), messages=Count("pk"), ends=_ends())
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    alone: set[str] = set()
    for row in rows.order_by("ends", "first")[:LANES_AT_ONCE]:
        found[row["account_zoom_id"]][row["lane"]] = row["messages"]
        if row["ends"]:
            alone.add(row["lane"])
    connected = ZoomAccount.objects.filter(
        zoom_id__in=list(found), pk__in=ZoomSettings.objects.values("account")
    )
    accounts = {account.zoom_id: account for account in connected}
    done = _park([key for zoom_id in set(found) - set(accounts) for key in found[zoom_id]])
    for account, keys in _turns(accounts, found, alone):
        if until is not None and time.monotonic() > until:
            return max(1, done)
        done += _work(account, keys)
    return done


def _ends() -> Coalesce:
    """How often a worker has ended with a lane in its hands (the most of its messages)."""
    tries = Max("attempts", filter=Q(error_class=WebhookEvent.WORKER_LOST))
    return Coalesce(tries, Value(0))


def _turns(
    accounts: dict[str, ZoomAccount], found: dict[str, dict[str, int]], alone: set[str]
) -> Iterator[tuple[ZoomAccount, list[str]]]:
    """Some lanes of each account, then some more of each: none waits for all of another.

    Lanes that a worker has died with are taken after all others, and each ``alone``: which of many
    it was cannot be seen, and it shall not take the others with it again.
    """
    shares = {
        zoom_id: list(_shares({key: n for key, n in found[zoom_id].items() if key not in alone}))
        for zoom_id in found
        if zoom_id in accounts
    }
    place = 0
    while any(len(some) > place for some in shares.values()):
        for zoom_id, some in shares.items():
            if len(some) > place:
                yield accounts[zoom_id], some[place]
        place += 1
    for zoom_id, account in accounts.items():
        for key in found[zoom_id]:
            if key in alone:
                yield account, [key]


def _shares(counts: dict[str, int]) -> Iterator[list[str]]:
    """Lanes by the handful, and never more messages at once than memory should hold."""
    share: list[str] = []
    held = 0
    for key, count in counts.items():
        if share and (len(share) == OF_ONE_ACCOUNT or held + count > OF_ONE_PASS):
            yield share
            share, held = [], 0
        share.append(key)
        held += count
    if share:
        yield share


def _park(keys: list[str]) -> int:
    """Of accounts that are not connected: kept for a day, in case they connect."""
    if keys:
        WebhookEvent.objects.filter(lane__in=keys, state=State.PENDING).update(state=State.PARKED)
    return len(keys)


def _work(account: ZoomAccount, keys: list[str]) -> int:
    """Work off some lanes of one account; how many. Those that another worker has are left."""
    claimed = locks.claim(account, keys)
    if not claimed.lanes:
        return 0
    try:
        rows = due(timezone.now()).filter(lane__in=list(claimed.lanes))
        found = list(rows.order_by("event_ts", "pk")[:OF_ONE_PASS])
        if events := outcomes.without_deadly(found):
            with log_context(account=account.pk):
                _handle(account, claimed, events)
        return len({event.lane for event in found})
    finally:
        locks.release(claimed)


def _handle(account: ZoomAccount, claimed: locks.Claim, events: list[WebhookEvent]) -> None:
    try:
        batch.handle(account, claimed, events)
    except Exception:
        # If the database is away even for this, they count as those of a worker that died.
        with suppress(DatabaseError):
            outcomes.break_off(events)
        raise


def replay(event: WebhookEvent) -> None:
    """Handle a message again, from the beginning. Harmless: messages only cause reads."""
    with transaction.atomic():
        WebhookEvent.objects.filter(pk=event.pk).exclude(payload={}).update(
            state=State.PENDING, attempts=0, run_after=timezone.now(), done_at=None,
            error_class="", error_code=None,
        )  # fmt: skip
        enqueue("drain")


def sweep(now: datetime | None = None) -> None:
    """The tick: wake a drain when something is due (its own wake-up may be lost)."""
    if due(now or timezone.now()).exists():
        enqueue("drain")
