"""A whole page with every block: queries, secrets, cookies."""

import gzip
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.blocks import rows
from tests.testapp.models import DatesPage, ZoomPage
from wagtail_zoom.frontend import links
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
SECRETS = ("hush", "zoom.example", "canary")


@pytest.fixture
def all_blocks(site, host):
    """All blocks, with an item where one is needed."""
    ZoomSettings.objects.update(show_registration=True)
    occurrence = rows.occurrence(
        host, topic="Chosen", approval_type=0, agenda="https://zoom.us/j/canary"
    )
    item = rows.item(site, occurrence.meeting)
    page = DatesPage(
        title="All",
        slug="all",
        body=[
            ("meetings", {"layout": "table", "show": ["summary", "host"]}),
            ("recordings", {}),
            ("next_meeting", {}),
            ("calendar", {}),
            ("meeting", {"item": item}),
            ("registration", {"item": item}),
        ],
    )
    site.root_page.add_child(instance=page)
    return page


def create_rows(site, host, count):
    for number in range(count):
        occurrence = rows.occurrence(host, start=timezone.now() + (number + 2) * HOUR)
        rows.item(site, occurrence.meeting)
        recording = rows.recording(host)
        recording.share_url, recording.passcode = "https://zoom.us/rec/canary", "canary"
        recording.save()
        rows.item(site, recording)


@time_machine.travel(NOW.replace(day=15))
def test_constant_queries_for_all_blocks(client, all_blocks, site, host, settings):
    """The number does not grow with the data; without the block cache.

    In the middle of a month: on its last day the calendar has a page of its own to read.
    """
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": ""}

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/all/").status_code == 200
        return len(captured)

    create_rows(site, host, 12)
    queries()
    few = queries()
    create_rows(site, host, 30)
    assert queries() == few <= 36


def test_the_same_block_many_times_queries_once(client, site, host):
    """Fifty equal lists need as many queries as one."""
    create_rows(site, host, 3)
    counts = []
    for slug, times in (("one", 1), ("fifty", 50)):
        body = [("dates", {"heading": f"List {number}"}) for number in range(times)]
        site.root_page.add_child(instance=ZoomPage(title=slug, slug=slug, body=body))
        client.get(f"/{slug}/")
        with CaptureQueriesContext(connection) as captured:
            html = client.get(f"/{slug}/").content.decode()
        assert html.count("wz-meetings") == times
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_no_secret_and_no_cookie_anywhere(client, all_blocks, site, host):
    """X26, X27: no secret in a page, feed or form; the page is the same for all visitors."""
    create_rows(site, host, 3)
    item = all_blocks.body[4].value["item"]
    urls = ["/all/", links.series_calendar_url(item), links.site_calendar_url()]
    html = client.get("/all/").content.decode()
    urls += [part.split('"')[0] for part in html.split('href="')[1:] if part.startswith("/zoom/")]
    assert len(set(urls)) > 6
    for url in set(urls):
        if "/watch/" in url:
            continue
        response = client.get(url)
        text = response.content.decode()
        assert response.status_code == 200, url
        assert not [word for word in SECRETS if word in text], url
        assert not response.cookies and "Cookie" not in response.get("Vary", ""), url


@time_machine.travel(NOW, tick=False)
def test_unknown_parameters_change_nothing(client, all_blocks, site, host):
    """X27: parameters that are not our own do not get into the HTML."""
    plain = client.get("/all/").content
    assert client.get("/all/?utm_source=%22%3E%3Cscript%3E&wz-zzzzzz-page=3").content == plain


def test_stylesheet_and_scripts_are_smaller_than_15_kilobytes():
    """All files that a page with every block loads, compressed."""
    names = ("blocks.css", "zoom.js", "registration.js")
    files = [Path(finders.find(f"wagtail_zoom/{name}")).read_bytes() for name in names]
    assert sum(len(gzip.compress(file)) for file in files) < 15_000


def test_every_layout_links_to_the_page_of_an_occurrence(client, site, host):
    """If a page has URLs for occurrences, all layouts and the calendar use them."""
    today = NOW.replace(day=10, hour=12)
    rows.occurrence(host, topic="Low water", start=today + timedelta(days=5))
    for layout in ("list", "cards", "agenda", "table", "calendar"):
        block = ("calendar", {}) if layout == "calendar" else ("meetings", {"layout": layout})
        page = DatesPage(title=layout, slug=layout, body=[block])
        site.root_page.add_child(instance=page)
        with time_machine.travel(today, tick=False):
            html = client.get(page.url).content.decode()
            detail_urls = re.findall(r'<a href="([^"]+)"[^>]*>Low water</a>', html)
            assert detail_urls, layout
            assert all(link.startswith(f"{page.url}date/") for link in detail_urls), layout
            assert client.get(detail_urls[0]).status_code == 200


def test_public_pages_name_the_site_and_only_link_pages_are_noindex(client, site, host):
    """Visitors enter personal data only where the site is named. Search engines index the page of
    an occurrence, but no page that needs a secret link."""
    site.site_name = "Harbour <House>"
    site.save()
    occurrence = rows.occurrence(host, topic="Low water", start=NOW + timedelta(days=2))
    page = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
    site.root_page.add_child(instance=page)
    list_page = client.get(page.url).content.decode()
    (url,) = set(re.findall(r'<a href="([^"]+/date/[^"]+)"', list_page))
    detail_page = client.get(url)
    join_page = client.get(f"/zoom/join/{links.sign_id(site.pk, occurrence.public_id)}/")
    for response in (detail_page, join_page):
        assert '<header><a href="/">Harbour &lt;House&gt;</a></header>' in response.content.decode()
    assert "X-Robots-Tag" not in detail_page and "noindex" not in detail_page.content.decode()
    assert "noindex" in join_page["X-Robots-Tag"]
