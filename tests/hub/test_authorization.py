"""The authorisation in the browser, and every way to get another one's Zoom account by it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from wagtail_zoom.hub import deployments
from wagtail_zoom.hub.models import Authorization, Binding
from wagtail_zoom.testing.connect import authorize_as

from .conftest import HUB, Member, Owner, code_of, continue_url, users_me

pytestmark = pytest.mark.django_db


def test_page_names_the_deployment_and_begins_nothing(harbour, owner):
    page = owner.get(harbour.authorize_url())
    text = page.content.decode()
    assert page.status_code == 200
    assert "Harbour House" in text
    assert "https://harbour-house.example" in text
    assert not Authorization.objects.exists()
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]


def test_connecting_leads_back_with_code_and_state_and_gives_tokens(hub, harbour, owner):
    url = owner.allow(harbour.authorize_url(), "aurora-0")
    assert url.startswith("https://harbour-house.example/zoom/oauth/callback/?")
    assert parse_qs(urlsplit(url).query)["state"] == ["member-state"]
    response = harbour.exchange(code_of(url))
    tokens = response.json()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert set(tokens) >= {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    profile = users_me(hub, tokens).json()
    binding = Binding.objects.get()
    assert (binding.account_zoom_id, binding.user_zoom_id) == (profile["account_id"], profile["id"])
    assert binding.account_level
    assert not Authorization.objects.exists()


def test_no_token_is_stored(hub, harbour):
    tokens = harbour.connect("aurora-0")
    tokens = harbour.refresh(tokens["refresh_token"]).json()
    for model in (Binding, Authorization, type(harbour.row)):
        for row in model.objects.values():
            text = repr(row)
            assert tokens["access_token"] not in text
            assert tokens["refresh_token"] not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": ""},
        {"redirect_uri": "https://attacker.example/zoom/oauth/callback/"},
        {"redirect_uri": "https://harbour-house.example/zoom/oauth/callback"},
        {"redirect_uri": "https://harbour-house.example/zoom/oauth/callback/?x=1"},
        {"redirect_uri": "https://HARBOUR-house.example/zoom/oauth/callback/"},
        {"redirect_uri": None},
    ],
)
def test_browser_is_not_sent_to_an_address_that_is_not_the_deployments(harbour, owner, changes):
    page = owner.get(harbour.authorize_url(**changes))
    assert page.status_code == 400
    assert "Nothing was connected" in page.content.decode()
    assert owner.press(harbour.authorize_url(**changes)).status_code in (400, 403)
    assert not Authorization.objects.exists()


def test_another_deployments_redirect_url_is_refused(harbour, hill, owner):
    url = harbour.authorize_url(redirect_uri=hill.row.redirect_uri)
    assert owner.get(url).status_code == 400


def test_repeated_parameter_is_refused(harbour, owner):
    url = f"{harbour.authorize_url()}&redirect_uri=https%3A%2F%2Fattacker.example%2F"
    assert owner.get(url).status_code == 400
    first = harbour.authorize_url().replace("?", "?redirect_uri=https%3A%2F%2Fattacker.example%2F&")
    assert owner.get(first).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"state": "x" * 2000}, "invalid_request"),
    ],
)
def test_wrong_request_of_a_known_deployment_goes_back_to_it(harbour, owner, changes, error):
    response = owner.get(harbour.authorize_url(**changes))
    assert response.status_code == 302
    assert response["Location"].startswith(harbour.row.redirect_uri)
    assert parse_qs(urlsplit(response["Location"]).query)["error"] == [error]


def test_cancel_goes_back_without_zoom(harbour, owner):
    """By a page: browsers refuse the redirect of a form to a host outside ``form-action``."""
    response = owner.press(harbour.authorize_url(), answer="cancel")
    assert response.status_code == 200
    url = continue_url(response)
    assert url.startswith(harbour.row.redirect_uri)
    query = parse_qs(urlsplit(url).query)
    assert query == {"error": ["access_denied"], "state": ["member-state"]}
    assert not Authorization.objects.exists()


def test_declined_at_zoom_goes_back_to_the_deployment(harbour, owner):
    state = parse_qs(urlsplit(continue_url(owner.press(harbour.authorize_url()))).query)["state"][0]
    response = owner.get(f"https://{HUB}/zoom/hub/callback/?error=access_denied&state={state}")
    query = parse_qs(urlsplit(response["Location"]).query)
    assert query == {"error": ["access_denied"], "state": ["member-state"]}


def test_button_needs_the_pages_own_token(harbour):
    """Another page cannot press it in the victim's browser."""
    client = Client(enforce_csrf_checks=True)
    url = urlsplit(harbour.authorize_url())
    response = client.post(
        f"{url.path}?{url.query}", {"answer": "continue"}, secure=True, headers={"host": HUB}
    )
    assert response.status_code == 403
    assert not Authorization.objects.exists()


