"""All lists of a page are read together, and each shows what it would show alone."""

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
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    # Nothing is kept from one visit to the next.
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": ""}


@pytest.fixture
def full(site, host):
    """Dates ahead, over and live, a cancelled, a hidden and a tagged one; recordings of dates."""
    ZoomSettings.objects.update(show_transcripts=True, show_registration=True)
    made = {}
    for number in range(8):
        kind = "webinar" if number % 3 == 0 else "meeting"
        ahead = rows.date(host, start=NOW + (number + 2) * HOUR, topic=f"Ahead {number}", kind=kind)
        made[number] = rows.item(site, ahead.meeting)
        over = rows.date(host, start=NOW - (number + 5) * HOUR, topic=f"Over {number}")
        rows.item(site, over.meeting)
        film = rows.recording(
            host, topic=f"Film {number}", occurrence=over, start=NOW - number * 200 * 24 * HOUR
        )
        rows.item(site, film, decided_at=NOW)
        Transcript.objects.create(recording=film, text=f"What was said in {number}.")
    ItemTag.objects.create(item=made[1], name="harbour")
    SiteItem.objects.filter(pk=made[2].pk).update(visibility="hidden")
    rows.date(host, start=NOW - HOUR / 2, topic="Now", state="live")
    rows.date(host, start=NOW + 9 * HOUR, topic="Off", state="cancelled", approval_type=0)
    return made


def lists(items):
    """Two dozen lists, no two alike."""
    day = timezone.localdate()
    return [
        *(("dates", {"limit": limit}) for limit in (1, 3, 50)),
        *(
            ("dates", {"limit": 3, "paging": False, "order": each})
            for each in ("soonest", "latest")
        ),
        *(("dates", {"kind": each, "layout": "table"}) for each in ("meeting", "webinar")),
        *(("dates", {"period": "past", "limit": each}) for each in (2, 30)),
        ("dates", {"period": "past", "order": "soonest", "layout": "cards"}),
        ("dates", {"period": "live"}),
        ("dates", {"period": "range", "first": day, "last": day, "layout": "agenda"}),
        ("dates", {"tags": "harbour"}),
        ("dates", {"hosts": "nobody"}),
        ("dates", {"hosts": "Host h1", "repeat": "next", "filters": True}),
        ("dates", {"items": [items[1], items[2]]}),
        *(("recordings", {"order": each}) for each in ("newest", "oldest", "title")),
        ("recordings", {"limit": 2, "show": ["host"]}),
        ("recordings", {"limit": 4, "paging": False, "layout": "list"}),
        ("recordings", {"years": True, "search": True, "show": ["transcript"]}),
        ("recordings", {"hosts": "nobody", "empty": "Nothing of theirs."}),
    ]


def sections(client, site, slug, body, query=""):
    """What each block of a new page shows, without the name that it has there."""
    page = ZoomPage(title=slug, slug=slug, body=body)
    site.root_page.add_child(instance=page)
    html = client.get(f"/{slug}/{query}").content.decode()
    found = re.findall(r'<section class="wz .*?</section>', html, re.DOTALL)
    assert len(found) == len(body)
    return [re.sub(r"wz-[0-9a-f]{6}\b", "", each).replace(f"/{slug}/", "/") for each in found]


def queries(client, site, slug, body):
    sections(client, site, slug, body)
    with CaptureQueriesContext(connection) as found:
        client.get(f"/{slug}/")
    return len(found)


def test_each_list_shows_what_it_shows_alone(client, site, full):
    body = lists(full)
    together = sections(client, site, "all", body)
    alone = [sections(client, site, f"one{at}", [each])[0] for at, each in enumerate(body)]
    assert together == alone
    assert "Now" in together[0] and "Ahead 0" not in together[0]
    assert "Ahead 7" in together[2] and "Ahead 2" not in together[2]
    assert [at for at, each in enumerate(together) if "Ahead 2" in each] == []


