"""The calendar block: a month as a table, or as an agenda in narrow columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup

from ..frontend import previews, serializers
from ..frontend.context import RequestContext, stale_since
from ..frontend.datetimes import TimeRange, get_zone, in_zone, month
from ..frontend.feeds.subscribe import feed_links
from ..frontend.grouping import Group, common_zone, on_clock, on_each_day
from ..frontend.pagination import BlockParams, Link
from ..frontend.presenters import DetailUrl, occurrence_views
from ..frontend.queries import OccurrenceQuery, midnight, occurrences_of
from ..frontend.view_models import OccurrenceView
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage
from .lists import ZoomDatesBlock, detail_url_builder, feed_field, filters_of

MONTHS_BACK, MONTHS_AHEAD = 12, 24
"""Months with links. Limited, because an endless calendar is a crawler trap."""
MAX_ROWS = 300


@dataclass(frozen=True)
class Day:
    """One cell; ``number`` is 0 for days of other months."""

    number: int = 0
    iso: str = ""
    is_today: bool = False
    rows: list[OccurrenceView] = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """The table of one month."""

    label: str
    weekdays: list[tuple[str, str]]
    """Full and short names, in the order of the locale."""
    weeks: list[list[Day]]
    zone_id: str = ""
    """The zone of its days."""


class CalendarBlock(ZoomDatesBlock):
    """Meetings and webinars of a month, with links to other months."""

    zoom_usage = BlockUsage.CALENDAR
    zoom_label_empty = _("Month by month")

    feed = feed_field()

    class Meta:
        icon = "calendar"
        label = _("Zoom calendar")
        description = _("The dates of a month, with links to other months.")
        template = "wagtail_zoom/blocks/calendar.html"
        form_layout = BlockGroup(
            children=["heading"],
            settings=["kind", "items", "hosts", "tags", "feed", "heading_level", "off"],
        )

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        params = BlockParams.from_request(context.get("request"), name)
        clock, text = self.clock(value, visibility), params.get("month")
        this_month = today_in(clock).replace(day=1)
        first = requested_month(text, timezone.localdate()) if text else this_month
        query = self.selection(value, clock, first)
        site_id = visibility.site_settings.site_id if visibility.site_settings else 0
        detail_url = detail_url_builder(context)
        rows = RequestContext.from_context(context).memoize(
            (site_id, query),
            lambda: occurrences_in_month(visibility, query, detail_url=detail_url),
        )
        since = stale_since(visibility.site_settings) if visibility.site_settings and rows else None
        return {
            "name": name,
            "around": neighbouring_months(params, first, this_month),
            "feed": feed_links(visibility) if value["feed"] else None,
            "stale": in_zone(since, clock) if since else None,
            **self._layout_context(clock, first, rows),
        }

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        text = params.get("month")
        # Without a month it is this one by the block's clock, which only a query knows.
        return (requested_month(text, timezone.localdate()).isoformat() if text else "",)

    def with_recordings(self, value: Any) -> bool:
        return True

    def selection(self, value: Any, clock: str, first: date) -> OccurrenceQuery:
        """What takes place in the month."""
        return OccurrenceQuery(
            filters=filters_of(value),
            kind=value["kind"] or "",
            period="range",
            first=first,
            last=add_months(first, 1) - timedelta(days=1),
            zone=clock,
            overlapping=True,
        )

    def _layout_context(
        self, clock: str, first: date, rows: list[OccurrenceView]
    ) -> dict[str, Any]:
        days = on_each_day(rows[:MAX_ROWS], first, add_months(first, 1) - timedelta(days=1))
        return {
            "month": month_table(first, days, clock),
            "rows": rows[:MAX_ROWS],
            "is_cut": len(rows) > MAX_ROWS,
            "groups": [
                Group(when.day, day_rows, when)
                for when, day_rows in ((day_on(clock, day), days[day]) for day in days)
            ],
            "zone": common_zone(rows),
            "show": {"host": True, "length": True},
        }

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        rows = sorted(previews.occurrences(), key=lambda row: row.when.start)
        first = rows[0].when.start.date().replace(day=1)
        return {"around": [], **self._layout_context(previews.ZONE, first, rows)}

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        clock = self.clock(value, visibility)
        query = self.selection(value, clock, today_in(clock).replace(day=1))
        rows = occurrences_of(visibility, query)[:MAX_ROWS]
        views = occurrence_views(visibility, list(rows), recordings=True)
        return serializers.occurrences(visibility, views)

    def possible_variants(self, value: Any) -> list[dict[str, Any]]:
        """All months with links."""
        this_month = timezone.localdate().replace(day=1)
        return [
            {"month": f"{add_months(this_month, offset):%Y-%m}"}
            for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1)
        ]

    def variants(self, value: Any, visibility: SiteVisibility) -> list[dict[str, Any]]:
        """Months with links that contain occurrences of the selection."""
        today, clock = timezone.localdate(), self.clock(value, visibility)
        first = add_months(today.replace(day=1), -MONTHS_BACK)
        last = add_months(today.replace(day=1), MONTHS_AHEAD + 1) - timedelta(days=1)
        query = replace(self.selection(value, clock, first), last=last)
        rows = occurrences_of(visibility, query).order_by()
        # Not every database knows other zones than UTC; no clock is more than a day away from it.
        starts = _months(rows.datetimes("start", "day", tzinfo=UTC))
        ends = _months(rows.datetimes("end", "day", tzinfo=UTC))
        # What lasts over two changes of the month is in the month between them, too.
        between = {add_months(start, 1) for start in starts} & {add_months(end, -1) for end in ends}
        months = sorted(starts | ends | between)
        return [{"month": f"{month:%Y-%m}"} for month in months if first <= month <= last]


def _months(days: Iterable[datetime]) -> set[date]:
    """The months of these days, on any clock."""
    near = (day.date() + timedelta(days=step) for day in days for step in (-1, 1))
    return {day.replace(day=1) for day in near}


def today_in(zone_name: str) -> date:
    """Today in a time zone."""
    return in_zone(timezone.now(), zone_name).date()


def day_on(zone_name: str, day: date) -> TimeRange:
    """A day as a time, for its heading."""
    return TimeRange(midnight(day, zone_name), midnight(day, zone_name), zone_name)


def requested_month(text: str, today: date) -> date:
    """First day of the requested month, within the limits; of this month by default."""
    this_month = today.replace(day=1)
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) or text.startswith("0000"):
        return this_month
    first = date(int(text[:4]), int(text[5:]), 1)
    return min(
        max(first, add_months(this_month, -MONTHS_BACK)), add_months(this_month, MONTHS_AHEAD)
    )


def add_months(first: date, months: int) -> date:
    """First day of the month that many months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def neighbouring_months(params: BlockParams, first: date, current: date) -> list[Link]:
    """Links to the previous and the next month, within the limits; ``current`` is this month."""
    this_month = timezone.localdate().replace(day=1)
    links = []
    for step, rel in ((-1, "prev"), (1, "next")):
        other = add_months(first, step)
        if add_months(this_month, -MONTHS_BACK) <= other <= add_months(this_month, MONTHS_AHEAD):
            text = "" if other == current else f"{other:%Y-%m}"
            label = month(midnight(other))
            links.append(Link(label, params.link(month=text), rel=rel))
    return links


