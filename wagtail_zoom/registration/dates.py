"""The current dates of one registration, including moved and cancelled ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..frontend.datetimes import TimeRange
from ..models import Occurrence, Registration


@dataclass(frozen=True)
class RegisteredDate:
    """One date. ``occurrence`` is None when the local copy no longer has it."""

    when: TimeRange
    occurrence: Occurrence | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.occurrence is not None and (self.occurrence.state == Occurrence.State.CANCELLED)

    @property
    def is_over(self) -> bool:
        ended_states = (Occurrence.State.OVER, Occurrence.State.EXPIRED)
        ended = self.occurrence is not None and self.occurrence.state in ended_states
        return ended or self.when.end < timezone.now()

    @property
    def text(self) -> str:
        """One line for an email."""
        when = self.when
        line = _("%(day)s, %(start)s to %(end)s, %(zone)s") % {
            "day": when.full_day,
            "start": when.starts,
            "end": when.ends,
            "zone": when.zone,
        }
        return _("Cancelled: %(date)s") % {"date": line} if self.is_cancelled else line


def dates_of(row: Registration) -> list[RegisteredDate]:
    """The dates in order; from the registration's snapshot when the meeting is gone."""
    zone = row.meeting.timezone if row.meeting else row.snapshot.get("timezone", "")
    chosen = list(row.dates.select_related("occurrence"))
    if not chosen and row.meeting:
        rows = row.meeting.occurrences.filter(end__gte=row.created_at).order_by("start", "pk")
        return [_from_occurrence(occurrence, zone) for occurrence in rows]
    dates = [
        _from_occurrence(row_date.occurrence, zone)
        if row_date.occurrence
        else _from_start(row_date.start, row, zone)
        for row_date in chosen
        if row_date.occurrence or row_date.start
    ]
    if not chosen:
        starts = (parse_datetime(str(text)) for text in row.snapshot.get("dates", []))
        dates = [_from_start(start, row, zone) for start in starts if start]
    return sorted(dates, key=lambda date: date.when.start)


def _from_occurrence(occurrence: Occurrence, zone: str) -> RegisteredDate:
    moved = occurrence.state == Occurrence.State.MOVED
    previous_start = occurrence.previous_start if moved else None
    previous_start = previous_start if previous_start != occurrence.start else None
    return RegisteredDate(
        TimeRange.of(occurrence.start, occurrence.end, zone, previous_start), occurrence
    )


def _from_start(start: datetime | None, row: Registration, zone: str) -> RegisteredDate:
    start = start or row.created_at
    minutes = row.snapshot.get("duration") or 60
    return RegisteredDate(TimeRange.of(start, start + timedelta(minutes=minutes), zone))


def current_date(dates: list[RegisteredDate]) -> RegisteredDate | None:
    """The running or next date; otherwise the last one."""
    upcoming = [date for date in dates if not date.is_cancelled and not date.is_over]
    return upcoming[0] if upcoming else dates[-1] if dates else None
