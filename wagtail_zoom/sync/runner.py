"""Runs one slice of a run: a few seconds of steps, then the next run gets its turn.

Every page is stored in a transaction of its own; the cursor moves when a step is complete. A slice
that dies loses nothing: its current step is repeated. A long listing is always read to its end,
but its details may be left for the next slice: the cursor then names their meetings.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..client import Priority, client_for_reading
from ..conf import settings
from ..exceptions import (
    ZoomAuthError,
    ZoomError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from ..models import FetchScope, Host, SyncRun, ZoomAccount, fetch_scope, scope_fingerprint
from ..utils.error_reports import exc_info_of
from ..utils.logging import get_logger, log_context
from ..utils.queue import enqueue
from . import completion, questions, removals, runs, summaries, transcripts, users
from .import_list import StepContext, StepRestart, StepResult, import_list, import_remaining
from .steps import Step, plan_steps, steps_after

logger = get_logger("sync")

STEP_OVERTIME = 50
"""Seconds beyond a slice after which the details of a long listing are left for the next one: a
task is killed after 120 seconds."""
MAX_RESTARTS = 3


class StopRun(Exception):
    """Leave the run after a page: it was cancelled, its lease is lost, or the scope has changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Slice:
    """One time slice of a run, with the owner of its lease and its deadline."""

    run: SyncRun
    account: ZoomAccount
    lease_owner: str
    deadline: float
    """Monotonic time."""
    scope: FetchScope = field(default_factory=FetchScope)
    fingerprint: tuple[object, ...] = ()

    def heartbeat(self, result: StepResult | None = None, *, kind: str = "") -> None:
        """After a page: extend the lease, save the progress, check whether to stop.

        Raises:
            StopRun: cancelled, the scope has changed, or another worker has taken over.
        """
        if not runs.extend_lease(self.account, self.lease_owner):
            raise StopRun("lease")
        now = timezone.now()
        if result is not None:
            self.show_progress(kind, result)
        SyncRun.objects.filter(pk=self.run.pk).update(beat_at=now, progress=self.run.progress)
        if SyncRun.objects.filter(pk=self.run.pk, cancel_requested=True).exists():
            raise StopRun("cancelled")
        fingerprint = scope_fingerprint(self.account)
        if fingerprint != self.fingerprint:
            if fetch_scope(self.account) != self.scope:
                # An owner disconnected, paused or changed settings: this page may be unwanted.
                enqueue("purge_account", self.account.pk)
                raise StopRun("scope")
            self.fingerprint = fingerprint

    def is_late(self) -> bool:
        """Whether a step may read no more details in this slice."""
        return time.monotonic() > self.deadline + STEP_OVERTIME

    def show_progress(self, kind: str, result: StepResult) -> None:
        """Progress of one kind: its finished steps plus what the current one has so far."""
        finished = self.run.cursor.get("finished", {}).get(kind, 0)
        total = self.run.cursor.get("totals", {}).get(kind, 0)
        seen = finished + result.created + result.changed + result.unchanged
        listed = finished + (result.total if result.total is not None else result.seen)
        self.run.progress = {**self.run.progress, kind: [seen, max(total, listed, seen)]}


def run_slice(run_pk: int) -> None:
    """Work on a run for ``SLICE_SECONDS``, then enqueue the run that has waited longest."""
    rows = runs.first_of_account(SyncRun.objects.filter(state__in=runs.OPEN_STATES))
    run = rows.select_related("account").filter(pk=run_pk).first()
    if run is None or (run.next_try_at and run.next_try_at > timezone.now()):
        return
    if not runs.has_free_worker():
        return  # the running slice enqueues the next one
    lease_owner = runs.acquire_lease(run.account)
    if not lease_owner:
        return
    current = Slice(run, run.account, lease_owner, time.monotonic() + settings.slice_seconds)
    try:
        with log_context(account=run.account_id, run=run.pk):
            _run_and_record(current)
    finally:
        runs.release_lease(run.account, lease_owner)
        next_run = runs.next_waiting()
        if next_run is not None:
            enqueue("sync_slice", next_run.pk)


def _run_and_record(current: Slice) -> None:
    """Run, and save every error as the run's state; expected errors are not raised."""
    try:
        _run(current)
    except StopRun as stop:
        if stop.reason == "cancelled":
            completion.finish(current.run, SyncRun.State.CANCELLED)
    except ZoomRateLimited as error:
        SyncRun.objects.filter(pk=current.run.pk).update(next_try_at=error.retry_at)
    except ZoomAuthError as error:
        completion.finish(current.run, SyncRun.State.FAILED, error)
    except (ZoomTransient, StepRestart, ZoomProtocolError) as error:
        completion.postpone(current.run, error)
    except ZoomError as error:
        completion.finish(current.run, SyncRun.State.FAILED, error)
    except Exception as error:
        # A bug, or a wrong client id: tried again, fails after ten attempts.
        logger.error("Run %s was interrupted.", current.run.pk, exc_info=exc_info_of(error))
        completion.postpone(current.run, error)


