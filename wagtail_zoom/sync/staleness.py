"""Which details must be read: compares a page of a listing with the stored rows.

Most rows of most runs are unchanged, so they are compared without model instances, and a value is
parsed only where it does not already equal the stored one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models.functions import Left

from ..mapping.meetings import AGENDA_EXCERPT_LENGTH, listing_digest
from ..mapping.parsing import (
    parse_datetime,
    parse_int,
    parse_minutes,
    parse_timezone,
    single_line,
    text,
)
from ..models import Meeting, ZoomAccount
from ..models.mirror import SERIES_TYPES
from .bulk_sql import value_in

DETAIL_AGE = timedelta(hours=24)
SERIES_AGE = timedelta(hours=5)
"""Only the detail holds the dates of a series (Zoom: list meetings): it is read more often."""


class StoredMeeting(NamedTuple):
    """Columns of a stored meeting that decide whether its detail must be read."""

    zoom_type: int
    duration: int
    timezone: str
    host_zoom_id: str
    topic: str
    pk: int
    zoom_id: str
    start: datetime | None
    host_id: int | None
    kind: str
    seen_run: int
    cut_digest: str
    detail_at: datetime | None
    removed_at: datetime | None
    expired_at: datetime | None
    missing_since: datetime | None
    agenda: str
    """The first characters."""

    @property
    def is_series(self) -> bool:
        return self.zoom_type in SERIES_TYPES


def stored_meetings(account: ZoomAccount, numbers: Collection[str]) -> dict[str, StoredMeeting]:
    """The stored rows of these numbers, in one query."""
    rows = Meeting.objects.filter(value_in(Meeting, "zoom_id", numbers), account=account)
    columns = rows.values_list(*StoredMeeting._fields[:-1], Left("agenda", AGENDA_EXCERPT_LENGTH))
    return {row.zoom_id: row for row in map(StoredMeeting._make, columns)}


PARSERS: tuple[Callable[[Any], object], ...] = (
    parse_int,
    parse_minutes,
    parse_timezone,
    str,
)
"""Parsers of the first fields of ``StoredMeeting``."""


def is_due(row: StoredMeeting | None, item: dict[str, Any], now: datetime) -> bool:
    """Whether a meeting's detail must be read again: new, changed in the list, or read long ago."""
    if row is None or row.detail_at is None or row.removed_at or row.expired_at:
        return True
    get = item.get
    values = (get("type"), get("duration"), get("timezone"), get("host_id"))
    same = values == row[: len(values)] or all(
        _matches(stored, value, parser)
        for stored, value, parser in zip(row, values, PARSERS, strict=False)
    )
    if not same or not _has_same_texts(row, get("topic"), get("agenda", "")):
        return True
    if row.is_series:
        return now - row.detail_at > SERIES_AGE
    if row.start != parse_datetime(get("start_time")):
        return True
    is_upcoming = row.start is not None and row.start + timedelta(minutes=row.duration) > now
    return is_upcoming and now - row.detail_at > DETAIL_AGE


def _matches(stored: object, value: object, parser: Callable[[Any], object]) -> bool:
    """Whether a value of Zoom's is the stored one; an equal value need not be parsed."""
    return value == stored or parser(value) == stored


def _has_same_texts(row: StoredMeeting, topic: Any, agenda: Any) -> bool:
    """Whether Zoom still has the texts that were read. Where something was cut, their digest."""
    if row.cut_digest:
        return row.cut_digest == listing_digest(single_line(topic), _agenda_excerpt(agenda))
    return _matches(row.topic, topic, single_line) and _matches(row.agenda, agenda, _agenda_excerpt)


def _agenda_excerpt(value: Any) -> str:
    return text(value)[:AGENDA_EXCERPT_LENGTH]
