"""Pages behind Wagtail's page privacy, and projects under ``LoginRequiredMiddleware``.

The matrix: every public URL × where a restriction is × its type × who asks. The URLs come from the
URLconf; those that a page offers are read from its HTML, as a browser gets them.
"""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse
from django.utils import timezone
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.models import Page, PageViewRestriction, Site

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import DatesPage, ZoomPage
from wagtail_zoom import urls as zoom_urls
from wagtail_zoom.api.v2 import (
    ZoomDatesAPIViewSet,
    ZoomRecordingsAPIViewSet,
    ZoomSummariesAPIViewSet,
)
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.frontend.search import search
from wagtail_zoom.models import Occurrence, Registration, Transcript
from wagtail_zoom.registration import tokens
from wagtail_zoom.testing import factories

try:
    from wagtail.api.v3.api import api as v3_api
except ImportError:  # Wagtail 7.4
    v3_api = None

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.security.test_restrictions")]

router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)
router.register_endpoint("zoom_recordings", ZoomRecordingsAPIViewSet)
router.register_endpoint("zoom_summaries", ZoomSummariesAPIViewSet)
urlpatterns = [
    path("api/", include((router.get_urlpatterns(), "api"))),
    path("login/", lambda request: None, name="login"),
    *project.urlpatterns,
]
if v3_api is not None:
    from tests.api import test_v3  # noqa: F401 - adds our router

    urlpatterns = [path("api/v3/", v3_api.urls), *urlpatterns]

NOW = timezone.now()
MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"
SECRETS = ("Open studio", "Heat pumps", "Lost film", "lighthouse", "us02web.zoom.us")
"""Only whoever may see the page reads one of these, in a body or a redirect."""
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}

EXEMPT = {
    "webhook", "health", "oauth_connect", "oauth_callback", "oauth_finish", "oauth_switch",
    "start", "invite", "registration", "registration_confirm", "registration_cancel",
    "registration_resend", "registration_calendar",
}  # fmt: skip
"""Zoom, monitoring, owners, and whoever has a link from an email."""
OWNERS = {
    (name, method) for name in ("oauth_connect", "oauth_switch") for method in ("get", "post")
}
ROOT = {"calendar_site", "calendar_date", "calendar_series"}
"""They follow the restriction of the Site's root page."""
PAGE = {"join", "watch", "transcript", "summary", "register", "register_received"}
"""They follow the page whose link was used; links that name no page follow the root page."""


def test_every_url_has_a_rule():
    """A new URL belongs into one of the three sets, and into the matrix."""
    assert {str(url.pattern) for url in zoom_urls.urlpatterns if not url.name} == {"webhook"}
    names = {pattern.name for pattern in zoom_urls.urlpatterns if pattern.name}
    assert names == EXEMPT | ROOT | PAGE
    assert len(names) == len(EXEMPT) + len(ROOT) + len(PAGE)


@dataclass
class SiteData:
    site: Site
    page: ZoomPage
    other: ZoomPage
    zoom: dict

    @property
    def root(self) -> Page:
        return self.site.root_page


@pytest.fixture
def site_data(settings, client):
    settings.LOGIN_URL = "/login/"
    site = Site.objects.get(is_default_site=True)
    section = Page(title="Section", slug="section")
    site.root_page.add_child(instance=section)
    root = Page(title="Root", slug="root")
    section.add_child(instance=root)
    site.root_page = root
    site.save()
    host = rows.host(rows.account())
    rows.site_settings(
        site, host.account, host, show_registration=True, show_transcripts=True,
        show_summaries=True,
        join_policy="public",
    )  # fmt: skip
    open_now = rows.occurrence(
        host, topic="Open studio", start=NOW + timedelta(minutes=5), approval_type=2
    )
    open_now.meeting.join_url = "https://us02web.zoom.us/j/1"
    open_now.meeting.save()
    questions = {
        "questions": {"questions": [{"field_name": "last_name", "required": True}]},
        "questions_at": NOW, "approval_type": 0,
    }  # fmt: skip
    with_form = rows.occurrence(host, topic="Heat pumps in a form", **questions)
    rows.occurrence(host, topic="Heat pumps in a list", **questions)
    recording = rows.recording(host, topic="Lost film")
    recording.share_url = recording.play_url = "https://us02web.zoom.us/rec/1"
    recording.save()
    rows.item(site, recording)
    Transcript.objects.create(recording=recording, text="What the lighthouse says.")
    summary = factories.make_summary(host, uuid=recording.uuid, topic="Lost film")
    summary_item = factories.make_item(site, summary, visibility="published")
    factories.make_review(summary_item, "What the lighthouse decided.")
    item = rows.item(site, open_now.meeting, visibility="auto")
    form_item = rows.item(site, with_form.meeting, visibility="auto")
    page = ZoomPage(title="Offers", slug="offers", body=[
        ("dates", {}), ("recordings", {}), ("meeting", {"item": item}),
        ("register", {"item": form_item}),
    ])  # fmt: skip
    other = ZoomPage(title="Other", slug="other", body=[("dates", {}), ("recordings", {})])
    for child in (page, other):
        root.add_child(instance=child)
    Site.clear_site_root_paths_cache()
    return SiteData(site, page, other, {
        "host": host, "date": open_now, "item": item, "meeting": with_form.meeting,
        "recording": recording,
    })  # fmt: skip


