"""Attacks on the OAuth flow (X1, X3, X15), with the real views and the simulator."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from wagtail_zoom.models import Grant, OAuthState
from wagtail_zoom.testing.connect import authorize_as, connect_site, consent_url, follow
from wagtail_zoom.testing.factories import make_site

pytestmark = pytest.mark.django_db


def start_flow(client, site) -> str:
    return consent_url(client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk])))


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
    assert follow(owner_client, received["Location"] + "&again=1").status_code == 403
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
    "origin",
    [
        "https://evil.example",
        "https://testserver.evil.example",
        "https://testserver@evil.example",
        "https://testserver:9777",
        "http://testserver",
        "https://yoga.example",
    ],
    ids=["foreign", "below a foreign one", "user information", "port", "scheme", "another Site"],
)
def test_x15_redirects_go_to_own_origins_only(owner_client, site, zoom_app, origin):
    """A row with another origin than the installation's or its Site's redirects no browser."""
    make_site("yoga.example")
    back = authorize_as(start_flow(owner_client, site), "aurora-0")
    OAuthState.objects.update(origin=origin)
    assert follow(owner_client, back).status_code == 400
    state = query_of(back)["state"]
    query = urlencode({"state": state, "error": "access_denied"})
    declined = owner_client.get(f"{reverse('wagtail_zoom:oauth_callback')}?{query}")
    assert (declined.status_code, "Location" in declined) == (400, False)


@pytest.mark.parametrize(
    ("base_url", "site_host", "host", "origin"),
    [
        ("https://cms.example", ("yoga.example", 80), "yoga.example", "https://yoga.example"),
        ("https://cms.example", ("yoga.example", 443), "yoga.example:443", "https://yoga.example"),
        ("https://cms.example", ("yoga.example", 80), "YOGA.example", "https://yoga.example"),
        ("https://cms.example", ("yoga.example", 80), "cms.example", "https://cms.example"),
        ("https://cms.example", ("yoga.example", 80), "cms.example:443", "https://cms.example"),
        ("https://cms.example:8443", ("yoga.example", 80), "yoga.example", "https://yoga.example"),
        ("https://cms.example", ("yoga.example", 81), "yoga.example:81", "https://yoga.example:81"),
        ("https://cms.example", ("yoga.example", 80), "edit.example", "https://edit.example"),
        ("https://cms.example", ("yoga.example", 80), "e.example:81", "https://e.example:81"),
        ("http://localhost:8000", ("localhost", 80), "localhost:8000", "http://localhost:8000"),
        ("http://localhost:8000", ("a.localhost", 80), "a.localhost:8000",
         "http://a.localhost:8000"),
        ("http://localhost:8000", ("a.localhost", 8000), "a.localhost:8000",
         "http://a.localhost:8000"),
        ("http://[::1]:8000", ("localhost", 80), "[::1]:8000", "http://[::1]:8000"),
    ],
)  # fmt: skip
def test_a_flow_returns_to_where_it_began(
    owner_client, site, zoom_app, settings, base_url, site_host, host, origin
):
    """Behind a proxy that terminates TLS, in development and with several hosts at one port."""
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "BASE_URL": base_url,
        "ADMIN_HOSTS": ["edit.example", "e.example:81"],
    }
    zoom_app.options(redirect_uris=[f"{base_url}/zoom/oauth/callback/"])
    Site.objects.filter(pk=site.pk).update(hostname=site_host[0], port=site_host[1])
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    begun = owner_client.post(url, headers={"host": host})
    received = follow(owner_client, authorize_as(consent_url(begun), "aurora-0"))
    assert received["Location"].startswith(f"{origin}/zoom/oauth/finish/")
    assert follow(owner_client, received["Location"]).status_code == 302
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize(
    ("base_url", "site_host", "host"),
    [
        ("https://cms.example", ("yoga.example", 80), "cms.example:8000"),
        ("https://cms.example", ("yoga.example", 80), "cms.example:80"),
        ("https://cms.example", ("yoga.example", 80), "yoga.example:8000"),
        ("https://cms.example", ("yoga.example", 81), "yoga.example"),
        ("https://cms.example", ("yoga.example", 80), "edit.example:8000"),
        ("https://cms.example", ("yoga.example", 80), "e.example"),
        ("https://cms.example", ("yoga.example", 80), "other.example"),
        ("http://localhost:8000", ("localhost", 80), "localhost"),
        ("http://localhost:8000", ("localhost", 80), "localhost:9777"),
        ("http://localhost:8000", ("localhost", 80), "b.localhost:8000"),
        ("nonsense", ("localhost", 80), "testserver"),
    ],
)  # fmt: skip
def test_no_flow_begins_at_another_origin(
    owner_client, site, zoom_app, settings, base_url, site_host, host
):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "BASE_URL": base_url,
        "ADMIN_HOSTS": ["edit.example", "e.example:81"],
    }
    make_site("other.example")
    Site.objects.filter(pk=site.pk).update(hostname=site_host[0], port=site_host[1])
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    assert "oauth/authorize" not in owner_client.post(url, headers={"host": host})["Location"]
    assert not OAuthState.objects.exists()
