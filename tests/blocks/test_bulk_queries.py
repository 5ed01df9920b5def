"""All lists of a page are fetched together, and each shows the same as it would alone."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Page, Site

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import MeetingListBlock
from wagtail_zoom.frontend import bulk_queries
from wagtail_zoom.models import ItemTag, SiteItem, Transcript, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def public(settings):
    # Without the block cache.
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": ""}


@pytest.fixture
def items(site, host):
    """Upcoming, past, live, cancelled, hidden and tagged occurrences; recordings."""
    ZoomSettings.objects.update(show_transcripts=True, show_registration=True)
    items_by_number = {}
    for number in range(8):
        kind = "webinar" if number % 3 == 0 else "meeting"
        upcoming = rows.occurrence(
            host, start=NOW + (number + 2) * HOUR, topic=f"Ahead {number}", kind=kind
        )
        items_by_number[number] = rows.item(site, upcoming.meeting)
        over = rows.occurrence(host, start=NOW - (number + 5) * HOUR, topic=f"Over {number}")
        rows.item(site, over.meeting)
        recording = rows.recording(
            host, topic=f"Film {number}", occurrence=over, start=NOW - number * 200 * 24 * HOUR
        )
        rows.item(site, recording, decided_at=NOW)
        Transcript.objects.create(recording=recording, text=f"What was said in {number}.")
    ItemTag.objects.create(item=items_by_number[1], name="harbour")
    SiteItem.objects.filter(pk=items_by_number[2].pk).update(visibility="hidden")
    rows.occurrence(host, start=NOW - HOUR / 2, topic="Now", state="live")
    rows.occurrence(host, start=NOW + 9 * HOUR, topic="Off", state="cancelled", approval_type=0)
    return items_by_number


def list_blocks(items):
    """Two dozen lists, no two alike."""
    day = timezone.localdate()
    return [
        *(("dates", {"limit": limit}) for limit in (1, 3, 50)),
        *(
            ("dates", {"limit": 3, "paging": False, "order": value})
            for value in ("soonest", "latest")
        ),
        *(("dates", {"kind": value, "layout": "table"}) for value in ("meeting", "webinar")),
        *(("dates", {"period": "past", "limit": value}) for value in (2, 30)),
        ("dates", {"period": "past", "order": "soonest", "layout": "cards"}),
        ("dates", {"period": "live"}),
        ("dates", {"period": "range", "first": day, "last": day, "layout": "agenda"}),
        ("dates", {"tags": "harbour"}),
        ("dates", {"hosts": "nobody"}),
        ("dates", {"hosts": "Host h1", "repeat": "next", "filters": True}),
        ("dates", {"items": [items[1], items[2]]}),
        *(("recordings", {"order": value}) for value in ("newest", "oldest", "title")),
        ("recordings", {"limit": 2, "show": ["host"]}),
        ("recordings", {"limit": 4, "paging": False, "layout": "list"}),
        ("recordings", {"years": True, "search": True, "show": ["transcript"]}),
        ("recordings", {"hosts": "nobody", "empty": "Nothing of theirs."}),
    ]


def sections(client, site, slug, body, query=""):
    """The HTML of each block of a new page, without its name, the slug, and the page in links."""
    page = ZoomPage(title=slug, slug=slug, body=body)
    site.root_page.add_child(instance=page)
    html = client.get(f"/{slug}/{query}").content.decode()
    # Of the id in a link, what stands before page and signature.
    html = re.sub(r"(/zoom/\w+/[\w-]{20})[\w-]{20}/", r"\1/", html)
    html_sections = re.findall(r'<section class="wz .*?</section>', html, re.DOTALL)
    assert len(html_sections) == len(body)
    return [
        re.sub(r"wz-[0-9a-f]{6}\b", "", section).replace(f"/{slug}/", "/")
        for section in html_sections
    ]


def count_queries(client, site, slug, body):
    sections(client, site, slug, body)
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/{slug}/")
    return len(captured)


def test_combined_lists_show_the_same_as_single_lists(client, site, items):
    body = list_blocks(items)
    together = sections(client, site, "all", body)
    alone = [sections(client, site, f"one{index}", [block])[0] for index, block in enumerate(body)]
    assert together == alone
    assert "Now" in together[0] and "Ahead 0" not in together[0]
    assert "Ahead 7" in together[2] and "Ahead 2" not in together[2]
    assert [index for index, html in enumerate(together) if "Ahead 2" in html] == []


def test_fifty_different_lists_need_few_queries(client, site, items):
    """Settings, keys and counts, rows, items; three more for links to detail pages. Without the
    cache of blocks, one more finds the next start or end, for the page's ``max-age``."""
    empty = count_queries(client, site, "empty", [])
    upcoming = [("dates", {"limit": number + 1}) for number in range(25)]
    tagged = [("dates", {"tags": f"tag {number}", "period": "past"}) for number in range(25)]
    assert count_queries(client, site, "one", [("dates", {})]) - empty <= 5
    # Django 5.2 allows 999 parameters in SQLite: the keys of so many lists need two statements.
    expected = 5 + ((connection.features.max_query_params or 10_000) < 1000)
    assert count_queries(client, site, "fifty", upcoming + tagged) - empty <= expected
    page = ZoomPage(title="Talk", slug="talk", body=[("meeting", {"item": items[1]})])
    site.root_page.add_child(instance=page)
    assert count_queries(client, site, "told", upcoming + tagged) - empty <= expected + 3
    assert "/talk/" in "".join(sections(client, site, "linked", upcoming))
    all_lists = list_blocks(items)
    # A list ordered by title is fetched alone: two queries. One more reads the zones of meetings,
    # for the clock of a block without dates.
    assert count_queries(client, site, "all", all_lists) - empty <= 16


