"""Connecting, with the real pages and the simulator (O1, O5, O20, O21, O23, X1-X4)."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Host,
    Meeting,
    OAuthState,
    SiteItem,
    ZoomSettings,
)
from wagtail_zoom.oauth import connect, disconnect, flow
from wagtail_zoom.sync import retention
from wagtail_zoom.testing import factories
from wagtail_zoom.testing.connect import authorize_as, connect_site, consent_url, follow

pytestmark = pytest.mark.django_db


def grant_of(site):
    return ZoomSettings.for_site(site).grant


@pytest.mark.contract
def test_owner_connects_and_returns_to_the_panel(owner_client, site, zoom_app):
    response = connect_site(owner_client, site, "aurora-0")
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")
    grant = grant_of(site)
    assert grant.state == "connected"
    assert grant.account_level
    assert grant.missing_kinds == []
    assert grant.user_name == "Studio Aurora"
    assert grant.account.name == "Aurora Yoga"
    assert grant.generation == 1
    # Only the connecting user is selected, and no content type is on.
    assert [row.host.zoom_id for row in ExposedHost.objects.all()] == [grant.zoom_user_id]
    assert ZoomSettings.for_site(site).kinds == frozenset()
    assert Activity.objects.get(code="connected").site_id == site.pk
    assert not OAuthState.objects.exists()


@pytest.mark.contract
def test_personal_grant_follows_from_the_scopes(owner_client, site, zoom_app):
    zoom_app.options(app_kind="user")
    connect_site(owner_client, site, "borealis-1")
    assert not grant_of(site).account_level


def test_o20_a_state_works_once(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    back = authorize_as(consent_url(response), "aurora-0")
    received = follow(owner_client, back)
    assert follow(owner_client, received["Location"]).status_code == 302
    assert follow(owner_client, received["Location"]).status_code == 403
    assert follow(owner_client, back).status_code == 400
    assert Grant.objects.get().generation == 1


@pytest.mark.contract
def test_o20_another_browser_cannot_finish(owner_client, owner, site, zoom_app):
    from django.test import Client

    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    received = follow(owner_client, authorize_as(consent_url(response), "aurora-0"))
    other = Client()
    other.force_login(owner)
    zoom_app.clear_calls()
    assert follow(other, received["Location"] + "&again=1").status_code == 403
    assert zoom_app.calls() == []
    assert not Grant.objects.exists()


def callback_url(client, site, person="aurora-0"):
    """The callback URL to which Zoom redirects the browser."""
    response = client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    return authorize_as(consent_url(response), person)


def test_x1_another_user_in_the_same_browser_cannot_finish(owner_client, owner, site, zoom_app):
    received = follow(owner_client, callback_url(owner_client, site))
    other = User.objects.create_superuser("other", "other@example.org", "pw")
    session = owner_client.session
    session["_auth_user_id"] = str(other.pk)
    session["_auth_user_hash"] = other.get_session_auth_hash()
    session.save()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.parametrize("name", ["CLIENT_ID", "OAUTH_URL"])
def test_x3_a_state_of_another_app_or_server_is_invalid(
    owner_client, site, zoom_app, settings, name
):
    received = follow(owner_client, callback_url(owner_client, site))
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, name: "https://other.example"}
    zoom_app.clear_calls()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert zoom_app.calls() == []


def test_x2_a_state_expires_during_the_flow(owner_client, site, zoom_app):
    received = follow(owner_client, callback_url(owner_client, site))
    OAuthState.objects.update(expires_at=timezone.now())
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.contract
def test_x2_a_second_code_for_one_state_is_refused(owner_client, site, zoom_app):
    back = callback_url(owner_client, site)
    assert follow(owner_client, back).status_code == 302
    forged = re.sub(r"code=[^&]*", "code=injected", back)
    assert follow(owner_client, forged).status_code == 400
    assert OAuthState.objects.get().code.reveal() != "injected"


def test_x15_no_redirect_to_a_hostname_that_is_no_longer_the_sites(owner_client, site, zoom_app):
    Site.objects.filter(pk=site.pk).update(hostname="yoga.example")
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "yoga.example"})
    Site.objects.filter(pk=site.pk).update(hostname="pilates.example")
    assert follow(owner_client, authorize_as(consent_url(response), "aurora-0")).status_code == 400


def test_o20_permission_withdrawn_in_between(owner_client, owner, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    received = follow(owner_client, authorize_as(consent_url(response), "aurora-0"))
    owner.groups.clear()
    assert follow(owner_client, received["Location"]).status_code == 403
    assert not Grant.objects.exists()


def test_x4_foreign_site_is_404(owner_client, site, zoom_app):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page, port=81)
    url = reverse("wagtail_zoom:oauth_connect", args=[other.pk])
    assert owner_client.post(url).status_code == 404
    assert owner_client.get(url).status_code == 405
    assert not OAuthState.objects.exists()


def test_connect_after_the_login_ended_leads_to_the_login(client, site, zoom_app):
    """And from there to the panel with the button; no flow begins."""
    response = client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    assert response["Location"] == f"{reverse('wagtailadmin_login')}?next={panel}"
    assert "nothing was changed" in client.get(response["Location"]).content.decode()
    assert not OAuthState.objects.exists()


def test_x2_eleventh_flow_drops_the_oldest(owner_client, site, zoom_app):
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    first = consent_url(owner_client.post(url))
    for _ in range(10):
        owner_client.post(url)
    assert OAuthState.objects.count() == 10
    assert follow(owner_client, authorize_as(first, "aurora-0")).status_code == 400


def test_o20_state_expires(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    OAuthState.objects.update(expires_at=timezone.now())
    assert follow(owner_client, authorize_as(consent_url(response), "aurora-0")).status_code == 400


def test_pkce_and_redirect_uri_come_from_settings(owner_client, site, zoom_app):
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "evil.example"})
    assert "oauth/authorize" not in response["Location"]
    url = consent_url(owner_client.post(url))
    assert "redirect_uri=https%3A%2F%2Ftestserver%2Fzoom%2Foauth%2Fcallback%2F" in url
    assert "code_challenge_method=S256" in url


def test_the_button_is_answered_by_a_page_that_leads_to_zoom(owner_client, site, zoom_app):
    """Not by a redirect: browsers apply ``form-action 'self'`` to it. The page holds the state, so
    no cache stores it, and Zoom is not told where it was."""
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    assert response.status_code == 200 and consent_url(response).startswith(zoom_app.url)
    assert html.escape(consent_url(response)) in response.content.decode().split("<body>")[1]
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_callback_redirects_to_the_originating_domain(owner_client, site, zoom_app):
    Site.objects.filter(pk=site.pk).update(hostname="yoga.example", port=443)
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    response = owner_client.post(url, headers={"host": "yoga.example"})
    received = follow(owner_client, authorize_as(consent_url(response), "aurora-0"))
    assert received["Location"].startswith("https://yoga.example/zoom/oauth/finish/?state=")
    assert "code" not in received["Location"]
    assert received["Referrer-Policy"] == "no-referrer"


@pytest.mark.contract
def test_declining_changes_nothing(owner_client, site, zoom_app):
    response = owner_client.post(reverse("wagtail_zoom:oauth_connect", args=[site.pk]))
    state = OAuthState.objects.get()
    assert state.code.reveal() == ""
    from urllib.parse import parse_qs, urlsplit

    query = parse_qs(urlsplit(consent_url(response)).query)
    back = owner_client.get(
        reverse("wagtail_zoom:oauth_callback"),
        {"error": "access_denied", "state": query["state"][0]},
    )
    response = follow(owner_client, back["Location"])
    assert response.status_code == 302
    assert not Grant.objects.exists()
    assert not OAuthState.objects.exists()


def test_marketplace_install_without_state_shows_a_page(client, zoom_app, db):
    response = client.get(reverse("wagtail_zoom:oauth_callback"), {"code": "stolen"})
    assert response.status_code == 200
    assert reverse("wagtail_zoom:start") in response.content.decode()
    assert not Grant.objects.exists()


@pytest.mark.contract
def test_o5_another_account_needs_confirmation(owner_client, site, zoom_app):
    connect_site(owner_client, site, "aurora-0")
    first = grant_of(site)
    response = connect_site(owner_client, site, "borealis-0")
    assert response["Location"] == reverse("wagtail_zoom:oauth_switch", args=[site.pk])
    assert grant_of(site) == first
    page = owner_client.get(response["Location"]).content.decode()
    assert "Aurora Yoga" in page
    assert "Borealis Institute" in page
    owner_client.post(response["Location"], {"answer": "switch"})
    second = grant_of(site)
    assert second.account.name == "Borealis Institute"
    first.refresh_from_db()
    assert first.state == "revoked"
    assert [row.host.account_id for row in ExposedHost.objects.all()] == [second.account_id]


@pytest.mark.contract
def test_o5_declining_the_switch_revokes_the_new_grant(owner_client, site, zoom_app):
    connect_site(owner_client, site, "aurora-0")
    response = connect_site(owner_client, site, "borealis-0")
    owner_client.post(response["Location"], {"answer": "stay"})
    assert grant_of(site).account.name == "Aurora Yoga"
    assert Grant.objects.get(account__name="Borealis Institute").state == "revoked"


def test_o1_two_sites_one_person_one_grant(owner_client, owner, site, zoom_app):
    other = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    connect_site(owner_client, site, "aurora-0")
    connect_site(owner_client, other, "aurora-0")
    assert grant_of(site) == grant_of(other)
    assert Grant.objects.get().generation == 2


@pytest.mark.contract
def test_a_refused_client_secret_connects_nothing(owner_client, site, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "CLIENT_SECRET": "wrong"}
    response = connect_site(owner_client, site, "aurora-0")
    assert response.status_code == 302
    assert not Grant.objects.exists()


def test_start_leads_to_the_panel(owner_client, site, zoom_app):
    response = owner_client.get(reverse("wagtail_zoom:start"))
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")


def test_start_asks_strangers_to_log_in(client, db):
    response = client.get(reverse("wagtail_zoom:start"))
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_rows_that_no_site_shows_after_a_switch_are_deleted(zoom_rows, zoom_worker):
    """The owner's edits stay, as the confirmation page says."""
    item = zoom_rows.item(zoom_rows.meeting(), title="Ours")
    other = factories.make_grant(factories.make_account())
    with TestCase.captureOnCommitCallbacks(execute=True):
        connect.connect_site(zoom_rows.site, other, None)
    assert ("purge_account", (zoom_rows.account.pk,)) in zoom_worker.waiting
    retention.purge_outside_scope(zoom_rows.account)
    assert not Meeting.objects.filter(account=zoom_rows.account).exists()
    assert not Host.objects.filter(account=zoom_rows.account).exists()
    assert SiteItem.objects.get(pk=item.pk).title == "Ours"