def occurrences_in_month(
    visibility: SiteVisibility, query: OccurrenceQuery, *, detail_url: DetailUrl | None = None
) -> list[OccurrenceView]:
    """View models of what takes place in the month of the query, on its clock; one more than are
    shown."""
    rows = list(occurrences_of(visibility, query)[: MAX_ROWS + 1])
    views = occurrence_views(visibility, rows, recordings=True, detail_url=detail_url)
    return on_clock(views, query.zone)


def month_table(first: date, days: Mapping[date, list[OccurrenceView]], clock: str = "") -> Month:
    """The weeks of the month. The locale decides on which day a week starts."""
    today = today_in(clock)
    first_weekday = (int(get_format("FIRST_DAY_OF_WEEK")) + 6) % 7
    padding = (first.weekday() - first_weekday) % 7
    cells = [Day() for _ in range(padding)]
    day, end = first, add_months(first, 1)
    while day < end:
        cells.append(Day(day.day, day.isoformat(), day == today, days.get(day, [])))
        day += timedelta(days=1)
    cells += [Day() for _ in range(-len(cells) % 7)]
    weekdays = [(first_weekday + weekday) % 7 for weekday in range(7)]
    return Month(
        month(midnight(first)),
        [(str(WEEKDAYS[weekday]), str(WEEKDAYS_ABBR[weekday])) for weekday in weekdays],
        [cells[start : start + 7] for start in range(0, len(cells), 7)],
        str(get_zone(clock)),
    )
