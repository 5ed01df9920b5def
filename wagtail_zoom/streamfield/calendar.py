"""The calendar block: a month as a table, or as an agenda in narrow columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup

from ..frontend import previews, serializers
from ..frontend.context import RequestContext, stale_since
from ..frontend.datetimes import in_zone, month
from ..frontend.grouping import by_day, common_zone
from ..frontend.pagination import BlockParams, Link
from ..frontend.presenters import DetailUrl, occurrence_views
from ..frontend.queries import OccurrenceQuery, midnight, occurrences_of
from ..frontend.view_models import OccurrenceView
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage
from .lists import ZoomDatesBlock, detail_url_builder, filters_of

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


class CalendarBlock(ZoomDatesBlock):
    """Meetings and webinars of a month, with links to other months."""

    zoom_usage = BlockUsage.CALENDAR

    class Meta:
        icon = "calendar"
        label = _("Zoom calendar")
        description = _("The dates of a month, with links to other months.")
        template = "wagtail_zoom/blocks/calendar.html"
        form_layout = BlockGroup(
            children=["heading"],
            settings=["kind", "items", "hosts", "tags", "heading_level", "off"],
        )

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        params = BlockParams.from_request(context.get("request"), name)
        first = requested_month(params.get("month"), timezone.localdate())
        query = self.selection(value, first)
        site_id = visibility.site_settings.site_id if visibility.site_settings else 0
        detail_url = detail_url_builder(context)
        rows = RequestContext.from_context(context).memoize(
            (site_id, query),
            lambda: occurrences_in_month(visibility, query, first, detail_url=detail_url),
        )
        since = stale_since(visibility.site_settings) if visibility.site_settings and rows else None
        return {
            "name": name,
            "around": neighbouring_months(params, first),
            "stale": in_zone(since, rows[0].when.zone_name) if since else None,
            **self._layout_context(first, rows),
        }

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        return (requested_month(params.get("month"), timezone.localdate()).isoformat(),)

    def selection(self, value: Any, first: date) -> OccurrenceQuery:
        """The month and one day on each side, because meetings have time zones of their own."""
        return OccurrenceQuery(
            filters=filters_of(value),
            kind=value["kind"] or "",
            period="range",
            first=first - timedelta(days=1),
            last=add_months(first, 1),
        )

    def _layout_context(self, first: date, rows: list[OccurrenceView]) -> dict[str, Any]:
        return {
            "month": month_table(first, rows),
            "rows": rows,
            "groups": by_day(rows),
            "zone": common_zone(rows),
            "show": {"host": True, "length": True},
        }

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        rows = sorted(previews.occurrences(), key=lambda row: row.when.start)
        first = rows[0].when.start.date().replace(day=1)
        rows_of_month = [row for row in rows if row.when.start.date().replace(day=1) == first]
        return {"around": [], **self._layout_context(first, rows_of_month)}

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        first = timezone.localdate().replace(day=1)
        rows = occurrences_in_month(visibility, self.selection(value, first), first)
        return [serializers.occurrence(row) for row in rows]

    def possible_variants(self, value: Any) -> list[dict[str, Any]]:
        """All months with links."""
        this_month = timezone.localdate().replace(day=1)
        return [
            {"month": f"{add_months(this_month, offset):%Y-%m}"}
            for offset in range(-MONTHS_BACK, MONTHS_AHEAD + 1)
        ]

    def variants(self, value: Any, visibility: SiteVisibility) -> list[dict[str, Any]]:
        """Months with links that contain occurrences of the selection."""
        today = timezone.localdate()
        first = add_months(today.replace(day=1), -MONTHS_BACK)
        last = add_months(today.replace(day=1), MONTHS_AHEAD)
        query = replace(self.selection(value, today), first=first, last=last)
        months = occurrences_of(visibility, query).order_by().datetimes("start", "month")
        return [{"month": f"{month:%Y-%m}"} for month in months]


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


def neighbouring_months(params: BlockParams, first: date) -> list[Link]:
    """Links to the previous and the next month, within the limits."""
    this_month = timezone.localdate().replace(day=1)
    links = []
    for step, rel in ((-1, "prev"), (1, "next")):
        other = add_months(first, step)
        if add_months(this_month, -MONTHS_BACK) <= other <= add_months(this_month, MONTHS_AHEAD):
            text = "" if other == this_month else f"{other:%Y-%m}"
            label = month(midnight(other))
            links.append(Link(label, params.link(month=text), rel=rel))
    return links


def occurrences_in_month(
    visibility: SiteVisibility,
    query: OccurrenceQuery,
    first: date,
    *,
    detail_url: DetailUrl | None = None,
) -> list[OccurrenceView]:
    """View models of the occurrences that start in the month, each in its own time zone."""
    views = occurrence_views(
        visibility,
        list(occurrences_of(visibility, query)[:MAX_ROWS]),
        recordings=True,
        detail_url=detail_url,
    )
    end = add_months(first, 1)
    return [view for view in views if first <= view.when.start.date() < end]


def month_table(first: date, rows: list[OccurrenceView]) -> Month:
    """The weeks of the month. The locale decides on which day a week starts."""
    first_weekday = (int(get_format("FIRST_DAY_OF_WEEK")) + 6) % 7
    today = timezone.localdate()
    padding = (first.weekday() - first_weekday) % 7
    end = add_months(first, 1)
    rows_by_day: dict[date, list[OccurrenceView]] = {}
    for row in rows:
        rows_by_day.setdefault(row.when.start.date(), []).append(row)
    cells = [Day() for _ in range(padding)]
    day = first
    while day < end:
        cells.append(Day(day.day, day.isoformat(), day == today, rows_by_day.get(day, [])))
        day += timedelta(days=1)
    cells += [Day() for _ in range(-len(cells) % 7)]
    weekdays = [(first_weekday + weekday) % 7 for weekday in range(7)]
    return Month(
        month(midnight(first)),
        [(str(WEEKDAYS[weekday]), str(WEEKDAYS_ABBR[weekday])) for weekday in weekdays],
        [cells[start : start + 7] for start in range(0, len(cells), 7)],
    )
