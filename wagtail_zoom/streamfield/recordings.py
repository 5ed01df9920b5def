"""The list of published recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup

from ..admin.choosers import RecordingChooserBlock
from ..frontend import previews, serializers
from ..frontend.context import RequestContext
from ..frontend.feeds import schema_org
from ..frontend.grouping import by_series
from ..frontend.pagination import BlockParams, Link, Pages
from ..frontend.presenters import recording_views
from ..frontend.queries import RecordingQuery, matches_recordings, recordings_of, years
from ..frontend.view_models import RecordingView
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage
from ..models.versions import ALL_DATA, RECORDINGS
from .lists import EmptyState, ZoomListBlock, filters_of

YEARS_BACK = 10
"""Years whose lists are purged when the existing years are unknown."""


class RecordingListBlock(ZoomListBlock):
    """Published recordings."""

    zoom_usage = BlockUsage.RECORDING_LIST
    zoom_label = ("heading", "order", "items", "hosts", "tags", "layout")
    zoom_label_formats: ClassVar[dict[str, Any]] = {
        "order=newest": _("Newest {limit}"),
        "order=oldest": _("Oldest {limit}"),
        "order=title": _("{limit} by title"),
    }

    layout = blocks.ChoiceBlock(
        label=_("Layout"),
        choices=[("cards", _("Cards")), ("list", _("List"))],
        default="cards",
        search_index=False,
    )
    items = blocks.ListBlock(
        RecordingChooserBlock(label=_("Recording")),
        label=_("Only these recordings"),
        default=[],
        search_index=False,
    )
    order = blocks.ChoiceBlock(
        label=_("Order"),
        choices=[
            ("newest", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("title", _("By title")),
        ],
        default="newest",
        search_index=False,
    )
    group = blocks.ChoiceBlock(
        label=_("Group"),
        required=False,
        choices=[("series", _("By series"))],
        search_index=False,
    )
    search = blocks.BooleanBlock(label=_("Let visitors search"), required=False, search_index=False)
    years = blocks.BooleanBlock(
        label=_("Let visitors choose a year"), required=False, search_index=False
    )
    show = blocks.MultipleChoiceBlock(
        label=_("Show"),
        required=False,
        choices=[
            ("host", _("Host")),
            ("length", _("Duration")),
            ("summary", _("Summary")),
            ("cover", _("Image or drawing")),
            ("transcript", _("Transcript, where the site shows them")),
        ],
        default=["length", "cover", "transcript"],
        widget=forms.CheckboxSelectMultiple,
        search_index=False,
    )

    class Meta:
        icon = "media"
        label = _("Zoom recordings")
        description = _("Recordings of this site that are published.")
        template = "wagtail_zoom/blocks/recording_list.html"
        form_layout = BlockGroup(
            children=["heading", "layout", "limit", "search"],
            settings=[
                "items",
                "hosts",
                "tags",
                "order",
                "group",
                "paging",
                "years",
                "show",
                "heading_level",
                "empty",
                "off",
            ],
        )

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        params = BlockParams.from_request(context.get("request"), name)
        query = self.query_for(value, params, visibility)
        year, search = query.year, query.search
        request_context = RequestContext.from_context(context)
        size, page = value["limit"], params.number("page")
        with_transcripts = self.with_transcripts(value)

        def read() -> tuple[list[RecordingView], int]:
            rows, total = self.rows_of(visibility, query, value, {**context, "params": params})
            return recording_views(visibility, rows, with_transcripts=with_transcripts), total

        site_id = visibility.site_settings.site_id if visibility.site_settings else 0
        rows, total = request_context.memoize(
            (site_id, query, size, value["paging"], page, with_transcripts), read
        )
        active_filters = {"q": search, "year": year or ""}
        return {
            "name": name,
            "params": params,
            "search": search,
            "searchable": value["search"] and bool(total or search),
            "pages": params.pages(total, size, **active_filters) if value["paging"] else Pages(),
            "filters": self._filters(visibility, value, params, year),
            "is_empty": None if rows else self._empty(value, params, search, year),
            "structured": schema_org.videos(rows, visibility.site_settings),
            **self._layout_context(value, rows),
        }

    def zoom_data(self, value: Any) -> tuple[str, ...]:
        return (RECORDINGS,) if self.is_own else ALL_DATA

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        if value["search"] and params.get("q").strip():
            return None
        year = params.year if value["years"] else 0
        return year, self.requested_page(value, params)

    def should_cache(self, context: Mapping[str, Any]) -> bool:
        year = context["params"].get("year")
        return super().should_cache(context) and (bool(context["rows"]) or not year)

    def query_for(
        self, value: Any, params: BlockParams, visibility: SiteVisibility
    ) -> RecordingQuery:
        search = params.get("q").strip() if value["search"] else ""
        return self.selection(value, params.year if value["years"] else 0, search)

    def with_transcripts(self, value: Any) -> bool:
        return "transcript" in value["show"]

    def selection(self, value: Any, year: int = 0, search: str = "") -> RecordingQuery:
        """The query for the editor's options."""
        return RecordingQuery(filters_of(value), value["order"] or "newest", year, search=search)

    def _layout_context(self, value: Any, rows: list[RecordingView]) -> dict[str, Any]:
        return {
            "layout": value["layout"] or "cards",
            "rows": rows,
            "groups": by_series(rows) if value["group"] == "series" else [],
            "show": dict.fromkeys(value["show"], True),
        }

    def _filters(
        self, visibility: SiteVisibility, value: Any, params: BlockParams, year: int
    ) -> list[Link]:
        if not value["years"]:
            return []
        all_years = years(visibility, self.selection(value))
        if len(all_years) < 2:
            return []
        all_link = Link(gettext("All years"), params.link(), current=not year)
        return [
            all_link,
            *(
                Link(str(option), params.link(year=option), current=option == year)
                for option in all_years
            ),
        ]

    def _empty(self, value: Any, params: BlockParams, search: str, year: int) -> EmptyState:
        show_all = Link(gettext("Show all recordings"), params.link())
        if search:
            text = gettext("Nothing found for “%(words)s”.") % {"words": search}
            return EmptyState(text, link=show_all)
        if year:
            return EmptyState(gettext("There are no recordings of this year."), link=show_all)
        if value["empty"]:
            return EmptyState(value["empty"])
        return EmptyState(
            gettext("There are no recordings yet."),
            gettext("They appear here some hours after a meeting."),
        )

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {
            "pages": Pages(),
            "filters": [],
            **self._layout_context(value, previews.recordings()),
        }

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        rows = recordings_of(visibility, self.selection(value))[: value["limit"]]
        return serializers.recordings(visibility, recording_views(visibility, list(rows)))

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        return change.removed or matches_recordings(
            visibility, filters_of(value), change.recordings | change.summary_recordings
        )

    def filter_params(self, value: Any) -> list[dict[str, Any]]:
        this_year = timezone.localdate().year
        return [{"year": this_year - back} for back in range(YEARS_BACK)] if value["years"] else []

    def variants(self, value: Any, visibility: SiteVisibility) -> list[dict[str, Any]]:
        filters: list[dict[str, Any]] = [{}]
        if value["years"]:
            filters += [{"year": year} for year in years(visibility, self.selection(value))]
        variants = filters[1:]
        if value["paging"]:
            for values in filters:
                rows = recordings_of(visibility, self.selection(value, values.get("year", 0)))
                size = value["limit"] or 10
                pages = -(-self.total(rows, size) // size)
                variants += [{**values, "page": number} for number in range(2, pages + 2)]
        return variants
