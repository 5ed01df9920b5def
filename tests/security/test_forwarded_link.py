"""The attack with a forwarded link: one person begins an authorisation, another one allows it.

The attacker begins, sends Zoom's genuine page to a victim, the victim allows, and the attacker
finishes. Every request is real HTTP, each person has a browser of their own, and each test ends
where the attacker would end: at the Site, the grants, the tokens at Zoom and the activity.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from wagtail.models import GroupSitePermission, Site

from tests.security.browsers import Browser
from wagtail_zoom import permissions
from wagtail_zoom.models import Activity, Grant, OAuthState, ZoomSettings
from wagtail_zoom.oauth import invitations
from wagtail_zoom.testing.connect import authorize_as, consent_url
from wagtail_zoom.testing.factories import make_site

CANONICAL, SITE_DOMAIN, ADMIN_HOST = "testserver", "yoga.example", "admin.example"
OTHER_DOMAIN = "other.example"
HOSTS = [CANONICAL, SITE_DOMAIN, ADMIN_HOST]
WAYS = [
    "connect", "reconnect", "switch", "invitation of the attacker", "invitation of another owner",
    "start",
]  # fmt: skip
BEGINNINGS = [
    pytest.param(
        way,
        # An invitation opens at the hostname of its own Site, not at the attacker's.
        OTHER_DOMAIN if host == SITE_DOMAIN and way == "invitation of another owner" else host,
        marks=[] if index % len(HOSTS) == number % len(HOSTS) else [pytest.mark.slow],
    )
    for number, way in enumerate(WAYS)
    for index, host in enumerate(HOSTS)
]
"""Each way on one host in ``make test``, on all of them with the slow tests."""
REFUSED = "authorization_refused"


def make_owner(name: str, site: Site) -> User:
    """An owner with the Zoom permission on one Site only."""
    user = User.objects.create_user(name, f"{name}@example.org", "pw")
    group = Group.objects.create(name=name)
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    permission = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=site, permission=permission)
    user.groups.add(group)
    return user


class Scenario:
    """Two Sites with an owner each, a victim, and the simulator."""

    def __init__(self, server, zoom_app) -> None:
        self.server, self.zoom = server.url, zoom_app
        self.site = make_site(SITE_DOMAIN, is_default_site=True)
        self.other_site = make_site(OTHER_DOMAIN)
        self.owner = make_owner("attacker", self.site)
        self.other_owner = make_owner("other", self.other_site)
        self.before: list[tuple] = []

    def browser(self, host: str = "", username: str = "") -> Browser:
        browser = Browser(self.server, self.zoom.url)
        return browser.log_in(host, username, "pw") if username else browser

    def connect(self, browser: Browser, host: str, person: str) -> None:
        """Connect the attacker's Site as it is meant to be done."""
        location = consent_url(browser.post(self.connect_url(host)))
        assert browser.open(authorize_as(location, person)).status_code == 200
        assert self.settings().grant is not None

    def connect_url(self, host: str, site: Site | None = None) -> str:
        return f"http://{host}/zoom/oauth/connect/{(site or self.site).pk}/"

    def settings(self, site: Site | None = None) -> ZoomSettings:
        return ZoomSettings.for_site(site or self.site)

    def snapshot(self) -> list[tuple]:
        """Everything that an attacker would want to change."""
        grants = Grant.objects.order_by("pk").values_list("pk", "zoom_user_id", "generation")
        sites = ZoomSettings.objects.order_by("site_id").values_list("site", "grant", "account")
        return [*grants, *sites.exclude(grant=None)]

    def begin(self, way: str, host: str) -> tuple[Browser, str, Site]:
        """Begin as the attacker: the browser, the URL of Zoom's page, the Site concerned."""
        site = self.site
        if way.startswith("invitation"):
            attacker = self.browser()
            if way == "invitation of another owner":
                site = self.other_site
            inviter = self.owner if site == self.site else self.other_owner
            path = urlsplit(invitations.create(site, inviter)[1]).path
            attacker.get(f"http://{host}{path}")
            response = attacker.post(f"http://{host}{path}")
        else:
            attacker = self.browser(host, "attacker")
            if way in ("reconnect", "switch"):
                self.connect(attacker, host, "aurora-0")
            if way == "reconnect":
                Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
            url = self.connect_url(host)
            if way == "start":
                panel = attacker.get(f"http://{host}/zoom/start/").headers["Location"]
                assert panel.endswith(f"/zoomsettings/{site.pk}/")
            response = attacker.post(url)
        location = consent_url(response)
        self.before = self.snapshot()
        self.zoom.clear_calls()
        return attacker, location, site

    def victims_account(self, way: str) -> str:
        """Another user of the same account for a reconnection, else another account."""
        return "aurora-1" if way == "reconnect" else "borealis-0"

    def assert_nothing_taken(self, attacker: Browser, host: str, site: Site) -> None:
        """No Site, grant or token of the victim, also after the attacker's last attempts."""
        attacker.get(f"http://{host}/zoom/oauth/switch/{site.pk}/")
        attacker.post(f"http://{host}/zoom/oauth/switch/{site.pk}/", answer="switch")
        assert self.snapshot() == self.before
        assert self.zoom.calls("path=/oauth/token") == []
        assert not OAuthState.objects.exists()

    def assert_reported(self, site: Site) -> None:
        """The activity of the Site's owner says what happened."""
        row = Activity.objects.get(code=REFUSED)
        assert (row.site, row.outcome) == (site, "failed")
        owner = "attacker" if site == self.site else "other"
        page = self.browser(CANONICAL, owner).open(
            f"http://{CANONICAL}/admin/zoom/activity/?site={site.pk}"
        )
        assert "Access was allowed in Zoom in another browser" in page.text


