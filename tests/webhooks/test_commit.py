"""An event answered with 200 is committed, whatever middleware the project has (W7)."""

import json
import threading

import pytest
from django.core.signals import request_finished
from django.db import connection, connections

from wagtail_zoom.models import WebhookEvent
from wagtail_zoom.testing.signing import sign

SECRET = "simulator-webhook-secret"


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.webhooks.urls")
def test_w7_the_row_is_committed_before_the_answer(client, monkeypatch):
    """With ``ATOMIC_REQUESTS``, seen by another connection when the request has finished."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    seen = []

    def count_events():
        seen.append(WebhookEvent.objects.count())
        connections.close_all()

    def finished(**kwargs):
        seen.append(connection.in_atomic_block)
        thread = threading.Thread(target=count_events)
        thread.start()
        thread.join()

    request_finished.connect(finished)
    try:
        raw = json.dumps({"event": "meeting.updated", "payload": {"account_id": "a"}}).encode()
        headers = sign(raw, SECRET)
        headers.pop("content-type")
        response = client.post(
            "/zoom/webhook/", raw, content_type="application/json", headers=headers
        )
        assert response.status_code == 200
    finally:
        request_finished.disconnect(finished)
    assert seen == [False, 1]
