"""How a run ends: complete, postponed, or failed; and what is recorded about it."""

from __future__ import annotations

from django.utils import timezone

from ..exceptions import ZoomProtocolError
from ..models import Activity, FetchScope, SyncRun, ZoomAccount, ZoomSettings
from ..utils import backoff
from ..utils.logging import record_metric
from . import removals, runs

RETRY_SECONDS = (5, 30, 60, 300, 900, 1800, 3600)
"""Seconds until a run that met an outage continues."""
MAX_ATTEMPTS = 10
MAX_FAILED_SHARE = 0.2


def postpone(run: SyncRun, error: Exception) -> None:
    """Try again later; fail after ten attempts in a row without a finished step."""
    attempts = run.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        finish(run, SyncRun.State.FAILED, error)
        return
    not_before = getattr(error, "retry_at", None)
    next_try_at = backoff.retry_at(RETRY_SECONDS, attempts, not_before=not_before)
    SyncRun.objects.filter(pk=run.pk).update(
        attempts=attempts, next_try_at=next_try_at, error_class=type(error).__name__[:40],
        error_code=getattr(error, "code", None),
    )  # fmt: skip


def complete(run: SyncRun, account: ZoomAccount, scope: FetchScope) -> None:
    """All steps are complete: apply removals, set the time of the next run, write the summary."""
    run.refresh_from_db(fields=["allow_removals", "run_again"])
    for kind, removal_counts in removals.apply_removals(account, scope, run).items():
        counts = {"removed": removal_counts.removed, "withheld": removal_counts.withheld}
        run.counts = {**run.counts, kind: {**run.counts.get(kind, {}), **counts}}
    seen = sum(counts.get("seen", 0) for counts in run.counts.values())
    failed = sum(counts.get("failed", 0) for counts in run.counts.values())
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
    if seen >= 10 and failed > seen * MAX_FAILED_SHARE:
        finish(run, SyncRun.State.FAILED, ZoomProtocolError("bad_items"))
        return
    now = timezone.now()
    ZoomAccount.objects.filter(pk=account.pk).update(
        reconciled_at=now, next_reconcile_at=runs.next_reconcile_time(account, now)
    )
    finish(run, SyncRun.State.DONE)


def finish(run: SyncRun, state: str, error: Exception | None = None) -> None:
    """Save the final state, log it where it matters, and start another run if one was requested."""
    now = timezone.now()
    SyncRun.objects.filter(pk=run.pk).update(
        state=state, finished_at=now, next_try_at=None,
        error_class=type(error).__name__[:40] if error else "",
        error_code=getattr(error, "code", None),
        # Not needed any more, and the row stays for ninety days.
        cursor={name: value for name, value in run.cursor.items() if name != "remaining"},
    )  # fmt: skip
    if state != SyncRun.State.DONE:
        # Without a manual request, the next run starts at the usual time.
        ZoomAccount.objects.filter(pk=run.account_id).update(
            next_reconcile_at=runs.next_reconcile_time(run.account, now)
        )
    changed = sum(
        counts.get(name, 0)
        for counts in run.counts.values()
        for name in ("created", "changed", "removed")
    )
    is_first_import = run.mode == SyncRun.Mode.BACKFILL
    if state != SyncRun.State.DONE or changed or is_first_import or run.requested_by_id:
        outcomes: dict[str, str] = {
            SyncRun.State.DONE: Activity.Outcome.GOOD,
            SyncRun.State.FAILED: Activity.Outcome.FAILED,
        }
        for missing_kinds, sites in _sites_by_missing_kinds(run.account).items():
            counts = {
                kind: numbers for kind, numbers in run.counts.items()
                if kind not in missing_kinds  # guard: logged-counts-of-allowed-kinds
            }  # fmt: skip
            Activity.log(
                sites, "sync", f"run_{state}", outcome=outcomes.get(state, Activity.Outcome.INFO),
                data={"mode": run.mode, "counts": counts, "error": _error_name(error)},
                account=run.account, user=run.requested_by,
            )  # fmt: skip
    record_metric("runs", mode=run.mode, outcome=state)
    if run.mode == SyncRun.Mode.RECONCILE and state == SyncRun.State.DONE:
        # Changes that no webhook announced (W29).
        record_metric("changes_found_by_reconciliation", changed)
    run.refresh_from_db(fields=["run_again"])
    if run.run_again and state != SyncRun.State.FAILED:
        runs.request_run(run.account, SyncRun.Mode.RECONCILE, run.requested_by)


def _sites_by_missing_kinds(account: ZoomAccount) -> dict[frozenset[str], list[int]]:
    """The Sites of an account, by what Zoom has not allowed to their own grants."""
    sites: dict[frozenset[str], list[int]] = {}
    rows = ZoomSettings.objects.filter(account=account).order_by("site_id")
    for site_id, missing_kinds in rows.values_list("site_id", "grant__missing_kinds"):
        sites.setdefault(frozenset(missing_kinds or ()), []).append(site_id)
    return sites


def _error_name(error: Exception | None) -> str:
    return type(error).__name__ if error else ""
