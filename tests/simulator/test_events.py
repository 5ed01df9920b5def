"""Every event of REFERENCE 5.6 can be produced; the fixture holds each against the contract."""

import pytest

WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
KINDS = ["meeting", "webinar"]


def make(simulator, kind="meeting", **facts):
    return simulator.create_meeting("borealis-0", kind=kind, **{"topic": "M", **facts})


@pytest.fixture
def quiet(connected, simulator, receiver):
    """Connected, with an endpoint that has heard nothing yet."""
    return receiver


@pytest.mark.parametrize("kind", KINDS)
def test_created(quiet, simulator, kind):
    made = make(simulator, kind)
    message = quiet.last()
    assert message.event == f"{kind}.created"
    assert message.object["id"] == made["id"] and "operation" not in message.body["payload"]


@pytest.mark.parametrize("kind", KINDS)
def test_series_created(quiet, simulator, kind):
    make(simulator, kind, recurrence=WEEKLY)
    message = quiet.last()
    assert message.body["payload"]["operation"] == "all"
    assert len(message.object["occurrences"]) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_updated_tells_what_differs_and_nothing_else(quiet, simulator, kind):
    """Trap 26."""
    made = make(simulator, kind, registration="auto")
    simulator.change_meeting(made["id"], topic="N", registration="manual")
    message = quiet.last()
    old = message.body["payload"]["old_object"]
    assert message.event == f"{kind}.updated"
    assert message.object["topic"] == "N" and old["topic"] == "M"
    assert message.object["settings"] == {"approval_type": 1}
    assert set(message.object) == {"id", "topic", "settings", "registration_url"}


