"""How a run ends: complete, later again, or given up; and what is noted of it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from ..exceptions import ZoomProtocolError
from ..models import Activity, FetchScope, SyncRun, ZoomAccount, ZoomSettings
from ..utils.logging import record_metric
from . import removals, runs

BACKOFF = (5, 30, 60, 300, 900, 1800, 3600)
"""Seconds until a run that met an outage goes on."""
MOST_ATTEMPTS = 10
BAD_SHARE = 0.2
State = SyncRun.State


def postpone(run: SyncRun, error: Exception) -> None:
    """Try again later; after ten times in a row without a finished unit give up."""
    attempts = run.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        finish(run, State.FAILED, error)
        return
    wait = BACKOFF[min(attempts - 1, len(BACKOFF) - 1)]
    named = getattr(error, "retry_at", None)
    at = max(timezone.now() + timedelta(seconds=wait), named or timezone.now())
    SyncRun.objects.filter(pk=run.pk).update(
        attempts=attempts, next_try_at=at, error_class=type(error).__name__[:40],
        error_code=getattr(error, "code", None),
    )  # fmt: skip


def complete(run: SyncRun, account: ZoomAccount, scope: FetchScope) -> None:
    """All units are complete: removals, the next time, the summary."""
    run.refresh_from_db(fields=["allow_removals", "run_again"])
    for kind, removed in removals.apply_removals(account, scope, run).items():
        counts = {"removed": removed.removed, "withheld": removed.withheld}
        run.counts = {**run.counts, kind: {**run.counts.get(kind, {}), **counts}}
    seen = sum(counts.get("seen", 0) for counts in run.counts.values())
    bad = sum(counts.get("failed", 0) for counts in run.counts.values())
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
    if seen >= 10 and bad > seen * BAD_SHARE:
        finish(run, State.FAILED, ZoomProtocolError("bad_items"))
        return
    now = timezone.now()
    ZoomAccount.objects.filter(pk=account.pk).update(
        reconciled_at=now, next_reconcile_at=runs.next_time(account, now)
    )
    finish(run, State.DONE)


def finish(run: SyncRun, state: str, error: Exception | None = None) -> None:
    """The run is over: noted, told where it matters, and asked for again if somebody did."""
    now = timezone.now()
    SyncRun.objects.filter(pk=run.pk).update(
        state=state, finished_at=now, next_try_at=None,
        error_class=type(error).__name__[:40] if error else "",
        error_code=getattr(error, "code", None),
        # What it left nobody reads any more, and it would be kept for ninety days.
        cursor={name: value for name, value in run.cursor.items() if name != "rest"},
    )  # fmt: skip
    if state != State.DONE:
        # What broke off is compared again in due time, also when nobody asks for it.
        ZoomAccount.objects.filter(pk=run.account_id).update(
            next_reconcile_at=runs.next_time(run.account, now)
        )
    sites = ZoomSettings.objects.filter(account=run.account_id).values_list("site_id", flat=True)
    changed = sum(
        counts.get(name, 0)
        for counts in run.counts.values()
        for name in ("created", "changed", "removed")
    )
    if state != State.DONE or changed or run.mode == SyncRun.Mode.BACKFILL or run.requested_by_id:
        outcomes = {State.DONE: Activity.Outcome.GOOD, State.FAILED: Activity.Outcome.FAILED}
        Activity.log(
            sites, "sync", f"run_{state}", outcome=outcomes.get(state, Activity.Outcome.INFO),
            data={"mode": run.mode, "counts": run.counts, "error": _name(error)},
            account=run.account, user=run.requested_by,
        )  # fmt: skip
    record_metric("runs", mode=run.mode, outcome=state)
    if run.mode == SyncRun.Mode.RECONCILE and state == State.DONE:
        # What no message had told of (W29).
        record_metric("changes_found_by_comparison", changed)
    run.refresh_from_db(fields=["run_again"])
    if run.run_again and state != State.FAILED:
        runs.request_run(run.account, SyncRun.Mode.RECONCILE, run.requested_by)


def _name(error: Exception | None) -> str:
    return type(error).__name__ if error else ""
