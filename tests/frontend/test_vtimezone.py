"""The zones' rules in calendar files, read by dateutil and compared with the zone data itself."""

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


def file(zone, *years):
    made = Calendar()
    for year in years:
        event = Event()
        event.add("dtstart", datetime(year, 7, 1, 12, tzinfo=ZoneInfo(zone)))
        made.add_component(event)
    add_zones(made)
    return made


@pytest.mark.parametrize(("zone", "rule"), ZONES.items())
def test_every_hour_of_the_files_years_is_right(zone, rule):
    made = file(zone, 2026, 2027)
    text = made.walk("VTIMEZONE")[0].to_ical().decode()
    assert rule in text and (bool(rule) == ("RRULE" in text)) and "RDATE" not in text
    read = tzical(io.StringIO(text.replace("\r\n", "\n"))).get()
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment < datetime(2028, 1, 1, tzinfo=UTC):
        wall = moment.astimezone(ZoneInfo(zone))
        if wall.fold == 0:  # the hour that comes twice cannot be named in a file
            naive = wall.replace(tzinfo=None)
            assert naive.replace(tzinfo=read).utcoffset() == wall.utcoffset(), moment
        moment += timedelta(hours=1)


def test_only_named_zones_and_each_once():
    made = file("Europe/Berlin", 2026, 2026)
    assert len(made.walk("VTIMEZONE")) == 1
    assert file("UTC", 2026).walk("VTIMEZONE") == []
    assert made.to_ical().index(b"VTIMEZONE") < made.to_ical().index(b"VEVENT")
