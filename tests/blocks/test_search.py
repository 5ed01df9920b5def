"""Search for a project's search page: visible rows only, and no text that is removed elsewhere."""

import pytest
from django.test import override_settings
from wagtail.models import Page, Site

from tests.blocks import rows
from wagtail_zoom.frontend.search import search
from wagtail_zoom.models import Kind, SiteItem, Transcript, ZoomSettings

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


SECRETS = [
    "Evening class (Passcode: Zx91kQ)",
    "Evening class https://zoom.us/j/7?pwd=Zx91kQ",
    "Evening class https://eur01.example/?url=https%253A%252F%252Fzoom%252Eus%252Fj%252FZx91kQ",
    "Evening class https://www.example.org/go?pwd=Zx91kQ",
]


def searched(client, kind: str, text: str) -> int:
    """How many dates or recordings a visitor finds in the API, over HTTP."""
    answer = client.get(f"/api/zoom_{kind}/", {"search": text})
    assert answer.status_code == 200
    return answer.json()["meta"]["total_count"]


@override_settings(ROOT_URLCONF="tests.api.test_v2")
@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("place", ["title", "summary", "topic"])
def test_what_is_cut_from_a_text_is_not_searched(site, host, client, place, text):
    """Otherwise it could be read letter by letter, by hit or no hit."""
    texts = {} if place == "topic" else {place: text}
    topic = text if place == "topic" else "Else"
    rows.item(site, rows.occurrence(host, topic=topic).meeting, **texts)
    rows.item(site, rows.recording(host, topic=topic), **texts)
    shown = client.get("/api/zoom_dates/").json()["items"][0]
    assert "Evening class" in shown["title"] + shown["summary"]
    for kind in ("dates", "recordings"):
        for word in ("Zx91kQ", "Zx9", "zx91", "kq", "pwd", "Zx91kQ class"):
            assert searched(client, kind, word) == 0, word
            assert titles_of(search(site, word)) == []
        assert searched(client, kind, "EVENING class") == 1
    assert len(search(site, "evening")) == 2


def test_words_for_passcodes_can_be_searched_where_nothing_is_cut(site, host):
    rows.item(site, rows.occurrence(host, topic="Password hygiene").meeting)
    rows.item(site, rows.occurrence(host, topic="x").meeting, title="Choose a passcode, à deux")
    rows.item(site, rows.recording(host, topic="Kennwort, Passwort"))
    for word in ("passw", "hygiene", "passcode", "à", "kennwort"):
        assert len(search(site, word)) == (2 if word == "passw" else 1), word


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


@pytest.mark.parametrize("of", ["another site", "an account that was left"])
def test_titles_of_other_items_for_the_same_meeting_are_not_searched(site, host, of):
    """Two Sites show one meeting; numbers repeat in other accounts. By hit or no hit, a visitor
    would otherwise read another owner's title letter by letter."""
    meeting = rows.occurrence(host, topic="Open evening").meeting
    recording = rows.recording(host, topic="Open film")
    rows.item(site, recording)
    account, on = host.account, site
    if of == "another site":
        root = site.root_page.get_parent().add_child(instance=Page(title="Other", slug="other"))
        on = Site.objects.create(hostname="other.example", root_page=root)
    else:
        account = rows.account()
    for kind, key in (("meeting", meeting.zoom_id), ("recording", recording.uuid)):
        SiteItem.objects.create(
            site=on, account=account, kind=kind, key=key, title="Secret budget",
            visibility="published",
        )  # fmt: skip
    assert search(site, "budget") == []
    assert len(search(site, "open")) == 2