# Attacks: each ends where the attacker would stop, with a token or without.


def test_attack_zooms_link_is_sent_to_a_victim(hub, harbour):
    """The attacker owns a deployment, presses the button himself and sends Zoom's link."""
    attacker, victim = Owner(), Owner()
    zoom_url = continue_url(attacker.press(harbour.authorize_url()))
    callback = authorize_as(zoom_url, "borealis-0")
    answer = victim.get(callback)
    assert answer.status_code == 400
    assert "not begun in this browser" in answer.content.decode()
    assert "Location" not in answer
    # The attacker saw the state, and guesses that the code was left behind.
    code = code_of(callback)
    assert harbour.exchange(code).status_code == 400
    assert not Binding.objects.exists()


def test_attack_victim_has_a_cookie_of_an_own_connection(hub, harbour, hill):
    attacker, victim = Owner(), Owner()
    hill.connect("borealis-0", victim)
    zoom_url = continue_url(attacker.press(harbour.authorize_url()))
    assert victim.get(authorize_as(zoom_url, "borealis-0")).status_code == 400
    assert not Binding.objects.filter(deployment=harbour.row).exists()


def test_attack_hostile_deployment_redeems_a_stolen_code(hub, harbour, hill, owner):
    """The code of one deployment, seen by another one, with verifier and all."""
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    hill.verifier = harbour.verifier
    for redirect_uri in (hill.row.redirect_uri, harbour.row.redirect_uri):
        answer = hill.exchange(code, redirect_uri=redirect_uri)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert harbour.exchange(code).status_code == 200
    assert list(Binding.objects.values_list("deployment__name", flat=True)) == ["Harbour House"]


def test_attack_code_without_the_verifier(hub, harbour, owner):
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    answer = harbour.exchange(code, code_verifier="x" * 64)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert hub.calls("path=/oauth/token") == []
    assert harbour.exchange(code).status_code == 400, "a code is used up by a wrong attempt"


def test_code_works_once(hub, harbour, owner):
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    assert harbour.exchange(code).status_code == 200
    assert harbour.exchange(code).status_code == 400


def test_code_that_zoom_never_gave_is_refused_without_asking_zoom(hub, harbour):
    assert harbour.exchange("made-up").status_code == 400
    assert hub.calls("path=/oauth/token") == []


def test_callback_works_once(hub, harbour, owner):
    callback = authorize_as(continue_url(owner.press(harbour.authorize_url())), "aurora-0")
    assert owner.get(callback).status_code == 302
    assert owner.get(callback).status_code == 400


def test_state_expires(hub, harbour, owner):
    callback = authorize_as(continue_url(owner.press(harbour.authorize_url())), "aurora-0")
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert owner.get(callback).status_code == 400


def test_code_expires(hub, harbour, owner):
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert harbour.exchange(code).status_code == 400
    assert hub.calls("path=/oauth/token") == []


def test_code_without_a_state_connects_nothing(hub, owner):
    """*Add* in the Marketplace sends a code and no state."""
    page = owner.get(f"https://{HUB}/zoom/hub/callback/?code=abc")
    assert page.status_code == 200
    assert "Almost there" in page.content.decode()


def test_removed_deployment_may_not_begin_nor_finish(hub, harbour, owner):
    callback = authorize_as(continue_url(owner.press(harbour.authorize_url())), "aurora-0")
    deployments.remove(harbour.row)
    assert owner.get(callback).status_code == 400
    assert owner.get(harbour.authorize_url()).status_code == 400