def urls_on(page) -> dict[str, str]:
    """What the page offers, as its HTML has it. Read as somebody who may see it."""
    text = html.unescape(Client().get(page.get_url()).content.decode())
    matches = {
        name: re.search(rf'"(/zoom/{name}/[^"?]+/)"', text)
        for name in ("join", "watch", "transcript", "summary")
    }
    forms = re.findall(r'(href|action)="(/zoom/register/[^"]+/)"', text)
    urls = {name: match.group(1) for name, match in matches.items() if match}
    urls |= {"register" if attribute == "action" else "listed form": url
             for attribute, url in forms}  # fmt: skip
    if "register" in urls:
        urls["register_received"] = f"{urls['register']}received/"
    return urls


def root_urls(site_data) -> dict[str, str]:
    date, item = site_data.zoom["date"], site_data.zoom["item"]
    urls = {
        "calendar_site": links.site_calendar_url(),
        "calendar_date": links.calendar_url(site_data.site.pk, date),
        "calendar_series": links.series_calendar_url(item),
        "api dates": "/api/zoom_dates/",
        "api recordings": "/api/zoom_recordings/",
        "api summaries": "/api/zoom_summaries/",
    }
    if v3_api is not None:
        names = ("dates", "recordings", "summaries")
        urls |= {f"v3 {name}": f"/api/v3/zoom/{name}/" for name in names}
    return urls


def unsigned_urls(site_data) -> dict[str, str]:
    """Links that name no page: from the API, from calendar files, from pages cached long ago."""
    item = site_data.site.zoom_items.get(kind="recording")
    urls = {
        "join": links.join_url(site_data.site.pk, site_data.zoom["date"]),
        "watch": links.watch_url(item),
        "transcript": links.transcript_url(item),
        "summary": links.summary_url(site_data.site.zoom_items.get(kind="summary")),
        "register": FormLink(site_data.site.pk, None, site_data.zoom["meeting"].pk, "en").url,
    }
    return {**urls, "register_received": f"{urls['register']}received/"}


def restrict(page, kind):
    restriction = PageViewRestriction.objects.create(
        page=Page.objects.get(pk=page.pk), restriction_type=kind, password="tide"
    )
    if kind == "groups":
        restriction.groups.add(Group.objects.get_or_create(name="members")[0])
    return restriction


VISITORS = ("anonymous", "password", "logged in", "wrong group", "right group")


def visitor(who, restriction=None, page=None):
    """A client; ``password``: who has typed it into Wagtail's own form."""
    client = Client()
    if who == "password" and restriction and restriction.restriction_type == "password":
        url = reverse("wagtailcore_authenticate_with_password", args=[restriction.pk, page.pk])
        assert client.post(url, {"password": "tide", "return_url": "/"}).status_code == 302
    elif who not in ("anonymous", "password"):
        user = get_user_model().objects.create_user(f"{who} {timezone.now()}")
        if who != "logged in":
            name = "members" if who == "right group" else "strangers"
            user.groups.add(Group.objects.get_or_create(name=name)[0])
        client.force_login(user)
    return client


def admits(kind, who):
    if kind == "password":
        return who == "password"
    return who == "right group" or (kind == "login" and who in ("logged in", "wrong group"))


def body_of(response) -> str:
    return response.content.decode() + response.get("Location", "")


def assert_private(response):
    directives = {text.strip() for text in response["Cache-Control"].split(",")}
    assert {"private", "no-store"} <= directives, response["Cache-Control"]
    assert "public" not in directives


