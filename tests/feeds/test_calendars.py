"""The calendar files."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom import links
from wagtail_zoom.models import Occurrence, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


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