def test_an_authorisation_for_one_site_switches_no_other_site(
    owner_client, owner, site, zoom_app, zoom_worker
):
    """The owner may change both; the answer counts for the Site that it was asked for."""
    other = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    for connected in (site, other):
        connect_site(owner_client, connected, "aurora-0")
    connect_site(owner_client, site, "borealis-0")
    page = reverse("wagtail_zoom:oauth_switch", args=[other.pk])
    assert owner_client.get(page).status_code == 302
    assert owner_client.post(page, {"answer": "switch"}).status_code == 302
    assert {grant_of(row).account.name for row in (site, other)} == {"Aurora Yoga"}
    owner_client.post(reverse("wagtail_zoom:oauth_switch", args=[site.pk]), {"answer": "switch"})
    assert grant_of(site).account.name == "Borealis Institute"
    assert grant_of(other).account.name == "Aurora Yoga"


def test_an_unanswered_switch_does_not_lead_to_a_later_authorisation(
    owner_client, site, zoom_app, zoom_worker
):
    """Somebody else renews the same Zoom user's grant: the old question is not about that."""
    other = Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)
    connect_site(owner_client, site, "borealis-0")
    page = connect_site(owner_client, site, "aurora-0")["Location"]
    grant = Grant.objects.get(account__name="Aurora Yoga")
    someone = Client()
    someone.force_login(User.objects.create_superuser("someone", "someone@example.org", "pw"))
    connect_site(someone, other, "aurora-0")
    assert grant_of(other) == grant
    owner_client.post(page, {"answer": "switch"})
    assert grant_of(site).account.name == "Borealis Institute"
    assert grant_of(other) == grant


