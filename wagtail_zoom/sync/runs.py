"""Runs of the sync: asked for, planned, taken up again; one at a time for an account.

The row is the truth; the task is a wake-up. Work is done in slices of a few seconds, each of which
enqueues the next run that waits its turn.
"""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import (
    Activity,
    Occurrence,
    Plan,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)
from ..utils.queue import enqueue

LEASE = timedelta(seconds=180)
"""Longer than a task may run (``Q_CLUSTER`` timeout), renewed with every page."""
QUIET = timedelta(seconds=90)
"""A run without a sign of life for so long has lost its task."""
PLANNED_AT_ONCE = 50
OPEN = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
JITTER = 0.1


def request_run(account: ZoomAccount, mode: str, user: Any = None) -> SyncRun:
    """Ask for a run. While one is open it is asked to go once more: twenty clicks, two runs.

    An import that is asked for meanwhile waits as a run of its own: a comparison looks through the
    newest months only, and one that is under way has passed what is new.
    """
    with transaction.atomic():
        ZoomAccount.objects.select_for_update().get(pk=account.pk)
        rows = list(SyncRun.objects.filter(account=account, state__in=OPEN).order_by("pk"))
        run = next((row for row in rows if row.state == row.State.QUEUED and not row.cursor), None)
        if run is not None:
            if mode == SyncRun.Mode.BACKFILL and run.mode != mode:
                run.mode = mode
                run.save(update_fields=["mode"])
        elif rows and mode != SyncRun.Mode.BACKFILL:
            run = rows[0]
            SyncRun.objects.filter(pk=run.pk).update(run_again=True)
        else:
            person = user if user is not None and user.is_authenticated else None
            run = SyncRun.objects.create(account=account, mode=mode, requested_by=person)
        enqueue("sync_slice", run.pk)
    return run


def open_run(account: ZoomAccount) -> SyncRun | None:
    """The run that runs for this account or comes next, if any."""
    return SyncRun.objects.filter(account=account, state__in=OPEN).order_by("pk").first()


def cancel(run: SyncRun) -> None:
    """Stop at the next page, also what waits behind. Everything written so far stays."""
    rows = SyncRun.objects.filter(account=run.account_id, state__in=OPEN)
    rows.update(cancel_requested=True)
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        enqueue("sync_slice", pk)


def in_turn(rows: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
    """Those of these runs that no earlier one of their account is open before."""
    earlier = SyncRun.objects.filter(
        account=OuterRef("account"), state__in=OPEN, pk__lt=OuterRef("pk")
    )
    return rows.exclude(Exists(earlier))


def approve_removals(run: SyncRun, user: Any) -> SyncRun:
    """Let a new comparison remove what the brake held back; what is gone is found out anew."""
    again = request_run(run.account, SyncRun.Mode.RECONCILE, user)
    SyncRun.objects.filter(pk=again.pk).update(allow_removals=True)
    sites = ZoomSettings.objects.filter(account=run.account).values_list("site_id", flat=True)
    Activity.log(sites, "sync", "removals_approved", account=run.account, user=user)
    return again


def older_month(run: SyncRun) -> int:
    """Which older month of recordings a comparison looks through (``units``): the one after that of
    the last comparison of this account that came to the end of its listings.

    Numbers of runs will not do: those of other accounts lie between, and with as many accounts as
    months the same few would come round for ever.
    """
    earlier = SyncRun.objects.filter(
        account=run.account_id, mode=SyncRun.Mode.RECONCILE, pk__lt=run.pk, cursor__has_key="rolled"
    )
    cursor = earlier.order_by("-pk").values_list("cursor", flat=True).first()
    return int(cursor["rolled"]) + 1 if cursor else 0


def claim(account: ZoomAccount) -> str:
    """Take the lease of an account; the owner's mark, or empty when somebody else has it."""
    me, now = str(uuid.uuid4()), timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rows = ZoomAccount.objects.filter(
        free,  # guard: sync-run-lock
        pk=account.pk,
    )
    return me if rows.update(lease_owner=me, lease_until=now + LEASE) else ""


def renew(account: ZoomAccount, me: str) -> bool:
    """Keep the lease; False when it was lost (expired and taken by another)."""
    rows = ZoomAccount.objects.filter(pk=account.pk, lease_owner=me)
    return bool(rows.update(lease_until=timezone.now() + LEASE))


def release(account: ZoomAccount, me: str) -> None:
    """Give the lease back, if it is still ours."""
    ZoomAccount.objects.filter(pk=account.pk, lease_owner=me).update(
        lease_owner="", lease_until=None
    )


def has_room(now: datetime | None = None) -> bool:
    """Whether another slice may run: at most workers − 1, so that messages need not wait."""
    cluster: dict[str, Any] = getattr(django_settings, "Q_CLUSTER", {})
    most = max(1, int(cluster.get("workers", 2)) - 1)
    busy = ZoomAccount.objects.filter(lease_until__gt=now or timezone.now()).count()
    return busy < most


def next_waiting(now: datetime | None = None) -> SyncRun | None:
    """The open run that has waited longest and may go on now."""
    now = now or timezone.now()
    rows = in_turn(SyncRun.objects.filter(state__in=OPEN))
    rows = rows.filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    rows = rows.filter(Q(account__lease_until=None) | Q(account__lease_until__lt=now))
    return rows.order_by("beat_at", "pk").first()


def sweep(now: datetime | None = None) -> None:
    """The tick: wake runs that lost their task or whose time has come, and plan comparisons."""
    now = now or timezone.now()
    rows = in_turn(SyncRun.objects.filter(state__in=OPEN))
    rows = rows.filter(Q(next_try_at=None) | Q(next_try_at__lte=now))
    quiet = rows.filter(Q(beat_at=None) | Q(beat_at__lt=now - QUIET) | Q(next_try_at__lte=now))
    for pk in quiet.order_by("beat_at", "pk").values_list("pk", flat=True)[:PLANNED_AT_ONCE]:
        enqueue("sync_slice", pk)
    plan(now)


def plan(now: datetime) -> int:
    """Start the comparisons that are due, oldest first; how many."""
    due = ZoomAccount.objects.filter(next_reconcile_at__lte=now).order_by("next_reconcile_at")
    count = 0
    for account in due[:PLANNED_AT_ONCE]:
        account.next_reconcile_at = next_time(account, now)
        account.save(update_fields=["next_reconcile_at"])
        if not account.is_quarantined and not fetch_scope(account).is_empty:
            request_run(account, SyncRun.Mode.RECONCILE)
            count += 1
    return count


def next_time(account: ZoomAccount, now: datetime) -> datetime:
    """When to compare next: every six hours, hourly on the day of a shown start, every quarter of
    an hour for plans without update events (Free). Spread, so that accounts do not go together."""
    span = timedelta(hours=settings.reconcile_hours)
    soon = Occurrence.objects.filter(
        account=account, start__gt=now, start__lt=now + timedelta(days=1)
    ).exists()
    if account.plan == Plan.FREE:
        span = min(span, timedelta(minutes=15))
    elif soon:
        span = min(span, timedelta(hours=1))
    return now + span * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
