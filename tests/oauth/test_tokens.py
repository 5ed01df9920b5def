"""Tokens have one writer: refreshing, and its failures (O6-O18, O25, X13).

The simulator rotates refresh tokens; the old one is invalid immediately.
"""

import logging
import signal
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from tests.concurrency import restore_test_database, run_concurrently
from wagtail_zoom.client import client_for_reading
from wagtail_zoom.exceptions import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomError,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomTransient,
)
from wagtail_zoom.models import Activity, Grant, GrantReason, ZoomAccount, ZoomSettings
from wagtail_zoom.oauth import grant_state, protocol, tokens
from wagtail_zoom.oauth.http import TransactionOpen
from wagtail_zoom.testing.connect import connect_site

pytestmark = pytest.mark.django_db
TOKEN = "/oauth/token"


@pytest.fixture
def grant(owner, owner_client, site, zoom_app, zoom_worker, once_in_a_while):
    # Wagtail's policies cache content types, which tests with real transactions create again.
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    once_in_a_while("connect aurora-0", lambda: connect_site(owner_client, site, "aurora-0"))
    zoom_app.clear_calls()
    return ZoomSettings.for_site(site).grant


@pytest.fixture
def expired_grant(grant):
    """The grant with an expired access token."""
    return expire_token(grant)


def expire_token(grant):
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    grant.refresh_from_db()
    return grant


def refreshes(zoom_app):
    return len(zoom_app.calls(f"path={TOKEN}"))


def secrets_of(grant):
    row = Grant.objects.get(pk=grant.pk)
    return row.access_token.reveal(), row.refresh_token.reveal()


def activity_codes():
    return list(Activity.objects.filter(code__startswith="grant_").values_list("code", flat=True))


def test_a_fresh_token_makes_no_call(grant, zoom_app):
    assert tokens.get_token(grant).generation == 1
    assert zoom_app.calls() == []


def test_o14_the_leeway_is_two_minutes_plus_jitter(grant, zoom_app):
    Grant.objects.update(expires_at=timezone.now() + timedelta(seconds=119))
    assert tokens.get_token(grant).generation == 2
    Grant.objects.update(expires_at=timezone.now() + timedelta(seconds=155))
    assert tokens.get_token(grant).generation == 2
    assert refreshes(zoom_app) == 1


@pytest.mark.contract
def test_an_expired_token_is_refreshed_once(expired_grant, zoom_app):
    before = secrets_of(expired_grant)
    token = tokens.get_token(expired_grant)
    again = tokens.get_token(expired_grant)
    assert (token.generation, again.generation) == (2, 2)
    assert token.reveal() == again.reveal() not in before
    assert refreshes(zoom_app) == 1
    row = Grant.objects.get()
    assert (row.lease_owner, row.lease_until, row.refresh_started_at) == ("", None, None)
    assert row.expires_at > timezone.now() + timedelta(minutes=50)
    # The new pair works; the old refresh token is invalid.
    assert tokens.get_token(expire_token(expired_grant)).generation == 3


@pytest.mark.contract
@pytest.mark.django_db(transaction=True)
def test_o7_many_processes_make_one_call(expired_grant, zoom_app, tmp_path):
    pk = expired_grant.pk

    def work():
        token = tokens.get_token(Grant.objects.get(pk=pk))
        return token.generation, token.reveal()

    try:
        results = run_concurrently(work, tmp_path, processes=4, threads=4)
        assert set(results) == {(2, Grant.objects.get(pk=pk).access_token.reveal())}
        assert len(results) == 16
        assert Grant.objects.get(pk=pk).state == "connected"
    finally:
        restore_test_database()
    assert refreshes(zoom_app) == 1


