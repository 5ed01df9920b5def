"""Authorisations that are not what they seem (X1, X3), over the real pages and the simulator."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from wagtail_zoom.models import Grant, OAuthState
from wagtail_zoom.testing.connect import agree, connect_site, follow

pytestmark = pytest.mark.django_db


def begin(client, place) -> str:
    return client.post(reverse("wagtail_zoom:oauth_connect", args=[place.pk]))["Location"]


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.parametrize(
    "change",
    [{"CLIENT_ID": "second-app"}, {"OAUTH_URL": "https://zoomgov.example"}],
    ids=["second app", "second server"],
)
def test_x3_what_one_app_or_server_began_no_other_finishes(
    owner_client,
    site,
    zoom_app,
    settings,
    change,
):
    """The code of one authorisation server is never shown to another one."""
    received = follow(owner_client, agree(begin(owner_client, site), "aurora-0"))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **change}
    zoom_app.forget_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def test_x3_the_token_endpoint_comes_from_the_settings_only(owner_client, site, zoom_app):
    """RFC 9207 and everything else in the query: what the browser says of the issuer is nothing."""
    back = agree(begin(owner_client, site), "aurora-0")
    query = {
        **query_of(back), "iss": "https://evil.example", "token_endpoint": "https://evil.example",
        "redirect_uri": "https://evil.example/", "client_id": "other",
    }  # fmt: skip
    received = owner_client.get(f"{urlsplit(back).path}?{urlencode(query)}")
    assert follow(owner_client, received["Location"]).status_code == 302
    assert Grant.objects.get().client_id == "simulator-client"


def test_x1_the_attackers_code_in_the_victims_flow(owner_client, site, zoom_app):
    """Injected into a flow that the victim began: PKCE ties the code to its own beginning."""
    mine = query_of(begin(owner_client, site))["state"]
    theirs = Client()
    theirs.force_login(OAuthState.objects.get().user)
    stolen = query_of(agree(begin(theirs, site), "borealis-0"))["code"]
    back = f"{reverse('wagtail_zoom:oauth_callback')}?{urlencode({'state': mine, 'code': stolen})}"
    received = owner_client.get(back)
    follow(owner_client, received["Location"])
    assert not Grant.objects.exists()
    assert [call["status"] for call in zoom_app.calls("path=/oauth/token")] == [400]


def test_x1_a_flow_that_nobody_here_began(owner_client, site, zoom_app):
    """The victim's browser is led to the end of the attacker's flow."""
    theirs = Client()
    theirs.force_login(OAuthState._meta.get_field("user").related_model.objects.first())
    back = agree(begin(theirs, site), "borealis-0")
    received = follow(owner_client, back)
    zoom_app.forget_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "target", ["//evil.example", "https:evil.example", "/\\evil.example", "https://evil.example/"]
)
def test_x15_no_parameter_leads_away(owner_client, site, zoom_app, target):
    """Neither ``next`` nor anything else that a link can carry decides where a browser goes."""
    extra = urlencode({"next": target, "origin": target, "return_to": target, "state": target})
    for name in ("oauth_callback", "oauth_finish", "start"):
        answer = owner_client.get(f"{reverse(f'wagtail_zoom:{name}')}?{extra}")
        assert "evil" not in answer.get("Location", "")
    stranger = Client().get(f"{reverse('wagtail_zoom:start')}?next={target}")
    place = urlsplit(stranger["Location"])
    assert (place.scheme, place.netloc) == ("", "")
    done = connect_site(owner_client, site, "aurora-0")
    assert urlsplit(done["Location"]).netloc == ""


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example"]
)
def test_x15_the_hand_over_leads_to_hosts_of_ours_only(owner_client, site, zoom_app, host):
    """A row that names a foreign origin, whoever wrote it, sends no browser there."""
    back = agree(begin(owner_client, site), "aurora-0")
    OAuthState.objects.update(origin=f"https://{host}")
    assert follow(owner_client, back).status_code == 400
