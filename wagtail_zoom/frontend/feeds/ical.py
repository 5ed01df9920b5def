"""Dates → iCalendar (RFC 5545), with the ``icalendar`` library.

Each date is an event of its own: its UID hangs on our identity of the date, which outlives a
move, so a moved date is the same UID with a higher SEQUENCE (and needs no RECURRENCE-ID).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vDuration

from ...models import JoinPolicy, Occurrence, SiteItem, ZoomSettings
from .. import links
from ..block_index import telling_pages
from ..datetimes import in_zone
from ..related import curated
from ..text import text_for, title_for
from ..visibility import Exposure
from .vtimezone import add_zones

PRODUCT = "-//wagtail-zoom//wagtail-zoom//EN"
REFRESH = timedelta(hours=1)


def calendar(gate: Exposure, rows: Iterable[Occurrence], name: str = "") -> bytes:
    """The file. Times are on the clock of each event, with the rules of its zone in the file."""
    choice, rows = gate.choice, list(rows)
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    if name:
        made.add("name", name)
        made.add("x-wr-calname", name)
        made.add("refresh-interval", vDuration(REFRESH), parameters={"value": "DURATION"})
        made.add("x-published-ttl", "PT1H")
    if choice is not None:
        items = curated(gate, ((row.meeting.kind, row.meeting.zoom_id) for row in rows))
        pages = telling_pages(choice.site, items.values())
        for row in rows:
            item = items.get((row.meeting.kind, row.meeting.zoom_id))
            page = pages.get(item.pk, ("", False))[0] if item else ""
            made.add_component(event(row, item, choice, page))
    add_zones(made)
    return made.to_ical()


def event(row: Occurrence, item: SiteItem | None, choice: ZoomSettings, page: str = "") -> Event:
    """One date as VEVENT. ``page`` is the path of the page that tells more."""
    meeting, origin = row.meeting, links.site_origin(choice)
    cancelled = row.state == Occurrence.State.CANCELLED
    made = Event()
    made.add("uid", f"{row.public_id}@wagtail-zoom")
    made.add("dtstamp", row.updated_at)
    made.add("last-modified", row.updated_at)
    made.add("sequence", row.sequence)
    made.add("summary", (item.title if item else "") or title_for(choice, meeting.topic))
    made.add("dtstart", in_zone(row.start, meeting.timezone))
    made.add("dtend", in_zone(row.end, meeting.timezone))
    made.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    made.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    address = absolute(origin, page)
    door = ""
    if choice.join_policy in (JoinPolicy.PUBLIC, JoinPolicy.WINDOW) and not cancelled:
        door = origin + links.join(choice.site_id, row)
    about = (item.summary if item else "") or meeting.agenda
    texts = [
        text_for(choice, about),
        _("Join: %(url)s") % {"url": door} if door else "",
        address,
    ]
    made.add("description", "\n\n".join(text for text in texts if text))
    made.add("location", door or _("Online, on Zoom"))
    if address or door:
        made.add("url", address or door)
    if get_language():
        made["summary"].params["LANGUAGE"] = get_language()
    return made


def absolute(origin: str, path: str) -> str:
    """An address with scheme and host; nothing stays nothing."""
    return path if not path or "://" in path else f"{origin}{path}"
