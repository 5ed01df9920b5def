"""Which details are to be read: what a page of a listing says against what is stored of it.

Most rows of most comparisons are the same, so they are compared as they came: no model instance is
made of a row, and a member is put in our form only where it does not equal the stored one already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models.functions import Left

from ..mapping.parsing import line, minutes, moment, prose, whole, zone
from ..models import Meeting, ZoomAccount
from ..models.mirror import SERIES_TYPES
from .bulk_sql import among

DETAIL_AGE = timedelta(hours=24)
SERIES_AGE = timedelta(hours=5)
"""Dates of a series stand in the detail only (Zoom: list meetings), so it is read more often."""
AGENDA_CUT = 250
"""Characters of a description that Zoom puts into a listing."""


class Known(NamedTuple):
    """What is stored of a meeting, as far as it tells whether its detail is to be read."""

    topic: str
    zoom_type: int
    duration: int
    timezone: str
    host_zoom_id: str
    pk: int
    zoom_id: str
    start: datetime | None
    host_id: int | None
    kind: str
    seen_run: int
    detail_at: datetime | None
    removed_at: datetime | None
    expired_at: datetime | None
    missing_since: datetime | None
    agenda: str
    """Its beginning."""

    @property
    def is_series(self) -> bool:
        return self.zoom_type in SERIES_TYPES


def known(account: ZoomAccount, numbers: Collection[str]) -> dict[str, Known]:
    """The stored rows of these numbers, in one query."""
    rows = Meeting.objects.filter(among(Meeting, "zoom_id", numbers), account=account)
    columns = rows.values_list(*Known._fields[:-1], Left("agenda", AGENDA_CUT))
    return {row.zoom_id: row for row in map(Known._make, columns)}


_READ: tuple[Callable[[Any], object], ...] = (line, whole, minutes, zone, str)
"""How the members that stand first in ``Known`` are read."""


def is_due(row: Known | None, item: dict[str, Any], now: datetime) -> bool:
    """Whether a meeting's detail must be read again: new, changed in the list, or read long ago."""
    if row is None or row.detail_at is None or row.removed_at or row.expired_at:
        return True
    get = item.get
    said = (get("topic"), get("type"), get("duration"), get("timezone"), get("host_id"))
    same = said == row[: len(said)] or all(
        _is(stored, each, read) for stored, each, read in zip(row, said, _READ, strict=False)
    )
    if not same or not _is(row.agenda, get("agenda", ""), _beginning):
        return True
    if row.is_series:
        return now - row.detail_at > SERIES_AGE
    if row.start != moment(get("start_time")):
        return True
    ahead = row.start is not None and row.start + timedelta(minutes=row.duration) > now
    return ahead and now - row.detail_at > DETAIL_AGE


def _is(stored: object, said: object, read: Callable[[Any], object]) -> bool:
    """Whether Zoom says what is stored. What equals it as it stands needs no cleaning: cleaning
    what is clean changes nothing."""
    return said == stored or read(said) == stored


def _beginning(value: Any) -> str:
    return prose(value)[:AGENDA_CUT]
