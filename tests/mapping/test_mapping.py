"""Payload → fields: which keys are stored, and which are not."""

import json
from datetime import UTC, datetime

import pytest

from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.mapping.parsing import InvalidItem
from wagtail_zoom.mapping.recordings import map_recording
from wagtail_zoom.mapping.users import map_user
from wagtail_zoom.models import Meeting, Recording
from wagtail_zoom.models.mirror import ApprovalType

MEETING = {
    "id": 81234567890,
    "uuid": "/abc==",
    "host_id": "host1",
    "host_email": "canary-mail@example.org",
    "type": 8,
    "topic": "Reading group",
    "agenda": "Line one\nLine two",
    "start_time": "2026-10-22T17:00:00Z",
    "duration": 60,
    "timezone": "Europe/Berlin",
    "join_url": "https://us02web.zoom.us/j/81234567890?pwd=canary",
    "start_url": "https://zoom.us/s/canary-start",
    "password": "123456",
    "pstn_password": "canary-pstn",
    "occurrences": [
        {"occurrence_id": "1", "start_time": "2026-10-22T17:00:00Z", "duration": 60,
         "status": "available"},
        {"occurrence_id": "2", "start_time": "2026-10-29T18:00:00Z", "duration": 90,
         "status": "deleted"},
        {"occurrence_id": "3", "start_time": "never"},
        "nonsense",
    ],
    "settings": {"approval_type": 1, "registration_type": 3, "private_meeting": False,
                 "registrants_confirmation_email": False,
                 "authentication_exception": [{"email": "canary-guest@example.org"}]},
    "brand_new_member": "canary-new",
}  # fmt: skip


def test_only_known_columns_are_filled():
    """S22: every mapped name is a column; start links, emails and new keys are not stored."""
    fields = map_meeting(MEETING).fields
    columns = {column.name for column in Meeting._meta.get_fields()}
    assert set(fields) <= columns
    text = json.dumps(fields, default=str)
    for canary in ("canary-mail", "canary-start", "canary-pstn", "canary-guest", "canary-new"):
        assert canary not in text


def test_occurrence_times_are_zooms():
    """The end of daylight saving lies between the two: times are Zoom's, not computed."""
    occurrences = map_meeting(MEETING).occurrences
    assert [
        (occurrence.zoom_id, occurrence.start.hour, occurrence.duration, occurrence.deleted)
        for occurrence in occurrences
    ] == [
        ("1", 17, 60, False),
        ("2", 18, 90, True),
    ]


@pytest.mark.parametrize(("kind", "count"), [(1, 0), (2, 1), (3, 0), (4, 0), (5, 1), (6, 0)])
def test_which_types_have_occurrences(kind, count):
    """Personal rooms, instant meetings and series without fixed time have no occurrences."""
    assert len(map_meeting({**MEETING, "type": kind}).occurrences) == count


def test_kind_follows_the_type():
    assert map_meeting({**MEETING, "type": 9}).fields["kind"] == "webinar"
    assert map_meeting(MEETING).fields["kind"] == "meeting"


@pytest.mark.parametrize("change", [{"id": None}, {"host_id": ""}, {"type": None}])
def test_meeting_without_identity_is_invalid(change):
    """S6."""
    with pytest.raises(InvalidItem):
        map_meeting({**MEETING, **change})


def test_missing_and_unknown_values_are_tolerated():
    """Zoom omits unset keys, and enumerations grow. An unknown kind of approval hides it."""
    mapped = map_meeting({"id": "1", "host_id": "h", "type": 2, "settings": {"approval_type": 77}})
    assert mapped.occurrences == () and mapped.fields["approval_type"] == ApprovalType.NONE
    assert mapped.fields["unclear_setting"] == "approval_type"
    assert map_meeting({"id": 1, "host_id": "h", "type": 2, "settings": None}).zoom_id == "1"


def test_mapped_meeting_prints_no_secret():
    assert "canary" not in repr(map_meeting(MEETING))