def _run(current: Slice) -> None:
    run, account = current.run, current.account
    if run.cancel_requested:
        raise StopRun("cancelled")
    if run.state == SyncRun.State.QUEUED:
        run.state, run.started_at = SyncRun.State.RUNNING, timezone.now()
        SyncRun.objects.filter(pk=run.pk).update(state=run.state, started_at=run.started_at)
    SyncRun.objects.filter(pk=run.pk).update(next_try_at=None)
    scope = current.scope = fetch_scope(account)
    if not run.cursor.get("directory"):
        users.refresh_directory(account)
        if run.mode != SyncRun.Mode.BACKFILL:
            # A first import counts as it lists: its owner waits for the first dates.
            users.count_selected_hosts(account)
        rolling = runs.older_month(run)
        _save_cursor(run, directory=True, totals=_totals(account, scope), rolling=rolling)
        current.heartbeat()
    full = run.mode == SyncRun.Mode.BACKFILL or run.requested_by_id is not None
    rolling = run.cursor.get("rolling", 0)
    steps = plan_steps(scope, full=run.mode == SyncRun.Mode.BACKFILL, rolling=rolling)
    for step in steps_after(steps, run.cursor.get("step")):
        while not _run_step(current, scope, step, full):
            current.heartbeat()
        if time.monotonic() > current.deadline or run.cursor.get("remaining"):
            return
    if "rolled" not in run.cursor:
        _save_cursor(run, rolled=rolling)
    if not run.cursor.get("questions"):
        if not questions.refresh_due(account, scope, until=current.deadline):
            return
        _save_cursor(run, questions=True)
    if not run.cursor.get("transcripts"):
        if not transcripts.refresh_due(account, scope, until=current.deadline):
            return
        _save_cursor(run, transcripts=True)
    if not _refresh_summaries(current, scope):
        return
    completion.complete(run, account, scope)


def _refresh_summaries(current: Slice, scope: FetchScope) -> bool:
    """Whether all summaries are read; the next slice reads what an error or the deadline leaves."""
    run = current.run
    progress = summaries.SummaryProgress.load(run, current.account)
    if progress.is_complete:
        return True
    try:
        summaries.refresh_due(current.account, scope, run, progress, until=current.deadline)
    finally:
        _save_cursor(run, summaries=progress.dump())
    return progress.is_complete


def _totals(account: ZoomAccount, scope: FetchScope) -> dict[str, int]:
    """Counts that the hosts' listings gave beforehand, as totals of the first progress bars."""
    totals: dict[str, int] = {}
    for kind, hosts in scope.fetch.items():
        rows = Host.objects.filter(account=account, pk__in=list(hosts)).values_list(
            "totals", flat=True
        )
        totals[kind] = sum(int(host_totals.get(kind, 0)) for host_totals in rows)
    return totals


def _run_step(current: Slice, scope: FetchScope, step: Step, full: bool) -> bool:
    """Read one listing; False when it was interrupted and must be repeated.

    An error that concerns this host only does not stop the run.
    """
    run, account = current.run, current.account
    host = Host.objects.filter(pk=step.host).first()
    result, listed_at = StepResult(), timezone.now()
    if host is not None:
        try:
            client = client_for_reading(account, host.zoom_id, _priority(run), kind=step.kind)
            context = StepContext(
                account, scope, run, client,
                lambda result: current.heartbeat(result, kind=step.kind), current.is_late, full,
            )  # fmt: skip
            remaining = _remaining_details(run, step)
            if remaining:
                listed_at = remaining[1]
                result = import_remaining(context, step, *remaining)
            else:
                result = import_list(context, step, host)
                if result.is_available:
                    removals.mark_missing(account, run, step, host, client, result.numbers)
        except ZoomScopeMissing:
            logger.info("Account %s lacks a scope for %s.", account.pk, step.kind)
        except StepRestart as error:
            _restart_step(run, error)
            return False
        except (ZoomNotFound, ZoomRejected) as error:
            # The host is gone, not licensed, or hidden by a setting: its rows stay.
            # Not counted as failed: one user has up to 26 listings, which would fail the run.
            logger.info("Host %s of account %s: %s.", host.pk, account.pk, type(error).__name__)
    _record_step(current, step, result, listed_at)
    return True


def _remaining_details(run: SyncRun, step: Step) -> tuple[list[str], datetime] | None:
    """What an earlier slice left of the step's listing, and when that was read."""
    remaining = run.cursor.get("remaining")
    if not remaining or remaining["step"] != step.key:
        return None
    return remaining["numbers"], datetime.fromisoformat(remaining["listed_at"])


def _priority(run: SyncRun) -> Priority:
    is_backfill = run.mode == SyncRun.Mode.BACKFILL
    return Priority.BACKFILL if is_backfill else Priority.RECONCILE


def _restart_step(run: SyncRun, error: StepRestart) -> None:
    """Repeat the step from its first page, at once; after three times it counts as an outage."""
    tries = run.cursor.get("tries", 0) + 1
    if tries > MAX_RESTARTS:
        raise error
    _save_cursor(run, tries=tries)


def _record_step(current: Slice, step: Step, result: StepResult, listed_at: datetime) -> None:
    """Add up the counts; move the cursor on, or save in it which details remain."""
    run = current.run
    counts = dict(run.counts.get(step.kind, {}))
    for name in ("seen", "created", "changed", "unchanged", "failed"):
        counts[name] = counts.get(name, 0) + getattr(result, name)
    run.counts = {**run.counts, step.kind: counts}
    current.show_progress(step.kind, result)
    finished = {**run.cursor.get("finished", {})}
    finished[step.kind] = counts["created"] + counts["changed"] + counts["unchanged"]
    if result.remaining:
        remaining = {
            "step": step.key,
            "numbers": result.remaining,
            "listed_at": listed_at.isoformat(),
        }
        _save_cursor(run, remaining=remaining, finished=finished)
    else:
        _save_cursor(run, step=step.key, remaining=None, tries=0, finished=finished)
    SyncRun.objects.filter(pk=run.pk).update(
        counts=run.counts, progress=run.progress, attempts=0, beat_at=timezone.now()
    )


def _save_cursor(run: SyncRun, **values: Any) -> None:
    run.cursor = {**run.cursor, **values}
    SyncRun.objects.filter(pk=run.pk).update(cursor=run.cursor)
