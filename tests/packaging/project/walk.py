"""A project's own test with the documented fixtures: connect, list, register, receive events."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils.translation import override
from home.models import HomePage

import wagtail_zoom
from wagtail_zoom.models import Meeting, SiteItem, ZoomSettings

PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}


def test_the_installed_wheel_is_used():
    assert "site-packages" in Path(wagtail_zoom.__file__).parts
    assert finders.find("wagtail_zoom/blocks.css")
    for language in ("de", "fr", "es"):
        with override(language):
            assert str(ZoomSettings._meta.get_field("show_recordings").verbose_name) != "recordings"


@pytest.fixture
def visit(client):
    """Open a page as a visitor."""

    def read(page):
        response = client.get(page.url, headers={"host": "localhost"})
        assert response.status_code == 200
        return response.content.decode()

    return read


def add_page(site, slug, kind, **value):
    page = HomePage(title=slug, slug=slug, body=json.dumps([{"type": kind, "value": value}]))
    return site.root_page.add_child(instance=page)


def test_rows_without_a_zoom_connection(zoom_rows, visit):
    zoom_rows.meeting("Bread for beginners", dates=3)
    zoom_rows.recording("Last week's rye")
    site = zoom_rows.site
    assert visit(add_page(site, "dates", "meetings")).count("Bread for beginners") >= 3
    assert "Last week" in visit(add_page(site, "recordings", "recordings"))


def test_connect_list_register_and_receive_events(
    zoom_connect, zoom_app, zoom_worker, zoom_deliver, client, visit
):
    site = zoom_connect("aurora-0").site
    dates = add_page(site, "dates", "meetings", limit=100, paging=False)
    meeting = Meeting.objects.filter(occurrences__state="scheduled").first()
    assert meeting.topic.split()[0] in visit(dates)

    created = zoom_app.create_meeting(
        "aurora-0", topic="Breathing", start_time="+2d 10:00", registration="auto"
    )
    assert zoom_deliver() == ["meeting.created"]
    assert "Breathing" in visit(dates)

    item = SiteItem.objects.get(site=site, key=str(created["id"]))
    form = add_page(site, "register", "registration", item=item.pk)
    (action,) = re.findall(r'<form[^>]* action="([^"]+/register/[^"]+)"', visit(form))
    headers = {"host": "localhost", "sec-fetch-site": "same-origin"}
    assert client.post(action, PERSON, headers=headers).status_code in (302, 303)
    zoom_worker.run()
    assert [registrant["email"] for registrant in zoom_app.registrants(created["id"])] == [
        PERSON["email"]
    ]

    zoom_app.delete_meeting(created["id"])
    assert "meeting.deleted" in zoom_deliver()
    assert "Cancelled" in visit(dates)
