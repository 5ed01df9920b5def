"""The calendar file of one person: the dates of the registration, with the personal join link."""

from __future__ import annotations

from django.urls import NoReverseMatch
from icalendar import Calendar

from ..frontend import links
from ..frontend.feeds.ical import PRODID, event
from ..frontend.feeds.vtimezone import add_zones
from ..models import Registration, SiteItem, ZoomSettings
from . import mails, tokens
from .dates import dates_of


def calendar_of(row: Registration, site_settings: ZoomSettings) -> bytes:
    """An iCalendar file. Its events have the same UIDs as those of the public calendar."""
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    items = SiteItem.objects.for_site(row.site).filter(
        account=row.account_id, kind=row.snapshot.get("kind"), key=row.meeting_zoom_id
    )
    item = items.first()
    join_url = _join_url(row, site_settings)
    for date in dates_of(row):
        if date.occurrence is None:
            continue
        component = event(date.occurrence, item, site_settings)
        if join_url:
            for name in ("location", "url"):
                component.pop(name, None)
                component.add(name, join_url)
        calendar.add_component(component)
    add_zones(calendar)
    return calendar.to_ical()


def _join_url(row: Registration, site_settings: ZoomSettings) -> str:
    if not mails.join_allowed(row, site_settings):
        return ""
    try:
        return links.site_origin(site_settings) + tokens.join_path(row)
    except NoReverseMatch:
        return ""
