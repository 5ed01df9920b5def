"""Groups the rows of a list by day, month or series, in the order of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from .datetimes import TimeRange, month
from .view_models import OccurrenceView, RecordingView


@dataclass(frozen=True)
class Group:
    """The rows of one group."""

    label: str
    rows: list[Any] = field(default_factory=list)
    when: TimeRange | None = None
    """The time of the first row."""


def by_day(rows: Sequence[OccurrenceView]) -> list[Group]:
    """By local day of each event."""
    groups = []
    for _day, day_rows in groupby(rows, key=lambda row: row.when.start.date()):
        group_rows = list(day_rows)
        groups.append(Group(group_rows[0].when.day, group_rows, group_rows[0].when))
    return groups


def by_month(rows: Sequence[OccurrenceView]) -> list[Group]:
    """By local month of each event."""
    groups = []
    for _month, month_rows in groupby(
        rows, key=lambda row: (row.when.start.year, row.when.start.month)
    ):
        group_rows = list(month_rows)
        groups.append(Group(month(group_rows[0].when.start), group_rows, group_rows[0].when))
    return groups


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
    """The label of the time zone when all rows share it, otherwise empty."""
    labels = {row.when.zone for row in rows}
    if len(labels) == 1:
        return labels.pop()
    cities = {row.when.zone_city for row in rows}
    return cities.pop() if len(cities) == 1 else ""
