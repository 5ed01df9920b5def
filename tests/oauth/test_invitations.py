"""Invitation links for a Zoom administrator who has no login here (X1, X4)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Invitation,
    Meeting,
    OAuthState,
    ZoomSettings,
)
from wagtail_zoom.oauth import connect, invitations
from wagtail_zoom.sync import runs
from wagtail_zoom.testing.connect import authorize_as, connect_site, consent_url, follow
from wagtail_zoom.testing.factories import make_site
from wagtail_zoom.testing.simulator.scopes import default_scopes

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(site, owner, zoom_app, zoom_worker):
    """An open invitation and the path of its link."""
    row, url = invitations.create(site, owner)
    assert url.startswith("https://testserver/zoom/invite/")
    return row, url.removeprefix("https://testserver")


def new_link(site, owner):
    """The path of the link of a new invitation."""
    return invitations.create(site, owner)[1].removeprefix("https://testserver")


def accept(client, path, person="aurora-0"):
    """Use the link and authorise at Zoom; return the last response."""
    response = client.post(path)
    if response.status_code != 200:
        return response
    received = follow(client, authorize_as(consent_url(response), person))
    return follow(client, received["Location"])


def test_the_link_is_a_secret_that_is_not_stored(invited):
    row, path = invited
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert token not in str(Invitation.objects.values().get())
    assert row.expires_at - timezone.now() > timedelta(days=6)
    assert Activity.objects.get(code="invited").site_id == row.site_id


def test_viewing_the_link_uses_nothing_up(client, invited, zoom_app):
    row, path = invited
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]
    row.refresh_from_db()
    assert row.nonce_hash == ""
    assert not OAuthState.objects.exists()
    assert zoom_app.calls() == []


@pytest.mark.contract
def test_a_person_without_a_login_connects_and_the_owner_confirms(
    client, invited, site, owner, zoom_app, zoom_worker
):
    row, path = invited
    response = accept(client, path)
    assert response.status_code == 200
    row.refresh_from_db()
    assert row.used_at is not None
    site_settings = ZoomSettings.for_site(site)
    assert site_settings.grant.user_name == "Studio Aurora"
    assert site_settings.grant.connected_by is None
    assert site_settings.needs_confirmation
    # Before the owner's confirmation nothing is fetched, whatever is selected.
    site_settings.show_meetings, site_settings.configured_at = True, timezone.now()
    site_settings.save()
    zoom_worker.run()
    runs.request_run(site_settings.account, "backfill")
    zoom_app.clear_calls()
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    assert not Meeting.objects.exists()
    connect.confirm(site_settings, owner)
    connect.confirm(site_settings, owner)
    assert Activity.objects.filter(code="confirmed").count() == 1
    runs.request_run(site_settings.account, "backfill")
    zoom_worker.run()
    assert Meeting.objects.exists()


def test_it_works_once(client, invited, site, zoom_app):
    _row, path = invited
    assert accept(client, path).status_code == 200
    zoom_app.clear_calls()
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert zoom_app.calls() == []
    assert Grant.objects.get().generation == 1


def test_two_flows_of_one_link_connect_once(client, invited, site, zoom_app):
    """Both began while the link was open; the second finds it used and changes nothing."""
    _row, path = invited
    callback_urls = [authorize_as(consent_url(client.post(path)), "aurora-0") for _ in range(2)]
    first, second = (follow(client, callback_url)["Location"] for callback_url in callback_urls)
    assert follow(client, first).status_code == 200
    assert follow(client, second).status_code == 403
    assert ZoomSettings.for_site(site).grant.state == "connected"


def test_it_expires(client, invited):
    row, path = invited
    Invitation.objects.update(expires_at=timezone.now())
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert not OAuthState.objects.exists()


def test_it_expires_during_the_flow(client, invited, site, zoom_app):
    _row, path = invited
    received = follow(client, authorize_as(consent_url(client.post(path)), "aurora-0"))
    Invitation.objects.update(expires_at=timezone.now())
    assert follow(client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x" * 43])
def test_a_changed_link_returns_404(client, invited, change):
    _row, path = invited
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert client.get(path.replace(token, change(token))).status_code == 404


def test_it_can_be_revoked(client, invited):
    row, path = invited
    invitations.revoke(row)
    assert client.post(path).status_code == 404


def test_a_new_link_ends_the_old_one(client, invited, site, owner):
    _row, path = invited
    _row, url = invitations.create(site, owner)
    assert client.get(path).status_code == 404
    assert client.get(url.removeprefix("https://testserver")).status_code == 200


def test_another_browser_cannot_use_the_link(client, invited, site, zoom_app):
    _row, path = invited
    response = client.post(path)
    other = Client()
    assert other.post(path).status_code == 403
    # It cannot complete the flow of the first browser either, which then has to begin again.
    received = follow(client, authorize_as(consent_url(response), "aurora-0"))
    assert follow(other, received["Location"]).status_code == 403
    assert follow(client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()
    assert accept(client, path).status_code == 200


@pytest.mark.parametrize("when", ["before", "on the way"])
def test_the_inviters_permission_was_withdrawn(client, invited, owner, site, zoom_app, when):
    _row, path = invited
    if when == "before":
        owner.groups.clear()
        assert client.post(path).status_code == 404
    else:
        received = follow(client, authorize_as(consent_url(client.post(path)), "aurora-0"))
        owner.groups.clear()
        zoom_app.clear_calls()
        assert follow(client, received["Location"]).status_code == 403
        assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def test_an_inactive_inviter(client, invited, owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get(invited[1]).status_code == 404


def test_a_site_that_has_another_account_is_not_switched(
    client, owner_client, owner, site, zoom_app, zoom_worker
):
    connect_site(owner_client, site, "borealis-0")
    path = new_link(site, owner)
    before = ZoomSettings.for_site(site).grant
    response = accept(client, path, "aurora-0")
    assert response.status_code == 409
    assert ZoomSettings.for_site(site).grant == before
    assert Grant.objects.exclude(pk=before.pk).get().state == "revoked"
    zoom_worker.run()
    assert len(zoom_app.calls("path=/oauth/revoke")) == 1


def test_reconnecting_a_confirmed_account_needs_no_second_confirmation(
    client, owner_client, owner, site, zoom_app, zoom_worker
):
    """Visitors still see the selected content while another person repairs the connection."""
    connect_site(owner_client, site, "aurora-0")
    path = new_link(site, owner)
    ZoomSettings.objects.update(configured_at=timezone.now(), show_meetings=True)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    hosts = ExposedHost.objects.count()
    page = accept(client, path)
    assert "continues with that at once" in page.content.decode()
    site_settings = ZoomSettings.for_site(site)
    assert not site_settings.needs_confirmation
    assert site_settings.shows_data
    assert site_settings.grant.state == "connected"
    assert ExposedHost.objects.count() == hosts


def test_declining_at_zoom_leaves_the_link_open(client, invited, zoom_app):
    from urllib.parse import parse_qs, urlsplit

    row, path = invited
    state = parse_qs(urlsplit(consent_url(client.post(path))).query)["state"][0]
    back = client.get(
        reverse("wagtail_zoom:oauth_callback"), {"error": "access_denied", "state": state}
    )
    assert follow(client, back["Location"]).status_code == 400
    row.refresh_from_db()
    assert row.is_open
    assert accept(client, path).status_code == 200


def choose(site):
    """The owner chooses what to show."""
    ZoomSettings.objects.filter(site=site).update(configured_at=timezone.now(), show_meetings=True)


def test_connecting_ends_the_open_links_of_the_site(client, owner_client, invited, site, zoom_app):
    """Whoever has the link reads why, and replaces nothing."""
    _row, path = invited
    assert client.get(path).status_code == 200
    connect_site(owner_client, site, "aurora-0")
    before = ZoomSettings.for_site(site).grant
    for response in (client.get(path), accept(client, path, "aurora-2")):
        assert response.status_code == 404
        assert "connected with Zoom in the meantime" in response.content.decode()
    assert ZoomSettings.for_site(site).grant == before
    assert [row.state for row in Grant.objects.all()] == ["connected"]


def test_connecting_ends_an_invited_flow_under_way(client, owner_client, invited, site, zoom_app):
    _row, path = invited
    received = follow(client, authorize_as(consent_url(client.post(path)), "aurora-2"))
    connect_site(owner_client, site, "aurora-0")
    before = ZoomSettings.for_site(site).grant
    response = follow(client, received["Location"])
    assert response.status_code == 403
    assert "connected with Zoom in the meantime" in response.content.decode()
    assert ZoomSettings.for_site(site).grant == before


def test_connecting_leaves_the_links_of_other_sites_open(client, owner_client, invited, site):
    row, path = invited
    Invitation.objects.update(site=make_site("other.example"))
    Invitation.objects.update(created_by=User.objects.create_superuser("root"))
    connect_site(owner_client, site, "aurora-0")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("is_chosen", [True, False], ids=["chosen", "nothing chosen yet"])
def test_a_narrower_permission_replaces_no_working_one(
    client, owner_client, owner, site, zoom_app, zoom_worker, is_chosen
):
    """An account-wide permission stays, and so does the link for somebody who can allow as much."""
    connect_site(owner_client, site, "aurora-0")
    path = new_link(site, owner)
    if is_chosen:
        choose(site)
    before = ZoomSettings.for_site(site).grant
    zoom_app.options(app_kind="user")
    response = accept(client, path, "aurora-2")
    assert response.status_code == 409
    assert "would not cover all" in response.content.decode()
    assert ZoomSettings.for_site(site).grant == before
    assert not ZoomSettings.for_site(site).needs_confirmation
    assert Grant.objects.exclude(pk=before.pk).get().state == "revoked"
    zoom_worker.run()
    before.refresh_from_db()
    assert (before.state, bool(before.access_token)) == ("connected", True)
    zoom_app.options(app_kind="admin")
    assert accept(client, path, "aurora-1").status_code == 200
    assert ZoomSettings.for_site(site).grant.user_name != before.user_name


@pytest.mark.parametrize("lacks", ["hosts", "kinds"])
def test_a_narrower_permission_for_a_broken_one_is_confirmed(
    client, owner_client, owner, site, zoom_app, lacks
):
    connect_site(owner_client, site, "aurora-0")
    path = new_link(site, owner)
    choose(site)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    if lacks == "hosts":
        zoom_app.options(app_kind="user")
    else:
        scopes = [name for name in default_scopes("admin") if not name.startswith("cloud_rec")]
        zoom_app.options(scopes=scopes)
    response = accept(client, path, "aurora-2" if lacks == "hosts" else "aurora-0")
    assert "Its owner now confirms it" in response.content.decode()
    site_settings = ZoomSettings.for_site(site)
    assert site_settings.needs_confirmation
    assert not site_settings.shows_data
    connect.confirm(site_settings, owner)
    assert ZoomSettings.for_site(site).shows_data
