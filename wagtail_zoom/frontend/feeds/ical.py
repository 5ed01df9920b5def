"""Occurrences as iCalendar (RFC 5545), with the ``icalendar`` library.

Each occurrence is a VEVENT of its own. Its UID is our public id, which does not change when the
occurrence moves: it gets a higher SEQUENCE then, and needs no RECURRENCE-ID.

There is no METHOD: these are calendars and no scheduling messages. PUBLISH would require ORGANIZER
(RFC 5546, 3.2.1), which is an email address and for events with invited attendees only (RFC 5545,
3.8.4.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vDuration

from ...models import Occurrence, SiteItem, ZoomSettings
from ...utils.text import unlinked_line
from ...utils.urls import join_urls
from .. import links
from ..availability import join_opens_at
from ..block_index import detail_pages
from ..datetimes import in_zone
from ..related import items_for
from ..text import shown_title, text_for
from ..visibility import SiteVisibility
from .vtimezone import add_zones

PRODID = "-//wagtail-zoom//wagtail-zoom//EN"
REFRESH = timedelta(hours=1)


@dataclass(frozen=True)
class Personal:
    """What an event is for one registered person."""

    join_url: str
    """Her own link; empty if she has none."""
    is_cancelled: bool
    """She is not registered any more."""
    changed_at: datetime
    sequence: int
    """Added to that of the occurrence."""


def calendar(visibility: SiteVisibility, rows: Iterable[Occurrence], name: str = "") -> bytes:
    """The calendar file, with a VTIMEZONE for each zone that it names."""
    site_settings, rows = visibility.site_settings, list(rows)
    ical = Calendar()
    ical.add("prodid", PRODID)
    ical.add("version", "2.0")
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
    content: bytes = ical.to_ical()
    return content


def calendar_name(site_settings: ZoomSettings) -> str:
    """The name of the calendar of a whole Site."""
    return site_settings.site.site_name or site_settings.organiser or _("Dates")


def event(
    row: Occurrence,
    item: SiteItem | None,
    site_settings: ZoomSettings,
    page_path: str = "",
    personal: Personal | None = None,
) -> Event:
    """One occurrence as VEVENT.

    Args:
        page_path: of its detail page.
        personal: of a registrant; None in public files.
    """
    meeting, origin = row.meeting, links.site_origin(site_settings)
    cancelled = row.state == Occurrence.State.CANCELLED
    changed_at, sequence = row.updated_at, row.sequence
    if personal is not None:
        cancelled = cancelled or personal.is_cancelled
        changed_at = max(changed_at, personal.changed_at)
        sequence += personal.sequence
    vevent = Event()
    vevent.add("uid", f"{row.public_id}@wagtail-zoom")
    vevent.add("dtstamp", changed_at)
    vevent.add("last-modified", changed_at)
    vevent.add("sequence", sequence)
    own_title = item.title if item else ""
    title = shown_title(site_settings, own_title, meeting.topic)
    description = text_for(site_settings, (item.summary if item else "") or meeting.agenda)
    if personal is not None:  # guard: email-calendar-without-links
        # It is attached to emails, and anybody can enter any address.
        title = unlinked_line(title) or _("Zoom meeting")
        description = "\n".join(map(unlinked_line, description.splitlines()))
    vevent.add("summary", title)
    for name, value in zip(("dtstart", "dtend"), _written_times(row), strict=False):
        vevent.add(name, value)
    vevent.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    vevent.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    page_url = absolute_url(origin, page_path)
    join_url = personal.join_url if personal else _public_join_url(row, site_settings)
    if cancelled:
        join_url = ""
    texts = [
        description.strip(),
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


def _written_times(row: Occurrence) -> list[datetime]:
    """Start and, if it is known, end: in the meeting's time zone, or both in UTC.

    A local time that the clock shows twice stands for the first of the two (RFC 5545, 3.3.5), so
    the second cannot be written. Both are in UTC then, because some programs compare only what is
    written.
    """
    instants = [row.start, row.end] if row.has_end else [row.start]
    local_times = [in_zone(instant, row.meeting.timezone) for instant in instants]
    if any(map(_is_shown_twice, local_times)):  # guard: repeated-hour-in-utc
        return [instant.astimezone(UTC) for instant in instants]
    return local_times


def _is_shown_twice(local: datetime) -> bool:
    """Whether the clock shows this local time of an instant twice."""
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


def _public_join_url(row: Occurrence, site_settings: ZoomSettings) -> str:
    """Where registration is needed, everybody has a link of her own."""
    if row.meeting.takes_registration:  # guard: public-calendar-without-registrants-link
        return ""
    if join_opens_at(row, site_settings) is None:
        return ""
    return links.site_origin(site_settings) + links.join_url(site_settings.site_id, row)


def absolute_url(origin: str, path: str) -> str:
    """The URL with scheme and hostname; empty stays empty. ``path`` may have a hostname of its own,
    as static files and images from another server do."""
    return join_urls(f"{origin}/", path) if path else ""
