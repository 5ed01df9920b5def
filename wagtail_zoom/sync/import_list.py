"""Works through one unit: all pages of one listing, with the detail reads that are due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils import timezone

from ..client import Page, ZoomClient
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected, ZoomTransient
from ..mapping.meetings import MappedMeeting, map_meeting
from ..mapping.parsing import BadItem, identifier
from ..mapping.recordings import map_recording
from ..models import FetchScope, Host, Kind, Meeting, SyncRun, ZoomAccount
from .persist import Occasion, Stored, announce, store_meetings, store_recordings
from .staleness import Known, is_due, known
from .steps import Unit, today

BATCH = 100
"""Details that are held in memory at once, whatever the size of the account."""
MEANWHILE = 4
"""Details of a page that are still read when the time is over: about as long as its listing takes,
so that a listing is completed without leaving the rate unused."""


class UnitRestart(Exception):
    """The listing broke off in the middle (an expired page token): the unit is repeated whole."""


@dataclass
class Tally:
    """What one unit did, by the names of ``SyncRun.counts``."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    read: int = 0
    """Details read, of which some may have brought nothing new."""
    total: int | None = None
    numbers: set[str] = field(default_factory=set)
    """Meetings that the listing holds: what else is stored of its host is missing."""
    lists: bool = True
    """False: Zoom does not list this kind (any more), so nothing can be missed in it."""
    rest: list[str] = field(default_factory=list)
    """Meetings of the complete listing whose details were left for another slice."""
    stored: list[Stored] = field(default_factory=list)

    def add(self, done: Stored) -> None:
        self.created += done.created
        self.changed += done.changed
        self.unchanged += done.unchanged
        if done.meetings or done.recordings:
            self.stored.append(done)


@dataclass(frozen=True)
class Work:
    """What a unit needs: who asks, what is wanted, and the check between pages."""

    account: ZoomAccount
    scope: FetchScope
    run: SyncRun
    client: ZoomClient
    beat: Callable[[Tally], None]
    """Called after each page: renews the lease, saves progress, raises to stop."""
    is_late: Callable[[], bool]
    """Whether this slice has to come to an end, if it has read something."""
    full: bool = False

    def occasion(self, begun: datetime) -> Occasion:
        quiet = self.run.mode == SyncRun.Mode.BACKFILL
        return Occasion(begun, run=self.run.pk, quiet=quiet)


def read_unit(work: Work, unit: Unit, host: Host) -> Tally:
    """All pages of this unit. Returns only when the listing is complete; details for which the
    time was too short are ``rest``, to be read by ``read_rest``.

    Raises:
        UnitRestart: a page token expired half-way.
        ZoomError: Zoom is away, refuses the host, or lacks a scope.
    """
    tally = Tally()
    if unit.kind == Kind.RECORDING:
        listed = work.client.recordings(host.zoom_id, *unit.window(today()))
        for items, begun in _pages(tally, listed):
            _recordings(work, tally, items, begun)
            work.beat(tally)
    else:
        listed = work.client.meetings(host.zoom_id, unit.kind, ahead=True)
        _read_due(work, tally, _due(work, tally, unit, listed))
    return tally


def read_rest(work: Work, unit: Unit, rest: list[str], listed_at: datetime) -> Tally:
    """Details that an earlier slice left of a listing, but for those read since ``listed_at``.

    Raises:
        ZoomError: Zoom is away, or refuses the account.
    """
    tally = Tally(total=len(rest))
    _read_due(work, tally, _left(work, tally, unit, rest, listed_at))
    return tally


def _left(
    work: Work, tally: Tally, unit: Unit, rest: list[str], listed_at: datetime
) -> Iterator[tuple[str, str]]:
    for first in range(0, len(rest), BATCH):
        numbers = rest[first : first + BATCH]
        rows = known(work.account, numbers)
        for number in numbers:
            row = rows.get(number)
            if row and row.detail_at and row.detail_at > listed_at:
                tally.unchanged += 1
            elif tally.read and work.is_late():
                tally.rest.append(number)
            else:
                yield number, unit.kind


