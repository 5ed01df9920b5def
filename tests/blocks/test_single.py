"""The blocks about one meeting and the calendar."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import CalendarBlock, MeetingBlock, NextMeetingBlock, ZoomStreamBlock
from wagtail_zoom.models import Meeting, Occurrence, SiteItem
from wagtail_zoom.streamfield.calendar import month_table, requested_month

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def show(render_block, site):
    def show(occurrence, **values):
        return render_block(MeetingBlock(), item=rows.item(site, occurrence.meeting).pk, **values)

    return show


def test_upcoming_with_details_and_calendar(show, host):
    html = show(rows.occurrence(host, topic="Heat", agenda="Bring <b>questions</b>"))
    assert "Heat" in html and "Bring <b>questions</b>" in html and "Host h1" in html
    assert "/zoom/calendar/date/" in html and "wz-big" in html


@pytest.mark.parametrize("zoom_type", [2, 3])
def test_an_item_of_a_former_account_shows_no_meeting_of_the_present_one(
    render_block, site, host, zoom_type
):
    """With a date and without a fixed time: numbers repeat in other accounts."""
    occurrence = rows.occurrence(host, topic="Of the present account", zoom_type=zoom_type)
    meeting = occurrence.meeting
    if zoom_type == 3:
        occurrence.delete()
    item = rows.item(site, meeting)
    assert "Of the present account" in render_block(MeetingBlock(), item=item.pk)
    SiteItem.objects.filter(pk=item.pk).update(account=rows.account())
    html = render_block(MeetingBlock(), item=item.pk)
    assert "Of the present account" not in html
    assert "This meeting is no longer available." in html


def test_live_over_cancelled_and_moved(show, host, site):
    assert "/zoom/join/" in show(rows.occurrence(host, start=NOW - HOUR / 2, state="live"))
    over = rows.occurrence(host, start=NOW - 5 * HOUR, state="over")
    assert "Thank you to everyone who came" in show(over)
    assert "It will not take place" in show(rows.occurrence(host, state="cancelled"))
    moved = rows.occurrence(host, state="moved")
    Occurrence.objects.filter(pk=moved.pk).update(previous_start=moved.start - DAY)
    assert "Was:" in show(moved)


def test_a_past_meeting_links_to_its_recording(show, host, site):
    over = rows.occurrence(host, start=NOW - 5 * HOUR, state="over")
    recording = rows.recording(host, occurrence=over)
    assert "Watch" not in show(over)
    rows.item(site, recording)
    over.meeting.site_items.all().delete()
    site.zoom_items.filter(kind="meeting").delete()
    assert "Watch the recording" in show(over)


def test_a_series_lists_further_occurrences(show, host):
    first = rows.occurrence(host, zoom_type=8)
    for number in range(1, 4):
        Occurrence.objects.create(
            meeting=first.meeting,
            account=first.account,
            zoom_id=str(number),
            start=first.start + number * 7 * DAY,
            end=first.end + number * 7 * DAY,
        )
    html = show(first)
    assert "More dates" in html and "/zoom/calendar/series/" in html


def test_without_a_fixed_date(show, host):
    undated = rows.occurrence(host, zoom_type=3, topic="Open door")
    undated.meeting.occurrences.all().delete()
    html = show(undated)
    assert "Open door" in html and "No fixed date" in html


def test_a_deleted_meeting_shows_as_cancelled_until_its_planned_end(render_block, site, host):
    """As in lists: visitors must see that it does not take place."""
    called_off = rows.occurrence(host, topic="Heat", state="cancelled")
    Meeting.objects.update(removed_at=NOW)
    item = rows.item(site, called_off.meeting).pk
    html = render_block(MeetingBlock(), item=item)
    assert "It will not take place" in html and "no longer available" not in html
    Occurrence.objects.update(start=NOW - 2 * HOUR, end=NOW - HOUR)
    assert "no longer available" in render_block(MeetingBlock(), item=item)


def test_an_item_of_another_site_is_not_available(render_block, host, site):
    """X7: the page's Site decides, whatever id is stored."""
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    foreign = rows.item(other, rows.occurrence(host, topic="Foreign").meeting)
    html = render_block(MeetingBlock(), item=foreign.pk)
    assert "no longer available" in html and "Foreign" not in html


