"""Per-object locks for event processing, acquired, throttled and released in bulk."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import ObjectLock, WebhookEvent, ZoomAccount
from ..utils import leases
from ..utils.logging import get_logger

logger = get_logger("inbox")

LEASE = timedelta(seconds=180)
"""Longer than a task may run (``Q_CLUSTER`` timeout)."""
SINGLE_EVENT_WAIT = 0.3
RETRY_WAIT = timedelta(seconds=0.2)
"""When to try a lock again that another worker holds."""


@dataclass(frozen=True)
class AcquiredLocks:
    """Locks that this worker holds until ``LEASE`` is over, by key."""

    owner: str = ""
    locks: dict[str, ObjectLock] = field(default_factory=dict)


def due_events(now: datetime) -> QuerySet[WebhookEvent]:
    """Pending events whose time has come."""
    return WebhookEvent.objects.filter(state=WebhookEvent.State.PENDING, run_after__lte=now)


def acquire(account: ZoomAccount, keys: Collection[str]) -> AcquiredLocks:
    """Acquire the free locks among these, by one conditional UPDATE.

    The events of the others are delayed until their lock may be acquired.
    """
    _create_missing(account, keys)
    now = timezone.now()
    rows = ObjectLock.objects.filter(key__in=keys)
    try:
        owner = leases.acquire(rows.filter(not_before__lte=now), LEASE, now)
    except OperationalError as error:
        # A deadlock with another worker that wants the same locks: the next pass acquires them.
        logger.info("Locks could not be acquired: %s.", type(error).__name__)
        return AcquiredLocks()
    locks_by_key = {lock.key: lock for lock in rows}
    acquired = {
        key: lock for key, lock in locks_by_key.items() if owner and lock.lease_owner == owner
    }
    for key, lock in locks_by_key.items():
        if key not in acquired:
            due_events(now).filter(lock_key=key).update(
                run_after=max(lock.not_before, now + RETRY_WAIT)
            )
    return AcquiredLocks(owner, acquired)


def _create_missing(account: ZoomAccount, keys: Collection[str]) -> None:
    existing = set(ObjectLock.objects.filter(key__in=keys).values_list("key", flat=True))
    missing = [ObjectLock(account=account, key=key) for key in keys if key not in existing]
    if missing:
        ObjectLock.objects.bulk_create(missing, ignore_conflicts=True)


def release(acquired: AcquiredLocks) -> None:
    """Release the locks that this worker still holds."""
    pks = [lock.pk for lock in acquired.locks.values()]
    leases.release(ObjectLock.objects.filter(pk__in=pks), acquired.owner)


def throttle(locks: Iterable[ObjectLock], burst_keys: Collection[str]) -> None:
    """Set when these objects may be read again: soon after a single event, later in a burst."""
    now = timezone.now()
    single_pks: list[int] = []
    burst_pks: list[int] = []
    for lock in locks:
        (burst_pks if lock.key in burst_keys else single_pks).append(lock.pk)
    wait = settings.debounce_seconds
    for pks, seconds in ((single_pks, min(wait, SINGLE_EVENT_WAIT)), (burst_pks, wait)):
        if pks:
            ObjectLock.objects.filter(pk__in=pks).update(
                not_before=now + timedelta(seconds=seconds)
            )
