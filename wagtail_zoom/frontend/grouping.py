"""Rows of a list under headings: by day, by month, by series. The order of the rows is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from .datetimes import When, month
from .view_models import DateView, FilmView


@dataclass(frozen=True)
class Group:
    """Some rows under one heading."""

    label: str
    rows: list[Any] = field(default_factory=list)
    when: When | None = None
    """Of the first row, for the pieces of its date."""


def by_day(rows: Sequence[DateView]) -> list[Group]:
    """Days on the clock of each event."""
    made = []
    for _day, found in groupby(rows, key=lambda row: row.when.start.date()):
        same = list(found)
        made.append(Group(same[0].when.day, same, same[0].when))
    return made


def by_month(rows: Sequence[DateView]) -> list[Group]:
    """Months on the clock of each event."""
    made = []
    for _month, found in groupby(rows, key=lambda row: (row.when.start.year, row.when.start.month)):
        same = list(found)
        made.append(Group(month(same[0].when.start), same, same[0].when))
    return made


def by_series(rows: Sequence[FilmView]) -> list[Group]:
    """Series with two recordings or more, in the order of their first row; then all others."""
    sizes = Counter(row.series for row in rows if row.series)
    series = [key for key in dict.fromkeys(row.series for row in rows) if sizes.get(key, 0) > 1]
    made = []
    for key in series:
        same = [row for row in rows if row.series == key]
        names = Counter(row.title for row in same)
        made.append(Group(names.most_common(1)[0][0], same, same[0].when))
    rest = [row for row in rows if row.series not in series]
    if rest:
        made.append(Group(_("More recordings") if made else "", rest, rest[0].when))
    return made


def one_zone(rows: Sequence[DateView]) -> str:
    """The zone in words when all rows share it, so that it need be said only once."""
    labels = {row.when.zone for row in rows}
    if len(labels) == 1:
        return labels.pop()
    places = {row.when.place for row in rows}
    return places.pop() if len(places) == 1 else ""
