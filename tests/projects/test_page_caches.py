"""Pages with our blocks behind page caches that projects use."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache
from django.http import HttpResponse
from django.utils.cache import get_max_age, patch_cache_control
from wagtail.models import Page, ReferenceIndex

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.models import Occurrence, ZoomSettings
from wagtail_zoom.signals import mirror_changed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bakery")]
START = (datetime.now(UTC) + timedelta(days=3)).replace(hour=18, minute=20, second=0, microsecond=0)
HOURS = 4 * 3600


def before_start(**duration):
    """A time before the start."""
    return time_machine.travel(START - timedelta(**duration), tick=False)


@pytest.fixture
def dates_page(site, host):
    ZoomSettings.objects.update(join_minutes=15)
    occurrence = rows.occurrence(host, start=START, topic="Sourdough")
    occurrence.meeting.join_url = "https://zoom.us/j/123"
    occurrence.meeting.save()
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {})])
    site.root_page.add_child(instance=page)
    # Wagtail does it after the commit.
    ReferenceIndex.create_or_update_for_object(page)
    return page


def lifetimes(client):
    """Seconds for browsers and for shared caches."""
    header = client.get("/dates/")["Cache-Control"]
    return tuple(
        int(match[1]) if (match := re.search(rf"\b{name}=(\d+)", header)) else None
        for name in ("max-age", "s-maxage")
    )


@pytest.mark.parametrize("block_cache", ["", "default"])
def test_lifetime_ends_at_the_next_change(client, dates_page, settings, block_cache):
    """At the start, and when the button to join appears, 15 minutes before; also where the HTML
    of the blocks comes from our own cache."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": block_cache}
    for time, expected in (
        (before_start(days=1), 60),
        (before_start(seconds=30), 30),
        (before_start(seconds=30), 30),
        (before_start(seconds=29), 29),
        (before_start(minutes=15, seconds=10), 10),
        (before_start(minutes=15, seconds=0.5), 0),
    ):
        with time:
            assert lifetimes(client) == (0, expected)


def test_browsers_ask_every_time(client, dates_page):
    """Whoever loads the page again sees at once that a date is cancelled."""
    with before_start(minutes=4):
        assert lifetimes(client)[0] == 0


def test_shared_lifetime_of_the_project_is_only_shortened(client, dates_page, monkeypatch):
    def serve(self, request, *args, **kwargs):
        response = Page.serve(self, request, *args, **kwargs)
        patch_cache_control(response, max_age=20, s_maxage=HOURS)
        return response

    monkeypatch.setattr(ZoomPage, "serve", serve, raising=False)
    with before_start(minutes=4):
        assert lifetimes(client) == (20, 240)


def test_the_projects_own_max_age_is_only_shortened(client, dates_page, monkeypatch):
    """It may be longer than ours, because its cache is purged; it ends with the quarter of an hour
    at the latest."""

    def serve(self, request, *args, **kwargs):
        response = Page.serve(self, request, *args, **kwargs)
        patch_cache_control(response, public=True, max_age=serve.seconds)
        return response

    monkeypatch.setattr(ZoomPage, "serve", serve, raising=False)
    for seconds, time, expected in (
        (HOURS, before_start(minutes=4), 240),
        (HOURS, before_start(days=1, minutes=2), 720),
        (20, before_start(minutes=4), 20),
        (0, before_start(minutes=4), 0),
    ):
        serve.seconds = seconds
        with time:
            response = client.get("/dates/")
        assert get_max_age(response) == expected
        assert "public" in response["Cache-Control"]


def test_what_is_not_ours_is_left_alone(client, site, dates_page, monkeypatch):
    site.root_page.add_child(instance=ZoomPage(title="Plain", slug="plain"))
    with before_start(minutes=4):
        assert "Cache-Control" not in client.get("/plain/")
        assert "Cache-Control" not in client.get("/nothing/")
        monkeypatch.setattr(ZoomPage, "serve", lambda *args, **kwargs: HttpResponse("Own"))
        assert "Cache-Control" not in client.get("/dates/")


