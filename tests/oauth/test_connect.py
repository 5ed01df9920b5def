"""Connecting, with the real pages and the simulator (O1, O5, O20, O21, O23, X1-X4)."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Host,
    Meeting,
    OAuthState,
    SiteItem,
    ZoomSettings,
)
from wagtail_zoom.oauth import connect
from wagtail_zoom.sync import retention
from wagtail_zoom.testing import factories
from wagtail_zoom.testing.connect import authorize_as, connect_site, follow

pytestmark = pytest.mark.django_db


def grant_of(site):
    return ZoomSettings.for_site(site).grant


def test_owner_connects_and_returns_to_the_panel(owner_client, site, zoom_app):
    response = connect_site(owner_client, site, "aurora-0")
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")
    grant = grant_of(site)
    assert grant.state == "connected"
    assert grant.account_level
    assert grant.missing_kinds == []
    assert grant.user_name == "Studio Aurora"
    assert grant.account.name == "Aurora Yoga"
    assert grant.generation == 1
    # Only the connecting user is selected, and no content type is on.
    assert [row.host.zoom_id for row in ExposedHost.objects.all()] == [grant.zoom_user_id]
    assert ZoomSettings.for_site(site).kinds == frozenset()
    assert Activity.objects.get(code="connected").site_id == site.pk
    assert not OAuthState.objects.exists()


def test_personal_grant_follows_from_the_scopes(owner_client, site, zoom_app):
    zoom_app.options(app_kind="user")
    connect_site(owner_client, site, "borealis-1")
    assert not grant_of(site).account_level


def test_o20_a_state_works_once(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    back = authorize_as(response["Location"], "aurora-0")
    received = follow(owner_client, back)
    assert follow(owner_client, received["Location"]).status_code == 302
    assert follow(owner_client, received["Location"]).status_code == 403
    assert follow(owner_client, back).status_code == 400
    assert Grant.objects.get().generation == 1


def test_o20_another_browser_cannot_finish(owner_client, owner, site, zoom_app):
    from django.test import Client

    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    received = follow(owner_client, authorize_as(response["Location"], "aurora-0"))
    other = Client()
    other.force_login(owner)
    zoom_app.clear_calls()
    assert follow(other, received["Location"]).status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def callback_url(client, site, person="aurora-0"):
    """The callback URL to which Zoom redirects the browser."""
    response = client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    return authorize_as(response["Location"], person)


def test_x1_another_user_in_the_same_browser_cannot_finish(owner_client, owner, site, zoom_app):
    received = follow(owner_client, callback_url(owner_client, site))
    other = User.objects.create_superuser("other", "other@example.org", "pw")
    session = owner_client.session
    session["_auth_user_id"] = str(other.pk)
    session["_auth_user_hash"] = other.get_session_auth_hash()
    session.save()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.parametrize("name", ["CLIENT_ID", "OAUTH_URL"])
def test_x3_a_state_of_another_app_or_server_is_invalid(
    owner_client, site, zoom_app, settings, name
):
    received = follow(owner_client, callback_url(owner_client, site))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, name: "https://other.example"}
    zoom_app.clear_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []


def test_x2_a_state_expires_during_the_flow(owner_client, site, zoom_app):
    received = follow(owner_client, callback_url(owner_client, site))
    OAuthState.objects.update(expires_at=timezone.now())
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


def test_x2_a_second_code_for_one_state_is_refused(owner_client, site, zoom_app):
    back = callback_url(owner_client, site)
    assert follow(owner_client, back).status_code == 302
    forged = re.sub(r"code=[^&]*", "code=injected", back)
    assert follow(owner_client, forged).status_code == 400
    assert OAuthState.objects.get().code.reveal() != "injected"


def test_x15_no_redirect_to_a_hostname_that_is_no_longer_known(owner_client, site, zoom_app):
    removed_site = Site.objects.create(hostname="yoga.example", root_page=site.root_page, port=443)
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "yoga.example"})
    removed_site.delete()
    assert follow(owner_client, authorize_as(response["Location"], "aurora-0")).status_code == 400


def test_o20_permission_withdrawn_in_between(owner_client, owner, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    received = follow(owner_client, authorize_as(response["Location"], "aurora-0"))
    owner.groups.clear()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


def test_x4_foreign_site_is_404(owner_client, site, zoom_app):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page, port=81)
    url = reverse("wagtail_zoom:oauth_connect", args=[other.pk])
    assert owner_client.post(url).status_code == 404
    assert owner_client.get(url).status_code == 405
    assert not OAuthState.objects.exists()


def test_x2_eleventh_flow_drops_the_oldest(owner_client, site, zoom_app):
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    first = owner_client.post(url)["Location"]
    for _ in range(10):
        owner_client.post(url)
    assert OAuthState.objects.count() == 10
    assert follow(owner_client, authorize_as(first, "aurora-0")).status_code == 400


def test_o20_state_expires(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    OAuthState.objects.update(expires_at=timezone.now())
    assert follow(owner_client, authorize_as(response["Location"], "aurora-0")).status_code == 400


def test_pkce_and_redirect_uri_come_from_settings(owner_client, site, zoom_app):
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "evil.example"})
    assert "oauth/authorize" not in response["Location"]
    response = owner_client.post(url, headers={"host": "testserver:8099"})
    assert (
        "redirect_uri=https%3A%2F%2Ftestserver%2Fzoom%2Foauth%2Fcallback%2F" in response["Location"]
    )
    assert "code_challenge_method=S256" in response["Location"]


def test_callback_redirects_to_the_originating_domain(owner_client, site, zoom_app):
    Site.objects.create(hostname="yoga.example", root_page=site.root_page, port=443)
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "yoga.example"})
    received = follow(owner_client, authorize_as(response["Location"], "aurora-0"))
    assert received["Location"].startswith("http://yoga.example/zoom/oauth/finish/?state=")
    assert "code" not in received["Location"]
    assert received["Referrer-Policy"] == "no-referrer"


def test_declining_changes_nothing(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    state = OAuthState.objects.get()
    assert state.code.reveal() == ""
    from urllib.parse import parse_qs, urlsplit

    query = parse_qs(urlsplit(response["Location"]).query)
    back = owner_client.get(
        reverse("wagtail_zoom:oauth_callback"),
        {"error": "access_denied", "state": query["state"][0]},
    )
    response = follow(owner_client, back["Location"])
    assert response.status_code == 302
    assert not Grant.objects.exists()
    assert not OAuthState.objects.exists()


def test_marketplace_install_without_state_shows_a_page(client, zoom_app, db):
    response = client.get(reverse("wagtail_zoom:oauth_callback"), {"code": "stolen"})
    assert response.status_code == 200
    assert reverse("wagtail_zoom:start") in response.content.decode()
    assert not Grant.objects.exists()


def test_o5_another_account_needs_confirmation(owner_client, site, zoom_app):
    connect_site(owner_client, site, "aurora-0")
    first = grant_of(site)
    response = connect_site(owner_client, site, "borealis-0")
    assert response["Location"] == reverse("wagtail_zoom:oauth_switch", args=[site.pk])
    assert grant_of(site) == first
    page = owner_client.get(response["Location"]).content.decode()
    assert "Aurora Yoga" in page
    assert "Borealis Institute" in page
    owner_client.post(response["Location"], {"answer": "switch"})
    second = grant_of(site)
    assert second.account.name == "Borealis Institute"
    first.refresh_from_db()
    assert first.state == "revoked"
    assert [row.host.account_id for row in ExposedHost.objects.all()] == [second.account_id]


def test_o5_declining_the_switch_revokes_the_new_grant(owner_client, site, zoom_app):
    connect_site(owner_client, site, "aurora-0")
    response = connect_site(owner_client, site, "borealis-0")
    owner_client.post(response["Location"], {"answer": "stay"})
    assert grant_of(site).account.name == "Aurora Yoga"
    assert Grant.objects.get(account__name="Borealis Institute").state == "revoked"


def test_o1_two_sites_one_person_one_grant(owner_client, owner, site, zoom_app):
    other = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    connect_site(owner_client, site, "aurora-0")
    connect_site(owner_client, other, "aurora-0")
    assert grant_of(site) == grant_of(other)
    assert Grant.objects.get().generation == 2


def test_a_refused_client_secret_connects_nothing(owner_client, site, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    response = connect_site(owner_client, site, "aurora-0")
    assert response.status_code == 302
    assert not Grant.objects.exists()


def test_start_leads_to_the_panel(owner_client, site, zoom_app):
    response = owner_client.get(reverse("wagtail_zoom:start"))
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")


def test_start_asks_strangers_to_log_in(client, db):
    response = client.get(reverse("wagtail_zoom:start"))
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_rows_that_no_site_shows_after_a_switch_are_deleted(zoom_rows, zoom_worker):
    """The owner's edits stay, as the confirmation page says."""
    item = zoom_rows.item(zoom_rows.meeting(), title="Ours")
    other = factories.make_grant(factories.make_account())
    with TestCase.captureOnCommitCallbacks(execute=True):
        connect.connect_site(zoom_rows.site, other, None)
    assert ("purge_account", (zoom_rows.account.pk,)) in zoom_worker.waiting
    retention.purge_outside_scope(zoom_rows.account)
    assert not Meeting.objects.filter(account=zoom_rows.account).exists()
    assert not Host.objects.filter(account=zoom_rows.account).exists()
    assert SiteItem.objects.get(pk=item.pk).title == "Ours"
