"""What was said in a recording: read where a Site shows it, cleaned, dropped in time."""

import pytest
from django.utils import timezone

from wagtail_zoom.models import Recording, Transcript, WebhookEvent
from wagtail_zoom.sync import inbox, settings_changes, vtt

pytestmark = pytest.mark.django_db

SAID = [
    "Ines Novak: Good evening.",
    "Ines Novak: Join at https://zoom.us/j/555 if you are lost.",
    "Tom Rivera: Thank you, <b>Ines</b>.",
]


@pytest.fixture
def with_texts(connect, zoom_app, zoom_worker, admin_user):
    """A Site that shows the transcripts of one host; what Zoom has is imported."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.create_recording(host, topic="Spoken", speech=SAID)
    choice = connect("aurora-0", hosts=[host], kinds=("recordings",))
    assert not Transcript.objects.exists()
    return tick(choice, admin_user, zoom_worker, True)


def tick(choice, user, worker, wanted):
    """As the owner does in the panel."""
    before = settings_changes.Choice.of(choice)
    choice.show_transcripts = wanted
    choice.save()
    settings_changes.apply_exposure(choice, user, before)
    worker.run()
    return choice


def test_read_only_when_chosen_and_dropped_when_no_longer(
    with_texts, zoom_worker, admin_user, zoom_app
):
    row = Transcript.objects.get(recording__topic="Spoken")
    assert row.text.startswith("Good evening. Join at")
    assert "Ines Novak" not in row.text and "Rivera" not in row.text
    tick(with_texts, admin_user, zoom_worker, False)
    assert not Transcript.objects.exists()


def test_a_message_brings_the_text_that_comes_later(with_texts, zoom_app, zoom_worker):
    host = zoom_app.state()["users"][0]["id"]
    made = zoom_app.create_recording(host, topic="Later", transcript="later", speech=SAID)
    deliver(with_texts, "completed", made)
    zoom_worker.run()
    assert Recording.objects.get(topic="Later").is_ready
    assert not Transcript.objects.filter(recording__topic="Later").exclude(text="").exists()
    zoom_app.change_recording(made["id"], transcript=True)
    deliver(with_texts, "transcript_completed", made)
    zoom_worker.run()
    assert "Good evening" in Transcript.objects.get(recording__topic="Later").text


def test_a_deleted_recording_takes_its_text_along(with_texts, zoom_app, zoom_worker):
    made = next(each for each in zoom_app.recordings() if each["topic"] == "Spoken")
    zoom_app.delete_recordings(made["id"], permanent=True)
    deliver(with_texts, "deleted", made)
    zoom_worker.run()
    assert Recording.objects.get(topic="Spoken").removed_at
    assert not Transcript.objects.filter(recording__topic="Spoken").exists()


def deliver(choice, what, made):
    thing = {"uuid": made["id"], "host_id": made["host_id"], "topic": made["topic"]}
    WebhookEvent.objects.create(
        content_key=f"{what}{made['id']}",
        account_zoom_id=choice.account.zoom_id,
        event=f"recording.{what}",
        event_ts=int(timezone.now().timestamp() * 1000),
        lane=f"{choice.account.zoom_id}:recording:{made['id']}",
        payload={"account_id": choice.account.zoom_id, "object": thing},
    )
    inbox.work_off(timezone.now())


VTT = "WEBVTT\n\n{}"


def cues(*texts):
    return VTT.format(
        "\n\n".join(f"{n}\n00:00:0{n}.000 --> 00:00:0{n}.900\n{t}" for n, t in enumerate(texts))
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (cues("A B: One.", "A B: Two.", "C: Three."), "One. Two.\n\nThree."),
        (cues("One: two.", "No name here.", "Nor here."), "One: two. No name here. Nor here."),
        (cues("<v Ann>Hello</v>", "<v.loud Bob>Hi</v>"), "Hello\n\nHi"),
        (cues("A: &lt;script&gt; \x00\x1b."), "<script> \ufffd ."),
        (VTT.format("NOTE A: 00:00:01.000 --> 00:00:02.000\nsecret"), ""),
        ("\ufeff" + cues("A: Yes.").replace("\n", "\r\n"), "Yes."),
        ("<html>WEBVTT", ""),
        ("", ""),
    ],
)
def test_speech(content, text):
    assert vtt.plain(content) == text


def test_a_long_speech_is_bounded():
    found = vtt.plain(cues(*["A: " + "word " * 300 + "."] * 9) * 1)
    assert found.count("\n\n") >= 4
    endless = VTT.format("\n\n".join(["00:00:01.000 --> 00:00:02.000\nA: " + "x" * 1900] * 500))
    assert len(vtt.plain(endless)) <= vtt.MOST_LETTERS + 2
