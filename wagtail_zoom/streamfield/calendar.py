"""A month as a table where there is room for it, its agenda where there is not."""

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
from ..frontend.context import Shared, stale_since
from ..frontend.datetimes import in_zone, month
from ..frontend.grouping import by_day, one_zone
from ..frontend.pagination import Asked, Link
from ..frontend.presenters import Detail, date_views
from ..frontend.queries import Dates, dates, midnight
from ..frontend.view_models import DateView
from ..frontend.visibility import Exposure
from ..models import Placement
from .lists import ZoomDatesBlock, detail_of, narrowed

BACK, AHEAD = 12, 24
"""Months that can be reached: a calendar without ends is a trap for crawlers."""
MOST = 300


@dataclass(frozen=True)
class Day:
    """One cell; ``number`` is 0 in the corners that belong to other months."""

    number: int = 0
    iso: str = ""
    is_today: bool = False
    rows: list[DateView] = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """The table of one month."""

    label: str
    weekdays: list[tuple[str, str]]
    """Full and short names in the order of the language."""
    weeks: list[list[Day]]


class CalendarBlock(ZoomDatesBlock):
    """Meetings and webinars of a month, with links to the months around it."""

    zoom_placement = Placement.CALENDAR

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
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        asked = Asked.read(context.get("request"), name)
        first = month_asked(asked.get("month"), timezone.localdate())
        wanted = self.selection(value, first)
        site = found.choice.site_id if found.choice else 0
        detail = detail_of(context)
        rows = Shared.of(context).once(
            (site, wanted), lambda: in_month(found, wanted, first, detail=detail)
        )
        since = stale_since(found.choice) if found.choice and rows else None
        return {
            "name": name,
            "around": around(asked, first),
            "stale": in_zone(since, rows[0].when.zone_name) if since else None,
            **self._arranged(first, rows),
        }

    def kept_for(self, value: Any, asked: Asked) -> tuple[Any, ...] | None:
        return (month_asked(asked.get("month"), timezone.localdate()).isoformat(),)

    def selection(self, value: Any, first: date) -> Dates:
        """The month with a day on each side: events have clocks of their own."""
        return Dates(
            narrowed=narrowed(value),
            kind=value["kind"] or "",
            period="range",
            first=first - timedelta(days=1),
            last=shifted(first, 1),
        )

    def _arranged(self, first: date, rows: list[DateView]) -> dict[str, Any]:
        return {
            "month": table(first, rows),
            "rows": rows,
            "groups": by_day(rows),
            "zone": one_zone(rows),
            "show": {"host": True, "length": True},
        }

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        rows = sorted(previews.dates(), key=lambda row: row.when.start)
        first = rows[0].when.start.date().replace(day=1)
        same = [row for row in rows if row.when.start.date().replace(day=1) == first]
        return {"around": [], **self._arranged(first, same)}

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        first = timezone.localdate().replace(day=1)
        rows = in_month(found, self.selection(value, first), first)
        return [serializers.date(each) for each in rows]

    def every_variant(self, value: Any) -> list[dict[str, Any]]:
        """All months within reach."""
        this = timezone.localdate().replace(day=1)
        return [{"month": f"{shifted(this, each):%Y-%m}"} for each in range(-BACK, AHEAD + 1)]

    def variants(self, value: Any, found: Exposure) -> list[dict[str, Any]]:
        """Months that hold dates of the selection, within reach."""
        today = timezone.localdate()
        first, last = shifted(today.replace(day=1), -BACK), shifted(today.replace(day=1), AHEAD)
        wide = replace(self.selection(value, today), first=first, last=last)
        months = dates(found, wide).order_by().datetimes("start", "month")
        return [{"month": f"{each:%Y-%m}"} for each in months]


def month_asked(text: str, today: date) -> date:
    """The first day of the month in an address, if it is one within reach; else of this one."""
    this = today.replace(day=1)
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) or text.startswith("0000"):
        return this
    first = date(int(text[:4]), int(text[5:]), 1)
    return min(max(first, shifted(this, -BACK)), shifted(this, AHEAD))


def shifted(first: date, months: int) -> date:
    """The first day of another month."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def around(asked: Asked, first: date) -> list[Link]:
    """Links to the months before and after, as far as they can be reached."""
    this = timezone.localdate().replace(day=1)
    made = []
    for step, rel in ((-1, "prev"), (1, "next")):
        other = shifted(first, step)
        if shifted(this, -BACK) <= other <= shifted(this, AHEAD):
            text = "" if other == this else f"{other:%Y-%m}"
            label = month(midnight(other))
            made.append(Link(label, asked.link(month=text), rel=rel))
    return made


def in_month(
    found: Exposure, wanted: Dates, first: date, *, detail: Detail | None = None
) -> list[DateView]:
    """Views of the dates that begin in the month on their own clocks."""
    views = date_views(found, list(dates(found, wanted)[:MOST]), films=True, detail=detail)
    end = shifted(first, 1)
    return [view for view in views if first <= view.when.start.date() < end]


def table(first: date, rows: list[DateView]) -> Month:
    """The weeks of the month, beginning on the day that the language begins weeks with."""
    begin = (int(get_format("FIRST_DAY_OF_WEEK")) + 6) % 7
    today = timezone.localdate()
    lead = (first.weekday() - begin) % 7
    end = shifted(first, 1)
    held: dict[date, list[DateView]] = {}
    for row in rows:
        held.setdefault(row.when.start.date(), []).append(row)
    cells = [Day() for _each in range(lead)]
    day = first
    while day < end:
        cells.append(Day(day.day, day.isoformat(), day == today, held.get(day, [])))
        day += timedelta(days=1)
    cells += [Day() for _each in range(-len(cells) % 7)]
    order = [(begin + each) % 7 for each in range(7)]
    return Month(
        month(midnight(first)),
        [(str(WEEKDAYS[each]), str(WEEKDAYS_ABBR[each])) for each in order],
        [cells[start : start + 7] for start in range(0, len(cells), 7)],
    )
