"""Past meetings, recordings and their settings, upcoming meetings and the status of a user."""

from urllib.parse import quote

import pytest
import requests

from .conftest import BASIC


def past_meeting(simulator, kind="meeting", minutes=50):
    fields = {"topic": "Held", "start_time": "+1h", "uuid": "ab/cdefghijklmnopqrst=="}
    meeting = simulator.create_meeting("borealis-0", kind=kind, **fields)
    simulator.start_meeting(meeting["id"])
    simulator.advance(minutes * 60)
    return simulator.end_meeting(meeting["id"])


def test_past_meeting_by_number_and_by_uuid(connected, simulator):
    meeting = past_meeting(simulator)
    instance = connected.get(f"/past_meetings/{meeting['id']}").json()
    assert (instance["uuid"], instance["duration"]) == (meeting["uuid"], 50)
    assert connected.get(f"/past_meetings/{quote(meeting['uuid'], safe='')}").status_code == 200
    twice = quote(quote(meeting["uuid"], safe=""), safe="")
    assert connected.get(f"/past_meetings/{twice}").json()["id"] == meeting["id"]


def test_past_meeting_without_an_instance(connected, simulator):
    meeting = simulator.create_meeting("borealis-0", topic="M")
    assert connected.get(f"/past_meetings/{meeting['id']}").json()["code"] == 3001
    assert connected.get(f"/past_meetings/{meeting['id']}/instances").json()["meetings"] == []
    assert connected.get("/past_meetings/123/instances").status_code == 404


def test_past_meetings_of_a_free_account(app, simulator):
    assert app.connect("harbour-0").get("/past_meetings/1").json()["code"] == 200


def test_past_meeting_older_than_a_year(connected, simulator):
    meeting = past_meeting(simulator)
    simulator.advance("400d")
    connected.connect("borealis-0")
    assert connected.get(f"/past_meetings/{meeting['id']}").json()["code"] == 12702


def test_instances(connected, simulator):
    meeting = past_meeting(simulator)
    base = f"/past_meetings/{meeting['id']}/instances"
    [instance] = connected.get(base).json()["meetings"]
    assert instance["uuid"] == meeting["uuid"]
    window = {"from": "2000-01-01", "to": "2000-02-01"}
    assert connected.get(base, **window).json()["meetings"] == []
    assert connected.get(base, **{"from": "2000-01-01"}).status_code == 400


def test_instances_of_a_webinar(connected, simulator):
    webinar = past_meeting(simulator, "webinar")
    instances = connected.get(f"/past_webinars/{webinar['id']}/instances").json()["webinars"]
    assert [instance["uuid"] for instance in instances] == [webinar["uuid"]]


def test_number_of_an_instant_meeting_expires_when_it_ends(connected, simulator):
    meeting = simulator.create_meeting("borealis-0", topic="Now", type=1, start_time="+0m")
    simulator.start_meeting(meeting["id"])
    assert connected.get(f"/meetings/{meeting['id']}").json()["status"] == "started"
    simulator.end_meeting(meeting["id"])
    assert connected.get(f"/meetings/{meeting['id']}").status_code == 404


def test_running_meetings_are_live(connected, simulator):
    meeting = simulator.create_meeting("borealis-0", topic="M")
    simulator.start_meeting(meeting["id"])
    meetings = connected.get("/users/me/meetings", type="live").json()["meetings"]
    assert [item["id"] for item in meetings] == [meeting["id"]]


def test_running_webinar_can_be_read_after_its_planned_end(connected, simulator):
    webinar = simulator.create_meeting("borealis-0", kind="webinar", topic="W", start_time="+1m")
    simulator.start_meeting(webinar["id"])
    simulator.advance(3000)
    simulator.advance(1200)
    connected.connect("borealis-0")
    assert connected.get(f"/webinars/{webinar['id']}").status_code == 200


def test_the_next_24_hours(connected, simulator):
    rule = {"type": 1, "repeat_interval": 1, "end_times": 5}
    simulator.create_meeting("borealis-2", topic="Daily", start_time="+2h", recurrence=rule)
    user = next(item["id"] for item in simulator.users("borealis") if item["key"] == "borealis-2")
    meetings = connected.get(f"/users/{user}/upcoming_meetings").json()["meetings"]
    assert [item["topic"] for item in meetings if item["topic"] == "Daily"] == ["Daily"]