def assert_shown(name, response):
    """The positive case: what the URL is for."""
    assert response.status_code in (200, 302), (name, response.status_code)
    if name == "register_received":
        assert "heck your email" in body_of(response)
    else:
        assert any(secret in body_of(response) for secret in SECRETS), (name, body_of(response))


def assert_refused(name, response, kind, url):
    assert not any(secret in body_of(response) for secret in SECRETS), (name, body_of(response))
    assert_private(response)
    if name.startswith(("calendar", "api", "v3")):
        assert response.status_code in (401, 403), (name, response.status_code)
    elif kind == "password":
        assert response.status_code == 200 and 'name="password"' in body_of(response), name
        assert f'value="{url}"' in body_of(response)
        # The browser would send ``Origin: null`` with the password, which Django refuses.
        assert response.get("Referrer-Policy") != "no-referrer"
    else:
        assert response.status_code == 302
        assert unquote(response["Location"]) == f"{reverse('wagtailcore_login')}?next={url}"


PLACES = ("nowhere", "section", "root", "page", "other")
"""Where the restriction is. ``section`` is an ancestor of the Site's root page."""


@pytest.mark.parametrize("kind", ["password", "login", "groups"])
@pytest.mark.parametrize("place", PLACES)
def test_matrix(site_data, place, kind):
    offered, unsigned, of_root = (
        urls_on(site_data.page),
        unsigned_urls(site_data),
        root_urls(site_data),
    )
    assert {*offered} == {*PAGE, "listed form"} and {*unsigned} == PAGE
    restriction, restricted = None, None
    if place != "nowhere":
        restricted = {
            "section": site_data.root.get_parent(), "root": site_data.root,
            "page": site_data.page, "other": site_data.other,
        }[place]  # fmt: skip
        restriction = restrict(restricted, kind)
    requested = [
        (name, url, place in places)
        for urls, places in (
            (offered, ("section", "root", "page")),
            (unsigned, ("section", "root")),
            (of_root, ("section", "root")),
        )
        for name, url in urls.items()
    ]
    for who in VISITORS:
        client = visitor(who, restriction, restricted)
        for name, url, is_restricted in requested:
            response = client.get(url)
            # Wagtail's API v3 knows tokens, and no sessions of users.
            is_admitted = admits(kind, who) and (kind == "password" or not name.startswith("v3"))
            if is_restricted and not is_admitted:
                assert_refused(name, response, kind, url)
                continue
            assert_shown(name, response)
            if is_restricted:
                assert_private(response)
                continue
            assert not response.cookies and "Cookie" not in response.get("Vary", ""), name
            if name.startswith("calendar"):
                assert set(response["Cache-Control"].split(", ")) == {"public", "max-age=300"}


