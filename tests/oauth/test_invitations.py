"""Links for the Zoom administrator who has no log-in here (DESIGN: invitation; X1, X4)."""

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
from wagtail_zoom.testing.connect import agree, connect_site, follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(site, owner, zoom_app, zoom_worker):
    """An open invitation and the path of its link."""
    row, url = invitations.create(site, owner)
    assert url.startswith("https://testserver/zoom/invite/")
    return row, url.removeprefix("https://testserver")


def accept(client, path, person="aurora-0"):
    """Press the button of the link and agree at Zoom; the last page."""
    begun = client.post(path)
    if begun.status_code != 302:
        return begun
    received = follow(client, agree(begun["Location"], person))
    return follow(client, received["Location"])


def test_the_link_is_a_secret_that_is_not_stored(invited):
    row, path = invited
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert token not in str(Invitation.objects.values().get())
    assert row.expires_at - timezone.now() > timedelta(days=6)
    assert Activity.objects.get(code="invited").site_id == row.site_id


def test_looking_consumes_nothing(client, invited, zoom_app):
    row, path = invited
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert page["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page["Cache-Control"]
    row.refresh_from_db()
    assert row.nonce_hash == ""
    assert not OAuthState.objects.exists()
    assert zoom_app.calls() == []


def test_somebody_without_a_log_in_connects_and_the_owner_confirms(
    client, invited, site, owner, zoom_app, zoom_worker
):
    row, path = invited
    done = accept(client, path)
    assert done.status_code == 200
    row.refresh_from_db()
    assert row.used_at is not None
    choice = ZoomSettings.for_site(site)
    assert choice.grant.user_name == "Studio Aurora"
    assert choice.grant.connected_by is None
    assert choice.needs_confirmation
    # Before the owner's yes nothing is fetched, whatever is chosen.
    choice.show_meetings, choice.configured_at = True, timezone.now()
    choice.save()
    zoom_worker.run()
    runs.request_run(choice.account, "backfill")
    zoom_app.forget_calls()
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    assert not Meeting.objects.exists()
    connect.confirm(choice, owner)
    connect.confirm(choice, owner)
    assert Activity.objects.filter(code="confirmed").count() == 1
    runs.request_run(choice.account, "backfill")
    zoom_worker.run()
    assert Meeting.objects.exists()


def test_it_works_once(client, invited, site, zoom_app):
    _row, path = invited
    assert accept(client, path).status_code == 200
    zoom_app.forget_calls()
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert zoom_app.calls() == []
    assert Grant.objects.get().generation == 1


def test_two_flows_of_one_link_connect_once(client, invited, site, zoom_app):
    """Both were begun while the link was open; the second finds it used and changes nothing."""
    _row, path = invited
    backs = [agree(client.post(path)["Location"], "aurora-0") for _ in range(2)]
    first, second = (follow(client, back)["Location"] for back in backs)
    assert follow(client, first).status_code == 200
    assert follow(client, second).status_code == 403
    assert ZoomSettings.for_site(site).grant.state == "connected"


def test_it_expires(client, invited):
    row, path = invited
    Invitation.objects.update(expires_at=timezone.now())
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert not OAuthState.objects.exists()


def test_it_expires_on_the_way(client, invited, site, zoom_app):
    _row, path = invited
    received = follow(client, agree(client.post(path)["Location"], "aurora-0"))
    Invitation.objects.update(expires_at=timezone.now())
    assert follow(client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x" * 43])
def test_a_changed_link_is_nothing(client, invited, change):
    _row, path = invited
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert client.get(path.replace(token, change(token))).status_code == 404


def test_it_can_be_taken_back(client, invited):
    row, path = invited
    invitations.revoke(row)
    assert client.post(path).status_code == 404


def test_a_new_link_ends_the_old_one(client, invited, site, owner):
    _row, path = invited
    _row, url = invitations.create(site, owner)
    assert client.get(path).status_code == 404
    assert client.get(url.removeprefix("https://testserver")).status_code == 200


def test_another_browser_cannot_press_the_button_again(client, invited, site, zoom_app):
    _row, path = invited
    begun = client.post(path)
    other = Client()
    assert other.post(path).status_code == 403
    # Nor can it finish what the first one began.
    received = follow(client, agree(begun["Location"], "aurora-0"))
    assert follow(other, received["Location"]).status_code == 403
    assert not Grant.objects.exists()
    assert follow(client, received["Location"]).status_code == 200


@pytest.mark.parametrize("when", ["before", "on the way"])
def test_the_inviters_right_was_withdrawn(client, invited, owner, site, zoom_app, when):
    _row, path = invited
    if when == "before":
        owner.groups.clear()
        assert client.post(path).status_code == 404
    else:
        received = follow(client, agree(client.post(path)["Location"], "aurora-0"))
        owner.groups.clear()
        zoom_app.forget_calls()
        assert follow(client, received["Location"]).status_code == 403
        assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def test_an_inviter_who_was_switched_off(client, invited, owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get(invited[1]).status_code == 404


def test_a_site_that_has_another_account_is_not_switched(
    client, owner_client, invited, site, zoom_app, zoom_worker
):
    _row, path = invited
    connect_site(owner_client, site, "borealis-0")
    before = ZoomSettings.for_site(site).grant
    done = accept(client, path, "aurora-0")
    assert done.status_code == 409
    assert ZoomSettings.for_site(site).grant == before
    assert Grant.objects.exclude(pk=before.pk).get().state == "revoked"
    zoom_worker.run()
    assert len(zoom_app.calls("path=/oauth/revoke")) == 1


def test_repairing_a_known_account_needs_no_second_yes(
    client, owner_client, invited, site, zoom_app, zoom_worker
):
    """Visitors go on seeing what the owner chose while somebody mends the connection."""
    _row, path = invited
    connect_site(owner_client, site, "aurora-0")
    ZoomSettings.objects.update(configured_at=timezone.now(), show_meetings=True)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    hosts = ExposedHost.objects.count()
    assert accept(client, path).status_code == 200
    choice = ZoomSettings.for_site(site)
    assert not choice.needs_confirmation
    assert choice.shows_data
    assert choice.grant.state == "connected"
    assert ExposedHost.objects.count() == hosts


def test_declining_at_zoom_leaves_the_link_open(client, invited, zoom_app):
    from urllib.parse import parse_qs, urlsplit

    row, path = invited
    state = parse_qs(urlsplit(client.post(path)["Location"]).query)["state"][0]
    back = client.get(
        reverse("wagtail_zoom:oauth_callback"), {"error": "access_denied", "state": state}
    )
    assert follow(client, back["Location"]).status_code == 400
    row.refresh_from_db()
    assert row.is_open
    assert accept(client, path).status_code == 200
