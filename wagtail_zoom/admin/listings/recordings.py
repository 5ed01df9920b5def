"""The list of recordings of a Site, new ones first."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Count, F, Max, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn

from ...frontend.datetimes import nearest_day
from ...frontend.presenters import last_day
from ...frontend.visibility import Audience, Channel
from ...models import Kind, SiteItem
from .. import formatting
from ..site_status import recordings_to_review
from .base import RadioFilter, SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn, ThumbnailColumn
from .items import (
    SHOWN_TITLE,
    HostFilter,
    ItemFilters,
    import_message,
    in_state,
    missing_kind_message,
    review_intro,
    review_state_cell,
    set_page_counts,
    set_reviewed_rows,
    to_review_first,
    usage_cell,
)

MAX_SERIES = 100


def series_choices(request: Any) -> list[tuple[str, str]]:
    """Series with more than one recording on this Site, by Zoom's meeting id."""
    rows = request.wagtail_zoom_visibility.usable_recordings().filter(removed_at=None)
    rows = rows.exclude(meeting_zoom_id="")
    by_meeting = rows.order_by().values("meeting_zoom_id")
    by_meeting = by_meeting.annotate(n=Count("pk"), name=Max("topic"))
    series = by_meeting.filter(n__gt=1).order_by("name")[:MAX_SERIES]
    return [(row["meeting_zoom_id"], row["name"]) for row in series]


class RecordedFilter(django_filters.DateFromToRangeFilter):
    """Between two days, or the nearest ones that a database can compare."""

    def filter(self, rows: QuerySet[SiteItem], value: slice | None) -> QuerySet[SiteItem]:
        if value is not None:
            value = slice(_in_years(value.start), _in_years(value.stop))
        return super().filter(rows, value)


def _in_years(time: datetime | None) -> datetime | None:
    return time and datetime.combine(
        nearest_day(time.date()), time.time(), timezone.get_current_timezone()
    )


class RecordingFilters(ItemFilters):
    """State, host, series, day, use."""

    state = RadioFilter(
        label=gettext_lazy("State"),
        choices=[
            ("new", gettext_lazy("New")),
            ("published", gettext_lazy("Published")),
            ("hidden", gettext_lazy("Hidden")),
            ("over", gettext_lazy("Over")),
        ],
        method="by_state",
    )
    host = HostFilter(
        field_name="recording__host",
    )

    series = RadioFilter(
        label=gettext_lazy("Series"),
        field_name="recording__meeting_zoom_id",
        choices=[],
    )
    recorded = RecordedFilter(
        label=gettext_lazy("Recorded"),
        field_name="recording__start",
        widget=DateRangePickerWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["series"].extra["choices"] = series_choices(self.request)

    def by_state(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        return in_state(rows, value)


class RecordingsView(SiteIndexView):
    """All recordings, those to review first."""

    page_title = gettext_lazy("Recordings")
    filterset_class = RecordingFilters
    search_fields = ["title", "last_title", "recording__host__display_name"]
    sort_expressions = {
        "title": SHOWN_TITLE,
        "recorded": F("recording__start"),
        "length": F("recording__duration"),
    }
    quick_filters = ("state",)
    bulk_type = "zoomitem"
    search_placeholder = gettext_lazy("Search titles and hosts")
    empty_text = gettext_lazy("No recordings yet. They appear here some hours after a meeting.")
    export_times = ("row_start",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_title": _("Title"),
            "row_start": _("Recorded"),
            "row_host": _("Host"),
            "row_minutes": _("Minutes"),
            "row_used": _("Used on"),
            "row_until": _("Shown until"),
            "row_state": _("State"),
            "row_reason": _("Why not shown"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomitem"),
            ThumbnailColumn("image", label=_("Image")),
            ItemTitleColumn(
                "title",
                label=_("Title"),
                accessor="display_title",
                sort_key="title",
                get_url=lambda item: reverse("wagtail_zoom_recordings:edit", args=[item.pk]),
            ),
            CellColumn(
                "recorded",
                label=_("Recorded"),
                accessor=_recorded_cell,
                sort_key="recorded",
                classname="wza-when",
            ),
            CellColumn("length", label=_("Length"), accessor=_length_cell, sort_key="length"),
            CellColumn("used", label=_("Used on"), accessor=usage_cell),
            CellColumn("until", label=_("Shown until"), accessor=_until_cell),
            CellColumn("state", label=_("State"), accessor=_state_cell),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_visibility = self.site_status.visibility
        rows = self.site_status.visibility.items().filter(kind=Kind.RECORDING)
        return rows.filter(recording__removed_at=None).select_related("decided_by", "image")

    def default_order(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        return to_review_first(queryset, "recording__start")

    def decorate(self, rows: list[Any]) -> list[Any]:
        visible = self.site_status.visibility.recordings(Audience.VISITOR, Channel.PAGE)
        rows = set_reviewed_rows(self, rows, visible)
        set_page_counts(rows)
        looks = Counter(_look(item) for item in rows)
        for item in rows:
            item.row_minutes, item.row_used = item.zoom_row.duration, item.page_count
            item.row_is_twin = looks[_look(item)] > 1
            item.row_until = last_day(item.zoom_row, item, self.site_status.site_settings)
            item.row_state = str(_state_cell(item).text)
        return rows

    def count_name(self, n: int) -> str:
        return ngettext("recording", "recordings", n)

    def intro(self) -> dict[str, Any]:
        n = recordings_to_review(self.site_status.visibility).count()
        strong = ngettext("%(n)d new recording", "%(n)d new recordings", n) % {"n": n}
        return review_intro(self, n, strong)

    def empty_message(self) -> dict[str, Any]:
        if self.request.GET.get("state") == "new":
            return {"text": _("Nothing new. You have looked at everything.")}
        if self.site_status.account is None or self.has_user_filters:
            return super().empty_message()
        return (
            missing_kind_message(self, Kind.RECORDING)
            or import_message(self)
            or super().empty_message()
        )


def _look(item: Any) -> tuple[Any, ...]:
    """What tells recordings apart without the time of day."""
    row = item.zoom_row
    return item.display_title, timezone.localtime(row.start).date(), row.duration


def _recorded_cell(item: Any) -> Cell:
    time = formatting.time_of_day(item.row_start) if item.row_is_twin else ""
    return Cell(", ".join(filter(None, (formatting.day(item.row_start), time))), item.row_host)


def _length_cell(item: Any) -> Cell:
    return Cell(formatting.duration(item.zoom_row.duration))


def _until_cell(item: Any) -> Cell:
    return Cell(formatting.day(item.row_until) if item.row_until else "–")


def _state_cell(item: Any) -> Cell:
    return review_state_cell(item, _("New"))
