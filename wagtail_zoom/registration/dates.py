"""The current dates of one registration, including moved and cancelled ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..frontend.datetimes import TimeRange
from ..models import Occurrence, Registration
from ..models.mirror import planned_end


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
        """Over for a person who has a link: not while it may be running beyond its planned end."""
        if self.occurrence is None:
            return self.when.end < timezone.now()
        return not self.occurrence.may_be_running(timezone.now())

    @property
    def is_moved(self) -> bool:
        return bool(self.when.previous) and not self.is_cancelled and not self.is_over

    @property
    def text(self) -> str:
        """One line for an email."""
        when = self.when
        parts = {"day": when.full_day, "start": when.starts, "end": when.ends, "zone": when.zone}
        if when.has_end:
            line = _("%(day)s, %(start)s to %(end)s, %(zone)s") % parts
        else:
            line = _("%(day)s, %(start)s, %(zone)s") % parts
        if self.is_cancelled:
            return _("Cancelled: %(date)s") % {"date": line}
        if self.is_moved:
            return _("New time: %(date)s (was: %(before)s)") % {"date": line, "before": when.was}
        return line


def dates_of(row: Registration) -> list[RegisteredDate]:
    """The dates in order; from the registration's snapshot when the meeting is gone."""
    zone = row.meeting.timezone if row.meeting else row.snapshot.get("timezone", "")
    chosen = list(row.dates.select_related("occurrence"))
    for row_date in chosen:
        if row_date.occurrence and row.meeting:
            row_date.occurrence.meeting = row.meeting
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
    when = TimeRange.of(
        occurrence.start,
        occurrence.end,
        zone,
        previous_start,
        has_end=occurrence.has_end,
    )
    return RegisteredDate(when, occurrence)


def _from_start(start: datetime | None, row: Registration, zone: str) -> RegisteredDate:
    start = start or row.created_at
    minutes = row.snapshot.get("duration") or 0
    when = TimeRange.of(start, planned_end(start, minutes), zone, has_end=bool(minutes))
    return RegisteredDate(when)


def current_date(dates: list[RegisteredDate]) -> RegisteredDate | None:
    """The running or next date; otherwise the last one."""
    upcoming = [date for date in dates if not date.is_cancelled and not date.is_over]
    return upcoming[0] if upcoming else dates[-1] if dates else None