@pytest.fixture
def _new_content_types(transactional_db):
    """Other tests with real transactions emptied the tables: content types have new keys."""
    ContentType.objects.clear_cache()
    for policy in vars(permissions).values():
        if isinstance(policy, permissions.OwnerPolicy):
            policy.__dict__.pop("_content_type", None)


@pytest.fixture
def scenario(_new_content_types, live_server, zoom_app, zoom_worker, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ADMIN_HOSTS": [ADMIN_HOST]}
    return Scenario(live_server, zoom_app)


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def finish_url(host: str, **query: str) -> str:
    return f"http://{host}/zoom/oauth/finish/?{urlencode(query)}"


def allow(victim: Browser, location: str, person: str) -> str:
    """The victim allows it at Zoom and the browser opens the callback: the URL of its redirect."""
    return victim.get(authorize_as(location, person)).headers["Location"]


@pytest.mark.parametrize(("way", "host"), BEGINNINGS)
def test_beginning_alone_connects_nothing(scenario, way, host):
    """The victim's browser is slow: the attacker opens *finish* first."""
    attacker, location, site = scenario.begin(way, host)
    victim = scenario.browser()
    returned_to = allow(victim, location, scenario.victims_account(way))
    attacker.open(finish_url(host, state=state_of(location)))
    page = victim.open(returned_to)
    assert page.status_code == 403
    attacker.open(finish_url(host, state=state_of(location)))
    scenario.assert_nothing_taken(attacker, host, site)
    scenario.assert_reported(site)


@pytest.mark.parametrize("logged_in", [False, True], ids=["anonymous", "owner of another Site"])
@pytest.mark.parametrize("way", WAYS)
def test_after_the_victims_browser_has_finished(scenario, way, logged_in):
    """The victim's browser arrives first, and is refused; then the attacker tries repeatedly."""
    attacker, location, site = scenario.begin(way, CANONICAL)
    victim = scenario.browser(CANONICAL, "other" if logged_in else "")
    page = victim.open(allow(victim, location, scenario.victims_account(way)))
    assert page.status_code == 403
    assert "in this browser" in page.text and "remove the app" in page.text
    for _attempt in range(3):
        response = attacker.open(finish_url(CANONICAL, state=state_of(location)))
        assert response.status_code == 403
    scenario.assert_nothing_taken(attacker, CANONICAL, site)
    scenario.assert_reported(site)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"ticket": ""},
        {"ticket": "guessed"},
        {"declined": "1"},
        {"declined": "1", "ticket": "x" * 43},
        {"again": "1"},
        {"ticket": "a" * 5000},
        {"code": "x", "ticket": "\x00ſ"},
    ],
    ids=["none", "empty", "guessed", "declined", "declined and guessed", "again", "long", "bytes"],
)
def test_without_the_right_ticket(scenario, query):
    attacker, location, site = scenario.begin("connect", CANONICAL)
    allow(scenario.browser(), location, "borealis-0")
    response = attacker.open(finish_url(CANONICAL, state=state_of(location), **query))
    assert response.status_code == 403
    scenario.assert_nothing_taken(attacker, CANONICAL, site)
    scenario.assert_reported(site)


