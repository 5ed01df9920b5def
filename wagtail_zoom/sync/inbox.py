"""Works off the inbox: lane by lane, one read for many messages, nothing ever lost.

A lane is one object of one account. Who works on it holds its lease; messages that arrive
meanwhile cause exactly one more read, ``DEBOUNCE_SECONDS`` later. A lane that fails waits by itself
and holds up no other.
"""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from .. import observing
from ..conf import settings
from ..errors import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomTransient,
)
from ..models import (
    Activity,
    Heartbeat,
    Lane,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from ..queue import enqueue
from . import objects, routing
from .routing import Read
from .values import BadItem

logger = observing.logger("inbox")

State = WebhookEvent.State
LEASE = timedelta(seconds=180)
LINGER = 1.3
"""Seconds that a drain looks on after the last wake-up: the door wakes at most once a second."""
BUDGET = 20.0
PAUSE = 0.05
MOST_ATTEMPTS = 10
LONGEST_WAIT = 3600
GIVE_UP = timedelta(days=3)
AUTH_WAIT = timedelta(minutes=5)
OF_ONE_LANE = 1000
LANES_AT_ONCE = 100
SLOTS = 2
HELP_FROM = 4
STORM = 3
"""Messages of one lane at once from which on its reads are spaced by ``DEBOUNCE_SECONDS``."""
CALM = 0.3
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
    if slot == 0 and _wanted_since() < LINGER and _due(timezone.now()).exists():
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
        Heartbeat.objects.bulk_create([Heartbeat(name=name, at=now - LEASE)], ignore_conflicts=True)
    return bool(Heartbeat.objects.filter(name=name, at__lte=now).update(at=now + LEASE))


def _give_slot(slot: int) -> None:
    Heartbeat.objects.filter(name=_slot_name(slot)).update(at=timezone.now())


def _wanted_since() -> float:
    at = Heartbeat.objects.filter(name=WANTED).values_list("at", flat=True).first()
    return (timezone.now() - at).total_seconds() if at else LINGER


def _drain(*, lingers: bool) -> None:
    began = time.monotonic()
    while time.monotonic() - began < BUDGET:
        if work_off(timezone.now()):
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


def _due(now: datetime) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.filter(state=State.PENDING, run_after__lte=now)


def _due_count() -> int:
    return _due(timezone.now()).values("lane").distinct().count()


def work_off(now: datetime) -> int:
    """One pass over the lanes that are due, oldest first; how many were worked on."""
    rows = _due(now).values("lane", "account_zoom_id").annotate(first=Min("received_at"))
    lanes = list(rows.order_by("first")[:LANES_AT_ONCE])
    accounts = {
        account.zoom_id: account
        for account in ZoomAccount.objects.filter(
            zoom_id__in={row["account_zoom_id"] for row in lanes}
        )
    }
    done = 0
    for row in lanes:
        account = accounts.get(row["account_zoom_id"])
        if account is None or not ZoomSettings.objects.filter(account=account).exists():
            _park(row["lane"])
            done += 1
        elif work_lane(account, row["lane"]):
            done += 1
    return done


def _park(lane: str) -> None:
    """Of an account that is not connected: kept for a day, in case it connects."""
    WebhookEvent.objects.filter(lane=lane, state=State.PENDING).update(state=State.PARKED)


def work_lane(account: ZoomAccount, key: str) -> bool:
    """Work off one lane; False when another worker has it or it is to wait."""
    lane, me = _claim(account, key)
    if lane is None:
        return False
    try:
        events = list(
            _due(timezone.now()).filter(lane=key).order_by("event_ts", "pk")[:OF_ONE_LANE]
        )
        if events:
            with observing.at_work(account=account.pk):
                _handle(account, lane, events)
        return bool(events)
    finally:
        Lane.objects.filter(pk=lane.pk, lease_owner=me).update(lease_owner="", lease_until=None)


def _claim(account: ZoomAccount, key: str) -> tuple[Lane | None, str]:
    now, me = timezone.now(), str(uuid.uuid4())
    row = Lane.objects.filter(key=key).first()
    if row is None:
        _account, _colon, rest = key.partition(":")
        kind, _colon, name = rest.partition(":")
        Lane.objects.bulk_create(
            [
                Lane(
                    account=account,
                    key=key,
                    object_kind=kind[:20],
                    object_id=name[:100],
                    not_before=now,
                )
            ],
            ignore_conflicts=True,
        )
        row = Lane.objects.get(key=key)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    claimed = Lane.objects.filter(free, pk=row.pk, not_before__lte=now).update(
        lease_owner=me, lease_until=now + LEASE
    )
    if claimed:
        return row, me
    # Spaced reads of a busy object: look again when its time has come.
    _due(now).filter(lane=key).update(run_after=max(row.not_before, now + timedelta(seconds=0.2)))
    return None, me


def _handle(account: ZoomAccount, lane: Lane, events: list[WebhookEvent]) -> None:
    """Facts of each message, then one read for all of them, then their fate in one statement."""
    WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        attempts=F("attempts") + 1
    )
    reads: dict[tuple[str, str], tuple[Read, WebhookEvent]] = {}
    fates: dict[str, list[WebhookEvent]] = {State.DONE: [], State.IGNORED: []}
    for event in events:
        try:
            with observing.at_work(event=event.pk):
                route = routing.apply_facts(account, event)
        except Exception as error:
            # A poisoned message must not hold up the others of its lane.
            logger.exception("Message %s cannot be handled.", event.pk)
            _fail([event], error)
            continue
        for read in route.reads:
            earlier = reads.get((read.family, read.key))
            host = read.host_zoom_id or (earlier[0].host_zoom_id if earlier else "")
            reads[read.family, read.key] = (replace(read, host_zoom_id=host), event)
        fates[State.DONE if route.known else State.IGNORED].append(event)
    try:
        wanted = [_read(account, read, event) for read, event in reads.values()]
        for event in fates[State.DONE] if reads else []:
            # Created and begun in one breath: what was unknown a moment ago is known now.
            if event.event.endswith((".started", ".ended")):
                routing.apply_facts(account, event)
    except Exception as error:
        # Whatever it is: it concerns this object, and the other lanes go on.
        if not isinstance(error, ZoomError | BadItem):
            logger.exception("Lane %s cannot be read.", lane.pk)
        _fail(fates[State.DONE], error)
        _settle(fates[State.IGNORED], State.IGNORED)
        return
    finally:
        _space(lane, storm=len(events) >= STORM)
    if reads and not any(wanted):
        # Nobody shows it: the message was understood, and there was nothing to do.
        fates[State.IGNORED] += fates.pop(State.DONE)
    for state, some in fates.items():
        _settle(some, state)
    ZoomAccount.objects.filter(pk=account.pk).update(last_event_at=timezone.now())


