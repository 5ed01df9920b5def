"""Disconnecting never waits for Zoom; the worker revokes the grant (O4, S24, X32)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.exceptions import ZoomAuthError
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Host,
    OAuthState,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import disconnect, tokens
from wagtail_zoom.signals import account_disconnected
from wagtail_zoom.testing.connect import connect_site

pytestmark = pytest.mark.django_db
REVOKE = "/oauth/revoke"


@pytest.fixture
def site_settings(owner, owner_client, site, zoom_app, zoom_worker, once_in_a_while):
    User.objects.filter(pk=owner.pk).update(is_superuser=True)

    def connect():
        connect_site(owner_client, site, "aurora-0")
        zoom_worker.run()

    once_in_a_while("connect aurora-0 and work", connect)
    zoom_app.clear_calls()
    site_settings = ZoomSettings.for_site(site)
    site_settings.configured_at = timezone.now()
    site_settings.show_meetings = True
    site_settings.save()
    return site_settings


@pytest.fixture
def second_settings(site_settings, owner_client, site, zoom_worker):
    """Another Site that the same user connected."""
    second_site = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    connect_site(owner_client, second_site, "aurora-0")
    zoom_worker.run()
    site_settings.refresh_from_db()
    return ZoomSettings.for_site(second_site)


@pytest.fixture
def other_grant(site_settings):
    """Of another account, with tokens of its own."""
    return Grant.objects.create(
        client_id=site_settings.grant.client_id,
        account=ZoomAccount.objects.create(zoom_id="another"),
        zoom_user_id="another",
        access_token="their access",
        refresh_token="their refresh",
    )


def is_untouched(grant):
    row = Grant.objects.get(pk=grant.pk)
    return (
        row.access_token.reveal(), row.refresh_token.reveal(), row.generation, row.revoked_at
    ) == ("their access", "their refresh", grant.generation, None)  # fmt: skip


@pytest.mark.parametrize("way", ["disconnected", "deauthorized", "site deleted"])
def test_the_end_of_one_grant_leaves_the_others(
    site_settings, owner, zoom_worker, other_grant, way
):
    grant = site_settings.grant
    if way == "disconnected":
        disconnect.disconnect(site_settings, keep=False, user=owner)
        zoom_worker.run()
    elif way == "site deleted":
        site_settings.site.delete()
        zoom_worker.run()
    else:
        disconnect.deauthorize(grant.account.zoom_id, grant.zoom_user_id, timezone.now())
    assert not Grant.objects.get(pk=grant.pk).access_token
    assert is_untouched(other_grant)


def codes():
    return set(Activity.objects.values_list("code", flat=True))


@pytest.mark.contract
def test_disconnect_revokes_and_deletes_the_tokens(site_settings, owner, zoom_app, zoom_worker):
    archived = []
    account_disconnected.connect(lambda **kwargs: archived.append(kwargs["archived"]), weak=False)
    account = site_settings.account
    disconnect.disconnect(site_settings, keep=False, user=owner)
    assert zoom_app.calls() == []  # the user does not wait for Zoom
    grant = Grant.objects.get()
    assert (grant.state, grant.reason) == ("revoked", "disconnected")
    assert site_settings.grant is None
    assert site_settings.account is None
    assert not site_settings.shows_data
    assert not ExposedHost.objects.exists()
    zoom_worker.run()
    assert [call["status"] for call in zoom_app.calls(f"path={REVOKE}")] == [200]
    grant.refresh_from_db()
    assert not grant.access_token
    assert not grant.refresh_token
    assert not grant.user_email
    assert grant.revoke_requested_at is None
    account.refresh_from_db()  # curation refers to it
    assert "disconnected" in codes()
    with pytest.raises(ZoomAuthError):
        tokens.get_token(grant)


def test_disconnect_with_keep_leaves_an_archive(site_settings, owner, zoom_app, zoom_worker):
    disconnect.disconnect(site_settings, keep=True, user=owner)
    zoom_worker.run()
    site_settings.refresh_from_db()
    assert site_settings.grant is None
    assert site_settings.account is not None
    assert site_settings.archived_at is not None
    assert site_settings.shows_data
    assert ExposedHost.objects.exists()
    # The archive can be deleted later.
    disconnect.disconnect(site_settings, keep=False, user=owner)
    assert ZoomSettings.for_site(site_settings.site).account is None


def test_disconnecting_twice_is_harmless(site_settings, owner, zoom_app, zoom_worker):
    for _ in range(2):
        disconnect.disconnect(site_settings, keep=False, user=owner)
        zoom_worker.run()
    assert Activity.objects.filter(code="disconnected").count() == 1


def test_an_authorisation_under_way_ends_with_the_connection(
    site_settings, owner, owner_client, zoom_app
):
    from django.urls import reverse

    owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site_settings.site_id]))
    disconnect.disconnect(site_settings, keep=False, user=owner)
    assert not OAuthState.objects.exists()


def test_o4_the_grant_goes_with_its_last_site(
    site_settings, second_settings, owner, zoom_app, zoom_worker
):
    assert site_settings.grant == second_settings.grant
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    assert zoom_app.calls(f"path={REVOKE}") == []
    assert tokens.get_token(second_settings.grant).generation == 2
    disconnect.disconnect(second_settings, keep=False, user=owner)
    zoom_worker.run()
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1
    assert Grant.objects.get().state == "revoked"


def test_a_deleted_site_leaves_nothing_from_zoom(
    site_settings, second_settings, zoom_app, zoom_worker
):
    """The last Site of an account takes the copy and the grant with it."""
    for row, hosts_are_left in ((second_settings, True), (site_settings, False)):
        row.site.delete()
        zoom_worker.run()
        assert Host.objects.exists() is hosts_are_left
        assert bool(zoom_app.calls(f"path={REVOKE}")) is not hosts_are_left
    grant = Grant.objects.get()
    assert grant.state == "revoked" and not grant.access_token


@pytest.mark.contract
def test_o4_a_failing_revoke_disconnects_immediately_and_is_retried(
    site_settings, owner, zoom_app, zoom_worker
):
    zoom_app.fault("status", status=503, path=REVOKE, count=2)
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    grant = Grant.objects.get()
    assert site_settings.grant is None
    assert (grant.revoke_attempts, grant.state) == (1, "revoked")
    assert grant.access_token
    assert disconnect.due_revocations() == []  # not before half a minute has passed
    for _ in range(2):
        Grant.objects.update(retry_at=timezone.now())
        assert disconnect.due_revocations() == [grant.pk]
        disconnect.revoke_pending(grant.pk)
    grant.refresh_from_db()
    assert not grant.access_token
    assert disconnect.due_revocations() == []


def test_o4_after_six_tries_the_tokens_go_anyway(site_settings, owner, zoom_app, zoom_worker):
    zoom_app.fault("status", status=503, path=REVOKE)
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    waits = []
    while len(waits) + 1 < disconnect.MAX_REVOKE_ATTEMPTS:
        grant = Grant.objects.get()
        assert grant.access_token
        waits.append(round((grant.retry_at - timezone.now()).total_seconds(), -1))
        disconnect.revoke_pending(grant.pk)
    assert waits == [30, 60, 120, 300, 900]
    assert not Grant.objects.get().access_token
    assert len(zoom_app.calls(f"path={REVOKE}")) == disconnect.MAX_REVOKE_ATTEMPTS


@pytest.mark.contract
def test_an_expired_token_is_refreshed_to_be_revoked(site_settings, owner, zoom_app, zoom_worker):
    """The refreshed pair is stored, so that a failed revocation can be retried."""
    Grant.objects.update(expires_at=timezone.now())
    zoom_app.fault("status", status=503, path=REVOKE, count=1)
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    grant = Grant.objects.get()
    assert grant.access_token
    disconnect.revoke_pending(grant.pk)
    assert [call["status"] for call in zoom_app.calls(f"path={REVOKE}")] == [503, 200]
    assert len(zoom_app.calls("path=/oauth/token")) == 1
    assert not Grant.objects.get().access_token


def test_a_grant_that_ended_at_zoom_is_revoked_once(site_settings, owner, zoom_app, zoom_worker):
    zoom_app.deauthorize(user="aurora-0")
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1
    assert Grant.objects.get().revoke_requested_at is None


def test_a_copied_database_revokes_nothing(site_settings, owner, zoom_app, zoom_worker, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://staging.example"}
    disconnect.disconnect(site_settings, keep=False, user=owner)
    zoom_worker.run()
    assert zoom_app.calls() == []
    assert not Grant.objects.get().access_token


@pytest.mark.contract
def test_connecting_again_before_the_worker_ran(
    site_settings, owner, owner_client, site, zoom_app, zoom_worker
):
    """The revocation of the former connection must not end the new one."""
    disconnect.disconnect(site_settings, keep=False, user=owner)
    waiting_tasks = list(zoom_worker.waiting)
    zoom_worker.clear()
    connect_site(owner_client, site, "aurora-0")
    zoom_worker.waiting.extend(waiting_tasks)
    zoom_worker.run()
    grant = ZoomSettings.for_site(site).grant
    assert grant.state == "connected"
    assert zoom_app.calls(f"path={REVOKE}") == []
    assert tokens.get_token(grant).reveal()


def test_connecting_again_while_the_revocation_runs(site_settings, owner, zoom_app, zoom_worker):
    """Only the tokens that were revoked are deleted."""
    disconnect.disconnect(site_settings, keep=False, user=owner)
    stale = Grant.objects.select_related("account").get()
    Grant.objects.update(generation=7, state="connected", revoke_requested_at=None)
    disconnect._drop_tokens(stale)
    assert Grant.objects.get().access_token


def test_reconnecting_plans_a_reconciliation(
    site_settings, owner_client, site, zoom_app, zoom_worker
):
    """S23: no webhook events arrived in the meantime."""
    site_settings.account.next_reconcile_at = timezone.now() + timedelta(hours=5)
    site_settings.account.save()
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    connect_site(owner_client, site, "aurora-0")
    site_settings.account.refresh_from_db()
    assert site_settings.account.next_reconcile_at <= timezone.now()


def test_orphaned_grants_are_revoked(site_settings, owner, zoom_app, zoom_worker):
    """A user authorised, was asked to confirm the switch, and closed the browser."""
    ZoomSettings.objects.update(grant=None)
    disconnect.release_orphans()
    assert Grant.objects.get().state == "connected"
    Grant.objects.update(connected_at=timezone.now() - timedelta(hours=2))
    disconnect.release_orphans()
    zoom_worker.run()
    assert Grant.objects.get().state == "revoked"
    assert len(zoom_app.calls(f"path={REVOKE}")) == 1


def test_o4_deauthorisation_ends_it_for_all_sites(site_settings, second_settings, zoom_app):
    grant = Grant.objects.get()
    removed_at = datetime.now(UTC)
    account = site_settings.account
    assert disconnect.deauthorize(account.zoom_id, grant.zoom_user_id, removed_at) == [account.pk]
    for settings_row in (site_settings, second_settings):
        settings_row.refresh_from_db()
        assert (settings_row.grant, settings_row.account, settings_row.configured_at) == (
            None,
            None,
            None,
        )
    assert not ExposedHost.objects.exists()
    grant.refresh_from_db()
    assert (grant.state, grant.reason) == ("revoked", "deauthorized")
    assert not grant.access_token
    assert Activity.objects.filter(code="deauthorized").count() == 2
    assert disconnect.deauthorize(account.zoom_id, grant.zoom_user_id, removed_at) == [account.pk]
    assert Activity.objects.filter(code="deauthorized").count() == 2


def test_an_outdated_deauthorisation_is_ignored(site_settings):
    grant = Grant.objects.get()
    removed_at = grant.connected_at - timedelta(seconds=1)
    assert (
        disconnect.deauthorize(site_settings.account.zoom_id, grant.zoom_user_id, removed_at) == []
    )
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("other", ["account", "user"])
def test_x12_deauthorisation_of_others_changes_nothing(site_settings, other):
    grant = Grant.objects.get()
    account = "other" if other == "account" else site_settings.account.zoom_id
    user = "other" if other == "user" else grant.zoom_user_id
    assert disconnect.deauthorize(account, user, timezone.now()) == []
    assert Grant.objects.get().state == "connected"


def test_x32_a_refresh_under_way_stores_nothing_after_the_end(site_settings, zoom_app):
    """Removed at Zoom during the token call: no tokens are stored, the state stays."""
    from wagtail_zoom.oauth import protocol

    grant = Grant.objects.select_related("account").get()
    token_set = protocol.refresh(grant.refresh_token)
    disconnect.deauthorize(site_settings.account.zoom_id, grant.zoom_user_id, timezone.now())
    with pytest.raises(ZoomAuthError):
        tokens._store_tokens(grant, 1, token_set)
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("revoked", "deauthorized")
    assert not row.access_token
    assert not row.refresh_token


@pytest.mark.parametrize("keep", [True, False])
def test_disconnecting_does_not_overwrite_settings_saved_in_the_meantime(zoom_rows, keep):
    site_settings = ZoomSettings.objects.get(site=zoom_rows.site)
    ZoomSettings.objects.filter(pk=site_settings.pk).update(
        show_host_names=False, join_policy="never"
    )
    disconnect.disconnect(site_settings, keep=keep)
    stored = ZoomSettings.objects.get(pk=site_settings.pk)
    assert (stored.show_host_names, stored.join_policy) == (False, "never")
    assert stored.grant is None and (stored.account is not None) is keep
    assert (stored.archived_at is not None) is keep
