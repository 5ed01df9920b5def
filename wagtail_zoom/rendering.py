"""What list blocks read: the page's Site, its gate once per request, and one query per block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from wagtail.models import Page, Site

from .exposure import Audience, Exposure, Surface
from .models import Occurrence, Recording
from .timing import in_zone, zone_label


def gate(context: Mapping[str, Any]) -> Exposure | None:
    """The gate of the page's Site; None without a page, so that nothing is shown then."""
    page, request = context.get("page"), context.get("request")
    if not isinstance(page, Page):
        return None
    kept = request.__dict__.setdefault("_wagtail_zoom_gates", {}) if request is not None else {}
    if page.pk not in kept:
        site = _site(page, request)
        kept[page.pk] = Exposure.for_site(site) if site else None
    return kept[page.pk]


def _site(page: Page, request: Any) -> Site | None:
    """Among Sites that share the page's root the one asked for, else the page's own."""
    site = page.get_site()
    asked = Site.find_for_request(request) if request is not None else None
    return asked if site and asked and asked.root_page_id == site.root_page_id else site


def meetings(found: Exposure, value: Mapping[str, Any]) -> list[Occurrence]:
    """The dates of one block, each with its local times as ``starts``, ``ends`` and ``zone``."""
    rows = found.occurrences(Audience.VISITOR, Surface.PAGE)
    if value["kind"]:
        rows = rows.filter(meeting__kind=value["kind"])
    now = timezone.now()
    past = value["period"] == "past"
    rows = rows.filter(end__lt=now) if past else rows.filter(end__gte=now)
    dates = list(rows.order_by(*(("-start", "-pk") if past else ("start", "pk")))[: value["limit"]])
    for date in dates:
        name = date.meeting.timezone
        date.starts, date.ends = in_zone(date.start, name), in_zone(date.end, name)
        date.zone = zone_label(date.start, name)
    return dates


def recordings(found: Exposure, value: Mapping[str, Any]) -> list[Recording]:
    """The recordings of one block, newest first unless it says otherwise."""
    rows = found.recordings(Audience.VISITOR, Surface.PAGE)
    order = ("start", "pk") if value["order"] == "oldest" else ("-start", "-pk")
    films = list(rows.order_by(*order)[: value["limit"]])
    for film in films:
        film.starts = in_zone(film.start, film.timezone)
    return films
