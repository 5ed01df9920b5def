"""The endpoints for headless sites, and the mixins for page types."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import RequestFactory, override_settings
from django.urls import include, path
from django.utils import timezone
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.models import Site

from tests import urls as project
from tests.blocks import rows
from tests.query_parameters import parameters_of_queries
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom.api.v2 import (
    ZoomDatesAPIViewSet,
    ZoomRecordingsAPIViewSet,
    ZoomSummariesAPIViewSet,
)
from wagtail_zoom.blocks import (
    CalendarBlock,
    MeetingListBlock,
    NextMeetingBlock,
    RecordingListBlock,
)
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Transcript, ZoomSettings
from wagtail_zoom.testing import factories

pytestmark = pytest.mark.django_db

router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)
router.register_endpoint("zoom_recordings", ZoomRecordingsAPIViewSet)
router.register_endpoint("zoom_summaries", ZoomSummariesAPIViewSet)
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
    assert recordings["items"][0]["url"].startswith("https://localhost/zoom/watch/")
    Site.objects.create(hostname="other.example", root_page=site.root_page)
    other = client.get("/api/zoom_dates/", headers={"host": "other.example"}).json()
    assert other == {"meta": {"total_count": 0}, "items": []}


def urls_in(value, name=""):
    """Every string of the data that is a URL or a path."""
    if isinstance(value, dict):
        return [url for key, item in value.items() for url in urls_in(item, key)]
    if isinstance(value, list):
        return [url for item in value for url in urls_in(item)]
    is_url = isinstance(value, str) and (value.startswith("/") or "://" in value)
    return [value] if is_url and name != "summary" else []


@override_settings(ROOT_URLCONF="tests.api.test_v2")
@pytest.mark.parametrize("base_url", ["", "https://www.aurora.example"])
def test_ids_and_absolute_urls(client, site, host, base_url):
    """For a front end on another hostname: in both endpoints and in blocks."""
    ZoomSettings.objects.update(base_url=base_url, show_transcripts=True)
    origin = base_url or "https://localhost"
    ended = rows.occurrence(host, start=timezone.now() - timedelta(days=1), state="over")
    coming = rows.occurrence(host, topic="Next")
    recording = rows.recording(host, occurrence=ended, share_url="https://zoom.us/rec/share/x")
    item = rows.item(site, recording)
    Transcript.objects.create(recording=recording, text="Hello")
    site.root_page.add_child(
        instance=EventPage(title="E", slug="e", zoom_item=rows.item(site, coming.meeting))
    )
    dates = client.get("/api/zoom_dates/").json()["items"]
    past = client.get("/api/zoom_dates/?period=past").json()["items"]
    recordings = client.get("/api/zoom_recordings/").json()["items"]
    assert [row["id"] for row in (*dates, *past)] == [str(coming.public_id), str(ended.public_id)]
    assert [row["id"] for row in recordings] == [str(item.public_id)]
    data = {"dates": dates, "past": past, "recordings": recordings}
    for block in (MeetingListBlock(), CalendarBlock(), RecordingListBlock(), NextMeetingBlock()):
        request = RequestFactory().get("/")
        value = block.to_python({})
        data[block.name or type(block).__name__] = block.get_api_representation(
            value, {"request": request}
        )
    urls = urls_in(data)
    assert len(urls) >= 12 and {f"{origin}/e/"} < set(urls)
    assert [url for url in urls if not url.startswith(f"{origin}/")] == []
    paths = {url.removeprefix(origin) for url in urls}
    for relative in paths:
        assert client.get(relative).status_code in (200, 302), relative
    assert f"{origin}{links.calendar_url(site.pk, coming)}" in urls


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


@pytest.mark.parametrize("value", ["\0", "a\0b"])
@pytest.mark.parametrize("name", ["host", "tag", "search"])
@pytest.mark.parametrize(
    "url", ["/zoom/calendar/all.ics", "/api/zoom_dates/", "/api/zoom_recordings/"]
)
@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_no_nul_from_a_url_reaches_a_query(client, site, host, url, name, value):
    """PostgreSQL refuses it with an error."""
    rows.occurrence(host, topic="The date")
    with parameters_of_queries() as parameters:
        response = client.get(url, {name: value})
    assert response.status_code == 200
    assert parameters and not [text for text in parameters if "\0" in text]
    if url != "/zoom/calendar/all.ics" and name != "search":
        assert response.json()["items"] == []


def test_a_page_with_its_meeting(client, site, host):
    occurrence = rows.occurrence(host, topic="The meeting")
    page = EventPage(title="Event", slug="event", zoom_item=rows.item(site, occurrence.meeting))
    site.root_page.add_child(instance=page)
    assert "The meeting" in client.get("/event/").content.decode()
    EventPage.objects.update(zoom_item=None)
    assert "wz-meeting" not in client.get("/event/").content.decode()


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


def _shape(value: object) -> object:
    """Keys and types of JSON; of a list its first entry's."""
    if isinstance(value, dict):
        return {key: _shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_shape(entry) for entry in value[:1]]
    return type(value).__name__


@override_settings(ROOT_URLCONF="tests.api.test_v2")
def test_the_answers_in_the_documentation_have_the_real_shape(client, site, host):
    text = (Path(__file__).resolve().parents[2] / "docs/reference/api.md").read_text()
    samples = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    dates, recordings, summaries, error = [json.loads(sample) for sample in samples]
    rows.occurrence(
        host,
        topic="Bread for beginners",
        approval_type=0,
    )
    rows.item(site, rows.recording(host, topic="Sourdough, an introduction"))
    type(host.exposed_on.get().settings).objects.update(show_summaries=True)
    item = factories.make_item(site, factories.make_summary(host), visibility="published")
    factories.make_review(item)
    samples_by_name = {
        "zoom_dates": dates, "zoom_recordings": recordings, "zoom_summaries": summaries,
    }  # fmt: skip
    for name, sample in samples_by_name.items():
        answer = client.get(f"/api/{name}/").json()
        assert _shape(answer) == _shape(sample)
    assert client.get("/api/zoom_dates/?limit=99").json() == error
