"""A project's own test with the documented fixtures: connect, list, hear of a change."""

import json
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from home.models import HomePage
from wagtail.models import Page, Site

import wagtail_zoom
from wagtail_zoom.models import ExposedHost, Host, Meeting, ZoomSettings
from wagtail_zoom.sync.choices import apply_exposure
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.signing import sign


def test_the_wheel_is_what_runs():
    assert "site-packages" in Path(wagtail_zoom.__file__).parts
    assert finders.find("wagtail_zoom/blocks.css")
    for language in ("de", "fr", "es"):
        with override(language):
            assert str(ZoomSettings._meta.get_field("show_recordings").verbose_name) != "recordings"


@pytest.fixture
def connected(db, zoom_app, zoom_worker, settings):
    """A connected Site that shows the meetings of everybody, and the superuser's client."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0, "RATE_SHARE": 1.0}
    zoom_app.options(rate_limit="off")
    owner = get_user_model().objects.create_superuser("owner", "owner@example.org", "pw")
    client = Client()
    client.force_login(owner)
    site = Site.objects.get(is_default_site=True)
    answer = connect_site(client, site, "aurora-0", host="localhost")
    assert answer.status_code == 302
    assert client.get(answer["Location"], headers={"host": "localhost"}).status_code == 200
    zoom_worker.run()
    choice = ZoomSettings.for_site(site)
    choice.show_meetings = True
    choice.save()
    for host in Host.objects.filter(account=choice.account):
        ExposedHost.objects.get_or_create(settings=choice, host=host)
    apply_exposure(choice, owner)
    zoom_worker.run()
    return site


def page_of(site):
    root = Page.objects.get(pk=site.root_page_id)
    page = HomePage(title="Dates", slug="dates")
    block = {"limit": 100, "paging": False, "heading": "Our dates"}
    page.body = json.dumps([{"type": "meetings", "value": block}])
    root.add_child(instance=page)
    return page.url


def test_connect_list_and_change(connected, zoom_app, zoom_worker):
    made = zoom_app.create_meeting(
        "aurora-0", topic="Breathing for beginners", start_time="2031-05-06T07:08:00Z", duration=45
    )
    body = json.dumps(
        {
            "event": "meeting.created",
            "event_ts": 1_900_000_000_000,
            "payload": {
                "account_id": ZoomSettings.for_site(connected).account.zoom_id,
                "object": {
                    "id": str(made["id"]),
                    "uuid": made["uuid"],
                    "host_id": made["host_id"],
                    "topic": made["topic"],
                    "type": 2,
                },
            },
        }
    ).encode()
    url = page_of(connected)
    before = Client().get(url, headers={"host": "localhost"}).content.decode()
    some = Meeting.objects.filter(occurrences__state="scheduled").first()
    assert "Our dates" in before
    assert some is not None
    assert some.topic.split()[0] in before
    headers = sign(body, "simulator-webhook-secret")
    answer = Client().post(
        reverse("wagtail_zoom:webhook"),
        body,
        content_type="application/json",
        headers={**headers, "host": "localhost"},
    )
    assert answer.status_code == 200
    zoom_worker.run()
    after = Client().get(url, headers={"host": "localhost"}).content.decode()
    assert "Breathing for beginners" in after
