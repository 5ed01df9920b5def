"""Tokens and external failures: slow responses, an unreachable database, backups, copies, a second
Site (O1, O3, O7, O10, O13, O16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone
from wagtail.models import Site

from tests.concurrency import restore_test_database, run_concurrently
from wagtail_zoom.client import client_for_reading
from wagtail_zoom.exceptions import ZoomAuthError, ZoomQuarantined
from wagtail_zoom.models import Activity, Grant, ZoomSettings
from wagtail_zoom.oauth import tokens
from wagtail_zoom.oauth.notifications import send_due_notifications
from wagtail_zoom.testing.connect import connect_site

pytestmark = pytest.mark.django_db
TOKEN = "/oauth/token"
PAIR = ("access_token", "refresh_token", "generation", "expires_at", "refreshed_at")


@pytest.fixture
def grant(owner, owner_client, site, zoom_app, zoom_worker, once_in_a_while):
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    once_in_a_while("connect aurora-0", lambda: connect_site(owner_client, site, "aurora-0"))
    zoom_app.clear_calls()
    return ZoomSettings.for_site(site).grant


def expire_token():
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1), lease_until=None)


def refreshes(zoom_app):
    return len(zoom_app.calls(f"path={TOKEN}"))


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_o7_a_slow_refresh_is_waited_for_and_not_repeated(grant, zoom_app, tmp_path):
    expire_token()
    zoom_app.fault("slow", seconds=1.5, path=TOKEN)
    pk = grant.pk

    def work():
        return tokens.get_token(Grant.objects.get(pk=pk)).generation

    try:
        assert run_concurrently(work, tmp_path, processes=2, threads=3) == [2] * 6
    finally:
        restore_test_database()
    assert refreshes(zoom_app) == 1


@pytest.mark.django_db(transaction=True)
def test_o10_a_database_that_stays_unreachable_causes_one_email_and_no_loop(
    grant, zoom_app, monkeypatch, mailoutbox
):
    """Zoom has rotated the token, and the new pair could not be stored: the worst case."""
    expire_token()
    monkeypatch.setattr(tokens.time, "sleep", lambda seconds: None)

    def fail_update(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "access_token" in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_update), pytest.raises(OperationalError):
        tokens.get_token(grant)
    Grant.objects.update(lease_until=timezone.now())
    for _ in range(5):
        with pytest.raises(ZoomAuthError):
            tokens.get_token(grant)
        send_due_notifications(timezone.now())
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("needs_reconnect", "lost_rotation")
    assert refreshes(zoom_app) == 2
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_o10_a_database_unreachable_before_the_call_changes_nothing(grant, zoom_app):
    """No recorded start, no call: afterwards the refresh works normally."""
    expire_token()

    def fail_update(execute, sql, params, many, context):
        if "lease_owner" in sql and sql.startswith("UPDATE"):
            raise OperationalError("the connection is closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_update), pytest.raises(OperationalError):
        tokens.get_token(grant)
    assert zoom_app.calls() == []
    assert tokens.get_token(grant).generation == 2
    assert Grant.objects.get().state == "connected"


def test_o13_a_restored_backup_asks_once_for_a_new_connection(
    grant, zoom_app, owner_client, site, mailoutbox
):
    """The backup contains a refresh token that Zoom has since revoked: no loop, one email."""
    backup = Grant.objects.filter(pk=grant.pk).values(*PAIR).get()
    for _ in range(2):
        expire_token()
        tokens.get_token(grant)
    Grant.objects.filter(pk=grant.pk).update(**backup)
    expire_token()
    zoom_app.clear_calls()
    for _ in range(5):
        with pytest.raises(ZoomAuthError):
            client_for_reading(grant.account).me()
        send_due_notifications(timezone.now())
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("needs_reconnect", "invalid_grant")
    assert refreshes(zoom_app) == 1
    assert len(mailoutbox) == 1
    assert Activity.objects.filter(code="grant_needs_reconnect").count() == 1
    connect_site(owner_client, site, "aurora-0")
    assert Grant.objects.get().state == "connected"
    assert client_for_reading(grant.account).me()["id"] == grant.zoom_user_id


def test_o16_a_copy_leaves_the_originals_tokens_alone(grant, zoom_app, settings):
    """Both use one dump: the copy makes no call, so the original's tokens stay valid."""
    original = settings.WAGTAIL_ZOOM
    expire_token()
    settings.WAGTAIL_ZOOM = {**original, "BASE_URL": "https://staging.example"}
    for _ in range(3):
        with pytest.raises(ZoomQuarantined):
            client_for_reading(grant.account).me()
    assert tokens.refresh_idle() == 0
    assert zoom_app.calls() == []
    settings.WAGTAIL_ZOOM = original
    assert tokens.get_token(grant).generation == 2


@pytest.mark.contract
def test_o1_o3_a_second_site_of_the_same_user_shares_the_grant(grant, zoom_app, owner_client, site):
    """Zoom revokes the older pair (4741): there is one row, so both Sites use the newer one."""
    old_token = tokens.get_token(grant)
    second_site = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    connect_site(owner_client, second_site, "aurora-0")
    zoom_app.clear_calls()
    # A process whose older token is refused uses the stored one: no refresh.
    newer_token = tokens.refresh_after_401(grant, old_token)
    assert newer_token.generation == old_token.generation + 1
    assert newer_token.reveal() != old_token.reveal()
    assert refreshes(zoom_app) == 0
    for connected_site in (site, second_site):
        site_settings = ZoomSettings.for_site(connected_site)
        assert client_for_reading(site_settings.account).me()["id"] == grant.zoom_user_id
        expire_token()
        tokens.get_token(site_settings.grant)
    assert Grant.objects.get().state == "connected"
    assert not Activity.objects.filter(code="grant_needs_reconnect").exists()


def test_o3_a_refresh_that_loses_against_an_authorisation_stores_nothing(
    grant, zoom_app, owner_client, site, monkeypatch
):
    """The owner connects again while the worker waits for Zoom: the newer pair stays."""
    from wagtail_zoom.oauth import protocol

    expire_token()
    refresh = protocol.refresh

    def refresh_and_connect(refresh_token):
        token_set = refresh(refresh_token)
        connect_site(owner_client, site, "aurora-0")
        return token_set

    monkeypatch.setattr(protocol, "refresh", refresh_and_connect)
    tokens.get_token(grant)
    monkeypatch.undo()
    row = Grant.objects.get()
    assert (row.generation, row.state) == (2, "connected")
    assert client_for_reading(row.account).me()["id"] == row.zoom_user_id
    expire_token()
    assert tokens.get_token(row).generation == 3