@pytest.mark.django_db(transaction=True)
def test_o15_parallel_401s_cause_one_refresh(grant, zoom_app, tmp_path):
    pk = grant.pk
    token = tokens.get_token(grant)

    def work():
        return tokens.refresh_after_401(Grant.objects.get(pk=pk), token).generation

    try:
        assert run_concurrently(work, tmp_path, processes=4, threads=5) == [2] * 20
    finally:
        restore_test_database()
    assert refreshes(zoom_app) == 1


def test_o15_a_second_401_is_an_error_and_no_loop(grant, zoom_app):
    zoom_app.fault("status", status=401, code=124, message="Invalid access token.", path="/v2/")
    with pytest.raises(ZoomAuthError):
        client_for_reading(grant.account).me()
    assert refreshes(zoom_app) == 1
    assert len(zoom_app.calls("path=/v2/users/me")) == 2


@pytest.mark.contract
def test_o15_a_token_refused_by_zoom_is_refreshed_within_the_call(grant, zoom_app):
    zoom_app.fault("status", status=401, code=124, path="/v2/users/me", count=1)
    assert client_for_reading(grant.account).me()["id"] == grant.zoom_user_id
    assert refreshes(zoom_app) == 1


def test_o8_the_lease_of_a_killed_process_expires(expired_grant, zoom_app):
    Grant.objects.update(lease_owner="gone", lease_until=timezone.now() - timedelta(seconds=1))
    assert tokens.get_token(expired_grant).generation == 2


