"""From the values of a form to Zoom and back: the same rule, sentence and hour, in every zone."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.examples import examples
from wagtail_zoom.admin.scheduling.forms import ChangeForm
from wagtail_zoom.client import client_for_site
from wagtail_zoom.mapping.parsing import parse_datetime
from wagtail_zoom.models import MeetingChange
from wagtail_zoom.scheduling import MeetingValues
from wagtail_zoom.scheduling.recurrence import MAX_DATES, RecurrenceRule

from .conftest import process_due, stored_dates, stored_meeting
from .test_recurrence import ZONES, fits, rules

pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "de", "fr", "es")
TODAY = date.today()
DAYS = st.dates(TODAY + timedelta(days=2), TODAY + timedelta(days=800))
SMALL = hypothesis_settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def schedule(connected):
    """Schedule something, and read it back from Zoom."""
    connected.zoom.change_account("borealis", daily_limits={"SCHEDULE": 1_000_000})
    numbers = iter(range(1_000_000))

    def run(**values):
        change = connected.schedule(f"round trip {next(numbers)}", **values)
        process_due()
        change.refresh_from_db()
        if change.state != MeetingChange.State.DONE:
            return change, None
        client = client_for_site(
            connected.site.pk, change.account, change.host_zoom_id, change.kind
        )
        return change, client.meeting(change.meeting_zoom_id, change.kind)

    return run


def starts_at(day, wall_time, zone):
    """The instants of this time of the clock on this day; a time left out is an hour later."""
    return {datetime.combine(day, wall_time, zone).replace(fold=fold).astimezone(UTC)
            for fold in (0, 1)}  # fmt: skip


@SMALL
@given(rules(DAYS), st.sampled_from(ZONES), st.times(), st.integers(1, 1440))
def test_a_series_comes_back_with_its_rule_sentence_and_hour(
    schedule, rule_and_day, zone_name, wall_time, duration
):
    """Also where the clocks change in between, and on the night in which they do."""
    (rule, first_day), zone = rule_and_day, ZoneInfo(zone_name)
    wall_time = wall_time.replace(second=0, microsecond=0)
    start = datetime.combine(first_day, wall_time, zone)
    change, stored = schedule(start=start, zone=zone_name, rule=rule, duration=duration)
    if stored is None:
        # A day of the month that does not come before the last day.
        assert change.error_class == "fields" and rule.until is not None
        return
    again = RecurrenceRule.from_zoom(stored["recurrence"], zone, first_day)
    assert again == rule
    for language in LANGUAGES:
        with translation.override(language):
            assert str(again) == str(rule)
    dates = stored_dates(stored_meeting(change))
    values = MeetingValues.from_zoom(stored)
    assert values.rule == rule and values.duration == duration and values.zone == zone_name
    assert MeetingValues.from_json(json.loads(json.dumps(values.as_json()))) == values
    at_zoom = {parse_datetime(row["start_time"]) for row in stored["occurrences"]}
    assert {row.start for row in dates} == at_zoom and len(dates) == len(at_zoom)
    assert {row.duration for row in dates} == {duration}
    assert len(dates) == rule.count if rule.count else len(dates) <= 60
    # A start that the clocks leave out is an hour later, for all dates: Zoom's wall clock has it.
    shown_time = start.astimezone(UTC).astimezone(zone).time()
    for row in dates:
        day = row.start.astimezone(zone).date()
        days = (day, day - timedelta(days=1))
        instants = [
            starts_at(start_day, hour, zone)
            for start_day in days
            for hour in (wall_time, shown_time)
        ]
        assert any(row.start in instant for instant in instants)
        assert fits(rule, day, first_day) or fits(rule, days[1], first_day)


@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(rules(DAYS), st.sampled_from(ZONES), st.times(), st.integers(1, 1440))
def test_a_form_reads_what_it_shows(rule_and_day, zone_name, wall_time, duration):
    """A form that is sent as it was shown changes nothing; with a new rule, it is this rule."""
    rule, first_day = rule_and_day
    wall_time = wall_time.replace(second=0, microsecond=0)
    start = datetime.combine(first_day, wall_time, ZoneInfo(zone_name))
    shown = MeetingValues(
        topic="Open evening", start=start, duration=duration, zone=zone_name, rule=rule,
        registration="automatic", waiting_room=True, recording="cloud",
    )  # fmt: skip
    data = QueryDict(mutable=True)
    data["key"] = "k"
    for name, value in ChangeForm.initial_of(shown).items():
        if isinstance(value, list):
            data.setlist(name, value)
        elif value not in (None, ""):
            data[name] = f"{value:%H:%M}" if isinstance(value, time) else str(value)
    same = ChangeForm(data, seen=shown, access=None, is_webinar=False)
    assert same.is_valid(), same.errors
    assert same.values().differences(shown) == []
    single = replace(shown, rule=RecurrenceRule())
    changed = ChangeForm(data, seen=single, access=None, is_webinar=False)
    days = rule.preview_dates(first_day)
    if 0 < len(days) <= MAX_DATES:
        assert changed.is_valid(), changed.errors
        assert changed.values().differences(single) == ["rule"]
    else:
        assert set(changed.errors) <= {"until", "count"}
    assert all(fits(rule, day, first_day) for day in days)


@SMALL
@given(DAYS, st.sampled_from(ZONES), st.times(), st.booleans())
def test_a_single_meeting_comes_back_at_its_instant(schedule, day, zone_name, wall_time, is_second):
    """Also in the hour that the clocks show twice."""
    zone = ZoneInfo(zone_name)
    start = datetime.combine(day, wall_time.replace(second=0, microsecond=0, fold=is_second), zone)
    change, stored = schedule(start=start, zone=zone_name)
    [row] = stored_dates(stored_meeting(change))
    assert row.start == parse_datetime(stored["start_time"]) == start.astimezone(UTC)
    assert stored["timezone"] == zone_name and "recurrence" not in stored
    assert str(RecurrenceRule.from_zoom(stored.get("recurrence"), zone, day)) == str(
        RecurrenceRule()
    )


@pytest.mark.parametrize(
    ("zone_name", "day", "first"),
    [
        # The clocks go back in the night before this day, forward, and by half an hour.
        ("Europe/Berlin", (10, 31), time(2, 30)),
        ("America/New_York", (3, 14), time(2, 30)),
        ("Australia/Lord_Howe", (4, 7), time(1, 45)),
    ],
)
def test_the_night_in_which_the_clocks_change(schedule, zone_name, day, first):
    year = TODAY.year + 1
    sunday = date(year, *day) - timedelta(days=date(year, *day).isoweekday() % 7)
    zone = ZoneInfo(zone_name)
    for fold in (0, 1):
        start = datetime.combine(sunday, first.replace(fold=fold), zone)
        _change, stored = schedule(start=start, zone=zone_name)
        assert parse_datetime(stored["start_time"]) == start.astimezone(UTC)