def test_a_switch_is_answered_within_an_hour(owner_client, site, zoom_app):
    connect_site(owner_client, site, "borealis-0")
    page = connect_site(owner_client, site, "aurora-0")["Location"]
    later = timezone.now() + disconnect.ORPHAN_AGE + timedelta(minutes=1)
    with time_machine.travel(later):
        owner_client.post(page, {"answer": "switch"})
    assert grant_of(site).account.name == "Borealis Institute"


def test_permission_withdrawn_before_the_switch(owner_client, owner, site, zoom_app):
    connect_site(owner_client, site, "aurora-0")
    page = connect_site(owner_client, site, "borealis-0")["Location"]
    owner.groups.clear()
    assert owner_client.get(page).status_code == 404
    assert owner_client.post(page, {"answer": "switch"}).status_code == 404
    assert grant_of(site).account.name == "Aurora Yoga"


def test_pages_with_a_form_can_be_posted_whatever_the_project_sets(
    owner_client, site, zoom_app, settings
):
    """With ``no-referrer`` browsers send ``Origin: null``."""
    settings.SECURE_REFERRER_POLICY = "no-referrer"
    connect_site(owner_client, site, "aurora-0")
    page = connect_site(owner_client, site, "borealis-0")["Location"]
    assert owner_client.get(page)["Referrer-Policy"] == "same-origin"


