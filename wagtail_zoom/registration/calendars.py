"""The calendar file of one person: the dates of registrations, with the personal join links."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from icalendar import Calendar

from ..frontend.feeds.ical import PRODID, Personal, event
from ..frontend.feeds.vtimezone import add_zones
from ..models import Registration, SiteItem, ZoomSettings
from .dates import dates_of
from .join_links import personal_join_url

FILE_NAME = "registration.ics"
ENDED_STATES = (Registration.State.CANCELLED, Registration.State.DENIED)
SEQUENCE_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""The seconds from then to the last change of the registration are added to SEQUENCE. So a calendar
program never replaces a personal entry by a public one, or by an older personal one."""


def calendar_of(rows: Iterable[Registration], site_settings: ZoomSettings) -> bytes:
    """An iCalendar file about registrations of one person; empty without a date.

    Its events have the same UIDs as those of the public calendar, so that an entry from there
    becomes the personal one. Those of a registration that has ended are cancelled.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    for row in rows:
        _add_events(calendar, row, site_settings)
    if not calendar.subcomponents:
        return b""
    add_zones(calendar)
    content: bytes = calendar.to_ical()
    return content


def _add_events(calendar: Calendar, row: Registration, site_settings: ZoomSettings) -> None:
    items = SiteItem.objects.for_site(row.site).filter(
        account=row.account_id, kind=row.snapshot.get("kind"), key=row.meeting_zoom_id
    )
    item, is_cancelled = items.first(), row.state in ENDED_STATES
    personal = Personal(
        join_url="" if is_cancelled else personal_join_url(row, site_settings),
        is_cancelled=is_cancelled,
        changed_at=row.state_since,
        sequence=int((row.state_since - SEQUENCE_EPOCH).total_seconds()),
    )
    for date in dates_of(row):
        if date.occurrence is not None:
            calendar.add_component(event(date.occurrence, item, site_settings, personal=personal))