def test_change_of_nothing_is_no_event(quiet, simulator):
    made = make(simulator)
    simulator.change_meeting(made["id"], topic="M")
    assert quiet.events() == ["meeting.created"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_date_moved(quiet, simulator, kind):
    made = make(simulator, kind, recurrence=WEEKLY)
    date = made["occurrences"][1]["occurrence_id"]
    simulator.change_meeting(made["id"], occurrence_id=date, start_time="+40d 10:00")
    message = quiet.last()
    assert message.body["payload"]["scope"] == "single"
    [moved] = message.object["occurrences"]
    assert moved["occurrence_id"] == date
    assert message.body["payload"]["old_object"]["occurrences"] == [made["occurrences"][1]]


def test_moved_date_can_get_a_new_number(quiet, simulator):
    """Trap 11, unverified: both ways."""
    simulator.options(moved_occurrence_keeps_id=False)
    made = make(simulator, recurrence=WEEKLY)
    date = made["occurrences"][1]["occurrence_id"]
    simulator.change_meeting(made["id"], occurrence_id=date, start_time="+40d 10:00")
    assert quiet.last().object["occurrences"][0]["occurrence_id"] != date


@pytest.mark.parametrize("kind", KINDS)
def test_one_date_cancelled_and_recovered(quiet, simulator, kind):
    made = make(simulator, kind, recurrence=WEEKLY)
    date = made["occurrences"][1]["occurrence_id"]
    simulator.delete_meeting(made["id"], date)
    message = quiet.last()
    assert message.event == f"{kind}.deleted"
    assert message.body["payload"]["operation"] == "single"
    assert [one["occurrence_id"] for one in message.object["occurrences"]] == [date]
    simulator.recover_meeting(made["id"], date)
    assert quiet.last().event == f"{kind}.recovered"
    states = [one["status"] for one in simulator.meeting(made["id"])["occurrences"]]
    assert states == ["available"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_recovered_and_deleted_for_good(quiet, simulator, kind):
    number = make(simulator, kind)["id"]
    simulator.delete_meeting(number)
    simulator.recover_meeting(number)
    simulator.delete_meeting(number)
    simulator.delete_meeting(number, permanent=True)
    names = ("created", "deleted", "recovered", "deleted", "permanently_deleted")
    assert quiet.events() == [f"{kind}.{name}" for name in names]


@pytest.mark.parametrize("kind", KINDS)
def test_started_and_ended_carry_the_number_as_text(quiet, simulator, kind):
    """Trap 8; the UUID is another one each time."""
    number = make(simulator, kind)["id"]
    quiet.clear()
    for _ in range(2):
        simulator.start_meeting(number)
        simulator.end_meeting(number)
    messages = quiet.wait()
    assert [one.event for one in messages] == [f"{kind}.started", f"{kind}.ended"] * 2
    assert all(one.object["id"] == str(number) for one in messages)
    assert messages[0].object["uuid"] == messages[1].object["uuid"]
    assert messages[0].object["uuid"] != messages[2].object["uuid"]


def test_rehearsal_of_a_webinar(quiet, simulator):
    number = make(simulator, "webinar")["id"]
    simulator.start_meeting(number)
    simulator.end_meeting(number, practice=True)
    assert quiet.last().object["practice_session"] is True


def test_personal_room_has_one_number_for_everything(quiet, simulator):
    """Trap 36."""
    room = make(simulator, type=4)
    simulator.start_meeting(room["id"])
    assert quiet.last().object["id"] == room["pmi"]


def test_conversion_there_and_back(quiet, simulator):
    number = make(simulator)["id"]
    simulator.change_meeting(number, kind="webinar")
    simulator.change_meeting(number, kind="meeting")
    names = ["meeting.converted_to_webinar", "webinar.converted_to_meeting"]
    assert quiet.events()[1:] == names


def test_recording_runs_and_stops(quiet, simulator):
    number = make(simulator)["id"]
    simulator.start_meeting(number)
    simulator.record_meeting(number, "start")
    assert quiet.last().object["recording_file"]["recording_end"] == ""
    simulator.record_meeting(number, "stop")
    assert quiet.last().event == "recording.stopped"
    assert quiet.last().object["recording_file"]["recording_end"]


def test_recording_of_a_meeting_has_its_instance(quiet, simulator):
    number = make(simulator, topic="Talk")["id"]
    simulator.start_meeting(number)
    simulator.end_meeting(number)
    ended = quiet.last().object
    made = simulator.create_recording(meeting=number)
    assert (made["id"], made["topic"]) == (ended["uuid"], "Talk")


def test_completed_comes_before_the_transcript(quiet, simulator):
    """Trap 28."""
    simulator.create_recording("borealis-0", topic="R")
    completed, transcript = quiet.wait()
    assert completed.event == "recording.completed"
    assert completed.body["download_token"] and completed.object["recording_play_passcode"]
    assert transcript.event == "recording.transcript_completed"
    assert [file["file_type"] for file in transcript.object["recording_files"]] == ["TRANSCRIPT"]


def test_transcript_may_come_later(quiet, simulator):
    made = simulator.create_recording("borealis-0", topic="R", transcript="later")
    assert quiet.events() == ["recording.completed"]
    simulator.change_recording(made["id"], transcript=True)
    assert quiet.last().event == "recording.transcript_completed"


def test_processing_recording_is_silent_until_it_is_ready(quiet, simulator):
    made = simulator.create_recording("borealis-0", topic="R", processing=True, transcript=False)
    assert quiet.events() == []
    simulator.change_recording(made["id"], processing=False)
    assert quiet.events() == ["recording.completed"]


def test_recording_renamed(quiet, simulator):
    made = simulator.create_recording("borealis-0", topic="R")
    simulator.change_recording(made["id"], topic="S")
    message = quiet.last()
    assert message.event == "recording.renamed"
    assert message.body["payload"]["old_object"]["topic"] == "R"


def test_recording_trashed_recovered_and_deleted(quiet, simulator):
    made = simulator.create_recording("borealis-0", topic="R", transcript=False)
    quiet.clear()
    simulator.delete_recordings(made["id"])
    simulator.recover_recordings(made["id"])
    simulator.delete_recordings(made["id"], permanent=True)
    names = ["recording.trashed", "recording.recovered", "recording.deleted"]
    assert quiet.events() == names
    simulator.call("PATCH", "recordings", uuid=made["id"], action="recover")


def test_recordings_in_batches(quiet, simulator):
    made = [
        simulator.create_recording("borealis-0", topic="R", transcript=False)["id"]
        for _ in range(2)
    ]
    quiet.clear()
    simulator.delete_recordings(*made)
    simulator.recover_recordings(*made)
    simulator.delete_recordings(*made, permanent=True)
    names = ["recording.batch_trashed", "recording.batch_recovered", "recording.batch_deleted"]
    assert quiet.events() == names


def test_life_of_a_user(quiet, simulator):
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
    assert quiet.events() == [f"user.{name}" for name in names]


def test_heir_takes_over_what_a_deleted_user_hosted(quiet, simulator):
    """Trap 38."""
    number = simulator.create_meeting("borealis-1", topic="M")["id"]
    other = simulator.create_meeting("borealis-2", topic="M")["id"]
    heir = next(one["id"] for one in simulator.users("borealis") if one["key"] == "borealis-0")
    simulator.delete_user("borealis-1", transfer_to="borealis-0")
    simulator.delete_user("borealis-2")
    assert simulator.meeting(number)["host_id"] == heir
    assert simulator.meeting(other)["state"] == "deleted"


def test_account_renamed_and_its_settings_changed(quiet, simulator):
    simulator.change_account("borealis", name="Boreal", settings={"security": {"mfa": True}})
    assert quiet.events() == ["account.updated", "account.settings_updated"]


@pytest.mark.parametrize("reach", [{"account": "borealis"}, {"user": "borealis-0"}])
def test_deauthorized(quiet, connected, simulator, reach):
    assert simulator.deauthorize(**reach) == 1
    payload = quiet.last().body["payload"]
    assert quiet.last().event == "app_deauthorized" and payload["client_id"] == "simulator-client"
    assert connected.get("/users/me").status_code == 401


def test_unpublished_app_is_not_told(quiet, simulator):
    """Trap 39."""
    simulator.options(published=False)
    assert simulator.deauthorize(account="borealis") == 1
    assert quiet.events() == []


@pytest.mark.parametrize(("uninstalls", "events"), [(True, ["app_deauthorized"]), (False, [])])
def test_revoke_may_uninstall(quiet, connected, simulator, uninstalls, events):
    """Unverified (1.4): both ways."""
    simulator.options(revoke_deauthorizes=uninstalls)
    connected.revoke()
    assert quiet.events() == events
    assert connected.get("/users/me").status_code == 401