def test_an_opener_cannot_hold_on_to_the_pages_of_the_flow(owner_client, site, zoom_app, settings):
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = None
    back = callback_url(owner_client, site)
    received = follow(owner_client, back)
    for response in (received, follow(owner_client, received["Location"])):
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("step", ["handle_callback", "handle_declined", "consume_state"])
def test_o22_an_error_report_holds_no_state_code_or_ticket(
    owner_client, site, zoom_app, settings, mailoutbox, monkeypatch, caplog, step
):
    """The mail to ADMINS prints URL, query and variables."""

    def fail(*args, **options):
        raise RuntimeError("a mistake")

    back = callback_url(owner_client, site)
    received = follow(owner_client, back)
    ticket = re.search("ticket=([^&]*)", received["Location"])[1]
    state, code = (re.search(f"{name}=([^&]*)", back)[1] for name in ("state", "code"))
    settings.ADMINS = [("Operator", "operator@example.org")]
    owner_client.raise_request_exception = False
    monkeypatch.setattr(f"wagtail_zoom.oauth.flow.{step}", fail)
    url = {
        "handle_callback": back,
        "handle_declined": back.replace("code=", "error=access_denied&other="),
        "consume_state": received["Location"],
    }[step]
    environ = {"RAW_URI": url, "REQUEST_URI": url}
    path, _question_mark, query = (
        url.removeprefix("http://testserver").removeprefix("https://testserver").partition("?")
    )
    assert owner_client.get(path, QUERY_STRING=query, **environ).status_code == 500
    report = mailoutbox[0].body + caplog.text
    assert "a mistake" in report
    for secret in (state, code, ticket):
        assert secret not in report


def test_a_code_that_arrives_during_the_check_is_not_taken(
    owner_client, site, zoom_app, monkeypatch
):
    """A declined consent and an allowed one of the same state at the same moment."""
    back = callback_url(owner_client, site)
    declined = follow(owner_client, re.sub("code=[^&]*", "error=access_denied", back))["Location"]
    check, arrived = flow._check_permission, []

    def slow_check(row):
        check(row)
        if not arrived:
            arrived.append(follow(owner_client, back)["Location"])

    monkeypatch.setattr(flow, "_check_permission", slow_check)
    assert follow(owner_client, declined).status_code == 403
    assert follow(owner_client, arrived[0]).status_code == 302
    assert grant_of(site).state == "connected"


def without_cookies(url):
    """A browser that withholds its session cookie, as with SESSION_COOKIE_SAMESITE = "Strict"."""
    return follow(Client(), url)


def refresh_target(page):
    match = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', page.content.decode())
    return html.unescape(match[1]) if match else ""


@pytest.mark.parametrize("decision", ["allow", "decline"])
def test_connecting_with_strict_cookies(owner_client, site, zoom_app, decision):
    """Coming from Zoom the browser sends no cookie; the page then opens the URL again with it."""
    back = callback_url(owner_client, site)
    if decision == "decline":
        back = re.sub("code=[^&]*", "error=access_denied", back)
    finish = without_cookies(back)["Location"]
    page = without_cookies(finish)
    assert page.status_code == 200
    assert not page.cookies
    assert OAuthState.objects.count() == 1
    again = refresh_target(page)
    # A relative reference, and the same one for people whose browser does not refresh.
    assert again.startswith("/zoom/oauth/finish/?")
    assert f'href="{html.escape(again)}"' in page.content.decode()
    response = follow(owner_client, again)
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")
    assert Grant.objects.exists() == (decision == "allow")
    assert not OAuthState.objects.exists()


def test_a_login_that_ended_during_consent_ends_in_a_message(owner_client, site, zoom_app):
    """One page in between, no loop; the code is not exchanged."""
    finish = follow(owner_client, callback_url(owner_client, site))["Location"]
    owner_client.logout()
    zoom_app.clear_calls()
    again = refresh_target(follow(owner_client, finish))
    page = follow(owner_client, again)
    assert page.status_code == 403
    assert not refresh_target(page)
    assert "log in and press Connect again" in page.content.decode()
    assert zoom_app.calls() == []
    assert Activity.objects.get(code="authorization_refused").site == site
    assert not OAuthState.objects.exists()


def test_start_with_strict_cookies_does_not_ask_to_log_in_again(owner_client, site):
    """A link in Zoom's Marketplace leads here; a stranger is asked to log in after one page."""
    url, headers = reverse("wagtail_zoom:start"), {"Sec-Fetch-Site": "cross-site"}
    again = refresh_target(Client().get(url, headers=headers))
    response = owner_client.get(again)
    assert response["Location"].endswith(f"/zoomsettings/{site.pk}/")
    stranger = Client().get(again, headers=headers)
    assert stranger["Location"].endswith(f"/login/?next={url}")
