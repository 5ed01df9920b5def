"""Our endpoints beside those of the project, in one router of Wagtail's API v2."""

import pytest
from django.apps import apps
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import EventPage, ZoomPage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bakery")]


@pytest.fixture
def dates_page(site):
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {"heading": "Soon"})])
    return site.root_page.add_child(instance=page)


def test_the_projects_own_endpoints_work_beside_ours(client, site, host, dates_page):
    """Wagtail's router asks each endpoint for the model that it represents."""
    image = get_image_model().objects.create(title="Loaf", file=get_test_image_file())
    document = get_document_model().objects.create(title="Recipe", file="recipe.txt")
    occurrence = rows.occurrence(host, topic="Bread for beginners")
    for url, title in (
        ("/api/v2/pages/", "Dates"),
        (f"/api/v2/pages/{dates_page.pk}/", "Dates"),
        ("/api/v2/images/", "Loaf"),
        (f"/api/v2/images/{image.pk}/", "Loaf"),
        ("/api/v2/documents/", "Recipe"),
        (f"/api/v2/documents/{document.pk}/", "Recipe"),
        ("/api/v2/zoom_dates/", "Bread for beginners"),
    ):
        response = client.get(url)
        assert response.status_code == 200, url
        assert title in response.content.decode(), url
    detail = client.get(f"/api/v2/pages/{dates_page.pk}/").json()
    assert detail["meta"]["detail_url"].endswith(f"/api/v2/pages/{dates_page.pk}/")
    assert [row["title"] for row in detail["body"][0]["value"]["zoom"]] == [
        occurrence.meeting.topic
    ]


def test_a_projects_field_may_name_our_models(client, site, host, monkeypatch):
    """``zoom_item`` of a page in ``api_fields``: Wagtail looks for an endpoint of that model."""
    item = rows.item(site, rows.occurrence(host).meeting)
    monkeypatch.setattr(EventPage, "api_fields", ["zoom_item"], raising=False)
    page = site.root_page.add_child(instance=EventPage(title="Event", slug="event", zoom_item=item))
    response = client.get(f"/api/v2/pages/{page.pk}/")
    assert response.status_code == 200
    assert response.json()["zoom_item"]["id"] == item.pk


def test_a_browser_gets_json_where_rest_framework_is_not_installed(client, host, monkeypatch):
    """Its HTML pages need its templates."""
    monkeypatch.delitem(apps.app_configs, "rest_framework")
    rows.occurrence(host, topic="Bread for beginners")
    response = client.get("/api/v2/zoom_dates/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.json()["items"][0]["title"] == "Bread for beginners"


@pytest.fixture
def other_site(site):
    root = site.root_page.add_sibling(instance=ZoomPage(title="Other", slug="other-root"))
    return Site.objects.create(hostname="www.other.example", root_page=root)


def test_site_names_the_site_as_in_wagtails_own_endpoints(client, site, host, other_site):
    other = rows.host(rows.account(), "h2")
    rows.site_settings(other_site, other.account, other, user="h2")
    rows.occurrence(host, topic="Ours")
    rows.occurrence(other, topic="Theirs")
    rows.item(other_site, rows.recording(other, topic="Their film"))

    def titles(url):
        response = client.get(url)
        assert response.status_code == 200, response.content
        return [row["title"] for row in response.json()["items"]]

    assert titles("/api/v2/zoom_dates/") == ["Ours"]
    assert titles("/api/v2/zoom_dates/?site=www.other.example") == ["Theirs"]
    assert titles("/api/v2/zoom_dates/?site=www.other.example:80") == ["Theirs"]
    assert titles("/api/v2/zoom_recordings/?site=www.other.example") == ["Their film"]
    for unknown in ("www.other.example:81", "nobody.example", "www.other.example:²", "a%00b"):
        assert titles(f"/api/v2/zoom_dates/?site={unknown}") == [], unknown
    page = ZoomPage(title="There", slug="there", body=[("dates", {})])
    other_site.root_page.add_child(instance=page)
    detail = client.get(f"/api/v2/pages/{page.pk}/?site=www.other.example").json()
    assert [row["title"] for row in detail["body"][0]["value"]["zoom"]] == ["Theirs"]


def test_a_hostname_of_two_sites_needs_a_port(client, site, other_site):
    Site.objects.create(hostname="www.other.example", port=8080, root_page=other_site.root_page)
    response = client.get("/api/v2/zoom_dates/?site=www.other.example")
    assert response.status_code == 400 and "port" in response.json()["message"]
    assert client.get("/api/v2/zoom_dates/?site=www.other.example:8080").status_code == 200


def test_site_opens_no_private_site(client, host, other_site):
    """The root page of the named Site decides, not that of the hostname."""
    other_site.root_page.view_restrictions.create(restriction_type="login")
    other = rows.host(rows.account(), "h2")
    rows.site_settings(other_site, other.account, other, user="h2")
    rows.occurrence(other, topic="Theirs")
    response = client.get("/api/v2/zoom_dates/?site=www.other.example")
    assert response.status_code in (401, 403) and b"Theirs" not in response.content
