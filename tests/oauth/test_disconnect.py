"""Letting go: always succeeds here, Zoom is told by the worker (O4, S24, X32)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.exceptions import ZoomAuthError
from wagtail_zoom.models import Activity, ExposedHost, Grant, OAuthState, ZoomSettings
from wagtail_zoom.oauth import disconnect, tokens
from wagtail_zoom.signals import account_disconnected
from wagtail_zoom.testing.connect import connect_site

pytestmark = pytest.mark.django_db
REVOKE = "/oauth/revoke"


@pytest.fixture
def choice(owner, owner_client, site, zoom_app, zoom_worker):
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    connect_site(owner_client, site, "aurora-0")
    zoom_worker.run()
    zoom_app.forget_calls()
    found = ZoomSettings.for_site(site)
    found.configured_at = timezone.now()
    found.show_meetings = True
    found.save()
    return found


@pytest.fixture
def second(choice, owner_client, site, zoom_worker):
    """Another Site that is fed by the same person."""
    place = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    connect_site(owner_client, place, "aurora-0")
    zoom_worker.run()
    choice.refresh_from_db()
    return ZoomSettings.for_site(place)


def codes():
    return set(Activity.objects.values_list("code", flat=True))


def test_disconnect_revokes_and_forgets(choice, owner, zoom_app, zoom_worker):
    heard = []
    account_disconnected.connect(lambda **facts: heard.append(facts["kept"]), weak=False)
    account = choice.account
    disconnect.disconnect(choice, keep=False, user=owner)
    assert zoom_app.calls() == []  # nobody waits for Zoom
    grant = Grant.objects.get()
    assert (grant.state, grant.reason) == ("revoked", "disconnected")
    assert choice.grant is None
    assert choice.account is None
    assert not choice.shows_data
    assert not ExposedHost.objects.exists()
    zoom_worker.run()
    assert [call["status"] for call in zoom_app.calls(f"path={REVOKE}")] == [200]
    grant.refresh_from_db()
    assert not grant.access_token
    assert not grant.refresh_token
    assert not grant.user_email
    assert grant.revoke_requested_at is None
    account.refresh_from_db()  # curation hangs on it
    assert "disconnected" in codes()
    with pytest.raises(ZoomAuthError):
        tokens.get_token(grant)


def test_disconnect_with_keep_leaves_an_archive(choice, owner, zoom_app, zoom_worker):
    disconnect.disconnect(choice, keep=True, user=owner)
    zoom_worker.run()
    choice.refresh_from_db()
    assert choice.grant is None
    assert choice.account is not None
    assert choice.archived_at is not None
    assert choice.shows_data
    assert ExposedHost.objects.exists()
    # The archive can be given up later.
    disconnect.disconnect(choice, keep=False, user=owner)
    assert ZoomSettings.for_site(choice.site).account is None


def test_disconnecting_twice_is_harmless(choice, owner, zoom_app, zoom_worker):
    for _ in range(2):
        disconnect.disconnect(choice, keep=False, user=owner)
        zoom_worker.run()
    assert Activity.objects.filter(code="disconnected").count() == 1


def test_an_authorisation_under_way_ends_with_the_connection(choice, owner, owner_client, zoom_app):
    from django.urls import reverse

    owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[choice.site_id]))
    disconnect.disconnect(choice, keep=False, user=owner)
    assert not OAuthState.objects.exists()


def test_o4_the_grant_goes_with_its_last_site(choice, second, owner, zoom_app, zoom_worker):
    assert choice.grant == second.grant
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    assert zoom_app.calls(f"path={REVOKE}") == []
    assert tokens.get_token(second.grant).generation == 2
    disconnect.disconnect(second, keep=False, user=owner)
    zoom_worker.run()
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1
    assert Grant.objects.get().state == "revoked"


def test_o4_a_failing_revoke_unlinks_at_once_and_is_tried_again(
    choice, owner, zoom_app, zoom_worker
):
    zoom_app.fault("status", status=503, path=REVOKE, count=2)
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    grant = Grant.objects.get()
    assert choice.grant is None
    assert (grant.revoke_attempts, grant.state) == (1, "revoked")
    assert grant.access_token
    assert disconnect.due_revocations() == []  # not before half a minute is over
    for _ in range(2):
        Grant.objects.update(retry_at=timezone.now())
        assert disconnect.due_revocations() == [grant.pk]
        disconnect.revoke_pending(grant.pk)
    grant.refresh_from_db()
    assert not grant.access_token
    assert disconnect.due_revocations() == []


def test_o4_after_six_tries_the_tokens_go_anyway(choice, owner, zoom_app, zoom_worker):
    zoom_app.fault("status", status=503, path=REVOKE)
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    waits = []
    while len(waits) + 1 < disconnect.REVOKE_TRIES:
        grant = Grant.objects.get()
        assert grant.access_token
        waits.append(round((grant.retry_at - timezone.now()).total_seconds(), -1))
        disconnect.revoke_pending(grant.pk)
    assert waits == [30, 60, 120, 300, 900]
    assert not Grant.objects.get().access_token
    assert len(zoom_app.calls(f"path={REVOKE}")) == disconnect.REVOKE_TRIES


def test_an_expired_token_is_renewed_to_be_revoked(choice, owner, zoom_app, zoom_worker):
    """The renewed pair is kept: when the revocation itself fails, the next try still can."""
    Grant.objects.update(expires_at=timezone.now())
    zoom_app.fault("status", status=503, path=REVOKE, count=1)
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    grant = Grant.objects.get()
    assert grant.access_token
    disconnect.revoke_pending(grant.pk)
    assert [call["status"] for call in zoom_app.calls(f"path={REVOKE}")] == [503, 200]
    assert len(zoom_app.calls("path=/oauth/token")) == 1
    assert not Grant.objects.get().access_token


def test_what_is_over_at_zoom_needs_no_second_try(choice, owner, zoom_app, zoom_worker):
    zoom_app.deauthorize(user="aurora-0")
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1
    assert Grant.objects.get().revoke_requested_at is None


def test_a_copied_database_revokes_nothing(choice, owner, zoom_app, zoom_worker, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://staging.example"}
    disconnect.disconnect(choice, keep=False, user=owner)
    zoom_worker.run()
    assert zoom_app.calls() == []
    assert not Grant.objects.get().access_token


def test_connecting_again_before_the_worker_came(
    choice, owner, owner_client, site, zoom_app, zoom_worker
):
    """The revocation of the former connection must not end the new one."""
    disconnect.disconnect(choice, keep=False, user=owner)
    waiting = list(zoom_worker.waiting)
    zoom_worker.lose()
    connect_site(owner_client, site, "aurora-0")
    zoom_worker.waiting.extend(waiting)
    zoom_worker.run()
    grant = ZoomSettings.for_site(site).grant
    assert grant.state == "connected"
    assert zoom_app.calls(f"path={REVOKE}") == []
    assert tokens.get_token(grant).reveal()


def test_connecting_again_while_the_revocation_runs(choice, owner, zoom_app, zoom_worker):
    """The tokens that are dropped are those that were revoked."""
    disconnect.disconnect(choice, keep=False, user=owner)
    stale = Grant.objects.select_related("account").get()
    Grant.objects.update(generation=7, state="connected", revoke_requested_at=None)
    disconnect._drop_tokens(stale)
    assert Grant.objects.get().access_token


def test_reconnecting_plans_a_comparison(choice, owner_client, site, zoom_app, zoom_worker):
    """S23: nothing was heard in between."""
    choice.account.next_reconcile_at = timezone.now() + timedelta(hours=5)
    choice.account.save()
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    connect_site(owner_client, site, "aurora-0")
    choice.account.refresh_from_db()
    assert choice.account.next_reconcile_at <= timezone.now()


def test_orphans_are_given_back(choice, owner, zoom_app, zoom_worker):
    """Somebody authorised, was asked whether to switch, and closed the browser."""
    ZoomSettings.objects.update(grant=None)
    disconnect.release_orphans()
    assert Grant.objects.get().state == "connected"
    Grant.objects.update(connected_at=timezone.now() - timedelta(hours=2))
    disconnect.release_orphans()
    zoom_worker.run()
    assert Grant.objects.get().state == "revoked"
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1


def test_o4_deauthorisation_ends_it_for_all_sites(choice, second, zoom_app):
    grant = Grant.objects.get()
    at = datetime.now(UTC)
    account = choice.account
    assert disconnect.deauthorize(account.zoom_id, grant.zoom_user_id, at) == [account.pk]
    for one in (choice, second):
        one.refresh_from_db()
        assert (one.grant, one.account, one.configured_at) == (None, None, None)
    assert not ExposedHost.objects.exists()
    grant.refresh_from_db()
    assert (grant.state, grant.reason) == ("revoked", "deauthorized")
    assert not grant.access_token
    assert Activity.objects.filter(code="deauthorized").count() == 2
    assert disconnect.deauthorize(account.zoom_id, grant.zoom_user_id, at) == [account.pk]
    assert Activity.objects.filter(code="deauthorized").count() == 2


def test_old_news_of_a_deauthorisation_is_ignored(choice):
    grant = Grant.objects.get()
    before = grant.connected_at - timedelta(seconds=1)
    assert disconnect.deauthorize(choice.account.zoom_id, grant.zoom_user_id, before) == []
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("wrong", ["account", "user"])
def test_x12_deauthorisation_of_others_is_not_ours(choice, wrong):
    grant = Grant.objects.get()
    account = "other" if wrong == "account" else choice.account.zoom_id
    user = "other" if wrong == "user" else grant.zoom_user_id
    assert disconnect.deauthorize(account, user, timezone.now()) == []
    assert Grant.objects.get().state == "connected"


def test_x32_a_refresh_under_way_stores_nothing_after_the_end(choice, zoom_app):
    """Removed at Zoom while the token call was out: no tokens come back, the state stays."""
    from wagtail_zoom.oauth import protocol

    grant = Grant.objects.select_related("account").get()
    fresh = protocol.renew(grant.refresh_token)
    disconnect.deauthorize(choice.account.zoom_id, grant.zoom_user_id, timezone.now())
    with pytest.raises(ZoomAuthError):
        tokens._store(grant, 1, fresh)
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("revoked", "deauthorized")
    assert not row.access_token
    assert not row.refresh_token


@pytest.mark.parametrize("keep", [True, False])
def test_disconnecting_undoes_no_choice_that_was_made_meanwhile(zoom_rows, keep):
    choice = ZoomSettings.objects.get(site=zoom_rows.site)
    ZoomSettings.objects.filter(pk=choice.pk).update(show_host_names=False, join_policy="never")
    disconnect.disconnect(choice, keep=keep)
    found = ZoomSettings.objects.get(pk=choice.pk)
    assert (found.show_host_names, found.join_policy) == (False, "never")
    assert found.grant is None and (found.account is not None) is keep
    assert (found.archived_at is not None) is keep
