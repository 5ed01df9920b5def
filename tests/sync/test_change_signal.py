"""From a change at Zoom to the addresses that a front-end cache forgets."""

import time

import pytest
from django.utils import timezone

from tests.frontend.test_purge import SENT, cache, page, paths  # noqa: F401
from wagtail_zoom.models import SiteItem, WebhookEvent
from wagtail_zoom.sync import inbox

pytestmark = pytest.mark.django_db


def test_shows_5_a_change_at_zoom_purges_exactly_the_pages_that_show_it(
    connect, zoom_app, site, django_capture_on_commit_callbacks
):
    """Over the real way: the simulator changes, a message says so, the worker reads it anew."""
    host = zoom_app.state()["users"][0]["id"]
    one = zoom_app.create_meeting(host, topic="One", start_time="+2d 10:00")
    two = zoom_app.create_meeting(host, topic="Two", start_time="+3d 10:00")
    choice = connect("aurora-0", hosts=[host], kinds=("meetings",))
    items = {item.key: item for item in SiteItem.objects.for_site(site)}
    root = site.root_page
    page(root, "all", ("dates", {"paging": False}))
    page(root, "webinars", ("dates", {"paging": False, "kind": "webinar"}))
    page(root, "one", ("meeting", {"item": items[str(one["id"])]}))
    page(root, "two", ("meeting", {"item": items[str(two["id"])]}))
    page(root, "films", ("recordings", {"paging": False}))
    SENT.clear()
    zoom_app.change_meeting(one["id"], topic="One, renamed")
    WebhookEvent.objects.create(
        content_key="k1",
        account_zoom_id=choice.account.zoom_id,
        event="meeting.updated",
        event_ts=int(time.time() * 1000),
        lane=f"{choice.account.zoom_id}:meeting:{one['id']}",
        payload={
            "account_id": choice.account.zoom_id,
            "object": {"id": one["id"], "host_id": host},
        },
    )
    with django_capture_on_commit_callbacks(execute=True):
        inbox.work_off(timezone.now())
    assert paths(SENT) == {"/all/", "/one/"}
