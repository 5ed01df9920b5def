"""The list of dates of meetings and webinars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup
from wagtail.blocks.struct_block import StructBlockValidationError

from ..frontend import previews, serializers
from ..frontend.context import Shared, stale_since
from ..frontend.datetimes import in_zone
from ..frontend.feeds import schema_org
from ..frontend.grouping import by_day, by_month, one_zone
from ..frontend.pagination import Asked, Link, Pages
from ..frontend.presenters import date_views
from ..frontend.queries import Dates, dates
from ..frontend.view_models import DateView
from ..frontend.visibility import Exposure
from ..models import Kind, Placement
from .base import page_url
from .lists import Empty, ZoomDatesBlock, ZoomListBlock, detail_of, narrowed


class MeetingListBlock(ZoomDatesBlock, ZoomListBlock):
    """Dates of meetings and webinars."""

    zoom_placement = Placement.MEETING_LIST

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
    first = blocks.DateBlock(label=_("From"), required=False)
    last = blocks.DateBlock(label=_("Until"), required=False)
    repeat = blocks.ChoiceBlock(
        label=_("Of a series"),
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
                message = _("Say from or until which day.")
                raise StructBlockValidationError(block_errors={"first": ValidationError(message)})
            if first and last and last < first:
                message = _("This is before the first day.")
                raise StructBlockValidationError(block_errors={"last": ValidationError(message)})
        return cleaned

    def zoom_context(
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        asked = Asked.read(context.get("request"), name)
        kind, free = self._asked_for(value, asked)
        wanted = self.selection(value, kind, free)
        size, page = value["limit"], asked.number("page")
        shared = Shared.of(context)

        def read() -> tuple[list[DateView], int]:
            rows, total = self.rows_of(found, wanted, value, {**context, "asked": asked})
            films = self.with_films(value)
            return date_views(found, rows, films=films, detail=detail_of(context)), total

        site = found.choice.site_id if found.choice else 0
        rows, total = shared.once((site, wanted, size, value["paging"], page), read)
        keep = {"kind": "" if value["kind"] else kind, "places": "1" if free else ""}
        return {
            "name": name,
            "asked": asked,
            "pages": asked.pages(total, size, **keep) if value["paging"] else Pages(),
            "filters": self._filters(found, value, asked, kind, free),
            "is_empty": None if rows else self._empty(value, asked, kind, free),
            "stale": self._stale(found, value, rows),
            "structured": schema_org.events(rows, found.choice, page_url(context)),
            **self._arranged(value, rows),
        }

    def kept_for(self, value: Any, asked: Asked) -> tuple[Any, ...] | None:
        return (*self._asked_for(value, asked), self.page_asked(value, asked))

    def plan(self, value: Any, asked: Asked) -> Dates:
        return self.selection(value, *self._asked_for(value, asked))

    def with_films(self, value: Any) -> bool:
        return value["period"] in ("past", "range")

    def selection(self, value: Any, kind: str = "", with_places: bool = False) -> Dates:
        """What the editor's options mean."""
        return Dates(
            narrowed=narrowed(value),
            kind=kind or value["kind"] or "",
            period=value["period"],
            first=value["first"] if value["period"] == "range" else None,
            last=value["last"] if value["period"] == "range" else None,
            next_only=value["repeat"] == "next",
            order=value["order"] or "",
            with_places=with_places,
        )

    def _arranged(self, value: Any, rows: list[DateView]) -> dict[str, Any]:
        layout = value["layout"] or "list"
        group = "day" if layout == "agenda" else (value["group"] or "")
        return {
            "layout": layout,
            "rows": rows,
            "groups": (by_month if group == "month" else by_day)(rows) if group else [],
            "zone": one_zone(rows),
            "show": dict.fromkeys(value["show"], True),
        }

    def _asked_for(self, value: Any, asked: Asked) -> tuple[str, bool]:
        if not value["filters"]:
            return value["kind"] or "", False
        kind = asked.get("kind") if asked.get("kind") in ("meeting", "webinar") else ""
        return value["kind"] or kind, asked.get("places") == "1"

    def _filters(
        self, found: Exposure, value: Any, asked: Asked, kind: str, free: bool
    ) -> list[Link]:
        """Plain links; none when there would be only one."""
        choice = found.choice
        if not value["filters"] or choice is None:
            return []
        made = [
            Link(
                _now("Everything"), asked.link(), current=not free and kind == (value["kind"] or "")
            )
        ]
        if not value["kind"] and {Kind.MEETING, Kind.WEBINAR} <= choice.kinds:
            for each, label in (("meeting", _now("Meetings")), ("webinar", _now("Webinars"))):
                made.append(Link(label, asked.link(kind=each), current=kind == each))
        if choice.show_registration and value["period"] != "past":
            made.append(Link(_now("With places left"), asked.link(places=1), current=free))
        return made if len(made) > 1 else []

    def _empty(self, value: Any, asked: Asked, kind: str, free: bool) -> Empty:
        if free or (kind and not value["kind"]):
            texts = {
                "meeting": _now("No meetings are planned at the moment."),
                "webinar": _now("No webinars are planned at the moment."),
            }
            text = texts.get(kind) if not free else _now("No date has places left at the moment.")
            return Empty(text or "", link=Link(_now("Show everything"), asked.link()))
        if value["empty"]:
            return Empty(value["empty"])
        if value["period"] == "past":
            return Empty(_now("There are no past dates yet."))
        if value["period"] == "live":
            return Empty(_now("Nothing is live at the moment."))
        return Empty(
            _now("No dates are planned at the moment."), _now("New ones appear here by themselves.")
        )

    def _stale(self, found: Exposure, value: Any, rows: list[DateView]) -> Any:
        if value["period"] == "past" or not rows or found.choice is None:
            return None
        since = stale_since(found.choice)
        return in_zone(since, rows[0].when.zone_name) if since else None

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {"pages": Pages(), "filters": [], **self._arranged(value, previews.dates())}

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        rows = dates(found, self.selection(value))[: value["limit"]]
        return [serializers.date(each) for each in date_views(found, list(rows))]

    def every_filter(self, value: Any) -> list[dict[str, Any]]:
        if not value["filters"]:
            return []
        kinds = [] if value["kind"] else ["meeting", "webinar"]
        return [*({"kind": kind} for kind in kinds), {"places": "1"}]

    def variants(self, value: Any, found: Exposure) -> list[dict[str, Any]]:
        choice = found.choice
        if choice is None:
            return []
        asked: list[dict[str, Any]] = [{}, *self.every_filter(value)]
        made: list[dict[str, Any]] = asked[1:]
        if value["paging"]:
            for each in asked:
                wanted = self.selection(value, each.get("kind", ""), "places" in each)
                size = value["limit"] or 10
                pages = -(-self.total(dates(found, wanted), size) // size)
                # One more than there are now: the last page may just have become empty.
                made += [{**each, "page": number} for number in range(2, pages + 2)]
        return made
