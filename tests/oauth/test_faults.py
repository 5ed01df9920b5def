"""Tokens when the world around them fails: slow answers, a database that is away, backups, copies,
a second Site (O1, O3, O7, O10, O13, O16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone
from wagtail.models import Site

from tests.concurrency import leave_copy, run_crowd
from wagtail_zoom.client import client_for
from wagtail_zoom.exceptions import ZoomAuthError, ZoomQuarantined
from wagtail_zoom.models import Activity, Grant, ZoomSettings
from wagtail_zoom.oauth import tokens
from wagtail_zoom.oauth.notifications import send_due_notices
from wagtail_zoom.testing.connect import connect_site

pytestmark = pytest.mark.django_db
TOKEN = "/oauth/token"
PAIR = ("access_token", "refresh_token", "generation", "expires_at", "refreshed_at")


@pytest.fixture
def grant(owner, owner_client, site, zoom_app, zoom_worker):
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    connect_site(owner_client, site, "aurora-0")
    zoom_app.forget_calls()
    return ZoomSettings.for_site(site).grant


def wear_out():
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1), lease_until=None)


def refreshes(zoom_app):
    return len(zoom_app.calls(f"path={TOKEN}"))


@pytest.mark.django_db(transaction=True)
def test_o7_a_slow_refresh_is_waited_for_and_not_repeated(grant, zoom_app, tmp_path):
    wear_out()
    zoom_app.fault("slow", seconds=1.5, path=TOKEN)
    pk = grant.pk

    def work():
        return tokens.get_token(Grant.objects.get(pk=pk)).generation

    try:
        assert run_crowd(work, tmp_path, processes=2, threads=3) == [2] * 6
    finally:
        leave_copy()
    assert refreshes(zoom_app) == 1


@pytest.mark.django_db(transaction=True)
def test_o10_a_database_that_stays_away_costs_one_mail_and_no_loop(
    grant, zoom_app, monkeypatch, mailoutbox
):
    """Zoom has rotated, and nothing could be written: the worst that can happen."""
    wear_out()
    monkeypatch.setattr(tokens.time, "sleep", lambda seconds: None)

    def away(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "access_token" in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        tokens.get_token(grant)
    Grant.objects.update(lease_until=timezone.now())
    for _ in range(5):
        with pytest.raises(ZoomAuthError):
            tokens.get_token(grant)
        send_due_notices(timezone.now())
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("needs_reconnect", "lost_rotation")
    assert refreshes(zoom_app) == 2
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_o10_a_database_that_is_away_before_the_call_costs_nothing(grant, zoom_app):
    """No mark, no call: afterwards everything goes on as if nothing had been."""
    wear_out()

    def away(execute, sql, params, many, context):
        if "lease_owner" in sql and sql.startswith("UPDATE"):
            raise OperationalError("the connection is closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        tokens.get_token(grant)
    assert zoom_app.calls() == []
    assert tokens.get_token(grant).generation == 2
    assert Grant.objects.get().state == "connected"


def test_o13_a_restored_backup_asks_once_for_a_new_connection(
    grant, zoom_app, owner_client, site, mailoutbox
):
    """The backup holds a refresh token that Zoom has taken back since: no loop, one mail."""
    backup = Grant.objects.filter(pk=grant.pk).values(*PAIR).get()
    for _ in range(2):
        wear_out()
        tokens.get_token(grant)
    Grant.objects.filter(pk=grant.pk).update(**backup)
    wear_out()
    zoom_app.forget_calls()
    for _ in range(5):
        with pytest.raises(ZoomAuthError):
            client_for(grant.account).me()
        send_due_notices(timezone.now())
    row = Grant.objects.get()
    assert (row.state, row.reason) == ("needs_reconnect", "invalid_grant")
    assert refreshes(zoom_app) == 1
    assert len(mailoutbox) == 1
    assert Activity.objects.filter(code="grant_needs_reconnect").count() == 1
    connect_site(owner_client, site, "aurora-0")
    assert Grant.objects.get().state == "connected"
    assert client_for(grant.account).me()["id"] == grant.zoom_user_id


def test_o16_a_copy_leaves_the_originals_tokens_alone(grant, zoom_app, settings):
    """Both run from one dump: the copy makes no call, so the original's chain stays whole."""
    original = settings.WAGTAIL_ZOOM
    wear_out()
    settings.WAGTAIL_ZOOM = {**original, "BASE_URL": "https://staging.example"}
    for _ in range(3):
        with pytest.raises(ZoomQuarantined):
            client_for(grant.account).me()
    assert tokens.refresh_idle() == 0
    assert zoom_app.calls() == []
    settings.WAGTAIL_ZOOM = original
    assert tokens.get_token(grant).generation == 2


def test_o1_o3_a_second_site_of_the_same_person_takes_the_first_along(
    grant, zoom_app, owner_client, site
):
    """Zoom ends the older pair (4741): there is one row, so both Sites go on with the newer one."""
    old = tokens.get_token(grant)
    second = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    connect_site(owner_client, second, "aurora-0")
    zoom_app.forget_calls()
    # Who still holds the older token and is refused with it takes what is there: no refresh.
    newer = tokens.renew_after_401(grant, old)
    assert newer.generation == old.generation + 1
    assert newer.reveal() != old.reveal()
    assert refreshes(zoom_app) == 0
    for place in (site, second):
        choice = ZoomSettings.for_site(place)
        assert client_for(choice.account).me()["id"] == grant.zoom_user_id
        wear_out()
        tokens.get_token(choice.grant)
    assert Grant.objects.get().state == "connected"
    assert not Activity.objects.filter(code="grant_needs_reconnect").exists()


def test_o3_a_refresh_that_loses_against_an_authorisation_stores_nothing(
    grant, zoom_app, owner_client, site, monkeypatch
):
    """The owner connects anew while the worker waits for Zoom: the newer chain survives."""
    from wagtail_zoom.oauth import protocol

    wear_out()
    renew = protocol.renew

    def meanwhile(refresh_token):
        fresh = renew(refresh_token)
        connect_site(owner_client, site, "aurora-0")
        return fresh

    monkeypatch.setattr(protocol, "renew", meanwhile)
    tokens.get_token(grant)
    monkeypatch.undo()
    row = Grant.objects.get()
    assert (row.generation, row.state) == (2, "connected")
    assert client_for(row.account).me()["id"] == row.zoom_user_id
    wear_out()
    assert tokens.get_token(row).generation == 3
