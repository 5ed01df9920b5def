"""Occurrences as iCalendar (RFC 5545), with the ``icalendar`` library.

Each occurrence is a VEVENT of its own. Its UID is our public id, which does not change when the
occurrence moves: it gets a higher SEQUENCE then, and needs no RECURRENCE-ID.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vDuration

from ...models import JoinPolicy, Occurrence, SiteItem, ZoomSettings
from .. import links
from ..block_index import detail_pages
from ..datetimes import in_zone
from ..related import items_for
from ..text import text_for, title_for
from ..visibility import SiteVisibility
from .vtimezone import add_zones

PRODID = "-//wagtail-zoom//wagtail-zoom//EN"
REFRESH = timedelta(hours=1)


def calendar(visibility: SiteVisibility, rows: Iterable[Occurrence], name: str = "") -> bytes:
    """The calendar file. Times are local, with a VTIMEZONE for each zone."""
    site_settings, rows = visibility.site_settings, list(rows)
    ical = Calendar()
    ical.add("prodid", PRODID)
    ical.add("version", "2.0")
    ical.add("method", "PUBLISH")
    if name:
        ical.add("name", name)
        ical.add("x-wr-calname", name)
        ical.add("refresh-interval", vDuration(REFRESH), parameters={"value": "DURATION"})
        ical.add("x-published-ttl", "PT1H")
    if site_settings is not None:
        items = items_for(visibility, ((row.meeting.kind, row.meeting.zoom_id) for row in rows))
        pages = detail_pages(site_settings.site, items.values())
        for row in rows:
            item = items.get((row.meeting.kind, row.meeting.zoom_id))
            page_path = pages.get(item.pk, ("", False))[0] if item else ""
            ical.add_component(event(row, item, site_settings, page_path))
    add_zones(ical)
    return ical.to_ical()


def event(
    row: Occurrence, item: SiteItem | None, site_settings: ZoomSettings, page_path: str = ""
) -> Event:
    """One occurrence as VEVENT. ``page_path`` is the path of its detail page."""
    meeting, origin = row.meeting, links.site_origin(site_settings)
    cancelled = row.state == Occurrence.State.CANCELLED
    vevent = Event()
    vevent.add("uid", f"{row.public_id}@wagtail-zoom")
    vevent.add("dtstamp", row.updated_at)
    vevent.add("last-modified", row.updated_at)
    vevent.add("sequence", row.sequence)
    vevent.add("summary", (item.title if item else "") or title_for(site_settings, meeting.topic))
    vevent.add("dtstart", in_zone(row.start, meeting.timezone))
    vevent.add("dtend", in_zone(row.end, meeting.timezone))
    vevent.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    vevent.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    page_url = absolute_url(origin, page_path)
    join_url = ""
    if site_settings.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW) and not cancelled:
        join_url = origin + links.join_url(site_settings.site_id, row)
    description = (item.summary if item else "") or meeting.agenda
    texts = [
        text_for(site_settings, description),
        _("Join: %(url)s") % {"url": join_url} if join_url else "",
        page_url,
    ]
    vevent.add("description", "\n\n".join(text for text in texts if text))
    vevent.add("location", join_url or _("Online, on Zoom"))
    if page_url or join_url:
        vevent.add("url", page_url or join_url)
    if get_language():
        vevent["summary"].params["LANGUAGE"] = get_language()
    return vevent


def absolute_url(origin: str, path: str) -> str:
    """The URL with scheme and hostname; empty stays empty."""
    return path if not path or "://" in path else f"{origin}{path}"