def test_fifty_different_lists_ask_hardly_more_than_one(client, site, full):
    """P7: choices, keys and counts, rows, items; what a page tells about costs three more."""
    empty = queries(client, site, "empty", [])
    ahead = [("dates", {"limit": number + 1}) for number in range(25)]
    tagged = [("dates", {"tags": f"tag {number}", "period": "past"}) for number in range(25)]
    assert queries(client, site, "one", [("dates", {})]) - empty <= 4
    # Django 5.2 lets SQLite have 999 parameters: the keys of so many lists need two statements.
    few = 4 + ((connection.features.max_query_params or 10_000) < 1000)
    assert queries(client, site, "fifty", ahead + tagged) - empty <= few
    page = ZoomPage(title="Talk", slug="talk", body=[("meeting", {"item": full[1]})])
    site.root_page.add_child(instance=page)
    assert queries(client, site, "told", ahead + tagged) - empty <= few + 3
    assert "/talk/" in "".join(sections(client, site, "linked", ahead))
    everything = lists(full)
    # A list by title is read by itself: two queries.
    assert queries(client, site, "all", everything) - empty <= 14


def test_further_pages_are_read_beside_the_first_ones(client, site, full):
    page = ZoomPage(title="P", slug="p", body=[("dates", {"limit": 2}), ("dates", {"limit": 3})])
    site.root_page.add_child(instance=page)
    first = client.get("/p/").content.decode()
    link = re.search(r'href="/p/(\?[^"]+-page=2)#', first)[1]
    both = client.get(f"/p/{link}").content.decode()
    one, two = re.findall(r'<section class="wz .*?</section>', both, re.DOTALL)
    assert "Ahead 1<" in one or "Ahead 3<" in one
    assert "Ahead 0" not in one and "Ahead 0" in two


def test_a_list_that_is_kept_is_not_read_for_another(client, site, full, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": "default"}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    body = [("dates", {}), ("recordings", {"search": True})]
    page = ZoomPage(title="P", slug="p", body=body)
    site.root_page.add_child(instance=page)
    html = client.get("/p/").content.decode()
    name = re.search(r'name="(wz-[0-9a-f]+-q)"', html)[1]
    with CaptureQueriesContext(connection) as found:
        again = client.get(f"/p/?{name}=Film+3").content.decode()
    assert "Film 3" in again and "Ahead 1" in again
    assert not [each for each in found if '"wagtail_zoom_occurrence"."public_id"' in each["sql"]]


def test_lists_of_two_sites_never_share_rows(client, site, host, full):
    """X1: another Site's items, picked in one of many lists, narrow that list to nothing."""
    other = Site.objects.create(
        hostname="other.test",
        root_page=site.root_page.add_child(instance=Page(title="O", slug="o")),
    )
    stranger = rows.host(rows.account(), "h9")
    rows.choice(other, stranger.account, stranger)
    secret = rows.date(stranger, topic="Theirs")
    theirs = rows.item(other, secret.meeting)
    body = [("dates", {}), ("dates", {"items": [theirs]}), ("dates", {"hosts": "h9"})]
    found = sections(client, site, "all", body)
    assert "Ahead 1" in found[0]
    assert not any("Theirs" in each for each in found)
    assert "Ahead" not in found[1] + found[2]


def test_more_lists_than_one_statement_takes(client, site, full, monkeypatch):
    monkeypatch.setattr(bulk_queries, "MOST_PARTS", 3)
    body = lists(full)
    assert sections(client, site, "all", body)[:8] == sections(client, site, "few", body[:8])


def test_a_list_outside_of_the_streams_has_its_pages_after_one_without(draw, rf, full):
    """Of the same rows one list wants the first, the other their number as well."""
    request = rf.get("/")
    assert "page=2" not in draw(MeetingListBlock(), request, limit=2, paging=False)
    assert "page=2" in draw(MeetingListBlock(), request, limit=2)
