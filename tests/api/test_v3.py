"""Wagtail's API v3, where it is installed: our endpoints, and our blocks in Wagtail's own."""

import pytest
from django.test import override_settings
from django.urls import path
from wagtail.models import Site

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Occurrence, Transcript

v3 = pytest.importorskip("wagtail.api.v3.api", reason="Wagtail 8 and later")
from wagtail_zoom.api.v3 import router  # noqa: E402

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("urls")]
v3.api.add_router("/zoom/", router)
urlpatterns = [path("api/v3/", v3.api.urls), *project.urlpatterns]


@pytest.fixture
def urls():
    with override_settings(ROOT_URLCONF="tests.api.test_v3"):
        yield


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True, show_transcripts=True)
    return host


def test_dates_of_the_requested_site(client, site, host):
    """X26: no Zoom link in any response."""
    rows.occurrence(host, topic="Date", approval_type=0, capacity=5, registrant_count=2)
    rows.occurrence(host, topic="Webinar", kind="webinar")
    response = client.get("/api/v3/zoom/dates/?limit=1").json()
    assert response["count"] == 2 and len(response["items"]) == 1
    response = client.get("/api/v3/zoom/dates/?kind=webinar")
    assert [entry["title"] for entry in response.json()["items"]] == ["Webinar"]
    assert b"hush" not in response.content and b"zoom.example" not in response.content
    Site.objects.create(hostname="other.example", root_page=site.root_page)
    other = client.get("/api/v3/zoom/dates/", headers={"host": "other.example"}).json()
    assert other == {"count": 0, "items": []}


def test_a_date_without_an_end_has_an_id_and_absolute_urls(client, site, host):
    row = rows.occurrence(host)
    Occurrence.objects.update(has_end=False)
    recording = rows.item(site, rows.recording(host))
    (date,) = client.get("/api/v3/zoom/dates/").json()["items"]
    assert (date["id"], date["end"]) == (str(row.public_id), None)
    assert date["calendar"] == f"https://localhost{links.calendar_url(site.pk, row)}"
    (other,) = client.get("/api/v3/zoom/recordings/").json()["items"]
    assert other["id"] == str(recording.public_id)
    schema = client.get("/api/v3/openapi.json").json()["components"]["schemas"]
    assert {"id", "end"} <= set(schema["DateSchema"]["required"])


def test_site_names_the_site_as_in_wagtails_own_endpoints(client, site, host):
    rows.occurrence(host, topic="Date")
    Site.objects.create(hostname="other.example", root_page=site.root_page)
    urls = [f"/api/v3/zoom/dates/?site={name}" for name in ("localhost", "other.example", "x")]
    assert [client.get(url).json()["count"] for url in urls] == [1, 0, 0]
    Site.objects.create(hostname="other.example", port=8080, root_page=site.root_page)
    assert client.get("/api/v3/zoom/dates/?site=other.example").status_code == 400


def test_recordings_with_their_transcripts(client, site, host):
    recording = rows.recording(host, topic="Film")
    rows.item(site, recording)
    Transcript.objects.create(recording=recording, text="What the lighthouse says.")
    items = client.get("/api/v3/zoom/recordings/?search=lighthouse").json()["items"]
    assert items[0]["url"].startswith("https://localhost/zoom/watch/")
    assert items[0]["transcript"].startswith("https://localhost/zoom/transcript/")


@pytest.mark.parametrize("query", ["limit=51", "limit=x", "kind=film", "period=all", "offset=-1"])
def test_invalid_parameters_are_rejected(client, query):
    assert client.get(f"/api/v3/zoom/dates/?{query}").status_code == 422


def test_the_openapi_schema_contains_our_responses(client):
    schema = client.get("/api/v3/openapi.json").json()
    assert {"DateSchema", "RecordingSchema"} <= schema["components"]["schemas"].keys()


def test_a_pages_blocks_apply_the_visibility_rules(client, site, host):
    """Our blocks in Wagtail's own response for a page."""
    shown, hidden = rows.occurrence(host, topic="Shown"), rows.occurrence(host, topic="Canary")
    rows.item(site, hidden.meeting, "hidden")
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {"heading": "Soon"})])
    site.root_page.add_child(instance=page)
    response = client.get(f"/api/v3/pages/{page.pk}/")
    assert response.status_code == 200, response.content
    block = response.json()["body"][0]["value"]
    assert block["heading"] == "Soon"
    assert [entry["title"] for entry in block["zoom"]] == [shown.meeting.topic]
    assert b"Canary" not in response.content and b"hush" not in response.content
