"""What a project's search page finds: through the gate, and no text that is cut out elsewhere."""

import pytest

from tests.blocks import rows
from wagtail_zoom.frontend.search import search
from wagtail_zoom.models import Kind, Transcript, ZoomSettings

pytestmark = pytest.mark.django_db


def titles(found):
    return [hit.title for hit in found]


def test_dates_and_recordings_of_the_site(site, host, rf, django_assert_max_num_queries):
    date = rows.date(host, topic="Heat pumps", agenda="Bring your questions about old houses.")
    rows.item(site, rows.recording(host, topic="Heat pumps, part one"))
    rows.date(host, topic="Bread")
    with django_assert_max_num_queries(12):
        found = search(rf.get("/"), "  HEAT \0 pumps ")
    assert [hit.kind for hit in found] == [Kind.MEETING, Kind.RECORDING]
    assert found[0].url.startswith("/zoom/calendar/") and found[1].url.startswith("/zoom/watch/")
    assert titles(search(site, "houses")) == ["Heat pumps"]
    assert search(site, "heat bread") == [] and search(site, "") == []
    rows.item(site, date.meeting, "hidden")
    assert titles(search(site, "heat")) == ["Heat pumps, part one"]


def test_the_owners_words_instead_of_zooms(site, host):
    date = rows.date(host, topic="Internal: budget", agenda="Who gets how much")
    rows.item(site, date.meeting, title="Open evening", summary="Everybody is welcome")
    assert search(site, "budget") == [] and search(site, "much") == []
    assert titles(search(site, "welcome evening")) == ["Open evening"]


@pytest.mark.parametrize("word", ["canary", "zoom.us/j/7", "s3cret", "pwd"])
def test_shows_6_nobody_guesses_a_link_or_passcode_by_searching(site, host, word):
    """A hit or none would tell, letter by letter."""
    link = "https://zoom.us/j/7?pwd=canary"
    rows.date(host, topic=f"One {link}", agenda="x")
    rows.date(host, topic="Two", agenda=f"Join us at {link}")
    rows.date(host, topic="Three", agenda="Welcome\nPasscode: s3cret")
    rows.item(site, rows.date(host, topic="Four").meeting, summary=f"See {link}")
    rows.item(site, rows.recording(host, topic=f"Five {link}"))
    assert search(site, word) == []


def test_transcripts_only_where_they_are_shown(site, host):
    film = rows.recording(host, topic="Harbour")
    rows.item(site, film)
    Transcript.objects.create(recording=film, text="The lighthouse, of course.")
    assert search(site, "lighthouse") == []
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)
    assert titles(search(site, "lighthouse")) == ["Harbour"]
    assert search(site, "li") == []


def test_nothing_without_a_choice_and_for_another_site(site, host):
    rows.date(host, topic="Heat")
    ZoomSettings.objects.filter(site=site).update(configured_at=None)
    assert search(site, "heat") == []
