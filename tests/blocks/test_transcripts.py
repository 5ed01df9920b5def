"""Transcripts on pages: only if the owner enables them, with the visibility of the recording."""

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
JOIN_URL = "https://zoom.us/j/123?pwd=canary"


@pytest.fixture
def recording(site, host):
    """A published recording with a transcript that is longer than the excerpt in a list."""
    row = rows.recording(host, topic="The harbour", share_url="https://zoom.us/rec/share/x")
    text = f"Good <i>evening</i>. Come to {JOIN_URL}\n\n" + "tide " * 200 + "lighthouse"
    Transcript.objects.create(recording=row, text=text)
    row.item = rows.item(site, row)
    return row


@pytest.fixture
def exposed(site, host):
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)


def transcript_url(recording, page=None):
    return links.transcript_url(recording.item, page.pk if page else None)


def test_no_transcript_before_the_owner_enables_them(client, render_block, recording):
    assert "wz-more" not in render_block(blocks.RecordingListBlock())
    assert client.get(transcript_url(recording)).status_code == 404


def test_a_list_shows_an_excerpt_and_links_to_the_transcript(
    client, render_block, recording, exposed, site
):
    html = render_block(blocks.RecordingListBlock())
    url = transcript_url(recording, site.root_page)
    assert '<details class="wz-more"><summary>Read the transcript' in html
    assert "tide tide" in html and "lighthouse" not in html and url in html
    page = client.get(url)
    text = unescape(page.content.decode())
    assert "lighthouse" in text and "Watch the recording" in text
    assert page["Cache-Control"] == "no-store, private" and "Set-Cookie" not in page
    for shown in (html, text):
        assert "canary" not in shown and "<i>" not in shown


def test_an_editor_can_hide_transcripts(
    render_block, recording, exposed, django_assert_num_queries
):
    assert "wz-more" not in render_block(blocks.RecordingListBlock(), show=["length"])


def test_a_transcript_is_visible_only_with_its_recording(client, site, recording, exposed):
    for values in ({"visibility": "hidden"}, {"visibility": "auto"}):
        type(recording.item).objects.filter(pk=recording.item.pk).update(**values)
        assert client.get(transcript_url(recording)).status_code == 404


@pytest.mark.parametrize("token", ["x", "A" * 32])
def test_invalid_tokens_return_404(client, site, recording, exposed, token):
    assert client.get(reverse("wagtail_zoom:transcript", args=[token])).status_code == 404


def test_transcripts_are_searched_only_where_they_are_shown(render_block, recording, site, rf):
    block, value = blocks.RecordingListBlock(), {"search": True}
    request = rf.get("/", {"wz-1-q": "lighthouse"})
    assert "Nothing found" in render_block(block, request=request, **value)
    ZoomSettings.objects.filter(site=site).update(show_transcripts=True)
    second_request = rf.get("/", {"wz-1-q": "lighthouse"})
    assert "The harbour" in render_block(block, request=second_request, **value)


def test_a_past_meeting_links_to_the_transcript(render_block, site, host, recording, exposed):
    occurrence = rows.occurrence(
        host, topic="The harbour", start=timezone.now() - timedelta(days=2)
    )
    recording.occurrence, recording.meeting = occurrence, occurrence.meeting
    recording.save()
    item = rows.item(site, occurrence.meeting)
    html = render_block(blocks.MeetingBlock(), item=item.pk)
    assert "Read what was said" in html and transcript_url(recording, site.root_page) in html


def test_headless(recording, exposed, site, rf):
    block = blocks.RecordingListBlock()
    representation = block.get_api_representation(block.to_python({}), {"request": rf.get("/")})
    assert representation["zoom"][0]["transcript"].endswith(transcript_url(recording))
