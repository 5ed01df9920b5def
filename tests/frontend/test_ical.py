"""The calendar files."""

from datetime import UTC, datetime, timedelta

import pytest
import vobject
from django.utils import timezone
from icalendar import Calendar
from wagtail.models import Site

from tests.blocks import rows
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
    rows.choice(site, host.account, host, show_webinars=True)
    return host


def read(client, url):
    response = client.get(url)
    assert response.status_code == 200 and response["Content-Type"].startswith("text/calendar")
    assert "max-age=300" in response["Cache-Control"] and not response.cookies
    return Calendar.from_ical(response.content), response.content.decode()


def test_one_date(client, site, host):
    row = rows.date(host, topic="Heat; pumps, at home", start=datetime(2027, 7, 1, 16, tzinfo=UTC))
    made, text = read(client, links.calendar(site.pk, row))
    event = made.walk("VEVENT")[0]
    assert event["uid"] == f"{row.public_id}@wagtail-zoom"
    assert str(event["summary"]) == "Heat; pumps, at home"
    assert event["dtstart"].dt == row.start and "TZID=Europe/Berlin:20270701T180000" in text
    assert "BEGIN:VTIMEZONE" in text and event["status"] == "CONFIRMED"


def test_the_same_instants_on_both_sides_of_a_clock_change(client, site, host):
    for start in (datetime(2027, 3, 27, 18, tzinfo=UTC), datetime(2027, 3, 28, 17, tzinfo=UTC)):
        row = rows.date(host, start=start)
        made, text = read(client, links.calendar(site.pk, row))
        assert made.walk("VEVENT")[0]["dtstart"].dt == start
        assert "T190000" in text


def test_moved_keeps_its_uid_and_cancelled_says_so(client, site, host):
    row = rows.date(host)
    first, _text = read(client, links.calendar(site.pk, row))
    Occurrence.objects.filter(pk=row.pk).update(
        start=row.start + DAY, end=row.end + DAY, sequence=1, state="moved"
    )
    second, _text = read(client, links.calendar(site.pk, row))
    one, two = first.walk("VEVENT")[0], second.walk("VEVENT")[0]
    assert one["uid"] == two["uid"] and two["sequence"] == 1
    assert two["dtstart"].dt - one["dtstart"].dt == DAY
    Occurrence.objects.filter(pk=row.pk).update(state="cancelled", sequence=2)
    third = read(client, links.calendar(site.pk, row))[0].walk("VEVENT")[0]
    assert third["status"] == "CANCELLED" and "/zoom/join/" not in third.to_ical().decode()


@pytest.mark.parametrize(("policy", "has_door"), [("window", True), ("registrants", False)])
def test_no_link_of_zooms_and_ours_by_policy(client, site, host, policy, has_door):
    """X26: a feed is as public as it gets."""
    ZoomSettings.objects.update(join_policy=policy)
    row = rows.date(host, agenda="https://zoom.us/j/9?pwd=canary")
    text = read(client, links.calendar(site.pk, row))[1].replace("\r\n ", "")
    assert "hush" not in text and "canary" not in text and "zoom.example" not in text
    assert ("/zoom/join/" in text) == has_door


def test_a_topic_cannot_add_lines(client, site, host):
    """X17: CR and LF stay inside the value."""
    row = rows.date(host, topic="A\r\nATTENDEE:mailto:x@example.org", agenda="B\r\nBEGIN:VALARM")
    text = read(client, links.calendar(site.pk, row))[1]
    assert "\r\nATTENDEE" not in text and "\r\nBEGIN:VALARM" not in text


def test_series_and_everything(client, site, host):
    row = rows.date(host, zoom_type=8, topic="Series")
    Occurrence.objects.create(
        meeting=row.meeting,
        account=row.account,
        zoom_id="2",
        start=row.start + DAY,
        end=row.end + DAY,
    )
    rows.date(host, kind="webinar", topic="Other")
    item = rows.item(site, row.meeting)
    made, text = read(client, links.series_calendar(item))
    assert len(made.walk("VEVENT")) == 2 and "REFRESH-INTERVAL" in text
    assert len(read(client, links.site_calendar())[0].walk("VEVENT")) == 3
    only = read(client, links.site_calendar() + "?kind=webinar")[0]
    assert [str(each["summary"]) for each in only.walk("VEVENT")] == ["Other"]
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    headers = {"host": other.hostname}
    for url in (links.series_calendar(item), links.site_calendar(), links.calendar(site.pk, row)):
        assert client.get(url, headers=headers).status_code == 404


ZONES = {
    "Europe/Berlin": (datetime(2027, 3, 27, 18), datetime(2027, 3, 28, 17)),
    "America/New_York": (datetime(2027, 11, 6, 22), datetime(2027, 11, 7, 23)),
    "Australia/Sydney": (datetime(2027, 4, 3, 8), datetime(2027, 4, 4, 9)),
}
"""Instants before and after a change of clocks, at the same hour on the wall."""


@pytest.mark.parametrize("zone", ZONES)
def test_shows_3_an_independent_reader_finds_the_right_instants(client, site, host, zone):
    """Another library, which takes the zone's rules from our file and from nowhere else."""
    before, after = (moment.replace(tzinfo=UTC) for moment in ZONES[zone])
    first = rows.date(host, start=before, zoom_type=8, topic="Weekly")
    Meeting.objects.filter(pk=first.meeting_id).update(timezone=zone)
    more = {"meeting": first.meeting, "account": first.account}
    moved = Occurrence.objects.create(
        **more, zoom_id="2", start=after, end=after + HOUR, state="moved", sequence=3,
        previous_start=before + 2 * HOUR,
    )  # fmt: skip
    off = Occurrence.objects.create(
        **more, zoom_id="3", start=after + 7 * DAY, end=after + 7 * DAY + HOUR,
        state="cancelled", sequence=1,
    )  # fmt: skip
    item = rows.item(site, first.meeting)
    text = client.get(links.series_calendar(item)).content.decode()
    found = {each.uid.value: each for each in vobject.readOne(text).vevent_list}
    assert len(found) == 3
    hours = set()
    for row in (first, moved, off):
        event = found[f"{row.public_id}@wagtail-zoom"]
        assert event.dtstart.value.astimezone(UTC) == row.start
        assert event.dtend.value - event.dtstart.value == HOUR
        assert int(event.sequence.value) == row.sequence
        assert "recurrence_id" not in event.contents
        hours.add(event.dtstart.value.hour)
    assert len(hours) == 1, "the same hour on the wall all through the change"
    assert found[f"{off.public_id}@wagtail-zoom"].status.value == "CANCELLED"
    assert found[f"{moved.public_id}@wagtail-zoom"].status.value == "CONFIRMED"
