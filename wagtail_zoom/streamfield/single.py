"""Blocks about one meeting: a chosen one before, during and after it, and the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks import BlockGroup

from ..admin.choosers import ItemChooserBlock
from ..frontend import links, previews, serializers
from ..frontend.cache.purge import is_item_changed
from ..frontend.context import RequestContext, stale_since
from ..frontend.datetimes import in_zone
from ..frontend.feeds import schema_org
from ..frontend.presenters import meeting_view, occurrence_views
from ..frontend.queries import OccurrenceQuery, occurrences_of
from ..frontend.view_models import OccurrenceView
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import BlockUsage, Occurrence, SiteItem
from ..models.mirror import ENDED_STATES, OVERRUN
from ..models.versions import ALL_DATA, DATES
from .base import ZoomBlock, page_url
from .lists import ZoomDatesBlock, filters_of

MAX_FURTHER = 6
"""Further occurrences of a series that are listed below the next one."""


class MeetingBlock(ZoomBlock):
    """One chosen meeting, webinar or series: upcoming, live, or over with its recording."""

    zoom_usage = BlockUsage.MEETING
    zoom_label = ("item",)
    zoom_label_empty = _("Nothing chosen yet")

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
            ("dates", _("More dates of a series")),
        ],
        default=["summary", "host", "places", "calendar", "dates"],
        widget=forms.CheckboxSelectMultiple,
        search_index=False,
    )

    class Meta:
        icon = "date"
        label = _("Zoom meeting")
        description = _("One meeting, webinar or series: before, during and after it takes place.")
        template = "wagtail_zoom/blocks/meeting.html"
        form_layout = BlockGroup(
            children=["item"], settings=["show", "heading", "heading_level", "off"]
        )

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = self.block_name(value, context)
        show = dict.fromkeys(value["show"], True)
        item: SiteItem | None = value["item"]
        views = RequestContext.from_context(context).memoize(
            ("meeting", item.pk if item else 0), lambda: meeting_views(visibility, item)
        )
        row, further, undated, series_url = views
        block_context = {
            "name": name,
            "show": show,
            "row": row,
            "further": further if show.get("dates") else [],
            "undated": undated,
            "series_url": series_url if further else "",
            "stale": _stale(visibility, row),
        }
        block_context["structured"] = schema_org.page_of_date(
            row, visibility.site_settings, (row.url if row else "") or page_url(context)
        )
        return block_context

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        return value["item"] is not None and is_item_changed(value["item"], change)

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        show = dict.fromkeys(value["show"], True)
        return {"show": show, "row": previews.occurrences()[1], "further": [], "undated": None}

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "item": None})

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        row, further, undated, _series = meeting_views(visibility, value["item"])
        shown = [view for view in (row, *further) if view is not None]
        return {
            "dates": serializers.occurrences(visibility, shown),
            "undated": undated.title if undated else None,
        }


def meeting_views(
    visibility: SiteVisibility, item: SiteItem | None
) -> tuple[OccurrenceView | None, list[OccurrenceView], Any, str]:
    """Current occurrence, further ones, view of a meeting without occurrences, URL of its feed.

    All are empty when the item is of another Site or not visible.
    """
    site_settings = visibility.site_settings
    no_views: tuple[None, list[OccurrenceView], None, str] = (None, [], None, "")
    if item is None or site_settings is None or item.site_id != site_settings.site_id:
        return no_views
    # Occurrences first: those of a meeting deleted in Zoom stay until their planned end.
    rows = _occurrences_of(visibility, item)
    if rows:
        views = occurrence_views(visibility, rows, recordings=True)
        return views[0], views[1:], None, links.series_calendar_url(item)
    meeting = (
        visibility.meetings(Audience.VISITOR, Channel.PAGE)
        .filter(
            kind=item.kind,
            zoom_id=item.key,
            account=item.account_id,  # guard: meeting-of-the-items-account
        )
        .first()
    )
    return no_views if meeting is None else (None, [], meeting_view(visibility, meeting), "")


def _occurrences_of(visibility: SiteVisibility, item: SiteItem) -> list[Occurrence]:
    """The live or next occurrence and the following ones; without them, the last one."""
    now = timezone.now()
    rows = visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(
        meeting__kind=item.kind,
        meeting__zoom_id=item.key,
        meeting__account=item.account_id,  # guard: dates-of-the-items-account
    )
    upcoming = list(
        rows.filter(end__gte=now - OVERRUN)
        .exclude(state__in=ENDED_STATES)
        .order_by("start", "pk")[: MAX_FURTHER + 12]
    )
    upcoming = [row for row in upcoming if row.end >= now or row.is_live(now)]
    taking_place = [row for row in upcoming if row.state != Occurrence.State.CANCELLED]
    if taking_place:
        return taking_place[: MAX_FURTHER + 1]
    return upcoming[:1] or list(rows.order_by("-start", "-pk")[:1])


def _stale(visibility: SiteVisibility, row: OccurrenceView | None) -> Any:
    if row is None or row.is_past or visibility.site_settings is None:
        return None
    since = stale_since(visibility.site_settings)
    return in_zone(since, row.when.zone_name) if since else None


class NextMeetingBlock(ZoomDatesBlock):
    """The meeting that is live or comes next, as a hero."""

    zoom_usage = BlockUsage.MEETING_LIST
    zoom_label_empty = _("Live now or next")

    countdown = blocks.BooleanBlock(
        label=_("Countdown"), required=False, default=True, search_index=False
    )
    empty = blocks.CharBlock(label=_("Empty message"), required=False, default="", max_length=300)

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
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        query = OccurrenceQuery(filters=filters_of(value), kind=value["kind"] or "")
        site_id = visibility.site_settings.site_id if visibility.site_settings else 0
        row = RequestContext.from_context(context).memoize(
            ("next", site_id, query), lambda: next_occurrence(visibility, query)
        )
        block_context = {
            "name": self.block_name(value, context),
            "row": row,
            "countdown": value["countdown"],
            "empty": value["empty"]
            or gettext("No date is set yet. The next one appears here as soon as it is planned."),
            "stale": _stale(visibility, row),
        }
        shown = [row] if row else []
        block_context["structured"] = schema_org.events(
            shown, visibility.site_settings, page_url(context)
        )
        return block_context

    def zoom_data(self, value: Any) -> tuple[str, ...]:
        return (DATES,) if self.is_own else ALL_DATA

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        return {"row": previews.occurrences()[1], "countdown": value["countdown"], "empty": ""}

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        query = OccurrenceQuery(filters=filters_of(value), kind=value["kind"] or "")
        row = next_occurrence(visibility, query)
        return serializers.occurrence(row, visibility.site_settings) if row else None


def next_occurrence(visibility: SiteVisibility, query: OccurrenceQuery) -> OccurrenceView | None:
    """The live occurrence, or the next one that is not cancelled."""
    rows = occurrences_of(visibility, query).exclude(state=Occurrence.State.CANCELLED)
    live = list(rows.filter(state=Occurrence.State.LIVE)[:1])
    shown = live or list(rows[:1])
    return occurrence_views(visibility, shown)[0] if shown else None
