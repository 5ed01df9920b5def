"""Lanes: whose turn it is to work on an object. Claimed, spaced and let go many at a time."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import Lane, WebhookEvent, ZoomAccount
from ..utils.logging import get_logger

logger = get_logger("inbox")

LEASE = timedelta(seconds=180)
"""Longer than a task may run (``Q_CLUSTER`` timeout)."""
CALM = 0.3
BUSY = timedelta(seconds=0.2)
"""When to look again at a lane that somebody else works on."""


@dataclass(frozen=True)
class Claim:
    """Lanes that are ours until ``LEASE`` is over, by key."""

    me: str = ""
    lanes: dict[str, Lane] = field(default_factory=dict)


def due(now: datetime) -> QuerySet[WebhookEvent]:
    """Messages whose time has come."""
    return WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING, run_after__lte=now)


def claim(account: ZoomAccount, keys: Collection[str]) -> Claim:
    """Take the lanes of one account that nobody works on, by one conditional UPDATE.

    The messages of the others are put off until their lane may be read again.
    """
    _make(account, keys)
    now, me = timezone.now(), str(uuid.uuid4())
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    try:
        Lane.objects.filter(
            free,  # guard: message-lock
            key__in=keys,
            not_before__lte=now,
        ).update(lease_owner=me, lease_until=now + LEASE)
    except OperationalError as error:
        # Two workers that want the same lanes can lock each other out: the next pass takes them.
        logger.info("Lanes could not be claimed: %s.", type(error).__name__)
        return Claim()
    found = {lane.key: lane for lane in Lane.objects.filter(key__in=keys)}
    mine = {key: lane for key, lane in found.items() if lane.lease_owner == me}
    for key, lane in found.items():
        if key not in mine:
            due(now).filter(lane=key).update(run_after=max(lane.not_before, now + BUSY))
    return Claim(me, mine)


def _make(account: ZoomAccount, keys: Collection[str]) -> None:
    known = set(Lane.objects.filter(key__in=keys).values_list("key", flat=True))
    fresh = [Lane(account=account, key=key) for key in keys if key not in known]
    if fresh:
        Lane.objects.bulk_create(fresh, ignore_conflicts=True)


def release(claimed: Claim) -> None:
    """Let go of what is still ours."""
    pks = [lane.pk for lane in claimed.lanes.values()]
    Lane.objects.filter(pk__in=pks, lease_owner=claimed.me).update(lease_owner="", lease_until=None)


def space(lanes: Iterable[Lane], storms: Collection[str]) -> None:
    """When these may be read again: soon after a single message, later in a storm."""
    now = timezone.now()
    calm, stormy = [], []
    for lane in lanes:
        (stormy if lane.key in storms else calm).append(lane.pk)
    wait = settings.debounce_seconds
    for pks, seconds in ((calm, min(wait, CALM)), (stormy, wait)):
        if pks:
            Lane.objects.filter(pk__in=pks).update(not_before=now + timedelta(seconds=seconds))
