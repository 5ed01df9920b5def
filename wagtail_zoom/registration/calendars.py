"""The calendar file of one person: the dates they signed up for, with their own way in."""

from __future__ import annotations

from django.urls import NoReverseMatch
from icalendar import Calendar

from ..frontend import links
from ..frontend.feeds.ical import PRODUCT, event
from ..frontend.feeds.vtimezone import add_zones
from ..models import Registration, SiteItem, ZoomSettings
from . import mails, tokens
from .dates import dates_of


def calendar_of(row: Registration, choice: ZoomSettings) -> bytes:
    """Events with the same identity as in the public calendar, so that a move moves them too."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    items = SiteItem.objects.for_site(row.site).filter(
        account=row.account_id, kind=row.snapshot.get("kind"), key=row.meeting_zoom_id
    )
    item = items.first()
    door = _door(row, choice)
    for date in dates_of(row):
        if date.occurrence is None:
            continue
        one = event(date.occurrence, item, choice)
        if door:
            for name in ("location", "url"):
                one.pop(name, None)
                one.add(name, door)
        made.add_component(one)
    add_zones(made)
    return made.to_ical()


def _door(row: Registration, choice: ZoomSettings) -> str:
    if not mails.lets_in(row, choice):
        return ""
    try:
        return links.site_origin(choice) + tokens.join_path(row)
    except NoReverseMatch:
        return ""
