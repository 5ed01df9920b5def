"""Search for a project's search page: visible rows only, and no text that is removed elsewhere."""

import pytest

from tests.blocks import rows
from wagtail_zoom.frontend.search import search
from wagtail_zoom.models import Kind, Transcript, ZoomSettings

pytestmark = pytest.mark.django_db


def titles_of(hits):
    return [hit.title for hit in hits]


def test_dates_and_recordings_of_the_site(site, host, rf, django_assert_max_num_queries):
    occurrence = rows.occurrence(
        host, topic="Heat pumps", agenda="Bring your questions about old houses."
    )
    rows.item(site, rows.recording(host, topic="Heat pumps, part one"))
    rows.occurrence(host, topic="Bread")
    with django_assert_max_num_queries(12):
        hits = search(rf.get("/"), "  HEAT \0 pumps ")
    assert [hit.kind for hit in hits] == [Kind.MEETING, Kind.RECORDING]
    assert hits[0].url.startswith("/zoom/calendar/") and hits[1].url.startswith("/zoom/watch/")
    assert titles_of(search(site, "houses")) == ["Heat pumps"]
    assert search(site, "heat bread") == [] and search(site, "") == []
    rows.item(site, occurrence.meeting, "hidden")
    assert titles_of(search(site, "heat")) == ["Heat pumps, part one"]


def test_own_title_and_summary_replace_those_of_zoom(site, host):
    occurrence = rows.occurrence(host, topic="Internal: budget", agenda="Who gets how much")
    rows.item(site, occurrence.meeting, title="Open evening", summary="Everybody is welcome")
    assert search(site, "budget") == [] and search(site, "much") == []
    assert titles_of(search(site, "welcome evening")) == ["Open evening"]


@pytest.mark.parametrize("word", ["canary", "zoom.us/j/7", "s3cret", "pwd"])
def test_links_and_passcodes_are_not_searchable(site, host, word):
    """Otherwise they could be guessed letter by letter, by hit or no hit."""
    link = "https://zoom.us/j/7?pwd=canary"
    rows.occurrence(host, topic=f"One {link}", agenda="x")
    rows.occurrence(host, topic="Two", agenda=f"Join us at {link}")
    rows.occurrence(host, topic="Three", agenda="Welcome\nPasscode: s3cret")
    rows.item(site, rows.occurrence(host, topic="Four").meeting, summary=f"See {link}")
    rows.item(site, rows.recording(host, topic=f"Five {link}"))
    assert search(site, word) == []


def test_transcripts_only_where_they_are_shown(site, host):
    recording = rows.recording(host, topic="Harbour")
    rows.item(site, recording)
    Transcript.objects.create(recording=recording, text="The lighthouse, of course.")
    assert search(site, "lighthouse") == []
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)
    assert titles_of(search(site, "lighthouse")) == ["Harbour"]
    assert search(site, "li") == []


def test_no_results_without_confirmed_settings(site, host):
    rows.occurrence(host, topic="Heat")
    ZoomSettings.objects.filter(site=site).update(configured_at=None)
    assert search(site, "heat") == []