def test_a_ticket_of_another_flow_is_wrong(scenario):
    """Two flows of one attacker; he allows the second one himself and takes its ticket."""
    attacker, location, site = scenario.begin("connect", CANONICAL)
    own = consent_url(attacker.post(scenario.connect_url(CANONICAL)))
    ticket = parse_qs(urlsplit(allow(attacker, own, "aurora-0")).query)["ticket"][0]
    allow(scenario.browser(), location, "borealis-0")
    attacker.open(finish_url(CANONICAL, state=state_of(location), ticket=ticket))
    assert Grant.objects.count() == 0
    assert scenario.zoom.calls("path=/oauth/token") == []
    scenario.assert_reported(site)


def test_finish_before_the_callback_wins_nothing(scenario):
    """Asking all the time: before a code is there it changes nothing, afterwards it burns."""
    attacker, location, site = scenario.begin("connect", CANONICAL)
    state = state_of(location)
    for _attempt in range(3):
        assert attacker.open(finish_url(CANONICAL, state=state)).status_code == 403
        assert OAuthState.objects.count() == 1
    assert not Activity.objects.filter(code=REFUSED).exists()
    allow(scenario.browser(), location, "borealis-0")
    assert attacker.open(finish_url(CANONICAL, state=state)).status_code == 403
    scenario.assert_nothing_taken(attacker, CANONICAL, site)
    scenario.assert_reported(site)


def test_a_late_attempt(scenario):
    """The attacker waits until nobody looks any more."""
    attacker, location, _site = scenario.begin("connect", CANONICAL)
    returned_to = allow(scenario.browser(), location, "borealis-0")
    OAuthState.objects.update(expires_at=timezone.now())
    attacker.open(finish_url(CANONICAL, state=state_of(location)))
    attacker.open(returned_to)
    assert scenario.snapshot() == scenario.before
    assert scenario.zoom.calls("path=/oauth/token") == []


@pytest.mark.parametrize("who", ["victim", "attacker"])
def test_a_code_delivered_twice_mints_no_second_ticket(scenario, who):
    attacker, location, site = scenario.begin("connect", CANONICAL)
    victim = scenario.browser()
    callback = authorize_as(location, "borealis-0")
    victim.get(callback)
    again = (victim if who == "victim" else attacker).get(callback)
    assert again.status_code == 400
    assert "Location" not in again.headers
    attacker.open(finish_url(CANONICAL, state=state_of(location)))
    scenario.assert_nothing_taken(attacker, CANONICAL, site)


def test_the_victim_declines(scenario):
    """Nobody's Site changes, and the attacker's *finish* finds nothing."""
    attacker, location, _site = scenario.begin("connect", CANONICAL)
    victim = scenario.browser()
    denied = f"http://{CANONICAL}/zoom/oauth/callback/?" + urlencode(
        {"error": "access_denied", "state": state_of(location)}
    )
    assert victim.open(denied).status_code == 403
    assert OAuthState.objects.count() == 1
    attacker.open(finish_url(CANONICAL, state=state_of(location)))
    attacker.open(finish_url(CANONICAL, state=state_of(location), declined="1"))
    assert scenario.snapshot() == scenario.before
    assert not OAuthState.objects.exists()
    assert not Activity.objects.filter(code=REFUSED).exists()


