"""``ADMIN_HOSTS``: further hosts on which an authorisation starts and to which it returns."""

import pytest
from django.urls import reverse

from wagtail_zoom.models import Grant, OAuthState
from wagtail_zoom.testing.connect import authorize_as, consent_url, follow

pytestmark = pytest.mark.django_db
HOST = "admin.example"


@pytest.fixture
def connect_on_admin_host(owner_client, site):
    """Press *Connect Zoom* on a host that is no Site's."""

    def press():
        url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
        return owner_client.post(url, headers={"host": HOST})

    return press


def test_connecting_starts_and_ends_on_an_admin_host(
    owner_client, connect_on_admin_host, zoom_app, settings
):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ADMIN_HOSTS": [HOST]}
    response = connect_on_admin_host()
    received = follow(owner_client, authorize_as(consent_url(response), "aurora-0"))
    assert received["Location"].startswith(f"https://{HOST}/")
    assert follow(owner_client, received["Location"]).status_code == 302
    assert Grant.objects.get().state == "connected"


def test_another_host_starts_nothing(connect_on_admin_host, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ADMIN_HOSTS": ["other.example"]}
    assert "oauth/authorize" not in connect_on_admin_host()["Location"]
    assert not OAuthState.objects.exists()