def _read(account: ZoomAccount, read: Read, event: WebhookEvent) -> bool:
    if read.family == "user":
        objects.reread_host(account, read.key)
        return True
    target = objects.Target(account, routing.kind_of(read), read.key, read.host_zoom_id, event)
    return objects.reread(target)


def _space(lane: Lane, *, storm: bool) -> None:
    """When this object may be read again: soon after a single message, later in a storm."""
    now = timezone.now()
    wait = settings.debounce_seconds
    wait = wait if storm else min(wait, CALM)
    Lane.objects.filter(pk=lane.pk).update(fetched_at=now, not_before=now + timedelta(seconds=wait))


def _settle(events: list[WebhookEvent], state: str) -> None:
    now = timezone.now()
    for event in events:
        observing.measure("messages", outcome=state)
        lag = (now - routing.event_time(event)).total_seconds()
        observing.measure("message_lag_seconds", lag, outcome=state)
    if events:
        WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(
            state=state, done_at=now, error_class="", error_code=None
        )


def _fail(events: list[WebhookEvent], error: Exception) -> None:
    """Later again, or for a person to look at. Outages of the permission cost no attempt."""
    now = timezone.now()
    for event in events:
        attempts = event.attempts + 1
        values: dict[str, object] = {
            "error_class": type(error).__name__[:40],
            "error_code": getattr(error, "code", None),
        }
        if isinstance(error, ZoomAuthError | ZoomQuarantined | ZoomConfigurationError):
            values |= {"attempts": F("attempts") - 1, "run_after": now + AUTH_WAIT}
        elif isinstance(error, ZoomRateLimited):
            values |= {"attempts": F("attempts") - 1, "run_after": error.retry_at or now}
        else:
            values["run_after"] = now + _wait(attempts, error)
        if attempts >= MOST_ATTEMPTS or event.received_at < now - GIVE_UP:
            values["state"] = State.DEAD
        WebhookEvent.objects.filter(pk=event.pk).update(**values)
        if values.get("state") == State.DEAD:
            observing.measure("messages", outcome=State.DEAD.value)
            with observing.at_work(event=event.pk):
                logger.error("A message is given up after %s tries.", attempts)
            _tell(event)


def _wait(attempts: int, error: Exception) -> timedelta:
    """Exponential with full jitter, at most an hour; what repeating cannot mend goes there fast."""
    base = 2 if isinstance(error, ZoomTransient) else 30
    most = min(LONGEST_WAIT, base * 2**attempts)
    return timedelta(seconds=random.uniform(1, most))  # noqa: S311 - spreads load, no secret


def _tell(event: WebhookEvent) -> None:
    sites = ZoomSettings.objects.filter(account__zoom_id=event.account_zoom_id)
    Activity.log(
        sites.values_list("site_id", flat=True), "event", "event_failed",
        outcome=Activity.Outcome.FAILED, data={"event": event.event}, event=event,
    )  # fmt: skip


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
    if _due(now or timezone.now()).exists():
        enqueue("drain")