@pytest.mark.parametrize("way", ["connect", "invitation of another owner"])
def test_strangers_cannot_end_a_flow(scenario, way):
    """Even with the state, which only the first browser knows: each request of a stranger is
    refused, and the first browser finishes as if nothing had happened."""
    person, location, site = scenario.begin(way, CANONICAL)
    state = state_of(location)
    strangers = [scenario.browser(CANONICAL, "attacker"), scenario.browser()]
    denied = f"http://{CANONICAL}/zoom/oauth/callback/?"
    for stranger in strangers:
        stranger.open(denied + urlencode({"error": "access_denied", "state": state}))
        stranger.open(finish_url(CANONICAL, state=state))
        stranger.open(finish_url(CANONICAL, state=state, declined="1"))
    returned_to = allow(person, location, "aurora-0")
    for stranger in strangers:
        stranger.open(finish_url(CANONICAL, state=state))
        stranger.open(finish_url(CANONICAL, state=state, declined="1"))
        stranger.open(finish_url(CANONICAL, state=state, ticket="guessed"))
    assert person.open(returned_to).status_code == 200
    assert scenario.settings(site).grant.user_name == "Studio Aurora"
    assert not Activity.objects.filter(code=REFUSED).exists()


@pytest.mark.parametrize(("way", "host"), BEGINNINGS)
def test_one_browser_begins_and_allows(scenario, way, host):
    """The same steps in one browser; the ticket connects once."""
    person, location, site = scenario.begin(way, host)
    account = scenario.victims_account(way)
    returned_to = allow(person, location, account)
    assert urlsplit(returned_to).netloc == host
    page = person.open(returned_to)
    assert page.status_code == 200
    if way == "switch":
        switch = f"http://{host}/zoom/oauth/switch/{site.pk}/"
        person.follow(switch, person.post(switch, answer="switch"))
    grant = scenario.settings(site).grant
    users = {user["id"]: user["key"] for user in scenario.zoom.users()}
    assert users[grant.zoom_user_id] == account
    assert len(scenario.zoom.calls("path=/oauth/token")) == 1
    assert person.open(returned_to).status_code == 403
    assert len(scenario.zoom.calls("path=/oauth/token")) == 1
    assert not Activity.objects.filter(code=REFUSED).exists()


@pytest.mark.parametrize("way", ["connect", "invitation of the attacker"])
@pytest.mark.parametrize(
    "host",
    [f"{CANONICAL}:9777", f"{SITE_DOMAIN}:9777", f"{ADMIN_HOST}:9777", "other.example"],
)
def test_no_flow_begins_where_an_attacker_may_listen(scenario, way, host):
    """At another port, or at another owner's Site, the attacker would read the victim's ticket."""
    attacker = scenario.browser()
    if way == "connect":
        attacker.log_in(host, "attacker", "pw")
        url = scenario.connect_url(host)
    else:
        path = urlsplit(invitations.create(scenario.site, scenario.owner)[1]).path
        url = f"http://{host}{path}"
        attacker.get(url)
    response = attacker.post(url)
    if "oauth/authorize" in response.text:
        overheard = allow(scenario.browser(), consent_url(response), "borealis-0")
        attacker.open(f"http://{host}{overheard.partition(host)[2]}")
    assert scenario.snapshot() == scenario.before
    assert not OAuthState.objects.exists()
    assert scenario.zoom.calls("path=/oauth/token") == []


def test_a_marketplace_installation_without_state_connects_nothing(scenario):
    """Whatever comes with it: no state, no ticket."""
    attacker = scenario.browser(CANONICAL, "attacker")
    code = parse_qs(urlsplit(scenario.begin("connect", CANONICAL)[1]).query)
    assert code["state"]
    for query in ({"code": "stolen"}, {"code": "stolen", "ticket": "x"}):
        page = attacker.open(f"http://{CANONICAL}/zoom/oauth/callback/?{urlencode(query)}")
        assert page.status_code == 200 and "Almost there" in page.text
    assert scenario.snapshot() == scenario.before
    assert scenario.zoom.calls("path=/oauth/token") == []


def test_pages_on_the_way_reveal_nothing(scenario):
    """Neither to an opener nor by a referrer, and nothing is kept in a cache."""
    attacker, location, _site = scenario.begin("connect", CANONICAL)
    victim = scenario.browser()
    callback = victim.get(authorize_as(location, "borealis-0"))
    responses = [callback, victim.get(callback.headers["Location"])]
    responses.append(victim.open(callback.headers["Location"]))
    responses.append(attacker.open(finish_url(CANONICAL, state=state_of(location))))
    for response in responses:
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["X-Frame-Options"] == "DENY"
    assert "code" not in parse_qs(urlsplit(callback.headers["Location"]).query)
    assert not re.search(r"code=|://(?!testserver)", victim.open(callback.headers["Location"]).text)
