"""Reading changes nothing, acting needs POST with a token, nothing of ours is framed (X35)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from wagtail.models import ModelLogEntry

from tests.security import canaries
from tests.security.test_tenants import (
    BULK_ROWS,
    admin_pages,
    admin_patterns,
    bulk_actions,
    foreign_keys,
    public_addresses,
)
from tests.security.world import make_world
from wagtail_zoom import urls as public_urls

pytestmark = pytest.mark.django_db
LOG = f"{ModelLogEntry._meta.db_table}."


@pytest.fixture
def world(db, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    return make_world()


def own_addresses(world):
    """Every address of ours in the admin, with rows of the first Site."""
    north = world.north
    for name, arguments in admin_patterns():
        for pk in foreign_keys(name, north):
            values = {"site_pk": north.site.pk, "pk": pk}
            yield name, reverse(name, kwargs={key: values[key] for key in arguments})
    for app, model, action in bulk_actions():
        pk = getattr(north, BULK_ROWS[model]).pk
        yield action, f"{reverse('wagtail_bulk_action', args=[app, model, action])}?id={pk}"
    place = ["wagtail_zoom", "zoomsettings", north.site.pk]
    yield "panel", reverse("wagtailsettings:edit", args=place)


@pytest.mark.slow
def test_x35_reading_everything_twice_changes_nothing(world):
    """All tables stay as they are, but for the log of who read sign-ups (exports are left out:
    each of them is logged, on purpose)."""
    client = Client(raise_request_exception=False)
    client.force_login(world.north.owner)
    visitor = Client()
    addresses = [address for _name, address in own_addresses(world)]
    addresses += [one for one in admin_pages() if "failwhale" not in one]
    public = [*public_addresses(world.north).values(), "/all/", "/event/"]

    def crawl():
        for address in addresses:
            client.get(address)
        for address in public:
            for method in ("get", "head", "options"):
                getattr(visitor, method)(address, headers={"host": world.north.hostname})
        lines = canaries.database().splitlines()
        return [line for line in lines if not line.startswith(LOG)]

    first, second = crawl(), crawl()
    assert sorted(set(second) ^ set(first)) == []
    noted = ModelLogEntry.objects.values_list("action", flat=True)
    assert set(noted) == {"wagtail_zoom.registrants"}
    assert len(first) > 500


def test_x35_actions_want_a_token_of_djangos(world):
    """A foreign page makes a browser send the cookie; it does not know the token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.north.owner)
    before = canaries.database()
    for name, address in own_addresses(world):
        answer = client.post(address, {"answer": "switch", "confirm": "1", "tags": "a"})
        assert answer.status_code in (403, 405), name
    for name in ("oauth_connect", "oauth_switch"):
        address = reverse(f"wagtail_zoom:{name}", args=[world.north.site.pk])
        assert client.post(address).status_code == 403
    assert canaries.database() == before


def test_x35_only_addresses_without_a_session_are_exempt():
    """Exempt is what takes no cookie: the door for messages, and forms that are tied to a page."""
    exempt = {
        pattern.name or "webhook"
        for pattern in public_urls.urlpatterns
        if getattr(pattern.callback, "csrf_exempt", False)
    }
    kin = {name for name in exempt if name.startswith(("register", "registration"))}
    assert exempt == {"webhook", *kin}

    def walk(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            else:
                yield from walk(pattern.url_patterns)

    for pattern in walk(get_resolver().url_patterns):
        module = getattr(pattern.callback, "__module__", "")
        if module.startswith("wagtail_zoom.admin"):
            assert not getattr(pattern.callback, "csrf_exempt", False), pattern


def test_x35_our_pages_are_not_framed(world, settings):
    """By our own headers where there are buttons, also in a project without the middleware."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "XFrame" not in each]
    client = Client(headers={"host": world.north.hostname})
    client.force_login(world.north.owner)
    session = client.session
    session["wagtail_zoom_switch"] = {"site": world.north.site.pk, "grant": world.north.grant.pk}
    session.save()
    addresses = public_addresses(world.north)
    for name in ("invite", "oauth_switch", "oauth_callback", "start", "register", "registration",
                 "registration_cancel"):  # fmt: skip
        answer = client.get(addresses[f"wagtail_zoom:{name}"])
        assert answer.get("X-Frame-Options") == "DENY", name


def test_x35_the_admin_is_not_framed(world):
    client = Client()
    client.force_login(world.north.owner)
    for name, address in own_addresses(world):
        assert client.get(address).get("X-Frame-Options") in ("DENY", "SAMEORIGIN"), name
