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
CANARIES = ("hush", "zoom.example", "canary")


@pytest.fixture(autouse=True)
def public(settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]


@pytest.fixture
def all_blocks(site, host):
    """All blocks, with an item where one is needed."""
    ZoomSettings.objects.update(show_registration=True)
    date = rows.date(host, topic="Chosen", approval_type=0, agenda="https://zoom.us/j/canary")
    item = rows.item(site, date.meeting)
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


def fill(site, host, count):
    for number in range(count):
        date = rows.date(host, start=NOW + (number + 2) * HOUR)
        rows.item(site, date.meeting)
        film = rows.recording(host)
        film.share_url, film.passcode = "https://zoom.us/rec/canary", "canary"
        film.save()
        rows.item(site, film)


def test_constant_queries_for_all_blocks(client, all_blocks, site, host, settings):
    """P7: whatever the amount of data, with nothing kept from the visit before."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": ""}

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert client.get("/all/").status_code == 200
        return len(found)

    fill(site, host, 12)
    queries()
    few = queries()
    fill(site, host, 30)
    assert queries() == few <= 36


def test_the_same_block_many_times_asks_once(client, site, host):
    """P7: fifty lists cost what one costs."""
    fill(site, host, 3)
    counts = []
    for slug, times in (("one", 1), ("fifty", 50)):
        body = [("dates", {"heading": f"List {number}"}) for number in range(times)]
        site.root_page.add_child(instance=ZoomPage(title=slug, slug=slug, body=body))
        client.get(f"/{slug}/")
        with CaptureQueriesContext(connection) as found:
            html = client.get(f"/{slug}/").content.decode()
        assert html.count("wz-meetings") == times
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_no_secret_and_no_cookie_anywhere(client, all_blocks, site, host):
    """X26, X27: the canaries are in no page, feed or form, and the page is the same for all."""
    fill(site, host, 3)
    date = all_blocks.body[4].value["item"]
    urls = ["/all/", links.series_calendar(date), links.site_calendar()]
    html = client.get("/all/").content.decode()
    urls += [part.split('"')[0] for part in html.split('href="')[1:] if part.startswith("/zoom/")]
    assert len(set(urls)) > 6
    for url in set(urls):
        if "/watch/" in url:
            continue
        response = client.get(url)
        text = response.content.decode()
        assert response.status_code == 200, url
        assert not [word for word in CANARIES if word in text], url
        assert not response.cookies and "Cookie" not in response.get("Vary", ""), url


@time_machine.travel(NOW, tick=False)
def test_parameters_of_strangers_change_nothing(client, all_blocks, site, host):
    """X27: what is not ours does not get into the HTML."""
    plain = client.get("/all/").content
    assert client.get("/all/?utm_source=%22%3E%3Cscript%3E&wz-zzzzzz-page=3").content == plain


def test_stylesheet_and_scripts_weigh_less_than_15_kilobytes():
    """Shows 1 of the visitor's side: all that a page with every block loads, compressed."""
    names = ("blocks.css", "zoom.js", "registration.js")
    files = [Path(finders.find(f"wagtail_zoom/{name}")).read_bytes() for name in names]
    assert sum(len(gzip.compress(file)) for file in files) < 15_000


def test_every_form_of_a_list_leads_to_the_page_of_a_date(client, site, host):
    """Where a page has addresses for single dates, every layout and the calendar use them."""
    today = NOW.replace(day=10, hour=12)
    rows.date(host, topic="Low water", start=today + timedelta(days=5))
    for layout in ("list", "cards", "agenda", "table", "calendar"):
        block = ("calendar", {}) if layout == "calendar" else ("meetings", {"layout": layout})
        page = DatesPage(title=layout, slug=layout, body=[block])
        site.root_page.add_child(instance=page)
        with time_machine.travel(today, tick=False):
            html = client.get(page.url).content.decode()
            found = re.findall(r'<a href="([^"]+)"[^>]*>Low water</a>', html)
            assert found, layout
            assert all(link.startswith(f"{page.url}date/") for link in found), layout
            assert client.get(found[0]).status_code == 200


def test_the_frame_names_the_site_and_hides_only_pages_with_a_link(client, site, host):
    """Nobody gives a name and an address to a page that does not say whose it is; the page of a
    date is for search engines, one for whoever has a link is not."""
    site.site_name = "Harbour <House>"
    site.save()
    date = rows.date(host, topic="Low water", start=NOW + timedelta(days=2))
    page = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
    site.root_page.add_child(instance=page)
    listed = client.get(page.url).content.decode()
    (address,) = set(re.findall(r'<a href="([^"]+/date/[^"]+)"', listed))
    shown = client.get(address).content.decode()
    door = client.get(f"/zoom/join/{links.opaque(site.pk, date.public_id)}/").content.decode()
    for html in (shown, door):
        assert '<header><a href="/">Harbour &lt;House&gt;</a></header>' in html
    assert "noindex" not in shown
    assert "noindex" in door