def _pages(tally: Tally, listed: Iterator[Page]) -> Iterator[tuple[list[dict[str, Any]], datetime]]:
    """The items of each page, and when its read began."""
    first = True
    started = timezone.now()
    while True:
        # A page is on its way while the one before it is worked on: its read began that early.
        begun, started = started, timezone.now()
        try:
            page = next(listed)
        except StopIteration:
            return
        except ZoomRejected as error:
            if first or error.code != 300:
                raise
            raise UnitRestart from error
        first = False
        tally.lists = tally.lists and page.lists
        tally.total = page.total if page.total is not None else tally.total
        tally.seen += len(page.items)
        yield page.items, begun


def _recordings(work: Work, tally: Tally, items: list[dict[str, Any]], begun: datetime) -> None:
    mapped = []
    for item in items:
        try:
            mapped.append(map_recording(item))
        except BadItem:
            tally.failed += 1
    done = store_recordings(work.account, work.scope, mapped, work.occasion(begun))
    tally.add(done)
    announce(work.account, [done])


def _due(work: Work, tally: Tally, unit: Unit, listed: Iterator[Page]) -> Iterator[tuple[str, str]]:
    """What is to be read, page after page. Asked for more while the last reads of a page are on
    their way, so that a page's end costs none of the rate."""
    for items, begun in _pages(tally, listed):
        for place, number in enumerate(_compared(work, tally, items, unit, begun)):
            if place >= MEANWHILE and tally.read and work.is_late():
                tally.rest.append(number)
            else:
                yield number, unit.kind
        work.beat(tally)


def _compared(
    work: Work, tally: Tally, items: list[dict[str, Any]], unit: Unit, begun: datetime
) -> list[str]:
    """Meetings that the listing shows to be new, changed or due; the rest is not written."""
    numbers: dict[str, dict[str, Any]] = {}
    for item in items:
        try:
            numbers[identifier(item.get("id"))] = item
        except BadItem:
            tally.failed += 1
    tally.numbers |= numbers.keys()
    stored = known(work.account, numbers)
    due = [
        number
        for number, item in numbers.items()
        if _is_wanted(work, stored.get(number), item, begun)
    ]
    fresh = [stored[number] for number in stored.keys() - set(due)]
    # Seen again, or in the list of another host than ours: only these are written.
    odd = [
        row.pk
        for row in fresh
        if row.missing_since or row.host_id != unit.host or row.kind != unit.kind
    ]
    if odd:
        Meeting.objects.filter(pk__in=odd).update(
            seen_run=work.run.pk, missing_since=None, fetched_at=begun
        )
    tally.unchanged += len(fresh)
    return due


def _read_due(work: Work, tally: Tally, due: Iterator[tuple[str, str]]) -> None:
    """Read details in one stream and store them in batches; what was read is stored in any case."""
    details = _details(work, tally, due)
    is_left = True
    started = timezone.now()
    while is_left:
        # Reads are on their way before their turn to be stored, by less than a batch.
        began, started = started, timezone.now()
        mapped: list[MappedMeeting] = []
        try:
            mapped.extend(islice(details, BATCH))
        finally:
            if mapped:
                done = store_meetings(work.account, work.scope, mapped, work.occasion(began))
                tally.add(done)
                tally.read += len(mapped)
                announce(work.account, [done])
            # Also after a stop between two pages: reads that were on their way have been stored
            # since, and the purge that was called for then may have been quicker.
            work.beat(tally)
        is_left = len(mapped) == BATCH


def _details(
    work: Work, tally: Tally, wanted: Iterator[tuple[str, str]]
) -> Iterator[MappedMeeting]:
    """Detail reads; one that fails is counted and skipped, an outage stops the unit."""
    for _number, answer in work.client.meeting_details(wanted):
        if isinstance(answer, ZoomTransient):
            raise answer
        if isinstance(answer, ZoomNotFound):
            continue  # gone since the page was made; the next comparison will tell
        if isinstance(answer, ZoomError):
            tally.failed += 1
            continue
        try:
            yield map_meeting(answer)
        except BadItem:
            tally.failed += 1


def _is_wanted(work: Work, row: Known | None, item: dict[str, Any], begun: datetime) -> bool:
    """Whether to read this detail. A full run reads each once, over all of its slices."""
    if work.full:
        return row is None or row.seen_run != work.run.pk or row.detail_at is None
    return is_due(row, item, begun)
