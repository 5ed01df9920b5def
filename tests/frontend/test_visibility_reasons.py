"""The reasons why an object is not visible, for its owner."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import ExposedHost, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host)
    return host


def why(site, obj):
    return SiteVisibility.for_site(site).why_hidden(obj)


def test_no_reason_for_visible_objects(site, host):
    occurrence = rows.occurrence(host)
    recording = rows.recording(host)
    rows.item(site, recording, decided_at=NOW)
    assert why(site, occurrence) == why(site, occurrence.meeting) == why(site, recording) == ""


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
def test_rules_for_meetings(site, host, values, words):
    occurrence = rows.occurrence(host, **values)
    assert words in why(site, occurrence) and words in why(site, occurrence.meeting)


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
def test_settings_of_the_owner(site, host, values, words):
    ZoomSettings.objects.update(**values)
    assert words in why(site, rows.occurrence(host))


def test_curation_and_hosts(site, host):
    hidden = rows.occurrence(host)
    rows.item(site, hidden.meeting, visibility="hidden")
    assert "hidden" in why(site, hidden)
    expired = rows.occurrence(host)
    rows.item(site, expired.meeting, expires_on=timezone.localdate() - timedelta(days=1))
    assert "show until" in why(site, expired)
    ExposedHost.objects.all().delete()
    assert "ticked" in why(site, rows.occurrence(host))
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    assert "not connected" in why(other, hidden)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_ready": False}, "preparing"),
        ({"trashed_at": NOW}, "deleted"),
        ({}, "needs your review"),
    ],
)
def test_recordings(site, host, values, words):
    assert words in why(site, rows.recording(host, **values))