def test_private_pages_stay_out_of_every_cache(admin_client, dates_page):
    dates_page.view_restrictions.create(restriction_type="login")
    response = admin_client.get("/dates/")
    assert "Sourdough" in response.content.decode()
    assert "no-store" in response["Cache-Control"] and get_max_age(response) == 0


def test_a_user_with_a_session_always_gets_the_current_page(admin_client, dates_page):
    """An editor who has just published looks at the page."""
    with before_start(minutes=4):
        assert lifetimes(admin_client) == (0, None)


def test_seconds_are_a_setting(client, dates_page, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PAGE_MAX_AGE": 600}
    with before_start(minutes=4):
        assert lifetimes(client) == (0, 240)
    with before_start(days=1, minutes=2):
        assert lifetimes(client) == (0, 600)


def button(client):
    """Whether the page offers to join; from a cache or not."""
    return "/zoom/join/" in client.get("/dates/").content.decode()


def assert_button_appears_in_time(client, dates_page):
    with before_start(minutes=15, seconds=20):
        assert not button(client)
        Page.objects.filter(pk=dates_page.pk).update(title="Renamed")
        # It does come from the cache.
        assert "Renamed" not in client.get("/dates/").content.decode()
    with before_start(minutes=15, seconds=-1):
        assert button(client)


def test_behind_djangos_page_cache(client, dates_page, settings):
    settings.CACHE_MIDDLEWARE_SECONDS = HOURS
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    assert_button_appears_in_time(client, dates_page)


@pytest.fixture
def wagtailcache(settings, monkeypatch):
    """CodeRed's page cache, as its documentation installs it."""
    pytest.importorskip("wagtailcache")
    monkeypatch.setitem(apps.app_configs, "wagtailcache", SimpleNamespace(name="wagtailcache"))
    settings.CACHES = {"default": {**settings.CACHES["default"], "TIMEOUT": HOURS}}
    settings.WAGTAIL_CACHE_KEYRING = True
    settings.MIDDLEWARE = [
        "wagtailcache.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "wagtailcache.cache.FetchFromCacheMiddleware",
    ]


def test_behind_codereds_page_cache(client, dates_page, wagtailcache):
    assert_button_appears_in_time(client, dates_page)


def test_codereds_page_cache_is_purged(client, site, host, dates_page, wagtailcache):
    """Of the pages that show the change, with every query, and nothing else."""
    site.root_page.add_child(instance=ZoomPage(title="Sub", slug="plain"))
    occurrence = Occurrence.objects.get()

    def topics():
        urls = ("/dates/", "/dates/?utm_source=mail")
        pages = [client.get(url, headers={"host": site.hostname}).content.decode() for url in urls]
        return {re.search("Sourdough|Rye", html)[0] for html in pages}

    cache.set("of-the-project", 1)
    assert topics() == {"Sourdough"}
    client.get("/plain/", headers={"host": site.hostname})
    occurrence.meeting.topic = "Rye"
    occurrence.meeting.save()
    assert topics() == {"Sourdough"}
    mirror_changed.send(
        sender=None, account=host.account, meetings=[occurrence.meeting_id], recordings=[]
    )
    assert topics() == {"Rye"}
    assert cache.get("of-the-project") == 1
    keyring = " ".join(cache.get("keyring"))
    assert "/plain/" in keyring


def test_without_its_keyring_nothing_is_cleared(client, host, dates_page, wagtailcache, settings):
    """It could only clear the whole cache, and what the project has in it."""
    settings.WAGTAIL_CACHE_KEYRING = False
    cache.set("of-the-project", 1)
    client.get("/dates/")
    meetings = [Occurrence.objects.get().meeting_id]
    mirror_changed.send(sender=None, account=host.account, meetings=meetings, recordings=[])
    assert cache.get("of-the-project") == 1
