"""Attacks on the OAuth flow (X1, X3, X15), with the real views and the simulator."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from wagtail_zoom.models import Grant, OAuthState
from wagtail_zoom.testing.connect import authorize_as, connect_site, follow

pytestmark = pytest.mark.django_db


def start_flow(client, site) -> str:
    return client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))["Location"]


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.parametrize(
    "change",
    [{"CLIENT_ID": "second-app"}, {"OAUTH_URL": "https://zoomgov.example"}],
    ids=["second app", "second server"],
)
def test_x3_a_flow_cannot_be_finished_by_another_app_or_server(
    owner_client,
    site,
    zoom_app,
    settings,
    change,
):
    """The code of one authorisation server is never sent to another one."""
    received = follow(owner_client, authorize_as(start_flow(owner_client, site), "aurora-0"))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **change}
    zoom_app.clear_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def test_x3_the_token_endpoint_comes_from_the_settings_only(owner_client, site, zoom_app):
    """RFC 9207: an issuer or endpoint in the query has no effect."""
    back = authorize_as(start_flow(owner_client, site), "aurora-0")
    query = {
        **query_of(back), "iss": "https://evil.example", "token_endpoint": "https://evil.example",
        "redirect_uri": "https://evil.example/", "client_id": "other",
    }  # fmt: skip
    received = owner_client.get(f"{urlsplit(back).path}?{urlencode(query)}")
    assert follow(owner_client, received["Location"]).status_code == 302
    assert Grant.objects.get().client_id == "simulator-client"


def test_x1_an_injected_code_is_rejected(owner_client, site, zoom_app):
    """Injected into a flow of the victim: PKCE ties the code to the flow it belongs to."""
    own_state = query_of(start_flow(owner_client, site))["state"]
    attacker = Client()
    attacker.force_login(OAuthState.objects.get().user)
    stolen = query_of(authorize_as(start_flow(attacker, site), "borealis-0"))["code"]
    query = urlencode({"state": own_state, "code": stolen})
    back = f"{reverse('wagtail_zoom:oauth_callback')}?{query}"
    received = owner_client.get(back)
    follow(owner_client, received["Location"])
    assert not Grant.objects.exists()
    assert [call["status"] for call in zoom_app.calls("path=/oauth/token")] == [400]


def test_x1_a_flow_started_by_another_browser_is_rejected(owner_client, site, zoom_app):
    """The victim's browser opens the callback of the attacker's flow."""
    attacker = Client()
    attacker.force_login(OAuthState._meta.get_field("user").related_model.objects.first())
    back = authorize_as(start_flow(attacker, site), "borealis-0")
    received = follow(owner_client, back)
    zoom_app.clear_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "target", ["//evil.example", "https:evil.example", "/\\evil.example", "https://evil.example/"]
)
def test_x15_no_parameter_redirects_elsewhere(owner_client, site, zoom_app, target):
    """Neither ``next`` nor another parameter decides where a browser is redirected."""
    extra = urlencode({"next": target, "origin": target, "return_to": target, "state": target})
    for name in ("oauth_callback", "oauth_finish", "start"):
        response = owner_client.get(f"{reverse(f'wagtail_zoom:{name}')}?{extra}")
        assert "evil" not in response.get("Location", "")
    stranger = Client().get(f"{reverse('wagtail_zoom:start')}?next={target}")
    location = urlsplit(stranger["Location"])
    assert (location.scheme, location.netloc) == ("", "")
    response = connect_site(owner_client, site, "aurora-0")
    assert urlsplit(response["Location"]).netloc == ""


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example"]
)
def test_x15_redirects_go_to_our_own_hostnames_only(owner_client, site, zoom_app, host):
    """A row with a foreign origin redirects no browser there."""
    back = authorize_as(start_flow(owner_client, site), "aurora-0")
    OAuthState.objects.update(origin=f"https://{host}")
    assert follow(owner_client, back).status_code == 400
