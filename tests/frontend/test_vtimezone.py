"""VTIMEZONE components, parsed by dateutil and compared with the zone data."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar, Event

from wagtail_zoom.frontend.feeds.vtimezone import add_zones

ZONES = {
    "Europe/Berlin": "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    "America/New_York": "FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
    "Australia/Sydney": "FREQ=YEARLY;BYDAY=1SU;BYMONTH=10",
    "Asia/Kathmandu": "",
    "Africa/Casablanca": "",
    "Pacific/Apia": "",
}


def calendar_file(zone, *years):
    calendar = Calendar()
    for year in years:
        event = Event()
        event.add("dtstart", datetime(year, 7, 1, 12, tzinfo=ZoneInfo(zone)))
        calendar.add_component(event)
    add_zones(calendar)
    return calendar


@pytest.mark.parametrize(("zone", "rule"), ZONES.items())
def test_every_hour_of_the_files_years_has_the_right_offset(zone, rule):
    calendar = calendar_file(zone, 2026, 2027)
    text = calendar.walk("VTIMEZONE")[0].to_ical().decode()
    assert rule in text and (bool(rule) == ("RRULE" in text)) and "RDATE" not in text
    parsed_zone = tzical(io.StringIO(text.replace("\r\n", "\n"))).get()
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    while instant < datetime(2028, 1, 1, tzinfo=UTC):
        wall = instant.astimezone(ZoneInfo(zone))
        if wall.fold == 0:  # a repeated hour is ambiguous in a file
            naive = wall.replace(tzinfo=None)
            assert naive.replace(tzinfo=parsed_zone).utcoffset() == wall.utcoffset(), instant
        instant += timedelta(hours=1)


def test_only_named_zones_and_each_once():
    calendar = calendar_file("Europe/Berlin", 2026, 2026)
    assert len(calendar.walk("VTIMEZONE")) == 1
    assert calendar_file("UTC", 2026).walk("VTIMEZONE") == []
    assert calendar.to_ical().index(b"VTIMEZONE") < calendar.to_ical().index(b"VEVENT")
