"""Wagtail's API v3, where it is installed: our endpoints, and our blocks in Wagtail's own."""

import pytest
from django.test import override_settings
from django.urls import path
from wagtail.models import Site

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.models import Transcript

v3 = pytest.importorskip("wagtail.api.v3.api", reason="Wagtail 8 and later")
from wagtail_zoom.api.v3 import router  # noqa: E402

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("urls")]
v3.api.add_router("/zoom/", router)
urlpatterns = [path("api/v3/", v3.api.urls), *project.urlpatterns]


@pytest.fixture
def urls(settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
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


def test_dates_of_the_host_asked(client, site, host):
    """X26: no link of Zoom's in any answer."""
    rows.date(host, topic="Date", approval_type=0, capacity=5, registrant_count=2)
    rows.date(host, topic="Webinar", kind="webinar")
    answer = client.get("/api/v3/zoom/dates/?limit=1").json()
    assert answer["count"] == 2 and len(answer["items"]) == 1
    answer = client.get("/api/v3/zoom/dates/?kind=webinar")
    assert [each["title"] for each in answer.json()["items"]] == ["Webinar"]
    assert b"hush" not in answer.content and b"zoom.example" not in answer.content
    Site.objects.create(hostname="other.example", root_page=site.root_page)
    other = client.get("/api/v3/zoom/dates/", headers={"host": "other.example"}).json()
    assert other == {"count": 0, "items": []}


def test_recordings_with_their_text(client, site, host):
    recording = rows.recording(host, topic="Film")
    rows.item(site, recording)
    Transcript.objects.create(recording=recording, text="What the lighthouse says.")
    found = client.get("/api/v3/zoom/recordings/?search=lighthouse").json()["items"]
    assert found[0]["url"].startswith("/zoom/watch/")
    assert found[0]["transcript"].startswith("/zoom/transcript/")


@pytest.mark.parametrize("query", ["limit=51", "limit=x", "kind=film", "period=all", "offset=-1"])
def test_nonsense_is_refused(client, query):
    assert client.get(f"/api/v3/zoom/dates/?{query}").status_code == 422


def test_the_schema_names_our_answers(client):
    schema = client.get("/api/v3/openapi.json").json()
    assert {"DateSchema", "RecordingSchema"} <= schema["components"]["schemas"].keys()


def test_a_pages_blocks_go_through_the_gate(client, site, host):
    """The representation of our blocks in Wagtail's own answer for a page."""
    shown, hidden = rows.date(host, topic="Shown"), rows.date(host, topic="Canary")
    rows.item(site, hidden.meeting, "hidden")
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {"heading": "Soon"})])
    site.root_page.add_child(instance=page)
    answer = client.get(f"/api/v3/pages/{page.pk}/")
    assert answer.status_code == 200, answer.content
    block = answer.json()["body"][0]["value"]
    assert block["heading"] == "Soon"
    assert [each["title"] for each in block["zoom"]] == [shown.meeting.topic]
    assert b"Canary" not in answer.content and b"hush" not in answer.content