RECORDING = {
    "uuid": "a//b==",
    "id": 81234567890,
    "host_id": "host1",
    "type": 8,
    "topic": "Reading group",
    "start_time": "2026-10-22T17:00:00Z",
    "duration": 61,
    "total_size": 12345,
    "share_url": "https://zoom.us/rec/share/x",
    "recording_play_passcode": "pass",
    "download_access_token": "canary-token",
    "participant_audio_files": [{"file_name": "canary-name"}],
    "recording_files": [
        {"id": "f1", "file_type": "MP4", "status": "completed", "file_size": 10,
         "play_url": "https://zoom.us/rec/play/x", "download_url": "https://zoom.us/canary-download",
         "recording_start": "2026-10-22T17:00:00Z", "recording_end": ""},
        {"file_type": "TIMELINE"},
        {"id": "f2", "file_type": "TRANSCRIPT", "status": "completed"},
    ],
}  # fmt: skip


def test_recording_columns_are_filled():
    mapped = map_recording(RECORDING)
    assert mapped.fields["is_ready"] and mapped.fields["has_transcript"]
    assert (mapped.fields["file_count"], mapped.fields["file_types"]) == (
        3,
        ["MP4", "TIMELINE", "TRANSCRIPT"],
    )
    assert mapped.fields["start"] == datetime(2026, 10, 22, 17, tzinfo=UTC)
    columns = {column.name for column in Recording._meta.get_fields()}
    assert set(mapped.fields) <= columns
    text = json.dumps(mapped.fields, default=str)
    assert "canary" not in text and "pass" not in repr(mapped)


def test_the_play_link_is_stored_only_where_zoom_gives_no_share_link():
    shared = map_recording(RECORDING).fields
    assert (shared["share_url"], shared["play_url"]) == ("https://zoom.us/rec/share/x", "")
    audio = {"id": "f0", "file_type": "M4A", "play_url": "https://zoom.us/rec/play/sound"}
    processing = {
        "id": "f3",
        "file_type": "MP4",
        "status": "processing",
        "play_url": "https://zoom.us/b",
    }
    files = [audio, processing, *RECORDING["recording_files"]]
    fields = map_recording({**RECORDING, "share_url": None, "recording_files": files}).fields
    assert (fields["share_url"], fields["play_url"]) == ("", "https://zoom.us/rec/play/x")
    foreign = [{"id": "f1", "file_type": "MP4", "play_url": "https://evil.example/rec/play/x"}]
    foreign = map_recording({**RECORDING, "share_url": "", "recording_files": foreign}).fields
    assert foreign["play_url"] == ""


def test_recording_in_processing_is_not_ready():
    files = [{"id": "f1", "file_type": "MP4", "status": "processing"}]
    assert not map_recording({**RECORDING, "recording_files": files}).fields["is_ready"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(4, True), ("1", True), (7, True), (10, True), ("99", True), (100, True), ("new", True),
     (None, True), (2, False), ("8", False)],
)  # fmt: skip
def test_unscheduled_recordings_are_marked(kind, expected):
    """Personal rooms, instant meetings, uploads, unknown kinds: never published automatically."""
    assert map_recording({**RECORDING, "type": kind}).fields["is_unscheduled"] is expected


@pytest.mark.parametrize("change", [{"uuid": None}, {"start_time": "x"}, {"host_id": None}])
def test_recording_without_identity_is_invalid(change):
    with pytest.raises(InvalidItem):
        map_recording({**RECORDING, **change})


@pytest.mark.parametrize("value", [True, 1, "1", "true", "True", " yes ", "on"])
def test_a_switch_is_on_in_every_spelling(value):
    """A privacy switch that is sent as text or number hides the meeting too."""
    fields = map_meeting({**MEETING, "settings": {"private_meeting": value}}).fields
    assert fields["is_private"] and not fields["uses_personal_room"]
    assert fields["unclear_setting"] == ""
    fields = map_meeting({**MEETING, "settings": {"use_pmi": value}}).fields
    assert fields["uses_personal_room"] and not fields["is_private"]


