"""The endpoints for headless sites, and the mixins for page types."""

import pytest
from django.test import override_settings
from django.urls import include, path
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.models import Site

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom.api.v2 import ZoomDatesAPIViewSet, ZoomRecordingsAPIViewSet
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db

router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)
router.register_endpoint("zoom_recordings", ZoomRecordingsAPIViewSet)
urlpatterns = [path("api/", include((router.get_urlpatterns(), "api"))), *project.urlpatterns]


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True)
    return host


@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_dates_and_recordings_of_the_requested_site(client, site, host):
    """X26: no Zoom link in any response."""
    rows.occurrence(host, topic="Date")
    rows.occurrence(host, topic="Webinar", kind="webinar")
    rows.item(site, rows.recording(host, topic="Film"))
    response = client.get("/api/zoom_dates/?limit=1").json()
    assert response["meta"]["total_count"] == 2 and len(response["items"]) == 1
    response = client.get("/api/zoom_dates/?kind=webinar")
    assert [entry["title"] for entry in response.json()["items"]] == ["Webinar"]
    assert b"hush" not in response.content and b"zoom.example" not in response.content
    recordings = client.get("/api/zoom_recordings/?search=film").json()
    assert recordings["items"][0]["url"].startswith("/zoom/watch/")
    Site.objects.create(hostname="other.example", root_page=site.root_page)
    other = client.get("/api/zoom_dates/", headers={"host": "other.example"}).json()
    assert other == {"meta": {"total_count": 0}, "items": []}


@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_hidden_host_names_cannot_be_guessed(client, site, host):
    """Otherwise letter by letter, by filtering by host."""
    rows.occurrence(host)
    rows.item(site, rows.recording(host))

    def counts(name):
        results = [
            client.get(f"/api/zoom_{kind}/", {"host": name}).json()["meta"]["total_count"]
            for kind in ("dates", "recordings")
        ]
        feed = client.get("/zoom/calendar/all.ics", {"host": name})
        return [*results, feed.content.count(b"BEGIN:VEVENT")]

    assert counts("Host") == [1, 1, 1] and counts("Hoster") == [0, 0, 0]
    ZoomSettings.objects.update(show_host_names=False)
    assert counts("Host") == counts("Hoster") == [0, 0, 0]
    assert counts("") == [1, 1, 1]


@override_settings(ROOT_URLCONF="tests.api.test_v2")
@pytest.mark.parametrize("query", ["limit=51", "limit=x", "kind=film", "period=all", "a=b"])
def test_invalid_parameters_are_rejected(client, query):
    assert client.get(f"/api/zoom_dates/?{query}").status_code == 400


@pytest.fixture
def public(settings):
    """Pages without login, as in most projects."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "LoginRequired" not in name]


@pytest.mark.usefixtures("public")
def test_a_page_with_its_meeting(client, site, host):
    occurrence = rows.occurrence(host, topic="The meeting")
    page = EventPage(title="Event", slug="event", zoom_item=rows.item(site, occurrence.meeting))
    site.root_page.add_child(instance=page)
    assert "The meeting" in client.get("/event/").content.decode()
    EventPage.objects.update(zoom_item=None)
    assert "wz-meeting" not in client.get("/event/").content.decode()


@pytest.mark.usefixtures("public")
def test_occurrences_with_their_own_urls(client, site, host):
    rows.occurrence(host, topic="The date")
    page = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
    site.root_page.add_child(instance=page)
    html = client.get("/dates/").content.decode()
    url = html.split('class="wz-title"><a href="')[1].split('"')[0]
    assert url.startswith("/dates/date/")
    detail = client.get(url)
    assert detail.status_code == 200 and "The date" in detail.content.decode()
    assert client.get("/dates/date/nothing/").status_code == 404
