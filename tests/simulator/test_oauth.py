"""OAuth of the simulator: consent page, token and revoke endpoints."""

import base64
import hashlib
import json
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from .conftest import BASIC, REDIRECT, VERIFIER


def exchange(app, code, **form):
    return app.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, **form)


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_consent_page_names_people_and_scopes(app):
    query = {"client_id": "simulator-client", "redirect_uri": REDIRECT, "state": "s"}
    page = requests.get(f"{app.url}/oauth/authorize", query)
    assert "Studio Aurora" in page.text and "meeting:read:list_meetings:admin" in page.text


def test_redirect_must_match_to_the_byte(app):
    query = {"client_id": "simulator-client", "redirect_uri": REDIRECT.rstrip("/")}
    response = requests.get(f"{app.url}/oauth/authorize", query)
    assert response.status_code == 400 and response.json()["errorCode"] == 4700


def test_declining_comes_back_with_an_error(app):
    form = {"client_id": "simulator-client", "redirect_uri": REDIRECT, "answer": "decline"}
    response = requests.post(f"{app.url}/oauth/authorize", form, allow_redirects=False)
    assert response.headers["Location"] == f"{REDIRECT}?error=access_denied"


def test_code_works_once(app):
    code = app.code("aurora-0")
    assert exchange(app, code).status_code == 200
    assert exchange(app, code).json()["error"] == "invalid_grant"


def test_code_lives_five_minutes(app, simulator):
    code = app.code("aurora-0")
    simulator.advance(301)
    assert exchange(app, code).status_code == 400


@pytest.mark.parametrize(("verifier", "status"), [(VERIFIER, 200), ("w" * 60, 400), ("", 400)])
def test_pkce(app, verifier, status):
    code = app.code("aurora-0", code_challenge=challenge(VERIFIER), code_challenge_method="S256")
    assert exchange(app, code, code_verifier=verifier).status_code == status


def test_refresh_tokens_rotate_and_the_old_one_is_invalid(app):
    app.connect("aurora-0")
    first = app.tokens["refresh_token"]
    response = app.token(grant_type="refresh_token", refresh_token=first)
    assert response.status_code == 200 and response.json()["refresh_token"] != first
    again = app.token(grant_type="refresh_token", refresh_token=first)
    assert again.json() == {"reason": "Invalid Token!", "error": "invalid_grant"}


def test_second_authorisation_ends_the_first(app):
    """Error 4741: each user has one valid pair of tokens."""
    first = app.connect("aurora-0").tokens
    app.connect("aurora-0")
    response = app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert response.status_code == 400


def test_wrong_client_is_invalid_client(app):
    response = app.token(auth=("simulator-client", "wrong"), grant_type="refresh_token")
    assert response.status_code == 401 and response.json()["error"] == "invalid_client"


def post_secret_in_body(app, auth=BASIC, **form):
    """As libraries do that send no Authorization header: id and secret are in the body."""
    form = {"client_id": auth[0], "client_secret": auth[1], **form}
    media = "application/x-www-form-urlencoded;charset=UTF-8"
    target = urlsplit(app.url)
    connection = HTTPConnection(target.hostname, target.port, timeout=10)
    connection.request("POST", "/oauth/token", urlencode(form), {"Content-Type": media})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_the_secret_may_be_in_the_body(app):
    code = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    wrong = ("simulator-client", "wrong")
    refused = post_secret_in_body(app, wrong, code=app.code("aurora-0"), **code)
    assert (refused[0], refused[1]["error"]) == (401, "invalid_client")
    status, app.tokens = post_secret_in_body(app, code=app.code("aurora-0"), **code)
    assert status == 200 and app.get("/users/me").status_code == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": app.tokens["refresh_token"]}
    refused = post_secret_in_body(app, wrong, **refresh)
    assert (refused[0], refused[1]["error"]) == (401, "invalid_client")
    status, app.tokens = post_secret_in_body(app, **refresh)
    assert status == 200 and app.get("/users/me").status_code == 200


