"""The dates of one sign-up, as they are now: moved and cancelled ones included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..frontend.datetimes import When
from ..models import Occurrence, Registration


@dataclass(frozen=True)
class SignedDate:
    """One date. ``occurrence`` is None when the mirror no longer has it."""

    when: When
    occurrence: Occurrence | None = None

    @property
    def is_off(self) -> bool:
        return self.occurrence is not None and (self.occurrence.state == Occurrence.State.CANCELLED)

    @property
    def is_over(self) -> bool:
        gone = (Occurrence.State.OVER, Occurrence.State.EXPIRED)
        ended = self.occurrence is not None and self.occurrence.state in gone
        return ended or self.when.end < timezone.now()

    @property
    def text(self) -> str:
        """One line for a mail."""
        when = self.when
        line = _("%(day)s, %(start)s to %(end)s, %(zone)s") % {
            "day": when.full_day,
            "start": when.starts,
            "end": when.ends,
            "zone": when.zone,
        }
        return _("Cancelled: %(date)s") % {"date": line} if self.is_off else line


def dates_of(row: Registration) -> list[SignedDate]:
    """What a sign-up is for, in order; from its own snapshot when the meeting is gone."""
    zone = row.meeting.timezone if row.meeting else row.snapshot.get("timezone", "")
    chosen = list(row.dates.select_related("occurrence"))
    if not chosen and row.meeting:
        rows = row.meeting.occurrences.filter(end__gte=row.created_at).order_by("start", "pk")
        return [_of(occurrence, zone) for occurrence in rows]
    found = [
        _of(each.occurrence, zone) if each.occurrence else _kept(each.start, row, zone)
        for each in chosen
        if each.occurrence or each.start
    ]
    if not chosen:
        starts = (parse_datetime(str(text)) for text in row.snapshot.get("dates", []))
        found = [_kept(start, row, zone) for start in starts if start]
    return sorted(found, key=lambda date: date.when.start)


def _of(occurrence: Occurrence, zone: str) -> SignedDate:
    moved = occurrence.state == Occurrence.State.MOVED
    before = occurrence.previous_start if moved else None
    before = before if before != occurrence.start else None
    return SignedDate(When.of(occurrence.start, occurrence.end, zone, before), occurrence)


def _kept(start: datetime | None, row: Registration, zone: str) -> SignedDate:
    start = start or row.created_at
    minutes = row.snapshot.get("duration") or 60
    return SignedDate(When.of(start, start + timedelta(minutes=minutes), zone))


def next_of(found: list[SignedDate]) -> SignedDate | None:
    """The date that matters now: the running or next one, else the last."""
    alive = [date for date in found if not date.is_off and not date.is_over]
    return alive[0] if alive else found[-1] if found else None
