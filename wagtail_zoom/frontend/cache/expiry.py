"""Computes when cached HTML expires because time passes, without a change of any row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Subquery

from ...models import Occurrence, Recording, ZoomSettings
from ...models.mirror import OVERRUN

QUARTER_HOUR = timedelta(minutes=15)
"""In some time zone a day begins at each full quarter of an hour: "today", a year or a last day
changes then. It is also the longest time for which HTML is cached."""


def next_expiry(site_settings: ZoomSettings, now: datetime) -> datetime:
    """The first time after ``now`` at which a page of this Site may look different.

    That is a start, an end, the opening of a join link, the end of a live occurrence that
    overruns, the end of a recording's display period or the next quarter of an hour. One query
    with a few index look-ups, each limited to that quarter.
    """
    expiry_query = ExpiryQuery(site_settings, now)
    row = (
        ZoomSettings.objects.filter(pk=site_settings.pk)
        .annotate(**expiry_query.annotations)
        .values(*expiry_query.annotations)
    )
    return expiry_query.earliest(row.first() or {})


class ExpiryQuery:
    """Annotations that return the next expiry, to be added to any query."""

    def __init__(self, site_settings: ZoomSettings, now: datetime) -> None:
        self.limit = next_quarter_hour(now)
        join_window = timedelta(minutes=site_settings.join_minutes)
        occurrences = Occurrence.objects.filter(
            account=site_settings.account_id, meeting__host__exposed_on__settings=site_settings.pk
        )
        boundaries: dict[str, tuple[QuerySet[Any], str, timedelta]] = {
            "expiry_start": (occurrences, "start", timedelta()),
            "expiry_end": (occurrences, "end", timedelta()),
            "expiry_join": (occurrences, "start", -join_window),
            "expiry_overrun": (occurrences.filter(state=Occurrence.State.LIVE), "end", OVERRUN),
        }
        if site_settings.recording_days:
            recordings = Recording.objects.filter(
                account=site_settings.account_id, host__exposed_on__settings=site_settings.pk
            )
            boundaries["expiry_recording"] = (
                recordings,
                "start",
                timedelta(days=site_settings.recording_days),
            )
        self._shifts = {name: shift for name, (_rows, _column, shift) in boundaries.items()}
        self.annotations = {
            name: _first_value(*boundary, now, self.limit) for name, boundary in boundaries.items()
        }
        """They do not depend on the rows of the query."""

    def earliest(self, values: Mapping[str, Any]) -> datetime:
        """The next expiry, from the values of ``annotations``."""
        times: list[datetime] = [
            values[name] + shift for name, shift in self._shifts.items() if values.get(name)
        ]
        return min([*times, self.limit])


def _first_value(
    rows: QuerySet[Any], column: str, shift: timedelta, now: datetime, limit: datetime
) -> Subquery:
    window = {f"{column}__gt": now - shift, f"{column}__lt": limit - shift}
    upcoming = rows.filter(**window).order_by(column)
    return Subquery(upcoming.values(value=F(column))[:1])


def next_quarter_hour(now: datetime) -> datetime:
    """The next full quarter of an hour."""
    quarter_start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return quarter_start + QUARTER_HOUR