@pytest.mark.parametrize("value", [False, 0, "0", "false", "no", "", None])
def test_a_switch_is_off_in_every_spelling(value):
    fields = map_meeting(
        {**MEETING, "settings": {"private_meeting": value, "use_pmi": value}}
    ).fields
    assert not fields["is_private"] and not fields["uses_personal_room"]
    assert fields["unclear_setting"] == ""


@pytest.mark.parametrize("value", [2, "maybe", [], {}, 0.5, "-1"])
def test_an_unknown_value_of_a_switch_hides_and_is_named(value):
    fields = map_meeting({**MEETING, "settings": {"private_meeting": value}}).fields
    assert fields["is_private"] and fields["unclear_setting"] == "private_meeting"
    fields = map_meeting({**MEETING, "settings": {"use_pmi": value}}).fields
    assert fields["uses_personal_room"] and fields["unclear_setting"] == "use_pmi"


def test_a_meeting_with_the_personal_number_is_in_the_personal_room():
    assert map_meeting({**MEETING, "pmi": "812-3456 7890"}).fields["uses_personal_room"]
    assert not map_meeting({**MEETING, "pmi": "5551234567"}).fields["uses_personal_room"]


def test_what_opens_a_meeting_is_cut_from_its_texts():
    """Whatever the language says about it: by value."""
    agenda = "Senha 123456, canary-pstn, 812 3456 7890, https://a.zoom-x.de/j/1 and a mat"
    mapped = map_meeting({**MEETING, "topic": "Yoga (passcode 123456)", "agenda": agenda})
    assert mapped.fields["topic"] == "Yoga"
    text = mapped.fields["agenda"]
    assert "mat" in text and not any(
        word in text for word in ("123456", "canary", "812", "7890", "zoom")
    )
    assert mapped.fields["cut_digest"] == mapped.raw_digest != ""
    assert map_meeting(MEETING).fields["cut_digest"] == ""


def test_what_opens_a_recording_is_cut_from_its_topic():
    topic = "Reading group, Passwort pass99x, 812-3456-7890, https://zoom.us/rec/share/x?pwd=tok"
    fields = map_recording({**RECORDING, "recording_play_passcode": "pass99x", "topic": topic})
    assert fields.fields["topic"] == "Reading group"


@pytest.mark.parametrize("share_url", [None, "", "absent"])
def test_a_recording_without_share_link_is_watched_by_its_play_link(share_url):
    payload = {**RECORDING, "share_url": share_url}
    if share_url == "absent":
        del payload["share_url"]
    fields = map_recording(payload).fields
    assert fields["play_url"] == "https://zoom.us/rec/play/x" and fields["has_link"]


def test_a_dropped_link_is_reported_with_its_host():
    fields = map_meeting({**MEETING, "join_url": "https://zoom.example.net/j/1?pwd=a"}).fields
    assert (fields["join_url"], fields["has_join_link"]) == ("", False)
    assert fields["unknown_link_host"] == "zoom.example.net"
    fields = map_meeting({**MEETING, "join_url": ""}).fields
    assert (fields["has_join_link"], fields["unknown_link_host"]) == (False, "")
    files = [{**RECORDING["recording_files"][0], "play_url": "https://cdn.example/rec"}]
    foreign = {**RECORDING, "share_url": "https://zoom.example/rec", "recording_files": files}
    fields = map_recording(foreign).fields
    assert (fields["has_link"], fields["unknown_link_host"]) == (False, "zoom.example")


def test_the_name_and_the_room_of_a_host():
    user = {"id": "u", "type": 2, "pmi": 5551234567, "display_name": "Ana (zoom.us/my/ana)"}
    assert map_user(user)[1]["pmi"] == "5551234567"
    assert map_user(user)[1]["display_name"] == "Ana"
    assert map_user({**user, "display_name": "Ana 555-123-4567"})[1]["display_name"] == "Ana"
