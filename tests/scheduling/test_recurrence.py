"""A rule comes back from Zoom as it was sent, and says in words what Zoom makes of it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.examples import examples
from wagtail_zoom.scheduling.recurrence import (
    MAX_INTERVALS,
    Frequency,
    RecurrenceRule,
    UnknownRule,
    weekday_of,
)
from wagtail_zoom.testing.simulator.clock import parse
from wagtail_zoom.testing.simulator.recurrence import expand
from wagtail_zoom.testing.simulator.schedule_form import check_schedule

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe",
    "Africa/Casablanca", "Asia/Kolkata", "Asia/Beirut", "Pacific/Kiritimati", "UTC",
]  # fmt: skip
DAYS = st.dates(date(2026, 12, 1), date(2029, 12, 31))
NEVER, DAILY, WEEKLY, MONTHLY = Frequency


@st.composite
def rules(draw, days=DAYS):
    """A rule that Zoom accepts, with a first day."""
    first_day = draw(days)
    frequency = draw(st.sampled_from([DAILY, WEEKLY, MONTHLY]))
    values = {"interval": draw(st.integers(1, MAX_INTERVALS[frequency]))}
    if frequency == WEEKLY:
        values["weekdays"] = draw(st.frozensets(st.integers(1, 7), min_size=1))
    elif frequency == MONTHLY and draw(st.booleans()):
        values["month_week"] = draw(st.sampled_from([1, 2, 3, 4, -1]))
        values["month_weekday"] = draw(st.integers(1, 7))
    elif frequency == MONTHLY:
        values["month_day"] = draw(st.integers(1, 31))
    if draw(st.booleans()):
        values["count"] = draw(st.integers(1, 60))
    else:
        values["until"] = first_day + timedelta(days=draw(st.integers(0, 700)))
    return RecurrenceRule(frequency, **values), first_day


def fits(rule, day, first_day):
    """Whether the sentence of a rule holds for a day; not its interval of weeks and months."""
    if rule.until:
        assert day <= rule.until
    if rule.frequency == DAILY:
        return (day - first_day).days % rule.interval == 0
    if rule.frequency == WEEKLY:
        return weekday_of(day) in rule.weekdays
    if rule.month_day:
        return day.day == rule.month_day
    week = (day.day - 1) // 7 + 1
    is_last = (day + timedelta(days=7)).month != day.month
    return weekday_of(day) == rule.month_weekday and (
        is_last if rule.month_week == -1 else week == rule.month_week
    )


@hypothesis_settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(rules(), st.sampled_from(ZONES), st.times(time(4), time(22)))
def test_a_rule_comes_back_as_it_was_sent(rule_and_day, zone_name, wall_time):
    """The wall clock of every date is the same, also after the clocks have changed."""
    (rule, first_day), zone = rule_and_day, ZoneInfo(zone_name)
    wall_time = wall_time.replace(second=0, microsecond=0)
    rule.clean(first_day)
    sent = rule.to_zoom(zone)
    start = datetime.combine(first_day, wall_time, zone)
    body = {"topic": "T", "type": 8, "start_time": f"{start:%Y-%m-%dT%H:%M:%S}", "recurrence": sent}
    check_schedule("meeting", body, None)
    again = RecurrenceRule.from_zoom(sent, zone, first_day)
    assert again == rule and hash(again) == hash(rule)
    for language in ("en", "de", "fr", "es"):
        with translation.override(language):
            assert str(again) == str(rule)
    dates = [
        parse(row["start_time"]).astimezone(zone)
        for row in expand(start.astimezone(UTC), zone_name, 60, sent)
    ]
    assert {day.time() for day in dates} <= {wall_time}
    assert all(fits(rule, day.date(), first_day) for day in dates)
    assert len(dates) == rule.count if rule.count else len(dates) <= 60


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (RecurrenceRule(), "It does not repeat."),
        (RecurrenceRule(DAILY, count=1), "Every day. There is one date."),
        (RecurrenceRule(DAILY, 2, count=10), "Every 2 days. There are 10 dates."),
        (
            RecurrenceRule(WEEKLY, weekdays=frozenset({1, 2, 5}), until=date(2027, 3, 30)),
            "Every week on Monday, Thursday and Sunday. The last day is March 30, 2027.",
        ),
        (
            RecurrenceRule(WEEKLY, 3, weekdays=frozenset({3}), count=4),
            "Every 3 weeks on Tuesday. There are 4 dates.",
        ),
        (
            RecurrenceRule(MONTHLY, month_day=15, count=6),
            "Every month on day 15. There are 6 dates.",
        ),
        (
            RecurrenceRule(MONTHLY, 2, month_week=-1, month_weekday=6, count=6),
            "Every 2 months on the last Friday. There are 6 dates.",
        ),
    ],
)
def test_a_rule_in_words(rule, words):
    rule.clean(date(2027, 1, 4))
    assert str(rule) == words


@pytest.mark.parametrize(
    ("rule", "field", "text"),
    [
        (RecurrenceRule(DAILY, 91, count=2), "interval", "number of days from 1 to 90"),
        (
            RecurrenceRule(WEEKLY, 13, frozenset({1}), count=2),
            "interval",
            "number of weeks from 1 to 12",
        ),
        (
            RecurrenceRule(MONTHLY, 4, month_day=1, count=2),
            "interval",
            "number of months from 1 to 3",
        ),
        (RecurrenceRule(DAILY, 0, count=2), "interval", "from 1"),
        (RecurrenceRule(WEEKLY, count=2), "weekdays", "at least one day"),
        (RecurrenceRule(WEEKLY, weekdays=frozenset({8}), count=2), "weekdays", "at least one day"),
        (RecurrenceRule(MONTHLY, count=2), "month_day", "Select a day of the month"),
        (RecurrenceRule(MONTHLY, month_day=32, count=2), "month_day", "from 1 to 31"),
        (
            RecurrenceRule(MONTHLY, month_day=3, month_week=1, month_weekday=2, count=2),
            "month_day",
            "not both",
        ),
        (
            RecurrenceRule(MONTHLY, month_week=5, month_weekday=2, count=2),
            "month_weekday",
            "which weekday",
        ),
        (RecurrenceRule(MONTHLY, month_week=1, count=2), "month_weekday", "which weekday"),
        (RecurrenceRule(DAILY), "count", "either a number of dates or a last day"),
        (RecurrenceRule(DAILY, count=2, until=date(2027, 2, 1)), "count", "either"),
        (RecurrenceRule(DAILY, count=61), "count", "from 1 to 60"),
        (RecurrenceRule(DAILY, until=date(2027, 1, 3)), "until", "before the first date"),
    ],
)
def test_what_zoom_refuses_is_said_beside_the_field(rule, field, text):
    with pytest.raises(ValidationError) as caught:
        rule.clean(date(2027, 1, 4))
    assert list(caught.value.message_dict) == [field]
    assert text in caught.value.message_dict[field][0]


def test_what_zoom_leaves_out_is_that_of_the_first_day():
    """2027-03-09 is a Tuesday."""
    day = date(2027, 3, 9)
    read = {"type": 2, "end_times": 4}
    assert RecurrenceRule.from_zoom(read, BERLIN, day) == RecurrenceRule(
        WEEKLY, weekdays=frozenset({3}), count=4
    )
    assert RecurrenceRule.from_zoom({**read, "type": 3}, BERLIN, day) == RecurrenceRule(
        MONTHLY, month_day=9, count=4
    )
    by_week = {**read, "type": 3, "monthly_week": 2}
    assert RecurrenceRule.from_zoom(by_week, BERLIN, day) == RecurrenceRule(
        MONTHLY, month_week=2, month_weekday=3, count=4
    )
    assert RecurrenceRule.from_zoom(None, BERLIN, day) == RecurrenceRule()
    assert RecurrenceRule().to_zoom(BERLIN) is None


@pytest.mark.parametrize(
    "recurrence",
    [
        {"type": 4, "end_times": 2},
        {"end_times": 2},
        {"type": 1},
        {"type": 2, "weekly_days": "x", "end_times": 2},
        {"type": 1, "repeat_interval": 100, "end_times": 2},
    ],
)
def test_a_rule_that_is_not_known(recurrence):
    with pytest.raises(UnknownRule):
        RecurrenceRule.from_zoom(recurrence, BERLIN, date(2027, 3, 9))


def test_the_last_day_counts_whole_in_the_zone():
    """Until the end of the day on Kiritimati, which is the morning of the same day in UTC."""
    rule = RecurrenceRule(DAILY, until=date(2027, 1, 6))
    zone = ZoneInfo("Pacific/Kiritimati")
    assert rule.to_zoom(zone)["end_date_time"] == "2027-01-06T09:59:59Z"
    start = datetime(2027, 1, 4, 23, 0, tzinfo=zone)
    assert len(expand(start.astimezone(UTC), zone.key, 60, rule.to_zoom(zone))) == 3