def test_one_list_can_show_a_further_page(client, site, items):
    page = ZoomPage(title="P", slug="p", body=[("dates", {"limit": 2}), ("dates", {"limit": 3})])
    site.root_page.add_child(instance=page)
    first = client.get("/p/").content.decode()
    link = re.search(r'href="/p/(\?[^"]+-page=2)#', first)[1]
    both = client.get(f"/p/{link}").content.decode()
    first_list, second_list = re.findall(r'<section class="wz .*?</section>', both, re.DOTALL)
    assert "Ahead 1<" in first_list or "Ahead 3<" in first_list
    assert "Ahead 0" not in first_list and "Ahead 0" in second_list


def test_cached_lists_are_not_queried_again(client, site, items, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": "default"}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    body = [("dates", {}), ("recordings", {"search": True})]
    page = ZoomPage(title="P", slug="p", body=body)
    site.root_page.add_child(instance=page)
    html = client.get("/p/").content.decode()
    name = re.search(r'name="(wz-[0-9a-f]+-q)"', html)[1]
    with CaptureQueriesContext(connection) as captured:
        again = client.get(f"/p/?{name}=Film+3").content.decode()
    assert "Film 3" in again and "Ahead 1" in again
    assert not [
        query for query in captured if '"wagtail_zoom_occurrence"."public_id"' in query["sql"]
    ]


def test_lists_of_two_sites_never_share_rows(client, site, host, items):
    """X1: a list with chosen items of another Site is empty."""
    other = Site.objects.create(
        hostname="other.test",
        root_page=site.root_page.add_child(instance=Page(title="O", slug="o")),
    )
    stranger = rows.host(rows.account(), "h9")
    rows.site_settings(other, stranger.account, stranger)
    secret = rows.occurrence(stranger, topic="Theirs")
    theirs = rows.item(other, secret.meeting)
    body = [("dates", {}), ("dates", {"items": [theirs]}), ("dates", {"hosts": "h9"})]
    html_sections = sections(client, site, "all", body)
    assert "Ahead 1" in html_sections[0]
    assert not any("Theirs" in section for section in html_sections)
    assert "Ahead" not in html_sections[1] + html_sections[2]


def test_more_lists_than_fit_into_one_statement(client, site, items, monkeypatch):
    monkeypatch.setattr(bulk_queries, "MAX_LISTS", 3)
    body = list_blocks(items)
    assert sections(client, site, "all", body)[:8] == sections(client, site, "few", body[:8])


def test_a_list_with_pagination_after_the_same_list_without(render_block, rf, items):
    """For the same query one list needs only rows, the other one also their number."""
    request = rf.get("/")
    assert "page=2" not in render_block(MeetingListBlock(), request, limit=2, paging=False)
    assert "page=2" in render_block(MeetingListBlock(), request, limit=2)