def test_structured_data_cannot_be_broken_out_of(show, host):
    """X16: a hostile topic stays data."""
    html = show(rows.occurrence(host, topic="</script><script>alert(1)</script>"))
    start = html.index('<script type="application/ld+json">') + 35
    text = html[start : html.index("</script>", start)]
    event = json.loads(text)["@graph"][0]
    assert event["name"] == "</script><script>alert(1)</script>"
    assert event["@type"] == "Event" and event["eventStatus"].endswith("EventScheduled")
    assert html.count("<script>alert") == 0


def test_next_meeting_prefers_live_and_skips_cancelled_occurrences(render_block, host):
    assert "No date is set yet" in render_block(NextMeetingBlock())
    rows.occurrence(host, topic="Dropped", start=NOW + HOUR, state="cancelled")
    rows.occurrence(host, topic="Later", start=NOW + 2 * HOUR)
    html = render_block(NextMeetingBlock())
    assert "Later" in html and "data-wz-countdown" in html and "Dropped" not in html
    rows.occurrence(host, topic="Running", start=NOW - HOUR / 2, state="live")
    assert "Running" in render_block(NextMeetingBlock())


@time_machine.travel(datetime(2026, 11, 24, 10, tzinfo=UTC), tick=False)
def test_calendar_uses_the_time_zone_of_each_meeting(render_block, host, rf):
    start = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    rows.occurrence(host, topic="Past midnight in Berlin", start=start)
    assert "Past midnight" not in render_block(CalendarBlock())
    html = render_block(CalendarBlock(), rf.get("/?wz-1-month=2026-12"))
    assert "Past midnight" in html and "December 2026" in html
    assert 'href="/?wz-1-month=2027-01#wz-1"' in html


def test_calendar_is_limited_and_ignores_invalid_months():
    today = date(2026, 11, 24)
    for text in ("", "x", "2026-13", "0000-01", "٢٠٢٦-01", "2026-1"):
        assert requested_month(text, today) == date(2026, 11, 1)
    assert requested_month("9999-12", today) == date(2028, 11, 1)
    assert requested_month("0001-01", today) == date(2025, 11, 1)


def test_weeks_start_on_the_first_weekday_of_the_locale(settings):
    settings.LANGUAGE_CODE = "de"
    month = month_table(date(2026, 11, 1), {})
    assert all(len(week) == 7 for week in month.weeks)
    assert [day.number for week in month.weeks for day in week if day.number] == list(range(1, 31))


@pytest.mark.parametrize("block", [MeetingBlock, NextMeetingBlock, CalendarBlock])
def test_preview_headless_and_stable_migrations(block, admin_client, host, rf):
    rows.occurrence(host, topic="Real")
    block_instance = block()
    html = admin_client.get("/admin/block-preview/", {"id": block_instance.definition_prefix})
    assert html.status_code == 200 and "Sample" in html.content.decode()
    assert "Real" not in html.content.decode()
    value = block_instance.to_python({"item": None})
    assert "zoom" in block_instance.get_api_representation(value, {"request": rf.get("/")})
    assert block_instance.deconstruct() == (f"wagtail_zoom.blocks.{block.__name__}", [], {})


def test_the_stream_of_all_blocks_is_stable():
    block_instance = ZoomStreamBlock()
    assert block_instance.deconstruct() == ("wagtail_zoom.blocks.ZoomStreamBlock", [], {})
    assert {"meetings", "meeting", "next_meeting", "calendar", "recordings"} <= set(
        block_instance.child_blocks
    )


def test_titles_link_to_the_detail_block(client, render_block, host, site):
    item = rows.item(site, rows.occurrence(host, topic="Told").meeting)
    page = ZoomPage(title="One", slug="one", body=[("meeting", {"item": item})])
    site.root_page.add_child(instance=page)
    html = render_block(NextMeetingBlock())
    url = html.split('class="wz-big"><a href="')[1].split('"')[0]
    path, _hash, anchor = url.partition("#")
    assert path == "/one/" and f'id="{anchor}"' in client.get(path).content.decode()
