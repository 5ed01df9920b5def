"""Every webhook event can be produced; the fixture validates each against the contract."""

import pytest

WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
KINDS = ["meeting", "webinar"]


def make(simulator, kind="meeting", **fields):
    return simulator.create_meeting("borealis-0", kind=kind, **{"topic": "M", **fields})


@pytest.fixture
def endpoint(connected, simulator, receiver):
    """Connected, with an endpoint that has received no event yet."""
    return receiver


@pytest.mark.parametrize("kind", KINDS)
def test_created(endpoint, simulator, kind):
    meeting = make(simulator, kind)
    delivery = endpoint.last()
    assert delivery.event == f"{kind}.created"
    assert delivery.object["id"] == meeting["id"] and "operation" not in delivery.body["payload"]


@pytest.mark.parametrize("kind", KINDS)
def test_series_created(endpoint, simulator, kind):
    make(simulator, kind, recurrence=WEEKLY)
    delivery = endpoint.last()
    assert delivery.body["payload"]["operation"] == "all"
    assert len(delivery.object["occurrences"]) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_updated_has_the_changed_fields_only(endpoint, simulator, kind):
    """Zoom sends the number and the changed fields only."""
    meeting = make(simulator, kind, registration="auto")
    simulator.change_meeting(meeting["id"], topic="N", registration="manual")
    delivery = endpoint.last()
    old = delivery.body["payload"]["old_object"]
    assert delivery.event == f"{kind}.updated"
    assert delivery.object["topic"] == "N" and old["topic"] == "M"
    assert delivery.object["settings"] == {"approval_type": 1}
    assert set(delivery.object) == {"id", "topic", "settings", "registration_url"}


