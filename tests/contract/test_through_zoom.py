"""What an installation gets from Zoom by events. The same with a hub between: ``--through-hub``."""

import pytest

from tests.kit.test_fixtures import SAME
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Grant, Meeting, Registration, WebhookEvent, ZoomSettings

pytestmark = [pytest.mark.contract, pytest.mark.django_db]
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}


@pytest.fixture
def site_settings(zoom_connect):
    return zoom_connect("aurora-0", show=["meetings", "registration"])


def test_a_meeting_is_created_changed_and_deleted(site_settings, zoom_app, zoom_deliver):
    number = zoom_app.create_meeting("aurora-0", topic="Fresh", start_time="+2d 10:00")["id"]
    assert zoom_deliver() == ["meeting.created"]
    zoom_app.change_meeting(number, topic="Fresher")
    assert zoom_deliver() == ["meeting.updated"]
    assert Meeting.objects.get(zoom_id=str(number)).topic == "Fresher"
    zoom_app.delete_meeting(number)
    assert zoom_deliver() == ["meeting.deleted"]
    assert Meeting.objects.get(zoom_id=str(number)).removed_at
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}


def test_the_same_event_twice_is_one(site_settings, zoom_app, zoom_deliver):
    zoom_app.fault("duplicate", count=1)
    zoom_app.create_meeting("aurora-0", topic="Fresh", start_time="+2d 10:00")
    assert zoom_deliver() == ["meeting.created"] * 2
    assert WebhookEvent.objects.count() == 1


def test_removing_the_app_at_zoom_ends_the_connection(site_settings, zoom_app, zoom_deliver):
    zoom_app.advance(1)  # Zoom's time has whole seconds: not that of the connection
    zoom_app.deauthorize(account="aurora")
    assert zoom_deliver() == ["app_deauthorized"]
    grant = Grant.objects.get()
    assert (grant.state, grant.reason) == ("revoked", "deauthorized")
    assert not grant.access_token
    assert ZoomSettings.objects.get().account is None


def test_events_come_again_after_connecting_again(
    site_settings, zoom_connect, zoom_app, zoom_deliver
):
    zoom_app.advance(1)  # Zoom's time has whole seconds: not that of the connection
    zoom_app.deauthorize(account="aurora")
    zoom_deliver()
    zoom_connect("aurora-0", show=["meetings"])
    number = zoom_app.create_meeting("aurora-0", topic="Fresh", start_time="+2d 10:00")["id"]
    assert "meeting.created" in zoom_deliver()
    assert Meeting.objects.filter(zoom_id=str(number)).exists()


def test_a_registration_is_cancelled_at_zoom(
    site_settings, zoom_app, zoom_worker, zoom_deliver, client
):
    number = zoom_app.create_meeting(
        "aurora-0", topic="Fresh", start_time="+2d 10:00", registration="auto"
    )["id"]
    zoom_deliver()
    zoom_worker.run()
    site, meeting = site_settings.site, Meeting.objects.get(zoom_id=str(number))
    link = FormLink(site.pk, site.root_page_id, meeting.pk, "en")
    assert client.post(link.url, PERSON, headers=SAME).status_code == 303
    zoom_worker.run()
    assert Registration.objects.get().state == "approved"
    [registrant] = zoom_app.registrants(number)
    zoom_deliver()
    zoom_app.decide(number, registrant["id"], "cancel")
    assert zoom_deliver() == ["meeting.registration_cancelled"]
    assert Registration.objects.get().state == "cancelled"