def test_o8_a_lease_in_force_is_waited_for(expired_grant, zoom_app, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_WAIT_SECONDS", 0.2)
    Grant.objects.update(lease_owner="other", lease_until=timezone.now() + timedelta(seconds=30))
    with pytest.raises(ZoomTransient):
        tokens.get_token(expired_grant)
    assert zoom_app.calls() == []
    assert Grant.objects.get().lease_owner == "other"


def test_o9_no_refresh_inside_a_transaction(expired_grant, zoom_app):
    with pytest.raises(TransactionOpen), transaction.atomic():
        tokens.get_token(expired_grant)
    assert zoom_app.calls() == []
    assert Grant.objects.get().lease_until is None


@pytest.mark.django_db(transaction=True)
def test_o10_the_third_save_stores_the_pair(expired_grant, zoom_app):
    tries = []

    def flaky(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "access_token" in sql:
            tries.append(sql)
            if len(tries) < 3:
                raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(flaky):
        assert tokens.get_token(expired_grant).generation == 2
    assert len(tries) == 3
    assert tokens.get_token(expire_token(expired_grant)).generation == 3


def test_o10_a_crash_before_the_save_is_a_lost_rotation(expired_grant, zoom_app):
    class Killed(BaseException):
        pass

    def kill(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "access_token" in sql:
            raise Killed
        return execute(sql, params, many, context)

    with pytest.raises(Killed), connection.execute_wrapper(kill):
        tokens.get_token(expired_grant)
    row = Grant.objects.get()
    assert row.refresh_started_at is not None
    assert row.generation == 1
    Grant.objects.update(lease_until=timezone.now())
    for _ in range(3):
        with pytest.raises(ZoomAuthError):
            tokens.get_token(expired_grant)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("needs_reconnect", "lost_rotation")
    assert activity_codes() == ["grant_needs_reconnect"]


@pytest.mark.contract
def test_o10_a_lost_response_keeps_refresh_started(expired_grant, zoom_app):
    zoom_app.fault("cut_after", path=TOKEN, count=1)
    with pytest.raises(ZoomTransient) as caught:
        tokens.get_token(expired_grant)
    assert caught.value.ambiguous
    assert Grant.objects.get().state == "connected"
    with pytest.raises(ZoomAuthError) as caught:
        tokens.get_token(expired_grant)
    assert caught.value.reason == GrantReason.LOST_ROTATION


def test_o11_sigalrm_is_deferred_until_the_pair_is_stored(expired_grant, zoom_app):
    class TimeoutException(SystemExit):
        pass

    def raise_timeout(number, frame):
        raise TimeoutException

    zoom_app.fault("slow", seconds=0.4, path=TOKEN)
    previous_handler = signal.signal(signal.SIGALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(TimeoutException):
            tokens.get_token(expired_grant)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
    row = Grant.objects.get()
    assert (row.generation, row.lease_owner) == (2, "")
    assert row.refresh_started_at is None
    assert refreshes(zoom_app) == 1


GOOD = {"access_token": "a", "refresh_token": "r", "expires_in": 3600}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<xml/>",
        "<html>Sign in</html>",
        '{"access_token": "a"',
        "[]",
        "null",
        '"text"',
        {},
        {**GOOD, "refresh_token": ""},
        {**GOOD, "access_token": None},
        {**GOOD, "access_token": 7},
        {**GOOD, "access_token": "a" * 20_000},
        {**GOOD, "expires_in": 0},
        {**GOOD, "expires_in": -1},
        {**GOOD, "expires_in": True},
        {**GOOD, "expires_in": "soon"},
        {**GOOD, "expires_in": 10**12},
        {"access_token": "a", "refresh_token": "r"},
    ],
)
def test_o12_an_incomplete_response_is_not_stored(expired_grant, zoom_app, body):
    before = secrets_of(expired_grant)
    zoom_app.fault("status", status=200, body=body, path=TOKEN)
    with pytest.raises(ZoomProtocolError):
        tokens.get_token(expired_grant)
    row = Grant.objects.get()
    assert secrets_of(expired_grant) == before
    assert (row.generation, row.state, row.lease_owner) == (1, "connected", "")


def test_o12_an_error_under_200_is_an_error(expired_grant, zoom_app):
    body = {**GOOD, "error": "invalid_grant", "reason": "Invalid Token!"}
    zoom_app.fault("status", status=200, body=body, path=TOKEN)
    with pytest.raises(ZoomAuthError):
        tokens.get_token(expired_grant)
    assert Grant.objects.get().generation == 1


REFUSALS = [
    (400, {"error": "invalid_grant", "reason": "Invalid Token!"}, "invalid_grant"),
    (401, {"error": "invalid_grant", "reason": "Invalid Token!"}, "invalid_grant"),
    (400, {"status": False, "errorCode": 4741, "errorMessage": "revoked"}, "invalid_grant"),
    (400, {"code": 4735, "message": "The owner is gone"}, "owner_gone"),
    (400, {"status": False, "errorCode": 4717, "errorMessage": "disabled"}, "disabled"),
    (401, {"error": "invalid_client", "reason": "Invalid client_id or client_secret"}, "operator"),
    (400, {"status": False, "errorCode": 4702, "errorMessage": "Invalid client_id"}, "operator"),
    (400, {"error": "invalid_request"}, "operator"),
    (429, {"code": 429, "message": "Too many"}, "transient"),
    (500, "<html>", "transient"),
    (502, "", "transient"),
    (503, {"error": "invalid_grant"}, "transient"),
    (504, "", "transient"),
    (403, "<html>Forbidden by a proxy</html>", "transient"),
    (400, {"error": "a_new_error"}, "transient"),
    (302, "", "transient"),
]


@pytest.mark.parametrize(("status", "body", "meaning"), REFUSALS)
def test_o13_error_responses_are_classified(expired_grant, zoom_app, status, body, meaning):
    before = secrets_of(expired_grant)
    headers = {"Location": f"{zoom_app.url}/elsewhere"} if status == 302 else None
    zoom_app.fault("status", status=status, body=body, headers=headers, path=TOKEN)
    error_classes = {"operator": ZoomConfigurationError, "transient": ZoomTransient}
    with pytest.raises(error_classes.get(meaning, ZoomAuthError)):
        tokens.get_token(expired_grant)
    row = Grant.objects.get()
    assert secrets_of(expired_grant) == before
    assert row.lease_until is None
    if meaning in error_classes:
        assert row.state == "connected"
    else:
        assert (row.state, row.reason) == ("needs_reconnect", meaning)
    assert refreshes(zoom_app) == 1


@pytest.mark.parametrize(("status", "reason"), [(504, "lost_rotation"), (503, "invalid_grant")])
def test_o13_a_gateways_timeout_may_hide_a_rotation(expired_grant, zoom_app, status, reason):
    zoom_app.fault("status", status=status, path=TOKEN)
    with pytest.raises(ZoomTransient) as caught:
        tokens.get_token(expired_grant)
    assert caught.value.ambiguous == (status == 504)
    Grant.objects.update(retry_at=None)
    zoom_app.clear_faults()
    zoom_app.fault("status", status=400, body={"error": "invalid_grant"}, path=TOKEN)
    with pytest.raises(ZoomAuthError):
        tokens.get_token(Grant.objects.get())
    assert Grant.objects.get().reason == reason


@pytest.mark.contract
@pytest.mark.parametrize("kind", ["cut_before", "truncate", "cut_after"])
def test_o13_broken_connections_are_transient(expired_grant, zoom_app, kind):
    zoom_app.fault(kind, path=TOKEN)
    with pytest.raises(ZoomTransient):
        tokens.get_token(expired_grant)
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://does-not-exist.invalid"])
def test_o13_an_unreachable_server_is_transient_and_unambiguous(expired_grant, settings, url):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": url}
    with pytest.raises(ZoomTransient) as caught:
        tokens.get_token(expired_grant)
    assert not caught.value.ambiguous
    assert Grant.objects.get().refresh_started_at is None


@pytest.mark.contract
def test_o13_a_slow_server_times_out(expired_grant, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "READ_TIMEOUT": 0.2}
    zoom_app.fault("slow", seconds=0.6, path=TOKEN)
    with pytest.raises(ZoomTransient) as caught:
        tokens.get_token(expired_grant)
    assert caught.value.ambiguous
    assert Grant.objects.get().state == "connected"


def test_o13_a_day_of_503_degrades_and_recovers(expired_grant, zoom_app):
    zoom_app.fault("status", status=503, path=TOKEN)
    states, waits = [], []
    for _ in range(20):
        Grant.objects.update(retry_at=None)
        with pytest.raises(ZoomTransient):
            tokens.get_token(expired_grant)
        row = Grant.objects.get()
        states.append(row.state)
        if row.retry_at:
            waits.append(round((row.retry_at - timezone.now()).total_seconds(), -1))
    assert states == ["connected"] * 2 + ["degraded"] * 18
    assert waits[:6] == [30, 60, 120, 300, 900, 1800]
    assert max(waits) == 1800
    # Until then no call is made.
    zoom_app.clear_calls()
    with pytest.raises(ZoomTransient):
        tokens.get_token(expired_grant)
    assert zoom_app.calls() == []
    zoom_app.clear_faults()
    Grant.objects.update(retry_at=timezone.now())
    assert tokens.get_token(expired_grant).generation == 2
    row = Grant.objects.get()
    assert (row.state, row.failures, row.retry_at) == ("connected", 0, None)
    assert activity_codes() == ["grant_degraded", "grant_connected"]


def test_o13_unreadable_responses_degrade_too(expired_grant, zoom_app):
    zoom_app.fault("status", status=200, body="<html>", path=TOKEN)
    for _ in range(3):
        with pytest.raises(ZoomProtocolError):
            tokens.get_token(expired_grant)
    assert Grant.objects.get().state == "degraded"


def test_o13_the_loser_of_a_race_takes_the_winners_token(expired_grant, zoom_app):
    """``invalid_grant`` does not count when another process stored a newer generation."""
    stale = Grant.objects.select_related("account").get(pk=expired_grant.pk)
    winner = tokens.get_token(expired_grant)
    error = ZoomAuthError(GrantReason.INVALID_GRANT)
    assert tokens._handle_refusal(stale, 1, "me", error, False).reveal() == winner.reveal()
    assert Grant.objects.get().state == "connected"


def test_o18_a_hundred_failing_tasks_make_one_notification(expired_grant, zoom_app):
    zoom_app.fault("status", status=400, body={"error": "invalid_grant"}, path=TOKEN)
    for _ in range(100):
        with pytest.raises(ZoomAuthError):
            tokens.get_token(expired_grant)
    assert refreshes(zoom_app) == 1
    assert activity_codes() == ["grant_needs_reconnect"]


@pytest.mark.parametrize("source", list(grant_state.TRANSITIONS))
@pytest.mark.parametrize("target", list(grant_state.TRANSITIONS))
def test_o18_the_table_of_transitions(grant, source, target):
    Grant.objects.update(state=source, reason="")
    grant.refresh_from_db()
    if target not in grant_state.TRANSITIONS[source]:
        with pytest.raises(grant_state.IllegalTransition):
            grant_state.transition(grant, target)
        assert Grant.objects.get().state == source
        return
    grant_state.transition(grant, target)
    assert Grant.objects.get().state == target


def test_o18_the_table_is_complete():
    assert grant_state.TRANSITIONS["needs_reconnect"] == {"connected", "revoked"}
    assert grant_state.TRANSITIONS["revoked"] == {"connected"}


def test_x32_a_successful_call_does_not_revive_a_revoked_grant(grant):
    Grant.objects.update(state="degraded")
    grant.refresh_from_db()
    Grant.objects.update(state="revoked", reason="deauthorized")
    grant_state.record_success(grant)
    assert Grant.objects.get().state == "revoked"


def test_o3_an_error_of_an_old_generation_does_not_end_a_new_authorisation(grant):
    assert not grant_state.transition(grant, "needs_reconnect", "invalid_grant", generation=0)
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("call", ["get", "idle"])
@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_o16_no_call_without_a_usable_grant(expired_grant, zoom_app, state, call):
    Grant.objects.update(state=state, refreshed_at=timezone.now() - timedelta(days=9))
    if call == "get":
        with pytest.raises(ZoomAuthError):
            tokens.get_token(expired_grant)
        with pytest.raises(ZoomAuthError):
            client_for_reading(expired_grant.account)
    else:
        assert tokens.refresh_idle() == 0
    assert zoom_app.calls() == []


def test_o16_a_copied_database_sends_nothing(expired_grant, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://staging.example"}
    Grant.objects.update(refreshed_at=timezone.now() - timedelta(days=9))
    account = ZoomAccount.objects.get()
    for work in (lambda: tokens.get_token(expired_grant), lambda: client_for_reading(account)):
        with pytest.raises(ZoomQuarantined):
            work()
    assert tokens.refresh_idle() == 0
    assert zoom_app.calls() == []
    assert Grant.objects.get().state == "connected"


def test_another_client_id_asks_for_a_new_connection(expired_grant, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_ID": "another-app"}
    with pytest.raises(ZoomAuthError) as caught:
        tokens.get_token(expired_grant)
    assert caught.value.reason == GrantReason.CLIENT_CHANGED
    assert Grant.objects.get().reason == "client_changed"
    assert zoom_app.calls() == []


def test_o25_a_key_dropped_too_early_asks_for_a_new_connection(expired_grant, zoom_app, settings):
    keys = [Fernet.generate_key().decode()]
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": keys}
    for _ in range(2):
        with pytest.raises(ZoomAuthError) as caught:
            tokens.get_token(expired_grant)
        assert caught.value.reason == GrantReason.DECRYPT
    assert Grant.objects.get().state == "needs_reconnect"
    assert activity_codes() == ["grant_needs_reconnect"]
    assert zoom_app.calls() == []


def test_o14_grants_unused_for_a_week_are_refreshed(grant, zoom_app):
    zoom_app.advance("60d")
    assert tokens.refresh_idle() == 0
    Grant.objects.update(refreshed_at=timezone.now() - timedelta(days=8))
    assert tokens.refresh_idle() == 1
    assert tokens.refresh_idle() == 0
    assert Grant.objects.get().generation == 2
    assert refreshes(zoom_app) == 1


def test_o14_a_wrong_secret_does_not_break_the_tick(grant, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    Grant.objects.update(refreshed_at=timezone.now() - timedelta(days=8))
    assert tokens.refresh_idle() == 0
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "http://169.254.169.254",
        "https://169.254.169.254/v2",
        "https://api.zoom.us.evil.example",
        "https://api.zoom.us@evil.example",
        "https://evil.example#api.zoom.us",
        "https://evil.example/?https://api.zoom.us",
        "http://api.zoom.us",
        "https://api.zoom.us:8443",
        "https://api.zoom.us/v2/../v1",
        "https://api.zoom.us/elsewhere",
        "//api.zoom.us",
        "ftp://api.zoom.us",
        "https://[",
        "https://api.zoom.us/v2?x=1",
        "https://api.zoom.us" + "/" * 300,
    ],
)
def test_x13_only_known_hosts_get_a_token(value):
    assert protocol.api_base(value) == ""


def test_x13_zooms_clusters_may_be_named(settings):
    assert protocol.api_base("https://api-eu.zoom.us") == "https://api-eu.zoom.us/v2"
    assert protocol.api_base("https://api.zoom.us/v2/") == "https://api.zoom.us/v2"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "API_HOSTS": ["proxy.example:444"]}
    assert protocol.api_base("https://proxy.example:444") == "https://proxy.example:444/v2"


def test_x13_a_foreign_api_url_is_ignored(expired_grant, zoom_app):
    zoom_app.options(api_url="https://evil.example")
    token = tokens.get_token(expired_grant)
    assert token.api_base == f"{zoom_app.url}/v2"
    assert client_for_reading(expired_grant.account).me()["id"] == expired_grant.zoom_user_id


def test_x13_a_redirect_of_the_api_is_not_followed(grant, zoom_app):
    target = {"Location": f"{zoom_app.url}/v2/users/me"}
    zoom_app.fault("status", status=302, headers=target, path="/v2/users/me", count=1)
    with pytest.raises(ZoomProtocolError):
        client_for_reading(grant.account).me()
    assert len(zoom_app.calls("path=/v2/users/me")) == 1


def test_o22_no_secret_in_any_log_or_error(expired_grant, zoom_app, caplog, settings):
    caplog.set_level(logging.DEBUG)
    canaries = {*secrets_of(expired_grant), "simulator-secret", "CANARY"}
    texts = []
    for status, body, _meaning in REFUSALS:
        response_body = {**body, "reason": "CANARY"} if isinstance(body, dict) else f"{body}CANARY"
        zoom_app.fault("status", status=status, body=response_body, path=TOKEN, count=1)
        Grant.objects.update(state="connected", reason="", retry_at=None)
        try:
            tokens.get_token(expired_grant)
        except (ZoomError, ZoomConfigurationError) as error:
            texts += [str(error), repr(error)]
            if error.__cause__ is not None:
                texts.append(repr(error.__cause__))
    zoom_app.clear_faults()
    Grant.objects.update(state="connected", reason="", retry_at=None)
    token = tokens.get_token(expired_grant)
    canaries |= {token.reveal(), *secrets_of(expired_grant)}
    client_for_reading(expired_grant.account).me()
    texts += [repr(token), str(token), repr(Grant.objects.get().__dict__)]
    texts += [record.getMessage() for record in caplog.records]
    texts += [str(record.exc_info) for record in caplog.records if record.exc_info]
    assert len(texts) > 20
    assert not [text for text in texts for canary in canaries if canary in text]