def test_recordings_of_the_account(connected, simulator):
    simulator.create_recording("borealis-1", topic="R", start_time="-2h")
    simulator.create_recording("borealis-2", topic="S", start_time="-2h")
    recording = simulator.create_recording("aurora-1", topic="T", start_time="-2h")
    window = {"from": recording["start_time"][:10], "to": simulator.state()["clock"][:10]}
    topics = {item["topic"] for item in recordings(connected, "/accounts/me/recordings", **window)}
    assert {"R", "S"} <= topics and "T" not in topics
    assert connected.get("/accounts/somebody/recordings").status_code == 404
    simulator.options(account_recordings=False)
    assert connected.get("/accounts/me/recordings").json()["code"] == 4711


def recordings(app, path, **query):
    return app.get(path, page_size=300, **query).json()["meetings"]


def test_trash(connected, simulator):
    recording = simulator.create_recording("borealis-0", topic="R", start_time="-2h")
    simulator.delete_recordings(recording["id"])
    day = {"from": recording["start_time"][:10], "to": simulator.state()["clock"][:10]}
    path = "/users/me/recordings"
    assert "R" not in [item["topic"] for item in recordings(connected, path, **day)]
    ignored = {"from": "2020-01-01", "to": "2020-01-02"}
    [trashed] = recordings(connected, path, trash="true", **ignored)
    assert trashed["recording_files"][0]["deleted_time"]
    number = recording["meeting_id"]
    assert [
        item["id"] for item in recordings(connected, path, trash="true", meeting_id=number, **day)
    ]
    simulator.recover_recordings(recording["id"])
    assert connected.get(f"/meetings/{number}/recordings").status_code == 200


def test_settings_of_a_recording(connected, simulator, receiver):
    recording = simulator.create_recording("borealis-0", topic="R", transcript=False)
    base = f"/meetings/{recording['meeting_id']}/recordings/settings"
    assert connected.get(base).json()["share_recording"] == "publicly"
    body = {"share_recording": "none", "topic": "S", "password": "12345678"}
    assert connected.send("PATCH", base, body).status_code == 204
    settings = connected.get(base).json()
    assert (settings["share_recording"], settings["topic"]) == ("none", "S")
    assert receiver.last().event == "recording.renamed"
    files = connected.get(f"/meetings/{recording['meeting_id']}/recordings").json()
    assert files["recording_play_passcode"] == "12345678"


def test_settings_of_a_recording_by_the_control_api(connected, simulator):
    recording = simulator.create_recording("borealis-0", topic="R")
    simulator.change_recording(recording["id"], settings={"share_recording": "internally"})
    base = f"/meetings/{recording['meeting_id']}/recordings/settings"
    assert connected.get(base).json()["share_recording"] == "internally"


def test_download_token_on_request(connected, simulator):
    recording = simulator.create_recording("borealis-0", topic="R")
    base = f"/meetings/{recording['meeting_id']}/recordings"
    assert "download_access_token" not in connected.get(base).json()
    query = {"include_fields": "download_access_token", "ttl": 60}
    assert connected.get(base, **query).json()["download_access_token"]
    assert connected.get(base, **{**query, "ttl": 604801}).json()["code"] == 1010


@pytest.mark.parametrize(("action", "status"), [("deactivate", "inactive"), ("activate", "active")])
def test_status_of_a_user(connected, simulator, action, status):
    user = next(item["id"] for item in simulator.users("borealis") if item["key"] == "borealis-3")
    assert connected.put(f"/users/{user}/status", {"action": action}).status_code == 204
    assert connected.get(f"/users/{user}").json()["status"] == status
    assert connected.put(f"/users/{user}/status", {"action": "x"}).status_code == 400


def test_data_compliance_call(connected, simulator):
    """Deprecated by Zoom, still answered."""
    body = {
        "client_id": "simulator-client", "user_id": "u", "account_id": "a",
        "deauthorization_event_received": {}, "compliance_completed": True,
    }  # fmt: skip
    response = requests.post(f"{simulator.url}/oauth/data/compliance", json=body, auth=BASIC)
    assert response.status_code == 200
