"""The list of published recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup

from ..admin.choosers import RecordingChooserBlock
from ..frontend import previews, serializers
from ..frontend.context import Shared
from ..frontend.feeds import schema_org
from ..frontend.grouping import by_series
from ..frontend.pagination import Asked, Link, Pages
from ..frontend.presenters import film_views
from ..frontend.queries import Films, films, touches_films, years
from ..frontend.view_models import FilmView
from ..frontend.visibility import Exposure
from ..models import Placement
from .lists import Empty, ZoomListBlock, narrowed

YEARS_BACK = 10
"""Years whose lists are purged when nobody can tell which there were."""


class RecordingListBlock(ZoomListBlock):
    """Published recordings."""

    zoom_placement = Placement.RECORDING_LIST

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
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        asked = Asked.read(context.get("request"), name)
        wanted = self.plan(value, asked)
        year, search = wanted.year, wanted.search
        shared = Shared.of(context)

        size, page = value["limit"], asked.number("page")
        texts = self.with_texts(value)

        def read() -> tuple[list[FilmView], int]:
            rows, total = self.rows_of(found, wanted, value, {**context, "asked": asked})
            return film_views(found, rows, texts=texts), total

        site = found.choice.site_id if found.choice else 0
        rows, total = shared.once((site, wanted, size, value["paging"], page, texts), read)
        keep = {"q": search, "year": year or ""}
        return {
            "name": name,
            "asked": asked,
            "search": search,
            "searchable": value["search"] and bool(total or search),
            "pages": asked.pages(total, size, **keep) if value["paging"] else Pages(),
            "filters": self._filters(found, value, asked, year),
            "is_empty": None if rows else self._empty(value, asked, search, year),
            "structured": schema_org.videos(rows, found.choice),
            **self._arranged(value, rows),
        }

    def kept_for(self, value: Any, asked: Asked) -> tuple[Any, ...] | None:
        if value["search"] and asked.get("q").strip():
            return None
        year = asked.number("year") if value["years"] else 0
        return year, self.page_asked(value, asked)

    def is_worth_keeping(self, context: Mapping[str, Any]) -> bool:
        year = context["asked"].get("year")
        return super().is_worth_keeping(context) and (bool(context["rows"]) or not year)

    def plan(self, value: Any, asked: Asked) -> Films:
        search = asked.get("q").strip() if value["search"] else ""
        return self.selection(value, asked.number("year") if value["years"] else 0, search)

    def with_texts(self, value: Any) -> bool:
        return "transcript" in value["show"]

    def selection(self, value: Any, year: int = 0, search: str = "") -> Films:
        """What the editor's options mean."""
        return Films(narrowed(value), value["order"] or "newest", year, search)

    def _arranged(self, value: Any, rows: list[FilmView]) -> dict[str, Any]:
        return {
            "layout": value["layout"] or "cards",
            "rows": rows,
            "groups": by_series(rows) if value["group"] == "series" else [],
            "show": dict.fromkeys(value["show"], True),
        }

    def _filters(self, found: Exposure, value: Any, asked: Asked, year: int) -> list[Link]:
        if not value["years"]:
            return []
        known = years(found, self.selection(value))
        if len(known) < 2:
            return []
        every = Link(_now("All years"), asked.link(), current=not year)
        return [
            every,
            *(Link(str(each), asked.link(year=each), current=each == year) for each in known),
        ]

    def _empty(self, value: Any, asked: Asked, search: str, year: int) -> Empty:
        everything = Link(_now("Show all recordings"), asked.link())
        if search:
            text = _now("Nothing found for “%(words)s”.") % {"words": search}
            return Empty(text, link=everything)
        if year:
            return Empty(_now("There are no recordings of this year."), link=everything)
        if value["empty"]:
            return Empty(value["empty"])
        return Empty(
            _now("There are no recordings yet."),
            _now("They appear here some hours after a meeting."),
        )

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {"pages": Pages(), "filters": [], **self._arranged(value, previews.films())}

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        rows = films(found, self.selection(value))[: value["limit"]]
        return [serializers.film(each) for each in film_views(found, list(rows))]

    def concerns(self, value: Any, found: Exposure, change: Any) -> bool:
        return change.removed or touches_films(found, narrowed(value), change.recordings)

    def every_filter(self, value: Any) -> list[dict[str, Any]]:
        this = timezone.localdate().year
        return [{"year": this - back} for back in range(YEARS_BACK)] if value["years"] else []

    def variants(self, value: Any, found: Exposure) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = [{}]
        if value["years"]:
            asked += [{"year": year} for year in years(found, self.selection(value))]
        made = asked[1:]
        if value["paging"]:
            for each in asked:
                rows, size = (
                    films(found, self.selection(value, each.get("year", 0))),
                    value["limit"],
                )
                pages = -(-self.total(rows, size or 10) // (size or 10))
                made += [{**each, "page": number} for number in range(2, pages + 2)]
        return made
