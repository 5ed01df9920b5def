"""Transcripts on pages: only where the owner shows them, through the same gate as the recording."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.blocks import rows
from wagtail_zoom import blocks
from wagtail_zoom.frontend import links
from wagtail_zoom.models import Transcript, ZoomSettings

pytestmark = pytest.mark.django_db
SECRET = "https://zoom.us/j/123?pwd=canary"


@pytest.fixture
def film(site, host):
    """A published recording with a text that is longer than a list shows."""
    made = rows.recording(host, topic="The harbour", share_url="https://zoom.us/rec/share/x")
    text = f"Good <i>evening</i>. Come to {SECRET}\n\n" + "tide " * 200 + "lighthouse"
    Transcript.objects.create(recording=made, text=text)
    made.item = rows.item(site, made)
    return made


@pytest.fixture
def exposed(site, host):
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)


def address(film):
    return links.transcript(film.item)


def test_nothing_before_the_owner_has_chosen(client, draw, film):
    assert "wz-more" not in draw(blocks.RecordingListBlock())
    assert client.get(address(film)).status_code == 404


def test_a_list_shows_the_beginning_and_leads_to_all_of_it(client, draw, film, exposed):
    html = draw(blocks.RecordingListBlock())
    assert '<details class="wz-more"><summary>Read the transcript' in html
    assert "tide tide" in html and "lighthouse" not in html and address(film) in html
    page = client.get(address(film))
    text = unescape(page.content.decode())
    assert "lighthouse" in text and "Watch the recording" in text
    assert page["Cache-Control"] == "no-store, private" and "Set-Cookie" not in page
    for shown in (html, text):
        assert "canary" not in shown and "<i>" not in shown


def test_an_editor_may_leave_it_out(draw, film, exposed, django_assert_num_queries):
    assert "wz-more" not in draw(blocks.RecordingListBlock(), show=["length"])


def test_it_follows_the_recording(client, site, film, exposed):
    for values in ({"visibility": "hidden"}, {"visibility": "auto"}):
        type(film.item).objects.filter(pk=film.item.pk).update(**values)
        assert client.get(address(film)).status_code == 404


@pytest.mark.parametrize("token", ["x", "A" * 32])
def test_nonsense_is_not_found(client, site, film, exposed, token):
    assert client.get(reverse("wagtail_zoom:transcript", args=[token])).status_code == 404


def test_what_was_said_is_searched_only_where_it_is_shown(draw, film, site, rf):
    block, value = blocks.RecordingListBlock(), {"search": True}
    ask = rf.get("/", {"wz-1-q": "lighthouse"})
    assert "Nothing found" in draw(block, request=ask, **value)
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)
    again = rf.get("/", {"wz-1-q": "lighthouse"})
    assert "The harbour" in draw(block, request=again, **value)


def test_over_leads_to_the_text_too(draw, site, host, film, exposed):

    date = rows.date(host, topic="The harbour", start=timezone.now() - timedelta(days=2))
    film.occurrence, film.meeting = date, date.meeting
    film.save()
    item = rows.item(site, date.meeting)
    html = draw(blocks.MeetingBlock(), item=item.pk)
    assert "Read what was said" in html and address(film) in html


def test_headless(film, exposed, site, rf):
    block = blocks.RecordingListBlock()
    answer = block.get_api_representation(block.to_python({}), {"request": rf.get("/")})
    assert answer["zoom"][0]["transcript"] == address(film)
