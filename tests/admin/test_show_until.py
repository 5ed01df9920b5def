"""The last day of an item is one day for all: entered, listed and enforced by ``TIME_ZONE``."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from wagtail.users.models import UserProfile

from tests.blocks import rows
from wagtail_zoom.frontend.presenters import recording_views
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import Recording, SiteItem, ZoomSettings

pytestmark = pytest.mark.django_db
LAST_DAY = "2027-03-10"
MIDNIGHT = datetime(2027, 3, 11, tzinfo=ZoneInfo("Europe/Berlin"))
BEFORE, AFTER = MIDNIGHT - timedelta(seconds=30), MIDNIGHT + timedelta(seconds=30)
AHEAD, BEHIND = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""It is tomorrow, and it is yesterday, around midnight in Berlin."""


@pytest.fixture(params=[AHEAD, "Europe/Berlin", BEHIND])
def owner_zone(request, settings, aurora):
    """The owner's time zone in the admin; ``TIME_ZONE`` is Berlin."""
    settings.TIME_ZONE = "Europe/Berlin"
    UserProfile.objects.create(user=aurora.owner, current_time_zone=request.param)
    return request.param


def save(client, item, day):
    values = {"title": "", "summary": "", "tags": "", "action-publish": "1", "expires_on": day}
    url = reverse("wagtail_zoom_recordings:edit", args=[item.pk])
    return html.unescape(client.post(url, values, follow=True).content.decode())


def listed(client, state=""):
    url = reverse("wagtail_zoom_recordings:index")
    return client.get(url, {"state": state}).content.decode()


def visitors_see(tenant):
    rows = SiteVisibility.for_site(tenant.site).recordings(Audience.VISITOR, Channel.PAGE)
    return rows.filter(pk=tenant.recording.pk).exists()


def test_before_its_end(client, aurora, owner_zone):
    """The owner enters the day that it is for visitors, whatever day it is for the owner."""
    with time_machine.travel(BEFORE, tick=False):
        client.force_login(aurora.owner)
        assert "Saved. Visitors see it." in save(client, aurora.recording_item, LAST_DAY)
        assert visitors_see(aurora)
        assert "Film of aurora" in listed(client, "published")
        assert "Film of aurora" not in listed(client, "over")
        assert "taken off automatically" not in listed(client)


def test_after_its_end(client, aurora, owner_zone):
    """Visitors no longer see it, the lists say so, and nobody can enter this day any more."""
    SiteItem.objects.filter(pk=aurora.recording_item.pk).update(
        expires_on=LAST_DAY, visibility="published", decided_at=BEFORE
    )
    other = rows.recording(aurora.host, topic="Another film")
    other_item = rows.item(aurora.site, other, "auto", recording=other, last_title=other.topic)
    with time_machine.travel(AFTER, tick=False):
        client.force_login(aurora.owner)
        assert not visitors_see(aurora)
        assert "Film of aurora" in listed(client, "over")
        assert "Film of aurora" not in listed(client, "published")
        assert "taken off automatically" in listed(client)
        url = reverse("wagtail_zoom_recordings:edit", args=[aurora.recording_item.pk])
        assert "“show until” day is over" in client.get(url).content.decode()
        assert "Enter today or a later day." in save(client, other_item, LAST_DAY)


def test_the_form_names_the_clock(client, aurora, owner_zone):
    """Only where it is not the owner's own."""
    client.force_login(aurora.owner)
    url = reverse("wagtail_zoom_recordings:edit", args=[aurora.recording_item.pk])
    has_note = "ends at midnight, Berlin time" in client.get(url).content.decode()
    assert has_note == (owner_zone != "Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "last"), [(-2, "9 April 2027"), (1, "10 April 2027")], ids=["before", "after"]
)
def test_the_rule_of_the_site_ends_on_one_day_for_all(client, aurora, owner_zone, hours, last):
    """A recording is shown for 30 days: the list and visitors read the same last day."""
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(recording_days=30)
    start = MIDNIGHT + timedelta(hours=hours)
    Recording.objects.filter(pk=aurora.recording.pk).update(start=start)
    SiteItem.objects.filter(pk=aurora.recording_item.pk).update(
        visibility="published", decided_at=BEFORE
    )
    with time_machine.travel(MIDNIGHT + timedelta(hours=2), tick=False):
        client.force_login(aurora.owner)
        assert f" {last}" in listed(client)
        visibility = SiteVisibility.for_site(aurora.site)
        shown = visibility.recordings(Audience.VISITOR, Channel.PAGE)
        (view,) = recording_views(visibility, shown)
        assert str(view.until) == f"2027-04-{last.split()[0]:0>2}"
