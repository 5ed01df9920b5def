"""Our own changes at Zoom come back as webhook events: harmless, no second email (W25)."""

import json

import pytest
from django.core import mail
from django.urls import reverse

from wagtail_zoom.models import Registration, WebhookEvent
from wagtail_zoom.testing.signing import sign

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db


def test_w25_events_about_our_own_registration_change_nothing(client, connect_site, zoom_worker):
    """Each event arrives twice."""
    scenario = connect_site()
    post(client, scenario.url)
    sent_events = [
        delivery["body"]
        for delivery in scenario.zoom.deliveries(event="meeting.registration_created")
    ]
    assert sent_events
    for number in range(2):
        for event in sent_events:
            raw = json.dumps({**event, "event_ts": event["event_ts"] + number}).encode()
            headers = sign(raw, "simulator-webhook-secret")
            headers.pop("content-type")
            url = reverse("wagtail_zoom:webhook")
            response = client.post(url, raw, content_type="application/json", headers=headers)
            assert response.status_code == 200
        zoom_worker.run()
        make_all_due()
        process_due()
    assert Registration.objects.get().state == "approved"
    assert len(scenario.zoom.registrants(scenario.number)) == 1
    assert (
        len([call for call in scenario.zoom.calls("method=POST") if "registrants" in call["path"]])
        == 1
    )
    assert len(mail.outbox) == 1
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"done", "ignored"}
