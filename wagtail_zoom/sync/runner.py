"""Runs one slice of a run: a few seconds of units, then the next run gets its turn.

Every page is stored by itself; the cursor moves when a unit is complete. A slice that dies loses
nothing: the unit it was in is repeated. Of a long listing, which is always read to its end, details
may be left for the next slice: the cursor then names their meetings.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..client import Priority, client_for
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
from ..models import FetchScope, Host, SyncRun, ZoomAccount, demand_mark, fetch_scope
from ..utils.logging import get_logger, log_context
from ..utils.queue import enqueue
from . import completion, questions, removals, runs, transcripts, users
from .import_list import Tally, UnitRestart, Work, read_rest, read_unit
from .steps import Unit, after, units

logger = get_logger("sync")

LONGEST_UNIT = 50
"""Seconds beyond a slice after which the details of a long listing are left for the next one: a
task is killed after 120 seconds."""
MOST_RESTARTS = 3
State = SyncRun.State


class Stop(Exception):
    """Leave the run at a page: it was cancelled, its lease is lost, or the owner chose anew."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Slice:
    """One slice at work: the run, the lease's mark and the clock."""

    run: SyncRun
    account: ZoomAccount
    me: str
    until: float
    scope: FetchScope = field(default_factory=FetchScope)
    mark: tuple[object, ...] = ()

    def beat(self, tally: Tally | None = None, *, kind: str = "") -> None:
        """After a page: keep the lease, save the progress, see whether to stop.

        Raises:
            Stop: cancelled, or another worker has taken over.
        """
        if not runs.renew(self.account, self.me):
            raise Stop("lease")
        now = timezone.now()
        if tally is not None:
            self.show(kind, tally)
        SyncRun.objects.filter(pk=self.run.pk).update(beat_at=now, progress=self.run.progress)
        if SyncRun.objects.filter(pk=self.run.pk, cancel_requested=True).exists():
            raise Stop("cancelled")
        mark = demand_mark(self.account)
        if mark != self.mark:
            if fetch_scope(self.account) != self.scope:
                # An owner disconnected, paused or chose anew: this page may be unwanted.
                enqueue("purge_account", self.account.pk)
                raise Stop("scope")
            self.mark = mark

    def is_late(self) -> bool:
        """Whether a unit may read no more details in this slice."""
        return time.monotonic() > self.until + LONGEST_UNIT

    def show(self, kind: str, tally: Tally) -> None:
        """Progress of the present kind: finished units plus what this one has so far."""
        base = self.run.cursor.get("done", {}).get(kind, 0)
        total = self.run.cursor.get("totals", {}).get(kind, 0)
        seen = base + tally.created + tally.changed + tally.unchanged
        listed = base + (tally.total if tally.total is not None else tally.seen)
        self.run.progress = {**self.run.progress, kind: [seen, max(total, listed, seen)]}


def run_slice(run_pk: int) -> None:
    """Work on a run for ``SLICE_SECONDS``; afterwards wake whoever waits longest."""
    rows = runs.in_turn(SyncRun.objects.filter(state__in=runs.OPEN))
    run = rows.select_related("account").filter(pk=run_pk).first()
    if run is None or (run.next_try_at and run.next_try_at > timezone.now()):
        return
    if not runs.has_room():
        return  # the slice that runs now wakes the next one
    me = runs.claim(run.account)
    if not me:
        return
    work = Slice(run, run.account, me, time.monotonic() + settings.slice_seconds)
    try:
        with log_context(account=run.account_id, run=run.pk):
            _guarded(work)
    finally:
        runs.release(run.account, me)
        follower = runs.next_waiting()
        if follower is not None:
            enqueue("sync_slice", follower.pk)


def _guarded(work: Slice) -> None:
    """Run and turn every trouble into the run's state; expected trouble is never raised."""
    try:
        _work(work)
    except Stop as stop:
        if stop.reason == "cancelled":
            completion.finish(work.run, State.CANCELLED)
    except ZoomRateLimited as error:
        SyncRun.objects.filter(pk=work.run.pk).update(next_try_at=error.retry_at)
    except ZoomAuthError as error:
        completion.finish(work.run, State.FAILED, error)
    except (ZoomTransient, UnitRestart, ZoomProtocolError) as error:
        completion.postpone(work.run, error)
    except ZoomError as error:
        completion.finish(work.run, State.FAILED, error)
    except Exception as error:
        # Our own mistake, or a wrong client id: tried again, and given up after ten times.
        logger.exception("Run %s broke off.", work.run.pk)
        completion.postpone(work.run, error)


