"""From a change at Zoom to the URLs that are purged from a front-end cache."""

import time

import pytest
from django.utils import timezone

from tests.frontend.test_purge import SENT, cache, page, paths  # noqa: F401
from wagtail_zoom.models import SiteItem, WebhookEvent
from wagtail_zoom.sync import inbox

pytestmark = pytest.mark.django_db


def test_a_change_at_zoom_purges_exactly_the_pages_that_show_it(
    connect, zoom_app, site, django_capture_on_commit_callbacks
):
    """End to end: the simulator changes, an event reports it, the worker reads it again."""
    host = zoom_app.state()["users"][0]["id"]
    first = zoom_app.create_meeting(host, topic="One", start_time="+2d 10:00")
    second = zoom_app.create_meeting(host, topic="Two", start_time="+3d 10:00")
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    items = {item.key: item for item in SiteItem.objects.for_site(site)}
    root = site.root_page
    page(root, "all", ("dates", {"paging": False}))
    page(root, "webinars", ("dates", {"paging": False, "kind": "webinar"}))
    page(root, "one", ("meeting", {"item": items[str(first["id"])]}))
    page(root, "two", ("meeting", {"item": items[str(second["id"])]}))
    page(root, "recordings", ("recordings", {"paging": False}))
    SENT.clear()
    zoom_app.change_meeting(first["id"], topic="One, renamed")
    WebhookEvent.objects.create(
        content_key="k1",
        account_zoom_id=site_settings.account.zoom_id,
        event="meeting.updated",
        event_ts=int(time.time() * 1000),
        lock_key=f"{site_settings.account.zoom_id}:meeting:{first['id']}",
        payload={
            "account_id": site_settings.account.zoom_id,
            "object": {"id": first["id"], "host_id": host},
        },
    )
    with django_capture_on_commit_callbacks(execute=True):
        inbox.process_due_events(timezone.now())
    assert paths(SENT) == {"/all/", "/one/"}
