"""Base classes of list blocks: filters, pagination, the empty list, shared queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from ..admin.choosers import ItemChooserBlock
from ..frontend.bulk_queries import ListRequest, Query, QueryResult, can_combine, fetch_lists
from ..frontend.cache.html import BlockCache
from ..frontend.context import RequestContext, visibility_for
from ..frontend.pagination import MAX_PAGES, BlockParams, Link, Pages, pages_counted
from ..frontend.presenters import DetailUrl
from ..frontend.queries import (
    Filters,
    OccurrenceQuery,
    RecordingQuery,
    comma_separated,
    main_zone,
    matches_meetings,
    occurrences_of,
    recordings_of,
)
from ..frontend.related import prefetch
from ..frontend.visibility import SiteVisibility
from ..models import Kind
from .base import ZoomBlock

LIKELY_PAGES = 10
"""Pages of a list that are purged when their number is unknown."""
KINDS = [(Kind.MEETING.value, _("Only meetings")), (Kind.WEBINAR.value, _("Only webinars"))]


@dataclass(frozen=True)
class EmptyState:
    """Text and link in place of an empty list."""

    text: str
    hint: str = ""
    link: Link | None = None


class NamesBlock(blocks.CharBlock):
    """Names that are matched against stored data: the same in all languages of a page."""

    def get_translatable_segments(self, value: Any) -> list[Any]:
        """For wagtail-localize: nothing here is translated."""
        return []

    def restore_translated_segments(self, value: Any, segments: Any) -> Any:
        return value


def names_field(label: Any, help_text: Any) -> blocks.CharBlock:
    return NamesBlock(
        label=label,
        required=False,
        default="",
        max_length=200,
        search_index=False,
        help_text=help_text,
    )


def feed_field() -> blocks.BooleanBlock:
    return blocks.BooleanBlock(
        label=_("Offer the calendar of the site"),
        required=False,
        default=True,
        search_index=False,
        help_text=_("Visitors subscribe to all dates of this site, not only to these."),
    )


def filters_of(value: Any) -> Filters:
    """The filters that the editor chose. A chosen item that was deleted still counts."""
    picked = list(value["items"])
    return Filters(
        hosts=comma_separated(value["hosts"]),
        tags=comma_separated(value["tags"]),
        items=tuple(item.pk for item in picked if item is not None),
        picked=bool(picked),
    )


def detail_url_builder(context: Mapping[str, Any]) -> DetailUrl | None:
    """Builds URLs of single occurrences below the current page (``ZoomDatesPageMixin``)."""
    page, request = context.get("page"), context.get("request")
    if not hasattr(page, "zoom_date_path") or page is None:
        return None
    base = page.get_url(request) or ""
    visibility = visibility_for(context)
    if not base or visibility is None or visibility.site_settings is None:
        return None
    site_id = visibility.site_settings.site_id
    return lambda row: base + page.zoom_date_path(site_id, row)


class ZoomFilteredBlock(ZoomBlock):
    """A block with filters. They only narrow what the page's Site shows: chosen items of another
    Site have no effect."""

    zoom_label: ClassVar[tuple[str, ...]] = ("heading", "kind", "items", "hosts", "tags")

    hosts = names_field(_("Only these hosts"), _("Names, separated by commas."))
    tags = names_field(_("Filter by tag"), _("Tags, separated by commas."))


class ZoomDatesBlock(ZoomFilteredBlock):
    """Base of blocks that show occurrences of meetings and webinars."""

    kind = blocks.ChoiceBlock(label=_("What"), required=False, choices=KINDS, search_index=False)
    items = blocks.ListBlock(
        ItemChooserBlock(label=_("Meeting or series")),
        label=_("Only these meetings and series"),
        default=[],
        search_index=False,
    )

    def clock(self, value: Any, visibility: SiteVisibility) -> str:
        """The time zone of a block whose meetings have several."""
        return main_zone(visibility, filters_of(value), value["kind"] or "")

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        meetings = change.meetings
        if self.with_recordings(value):
            meetings |= change.summary_meetings
        return change.removed or matches_meetings(
            visibility, filters_of(value), value["kind"], meetings
        )

    def with_recordings(self, value: Any) -> bool:
        """Whether ended occurrences link to their recordings and summaries."""
        return False


class ZoomListBlock(ZoomFilteredBlock):
    """Base of lists with pagination."""

    limit = blocks.IntegerBlock(
        label=_("How many"), default=10, min_value=1, max_value=100, search_index=False
    )
    paging = blocks.BooleanBlock(
        label=_("Show pagination"),
        required=False,
        default=True,
        search_index=False,
    )
    empty = blocks.CharBlock(label=_("Empty message"), required=False, default="", max_length=300)

    def requested_page(self, value: Any, params: BlockParams) -> int:
        """Number of the requested page; 0 for the first one."""
        number = params.number("page") if value["paging"] else 0
        return number if number > 1 else 0

    def should_cache(self, context: Mapping[str, Any]) -> bool:
        """Only pages that exist: visitors may request any number."""
        number = self.requested_page(context["self"], context["params"])
        return not number or number == context["pages"].number

    def possible_variants(self, value: Any) -> list[dict[str, Any]]:
        """Each filter, with its first pages."""
        filters: list[dict[str, Any]] = [{}, *self.filter_params(value)]
        pages = range(2, LIKELY_PAGES + 1) if value["paging"] else ()
        return [
            *filters[1:],
            *({**values, "page": number} for values in filters for number in pages),
        ]

    def filter_params(self, value: Any) -> list[dict[str, Any]]:
        """Query parameters of each filter that visitors can choose."""
        return []

    def query_for(
        self, value: Any, params: BlockParams, visibility: SiteVisibility
    ) -> Query | None:
        """The query of this block for these parameters; None when it cannot be combined."""
        return None

    def with_transcripts(self, value: Any) -> bool:
        """Whether it shows transcripts of recordings."""
        return False

    def rows_of(
        self, visibility: SiteVisibility, query: Query, value: Any, context: Mapping[str, Any]
    ) -> tuple[list[Any], int]:
        """The rows of the requested page, and the total number.

        The first pages of all lists of a page are fetched together.
        """
        params, size = context["params"], value["limit"] or 10
        if self.requested_page(value, params) or not can_combine(query):
            rows = (
                occurrences_of(visibility, query)
                if isinstance(query, OccurrenceQuery)
                else recordings_of(visibility, query)
            )
            return self.slice(rows, value, params.number("page"))
        page_lists = visibility.memo.setdefault("lists", PageLists(visibility))
        rows, total = page_lists.read(self, query, value, context)
        shown = rows[:size]
        return shown, min(total, pages_counted(1) * size) if value["paging"] else len(shown)

    def slice(self, rows: Any, value: Any, page: int) -> tuple[list[Any], int]:
        """The rows of a page (of the nearest one that exists), and the total number."""
        size = value["limit"] or 10
        if not value["paging"]:
            first_rows = list(rows[:size])
            return first_rows, len(first_rows)
        total = self.total(rows, size, pages_counted(page))
        first = (Pages.nearest(page, total, size) - 1) * size
        return list(rows[first : first + size]) if total else [], total

    @staticmethod
    def total(rows: Any, size: int, pages: int = MAX_PAGES) -> int:
        """Number of rows, counted up to this many pages."""
        return int(rows.order_by()[: pages * size].count())


def list_request(value: Any) -> ListRequest:
    """How many rows one list reads and counts."""
    size = value["limit"] or 10
    return ListRequest(size, pages_counted(1) * size if value["paging"] else 0)


class PageLists:
    """All lists of one page; their rows are fetched with one set of queries."""

    def __init__(self, visibility: SiteVisibility) -> None:
        self.visibility = visibility
        self.results: dict[Query, tuple[ListRequest, QueryResult]] = {}

    def read(
        self, block: ZoomListBlock, query: Query, value: Any, context: Mapping[str, Any]
    ) -> QueryResult:
        """The rows of one list. The first call fetches those of all lists."""
        cached, needed = self.results.get(query), list_request(value)
        if (
            cached is None
            or cached[0].size < needed.size
            or cached[0].count_limit < needed.count_limit
        ):
            lists = [(block, query, value), *([] if self.results else self._other_lists(context))]
            self._fetch(lists, BlockCache.from_context(context))
        return self.results[query][1]

    def _other_lists(
        self, context: Mapping[str, Any]
    ) -> Iterator[tuple[ZoomListBlock, Query, Any]]:
        page, request = context.get("page"), context.get("request")
        if request is None:
            return  # without a request nothing is shared
        request_context = RequestContext.from_context(context)
        block_cache = BlockCache.from_context(context)
        for placed in request_context.blocks(page):
            if not isinstance(placed.block, ZoomListBlock) or (
                block_cache and block_cache.has(placed.value)
            ):
                continue
            params = BlockParams.from_request(request, request_context.name(context, placed.value))
            query = placed.block.query_for(placed.value, params, self.visibility)
            if (
                query
                and can_combine(query)
                and not placed.block.requested_page(placed.value, params)
            ):
                yield placed.block, query, placed.value

    def _fetch(
        self, lists: Iterable[tuple[ZoomListBlock, Query, Any]], block_cache: BlockCache | None
    ) -> None:
        requests: dict[Query, ListRequest] = {}
        with_recordings, with_transcripts = set(), set()
        for block, query, value in lists:
            needed, earlier = list_request(value), requests.get(query, ListRequest(0))
            requests[query] = ListRequest(
                max(needed.size, earlier.size), max(needed.count_limit, earlier.count_limit)
            )
            if isinstance(block, ZoomDatesBlock) and block.with_recordings(value):
                with_recordings.add(query)
            if block.with_transcripts(value):
                with_transcripts.add(query)
        expiry_query = block_cache.expiry_query() if block_cache else None
        results = fetch_lists(
            self.visibility, requests, expiry_query.annotations if expiry_query else None
        )
        if block_cache and expiry_query:
            rows = (vars(row) for query in results for row in results[query][0])
            annotated = next(
                (row for row in rows if expiry_query.annotations.keys() <= row.keys()), None
            )
            block_cache.expires_at = expiry_query.earliest(annotated) if annotated else None
        self.results.update({query: (requests[query], results[query]) for query in requests})
        prefetch(
            self.visibility,
            occurrences=[
                row
                for query in results
                if isinstance(query, OccurrenceQuery)
                for row in results[query][0]
            ],
            ended=[row for query in with_recordings for row in results[query][0]],
            recordings=[
                row
                for query in results
                if isinstance(query, RecordingQuery)
                for row in results[query][0]
            ],
            with_transcripts=[row for query in with_transcripts for row in results[query][0]],
        )
