"""Times in the time zone of the event."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
import time_machine
from django.utils import translation

from wagtail_zoom.frontend import zone_names
from wagtail_zoom.frontend.datetimes import TimeRange, day_and_time, in_zone, length, zone_label

SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_summer_time_of_the_zone():
    assert in_zone(SUMMER, "Europe/Berlin").hour == 14
    assert zone_label(SUMMER, "Europe/Berlin") == "Berlin time (CEST)"


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "/etc", "a\0b", "Europe"])
def test_falls_back_to_the_zone_of_the_site(name):
    assert in_zone(SUMMER, name) == SUMMER
    assert zone_label(SUMMER, name) == "UTC"


def test_a_number_and_its_unit_stay_on_one_line():
    """In a narrow column a line may break between hours and minutes only."""
    assert [length(minutes) for minutes in (1, 75, 90, 120, 125)] == [
        "1\u00a0minute",
        "75\u00a0minutes",
        "90\u00a0minutes",
        "2\u00a0hours",
        "2\u00a0hours 5\u00a0minutes",
    ]


WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "english", "german"),
    [
        ("Europe/Vienna", "Vienna time (CET)", "Ortszeit Wien (CET)"),
        ("Europe/Kiev", "Kyiv time (EET)", "Ortszeit Kiew (EET)"),
        ("Europe/Kyiv", "Kyiv time (EET)", "Ortszeit Kiew (EET)"),
        ("Asia/Calcutta", "Kolkata time (IST)", "Ortszeit Kalkutta (IST)"),
        ("Asia/Katmandu", "Kathmandu time (UTC+05:45)", "Ortszeit Kathmandu (UTC+05:45)"),
        ("Asia/Rangoon", "Yangon time (UTC+06:30)", "Ortszeit Rangun (UTC+06:30)"),
        ("America/Sao_Paulo", "São Paulo time (UTC-03:00)", "Ortszeit São Paulo (UTC-03:00)"),
        ("America/Indiana/Tell_City", "Tell City time (CST)", "Ortszeit Tell City (CST)"),
        ("US/Eastern", "New York time (EST)", "Ortszeit New York (EST)"),
        ("EST5EDT", "New York time (EST)", "Ortszeit New York (EST)"),
        ("Singapore", "Singapore time (UTC+08:00)", "Ortszeit Singapur (UTC+08:00)"),
        ("Africa/Casablanca", "Casablanca time (UTC+01:00)", "Ortszeit Casablanca (UTC+01:00)"),
        ("EST", "EST", "EST"),
        ("Etc/GMT+5", "UTC-05:00", "UTC-05:00"),
        ("Etc/GMT-14", "UTC+14:00", "UTC+14:00"),
        ("Etc/Greenwich", "GMT", "GMT"),
        ("Etc/Zulu", "UTC", "UTC"),
        ("Factory", "UTC", "UTC"),
    ],
)  # fmt: skip
def test_zones_have_the_names_of_today_in_each_language(zone, english, german):
    assert zone_label(WINTER, zone) == english
    with translation.override("de"):
        assert zone_label(WINTER, zone) == german


def test_a_zone_without_a_city_has_the_abbreviation_of_the_day():
    assert zone_label(WINTER, "CET") == "Central European time (CET)"
    assert zone_label(SUMMER, "CET") == "Central European time (CEST)"


def test_no_zone_is_named_twice_or_by_raw_signs():
    """Of all zones: "CET time (CET)", "GMT+5 time", "UTC+0545", "DumontDUrville" are no names."""
    labels = {name: zone_label(WINTER, name) for name in sorted(available_timezones())}
    for name, label in labels.items():
        place, _bracket, short = label.partition(" (")
        assert place != f"{short.rstrip(')')} time", name
        assert not set(place) & set("/_+0123456789") or place.startswith("UTC"), name
        assert not re.search(r"UTC[+-](?!\d\d:\d\d)", label), name


def test_every_name_of_a_city_is_that_of_a_zone():
    cities = {name.rpartition("/")[2].replace("_", " ") for name in available_timezones()}
    assert set(zone_names.ALIASES) <= available_timezones()
    assert set(zone_names.ENGLISH) <= cities
    for names in zone_names.LOCAL.values():
        assert set(names) <= cities | set(zone_names.ENGLISH.values())


def test_a_time_with_its_day_names_the_zone():
    local = in_zone(datetime(2026, 11, 22, 8, 40, tzinfo=UTC), "Europe/Berlin")
    assert day_and_time(local).endswith("at 9:40 AM, Berlin time (CET)")


def time_range(start, minutes, zone):
    return TimeRange.of(start, start + timedelta(minutes=minutes), zone)


def test_an_hour_that_the_clock_shows_twice_has_its_zone():
    """Toronto puts the clock back at 06:00 UTC: 1:30 AM is there twice."""
    before = datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    twice = time_range(before, 60, "America/Toronto")
    assert (twice.starts, twice.ends) == ("1:30 AM", "1:30 AM")
    assert twice.zone == "Toronto time (EDT, later EST)" and twice.needs_zone
    second = time_range(before + timedelta(hours=1), 60, "America/Toronto")
    assert second.zone == "Toronto time (EST)" and second.needs_zone
    assert not time_range(before + timedelta(hours=3), 60, "America/Toronto").needs_zone


@time_machine.travel("2026-11-20")
def test_the_event_keeps_its_own_time_where_its_clock_differs():
    start = datetime(2026, 11, 26, 18, tzinfo=UTC)
    shown = time_range(start, 60, "Pacific/Kiritimati").on_clock("America/New_York")
    assert (shown.day, shown.starts, shown.ends) == ("Thursday 26 November", "1:00 PM", "2:00 PM")
    assert shown.own_text == "Friday 27 November, 8:00 AM to 9:00 AM Kiritimati time (UTC+14:00)"
    assert shown.own_start == "Fri 8:00 AM Kiritimati time (UTC+14:00)"
    assert time_range(start, 60, "Europe/Vienna").on_clock("Europe/Berlin").own is None
    until_the_change = time_range(datetime(2026, 10, 24, 12, tzinfo=UTC), 48 * 60, "Africa/Lagos")
    assert until_the_change.on_clock("Europe/Berlin").own is not None


def test_midnight_belongs_to_the_day_before():
    start = datetime(2026, 12, 31, 19, tzinfo=UTC)
    assert time_range(start, 240, "Europe/Berlin").last_date.isoformat() == "2026-12-31"
    assert time_range(start, 241, "Europe/Berlin").last_date.isoformat() == "2027-01-01"