def _work(work: Slice) -> None:
    run, account = work.run, work.account
    if run.cancel_requested:
        raise Stop("cancelled")
    if run.state == State.QUEUED:
        run.state, run.started_at = State.RUNNING, timezone.now()
        SyncRun.objects.filter(pk=run.pk).update(state=run.state, started_at=run.started_at)
    SyncRun.objects.filter(pk=run.pk).update(next_try_at=None)
    scope = work.scope = fetch_scope(account)
    if not run.cursor.get("directory"):
        users.refresh_directory(account)
        turn = runs.older_month(run)
        _save(run, directory=True, totals=_totals(account, scope), rolling=turn)
        work.beat()
    full = run.mode == SyncRun.Mode.BACKFILL or run.requested_by_id is not None
    rolling = run.cursor.get("rolling", 0)
    found = units(scope, full=run.mode == SyncRun.Mode.BACKFILL, rolling=rolling)
    for unit in after(found, run.cursor.get("unit")):
        while not _unit(work, scope, unit, full):
            work.beat()
        if time.monotonic() > work.until or run.cursor.get("rest"):
            return
    if "rolled" not in run.cursor:
        _save(run, rolled=rolling)
    if not run.cursor.get("questions"):
        if not questions.refresh_due(account, scope, until=work.until):
            return
        _save(run, questions=True)
    if not run.cursor.get("transcripts"):
        if not transcripts.refresh_due(account, scope, until=work.until):
            return
        _save(run, transcripts=True)
    completion.complete(run, account, scope)


def _totals(account: ZoomAccount, scope: FetchScope) -> dict[str, int]:
    """What the hosts' listings said beforehand, so that the first bar has an end."""
    found: dict[str, int] = {}
    for kind, hosts in scope.fetch.items():
        rows = Host.objects.filter(account=account, pk__in=list(hosts)).values_list(
            "totals", flat=True
        )
        found[kind] = sum(int(totals.get(kind, 0)) for totals in rows)
    return found


def _unit(work: Slice, scope: FetchScope, unit: Unit, full: bool) -> bool:
    """One listing; False when it broke off and is to be repeated.

    Trouble that concerns this host alone does not stop the run.
    """
    run, account = work.run, work.account
    host = Host.objects.filter(pk=unit.host).first()
    tally, listed_at = Tally(), timezone.now()
    if host is not None:
        try:
            client = client_for(account, host.zoom_id, _priority(run))
            job = Work(
                account, scope, run, client,
                lambda tally: work.beat(tally, kind=unit.kind), work.is_late, full,
            )  # fmt: skip
            rest = _rest(run, unit)
            if rest:
                listed_at = rest[1]
                tally = read_rest(job, unit, *rest)
            else:
                tally = read_unit(job, unit, host)
                if tally.lists:
                    removals.mark_missing(account, run, unit, host, client, tally.numbers)
        except ZoomScopeMissing:
            logger.info("Account %s lacks a scope for %s.", account.pk, unit.kind)
        except UnitRestart as error:
            _restart(run, error)
            return False
        except (ZoomNotFound, ZoomRejected) as error:
            # The host is gone, not licensed, or hidden by a setting: its rows stay.
            # It counts as no bad item: a person has up to 26 listings, which would fail the run.
            logger.info("Host %s of account %s: %s.", host.pk, account.pk, type(error).__name__)
    _count(work, unit, tally, listed_at)
    return True


def _rest(run: SyncRun, unit: Unit) -> tuple[list[str], datetime] | None:
    """What a slice before this one left of the unit's listing, and when that was made."""
    left = run.cursor.get("rest")
    if not left or left["unit"] != unit.key:
        return None
    return left["numbers"], datetime.fromisoformat(left["listed_at"])


def _priority(run: SyncRun) -> Priority:
    backfill = run.mode == SyncRun.Mode.BACKFILL
    return Priority.BACKFILL if backfill else Priority.RECONCILE


def _restart(run: SyncRun, error: UnitRestart) -> None:
    """Repeat the unit from its first page, at once; a listing that never holds is an outage."""
    tries = run.cursor.get("tries", 0) + 1
    if tries > MOST_RESTARTS:
        raise error
    _save(run, tries=tries)


def _count(work: Slice, unit: Unit, tally: Tally, listed_at: datetime) -> None:
    """Add up what was done; the cursor moves on, or remembers which details are left."""
    run = work.run
    counts = dict(run.counts.get(unit.kind, {}))
    for name in ("seen", "created", "changed", "unchanged", "failed"):
        counts[name] = counts.get(name, 0) + getattr(tally, name)
    run.counts = {**run.counts, unit.kind: counts}
    work.show(unit.kind, tally)
    done = {**run.cursor.get("done", {})}
    done[unit.kind] = counts["created"] + counts["changed"] + counts["unchanged"]
    if tally.rest:
        left = {"unit": unit.key, "numbers": tally.rest, "listed_at": listed_at.isoformat()}
        _save(run, rest=left, done=done)
    else:
        _save(run, unit=unit.key, rest=None, tries=0, done=done)
    SyncRun.objects.filter(pk=run.pk).update(
        counts=run.counts, progress=run.progress, attempts=0, beat_at=timezone.now()
    )


def _save(run: SyncRun, **cursor: Any) -> None:
    run.cursor = {**run.cursor, **cursor}
    SyncRun.objects.filter(pk=run.pk).update(cursor=run.cursor)
