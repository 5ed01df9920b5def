"""What a run consists of: one listing of one host, or of one host and month.

The cursor of a run is the name of the last finished unit. It is made of our own things, never of
Zoom's page tokens, which die after fifteen minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from ..conf import settings
from ..models import FetchScope, Kind

ORDER = (Kind.MEETING.value, Kind.WEBINAR.value, Kind.RECORDING.value)


@dataclass(frozen=True, order=True)
class Unit:
    """One step of a run. Sorts in the order of work: soonest useful things first."""

    place: int
    month: str
    """Counted backwards for recordings ("0000" is this month), empty else."""
    host: int

    @property
    def kind(self) -> str:
        return ORDER[self.place]

    @property
    def key(self) -> list[int | str]:
        """As stored in the cursor."""
        return [self.place, self.month, self.host]

    def window(self, today: date) -> tuple[date, date]:
        """First and last UTC day of a recordings unit: at most a month, as Zoom wants it."""
        return month_window(int(self.month or 0), today)


def month_window(back: int, today: date) -> tuple[date, date]:
    """The days of the month that lies ``back`` months before today's."""
    year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
    first = date(year, month + 1, 1)
    after, follow = divmod(year * 12 + month + 1, 12)
    return first, min(date(after, follow + 1, 1) - timedelta(days=1), today + timedelta(days=1))


def months(mode_is_full: bool) -> int:
    """How many months of recordings a run looks through: all on a first import, else the newest
    three and then one older one each time (``rolling``)."""
    return settings.recording_months if mode_is_full else min(3, settings.recording_months)


def units(scope: FetchScope, *, full: bool, rolling: int = 0) -> list[Unit]:
    """All units of a run in order. ``rolling`` counts up from one run of an account to the
    next and names the older month to look through as well."""
    found = [Unit(place, "", host) for place in (0, 1) for host in scope.hosts(ORDER[place])]
    backs = list(range(months(full)))
    if not full and settings.recording_months > len(backs):
        backs.append(len(backs) + rolling % (settings.recording_months - len(backs)))
    found += [Unit(2, f"{back:04}", host) for back in backs for host in scope.hosts(Kind.RECORDING)]
    return sorted(found)


def after(found: list[Unit], cursor: list[int | str] | None) -> Iterator[Unit]:
    """The units that are left behind a stored cursor, also when the scope has changed since."""
    done = Unit(int(cursor[0]), str(cursor[1]), int(cursor[2])) if cursor else None
    for unit in found:
        if done is None or unit > done:
            yield unit


def today() -> date:
    """Zoom's day."""
    return timezone.now().date()
