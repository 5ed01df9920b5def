"""Runs one step: all pages of one listing, with the detail reads that are due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils import timezone

from ..client import ApiPage, ZoomClient
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected, ZoomTransient
from ..mapping.meetings import MappedMeeting, map_meeting
from ..mapping.parsing import InvalidItem, parse_id
from ..mapping.recordings import map_recording
from ..models import FetchScope, Host, Kind, Meeting, SyncRun, ZoomAccount
from .persist import WriteContext, WriteResult, store_recordings
from .registrant_lookup import store_meetings
from .staleness import StoredMeeting, is_due, stored_meetings
from .steps import Step, today

BATCH = 100
"""Details that are held in memory at once, whatever the size of the account."""
FIRST_BATCH = 8
"""The first batches are smaller, so that a new Site's first dates are on its pages after seconds
and the bar moves. Each is twice the one before, up to ``BATCH``."""
READS_AFTER_DEADLINE = 4
"""Details of a page that are still read when the time is over: about as long as its listing takes,
so that a listing is completed without leaving the rate unused."""


class StepRestart(Exception):
    """The listing failed in the middle (an expired page token): the whole step is repeated."""


@dataclass
class StepResult:
    """Counts of one step, by the names of ``SyncRun.counts``, and what it has left."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    read: int = 0
    """Details read, of which some may have brought nothing new."""
    total: int | None = None
    numbers: set[str] = field(default_factory=set)
    """Meetings in the listing: all other stored ones of its host are missing."""
    is_available: bool = True
    """False: Zoom does not list this kind (any more), so nothing is missing."""
    remaining: list[str] = field(default_factory=list)
    """Meetings of the complete listing whose details were left for another slice."""
    write_results: list[WriteResult] = field(default_factory=list)

    def add(self, result: WriteResult) -> None:
        self.created += result.created
        self.changed += result.changed
        self.unchanged += result.unchanged
        if result.meetings or result.recordings:
            self.write_results.append(result)


@dataclass(frozen=True)
class StepContext:
    """What a step needs: account, scope, run, client, and the check between pages."""

    account: ZoomAccount
    scope: FetchScope
    run: SyncRun
    client: ZoomClient
    heartbeat: Callable[[StepResult], None]
    """Called after each page: extends the lease, saves progress, raises to stop."""
    is_late: Callable[[], bool]
    """Whether this slice has to end, provided it has read something."""
    full: bool = False

    def write_context(self, started: datetime) -> WriteContext:
        quiet = self.run.mode == SyncRun.Mode.BACKFILL
        return WriteContext(started, run=self.run.pk, quiet=quiet)


def import_list(context: StepContext, step: Step, host: Host) -> StepResult:
    """Read all pages of this step.

    Returns only when the listing is complete; details for which the time was too short are in
    ``remaining``, to be read by ``import_remaining``.

    Raises:
        StepRestart: a page token expired half-way.
        ZoomError: Zoom cannot be reached, refuses the host, or lacks a scope.
    """
    result = StepResult()
    if step.kind == Kind.RECORDING:
        pages = context.client.recordings(host.zoom_id, *step.window(today()))
        for items, started in _pages(result, pages):
            _store_recordings(context, result, items, started)
            context.heartbeat(result)
    else:
        pages = context.client.meetings(host.zoom_id, step.kind, prefetch=True)
        _read_due(context, result, _due(context, result, step, pages))
    return result


def import_remaining(
    context: StepContext, step: Step, numbers: list[str], listed_at: datetime
) -> StepResult:
    """Read the details that an earlier slice left, except those read since ``listed_at``.

    Raises:
        ZoomError: Zoom cannot be reached, or refuses the account.
    """
    result = StepResult(total=len(numbers))
    _read_due(context, result, _remaining_due(context, result, step, numbers, listed_at))
    return result


def _remaining_due(
    context: StepContext, result: StepResult, step: Step, numbers: list[str], listed_at: datetime
) -> Iterator[tuple[str, str]]:
    for first in range(0, len(numbers), BATCH):
        batch = numbers[first : first + BATCH]
        rows = stored_meetings(context.account, batch)
        for number in batch:
            row = rows.get(number)
            if row and row.detail_at and row.detail_at > listed_at:
                result.unchanged += 1
            elif result.read and context.is_late():
                result.remaining.append(number)
            else:
                yield number, step.kind


