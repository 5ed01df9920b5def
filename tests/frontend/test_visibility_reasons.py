"""Why something is not shown, in words for its owner."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend.visibility import Exposure
from wagtail_zoom.models import ExposedHost, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.choice(site, host.account, host)
    return host


def why(site, thing):
    return Exposure.for_site(site).why_hidden(thing)


def test_nothing_to_say_about_what_is_shown(site, host):
    date = rows.date(host)
    film = rows.recording(host)
    rows.item(site, film, decided_at=NOW)
    assert why(site, date) == why(site, date.meeting) == why(site, film) == ""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_private": True}, "private"),
        ({"zoom_type": 1}, "Instant"),
        ({"zoom_type": 4}, "personal room"),
        ({"detail_at": None}, "being read"),
        ({"removed_at": NOW}, "deleted in Zoom"),
        ({"kind": "webinar"}, "webinars"),
    ],
)
def test_the_rules_about_meetings(site, host, values, words):
    date = rows.date(host, **values)
    assert words in why(site, date) and words in why(site, date.meeting)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"item_rule": "registration"}, "registration"),
        ({"item_rule": "marked", "mark_word": "#x"}, "#x"),
        ({"item_rule": "picked"}, "pick"),
        ({"configured_at": None}, "not chosen yet"),
        ({"needs_confirmation": True}, "not confirmed"),
        ({"show_meetings": False}, "switched on meetings"),
    ],
)
def test_the_choices_of_the_owner(site, host, values, words):
    ZoomSettings.objects.update(**values)
    assert words in why(site, rows.date(host))


def test_curation_and_hosts(site, host):
    date = rows.date(host)
    rows.item(site, date.meeting, visibility="hidden")
    assert "hidden" in why(site, date)
    old = rows.date(host)
    rows.item(site, old.meeting, expires_on=timezone.localdate() - timedelta(days=1))
    assert "show until" in why(site, old)
    ExposedHost.objects.all().delete()
    assert "ticked" in why(site, rows.date(host))
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    assert "not connected" in why(other, date)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_ready": False}, "preparing"),
        ({"trashed_at": NOW}, "deleted"),
        ({}, "waits for you"),
    ],
)
def test_recordings(site, host, values, words):
    assert words in why(site, rows.recording(host, **values))
