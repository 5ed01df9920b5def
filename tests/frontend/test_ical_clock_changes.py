"""Calendar files in the hours around each change of clocks, read back by two independent parsers.

``icalendar`` uses the zone data of this machine; ``vobject`` uses only the rules in the file. A
sample in each run, a thousand with ``make properties``.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from icalendar import Calendar
from wagtail.models import Site

from tests.blocks import rows
from tests.examples import examples
from tests.ical_readers import read_with_vobject
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Meeting, Occurrence
from wagtail_zoom.models.mirror import planned_end

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
YEARS = range(2026, 2031)
ZONES = (
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Chicago", "America/Denver",
    "America/Havana", "America/Los_Angeles", "America/Miquelon", "America/New_York",
    "America/Nuuk", "America/Phoenix", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
    "America/Toronto", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem",
    "Asia/Kathmandu", "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Sydney",
    "Europe/Berlin", "Europe/Chisinau", "Europe/Dublin", "Europe/London", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Easter", "Pacific/Norfolk", "UTC",
)  # fmt: skip


@cache
def clock_changes(name: str) -> list[datetime]:
    """The instants at which the zone's offset changes; the first of a year where it never does."""
    zone, changes = ZoneInfo(name), []
    instant = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while instant.year in YEARS:
        later = instant + 6 * HOUR
        if instant.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            change = instant
            while change.astimezone(zone).utcoffset() == instant.astimezone(zone).utcoffset():
                change += MINUTE
            changes.append(change)
        instant = later
    return changes or [datetime(YEARS[0], 1, 1, tzinfo=UTC)]


CASES = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(st.just(zone), st.sampled_from(clock_changes(zone)))
)


@pytest.fixture
def published():
    """One published meeting and the URL of its calendar file."""
    site = Site.objects.get(is_default_site=True)
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host)
    row = rows.occurrence(host, topic="Night shift")
    return row, links.calendar_url(site.pk, row)


def change_at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@hypothesis_settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(case=("America/Toronto", change_at("2027-11-07T06:00")), before=30, minutes=60)
@example(case=("America/Toronto", change_at("2027-11-07T06:00")), before=-15, minutes=60)
@example(case=("America/Toronto", change_at("2027-11-07T06:00")), before=0, minutes=1)
@example(case=("America/Toronto", change_at("2027-11-07T06:00")), before=60, minutes=60)
@example(case=("America/Santiago", change_at("2027-04-04T03:00")), before=30, minutes=60)
@example(case=("Australia/Lord_Howe", change_at("2027-04-03T15:00")), before=-10, minutes=60)
@example(case=("Antarctica/Troll", change_at("2027-10-31T01:00")), before=-70, minutes=60)
@given(
    case=CASES,
    before=st.integers(-4 * 60, 4 * 60),
    minutes=st.integers(0, 8 * 60) | st.just(2 * 24 * 60),
)
def test_every_reader_finds_the_instants(client, published, case, before, minutes):
    """``before``: minutes from the start to the change; ``minutes``: 0 where Zoom gives no end."""
    zone, change = case
    row, url = published
    start = change - before * MINUTE
    end = planned_end(start, minutes)
    Meeting.objects.update(timezone=zone)
    Occurrence.objects.update(start=start, end=end, has_end=bool(minutes))
    text = client.get(url).content.decode()
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    vevent = read_with_vobject(text).vevent
    for value in (event["dtstart"].dt, vevent.dtstart.value):
        assert value.astimezone(UTC) == start
    if minutes:
        for value in (event["dtend"].dt, vevent.dtend.value):
            assert value.astimezone(UTC) == end
        # Also for a reader that compares the written times of a zone, without its offsets.
        assert event["dtstart"].params.get("TZID") == event["dtend"].params.get("TZID")
        assert event["dtstart"].dt.replace(tzinfo=None) < event["dtend"].dt.replace(tzinfo=None)
    else:
        assert "dtend" not in event and not hasattr(vevent, "dtend")
    assert_zones_are_complete(text, [start, end])


def assert_zones_are_complete(text, instants):
    """Each zone that is named is defined, with the offset of each instant."""
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    times = [event[name] for name in ("dtstart", "dtend") if name in event]
    named = {str(time.params["TZID"]) for time in times if "TZID" in time.params}
    definitions = {str(zone["tzid"]): zone for zone in calendar.walk("VTIMEZONE")}
    assert set(definitions) == named
    for name, definition in definitions.items():
        source = io.StringIO(definition.to_ical().decode().replace("\r\n", "\n"))
        zone = tzical(source).get()
        for instant in instants[: len(times)]:
            local = instant.astimezone(ZoneInfo(name))
            assert local.replace(tzinfo=zone, fold=0).utcoffset() == local.utcoffset()
