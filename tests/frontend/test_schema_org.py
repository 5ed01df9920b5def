"""Structured data, against what Google requires and recommends (``tests/contract``)."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import DatesPage, EventPage, ZoomPage
from wagtail_zoom.models import Meeting, Occurrence, Recording, ZoomSettings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEMA = json.loads(
    (Path(__file__).parents[1] / "contract" / "rich_results.schema.json").read_text()
)
RULES = jsonschema.Draft202012Validator(SCHEMA)
SCRIPT = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
ORIGIN = "https://localhost"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def site(db):
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True, show_registration=True)
    return host


@pytest.fixture
def dates_page(site):
    page = DatesPage(title="Dates", slug="dates", body=[("meetings", {"period": "range"})])
    return site.root_page.add_child(instance=page)


@pytest.fixture
def image():
    """Larger than search engines want."""
    file = get_test_image_file(size=(1600, 1200))
    return get_image_model().objects.create(title="Studio", file=file)


def graph(content):
    """All structured data of a page, checked against the rules."""
    objects = []
    for script in SCRIPT.findall(content):
        data = json.loads(script)
        errors = [f"{error.json_path}: {error.message}" for error in RULES.iter_errors(data)]
        assert errors == [], json.dumps(data, indent=1)
        objects += data["@graph"]
    return objects


def page_of(client, page, row):
    response = client.get(page.url + page.zoom_date_path(page.get_site().pk, row))
    assert response.status_code == 200
    return response.content.decode()


def event_of(client, page, row):
    return next(data for data in graph(page_of(client, page, row)) if data["@type"] == "Event")


def test_the_page_of_a_date_has_an_event(client, site, host, dates_page, image):
    row = rows.occurrence(
        host,
        topic="Bread & butter",
        agenda="<p>Bring your &quot;own&quot; flour &amp; salt.</p><p>It's easy.</p>",
    )
    rows.item(site, row.meeting, image=image)
    (event,) = graph(page_of(client, dates_page, row))
    assert event["name"] == "Bread & butter"
    assert event["description"] == 'Bring your "own" flour & salt. It\'s easy.'
    assert (
        event["startDate"] == row.start.astimezone().isoformat() or "+01:00" in event["startDate"]
    )
    assert datetime.fromisoformat(event["startDate"]) == row.start
    assert datetime.fromisoformat(event["endDate"]) == row.end
    assert event["performer"]["name"] == "Host h1" and event["organizer"]["name"] == "localhost"
    assert event["url"] == f"{ORIGIN}{dates_page.url}{dates_page.zoom_date_path(site.pk, row)}"
    rendition = image.get_rendition("fill-1280x720")
    assert (event["image"], rendition.width) == (f"{ORIGIN}{rendition.url}", 1280)


def register(**values):
    return lambda row: Meeting.objects.filter(pk=row.meeting_id).update(
        **{"approval_type": 0, **values}
    )


STATES = {
    "open to everybody": (None, ("InStock", 0)),
    "registration": (register(), ("InStock", None)),
    "approval": (register(approval_type=1), ("InStock", None)),
    "full": (register(capacity=5, registrant_count=5), ("SoldOut", None)),
    "refused as full": (
        register(registration_block="full", registration_block_at=NOW), ("SoldOut", None),
    ),
    "closed": (
        lambda row: (
            register(close_registration=True)(row),
            Occurrence.objects.update(start=NOW - HOUR / 2, end=NOW + HOUR / 2),
        ),
        None,
    ),
    "paused by Zoom": (
        register(registration_block="refused", registration_block_at=NOW), None,
    ),
    "Zoom Events": (register(is_events_webinar=True), None),
    "registration is not offered here": (
        lambda row: (register()(row), ZoomSettings.objects.update(show_registration=False)), None,
    ),
    "the organiser gives out the link": (
        lambda row: ZoomSettings.objects.update(join_policy="never"), None,
    ),
    "no link": (lambda row: Meeting.objects.update(has_join_link=False), None),
    "cancelled": (lambda row: Occurrence.objects.update(state="cancelled"), None),
    "over": (
        lambda row: Occurrence.objects.update(start=NOW - 2 * DAY, end=NOW - 2 * DAY + HOUR), None,
    ),
    "live": (
        lambda row: Occurrence.objects.update(start=NOW - HOUR / 2, state="live"), ("InStock", 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_what_visitors_can_do_is_in_the_data(client, site, host, dates_page, state):
    change, expected = STATES[state]
    row = rows.occurrence(host)
    if change:
        change(row)
    data = event_of(client, dates_page, row).get("offers")
    if expected is None:
        assert data is None
        return
    availability, price = expected
    assert data["availability"] == f"https://schema.org/{availability}"
    assert data.get("price") == price
    assert client.get(data["url"].removeprefix(ORIGIN)).status_code == 200


def test_moved_and_cancelled(client, site, host, dates_page):
    row = rows.occurrence(host, state="moved")
    assert event_of(client, dates_page, row)["eventStatus"].endswith("EventScheduled")
    Occurrence.objects.update(previous_start=row.start - DAY)
    event = event_of(client, dates_page, row)
    assert event["eventStatus"].endswith("EventRescheduled")
    assert datetime.fromisoformat(event["previousStartDate"]) == row.start - DAY
    Occurrence.objects.update(state="cancelled")
    event = event_of(client, dates_page, row)
    assert event["eventStatus"].endswith("EventCancelled") and "previousStartDate" not in event


def test_without_an_end_or_a_topic(client, site, host, dates_page):
    row = rows.occurrence(host, topic="")
    Occurrence.objects.update(has_end=False)
    event = event_of(client, dates_page, row)
    assert "endDate" not in event and event["name"] == "Zoom meeting"


def test_what_is_over_has_its_recording(client, site, host, dates_page):
    """Also in the block of the meeting."""
    row = rows.occurrence(host, start=NOW - 5 * DAY, state="over")
    recording = rows.recording(host, occurrence=row, topic="Film", start=row.start, duration=68)
    rows.item(site, recording, expires_on=(NOW + 3 * DAY).date())
    item = rows.item(site, row.meeting)
    block_page = ZoomPage(title="One", slug="one", body=[("meeting", {"item": item})])
    site.root_page.add_child(instance=block_page)
    for content in (page_of(client, dates_page, row), client.get("/one/").content.decode()):
        event, video = graph(content)
        assert (event["@type"], video["@type"]) == ("Event", "VideoObject")
        assert video["name"] == "Film" and video["duration"] == "PT68M"
        assert video["url"].startswith(f"{ORIGIN}/zoom/watch/")
        assert datetime.fromisoformat(video["uploadDate"]) == row.start
        expires = datetime.fromisoformat(video["expires"])
        assert expires > NOW + 3 * DAY, "the last day counts"
        assert video["thumbnailUrl"] == f"{ORIGIN}/static/wagtail_zoom/cover.png"


def test_the_drawing_is_part_of_the_package(client, site, host, dates_page):
    row = rows.occurrence(host)
    event = event_of(client, dates_page, row)
    assert event["image"] == f"{ORIGIN}/static/wagtail_zoom/cover.png"
    file = Path(finders.find("wagtail_zoom/cover.png")).read_bytes()
    width, height = (int.from_bytes(file[place : place + 4], "big") for place in (16, 20))
    assert file.startswith(b"\x89PNG") and (width, height) == (1280, 720)


@pytest.mark.parametrize("static_url", ["https://cdn.example/s/", "//cdn.example/s/"])
def test_files_may_be_on_another_server(client, site, host, dates_page, settings, static_url):
    settings.STATIC_URL = static_url
    row = rows.occurrence(host)
    event = event_of(client, dates_page, row)
    assert event["image"] == "https://cdn.example/s/wagtail_zoom/cover.png"


def test_an_image_without_its_file_is_no_error(client, site, host, dates_page, image):
    row = rows.occurrence(host)
    recording = rows.recording(host, occurrence=row)
    rows.item(site, row.meeting, image=image)
    rows.item(site, recording, image=image)
    image.file.storage.delete(image.file.name)
    assert event_of(client, dates_page, row)["image"].endswith("/wagtail_zoom/cover.png")


def test_lists_name_the_page_of_each_date(client, site, host, dates_page, image):
    for number in range(3):
        row = rows.occurrence(host, topic=f"Date {number}", start=NOW + (number + 1) * DAY)
        rows.item(site, row.meeting, image=image if number else None)
    events = graph(client.get("/dates/").content.decode())
    assert [event["name"] for event in events] == ["Date 0", "Date 1", "Date 2"]
    assert len({event["url"] for event in events}) == 3
    recordings_page = ZoomPage(title="Films", slug="films", body=[("recordings", {}), ("next", {})])
    site.root_page.add_child(instance=recordings_page)
    for number in range(2):
        rows.item(site, rows.recording(host, topic=f"Film {number}"))
    objects = graph(client.get("/films/").content.decode())
    assert [data["@type"] for data in objects] == ["VideoObject", "VideoObject", "Event"]


@pytest.mark.parametrize("policy", ["public", "window", "registrants"])
def test_no_secret_is_in_it(client, site, host, dates_page, policy):
    """X26."""
    ZoomSettings.objects.update(join_policy=policy)
    row = rows.occurrence(host, start=NOW + HOUR / 12, agenda="https://zoom.us/j/9?pwd=canary")
    register()(row)
    Recording.objects.all().delete()
    scripts = "".join(SCRIPT.findall(page_of(client, dates_page, row)))
    assert '"offers"' in scripts and "/zoom/join/" not in scripts
    for secret in ("hush", "canary", "zoom.example", "zoom.us"):
        assert secret not in scripts


def head(content):
    """What the head says: names and properties, and the canonical URL."""
    begin = content.partition("</head>")[0]
    pairs = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', begin)
    links = re.findall(r'<link rel="canonical" href="([^"]+)">', begin)
    return {name: html.unescape(value) for name, value in pairs}, links


def test_the_head_of_a_dates_page(client, site, host, dates_page, image):
    row = rows.occurrence(host, topic='Bread "&" butter', agenda="Bring flour & salt.\n\nAll.")
    rows.item(site, row.meeting, image=image)
    path = dates_page.url + dates_page.zoom_date_path(site.pk, row)
    response = client.get(f"{path}?utm_source=x")
    words, canonical = head(response.content.decode())
    assert canonical == [f"{ORIGIN}{path}"]
    assert response["Link"] == f'<{ORIGIN}{path}>; rel="canonical"'
    assert "X-Robots-Tag" not in response and "robots" not in words
    assert words["description"] == words["og:description"]
    assert words["description"].startswith("Wednesday 25 November 2026, 11:05")
    assert words["description"].endswith("Bring flour & salt. All.")
    assert words["og:title"] == 'Bread "&" butter' and words["og:url"] == canonical[0]
    assert words["og:site_name"] == "localhost"
    assert words["og:image"] == f"{ORIGIN}{image.get_rendition('fill-1280x720').url}"


def test_a_date_has_one_canonical_url(client, site, host, dates_page):
    """On every page that has it; the page of the meeting itself comes first."""
    below = dates_page.add_child(instance=DatesPage(title="More", slug="more"))
    row = rows.occurrence(host)
    item = rows.item(site, row.meeting)

    def canonical():
        urls = set()
        for page in (dates_page, below):
            urls.update(head(page_of(client, page, row))[1])
        (url,) = urls
        return url

    dated = f"{ORIGIN}{dates_page.url}{dates_page.zoom_date_path(site.pk, row)}"
    assert canonical() == dated
    block_page = ZoomPage(title="One", slug="one", body=[("meeting", {"item": item})])
    site.root_page.add_child(instance=block_page)
    assert canonical() == dated, "a page with a block is about more than this date"
    event_page = site.root_page.add_child(instance=EventPage(title="E", slug="e", zoom_item=item))
    assert canonical() == f"{ORIGIN}/e/"
    assert event_of(client, dates_page, row)["url"] == f"{ORIGIN}/e/"
    event_page.view_restrictions.create(restriction_type="login")
    assert canonical() == dated, "nobody is sent to a page that is more private"
    event_page.view_restrictions.all().delete()
    event_page.unpublish()
    assert canonical() == dated


def test_a_page_that_is_unpublished_is_not_canonical(client, site, host, dates_page):
    below = dates_page.add_child(instance=DatesPage(title="More", slug="more"))
    row = rows.occurrence(host)
    dates_page.live = False
    dates_page.save()
    (url,) = head(page_of(client, below, row))[1]
    assert url == f"{ORIGIN}{below.url}{below.zoom_date_path(site.pk, row)}"


def test_the_head_of_a_meetings_page(client, site, host, rf):
    """For a project that has no such tags of its own."""
    row = rows.occurrence(host, agenda="Bring flour.")
    page = EventPage(title="Baking", slug="e", zoom_item=rows.item(site, row.meeting))
    site.root_page.add_child(instance=page)

    def meta(**values):
        EventPage.objects.update(**values)
        request = rf.get("/e/?x=1")
        context = EventPage.objects.get().get_context(request)
        return head(render_to_string("wagtail_zoom/public/_meta.html", context, request))

    words, canonical = meta()
    assert canonical == [f"{ORIGIN}/e/"] and words["og:title"] == "Baking"
    assert words["description"].endswith("Bring flour.")
    words, _canonical = meta(search_description="Our evening", seo_title="Bake with us")
    assert (words["og:title"], words["description"]) == ("Bake with us", "Our evening")
    assert meta(zoom_item=None) == ({}, [])
