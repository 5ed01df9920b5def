"""Sync runs: requested, planned, resumed; one at a time for an account.

The row holds the state; the task is only a wake-up. Work is done in slices of a few seconds, each
of which enqueues the next waiting run.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import (
    Activity,
    AttendanceReading,
    Occurrence,
    Plan,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)
from ..utils import leases
from ..utils.queue import enqueue

LEASE = timedelta(seconds=180)
"""Longer than a task may run (``Q_CLUSTER`` timeout), extended with every page."""
STALE_AFTER = timedelta(seconds=90)
"""A run without a heartbeat for this long has lost its task."""
MAX_PER_SWEEP = 50
OPEN_STATES = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
JITTER = 0.1


def request_run(account: ZoomAccount, mode: str, user: Any = None) -> SyncRun:
    """Request a run. While one is open it will run once more: twenty clicks, two runs.

    An import that is requested in the meantime waits as a run of its own: a reconcile run reads
    the newest months only, and one that is running has already passed what is new.
    """
    with transaction.atomic():
        ZoomAccount.objects.select_for_update().get(pk=account.pk)
        rows = list(SyncRun.objects.filter(account=account, state__in=OPEN_STATES).order_by("pk"))
        run = next((row for row in rows if row.state == row.State.QUEUED and not row.cursor), None)
        if run is not None:
            if mode == SyncRun.Mode.BACKFILL and run.mode != mode:
                run.mode = mode
                run.save(update_fields=["mode"])
        elif rows and mode != SyncRun.Mode.BACKFILL:
            run = rows[0]
            SyncRun.objects.filter(pk=run.pk).update(run_again=True)
        else:
            requested_by = user if user is not None and user.is_authenticated else None
            run = SyncRun.objects.create(account=account, mode=mode, requested_by=requested_by)
        enqueue("sync_slice", run.pk)
    return run


def open_run(account: ZoomAccount) -> SyncRun | None:
    """The current or next run of this account, if any."""
    return SyncRun.objects.filter(account=account, state__in=OPEN_STATES).order_by("pk").first()


def cancel(run: SyncRun) -> None:
    """Stop at the next page, including the runs that wait behind it. Written data stays."""
    rows = SyncRun.objects.filter(account=run.account_id, state__in=OPEN_STATES)
    rows.update(cancel_requested=True)
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        enqueue("sync_slice", pk)


def first_of_account(rows: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
    """Those of these runs that are the first open run of their account."""
    earlier = SyncRun.objects.filter(
        account=OuterRef("account"), state__in=OPEN_STATES, pk__lt=OuterRef("pk")
    )
    return rows.exclude(Exists(earlier))


def approve_removals(run: SyncRun, user: Any) -> SyncRun:
    """Let a new reconcile run remove what was withheld; it finds out again what is missing."""
    new_run = request_run(run.account, SyncRun.Mode.RECONCILE, user)
    SyncRun.objects.filter(pk=new_run.pk).update(allow_removals=True)
    sites = ZoomSettings.objects.filter(account=run.account).values_list("site_id", flat=True)
    Activity.log(sites, "sync", "removals_approved", account=run.account, user=user)
    return new_run


def older_month(run: SyncRun) -> int:
    """Which older month of recordings a reconcile run reads (see ``plan_steps``).

    It is the one after that of the account's last reconcile run that completed its listings. The
    numbers of runs cannot be used: those of other accounts lie between, and with as many accounts
    as months the same few months would be read every time.
    """
    earlier = SyncRun.objects.filter(
        account=run.account_id, mode=SyncRun.Mode.RECONCILE, pk__lt=run.pk, cursor__has_key="rolled"
    )
    cursor = earlier.order_by("-pk").values_list("cursor", flat=True).first()
    return int(cursor["rolled"]) + 1 if cursor else 0


def acquire_lease(account: ZoomAccount) -> str:
    """Acquire the lease of an account; returns the owner id, empty when another worker has it."""
    return leases.acquire(ZoomAccount.objects.filter(pk=account.pk), LEASE)


def extend_lease(account: ZoomAccount, owner: str) -> bool:
    """Extend the lease; False when it was lost (expired and acquired by another worker)."""
    return leases.extend(ZoomAccount.objects.filter(pk=account.pk), owner, LEASE)


def release_lease(account: ZoomAccount, owner: str) -> None:
    """Release the lease, if this worker still holds it."""
    leases.release(ZoomAccount.objects.filter(pk=account.pk), owner)


def has_free_worker(now: datetime | None = None) -> bool:
    """Whether another slice may run: at most workers − 1, so that webhooks are not delayed."""
    cluster: dict[str, Any] = getattr(django_settings, "Q_CLUSTER", {})
    max_slices = max(1, int(cluster.get("workers", 2)) - 1)
    now = now or timezone.now()
    busy = ZoomAccount.objects.filter(lease_until__gt=now).count()
    busy += AttendanceReading.objects.filter(lease_until__gt=now).count()
    return busy < max_slices


def next_waiting(now: datetime | None = None) -> SyncRun | None:
    """The open run that has waited longest and may continue now."""
    now = now or timezone.now()
    rows = first_of_account(SyncRun.objects.filter(state__in=OPEN_STATES))
    rows = rows.filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    rows = rows.filter(leases.is_free(now, "account__"))
    return rows.order_by("beat_at", "pk").first()


def sweep(now: datetime | None = None) -> None:
    """Periodic job: wake runs that lost their task or whose time has come; start due runs."""
    now = now or timezone.now()
    rows = first_of_account(SyncRun.objects.filter(state__in=OPEN_STATES))
    rows = rows.filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    stale = rows.filter(
        Q(beat_at=None) | Q(beat_at__lt=now - STALE_AFTER) | Q(next_try_at__lte=now)
    )
    for pk in stale.order_by("beat_at", "pk").values_list("pk", flat=True)[:MAX_PER_SWEEP]:
        enqueue("sync_slice", pk)
    start_due_runs(now)


def start_due_runs(now: datetime) -> int:
    """Request the reconcile runs that are due, oldest first; returns how many."""
    due = ZoomAccount.objects.filter(next_reconcile_at__lte=now).order_by("next_reconcile_at")
    count = 0
    for account in due[:MAX_PER_SWEEP]:
        account.next_reconcile_at = next_reconcile_time(account, now)
        account.save(update_fields=["next_reconcile_at"])
        if not account.is_quarantined and not fetch_scope(account).is_empty:
            request_run(account, SyncRun.Mode.RECONCILE)
            count += 1
    return count


def next_reconcile_time(account: ZoomAccount, now: datetime) -> datetime:
    """When to reconcile next.

    Every six hours, hourly on the day of a shown start, every 15 minutes for plans without update
    events (Free). With jitter, so that accounts do not start together.
    """
    interval = timedelta(hours=settings.reconcile_hours)
    starts_soon = Occurrence.objects.filter(
        account=account, start__gt=now, start__lt=now + timedelta(days=1)
    ).exists()
    if account.plan == Plan.FREE:
        interval = min(interval, timedelta(minutes=15))
    elif starts_soon:
        interval = min(interval, timedelta(hours=1))
    return now + interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
