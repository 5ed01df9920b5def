"""What we do at Zoom comes back as a message: harmless, no second mail (W25)."""

import json

import pytest
from django.core import mail
from django.urls import reverse

from wagtail_zoom.models import Registration, WebhookEvent
from wagtail_zoom.testing.signing import sign

from .conftest import hurry, post, work

pytestmark = pytest.mark.django_db


def test_w25_our_own_sign_up_comes_back_as_a_message(client, connected, zoom_worker):
    """Also before Zoom's answer was read, and twice."""
    case = connected()
    post(client, case.url)
    echoes = [one["message"] for one in case.zoom.deliveries(event="meeting.registration_created")]
    assert echoes
    for number in range(2):
        for message in echoes:
            raw = json.dumps({**message, "event_ts": message["event_ts"] + number}).encode()
            headers = sign(raw, "simulator-webhook-secret")
            headers.pop("content-type")
            address = reverse("wagtail_zoom:webhook")
            answer = client.post(address, raw, content_type="application/json", headers=headers)
            assert answer.status_code == 200
        zoom_worker.run()
        hurry()
        work()
    assert Registration.objects.get().state == "approved"
    assert len(case.zoom.registrants(case.number)) == 1
    assert len([one for one in case.zoom.calls("method=POST") if "registrants" in one["path"]]) == 1
    assert len(mail.outbox) == 1
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"done", "ignored"}
