"""Dates of many time zones around each change of clocks: right, in order, none left out or doubled.

A sample in each run, 1,000 cases with ``make properties``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils.formats import date_format
from hypothesis import HealthCheck, example, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.blocks import rows
from tests.examples import examples
from wagtail_zoom.blocks import CalendarBlock, MeetingListBlock
from wagtail_zoom.models import Meeting, Occurrence

pytestmark = pytest.mark.django_db
ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Kiev", "Europe/Istanbul", "Atlantic/Azores",
    "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo",
    "America/Santiago", "America/Havana", "America/Nuuk", "America/Toronto", "America/Caracas",
    "Africa/Casablanca", "Africa/Cairo", "Africa/Lagos", "Asia/Kathmandu", "Asia/Kolkata",
    "Asia/Tokyo", "Asia/Jerusalem", "Asia/Beirut", "Asia/Tehran", "Australia/Lord_Howe",
    "Australia/Sydney", "Pacific/Kiritimati", "Pacific/Auckland", "Pacific/Chatham",
    "Pacific/Pago_Pago", "Pacific/Apia", "Etc/GMT+12", "CET",
)  # fmt: skip
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@cache
def changes(zone: str) -> list[datetime]:
    """When a zone changes its clocks, in UTC; two New Years for a zone that does not."""
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 2, tzinfo=UTC)
    times = list(_changes(zone, first, last))
    if zone == "Pacific/Apia":  # no 30 December 2011 there
        at_date_line = datetime(2011, 12, 29, tzinfo=UTC)
        times += _changes(zone, at_date_line, at_date_line + 3 * DAY)
    return times or [first, datetime(2027, 1, 1, tzinfo=UTC)]


def _changes(zone: str, first: datetime, last: datetime):
    clock = ZoneInfo(zone)
    steps = [first + number * DAY / 96 for number in range((last - first) // (DAY / 96))]
    offsets = [step.astimezone(clock).utcoffset() for step in steps]
    for before, after, step in zip(offsets, offsets[1:], steps[1:], strict=False):
        if before != after:
            yield step


@dataclass(frozen=True)
class Event:
    """A date as Zoom gives it. Without minutes Zoom knows no end."""

    zone: str
    start: datetime
    minutes: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes or 60)


@st.composite
def events(draw) -> list[Event]:
    """Some dates within two days of one change of clocks, in two or three zones."""
    zones = draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3))
    change = draw(st.sampled_from(changes(zones[0])))
    event = st.builds(
        lambda zone, quarters, minutes: Event(zone, change + quarters * HOUR / 4, minutes),
        st.sampled_from(zones),
        st.integers(-8, 8) | st.integers(-190, 190),
        st.sampled_from([0, 15, 45, 60, 90, 8 * 60, 24 * 60, 4 * 24 * 60]),
    )
    return draw(st.lists(event, min_size=1, max_size=6))


@dataclass
class Shown:
    """One date on the page."""

    title: str = ""
    day: str = ""
    text: str = ""
    times: list[str] = field(default_factory=list)
    """Of ``<time datetime>``."""


class Parsed(HTMLParser):
    """The dates of a layout in the order of the page. ``row``: tag and class of a date."""

    def __init__(self, html: str, inside: str, row: str) -> None:
        super().__init__()
        self.inside, self.row = inside, row
        self.days: list[str] = []
        self.zones: list[str] = []
        self.shown: list[Shown] = []
        self.stack: list[set[str]] = []
        self.feed(html)

    def is_inside(self, name: str) -> bool:
        return any(name in names for names in self.stack)

    def handle_starttag(self, tag, attrs):
        if tag in ("link", "img", "input"):
            return
        attributes = {name: value or "" for name, value in attrs}
        classes = attributes.get("class", "").split()
        self.stack.append({tag, *classes, *(f"{tag}.{name}" for name in classes)})
        if not self.is_inside(self.inside):
            return
        if "data-wz-zone" in attributes:
            self.zones.append(attributes["data-wz-zone"])
        if "data-wz-day" in attributes:
            self.days.append(attributes["data-wz-day"])
        if self.row in self.stack[-1]:
            self.shown.append(Shown(day=self.days[-1] if self.days else ""))
        elif tag == "time" and self.is_inside(self.row):
            self.shown[-1].times.append(attributes["datetime"])
        elif tag == "time":
            self.days.append(attributes["datetime"])

    def handle_endtag(self, tag):
        self.stack.pop()

    def handle_data(self, data):
        if self.is_inside(self.inside) and self.is_inside(self.row):
            shown = self.shown[-1]
            shown.text += data
            shown.title = shown.title or "".join(re.findall(r"Date \d+", data))


def create(host, dates: list[Event]) -> None:
    Meeting.objects.all().delete()
    for number, event in enumerate(dates):
        row = rows.occurrence(host, topic=f"Date {number}", start=event.start)
        Meeting.objects.filter(pk=row.meeting_id).update(timezone=event.zone)
        Occurrence.objects.filter(pk=row.pk).update(
            end=event.end, duration=event.minutes, has_end=bool(event.minutes)
        )


def clock_of(dates: list[Event]) -> str:
    """The zone of most, of the newest where several have as many."""
    counted = Counter(event.zone for event in reversed(dates))
    return counted.most_common(1)[0][0]


def written(value: datetime) -> str:
    return date_format(value, "g:i A")


def check_row(shown: Shown, event: Event, clock: ZoneInfo) -> None:
    """The day, the times and the time in the zone of the event."""
    start, end = event.start.astimezone(clock), event.end.astimezone(clock)
    assert written(start) in shown.text
    assert datetime.fromisoformat(shown.times[0]) == event.start
    assert (f" to {written(end)}" in shown.text or f", {written(end)}" in shown.text) == bool(
        event.minutes
    )
    if start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset():
        name = start.tzname()
        offset = f"UTC{name[:3]}" if start.utcoffset() else "UTC)"
        assert (name if name.isalpha() else offset) in shown.text
    own = ZoneInfo(event.zone)
    own_start, own_end = event.start.astimezone(own), event.end.astimezone(own)
    if (own_start.utcoffset(), own_end.utcoffset()) != (start.utcoffset(), end.utcoffset()):
        rest = shown.text.partition(written(start))[2]
        assert written(own_start) in rest
        assert own_start.date() == start.date() or date_format(own_start, "l j F") in rest


def covered_days(event: Event, clock: ZoneInfo) -> list[date]:
    """The days of which a part is within the event, found by instants alone."""
    days, day = [], event.start.astimezone(clock).date() - DAY
    while len(days) < 40:
        begins = datetime.combine(day, time(), clock).astimezone(UTC)
        ends = datetime.combine(day + DAY, time(), clock).astimezone(UTC)
        if begins >= event.end:
            break
        if max(begins, event.start) < min(ends, event.end):
            days.append(day)
        day += DAY
    return days if event.minutes else days[:1]


def months(first: date, last: date) -> list[str]:
    return sorted({f"{first + number * DAY:%Y-%m}" for number in range((last - first).days + 1)})


@pytest.mark.timeout(3600)
@trials(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(dates=events())
@example(
    dates=[
        Event("America/New_York", datetime(2026, 11, 26, 11, 30, tzinfo=UTC), 60),
        Event("Pacific/Kiritimati", datetime(2026, 11, 26, 18, tzinfo=UTC), 60),
    ]
)
@example(dates=[Event("Europe/Berlin", datetime(2026, 12, 31, 19, tzinfo=UTC), 420)])
@example(dates=[Event("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC), 60)])
@example(dates=[Event("Pacific/Apia", datetime(2011, 12, 29, 20, tzinfo=UTC), 4 * 24 * 60)])
def test_every_date_is_shown_once_at_the_right_time(render_block, host, rf, dates):
    first = min(event.start for event in dates)
    with time_machine.travel(first - HOUR, tick=False):
        create(host, dates)
        clock = ZoneInfo(clock_of(dates))
        in_order = sorted(range(len(dates)), key=lambda number: (dates[number].start, number))
        titles = [f"Date {number}" for number in in_order]

        agenda = Parsed(
            render_block(MeetingListBlock(), layout="agenda"), "wz-agenda", "li.wz-slot"
        )
        assert agenda.zones == [str(clock)]
        assert [shown.title for shown in agenda.shown] == titles
        assert agenda.days == sorted(set(agenda.days))
        for shown, number in zip(agenda.shown, in_order, strict=True):
            check_row(shown, dates[number], clock)
            assert shown.day == dates[number].start.astimezone(clock).date().isoformat()

        table = Parsed(render_block(MeetingListBlock(), layout="table"), "tbody", "tr")
        assert [shown.title for shown in table.shown] == titles
        for shown, number in zip(table.shown, in_order, strict=True):
            check_row(shown, dates[number], clock)
            assert date_format(dates[number].start.astimezone(clock), "l j F") in shown.text

        expected = {
            (f"Date {number}", day.isoformat())
            for number, event in enumerate(dates)
            for day in covered_days(event, clock)
        }
        last = max(event.end for event in dates)
        for row, inside in (("li", "wz-month"), ("li.wz-slot", "wz-agenda")):
            in_cells = []
            for month in months(first.date() - 2 * DAY, last.date() + 2 * DAY):
                html = render_block(CalendarBlock(), rf.get(f"/?wz-1-month={month}"))
                calendar = Parsed(html, inside, row)
                in_cells += [(shown.title, shown.day) for shown in calendar.shown]
                assert set(calendar.zones) <= {str(clock)}
            assert sorted(in_cells) == sorted(expected), inside
