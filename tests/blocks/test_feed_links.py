"""Lists and calendars offer the calendar of the whole Site."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import CalendarBlock, MeetingBlock, MeetingListBlock, RecordingListBlock
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db
FEED = "https://localhost/zoom/calendar/all.ics"


def feed_urls(text):
    """The URLs of the links, by hostname."""
    details = re.search(r'<details class="wz-more wz-feed">(.*?)</details>', text, re.DOTALL)
    if details is None:
        return None
    urls = [html.unescape(url) for url in re.findall(r'href="([^"]+)"', details[1])]
    return {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}": url for url in urls}


@pytest.mark.parametrize("block", [MeetingListBlock, CalendarBlock])
def test_links_for_every_calendar(client, render_block, site, host, block):
    site.site_name = "Aurora & Co"
    site.save()
    rows.occurrence(host, topic="Open studio")
    urls = feed_urls(render_block(block()))
    assert urls["webcal://localhost"] == FEED.replace("https:", "webcal:")
    assert urls["https://localhost"] == FEED
    (google,) = parse_qs(urlsplit(urls["https://calendar.google.com"]).query)["cid"]
    assert google == FEED.replace("https:", "webcal:")
    for name in ("live.com", "office.com"):
        query = parse_qs(urlsplit(urls[f"https://outlook.{name}"]).query)
        assert query == {"url": [FEED], "name": ["Aurora & Co"]}
    calendar = Calendar.from_ical(client.get(urlsplit(urls["https://localhost"]).path).content)
    assert [str(event["summary"]) for event in calendar.walk("VEVENT")] == ["Open studio"]
    assert str(calendar["name"]) == "Aurora & Co"


def test_the_address_is_that_of_the_site(render_block, site, host):
    """Not the hostname of the request: the HTML is cached for all of them."""
    ZoomSettings.objects.update(base_url="https://www.aurora.example")
    urls = feed_urls(render_block(MeetingListBlock()))
    assert (
        urls["webcal://www.aurora.example"] == "webcal://www.aurora.example/zoom/calendar/all.ics"
    )


@pytest.mark.parametrize("block", [MeetingListBlock, CalendarBlock])
def test_an_editor_leaves_them_out(render_block, site, host, block):
    assert feed_urls(render_block(block(), feed=True)) and not feed_urls(
        render_block(block(), feed=False)
    )


def test_a_block_that_was_stored_before_has_them(client, site, host):
    page = ZoomPage(title="Old", slug="old")
    page.body = page.body.stream_block.to_python([{"type": "dates", "value": {"limit": 5}}])
    site.root_page.add_child(instance=page)
    assert feed_urls(client.get("/old/").content.decode())


def test_not_where_calendar_programs_are_refused(client, render_block, site, host, settings, rf):
    """The root page of the Site decides, as for the calendar itself."""
    private = site.root_page.add_child(instance=ZoomPage(title="P", slug="p"))
    private.view_restrictions.create(restriction_type="login")
    assert feed_urls(render_block(MeetingListBlock())), "another page is private"
    restriction = site.root_page.view_restrictions.create(restriction_type="login")
    assert client.get("/zoom/calendar/all.ics").status_code == 403
    assert feed_urls(render_block(MeetingListBlock())) is None
    restriction.delete()
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]  # fmt: skip
    request = rf.get("/")
    request.user = AnonymousUser()
    assert feed_urls(render_block(MeetingListBlock(), request)) is None


def test_not_in_other_blocks_or_without_data(render_block, site, host):
    item = rows.item(site, rows.occurrence(host).meeting)
    assert feed_urls(render_block(RecordingListBlock())) is None
    assert feed_urls(render_block(MeetingBlock(), item=item.pk)) is None
    ZoomSettings.objects.update(account=None, grant=None)
    assert feed_urls(render_block(MeetingListBlock())) is None


def test_they_cost_no_query(site, host, rf):
    page = ZoomPage(title="Q", slug="q", body=[("dates", {})])
    site.root_page.add_child(instance=page)
    block = MeetingListBlock()

    def queries(**values):
        with CaptureQueriesContext(connection) as captured:
            block.render(block.to_python(values), {"page": page, "request": rf.get("/q/")})
        return len(captured)

    queries()
    assert queries(feed=True) == queries(feed=False)
