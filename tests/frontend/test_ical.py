"""The calendar files."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar
from wagtail.models import Site

from tests.blocks import rows
from tests.ical_readers import read_with_vobject
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Meeting, Occurrence, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True)
    return host


def read_calendar(client, url):
    response = client.get(url)
    assert response.status_code == 200 and response["Content-Type"].startswith("text/calendar")
    assert "max-age=300" in response["Cache-Control"] and not response.cookies
    return Calendar.from_ical(response.content), response.content.decode()


def test_one_occurrence(client, site, host):
    row = rows.occurrence(
        host, topic="Heat; pumps, at home", start=datetime(2027, 7, 1, 16, tzinfo=UTC)
    )
    ical, text = read_calendar(client, links.calendar_url(site.pk, row))
    event = ical.walk("VEVENT")[0]
    assert event["uid"] == f"{row.public_id}@wagtail-zoom"
    assert str(event["summary"]) == "Heat; pumps, at home"
    assert event["dtstart"].dt == row.start and "TZID=Europe/Berlin:20270701T180000" in text
    assert "BEGIN:VTIMEZONE" in text and event["status"] == "CONFIRMED"


def test_a_file_is_no_scheduling_message(client, site, host):
    """METHOD:PUBLISH requires ORGANIZER, which is for events with attendees (RFC 5546, 5545)."""
    row = rows.occurrence(host)
    for url in (links.calendar_url(site.pk, row), links.site_calendar_url()):
        ical, text = read_calendar(client, url)
        assert "METHOD" not in ical and "ORGANIZER" not in text
        assert {"PRODID", "VERSION"} <= set(ical)
        required = {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "SEQUENCE"}
        assert required <= set(ical.walk("VEVENT")[0])


@pytest.mark.parametrize("topic", ["", "   ", "\u200b", "\u2060\xad"])
def test_a_meeting_without_a_topic_has_the_title_of_the_page(client, site, host, topic):
    row = rows.occurrence(host, topic=topic)
    for url in (links.calendar_url(site.pk, row), links.site_calendar_url()):
        event = read_calendar(client, url)[0].walk("VEVENT")[0]
        assert str(event["summary"]) == "Zoom meeting"


def test_the_same_instants_on_both_sides_of_a_clock_change(client, site, host):
    for start in (datetime(2027, 3, 27, 18, tzinfo=UTC), datetime(2027, 3, 28, 17, tzinfo=UTC)):
        row = rows.occurrence(host, start=start)
        ical, text = read_calendar(client, links.calendar_url(site.pk, row))
        assert ical.walk("VEVENT")[0]["dtstart"].dt == start
        assert "T190000" in text


def test_moved_keeps_its_uid_and_cancelled_has_the_status(client, site, host):
    row = rows.occurrence(host)
    first, _text = read_calendar(client, links.calendar_url(site.pk, row))
    Occurrence.objects.filter(pk=row.pk).update(
        start=row.start + DAY, end=row.end + DAY, sequence=1, state="moved"
    )
    second, _text = read_calendar(client, links.calendar_url(site.pk, row))
    first_event, second_event = first.walk("VEVENT")[0], second.walk("VEVENT")[0]
    assert first_event["uid"] == second_event["uid"] and second_event["sequence"] == 1
    assert second_event["dtstart"].dt - first_event["dtstart"].dt == DAY
    Occurrence.objects.filter(pk=row.pk).update(state="cancelled", sequence=2)
    cancelled_event = read_calendar(client, links.calendar_url(site.pk, row))[0].walk("VEVENT")[0]
    assert (
        cancelled_event["status"] == "CANCELLED"
        and "/zoom/join/" not in cancelled_event.to_ical().decode()
    )


@pytest.mark.parametrize(("policy", "has_join_link"), [("window", True), ("registrants", False)])
def test_no_zoom_link_and_join_link_by_policy(client, site, host, policy, has_join_link):
    """X26: a feed is public."""
    ZoomSettings.objects.update(join_policy=policy)
    row = rows.occurrence(host, agenda="https://zoom.us/j/9?pwd=canary")
    text = read_calendar(client, links.calendar_url(site.pk, row))[1].replace("\r\n ", "")
    assert "hush" not in text and "canary" not in text and "zoom.example" not in text
    assert ("/zoom/join/" in text) == has_join_link


def test_a_topic_cannot_add_lines(client, site, host):
    """X17: CR and LF stay inside the value."""
    row = rows.occurrence(
        host, topic="A\r\nATTENDEE:mailto:x@example.org", agenda="B\r\nBEGIN:VALARM"
    )
    text = read_calendar(client, links.calendar_url(site.pk, row))[1]
    assert "\r\nATTENDEE" not in text and "\r\nBEGIN:VALARM" not in text


def test_a_site_that_shows_nothing_has_no_calendar(client, site, host):
    """Not even an empty one with its name: it is not chosen yet, or it is over."""
    rows.occurrence(host)
    url = links.site_calendar_url()
    assert client.get(url).status_code == 200
    ZoomSettings.objects.update(configured_at=None)
    assert client.get(url).status_code == 404


def test_series_and_site_calendars(client, site, host):
    row = rows.occurrence(host, zoom_type=8, topic="Series")
    Occurrence.objects.create(
        meeting=row.meeting,
        account=row.account,
        zoom_id="2",
        start=row.start + DAY,
        end=row.end + DAY,
    )
    rows.occurrence(host, kind="webinar", topic="Other")
    item = rows.item(site, row.meeting)
    series, text = read_calendar(client, links.series_calendar_url(item))
    assert len(series.walk("VEVENT")) == 2 and "REFRESH-INTERVAL" in text
    assert len(read_calendar(client, links.site_calendar_url())[0].walk("VEVENT")) == 3
    webinars = read_calendar(client, links.site_calendar_url() + "?kind=webinar")[0]
    assert [str(event["summary"]) for event in webinars.walk("VEVENT")] == ["Other"]
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    headers = {"host": other.hostname}
    for url in (
        links.series_calendar_url(item),
        links.site_calendar_url(),
        links.calendar_url(site.pk, row),
    ):
        assert client.get(url, headers=headers).status_code == 404


ZONES = {
    "Europe/Berlin": (datetime(2027, 3, 27, 18), datetime(2027, 3, 28, 17)),
    "America/New_York": (datetime(2027, 11, 6, 22), datetime(2027, 11, 7, 23)),
    "Australia/Sydney": (datetime(2027, 4, 3, 8), datetime(2027, 4, 4, 9)),
}
"""Instants before and after a clock change, at the same local time."""


@pytest.mark.parametrize("zone", ZONES)
def test_an_independent_reader_finds_the_right_instants(client, site, host, zone):
    """Parsed by another library, which uses only the zone rules of our file."""
    before, after = (instant.replace(tzinfo=UTC) for instant in ZONES[zone])
    first = rows.occurrence(host, start=before, zoom_type=8, topic="Weekly")
    Meeting.objects.filter(pk=first.meeting_id).update(timezone=zone)
    fields = {"meeting": first.meeting, "account": first.account}
    moved = Occurrence.objects.create(
        **fields, zoom_id="2", start=after, end=after + HOUR, state="moved", sequence=3,
        previous_start=before + 2 * HOUR,
    )  # fmt: skip
    cancelled = Occurrence.objects.create(
        **fields, zoom_id="3", start=after + 7 * DAY, end=after + 7 * DAY + HOUR,
        state="cancelled", sequence=1,
    )  # fmt: skip
    item = rows.item(site, first.meeting)
    text = client.get(links.series_calendar_url(item)).content.decode()
    events = {vevent.uid.value: vevent for vevent in read_with_vobject(text).vevent_list}
    assert len(events) == 3
    hours = set()
    for row in (first, moved, cancelled):
        event = events[f"{row.public_id}@wagtail-zoom"]
        assert event.dtstart.value.astimezone(UTC) == row.start
        assert event.dtend.value - event.dtstart.value == HOUR
        assert int(event.sequence.value) == row.sequence
        assert "recurrence_id" not in event.contents
        hours.add(event.dtstart.value.hour)
    assert len(hours) == 1, "the same local hour before and after the change"
    assert events[f"{cancelled.public_id}@wagtail-zoom"].status.value == "CANCELLED"
    assert events[f"{moved.public_id}@wagtail-zoom"].status.value == "CONFIRMED"
