"""Dates of meetings: which date of today's answer is which row of ours, and what became of it.

Sign-ups, calendar entries and links hang on our own id. Zoom's occurrence id may or may not
survive a move (unverified at Zoom), so one date that vanished and one that is new in the same
answer are taken as one date that was moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..mapping.meetings import MappedDate
from ..models import Meeting, Occurrence

State = Occurrence.State
FINISHED = (State.OVER, State.EXPIRED)


@dataclass(frozen=True)
class DateChange:
    """What happened to one date: ``code`` is created, moved, resized, cancelled or restored."""

    code: str
    occurrence: Occurrence
    old_start: datetime | None = None


def apply_dates(
    wanted: Mapping[int, tuple[Meeting, Iterable[MappedDate]]], *, now: datetime | None = None
) -> list[DateChange]:
    """Bring the dates of some meetings in line with Zoom's answer (by primary key of the meeting).

    Three statements at most, whatever the number of meetings.
    """
    now = now or timezone.now()
    stored: dict[int, list[Occurrence]] = defaultdict(list)
    for row in Occurrence.objects.filter(meeting__in=list(wanted)).order_by("start", "pk"):
        stored[row.meeting_id].append(row)
    changes: list[DateChange] = []
    for pk, (meeting, dates) in wanted.items():
        changes += _apply(meeting, stored[pk], list(dates), now)
    created = [change.occurrence for change in changes if change.code == "created"]
    altered = [change.occurrence for change in changes if change.code != "created"]
    with transaction.atomic():
        # Before the new ones: a moved date may free the id that a new one takes.
        Occurrence.objects.bulk_update(altered, _COLUMNS, batch_size=200)
        Occurrence.objects.bulk_create(created, batch_size=500)
    return changes


_COLUMNS = (
    "zoom_id", "start", "end", "duration", "previous_start",
    "state", "state_since", "sequence", "updated_at",
)  # fmt: skip


def _apply(
    meeting: Meeting, rows: list[Occurrence], dates: list[MappedDate], now: datetime
) -> list[DateChange]:
    changes: list[DateChange] = []
    by_id = {row.zoom_id: row for row in rows}
    known = {date.zoom_id for date in dates}
    new = [date for date in dates if date.zoom_id not in by_id and not date.deleted]
    gone = [row for row in rows if row.zoom_id not in known and _is_ahead(row, now)]
    for date in dates:
        if date.zoom_id in by_id:
            changes += _follow(by_id[date.zoom_id], date, now)
    if len(gone) == 1 and len(new) == 1:
        gone[0].zoom_id = new[0].zoom_id
        changes += _follow(gone[0], new[0], now, renamed=True)
        gone, new = [], []
    changes += [_cancel(row, now) for row in gone if row.state != State.CANCELLED]
    changes += [DateChange("created", _row(meeting, date, now)) for date in new]
    return changes


def _is_ahead(row: Occurrence, now: datetime) -> bool:
    """Zoom leaves out past dates as it likes; only one that is still to come can be missed."""
    return row.end > now and row.state not in FINISHED


def _follow(
    row: Occurrence, date: MappedDate, now: datetime, *, renamed: bool = False
) -> list[DateChange]:
    """Apply what Zoom says of a date that we have."""
    if date.deleted:
        if row.state == State.CANCELLED or not _is_ahead(row, now):
            return []
        return [_cancel(row, now)]
    end = date.start + timedelta(minutes=date.duration)
    if row.start != date.start:
        return [_move(row, date, end, now)]
    if row.state == State.CANCELLED:
        state = State.MOVED if row.previous_start else State.SCHEDULED
        return [_mark(row, state, "restored", now)]
    if row.end != end or renamed:
        row.end, row.duration = end, date.duration
        return [_mark(row, row.state, "resized", now)]
    return []


def _move(row: Occurrence, date: MappedDate, end: datetime, now: datetime) -> DateChange:
    old = row.start
    was_over = row.end <= now or row.state in FINISHED
    row.start, row.end, row.duration = date.start, end, date.duration
    # A number used again for a new evening is no move of the old one.
    row.previous_start = None if was_over else old
    state = State.SCHEDULED if was_over else State.MOVED
    return _mark(row, state, "moved", now, old)


def _cancel(row: Occurrence, now: datetime) -> DateChange:
    return _mark(row, State.CANCELLED, "cancelled", now)


def _mark(
    row: Occurrence, state: str, code: str, now: datetime, old: datetime | None = None
) -> DateChange:
    if row.state != state:
        row.state, row.state_since = state, now
    row.sequence += 1
    row.updated_at = now
    return DateChange(code, row, old)


def _row(meeting: Meeting, date: MappedDate, now: datetime) -> Occurrence:
    return Occurrence(
        meeting=meeting,
        account_id=meeting.account_id,
        zoom_id=date.zoom_id,
        start=date.start,
        end=date.start + timedelta(minutes=date.duration),
        duration=date.duration,
        state_since=now,
        updated_at=now,
    )