def test_change_of_nothing_is_no_event(endpoint, simulator):
    meeting = make(simulator)
    simulator.change_meeting(meeting["id"], topic="M")
    assert endpoint.events() == ["meeting.created"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_occurrence_moved(endpoint, simulator, kind):
    series = make(simulator, kind, recurrence=WEEKLY)
    occurrence_id = series["occurrences"][1]["occurrence_id"]
    simulator.change_meeting(series["id"], occurrence_id=occurrence_id, start_time="+40d 10:00")
    delivery = endpoint.last()
    assert delivery.body["payload"]["scope"] == "single"
    [moved] = delivery.object["occurrences"]
    assert moved["occurrence_id"] == occurrence_id
    assert delivery.body["payload"]["old_object"]["occurrences"] == [series["occurrences"][1]]


def test_moved_occurrence_can_get_a_new_id(endpoint, simulator):
    """Unverified at Zoom: both ways."""
    simulator.options(moved_occurrence_keeps_id=False)
    series = make(simulator, recurrence=WEEKLY)
    occurrence_id = series["occurrences"][1]["occurrence_id"]
    simulator.change_meeting(series["id"], occurrence_id=occurrence_id, start_time="+40d 10:00")
    assert endpoint.last().object["occurrences"][0]["occurrence_id"] != occurrence_id


@pytest.mark.parametrize("kind", KINDS)
def test_one_occurrence_cancelled_and_recovered(endpoint, simulator, kind):
    series = make(simulator, kind, recurrence=WEEKLY)
    occurrence_id = series["occurrences"][1]["occurrence_id"]
    simulator.delete_meeting(series["id"], occurrence_id)
    delivery = endpoint.last()
    assert delivery.event == f"{kind}.deleted"
    assert delivery.body["payload"]["operation"] == "single"
    assert [occurrence["occurrence_id"] for occurrence in delivery.object["occurrences"]] == [
        occurrence_id
    ]
    simulator.recover_meeting(series["id"], occurrence_id)
    assert endpoint.last().event == f"{kind}.recovered"
    states = [occurrence["status"] for occurrence in simulator.meeting(series["id"])["occurrences"]]
    assert states == ["available"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_recovered_and_deleted_for_good(endpoint, simulator, kind):
    number = make(simulator, kind)["id"]
    simulator.delete_meeting(number)
    simulator.recover_meeting(number)
    simulator.delete_meeting(number)
    simulator.delete_meeting(number, permanent=True)
    names = ("created", "deleted", "recovered", "deleted", "permanently_deleted")
    assert endpoint.events() == [f"{kind}.{name}" for name in names]


@pytest.mark.parametrize("kind", KINDS)
def test_started_and_ended_have_the_number_as_a_string(endpoint, simulator, kind):
    """Each instance has its own UUID."""
    number = make(simulator, kind)["id"]
    endpoint.clear()
    for _ in range(2):
        simulator.start_meeting(number)
        simulator.end_meeting(number)
    deliveries = endpoint.wait()
    assert [delivery.event for delivery in deliveries] == [f"{kind}.started", f"{kind}.ended"] * 2
    assert all(delivery.object["id"] == str(number) for delivery in deliveries)
    assert deliveries[0].object["uuid"] == deliveries[1].object["uuid"]
    assert deliveries[0].object["uuid"] != deliveries[2].object["uuid"]


def test_practice_session_of_a_webinar(endpoint, simulator):
    number = make(simulator, "webinar")["id"]
    simulator.start_meeting(number)
    simulator.end_meeting(number, practice=True)
    assert endpoint.last().object["practice_session"] is True


def test_personal_room_has_one_number_for_everything(endpoint, simulator):
    """All its meetings have the personal number."""
    personal_room = make(simulator, type=4)
    simulator.start_meeting(personal_room["id"])
    assert endpoint.last().object["id"] == personal_room["pmi"]


def test_a_meeting_in_the_personal_room_has_its_number(endpoint, simulator):
    doc = make(simulator, settings={"use_pmi": True})
    simulator.start_meeting(doc["id"])
    assert endpoint.last().object["id"] == doc["pmi"] != str(doc["id"])


def test_creation_source(endpoint, simulator):
    make(simulator)
    make(simulator, creation_source="zoom_scheduler")
    sources = [delivery.object["creation_source"] for delivery in endpoint.wait()]
    assert sources == ["web_portal", "zoom_scheduler"]


def test_conversion_there_and_back(endpoint, simulator):
    number = make(simulator)["id"]
    simulator.change_meeting(number, kind="webinar")
    simulator.change_meeting(number, kind="meeting")
    names = ["meeting.converted_to_webinar", "webinar.converted_to_meeting"]
    assert endpoint.events()[1:] == names


def test_recording_runs_and_stops(endpoint, simulator):
    number = make(simulator)["id"]
    simulator.start_meeting(number)
    simulator.record_meeting(number, "start")
    assert endpoint.last().object["recording_file"]["recording_end"] == ""
    simulator.record_meeting(number, "stop")
    assert endpoint.last().event == "recording.stopped"
    assert endpoint.last().object["recording_file"]["recording_end"]


def test_recording_of_a_meeting_has_its_instance(endpoint, simulator):
    number = make(simulator, topic="Talk")["id"]
    simulator.start_meeting(number)
    simulator.end_meeting(number)
    ended = endpoint.last().object
    recording = simulator.create_recording(meeting=number)
    assert (recording["id"], recording["topic"]) == (ended["uuid"], "Talk")


def test_completed_comes_before_the_transcript(endpoint, simulator):
    """They are two events."""
    simulator.create_recording("borealis-0", topic="R")
    completed, transcript = endpoint.wait()
    assert completed.event == "recording.completed"
    assert completed.body["download_token"] and completed.object["recording_play_passcode"]
    assert transcript.event == "recording.transcript_completed"
    assert [file["file_type"] for file in transcript.object["recording_files"]] == ["TRANSCRIPT"]


def test_transcript_may_come_later(endpoint, simulator):
    recording = simulator.create_recording("borealis-0", topic="R", transcript="later")
    assert endpoint.events() == ["recording.completed"]
    simulator.change_recording(recording["id"], transcript=True)
    assert endpoint.last().event == "recording.transcript_completed"


def test_processing_recording_sends_no_event_until_it_is_ready(endpoint, simulator):
    recording = simulator.create_recording(
        "borealis-0", topic="R", processing=True, transcript=False
    )
    assert endpoint.events() == []
    simulator.change_recording(recording["id"], processing=False)
    assert endpoint.events() == ["recording.completed"]


def test_recording_renamed(endpoint, simulator):
    recording = simulator.create_recording("borealis-0", topic="R")
    simulator.change_recording(recording["id"], topic="S")
    delivery = endpoint.last()
    assert delivery.event == "recording.renamed"
    assert delivery.body["payload"]["old_object"]["topic"] == "R"


def test_recording_trashed_recovered_and_deleted(endpoint, simulator):
    recording = simulator.create_recording("borealis-0", topic="R", transcript=False)
    endpoint.clear()
    simulator.delete_recordings(recording["id"])
    simulator.recover_recordings(recording["id"])
    simulator.delete_recordings(recording["id"], permanent=True)
    names = ["recording.trashed", "recording.recovered", "recording.deleted"]
    assert endpoint.events() == names
    simulator.call("PATCH", "recordings", uuid=recording["id"], action="recover")


def test_recordings_in_batches(endpoint, simulator):
    uuids = [
        simulator.create_recording("borealis-0", topic="R", transcript=False)["id"]
        for _ in range(2)
    ]
    endpoint.clear()
    simulator.delete_recordings(*uuids)
    simulator.recover_recordings(*uuids)
    simulator.delete_recordings(*uuids, permanent=True)
    names = ["recording.batch_trashed", "recording.batch_recovered", "recording.batch_deleted"]
    assert endpoint.events() == names


def test_lifecycle_of_a_user(endpoint, simulator):
    user = simulator.create_user("borealis", first_name="Ada", status="pending")["id"]
    simulator.change_user(user, status="active")
    simulator.change_user(user, first_name="Ida")
    simulator.change_user(user, status="inactive")
    simulator.change_user(user, status="active")
    simulator.delete_user(user)
    simulator.delete_user("borealis-3", disassociate=True)
    names = (
        "created", "invitation_accepted", "updated", "deactivated", "activated", "deleted",
        "disassociated",
    )  # fmt: skip
    assert endpoint.events() == [f"user.{name}" for name in names]


def test_meetings_of_a_deleted_user_are_transferred(endpoint, simulator):
    """Without a transfer they are deleted."""
    number = simulator.create_meeting("borealis-1", topic="M")["id"]
    other = simulator.create_meeting("borealis-2", topic="M")["id"]
    new_owner = next(
        user["id"] for user in simulator.users("borealis") if user["key"] == "borealis-0"
    )
    simulator.delete_user("borealis-1", transfer_to="borealis-0")
    simulator.delete_user("borealis-2")
    assert simulator.meeting(number)["host_id"] == new_owner
    assert simulator.meeting(other)["state"] == "deleted"


def test_account_renamed_and_its_settings_changed(endpoint, simulator):
    simulator.change_account("borealis", name="Boreal", settings={"security": {"mfa": True}})
    assert endpoint.events() == ["account.updated", "account.settings_updated"]


@pytest.mark.parametrize("reach", [{"account": "borealis"}, {"user": "borealis-0"}])
def test_deauthorized(endpoint, connected, simulator, reach):
    assert simulator.deauthorize(**reach) == 1
    payload = endpoint.last().body["payload"]
    assert (
        endpoint.last().event == "app_deauthorized" and payload["client_id"] == "simulator-client"
    )
    assert connected.get("/users/me").status_code == 401


def test_unpublished_app_gets_no_deauthorization_event(endpoint, simulator):
    """Zoom sends it to published apps only."""
    simulator.options(published=False)
    assert simulator.deauthorize(account="borealis") == 1
    assert endpoint.events() == []


@pytest.mark.parametrize(("uninstalls", "events"), [(True, ["app_deauthorized"]), (False, [])])
def test_revoke_may_uninstall(endpoint, connected, simulator, uninstalls, events):
    """Unverified at Zoom: both ways."""
    simulator.options(revoke_deauthorizes=uninstalls)
    connected.revoke()
    assert endpoint.events() == events
    assert connected.get("/users/me").status_code == 401
