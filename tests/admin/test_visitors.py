"""What the admin says visitors see, from the rules that decide it."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from tests.testapp.models import ZoomPage
from wagtail_zoom.admin import status_rules
from wagtail_zoom.admin.activity import activity_text
from wagtail_zoom.admin.site_status import get_site_status
from wagtail_zoom.models import Activity, ExposedHost, Grant, Occurrence, SiteItem, ZoomSettings
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.sync import settings_changes

pytestmark = pytest.mark.django_db


def visitors_url(tenant):
    return reverse("wagtail_zoom_admin:visitors", args=[tenant.site.pk])


def posted(client, tenant, **changes):
    """The values of the panel's form, with changes."""
    form = client.get(tenant.panel).context["form"]
    values = {
        name: form[name].value() for name in form.fields if form[name].value() not in (None, False)
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def test_titles_are_those_that_visitors_read(as_aurora, aurora):
    SiteItem.objects.filter(pk=aurora.meeting_item.pk).update(title="An evening of my own")
    SiteItem.objects.filter(pk=aurora.recording_item.pk).update(
        title="A film of my own", visibility="published"
    )
    page = as_aurora.get(visitors_url(aurora)).content.decode()
    assert "An evening of my own" in page and "Meeting of aurora" not in page
    assert "A film of my own" in page and "Film of aurora" not in page


def test_choices_that_are_not_saved(as_aurora, aurora):
    """The button beside Save posts the form as it stands."""
    page = as_aurora.get(aurora.panel).content.decode()
    assert f'formaction="{visitors_url(aurora)}"' in page
    response = as_aurora.post(visitors_url(aurora), posted(as_aurora, aurora))
    body = response.content.decode()
    assert "These choices are not saved." in body and "Meeting of aurora" in body
    body = as_aurora.post(
        visitors_url(aurora), posted(as_aurora, aurora, show_meetings=None)
    ).content.decode()
    assert "Meeting of aurora" not in body
    assert ZoomSettings.objects.get(site=aurora.site).show_meetings


def test_the_choices_of_another_site_are_not_read(as_aurora, borealis):
    assert as_aurora.post(visitors_url(borealis), {}).status_code == 404


def make_page(tenant, **values):
    """A page of this Site with a block, published unless it is said."""
    values = {"title": "Dates", "slug": "dates", "body": [("dates", {})], **values}
    return tenant.site.root_page.add_child(instance=ZoomPage(**values))


@pytest.mark.parametrize("live", [None, False, True])
def test_numbers_are_on_the_pages_only_with_a_published_page(as_aurora, aurora, live):
    """Panel, overview and *What visitors see*, where there is no page, a draft, a published one."""
    if live is not None:
        make_page(aurora, live=live)
    body = html.unescape(as_aurora.get(aurora.panel).content.decode())
    assert ("On your pages" in body) == bool(live)
    assert ("No published page has a Zoom block yet" in body) == (not live)
    assert ("no published page yet" in body) == (not live)
    assert ("“Dates” has a Zoom block, but is not published." in body) == (live is False)
    body = as_aurora.get(visitors_url(aurora)).content.decode()
    assert ("No published page has a Zoom block yet" in body) == (not live)
    as_aurora.force_login(User.objects.create_superuser("operator"))
    body = as_aurora.get(reverse("wagtail_zoom_admin:overview")).content.decode()
    assert ("It would show 1 date" in body) == (not live)


@pytest.mark.parametrize("state", ["paused", "reconnect", "archived"])
def test_visitors_see_nothing_while_no_page_shows_it(aurora, state):
    """While nothing is synced, the message says what visitors still see."""
    rows = ZoomSettings.objects.filter(pk=aurora.site_settings.pk)
    if state == "paused":
        rows.update(paused_at=timezone.now())
    elif state == "reconnect":
        Grant.objects.filter(pk=aurora.grant.pk).update(state="needs_reconnect")
    else:
        disconnect.disconnect(ZoomSettings.objects.get(pk=aurora.site_settings.pk), keep=True)

    def texts():
        messages = status_rules.problems(get_site_status(aurora.site))
        return " ".join(message.text for message in messages)

    assert "so visitors see nothing from Zoom" in texts() and "still see" not in texts()
    make_page(aurora)
    assert "Visitors still see 1 date as they were then." in texts()


def save(client, item, action, **values):
    url = reverse(
        "wagtail_zoom_recordings:edit"
        if item.kind == "recording"
        else "wagtail_zoom_meetings:edit",
        args=[item.pk],
    )
    values = {"title": "", "summary": "", "tags": "", action: "1", **values}
    return html.unescape(client.post(url, values, follow=True).content.decode())


def test_saved_says_what_visitors_see(as_aurora, aurora):
    item = aurora.meeting_item
    assert "Saved. Visitors see 1 date of it." in save(as_aurora, item, "action-publish")
    assert "Saved. Visitors do not see it." in save(as_aurora, item, "action-hide")
    ExposedHost.objects.all().delete()
    page = save(as_aurora, item, "action-publish")
    assert "Saved. Visitors do not see it: " in page and "Saved. Visitors see" not in page


def test_saved_says_that_no_date_is_to_come(as_aurora, aurora):
    past = timezone.now() - timedelta(days=3)
    Occurrence.objects.update(start=past, end=past + timedelta(hours=1), state="over")
    page = save(as_aurora, aurora.meeting_item, "action-publish")
    assert "Saved. Visitors see no date of it: none is to come." in page


def test_a_last_day_in_the_past_is_refused(as_aurora, aurora):
    item, yesterday = aurora.recording_item, timezone.localdate() - timedelta(days=1)
    page = save(as_aurora, item, "action-publish", expires_on=yesterday.isoformat())
    assert "Enter today or a later day." in page
    # One that has passed since stays, and does not stop other changes.
    SiteItem.objects.filter(pk=item.pk).update(expires_on=yesterday)
    page = save(as_aurora, item, "action-publish", expires_on=yesterday.isoformat(), title="Words")
    assert "Saved. Visitors do not see it: " in page


def test_an_archive_of_nothing_does_not_promise_one(aurora):
    Occurrence.objects.all().delete()
    SiteItem.objects.filter(kind="recording").update(visibility="hidden")
    disconnect.disconnect(ZoomSettings.objects.get(site=aurora.site), keep=True)
    message = status_rules.describe(get_site_status(aurora.site))
    assert "0 dates" not in message.text and "keep an archive" not in message.title


def test_the_activity_says_what_was_turned_off(aurora):
    site_settings = ZoomSettings.objects.get(site=aurora.site)
    settings_changes.turn_off(site_settings, ["recording"], aurora.owner)
    entry = Activity.objects.get(code="exposure_changed")
    text = activity_text(entry).detail
    assert "Turned off: recordings." in text and "Turned on" not in text
    assert "Now shown: " in text and "of 1 host" in text
