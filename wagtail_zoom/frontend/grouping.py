"""Groups the rows of a list by day, month or series, in the order of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from .datetimes import TimeRange, exists, format_time, month
from .view_models import OccurrenceView, RecordingView


@dataclass(frozen=True)
class Group:
    """The rows of one group."""

    label: str
    rows: list[Any] = field(default_factory=list)
    when: TimeRange | None = None
    """The time of the first row; in a calendar the day itself."""


def on_clock(rows: Sequence[OccurrenceView], zone_name: str) -> list[OccurrenceView]:
    """The rows with their times in one zone; ``when.own`` has those that differ."""
    return [replace(row, when=row.when.on_clock(zone_name)) for row in rows]


def by_day(rows: Sequence[OccurrenceView]) -> list[Group]:
    """By the day on which they start."""
    days = _grouped(rows, lambda row: row.when.start.date())
    return [Group(day_rows[0].when.day, day_rows, day_rows[0].when) for day_rows in days]


def by_month(rows: Sequence[OccurrenceView]) -> list[Group]:
    """By the month in which they start."""
    months = _grouped(rows, lambda row: (row.when.start.year, row.when.start.month))
    return [
        Group(month(month_rows[0].when.start), month_rows, month_rows[0].when)
        for month_rows in months
    ]


def _grouped(
    rows: Sequence[OccurrenceView], key: Callable[[OccurrenceView], Any]
) -> list[list[OccurrenceView]]:
    groups: dict[Any, list[OccurrenceView]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def on_each_day(
    rows: Sequence[OccurrenceView], first: date, last: date
) -> dict[date, list[OccurrenceView]]:
    """The rows of every day from ``first`` to ``last`` on which something takes place.

    On its further days a row has ``continued`` in place of its time.
    """
    days: dict[date, list[OccurrenceView]] = {}
    for row in rows:
        start, end = row.when.start.date(), row.when.last_date
        for number in range(max(start, first).toordinal(), min(end, last).toordinal() + 1):
            day = date.fromordinal(number)
            if day == start:
                days.setdefault(day, []).append(row)
            elif day == end or exists(day, row.when.start.tzinfo):
                until = _("until %(time)s") % {"time": format_time(row.when.end)}
                label = until if day == end else _("all day")
                days.setdefault(day, []).append(replace(row, continued=label))
    return dict(sorted(days.items()))


def by_series(rows: Sequence[RecordingView]) -> list[Group]:
    """Series with at least two recordings, in the order of their first row, then all others."""
    sizes = Counter(row.series for row in rows if row.series)
    series = [key for key in dict.fromkeys(row.series for row in rows) if sizes.get(key, 0) > 1]
    groups = []
    for key in series:
        group_rows = [row for row in rows if row.series == key]
        names = Counter(row.title for row in group_rows)
        groups.append(Group(names.most_common(1)[0][0], group_rows, group_rows[0].when))
    rest = [row for row in rows if row.series not in series]
    if rest:
        groups.append(Group(_("More recordings") if groups else "", rest, rest[0].when))
    return groups


def common_zone(rows: Sequence[OccurrenceView]) -> str:
    """The label of the time zone of rows on one clock, without an abbreviation that changes."""
    labels = {row.when.zone for row in rows}
    if len(labels) == 1:
        return labels.pop()
    cities = {row.when.zone_city for row in rows}
    return cities.pop() if len(cities) == 1 else ""
