"""Of what Zoom answers, only what a Site wants is read, stored and logged for it."""

import json
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from wagtail.models import Page, Site

from tests.blocks import rows
from wagtail_zoom.exceptions import ZoomTransient
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.mapping.recordings import map_recording
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Meeting,
    Recording,
    WebhookEvent,
    fetch_scope,
)
from wagtail_zoom.sync import outcomes
from wagtail_zoom.sync.persist import WriteContext, store_meetings, store_recordings
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("left_out", ["host", "kind", ""])
def test_only_what_a_site_wants_is_stored(site, left_out):
    """However a worker came to the data: a listing may hold more than was asked for."""
    account = rows.account()
    ticked, other = rows.host(account, "ticked"), rows.host(account, "other")
    shown = left_out != "kind"
    rows.site_settings(site, account, ticked, show_meetings=shown, show_recordings=shown)
    host_id = other.zoom_id if left_out == "host" else ticked.zoom_id
    shared = {"host_id": host_id, "type": 2, "topic": "T", "start_time": "2026-12-01T10:00:00Z"}
    meeting, recording = map_meeting({"id": 7, **shared}), map_recording({"uuid": "u", **shared})
    scope = fetch_scope(account)
    store_meetings(account, scope, [meeting], WriteContext(NOW))
    store_recordings(account, scope, [recording], WriteContext(NOW))
    assert Meeting.objects.exists() == Recording.objects.exists() == (not left_out)


def test_an_event_about_a_host_that_no_site_shows_reads_nothing(
    connect, zoom_app, zoom_worker, client
):
    """Zoom sends the events of the whole account."""
    account = connect("aurora-0").account
    meeting = zoom_app.create_meeting("aurora-1", topic="Of others", start_time="+2d 10:00")
    assert ExposedHost.objects.filter(host__zoom_id=meeting["host_id"]).delete()[0]
    zoom_app.clear_calls()
    body = {"event": "meeting.created", "event_ts": 1_700_000_000_001, "payload": {
        "account_id": account.zoom_id,
        "object": {"id": meeting["id"], "host_id": meeting["host_id"]},
    }}  # fmt: skip
    raw = json.dumps(body).encode()
    headers = sign(raw, "simulator-webhook-secret")
    headers.pop("content-type")
    url = reverse("wagtail_zoom:webhook")
    response = client.post(url, raw, content_type="application/json", headers=headers)
    assert response.status_code == 200
    zoom_worker.run()
    assert zoom_app.calls("path=/meetings/") == []
    assert not Meeting.objects.filter(zoom_id=str(meeting["id"])).exists()


def test_a_failed_event_is_logged_for_the_sites_of_its_account_only(site):
    """A log names the events of its own Zoom account."""
    own, other = rows.account(), rows.account()
    rows.site_settings(site, own)
    root = site.root_page.get_parent().add_child(instance=Page(title="Other", slug="other"))
    other_site = Site.objects.create(hostname="other.example", root_page=root)
    rows.site_settings(other_site, other)
    event = WebhookEvent.objects.create(
        content_key="k", account_zoom_id=own.zoom_id, event="meeting.updated", payload={},
        attempts=outcomes.MAX_ATTEMPTS,
    )  # fmt: skip
    outcomes.schedule_retry([event], ZoomTransient("away"))
    assert list(Activity.objects.values_list("site", "code")) == [(site.pk, "event_failed")]