def test_no_secret_or_one_in_the_url_is_refused(app):
    form = {"grant_type": "refresh_token", "refresh_token": "any"}
    assert app.token(auth=None, client_id="simulator-client", **form).status_code == 401
    query = {"client_id": "simulator-client", "client_secret": "simulator-secret"}
    response = requests.post(f"{app.url}/oauth/token", data=form, params=query)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    wrong = app.token(auth=("simulator-client", "no"), client_secret="simulator-secret", **form)
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"grant_type": "authorization_code", "code": "unknown"}, 4734),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, 4741),
        ({"grant_type": "password"}, 4705),
        ({}, 4706),
    ],
)
def test_errors_have_zooms_numbers(app, simulator, form, code):
    simulator.options(token_error_shape=3)
    assert app.token(**form).json()["errorCode"] == code
    wrong = [("nobody", "simulator-secret"), ("simulator-client", "wrong")]
    numbers = [app.token(auth=auth, **form).json()["errorCode"] for auth in wrong]
    assert numbers == [4702, 4704]


def test_access_token_expires(app, simulator):
    app.connect("aurora-0")
    assert app.get("/users/me").status_code == 200
    simulator.advance(3601)
    response = app.get("/users/me")
    assert (response.status_code, response.json()["code"]) == (401, 124)


def test_revoked_grant_has_no_access(app):
    app.connect("aurora-0")
    form = {"token": app.tokens["access_token"]}
    response = requests.post(
        f"{app.url}/oauth/revoke", form, auth=("simulator-client", "simulator-secret")
    )
    assert response.json() == {"status": "success"}
    assert app.get("/users/me").status_code == 401


@pytest.mark.parametrize(
    ("shape", "member"), [(1, "reason"), (2, "error_description"), (3, "errorCode"), (4, "code")]
)
def test_refused_refresh_has_four_shapes(app, simulator, shape, member):
    simulator.options(token_error_shape=shape)
    response = app.token(grant_type="refresh_token", refresh_token="unknown")
    assert response.status_code == 400 and member in response.json()


@pytest.mark.parametrize(("kills", "status"), [(False, 200), (True, 401)])
def test_refresh_may_end_the_earlier_access_token(app, simulator, kills, status):
    """Measured 2026-10: it does not."""
    simulator.options(refresh_kills_access=kills)
    app.connect("aurora-0")
    app.token(grant_type="refresh_token", refresh_token=app.tokens["refresh_token"])
    assert app.get("/users/me").status_code == status


def test_refresh_token_may_have_a_grace_period(app, simulator):
    """Unverified at Zoom."""
    simulator.options(refresh_grace=60)
    app.connect("aurora-0")
    form = {"grant_type": "refresh_token", "refresh_token": app.tokens["refresh_token"]}
    assert [app.token(**form).status_code for _ in range(2)] == [200, 200]
    simulator.advance(61)
    assert app.token(**form).status_code == 400


def test_optional_scopes_can_be_deselected(app, simulator):
    requested = ["user:read:user:admin", "meeting:read:meeting:admin"]
    simulator.options(scopes=requested, optional_scopes=requested[1:])
    assert exchange(app, app.code("aurora-0")).json()["scope"] == " ".join(requested)
    code = app.code("aurora-0", sim_deselect=requested[1])
    assert exchange(app, code).json()["scope"] == requested[0]
    query = {"client_id": "simulator-client", "redirect_uri": REDIRECT}
    assert "if you like" in requests.get(f"{app.url}/oauth/authorize", query).text
    form = {**query, "answer": "allow", "sim_user": "aurora-0"}
    response = requests.post(f"{app.url}/oauth/authorize", form, allow_redirects=False)
    code = response.headers["Location"].partition("code=")[2]
    assert exchange(app, code).json()["scope"] == requested[0]
