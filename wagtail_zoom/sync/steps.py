"""The steps of a run: one listing of one host, or of one host and month.

The cursor of a run names its last finished step. It holds our own values, never Zoom's page
tokens, which expire after fifteen minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from ..conf import settings
from ..models import FetchScope, Kind

KIND_ORDER = (Kind.MEETING.value, Kind.WEBINAR.value, Kind.RECORDING.value)


@dataclass(frozen=True, order=True)
class Step:
    """One step of a run. Sorts in the order of work: what is useful soonest comes first."""

    position: int
    """Index in ``KIND_ORDER``."""
    month: str
    """Counted backwards for recordings ("0000" is this month), otherwise empty."""
    host: int

    @property
    def kind(self) -> str:
        return KIND_ORDER[self.position]

    @property
    def key(self) -> list[int | str]:
        """As stored in the cursor."""
        return [self.position, self.month, self.host]

    def window(self, today: date) -> tuple[date, date]:
        """First and last UTC day of a recordings step: Zoom allows at most a month."""
        return month_window(int(self.month or 0), today)


def month_window(back: int, today: date) -> tuple[date, date]:
    """The days of the month that lies ``back`` months before today's."""
    year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
    first = date(year, month + 1, 1)
    next_year, next_month = divmod(year * 12 + month + 1, 12)
    last = date(next_year, next_month + 1, 1) - timedelta(days=1)
    return first, min(last, today + timedelta(days=1))


def month_count(is_full: bool) -> int:
    """Number of recent months of recordings that a run reads.

    A first import reads all of them; a reconcile run reads the newest three, and one older month
    in turn (``rolling``).
    """
    return settings.recording_months if is_full else min(3, settings.recording_months)


def plan_steps(scope: FetchScope, *, full: bool, rolling: int = 0) -> list[Step]:
    """All steps of a run in order.

    ``rolling`` counts up from one run of an account to the next and selects the older month.
    """
    steps = [
        Step(position, "", host)
        for position in (0, 1)
        for host in scope.hosts(KIND_ORDER[position])
    ]
    months = list(range(month_count(full)))
    if not full and settings.recording_months > len(months):
        months.append(len(months) + rolling % (settings.recording_months - len(months)))
    steps += [
        Step(2, f"{month:04}", host) for month in months for host in scope.hosts(Kind.RECORDING)
    ]
    return sorted(steps)


def steps_after(steps: list[Step], cursor: list[int | str] | None) -> Iterator[Step]:
    """The steps after a stored cursor, also when the scope has changed since."""
    last = Step(int(cursor[0]), str(cursor[1]), int(cursor[2])) if cursor else None
    for step in steps:
        if last is None or step > last:
            yield step


def today() -> date:
    """The current day in UTC, as Zoom counts it."""
    return timezone.now().date()