def test_cookie_is_bound_to_the_host_and_hidden_from_scripts(harbour, owner):
    response = owner.press(harbour.authorize_url())
    cookie = response.cookies["__Host-wagtail-zoom-hub"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_too_many_attempts_of_one_network_do_not_stop_another(harbour, owner, monkeypatch):
    monkeypatch.setitem(deployments.LIMITS, "authorize", (2, 600))
    statuses = [owner.get(harbour.authorize_url()).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    other = Client(REMOTE_ADDR="198.51.100.7")
    url = urlsplit(harbour.authorize_url())
    page = other.get(f"{url.path}?{url.query}", secure=True, headers={"host": HUB})
    assert page.status_code == 200


def test_one_browser_has_ten_authorisations_under_way(harbour, owner):
    for _ in range(13):
        owner.press(harbour.authorize_url())
    assert Authorization.objects.count() == 10


# One Zoom user, one website


def test_second_website_needs_the_persons_word(hub, harbour, hill, mailoutbox):
    owner = Owner()
    harbour.connect("aurora-0", owner)
    code = code_of(owner.allow(hill.authorize_url(), "aurora-0"))
    answer = hill.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert list(Binding.objects.values_list("deployment__name", flat=True)) == ["Harbour House"]
    # In this browser the page names the other website now.
    page = owner.get(hill.authorize_url()).content.decode()
    assert "Harbour House" in page
    # Another person's browser learns nothing of it.
    assert "Harbour House" not in Owner().get(hill.authorize_url()).content.decode()
    tokens = hill.connect("aurora-0", owner, move="1")
    assert users_me(hub, tokens).status_code == 200
    assert Binding.objects.active().get().deployment == hill.row


def test_move_is_reported_to_the_website_that_loses_its_user(
    hub, harbour, hill, mailoutbox, zoom_worker
):
    from wagtail_zoom.hub import tasks

    old = harbour.connect("aurora-0")
    hill.connect("aurora-0", move="1")
    tasks.tick()
    [mail] = mailoutbox
    assert mail.to == ["operator@harbour-house.example"]
    assert mail.cc == ["hub@example.org"]
    assert "Harbour House" in mail.subject
    assert harbour.refresh(old["refresh_token"]).status_code == 400
    tasks.tick()
    assert len(mailoutbox) == 1


def test_refused_move_is_reported_too(hub, harbour, hill, mailoutbox):
    """Zoom ends the tokens of the first authorisation with the second one."""
    from wagtail_zoom.hub import tasks

    harbour.connect("aurora-0")
    hill.exchange(code_of(Owner().allow(hill.authorize_url(), "aurora-0")))
    tasks.tick()
    [mail] = mailoutbox
    assert mail.to == ["operator@harbour-house.example"]
    assert "reconnect" in mail.subject


def test_same_website_may_connect_again(hub, harbour):
    harbour.connect("aurora-0")
    tokens = harbour.connect("aurora-0")
    assert harbour.refresh(tokens["refresh_token"]).status_code == 200
    assert Binding.objects.count() == 1


def test_two_websites_have_one_account_through_different_users(hub, harbour, hill):
    first, second = harbour.connect("aurora-0"), hill.connect("aurora-1")
    assert users_me(hub, first).status_code == users_me(hub, second).status_code == 200
    accounts = Binding.objects.active().values_list("account_zoom_id", flat=True)
    assert len(accounts) == 2
    assert len(set(accounts)) == 1


def test_own_site_of_the_installation_counts_as_a_website(hub, harbour, owner, zoom_connect):
    """The hub's installation has Sites of its own, connected with the same Zoom app."""
    from wagtail_zoom.models import GrantState, ZoomSettings

    site_settings = zoom_connect("aurora-0")
    hub.options(redirect_uris=[f"https://{HUB}/zoom/hub/callback/"])
    code = code_of(owner.allow(harbour.authorize_url(), "aurora-0"))
    assert harbour.exchange(code).status_code == 400
    harbour.connect("aurora-0", owner, move="1")
    grant = ZoomSettings.objects.get(pk=site_settings.pk).grant
    assert grant.state == GrantState.NEEDS_RECONNECT


@pytest.mark.django_db(transaction=True)
def test_own_site_takes_a_user_over(hub, harbour, zoom_connect, mailoutbox):
    from wagtail_zoom.hub import tasks

    harbour.connect("aurora-0")
    zoom_connect("aurora-0")
    assert not Binding.objects.active().exists()
    tasks.tick()
    assert [mail.to for mail in mailoutbox if "Harbour House" in mail.subject] == [
        ["operator@harbour-house.example"]
    ]


def test_languages_of_the_page(harbour, owner):
    page = owner.client.get(
        urlsplit(harbour.authorize_url()).path + "?" + urlsplit(harbour.authorize_url()).query,
        secure=True,
        headers={"host": HUB, "accept-language": "de"},
    )
    assert 'lang="de"' in page.content.decode()


def test_name_of_a_deployment_is_text(hub, owner):
    member = Member('<script>alert("x")</script>', "https://odd.example")
    text = owner.get(member.authorize_url()).content.decode()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
