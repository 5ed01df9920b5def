"""Blocks about one meeting: a chosen one for its whole life, and whichever comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup

from ..admin.choosers import ItemChooserBlock
from ..frontend import links, previews, serializers
from ..frontend.cache.purge import item_concerned
from ..frontend.context import Shared, stale_since
from ..frontend.datetimes import in_zone
from ..frontend.feeds import schema_org
from ..frontend.presenters import date_views, meeting_view
from ..frontend.queries import GONE, OVERRUN, Dates, dates
from ..frontend.view_models import DateView
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import Occurrence, Placement, SiteItem
from .base import ZoomBlock, page_url
from .lists import ZoomDatesBlock, narrowed

FURTHER = 6
"""Most dates of a series that are named beneath the next one."""


class MeetingBlock(ZoomBlock):
    """One chosen meeting, webinar or series: announced, running, over with its recording."""

    zoom_placement = Placement.MEETING

    item = ItemChooserBlock(label=_("Meeting or series"))
    show = blocks.MultipleChoiceBlock(
        label=_("Show"),
        required=False,
        choices=[
            ("summary", _("Summary")),
            ("host", _("Host")),
            ("places", _("Places left")),
            ("countdown", _("Countdown")),
            ("calendar", _("Add to calendar")),
            ("dates", _("Further dates of a series")),
        ],
        default=["summary", "host", "places", "calendar", "dates"],
        widget=forms.CheckboxSelectMultiple,
        search_index=False,
    )

    class Meta:
        icon = "date"
        label = _("Zoom meeting")
        description = _("One meeting, webinar or series, for its whole life.")
        template = "wagtail_zoom/blocks/meeting.html"
        form_layout = BlockGroup(
            children=["item"], settings=["show", "heading", "heading_level", "off"]
        )

    def zoom_context(
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        show = dict.fromkeys(value["show"], True)
        item: SiteItem | None = value["item"]
        read = Shared.of(context).once(
            ("meeting", item.pk if item else 0), lambda: one(found, item)
        )
        row, further, undated, series_url = read
        made = {
            "name": name,
            "show": show,
            "row": row,
            "further": further if show.get("dates") else [],
            "undated": undated,
            "series_url": series_url if further else "",
            "stale": _stale(found, row),
        }
        shown = [row] if row else []
        made["structured"] = schema_org.events(shown, found.choice, page_url(context))
        return made

    def concerns(self, value: Any, found: Exposure, change: Any) -> bool:
        return value["item"] is not None and item_concerned(value["item"], change)

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        show = dict.fromkeys(value["show"], True)
        return {"show": show, "row": previews.dates()[1], "further": [], "undated": None}

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "item": None})

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        row, further, undated, _series = one(found, value["item"])
        shown = [each for each in (row, *further) if each is not None]
        return {
            "dates": [serializers.date(each) for each in shown],
            "undated": undated.title if undated else None,
        }


def one(found: Exposure, item: SiteItem | None) -> tuple[DateView | None, list[DateView], Any, str]:
    """The date that matters now, further ones, the view of a meeting without a date, the feed.

    Everything is empty when the item is not this Site's or is not shown.
    """
    choice = found.choice
    nothing: tuple[None, list[DateView], None, str] = (None, [], None, "")
    if item is None or choice is None or item.site_id != choice.site_id:
        return nothing
    # Dates first: those of a meeting that was deleted in Zoom are there until they would be over.
    rows = _dates_of(found, item)
    if rows:
        views = date_views(found, rows, films=True)
        return views[0], views[1:], None, links.series_calendar(item)
    meeting = (
        found.meetings(Audience.VISITOR, Surface.PAGE)
        .filter(kind=item.kind, zoom_id=item.key, account=item.account_id)
        .first()
    )
    return nothing if meeting is None else (None, [], meeting_view(found, meeting), "")


def _dates_of(found: Exposure, item: SiteItem) -> list[Occurrence]:
    """The live or next date and what follows; else the last one that was."""
    now = timezone.now()
    rows = found.occurrences(Audience.VISITOR, Surface.PAGE).filter(
        meeting__kind=item.kind, meeting__zoom_id=item.key, meeting__account=item.account_id
    )
    coming = list(
        rows.filter(end__gte=now - OVERRUN)
        .exclude(state__in=GONE)
        .order_by("start", "pk")[: FURTHER + 12]
    )
    coming = [row for row in coming if row.end >= now or row.state == Occurrence.State.LIVE]
    happens = [row for row in coming if row.state != Occurrence.State.CANCELLED]
    if happens:
        return happens[: FURTHER + 1]
    return coming[:1] or list(rows.order_by("-start", "-pk")[:1])


def _stale(found: Exposure, row: DateView | None) -> Any:
    if row is None or row.is_past or found.choice is None:
        return None
    since = stale_since(found.choice)
    return in_zone(since, row.when.zone_name) if since else None


class NextMeetingBlock(ZoomDatesBlock):
    """The hero: what is live now or comes next."""

    zoom_placement = Placement.MEETING_LIST

    countdown = blocks.BooleanBlock(
        label=_("Countdown"), required=False, default=True, search_index=False
    )
    empty = blocks.CharBlock(
        label=_("Sentence when there is nothing"), required=False, default="", max_length=300
    )

    class Meta:
        icon = "date"
        label = _("Next Zoom meeting")
        description = _("What is live now or comes next, with a countdown.")
        template = "wagtail_zoom/blocks/next_meeting.html"
        form_layout = BlockGroup(
            children=["heading", "countdown"],
            settings=["kind", "items", "hosts", "tags", "heading_level", "empty", "off"],
        )

    def zoom_context(
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        wanted = Dates(narrowed=narrowed(value), kind=value["kind"] or "")
        site = found.choice.site_id if found.choice else 0
        row = Shared.of(context).once(("next", site, wanted), lambda: next_of(found, wanted))
        made = {
            "name": self.block_name(value, context),
            "row": row,
            "countdown": value["countdown"],
            "empty": value["empty"]
            or _now("No date is set yet. The next one appears here as soon as it is planned."),
            "stale": _stale(found, row),
        }
        shown = [row] if row else []
        made["structured"] = schema_org.events(shown, found.choice, page_url(context))
        return made

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {"row": previews.dates()[1], "countdown": value["countdown"], "empty": ""}

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        wanted = Dates(narrowed=narrowed(value), kind=value["kind"] or "")
        row = next_of(found, wanted)
        return serializers.date(row) if row else None


def next_of(found: Exposure, wanted: Dates) -> DateView | None:
    """The date that is live, else the next one that takes place."""
    rows = dates(found, wanted).exclude(state=Occurrence.State.CANCELLED)
    live = list(rows.filter(state=Occurrence.State.LIVE)[:1])
    shown = live or list(rows[:1])
    return date_views(found, shown)[0] if shown else None
