"""Switching recordings off and on again, through the panel, against the simulated Zoom."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.urls import reverse

from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend.visibility import Audience, Exposure, Surface
from wagtail_zoom.models import Host, Recording, SiteItem, ZoomSettings

pytestmark = pytest.mark.django_db
OWN = "A title of our own"


@pytest.fixture
def films_page(site, settings):
    settings.DEBUG = True  # links of the simulated Zoom are plain HTTP
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    page = ZoomPage(title="Films", slug="films", body=[("recordings", {"limit": 20})])
    site.root_page.add_child(instance=page)
    return page


def save(client, choice, *, recordings):
    """Save the choices as the form does; the question is answered with yes."""
    hosts = Host.objects.filter(exposed_on__settings=choice).values_list("pk", flat=True)
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
    url = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", choice.site_id])
    asked = client.post(url, data)
    if asked.status_code == 200:
        assert b"Switch off and delete?" in asked.content
        assert ZoomSettings.objects.get(pk=choice.pk).show_recordings
        asked = client.post(url, {**data, "confirmed": "1"})
    assert asked.status_code == 302


@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_recordings_off_are_nowhere_and_come_back_with_the_curation(
    client,
    connect,
    films_page,
    admin_user,
    zoom_worker,
):
    """Issue 3, Shows 4."""
    choice = connect("aurora-0")
    client.force_login(admin_user)
    item = SiteItem.objects.filter(kind="recording", recording__is_ready=True).first()
    edit = reverse("wagtail_zoom_recordings:edit", args=[item.pk])
    client.post(edit, {"title": OWN, "tags": "calm", "action-publish": "1"})
    public = client.get("/films/").content.decode()
    assert OWN in public
    film = client.get("/api/zoom_recordings/").json()["items"][0]
    watch = film["url"]
    assert client.get(watch).status_code in (200, 302)
    chooser = f"{reverse('wagtail_zoom_items:choose')}?kind=recording"
    assert OWN in client.get(chooser).content.decode()

    save(client, choice, recordings=False)
    gate = Exposure.for_site(choice.site)
    assert not gate.recordings(Audience.VISITOR, Surface.PAGE).exists()  # at once
    assert OWN not in client.get("/films/").content.decode()
    zoom_worker.run()
    assert not Recording.objects.exists()
    assert client.get("/api/zoom_recordings/").json()["items"] == []
    assert client.get(watch).status_code == 404
    assert client.get(reverse("wagtail_zoom_recordings:watch", args=[item.pk])).status_code == 404
    assert OWN not in client.get(chooser).content.decode()
    listing = client.get(reverse("wagtail_zoom_recordings:index")).content.decode()
    assert OWN not in listing and "Recordings are switched off." in listing

    save(client, choice, recordings=True)
    zoom_worker.run()
    item.refresh_from_db()
    assert item.recording is not None and item.visibility == "published"
    assert [tag.name for tag in item.tags.all()] == ["calm"]
    assert OWN in client.get("/films/").content.decode()
    assert client.get(watch).status_code in (200, 302)
