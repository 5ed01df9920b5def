"""The test kit works as documented in docs/reference/testing.md (W33)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import Meeting, Registration, SiteItem, ZoomSettings
from wagtail_zoom.registration import tokens
from wagtail_zoom.testing import factories
from wagtail_zoom.testing.rows import ZoomRows
from wagtail_zoom.testing.webhooks import post_event

SAME = {"sec-fetch-site": "same-origin", "host": "localhost"}


def page_with(site, *blocks):
    page = ZoomPage(title="Zoom", slug="dates")
    page.body = json.dumps([{"type": kind, "value": value} for kind, value in blocks])
    site.root_page.add_child(instance=page)
    return page


def get_html(page, path=""):
    response = Client().get(page.url + path, headers={"host": "localhost"})
    assert response.status_code == 200
    return response.content.decode()


def test_rows_are_on_a_page_without_the_simulator(zoom_rows):
    zoom_rows.meeting("Bread for beginners", dates=3)
    zoom_rows.webinar("Sourdough")
    zoom_rows.recording("Last week's rye")
    zoom_rows.recording("Nobody has looked at it", publish=False)
    text = get_html(page_with(zoom_rows.site, ("dates", {}), ("recordings", {})))
    assert text.count("Bread for beginners") >= 3
    assert "Sourdough" in text
    assert "Last week" in text
    assert "Nobody has looked" not in text
    assert "made-up" not in text


def test_a_chosen_meeting_and_its_form(zoom_rows):
    meeting = zoom_rows.meeting("Bread", registration="auto")
    item = zoom_rows.item(meeting, title="Our own bread")
    text = get_html(page_with(zoom_rows.site, ("meeting", {"item": item.pk})))
    assert "Our own bread" in text
    url = FormLink(zoom_rows.site.pk, zoom_rows.site.root_page_id, meeting.pk).url
    assert "last_name" in Client().get(url, headers={"host": "localhost"}).content.decode()


def test_a_registration_has_a_status_page(zoom_rows):
    row = zoom_rows.registration(zoom_rows.meeting("Bread", registration="auto"), "a@example.org")
    text = Client().get(tokens.status_path(row), headers={"host": "localhost"}).content.decode()
    assert "Bread" in text
    assert row.email.reveal() == "a@example.org"
    assert row.purge_on > timezone.now().date()
    assert row.dates.count() == 1


@pytest.mark.parametrize("state", [*Registration.State])
def test_registrations_in_every_state(zoom_rows, state):
    row = zoom_rows.registration(zoom_rows.meeting(registration="manual"), state=state)
    response = Client().get(tokens.status_path(row), headers={"host": "localhost"})
    assert response.status_code == 200


def test_series_and_meetings_without_a_time(zoom_rows):
    start = timezone.now() + timedelta(days=3)
    series = zoom_rows.meeting(dates=3, start=start, every=timedelta(days=1))
    assert series.is_series
    days = [date.start for date in series.occurrences.order_by("start")]
    assert days == [start + timedelta(days=day) for day in range(3)]
    assert not zoom_rows.meeting(dates=0).has_fixed_time
    assert zoom_rows.webinar(dates=2).zoom_type == 9


def test_two_sites_do_not_see_each_other(zoom_rows):
    other = ZoomRows(factories.make_site("other.example.org"), show=["meetings"])
    own_meeting, other_meeting = zoom_rows.meeting(), other.meeting()
    visibility = SiteVisibility.for_site(zoom_rows.site)
    shown = {date.meeting_id for date in visibility.occurrences(Audience.VISITOR, Channel.PAGE)}
    assert own_meeting.pk in shown
    assert other_meeting.pk not in shown
    assert other.settings.kinds == {"meeting"}


def test_a_personal_grant_covers_one_user_only(zoom_rows):
    grant = factories.make_grant(zoom_rows.account, account_level=False, zoom_user_id="me")
    assert grant.covers("me")
    assert not grant.covers(zoom_rows.host.zoom_id)
    assert not any(name.endswith(":admin") for name in grant.scopes)


@pytest.mark.contract
def test_connect_list_register_and_an_event(zoom_connect, zoom_app, zoom_worker, zoom_deliver):
    site_settings = zoom_connect(
        "aurora-0", show=["meetings", "registration"], organiser="Harbour House"
    )
    assert isinstance(site_settings, ZoomSettings)
    assert site_settings.organiser == "Harbour House"
    assert Meeting.objects.exists()
    zoom_meeting = zoom_app.create_meeting(
        "aurora-0", topic="Fresh", start_time="+2d 10:00", registration="auto"
    )
    assert zoom_deliver() == ["meeting.created"]
    assert zoom_deliver() == []
    page = page_with(site_settings.site, ("dates", {"limit": 100}))
    assert "Fresh" in get_html(page)
    meeting = Meeting.objects.get(zoom_id=str(zoom_meeting["id"]))
    zoom_worker.run()
    person = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
    link = FormLink(site_settings.site_id, site_settings.site.root_page_id, meeting.pk, "en")
    response = Client().post(link.url, person, headers=SAME)
    assert response.status_code in (302, 303)
    zoom_worker.run()
    registrants = zoom_app.registrants(zoom_meeting["id"])
    assert [registrant["email"] for registrant in registrants] == ["mika@example.org"]
    assert Registration.objects.get().state == "approved"
    zoom_app.delete_meeting(zoom_meeting["id"])
    assert "meeting.deleted" in zoom_deliver()
    assert "Cancelled" in get_html(page)


def test_only_some_kinds_and_hosts(zoom_connect, zoom_app):
    host_id = zoom_app.users("aurora")[0]["id"]
    site_settings = zoom_connect("aurora-0", show=["meetings"], hosts=[host_id])
    assert site_settings.kinds == {"meeting"}
    assert set(Meeting.objects.values_list("host_zoom_id", flat=True)) == {host_id}
    assert not SiteItem.objects.filter(kind="recording").exists()


def test_an_event_of_an_unknown_account_is_accepted(db):
    event = {
        "event": "meeting.created",
        "event_ts": 1_700_000_000_000,
        "payload": {"account_id": "nobody", "object": {"id": 1}},
    }
    assert post_event(event).status_code == 200
