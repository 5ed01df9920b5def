"""Switching recordings off and on again, in the panel, against the Zoom simulator."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.urls import reverse

from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.models import Host, Recording, SiteItem, ZoomSettings

pytestmark = pytest.mark.django_db
OWN_TITLE = "A title of our own"


@pytest.fixture
def recordings_page(site, settings):
    settings.DEBUG = True  # links of the Zoom simulator are plain HTTP
    page = ZoomPage(title="Recordings", slug="recordings", body=[("recordings", {"limit": 20})])
    site.root_page.add_child(instance=page)
    return page


def save_settings(client, site_settings, *, recordings):
    """Save the settings as the form does, and confirm the question."""
    hosts = Host.objects.filter(exposed_on__settings=site_settings).values_list("pk", flat=True)
    data = {
        "show_meetings": "on",
        "hosts": list(hosts),
        "item_rule": "all",
        "mark_word": "#public",
        "join_policy": "window",
        "join_minutes": "15",
        "passcode_policy": "in_link",
        "review_recordings": "True",
        "registration_days": "30",
        **({"show_recordings": "on"} if recordings else {}),
    }
    url = reverse(
        "wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_settings.site_id]
    )
    response = client.post(url, data)
    if response.status_code == 200:
        assert b"Switch off and delete?" in response.content
        assert ZoomSettings.objects.get(pk=site_settings.pk).show_recordings
        response = client.post(url, {**data, "confirmed": "1"})
    assert response.status_code == 302


@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_recordings_switched_off_are_hidden_and_come_back_with_their_edits(
    client,
    connect,
    recordings_page,
    admin_user,
    zoom_worker,
):
    site_settings = connect("aurora-0")
    client.force_login(admin_user)
    item = SiteItem.objects.filter(kind="recording", recording__is_ready=True).first()
    edit_url = reverse("wagtail_zoom_recordings:edit", args=[item.pk])
    client.post(edit_url, {"title": OWN_TITLE, "tags": "calm", "action-publish": "1"})
    html = client.get("/recordings/").content.decode()
    assert OWN_TITLE in html
    recording = client.get("/api/zoom_recordings/").json()["items"][0]
    watch_url = recording["url"]
    assert client.get(watch_url).status_code in (200, 302)
    chooser_url = f"{reverse('wagtail_zoom_items:choose')}?kind=recording"
    assert OWN_TITLE in client.get(chooser_url).content.decode()

    save_settings(client, site_settings, recordings=False)
    visibility = SiteVisibility.for_site(site_settings.site)
    assert not visibility.recordings(Audience.VISITOR, Channel.PAGE).exists()  # immediately
    assert OWN_TITLE not in client.get("/recordings/").content.decode()
    zoom_worker.run()
    assert not Recording.objects.exists()
    assert client.get("/api/zoom_recordings/").json()["items"] == []
    assert client.get(watch_url).status_code == 404
    assert client.get(reverse("wagtail_zoom_recordings:watch", args=[item.pk])).status_code == 404
    assert OWN_TITLE not in client.get(chooser_url).content.decode()
    listing = client.get(reverse("wagtail_zoom_recordings:index")).content.decode()
    assert OWN_TITLE not in listing and "Recordings are switched off." in listing

    save_settings(client, site_settings, recordings=True)
    zoom_worker.run()
    item.refresh_from_db()
    assert item.recording is not None and item.visibility == "published"
    assert [tag.name for tag in item.tags.all()] == ["calm"]
    assert OWN_TITLE in client.get("/recordings/").content.decode()
    assert client.get(watch_url).status_code in (200, 302)
