"""Times in the time zone of the event."""

from datetime import UTC, datetime

import pytest

from wagtail_zoom.frontend.datetimes import in_zone, length, zone_label

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
