"""Token and revocation endpoint: whose call it is, whose token it is, and what Zoom says."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.utils import timezone

from wagtail_zoom.hub import deployments, zoom
from wagtail_zoom.hub.models import Binding
from wagtail_zoom.oauth.protocol import classify_error

from .conftest import Member, Owner, code_of, users_me

pytestmark = pytest.mark.django_db


def test_refresh_rotates_and_works_again_and_again(hub, harbour):
    tokens = harbour.connect("aurora-0")
    for _ in range(3):
        tokens = harbour.refresh(tokens["refresh_token"]).json()
        assert users_me(hub, tokens).status_code == 200


def test_response_to_a_refresh_was_lost_and_zoom_decides(hub, harbour):
    """The previous token is passed on: with a grace period at Zoom it still works."""
    hub.options(refresh_grace=600)
    tokens = harbour.connect("aurora-0")
    harbour.refresh(tokens["refresh_token"])
    again = harbour.refresh(tokens["refresh_token"])
    assert again.status_code == 200
    assert harbour.refresh(again.json()["refresh_token"]).status_code == 200


def test_attack_refresh_token_of_another_deployment(hub, harbour, hill):
    tokens = harbour.connect("aurora-0")
    hill.connect("borealis-0")
    hub.clear_calls()
    answer = hill.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert hub.calls("path=/oauth/token") == []
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200


def test_attack_access_token_of_another_deployment_is_not_revoked(hub, harbour, hill):
    tokens = harbour.connect("aurora-0")
    hill.connect("borealis-0")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert hill.call("revoke", token=token).status_code == 400
    assert users_me(hub, tokens).status_code == 200
    assert Binding.objects.active().count() == 2


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_ends_the_tokens_at_zoom_and_the_binding_here(hub, harbour, kind):
    tokens = harbour.connect("aurora-0")
    answer = harbour.call("revoke", token=tokens[kind])
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert users_me(hub, tokens).status_code == 401
    assert not Binding.objects.active().exists()
    assert harbour.refresh(tokens["refresh_token"]).status_code == 400


def test_revocation_that_did_not_reach_zoom_is_repeated(hub, harbour):
    tokens = harbour.connect("aurora-0")
    hub.fault("status", path="/oauth/revoke", status=503)
    assert harbour.call("revoke", token=tokens["access_token"]).status_code == 503
    assert not Binding.objects.active().exists(), "events end at once"
    hub.clear_faults()
    assert harbour.call("revoke", token=tokens["access_token"]).status_code == 200
    assert users_me(hub, tokens).status_code == 401


def test_attack_old_website_revokes_the_users_new_connection(hub, harbour, hill):
    """After a move the first website has dead tokens only; it cannot end the second one."""
    old = harbour.connect("aurora-0")
    new = hill.connect("aurora-0", move="1")
    for token in (*[old[name] for name in ("access_token", "refresh_token")], new["access_token"]):
        assert harbour.call("revoke", token=token).status_code == 400
    assert users_me(hub, new).status_code == 200


def test_attack_website_that_had_the_user_revokes_the_new_connection(hub, harbour, hill):
    """It disconnected the user itself, and may repeat that; another website's token it may not."""
    old = harbour.connect("aurora-0")
    harbour.call("revoke", token=old["access_token"])
    new = hill.connect("aurora-0")
    assert harbour.call("revoke", token=new["access_token"]).status_code == 400
    assert users_me(hub, new).status_code == 200


