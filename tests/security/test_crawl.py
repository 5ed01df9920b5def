"""GET changes nothing, actions need POST with a CSRF token, our pages cannot be framed (X35)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from wagtail.models import ModelLogEntry

from tests.security import canaries
from tests.security.tenant_data import make_tenants
from tests.security.test_tenants import (
    BULK_ROWS,
    admin_page_urls,
    admin_patterns,
    bulk_actions,
    primary_keys_for,
    public_urls,
)
from wagtail_zoom import urls as zoom_urls

pytestmark = pytest.mark.django_db
LOG = f"{ModelLogEntry._meta.db_table}."


@pytest.fixture
def tenants(db):
    return make_tenants()


def own_admin_urls(tenants):
    """All our admin URLs, with rows of the first Site."""
    north = tenants.north
    for name, arguments in admin_patterns():
        for pk in primary_keys_for(name, north):
            values = {"site_pk": north.site.pk, "pk": pk}
            yield name, reverse(name, kwargs={key: values[key] for key in arguments})
    for app, model, action in bulk_actions():
        pk = getattr(north, BULK_ROWS[model]).pk
        yield action, f"{reverse('wagtail_bulk_action', args=[app, model, action])}?id={pk}"
    place = ["wagtail_zoom", "zoomsettings", north.site.pk]
    yield "panel", reverse("wagtailsettings:edit", args=place)


@pytest.mark.slow
def test_x35_get_requests_change_nothing(tenants):
    """All tables stay unchanged except the log of access to registrations. Exports are left out,
    because each one is logged."""
    client = Client(raise_request_exception=False)
    client.force_login(tenants.north.owner)
    visitor = Client()
    urls = [url for _name, url in own_admin_urls(tenants)]
    urls += [url for url in admin_page_urls() if "failwhale" not in url]
    public = [*public_urls(tenants.north).values(), "/all/", "/event/"]

    def crawl():
        for url in urls:
            client.get(url)
        for url in public:
            for method in ("get", "head", "options"):
                getattr(visitor, method)(url, headers={"host": tenants.north.hostname})
        lines = canaries.dump_database().splitlines()
        return [line for line in lines if not line.startswith(LOG)]

    first, second = crawl(), crawl()
    assert sorted(set(second) ^ set(first)) == []
    logged_actions = ModelLogEntry.objects.values_list("action", flat=True)
    assert set(logged_actions) == {"wagtail_zoom.registrants"}
    assert len(first) > 500


def test_x35_actions_require_a_csrf_token(tenants):
    """Another site can make a browser send the cookie, but does not know the token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(tenants.north.owner)
    before = canaries.dump_database()
    for name, url in own_admin_urls(tenants):
        response = client.post(url, {"answer": "switch", "confirm": "1", "tags": "a"})
        assert response.status_code in (403, 405), name
    for name in ("oauth_connect", "oauth_switch"):
        url = reverse(f"wagtail_zoom:{name}", args=[tenants.north.site.pk])
        assert client.post(url).status_code == 403
    assert canaries.dump_database() == before


def test_x35_only_urls_without_a_session_are_csrf_exempt():
    """Exempt are views without a cookie: the webhook endpoint, and forms with a signed URL."""
    exempt = {
        pattern.name or "webhook"
        for pattern in zoom_urls.urlpatterns
        if getattr(pattern.callback, "csrf_exempt", False)
    }
    forms = {name for name in exempt if name.startswith(("register", "registration"))}
    assert exempt == {"webhook", *forms}

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


def test_x35_our_pages_cannot_be_framed(tenants, settings):
    """Pages with buttons set the header themselves, also in a project without the middleware."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "XFrame" not in name]
    client = Client(headers={"host": tenants.north.hostname})
    client.force_login(tenants.north.owner)
    session = client.session
    session["wagtail_zoom_switch"] = {
        "site": tenants.north.site.pk,
        "grant": tenants.north.grant.pk,
    }
    session.save()
    urls = public_urls(tenants.north)
    for name in ("invite", "oauth_switch", "oauth_callback", "start", "register", "registration",
                 "registration_cancel"):  # fmt: skip
        response = client.get(urls[f"wagtail_zoom:{name}"])
        assert response.get("X-Frame-Options") == "DENY", name


def test_x35_the_admin_cannot_be_framed(tenants):
    client = Client()
    client.force_login(tenants.north.owner)
    for name, url in own_admin_urls(tenants):
        assert client.get(url).get("X-Frame-Options") in ("DENY", "SAMEORIGIN"), name
