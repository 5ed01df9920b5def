"""The list of occurrences of meetings and webinars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup
from wagtail.blocks.struct_block import StructBlockValidationError

from ..frontend import previews, serializers
from ..frontend.availability import takes_registrations
from ..frontend.context import RequestContext, stale_since
from ..frontend.datetimes import in_zone
from ..frontend.feeds import schema_org
from ..frontend.feeds.subscribe import feed_links
from ..frontend.grouping import by_day, by_month, common_zone, on_clock
from ..frontend.pagination import BlockParams, Link, Pages
from ..frontend.presenters import occurrence_views
from ..frontend.queries import OccurrenceQuery, occurrences_of
from ..frontend.view_models import OccurrenceView
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage, Kind
from ..models.versions import ALL_DATA, DATES
from .base import page_url
from .lists import (
    EmptyState,
    ZoomDatesBlock,
    ZoomListBlock,
    detail_url_builder,
    feed_field,
    filters_of,
)


class MeetingListBlock(ZoomDatesBlock, ZoomListBlock):
    """Occurrences of meetings and webinars."""

    zoom_usage = BlockUsage.MEETING_LIST
    zoom_label = ("heading", "period", "kind", "items", "hosts", "tags", "layout")
    zoom_label_formats: ClassVar[dict[str, Any]] = {
        "period=upcoming": _("Next {limit}"),
        "period=past": _("Last {limit}"),
        "period=range": "{first} – {last}",
    }

    layout = blocks.ChoiceBlock(
        label=_("Layout"),
        choices=[
            ("list", _("List")),
            ("cards", _("Cards")),
            ("agenda", _("Agenda, day by day")),
            ("table", _("Table")),
        ],
        default="list",
        search_index=False,
    )
    period = blocks.ChoiceBlock(
        label=_("When"),
        choices=[
            ("upcoming", _("Coming up")),
            ("live", _("Live now")),
            ("past", _("Over")),
            ("range", _("Between two days")),
        ],
        default="upcoming",
        search_index=False,
    )
    first = blocks.DateBlock(
        label=_("From"), required=False, help_text=_("Only for “Between two days”.")
    )
    last = blocks.DateBlock(
        label=_("Until"), required=False, help_text=_("Only for “Between two days”.")
    )
    repeat = blocks.ChoiceBlock(
        label=_("Recurring meetings"),
        choices=[("all", _("All dates")), ("next", _("Only the next date"))],
        default="all",
        search_index=False,
    )
    order = blocks.ChoiceBlock(
        label=_("Order"),
        required=False,
        choices=[("soonest", _("Earliest first")), ("latest", _("Latest first"))],
        search_index=False,
    )
    group = blocks.ChoiceBlock(
        label=_("Group"),
        required=False,
        choices=[("day", _("By day")), ("month", _("By month"))],
        search_index=False,
    )
    filters = blocks.BooleanBlock(
        label=_("Let visitors filter"), required=False, search_index=False
    )
    feed = feed_field()
    show = blocks.MultipleChoiceBlock(
        label=_("Show"),
        required=False,
        choices=[
            ("host", _("Host")),
            ("length", _("Duration")),
            ("summary", _("Summary")),
            ("image", _("Image")),
        ],
        default=["host", "length"],
        widget=forms.CheckboxSelectMultiple,
        search_index=False,
    )

    class Meta:
        icon = "date"
        label = _("Zoom dates")
        description = _("Meetings and webinars of this site, always up to date.")
        template = "wagtail_zoom/blocks/meeting_list.html"
        form_layout = BlockGroup(
            children=["heading", "layout", "period", "first", "last", "limit"],
            settings=[
                "kind",
                "items",
                "hosts",
                "tags",
                "repeat",
                "order",
                "group",
                "paging",
                "filters",
                "feed",
                "show",
                "heading_level",
                "empty",
                "off",
            ],
        )

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        first, last = cleaned.get("first"), cleaned.get("last")
        if cleaned["period"] == "range" and not getattr(self, "is_deferred_validation", False):
            if not first and not last:
                message = _("Enter a start or end date.")
                raise StructBlockValidationError(block_errors={"first": ValidationError(message)})
            if first and last and last < first:
                message = _("This is before the first day.")
                raise StructBlockValidationError(block_errors={"last": ValidationError(message)})
        return cleaned

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        params = BlockParams.from_request(context.get("request"), name)
        kind, with_places = self._requested_filters(value, params)
        query = self.selection(value, visibility, kind, with_places)
        size, page = value["limit"], params.number("page")
        request_context = RequestContext.from_context(context)

        def read() -> tuple[list[OccurrenceView], int]:
            rows, total = self.rows_of(visibility, query, value, {**context, "params": params})
            recordings = self.with_recordings(value)
            return occurrence_views(
                visibility, rows, recordings=recordings, detail_url=detail_url_builder(context)
            ), total

        site_id = visibility.site_settings.site_id if visibility.site_settings else 0
        rows, total = request_context.memoize((site_id, query, size, value["paging"], page), read)
        shown = self._on_one_clock(value, visibility, rows)
        active_filters = {
            "kind": "" if value["kind"] else kind,
            "places": "1" if with_places else "",
        }
        return {
            "name": name,
            "params": params,
            "pages": params.pages(total, size, **active_filters) if value["paging"] else Pages(),
            "filters": self._filters(visibility, value, params, kind, with_places),
            "is_empty": None if rows else self._empty(value, params, kind, with_places),
            "stale": self._stale(visibility, value, shown),
            "feed": feed_links(visibility) if value["feed"] else None,
            "structured": schema_org.events(rows, visibility.site_settings, page_url(context)),
            **self._layout_context(value, shown),
        }

    def zoom_data(self, value: Any) -> tuple[str, ...]:
        is_dates_only = self.is_own and not self.with_recordings(value)
        return (DATES,) if is_dates_only else ALL_DATA

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        return (*self._requested_filters(value, params), self.requested_page(value, params))

    def query_for(
        self, value: Any, params: BlockParams, visibility: SiteVisibility
    ) -> OccurrenceQuery:
        return self.selection(value, visibility, *self._requested_filters(value, params))

    def with_recordings(self, value: Any) -> bool:
        return value["period"] in ("past", "range")

    def selection(
        self,
        value: Any,
        visibility: SiteVisibility,
        kind: str = "",
        with_places: bool = False,
    ) -> OccurrenceQuery:
        """The query for the editor's options. Days are those of the block's clock."""
        is_range = value["period"] == "range"
        return OccurrenceQuery(
            filters=filters_of(value),
            kind=kind or value["kind"] or "",
            period=value["period"],
            first=value["first"] if is_range else None,
            last=value["last"] if is_range else None,
            zone=self.clock(value, visibility) if is_range else "",
            next_only=value["repeat"] == "next",
            order=value["order"] or "",
            with_places=with_places,
        )

    def _on_one_clock(
        self, value: Any, visibility: SiteVisibility, rows: list[OccurrenceView]
    ) -> list[OccurrenceView]:
        has_several = len({row.when.zone_name for row in rows}) > 1
        if not has_several and (not rows or value["period"] != "range"):
            return rows
        return on_clock(rows, self.clock(value, visibility))

    def _layout_context(self, value: Any, rows: list[OccurrenceView]) -> dict[str, Any]:
        layout = value["layout"] or "list"
        group = "day" if layout == "agenda" else (value["group"] or "")
        return {
            "layout": layout,
            "rows": rows,
            "groups": (by_month if group == "month" else by_day)(rows) if group else [],
            "zone": common_zone(rows),
            "show": dict.fromkeys(value["show"], True),
        }

    def _requested_filters(self, value: Any, params: BlockParams) -> tuple[str, bool]:
        if not value["filters"]:
            return value["kind"] or "", False
        kind = params.get("kind") if params.get("kind") in ("meeting", "webinar") else ""
        return value["kind"] or kind, params.get("places") == "1"

    def _filters(
        self,
        visibility: SiteVisibility,
        value: Any,
        params: BlockParams,
        kind: str,
        with_places: bool,
    ) -> list[Link]:
        """Filters as links; none when there would be only one."""
        site_settings = visibility.site_settings
        if not value["filters"] or site_settings is None:
            return []
        filter_links = [
            Link(
                gettext("Everything"),
                params.link(),
                current=not with_places and kind == (value["kind"] or ""),
            )
        ]
        if not value["kind"] and {Kind.MEETING, Kind.WEBINAR} <= site_settings.kinds:
            for option, label in (
                ("meeting", gettext("Meetings")),
                ("webinar", gettext("Webinars")),
            ):
                filter_links.append(Link(label, params.link(kind=option), current=kind == option))
        if takes_registrations(site_settings) and value["period"] != "past":
            filter_links.append(
                Link(gettext("With places left"), params.link(places=1), current=with_places)
            )
        return filter_links if len(filter_links) > 1 else []

    def _empty(self, value: Any, params: BlockParams, kind: str, with_places: bool) -> EmptyState:
        if with_places or (kind and not value["kind"]):
            texts = {
                "meeting": gettext("No meetings are planned at the moment."),
                "webinar": gettext("No webinars are planned at the moment."),
            }
            text = (
                texts.get(kind)
                if not with_places
                else gettext("No date has places left at the moment.")
            )
            return EmptyState(text or "", link=Link(gettext("Show everything"), params.link()))
        if value["empty"]:
            return EmptyState(value["empty"])
        if value["period"] == "past":
            return EmptyState(gettext("There are no past dates yet."))
        if value["period"] == "live":
            return EmptyState(gettext("Nothing is live at the moment."))
        return EmptyState(
            gettext("No dates are planned at the moment."),
            gettext("New dates appear here automatically."),
        )

    def _stale(self, visibility: SiteVisibility, value: Any, rows: list[OccurrenceView]) -> Any:
        if value["period"] == "past" or not rows or visibility.site_settings is None:
            return None
        since = stale_since(visibility.site_settings)
        return in_zone(since, rows[0].when.zone_name) if since else None

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {
            "pages": Pages(),
            "filters": [],
            **self._layout_context(value, previews.occurrences()[:2]),
        }

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        rows = occurrences_of(visibility, self.selection(value, visibility))[: value["limit"]]
        return serializers.occurrences(visibility, occurrence_views(visibility, list(rows)))

    def filter_params(self, value: Any) -> list[dict[str, Any]]:
        if not value["filters"]:
            return []
        kinds = [] if value["kind"] else ["meeting", "webinar"]
        return [*({"kind": kind} for kind in kinds), {"places": "1"}]

    def variants(self, value: Any, visibility: SiteVisibility) -> list[dict[str, Any]]:
        site_settings = visibility.site_settings
        if site_settings is None:
            return []
        filters: list[dict[str, Any]] = [{}, *self.filter_params(value)]
        variants: list[dict[str, Any]] = filters[1:]
        if value["paging"]:
            for values in filters:
                query = self.selection(
                    value, visibility, values.get("kind", ""), "places" in values
                )
                size = value["limit"] or 10
                pages = -(-self.total(occurrences_of(visibility, query), size) // size)
                # One page more than now: the last page may just have become empty.
                variants += [{**values, "page": number} for number in range(2, pages + 2)]
        return variants
