"""Transcripts: read where a Site shows them, sanitised, deleted when unused."""

import pytest
from django.utils import timezone

from wagtail_zoom.models import Recording, Transcript, WebhookEvent
from wagtail_zoom.sync import inbox, settings_changes, vtt

pytestmark = pytest.mark.django_db

SPOKEN_LINES = [
    "Ines Novak: Good evening.",
    "Ines Novak: Join at https://zoom.us/j/555 if you are lost.",
    "Tom Rivera: Thank you, <b>Ines</b>.",
]


@pytest.fixture
def with_texts(connect, zoom_app, zoom_worker, admin_user):
    """A Site that shows the transcripts of one host, after an import."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.create_recording(host, topic="Spoken", transcript_lines=SPOKEN_LINES)
    site_settings = connect("aurora-0", hosts=[host], kinds=("recordings",))
    assert not Transcript.objects.exists()
    return set_transcripts(site_settings, admin_user, zoom_worker, True)


def set_transcripts(site_settings, user, worker, show):
    """Change the setting as the owner does in the panel."""
    before = settings_changes.SettingsSnapshot.of(site_settings)
    site_settings.show_transcripts = show
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, user, before)
    worker.run()
    return site_settings


def test_transcripts_are_read_when_shown_and_deleted_when_not(
    with_texts, zoom_worker, admin_user, zoom_app
):
    row = Transcript.objects.get(recording__topic="Spoken")
    assert row.text.startswith("Good evening. Join at")
    assert "Ines Novak" not in row.text and "Rivera" not in row.text
    set_transcripts(with_texts, admin_user, zoom_worker, False)
    assert not Transcript.objects.exists()


def test_an_event_imports_a_transcript_that_is_ready_later(with_texts, zoom_app, zoom_worker):
    host = zoom_app.state()["users"][0]["id"]
    recording = zoom_app.create_recording(
        host, topic="Later", transcript="later", transcript_lines=SPOKEN_LINES
    )
    process_event(with_texts, "completed", recording)
    zoom_worker.run()
    assert Recording.objects.get(topic="Later").is_ready
    assert not Transcript.objects.filter(recording__topic="Later").exclude(text="").exists()
    zoom_app.change_recording(recording["id"], transcript=True)
    process_event(with_texts, "transcript_completed", recording)
    zoom_worker.run()
    assert "Good evening" in Transcript.objects.get(recording__topic="Later").text


def test_a_deleted_recording_loses_its_transcript(with_texts, zoom_app, zoom_worker):
    recording = next(row for row in zoom_app.recordings() if row["topic"] == "Spoken")
    zoom_app.delete_recordings(recording["id"], permanent=True)
    process_event(with_texts, "deleted", recording)
    zoom_worker.run()
    assert Recording.objects.get(topic="Spoken").removed_at
    assert not Transcript.objects.filter(recording__topic="Spoken").exists()


def process_event(site_settings, action, recording):
    item = {"uuid": recording["id"], "host_id": recording["host_id"], "topic": recording["topic"]}
    WebhookEvent.objects.create(
        content_key=f"{action}{recording['id']}",
        account_zoom_id=site_settings.account.zoom_id,
        event=f"recording.{action}",
        event_ts=int(timezone.now().timestamp() * 1000),
        lock_key=f"{site_settings.account.zoom_id}:recording:{recording['id']}",
        payload={"account_id": site_settings.account.zoom_id, "object": item},
    )
    inbox.process_due_events(timezone.now())


VTT = "WEBVTT\n\n{}"


def webvtt(*texts):
    return VTT.format(
        "\n\n".join(f"{n}\n00:00:0{n}.000 --> 00:00:0{n}.900\n{t}" for n, t in enumerate(texts))
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (webvtt("A B: One.", "A B: Two.", "C: Three."), "One. Two.\n\nThree."),
        (webvtt("One: two.", "No name here.", "Nor here."), "One: two. No name here. Nor here."),
        (webvtt("<v Ann>Hello</v>", "<v.loud Bob>Hi</v>"), "Hello\n\nHi"),
        (webvtt("A: &lt;script&gt; \x00\x1b."), "‹script› \ufffd ."),
        (VTT.format("NOTE A: 00:00:01.000 --> 00:00:02.000\nsecret"), ""),
        ("\ufeff" + webvtt("A: Yes.").replace("\n", "\r\n"), "Yes."),
        ("<html>WEBVTT", ""),
        ("", ""),
    ],
)
def test_webvtt_becomes_plain_text(content, text):
    assert vtt.to_text(content) == text


def test_a_long_transcript_is_cut():
    text = vtt.to_text(webvtt(*["A: " + "word " * 300 + "."] * 9) * 1)
    assert text.count("\n\n") >= 4
    long_file = VTT.format("\n\n".join(["00:00:01.000 --> 00:00:02.000\nA: " + "x" * 1900] * 500))
    assert len(vtt.to_text(long_file)) <= vtt.MAX_LENGTH + 2