def test_after_the_password_the_link_leads_to_zoom(site_data):
    """The whole way, as a visitor goes it: with Django's protection of forms."""
    url = urls_on(site_data.page)["join"]
    restrict(site_data.page, "password")
    client = Client(enforce_csrf_checks=True)
    text = client.get(url).content.decode()
    action = re.search(r'action="([^"]+)"', text).group(1)
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|return_url)" value="([^"]+)"', text))
    wrong = client.post(action, {**fields, "password": "ebb"})
    assert wrong.status_code == 200 and client.get(url).status_code == 200
    response = client.post(action, {**fields, "password": "tide"})
    assert response["Location"] == url
    assert client.get(url)["Location"].startswith("https://us02web.zoom.us/")


@pytest.mark.parametrize("how", ["unpublished", "deleted", "moved to another site"])
def test_links_of_an_unpublished_page_open_nothing(site_data, how):
    offered, unsigned = urls_on(site_data.page), unsigned_urls(site_data)
    page = Page.objects.get(pk=site_data.page.pk).specific
    if how == "unpublished":
        page.unpublish()
    elif how == "deleted":
        page.delete()
    else:
        page.move(Page.objects.get(pk=site_data.root.get_parent().pk), pos="last-child")
    for name, url in offered.items():
        response = Client().get(url)
        assert response.status_code == 404, name
        assert not any(secret in body_of(response) for secret in SECRETS)
        assert name not in ("register", "listed form") or (
            Client().post(url, PERSON, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 404
        )
    assert not Registration.objects.exists()
    for name, url in unsigned.items():
        assert_shown(name, Client().get(url))


def test_a_link_cannot_be_made_to_name_another_page_or_none(site_data):
    restrict(site_data.page, "login")
    site_id, date = site_data.site.pk, site_data.zoom["date"]
    signed = base64.urlsafe_b64decode(links.sign_id(site_id, date.public_id, site_data.page.pk))
    other = signed[:16] + site_data.other.pk.to_bytes(6, "big") + signed[22:]
    for raw in (other, signed[:16] + signed[22:], signed[:24], signed[:16] + signed[16:24]):
        token = base64.urlsafe_b64encode(raw).decode()
        for path_of in ("join/{}/", "calendar/date/{}.ics"):
            response = Client().get("/zoom/" + path_of.format(token))
            assert response.status_code == 404
    token = base64.urlsafe_b64encode(signed).decode()
    assert Client().get(f"/zoom/calendar/date/{token}.ics").status_code == 404
    assert Client().get(f"/zoom/join/{token}/")["Location"].startswith("/_util/login/")
    assert (
        Client().get(links.join_url(site_id, date, site_data.other.pk)).url.startswith("https://us")
    )


@pytest.mark.parametrize("kind", ["password", "login", "groups"])
@pytest.mark.parametrize("form", ["register", "listed form"])
def test_only_who_may_see_the_page_registers(site_data, kind, form):
    url = urls_on(site_data.page)[form]
    headers = {"Sec-Fetch-Site": "same-origin"}
    restriction = restrict(site_data.page, kind)
    for who in VISITORS:
        client = visitor(who, restriction, site_data.page)
        data = {**PERSON, "email": f"{who.replace(' ', '-')}@example.org"}
        response = client.post(url, data, headers=headers)
        assert_private(response)
        if admits(kind, who):
            assert response.status_code == 303
            assert Registration.objects.count() == 1
            Registration.objects.all().delete()
        else:
            assert_refused(form, response, kind, url)
            assert not Registration.objects.exists()


def again_url(row) -> str:
    """The button "Register again" of a cancelled registration."""
    client = Client()
    status_path = tokens.status_path(row)
    client.post(f"{status_path}cancel/")
    match = re.search(r'href="([^"]+)">Register again<', client.get(status_path).content.decode())
    return html.unescape(match.group(1)) if match else ""


@pytest.mark.parametrize("kind", ["password", "login", "groups"])
def test_the_form_to_register_again_follows_the_page_that_offered_it(site_data, kind):
    """A list offers a form that is on no page; then its page becomes private."""
    url = urls_on(site_data.other)["listed form"]
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert Client().post(url, PERSON, headers=headers).status_code == 303
    row = Registration.objects.get()
    public = again_url(row)
    assert Client().get(public).status_code == 200
    restriction = restrict(site_data.other, kind)
    for link in (public, again_url(row)):
        stranger = Client().get(link)
        assert_refused("register", stranger, kind, link)
        assert_refused("register", Client().post(link, PERSON, headers=headers), kind, link)
        who = "password" if kind == "password" else "right group"
        allowed = visitor(who, restriction, site_data.other).get(link)
        assert_shown("register", allowed)
    Page.objects.get(pk=site_data.other.pk).unpublish()
    assert again_url(row) == ""


def test_no_form_to_register_again_where_its_page_is_unknown(site_data):
    """Of registrations from before the page was stored."""
    url = urls_on(site_data.other)["listed form"]
    Client().post(url, PERSON, headers={"Sec-Fetch-Site": "same-origin"})
    row = Registration.objects.get()
    assert again_url(row)
    del row.snapshot["offered_by"]
    row.save()
    assert again_url(row) == ""


def test_the_form_of_a_public_page_takes_no_cookie(site_data):
    restrict(site_data.other, "login")
    response = visitor("logged in").post(
        urls_on(site_data.page)["register"], PERSON, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert response.status_code == 303 and Registration.objects.count() == 1
    assert not response.cookies and "Cookie" not in response.get("Vary", "")


def exempt_responses(site_data):
    """Every exempt URL, asked without login: status, and where it leads."""
    statuses = {}
    for method in ("get", "post"):
        row = Registration(
            site=site_data.site, account=site_data.zoom["host"].account,
            meeting=site_data.zoom["date"].meeting, meeting_zoom_id="1", email_index="m",
            snapshot={"topic": "Open studio"}, idempotency_key="k", state="approved",
            zoom_registrant_id="r",
        )  # fmt: skip
        row.join_url = "https://us02web.zoom.us/w/1?tk=own"
        row.save()
        token = tokens.token_of(row)
        arguments = {
            "oauth_connect": {"site_pk": site_data.site.pk},
            "oauth_switch": {"site_pk": site_data.site.pk},
            "invite": {"token": "unknown"},
            **{name: {"token": token} for name in EXEMPT if name.startswith("registration")},
        }  # fmt: skip
        urls = {
            name: reverse(f"wagtail_zoom:{name}", kwargs=arguments.get(name, {}))
            for name in sorted(EXEMPT)
        }
        urls["personal join"] = reverse("wagtail_zoom:join", args=[token])
        for name, url in urls.items():
            response = getattr(Client(), method)(url)
            location = response.get("Location", "").replace(token, "<token>")
            statuses[name, method] = (response.status_code, location.partition("?")[0])
        row.delete()
    return statuses


@pytest.mark.parametrize("rule", ["password", "login", "groups", "middleware"])
def test_links_from_emails_zoom_and_monitoring_stay_open(site_data, settings, rule):
    before = exempt_responses(site_data)
    assert before["registration", "get"] == (200, "")
    assert before["personal join", "get"] == (302, "https://us02web.zoom.us/w/1")
    assert before["registration_calendar", "get"][0] == 200
    if rule == "middleware":
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    else:
        restrict(site_data.root, rule)
    after = exempt_responses(site_data)
    # Owners have to be logged in anyway; the middleware asks them earlier.
    assert {name for name in before if before[name] != after[name]} <= OWNERS
    assert rule == "middleware" or after == before


class OwnMiddleware(LoginRequiredMiddleware):
    """A project's subclass, with another place to log in."""

    def handle_no_permission(self, request, view_func):
        return HttpResponse("staff only", status=418)


@pytest.mark.parametrize("middleware", [MIDDLEWARE, f"{__name__}.OwnMiddleware"])
def test_login_required_middleware_is_obeyed(site_data, settings, middleware):
    urls = {**urls_on(site_data.page), **root_urls(site_data)}
    urls |= {f"unsigned {name}": url for name, url in unsigned_urls(site_data).items()}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
    insider = visitor("logged in")
    for name, url in urls.items():
        response = Client().get(url)
        assert not any(secret in body_of(response) for secret in SECRETS), name
        if name.startswith("api"):
            assert response.status_code in (401, 403)
            assert_private(response)
        elif middleware == MIDDLEWARE:
            assert response.status_code == 302 and response["Location"].startswith("/login/"), name
        else:
            assert response.status_code == 418, name
        shown = insider.get(url)
        assert_shown(name.removeprefix("unsigned "), shown)
        assert_private(shown)
    client = Client()
    client.post(urls["register"], PERSON, headers={"Sec-Fetch-Site": "same-origin"})
    assert not Registration.objects.exists()
    assert not Client().get("/api/zoom_dates/").cookies


@pytest.mark.parametrize("kind", ["password", "login", "groups"])
def test_search_finds_what_the_visitor_may_see(site_data, rf, kind):
    def hits(who, restriction=None):
        request = rf.get("/")
        client = visitor(who, restriction, site_data.root)
        request.session = client.session
        request.user = get_user(client)
        return len(search(request, "Open studio"))

    assert hits("anonymous") == len(search(site_data.site, "Open studio")) == 1
    restriction = restrict(site_data.root, kind)
    for who in VISITORS:
        assert hits(who, restriction) == int(admits(kind, who)), who
    assert search(site_data.site, "Open studio") == []


def test_search_under_login_required_middleware(site_data, rf, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    request = rf.get("/")
    request.user = AnonymousUser()
    assert search(request, "Open studio") == []
    request.user = get_user(visitor("logged in"))
    assert len(search(request, "Open studio")) == 1


@pytest.mark.skipif(v3_api is None, reason="Wagtail 8 and later")
def test_api_v3_knows_tokens(site_data):
    from wagtail.models import APIToken

    restrict(site_data.root, "groups")
    for group, status in (("strangers", 403), ("members", 200)):
        user = get_user_model().objects.create_user(group)
        user.groups.add(Group.objects.get_or_create(name=group)[0])
        _token, key = APIToken.create_token(user=user, name="reader")
        response = Client().get("/api/v3/zoom/dates/", headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == status
        assert_private(response)
        assert ("Open studio" in response.content.decode()) == (status == 200)


def test_no_page_links_to_a_more_private_page(site_data):
    """``offers`` is the page of the meeting with the form."""
    Page.objects.get(pk=site_data.page.pk).specific.save()
    target = site_data.page.get_url()

    def links_to_it(client):
        return f'href="{target}' in client.get(site_data.other.get_url()).content.decode()

    assert links_to_it(Client())
    restriction = restrict(site_data.page, "login")
    assert not links_to_it(visitor("logged in"))
    restriction.delete()
    restrict(site_data.root, "login")
    assert links_to_it(visitor("logged in"))
    calendar = visitor("logged in").get(links.site_calendar_url()).content.decode()
    assert target in calendar.replace("\r\n ", "")


def test_cached_html_of_a_private_page_stays_on_it(site_data, settings):
    """The same blocks on a private and on a public page: each one's links name their own page."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BLOCK_CACHE": "default"}
    restrict(site_data.page, "login")
    insider = visitor("logged in")
    for _time in range(2):
        private = insider.get(site_data.page.get_url())
        assert_private(private)
        public = Client().get(site_data.other.get_url())
        for name in ("join", "watch", "transcript", "summary"):
            pattern = rf"/zoom/{name}/([^/]+)/"
            for response, page in ((private, site_data.page), (public, site_data.other)):
                signed_links = set(re.findall(pattern, response.content.decode()))
                assert {
                    links.unsign_link(site_data.site.pk, token).page_id for token in signed_links
                } == {page.pk}, name
    refused = Client().get(site_data.page.get_url())
    assert refused.status_code == 302


def test_our_pages_link_on_from_the_same_page(site_data):
    """The recording on the join page of a private page is offered by that page."""
    date, recording = site_data.zoom["date"], site_data.zoom["recording"]
    recording.occurrence = date
    recording.save()
    url = urls_on(site_data.page)["join"]
    type(date).objects.filter(pk=date.pk).update(state="over")
    restrict(site_data.page, "login")
    text = visitor("logged in").get(url).content.decode()
    token = re.search(r"/zoom/watch/([^/]+)/", text).group(1)
    assert links.unsign_link(site_data.site.pk, token).page_id == site_data.page.pk


def test_the_page_of_a_date_is_not_cached_under_a_restriction(site_data):
    dates = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
    site_data.root.add_child(instance=dates)
    url = f"{dates.get_url()}{dates.zoom_date_path(site_data.site.pk, site_data.zoom['date'])}"
    assert 0 < max_age(Client().get(url)) <= 300
    restrict(dates, "login")
    assert Client().get(url).status_code == 302
    response = visitor("logged in").get(url)
    assert response.status_code == 200
    assert_private(response)


def max_age(response):
    """Seconds for which a shared cache may keep it; nothing else may be said."""
    return int(re.fullmatch(r"max-age=0, s-maxage=(\d+)", response["Cache-Control"]).group(1))


def test_one_cheap_query_where_nothing_is_restricted(site_data):
    """And none about restrictions while blocks render."""
    urls = {**urls_on(site_data.page), **root_urls(site_data), **{
        f"unsigned {name}": url for name, url in unsigned_urls(site_data).items()
    }}  # fmt: skip
    for name, url in urls.items():
        with CaptureQueriesContext(connection) as queries:
            Client().get(url)
        about = [query["sql"] for query in queries if "pageviewrestriction" in query["sql"]]
        # Links to the pages of meetings have always left out private ones, and a page of ours asks
        # for the restriction of the Site: the second query. Calendars and the API ask once more,
        # before anything is rendered.
        assert len(about) <= 3, name


@pytest.mark.parametrize("kind", [None, "password", "login"])
def test_the_page_of_a_date_is_as_private_as_its_page(site_data, kind):
    """Else a shared cache keeps it for five minutes, for everybody."""
    page = DatesPage(title="Dates", slug="dates-of-the-site", body=[])
    site_data.root.add_child(instance=page)
    restriction = restrict(page, kind) if kind else None
    path = page.zoom_date_path(site_data.site.pk, Occurrence.objects.first())
    client = visitor("password" if kind != "login" else "logged in", restriction, page)
    response = client.get(page.get_url() + path)
    assert response.status_code == 200
    if kind:
        assert_private(response)
    else:
        assert 0 < max_age(response) <= 300


def test_the_page_of_a_date_is_private_where_everybody_logs_in(site_data, settings):
    """Wagtail keeps only restricted pages out of caches."""
    page = DatesPage(title="Dates", slug="dates-of-the-site", body=[])
    site_data.root.add_child(instance=page)
    path = page.zoom_date_path(site_data.site.pk, Occurrence.objects.first())
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    response = visitor("logged in").get(page.get_url() + path)
    assert response.status_code == 200
    assert_private(response)
