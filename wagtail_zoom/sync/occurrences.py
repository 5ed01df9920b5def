"""Matches the occurrences of Zoom's answer to the stored ones, and updates these.

Registrations, calendar entries and links refer to our own id. Zoom's occurrence id may or may not
survive a move (unverified at Zoom), so one occurrence that vanished and one that is new in the same
answer count as one that was moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..mapping.meetings import MappedOccurrence
from ..models import Meeting, Occurrence

FINISHED = (Occurrence.State.OVER, Occurrence.State.EXPIRED)


@dataclass(frozen=True)
class OccurrenceChange:
    """A change of one occurrence: ``code`` is created, moved, resized, cancelled or restored."""

    code: str
    occurrence: Occurrence
    old_start: datetime | None = None


def apply_occurrences(
    mapped: Mapping[int, tuple[Meeting, Iterable[MappedOccurrence]]],
    *,
    now: datetime | None = None,
) -> list[OccurrenceChange]:
    """Bring the occurrences of some meetings in line with Zoom's answer (by the meeting's pk).

    Three statements at most, whatever the number of meetings.
    """
    now = now or timezone.now()
    stored: dict[int, list[Occurrence]] = defaultdict(list)
    for row in Occurrence.objects.filter(meeting__in=list(mapped)).order_by("start", "pk"):
        stored[row.meeting_id].append(row)
    changes: list[OccurrenceChange] = []
    for pk, (meeting, occurrences) in mapped.items():
        changes += _apply_to_meeting(meeting, stored[pk], list(occurrences), now)
    created = [change.occurrence for change in changes if change.code == "created"]
    updated = [change.occurrence for change in changes if change.code != "created"]
    with transaction.atomic():
        # Before the new ones: a moved occurrence may free the id that a new one takes.
        Occurrence.objects.bulk_update(updated, UPDATED_COLUMNS, batch_size=200)
        Occurrence.objects.bulk_create(created, batch_size=500)
    return changes


UPDATED_COLUMNS = (
    "zoom_id", "start", "end", "duration", "previous_start",
    "state", "state_since", "sequence", "updated_at",
)  # fmt: skip


def _apply_to_meeting(
    meeting: Meeting, rows: list[Occurrence], mapped: list[MappedOccurrence], now: datetime
) -> list[OccurrenceChange]:
    changes: list[OccurrenceChange] = []
    by_id = {row.zoom_id: row for row in rows}
    mapped_ids = {occurrence.zoom_id for occurrence in mapped}
    new = [
        occurrence
        for occurrence in mapped
        if occurrence.zoom_id not in by_id and not occurrence.deleted
    ]
    gone = [row for row in rows if row.zoom_id not in mapped_ids and _is_upcoming(row, now)]
    for occurrence in mapped:
        if occurrence.zoom_id in by_id:
            changes += _update(by_id[occurrence.zoom_id], occurrence, now)
    if len(gone) == 1 and len(new) == 1:
        gone[0].zoom_id = new[0].zoom_id
        changes += _update(gone[0], new[0], now, renamed=True)
        gone, new = [], []
    changes += [_cancel(row, now) for row in gone if row.state != Occurrence.State.CANCELLED]
    changes += [
        OccurrenceChange("created", _new_occurrence(meeting, occurrence, now)) for occurrence in new
    ]
    return changes


def _is_upcoming(row: Occurrence, now: datetime) -> bool:
    """Zoom may leave out past occurrences; only an upcoming one counts as gone."""
    return row.end > now and row.state not in FINISHED


def _update(
    row: Occurrence, mapped: MappedOccurrence, now: datetime, *, renamed: bool = False
) -> list[OccurrenceChange]:
    """Apply Zoom's answer to a stored occurrence."""
    if mapped.deleted:
        if row.state == Occurrence.State.CANCELLED or not _is_upcoming(row, now):
            return []
        return [_cancel(row, now)]
    end = mapped.start + timedelta(minutes=mapped.duration)
    if row.start != mapped.start:
        return [_move(row, mapped, end, now)]
    if row.state == Occurrence.State.CANCELLED:
        state = Occurrence.State.MOVED if row.previous_start else Occurrence.State.SCHEDULED
        return [_record_change(row, state, "restored", now)]
    if row.end != end or renamed:
        row.end, row.duration = end, mapped.duration
        return [_record_change(row, row.state, "resized", now)]
    return []


def _move(
    row: Occurrence, mapped: MappedOccurrence, end: datetime, now: datetime
) -> OccurrenceChange:
    old_start = row.start
    was_over = row.end <= now or row.state in FINISHED
    row.start, row.end, row.duration = mapped.start, end, mapped.duration
    # A number used again for a new date is not a move of the old one.
    row.previous_start = None if was_over else old_start
    state = Occurrence.State.SCHEDULED if was_over else Occurrence.State.MOVED
    return _record_change(row, state, "moved", now, old_start)


def _cancel(row: Occurrence, now: datetime) -> OccurrenceChange:
    return _record_change(row, Occurrence.State.CANCELLED, "cancelled", now)


def _record_change(
    row: Occurrence, state: str, code: str, now: datetime, old_start: datetime | None = None
) -> OccurrenceChange:
    if row.state != state:
        row.state, row.state_since = state, now
    row.sequence += 1
    row.updated_at = now
    return OccurrenceChange(code, row, old_start)


def _new_occurrence(meeting: Meeting, mapped: MappedOccurrence, now: datetime) -> Occurrence:
    return Occurrence(
        meeting=meeting,
        account_id=meeting.account_id,
        zoom_id=mapped.zoom_id,
        start=mapped.start,
        end=mapped.start + timedelta(minutes=mapped.duration),
        duration=mapped.duration,
        state_since=now,
        updated_at=now,
    )