def _pages(
    result: StepResult, pages: Iterator[ApiPage]
) -> Iterator[tuple[list[dict[str, Any]], datetime]]:
    """The items of each page, and when its read began."""
    first = True
    next_started = timezone.now()
    while True:
        # A page is requested while the previous one is processed: its read began that early.
        started, next_started = next_started, timezone.now()
        try:
            page = next(pages)
        except StopIteration:
            return
        except ZoomRejected as error:
            if first or error.code != 300:
                raise
            raise StepRestart from error
        first = False
        result.is_available = result.is_available and page.available
        result.total = page.total if page.total is not None else result.total
        result.seen += len(page.items)
        yield page.items, started


def _store_recordings(
    context: StepContext, result: StepResult, items: list[dict[str, Any]], started: datetime
) -> None:
    mapped = []
    for item in items:
        try:
            mapped.append(map_recording(item))
        except InvalidItem:
            result.failed += 1
    write_result = store_recordings(
        context.account, context.scope, mapped, context.write_context(started)
    )
    result.add(write_result)


def _due(
    context: StepContext, result: StepResult, step: Step, pages: Iterator[ApiPage]
) -> Iterator[tuple[str, str]]:
    """Meetings to read, page after page.

    The next page is requested while the last reads of a page are running, so that the end of a
    page costs none of the rate.
    """
    for items, started in _pages(result, pages):
        numbers = _compare_with_stored(context, result, items, step, started)
        for position, number in enumerate(numbers):
            if position >= READS_AFTER_DEADLINE and result.read and context.is_late():
                result.remaining.append(number)
            else:
                yield number, step.kind
        context.heartbeat(result)


def _compare_with_stored(
    context: StepContext,
    result: StepResult,
    items: list[dict[str, Any]],
    step: Step,
    started: datetime,
) -> list[str]:
    """Numbers of the meetings that are new, changed or due; the others are not written."""
    items_by_number: dict[str, dict[str, Any]] = {}
    for item in items:
        try:
            items_by_number[parse_id(item.get("id"))] = item
        except InvalidItem:
            result.failed += 1
    result.numbers |= items_by_number.keys()
    stored = stored_meetings(context.account, items_by_number)
    due = [
        number
        for number, item in items_by_number.items()
        if _is_due(context, stored.get(number), item, started)
    ]
    fresh = [stored[number] for number in stored.keys() - set(due)]
    # Seen again, or in the list of another host or kind than stored: only these are written.
    differing = [
        row.pk
        for row in fresh
        if row.missing_since or row.host_id != step.host or row.kind != step.kind
    ]
    if differing:
        Meeting.objects.filter(pk__in=differing).update(
            seen_run=context.run.pk, missing_since=None, fetched_at=started
        )
    result.unchanged += len(fresh)
    return due


def _read_due(context: StepContext, result: StepResult, due: Iterator[tuple[str, str]]) -> None:
    """Read details in one stream and store them in batches; what was read is always stored."""
    details = _details(context, result, due)
    has_more, size = True, min(FIRST_BATCH, BATCH)
    next_started = timezone.now()
    while has_more:
        # Reads begin before the batch is stored, by less than a batch.
        started, next_started = next_started, timezone.now()
        mapped: list[MappedMeeting] = []
        try:
            mapped.extend(islice(details, size))
        finally:
            if mapped:
                write_result = store_meetings(
                    context.client,
                    context.account,
                    context.scope,
                    mapped,
                    context.write_context(started),
                )
                result.add(write_result)
                result.read += len(mapped)
            # Also after a stop between two pages: reads that were running have been stored since,
            # and the purge that the stop requested may have been faster.
            context.heartbeat(result)
        has_more, size = len(mapped) == size, min(2 * size, BATCH)


def _details(
    context: StepContext, result: StepResult, due: Iterator[tuple[str, str]]
) -> Iterator[MappedMeeting]:
    """Detail reads; one that fails is counted and skipped, an outage stops the step."""
    for _number, answer in context.client.meeting_details(due):
        if isinstance(answer, ZoomTransient):
            raise answer
        if isinstance(answer, ZoomNotFound):
            continue  # gone since the page was made; the next run will see it
        if isinstance(answer, ZoomError):
            result.failed += 1
            continue
        try:
            yield map_meeting(answer)
        except InvalidItem:
            result.failed += 1


def _is_due(
    context: StepContext, row: StoredMeeting | None, item: dict[str, Any], started: datetime
) -> bool:
    """Whether to read this detail. A full run reads each once, over all of its slices."""
    if context.full:
        return row is None or row.seen_run != context.run.pk or row.detail_at is None
    return is_due(row, item, started)