@pytest.mark.parametrize("secret", ["wrong", " ", "x" * 5000])
def test_wrong_secret_is_refused_without_asking_zoom(hub, harbour, secret):
    tokens = harbour.connect("aurora-0")
    hub.clear_calls()
    answer = harbour.call(
        "token", secret, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "WWW-Authenticate" in answer
    assert hub.calls("path=/oauth/token") == []


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ???", "Bearer abc", "Basic Og==", "Basic /////w=="]
)
def test_odd_credentials_are_refused(harbour, header):
    answer = harbour.client.post(
        "/zoom/hub/oauth/token",
        "grant_type=refresh_token&refresh_token=x",
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": header} if header else {},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_hubs_own_client_is_no_deployment(hub, harbour, settings):
    tokens = harbour.connect("aurora-0")
    own = Member("Other", "https://other.example")
    own.row.client_id = settings.WAGTAIL_ZOOM["CLIENT_ID"]
    own.secret = settings.WAGTAIL_ZOOM["CLIENT_SECRET"]
    assert own.refresh(tokens["refresh_token"]).status_code == 401


def test_credentials_in_the_body_are_accepted(hub, harbour):
    tokens = harbour.connect("aurora-0")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": harbour.row.client_id,
        "client_secret": harbour.secret,
    }
    answer = harbour.client.post(
        "/zoom/hub/oauth/token",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200


def test_removed_deployment_is_refused(hub, harbour):
    tokens = harbour.connect("aurora-0")
    deployments.remove(harbour.row)
    assert harbour.refresh(tokens["refresh_token"]).status_code == 401
    assert not Binding.objects.active().exists()


def test_users_of_a_removed_deployment_may_connect_another(hub, harbour, hill):
    harbour.connect("aurora-0")
    deployments.remove(harbour.row)
    tokens = hill.connect("aurora-0", move="1")
    assert users_me(hub, tokens).status_code == 200


def test_previous_secret_works_for_a_week(hub, harbour):
    tokens = harbour.connect("aurora-0")
    old = harbour.secret
    harbour.row.refresh_from_db()
    new = deployments.rotate(harbour.row).client_secret
    for secret in (old, new):
        harbour.secret = secret
        tokens = harbour.refresh(tokens["refresh_token"]).json()
        assert "access_token" in tokens
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        harbour.secret = old
        assert harbour.refresh(tokens["refresh_token"]).status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"x": "y"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "account_credentials", "account_id": "x"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 20_000}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "a\x00b"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
    ],
)
def test_wrong_form_is_refused_without_asking_zoom(hub, harbour, form, error):
    answer = harbour.call("token", **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert hub.calls("path=/oauth/token") == []


def test_parameters_in_the_query_and_large_bodies_are_refused(harbour):
    assert harbour.client.get("/zoom/hub/oauth/token").status_code == 400
    answer = harbour.client.post(
        "/zoom/hub/oauth/token?grant_type=refresh_token",
        "x=1",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 400
    answer = harbour.client.post(
        "/zoom/hub/oauth/token",
        "x=" + "y" * 100_000,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413


def test_limit_of_one_deployment_does_not_stop_another(hub, harbour, hill, monkeypatch):
    first, second = harbour.connect("aurora-0"), hill.connect("borealis-0")
    monkeypatch.setitem(deployments.LIMITS, "token", (2, 60))
    statuses = [harbour.refresh("unknown").status_code for _ in range(3)]
    assert statuses[-1] == 429
    answer = harbour.refresh(first["refresh_token"])
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert hill.refresh(second["refresh_token"]).status_code == 200


def test_wrong_secrets_do_not_use_up_a_deployments_limit(hub, harbour, monkeypatch):
    tokens = harbour.connect("aurora-0")
    monkeypatch.setitem(deployments.LIMITS, "token", (3, 60))
    for _ in range(10):
        harbour.call("token", "wrong", grant_type="refresh_token", refresh_token="x")
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200


# What Zoom says


@pytest.mark.parametrize("shape", [1, 2, 3, 4])
def test_ended_authorisation_looks_to_the_deployment_as_from_zoom(hub, harbour, shape):
    tokens = harbour.connect("aurora-0")
    hub.deauthorize(user="aurora-0")
    hub.options(token_error_shape=shape)
    answer = harbour.refresh(tokens["refresh_token"])
    assert answer.status_code == 400
    error = classify_error(answer.status_code, answer.json())
    assert type(error).__name__ == "ZoomAuthError"


def test_wrong_client_of_the_hub_is_not_the_deployments_fault(hub, harbour, settings, caplog):
    tokens = harbour.connect("aurora-0")
    hub.options(client_secret="another")
    answer = harbour.refresh(tokens["refresh_token"])
    assert answer.status_code == 503
    error = classify_error(answer.status_code, answer.json())
    assert type(error).__name__ == "ZoomTransient"
    assert "CLIENT_SECRET of the hub" in caplog.text
    hub.options(client_secret="simulator-secret")
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200


def test_zoom_is_away(hub, harbour, settings):
    tokens = harbour.connect("aurora-0")
    zoom_url = settings.WAGTAIL_ZOOM["OAUTH_URL"]
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": "http://127.0.0.1:9"}
    assert harbour.refresh(tokens["refresh_token"]).status_code == 503
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": zoom_url}
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200


def test_zoom_does_not_say_who_it_was(hub, harbour, owner):
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    hub.fault("status", path="/v2/users/me", status=503)
    assert harbour.exchange(code).status_code == 503
    assert not Binding.objects.exists()


def test_binding_that_ends_during_a_refresh_gives_no_token(hub, harbour, monkeypatch):
    tokens = harbour.connect("aurora-0")
    request_token = zoom.request_token

    def end_meanwhile(**form):
        result = request_token(**form)
        Binding.objects.update(active_key=None, ended_at=timezone.now())
        return result

    monkeypatch.setattr(zoom, "request_token", end_meanwhile)
    assert harbour.refresh(tokens["refresh_token"]).status_code == 400


def test_user_level_app_gives_user_level_bindings(hub, harbour):
    hub.options(app_kind="user")
    harbour.connect("aurora-0", Owner())
    assert not Binding.objects.get().account_level


def test_nothing_secret_in_the_log(hub, harbour, caplog):
    caplog.set_level("DEBUG")
    tokens = harbour.connect("aurora-0")
    harbour.refresh("unknown-token-value")
    harbour.call("token", "wrong-secret-value", grant_type="refresh_token", refresh_token="t")
    text = caplog.text
    for secret in (
        tokens["access_token"], tokens["refresh_token"], harbour.secret, "unknown-token-value",
        "wrong-secret-value", "simulator-secret",
    ):  # fmt: skip
        assert secret not in text
