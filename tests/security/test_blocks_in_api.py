"""Blocks in an endpoint of the project, which asks nobody whether the Site is private (X51)."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import path
from rest_framework.authentication import SessionAuthentication
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import BaseAPIViewSet
from wagtail.models import Page, PageViewRestriction, Site

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import ZoomPage

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.security.test_blocks_in_api")]


class ThingsAPIViewSet(BaseAPIViewSet):
    """It checks neither the page nor, for one thing, any parameter."""

    model = ZoomPage
    body_fields = [*BaseAPIViewSet.body_fields, "body"]
    authentication_classes = [SessionAuthentication]


router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("things", ThingsAPIViewSet)
urlpatterns = [path("api/", router.urls), *project.urlpatterns]
LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
QUERY = "?site=members.example"


@pytest.fixture
def private(db):
    """A Site with data, and a page on a public one with all blocks."""
    root = Page.objects.get(depth=1).add_child(instance=Page(title="Private", slug="private"))
    site = Site.objects.create(hostname="members.example", root_page=root)
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_registration=True)
    meeting = rows.occurrence(host, topic="Members only").meeting
    item = rows.item(site, meeting, meeting=meeting)
    rows.item(site, rows.recording(host, topic="Members only film"))
    body = [
        {"type": name, "value": {"item": item.pk} if name in ("meeting", "register") else {}}
        for name in ("dates", "recordings", "meeting", "next", "calendar", "register")
    ]
    page = ZoomPage(title="Public", slug="public", body=json.dumps(body))
    Site.objects.get(is_default_site=True).root_page.add_child(instance=page)
    page.save_revision().publish()
    return site


def restrict(site: Site, kind: str) -> Group:
    group = Group.objects.create(name="members")
    restriction = PageViewRestriction.objects.create(
        page=site.root_page, restriction_type=kind, password="x"
    )
    restriction.groups.add(group)
    return group


def blocks_of(response) -> list[object]:
    assert response.status_code == 200
    return [block["value"]["zoom"] for block in response.json()["body"]]


def url_of_page() -> str:
    return f"/api/things/{ZoomPage.objects.get().pk}/"


@pytest.mark.parametrize("kind", ["login", "password", "groups"])
def test_blocks_show_no_private_site_to_visitors(private, client, kind):
    public = client.get(url_of_page() + QUERY)
    assert public.content.count(b"Members only") >= 5
    assert "Cache-Control" not in public
    restrict(private, kind)
    requests = [(url_of_page() + QUERY, "testserver"), (url_of_page(), "members.example")]
    for address, hostname in requests:
        response = client.get(address, headers={"host": hostname})
        assert blocks_of(response) == [None] * 6
        assert b"Members only" not in response.content
        assert response["Cache-Control"] == "private, no-store"


def test_blocks_show_a_private_site_to_visitors_who_may_see_it(private, client):
    group = restrict(private, "groups")
    user = get_user_model().objects.create_user("member")
    client.force_login(user)
    assert blocks_of(client.get(url_of_page() + QUERY)) == [None] * 6
    user.groups.add(group)
    response = client.get(url_of_page() + QUERY)
    assert response.content.count(b"Members only") >= 5
    assert response["Cache-Control"] == "private, no-store"


def test_blocks_obey_the_middleware_that_requires_a_login(private, client, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, LOGIN]
    assert blocks_of(client.get(url_of_page() + QUERY)) == [None] * 6
    client.force_login(get_user_model().objects.create_user("member"))
    assert b"Members only" in client.get(url_of_page() + QUERY).content
