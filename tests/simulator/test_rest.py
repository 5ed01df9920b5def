"""REST endpoints of the simulator: paging, date ranges, expired numbers, tenants, errors."""

import threading
import time
from urllib.parse import quote

import pytest
import requests


def all_pages(app, path, name, **params):
    items, token = [], ""
    while True:
        page = app.get(path, next_page_token=token, **params).json()
        items += page[name]
        token = page["next_page_token"]
        if not token:
            return items


def test_me_has_the_account(app):
    me = app.connect("borealis-0").get("/users/me").json()
    assert me["display_name"] == "Lena Brandt" and me["account_id"]
    assert app.get("/accounts/me").status_code == 200


def test_users_of_one_account_only(app):
    names = {u["display_name"] for u in all_pages(app.connect("aurora-0"), "/users", "users")}
    assert names == {"Studio Aurora", "Ines Krüger", "Mika Sørensen"}


def test_paging_returns_every_item_once(app, simulator):
    simulator.bulk("aurora-2", meetings=1001)
    app.connect("aurora-0")
    user = next(u["id"] for u in simulator.state()["users"] if u["key"] == "aurora-2")
    meetings = all_pages(app, f"/users/{user}/meetings", "meetings", page_size=300)
    topics = [meeting["topic"] for meeting in meetings if meeting["topic"].startswith("Meeting ")]
    assert len(topics) == len(set(topics)) == 1001


def test_page_token_expires_and_is_bound_to_its_filters(app, simulator):
    simulator.bulk("aurora-0", meetings=40)
    token = app.connect("aurora-0").get("/users/me/meetings").json()["next_page_token"]
    assert app.get("/users/me/meetings", next_page_token=token).status_code == 200
    other = app.get("/users/me/meetings", type="upcoming", next_page_token=token)
    assert other.json()["code"] == 300
    simulator.advance(901)
    assert app.get("/users/me/meetings", next_page_token=token).status_code == 400


def test_lists_omit_instant_meetings_and_occurrences(app):
    meetings = all_pages(app.connect("aurora-0"), "/users/me/meetings", "meetings")
    assert "Just now" not in {meeting["topic"] for meeting in meetings}
    assert all("occurrences" not in meeting for meeting in meetings)


def test_series_keeps_the_wall_clock(app, simulator):
    """Forty weeks in Berlin include DST changes: two different hours in UTC."""
    rule = {"type": 2, "repeat_interval": 1, "end_times": 40}
    series = simulator.create_meeting(
        "aurora-0", topic="S", start_time="2027-01-07T18:00:00", recurrence=rule,
        timezone="Europe/Berlin",
    )  # fmt: skip
    detail = app.connect("aurora-0").get(f"/meetings/{series['id']}").json()
    assert {date["start_time"][11:13] for date in detail["occurrences"]} == {"16", "17"}


def test_past_occurrences_only_on_request(app, simulator):
    rule = {"type": 2, "repeat_interval": 1, "end_times": 10}
    series = simulator.create_meeting(
        "aurora-0", topic="S", start_time="-20d 18:00", recurrence=rule
    )
    app.connect("aurora-0")
    short = app.get(f"/meetings/{series['id']}").json()["occurrences"]
    whole = app.get(f"/meetings/{series['id']}", show_previous_occurrences="true").json()
    assert len(whole["occurrences"]) == 10 > len(short)


def test_cancelled_occurrence_stays_as_deleted(app, simulator):
    rule = {"type": 2, "repeat_interval": 1, "end_times": 3}
    series = simulator.create_meeting("aurora-0", topic="S", recurrence=rule)
    occurrence_id = series["occurrences"][1]["occurrence_id"]
    simulator.delete_meeting(series["id"], occurrence_id)
    dates = app.connect("aurora-0").get(f"/meetings/{series['id']}").json()["occurrences"]
    assert [date["status"] for date in dates] == ["available", "deleted", "available"]


def test_moved_meeting(app, simulator):
    meeting = simulator.create_meeting("aurora-0", topic="M", start_time="+1d 18:00")
    moved = simulator.change_meeting(meeting["id"], start_time="+2d 18:00", topic="N")
    detail = app.connect("aurora-0").get(f"/meetings/{meeting['id']}").json()
    assert (detail["start_time"], detail["topic"]) == (moved["start_time"], "N")


def test_deleted_expired_and_foreign_numbers_do_not_exist(app, simulator):
    own = simulator.create_meeting("aurora-0", topic="M")["id"]
    foreign = simulator.create_meeting("borealis-0", topic="M")["id"]
    expired = simulator.create_meeting("aurora-0", topic="M", start_time="-40d 10:00")["id"]
    simulator.delete_meeting(own)
    app.connect("aurora-0")
    for number in (own, foreign, expired, 1):
        response = app.get(f"/meetings/{number}")
        assert (response.status_code, response.json()["code"]) == (404, 3001)


def test_webinars_with_and_without_the_add_on(app, simulator):
    webinars = all_pages(app.connect("borealis-0"), "/users/me/webinars", "webinars")
    number = webinars[0]["id"]
    assert app.get(f"/webinars/{number}").json()["type"] in (5, 9)
    assert app.get(f"/meetings/{number}").json()["code"] == 3000
    without = app.connect("aurora-0").get("/users/me/webinars")
    assert (without.status_code, without.json()["code"]) == (200, 200)
    simulator.options(webinar_plan_status=400)
    assert app.get("/users/me/webinars").status_code == 400


def test_webinar_cannot_be_read_after_its_end(app, simulator):
    webinar = simulator.create_meeting("borealis-0", kind="webinar", topic="W", start_time="+1h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{webinar['id']}").status_code == 200
    simulator.advance("3h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{webinar['id']}").status_code == 404


def test_recordings_default_to_today_and_span_a_month(app, simulator):
    simulator.create_recording("aurora-1", topic="R", start_time="-10d 18:00")
    app.connect("aurora-0")
    user = next(u["id"] for u in simulator.state()["users"] if u["key"] == "aurora-1")
    assert app.get(f"/users/{user}/recordings").json()["meetings"] == []
    today = simulator.state()["clock"][:10]
    year = f"{int(today[:4]) - 1}{today[4:]}"
    wide = app.get(f"/users/{user}/recordings", **{"from": year, "to": today})
    assert wide.json()["code"] == 300
    simulator.options(long_window="clip")
    recordings = app.get(f"/users/{user}/recordings", **{"from": year, "to": today}).json()
    assert [recording["topic"] for recording in recordings["meetings"]] == ["R"]


@pytest.mark.parametrize("uuid", ["/abcdefghijklmnopqrst==", "abc//defghijklmnopqrs=="])
def test_awkward_uuids_need_double_encoding(app, simulator, uuid):
    """UUIDs that begin with a slash or contain two."""
    simulator.create_recording("aurora-0", topic="R", uuid=uuid)
    app.connect("aurora-0")
    once, twice = quote(uuid, safe=""), quote(quote(uuid, safe=""), safe="")
    assert app.get(f"/meetings/{twice}/recordings").json()["uuid"] == uuid
    assert app.get(f"/meetings/{once}/recordings").status_code == 404


def test_recording_in_processing_does_not_exist_yet(app, simulator):
    """404/3301 means both: no recording, and still processing."""
    recording = simulator.create_recording("aurora-0", topic="R", processing=True, uuid="plain==")
    response = app.connect("aurora-0").get(f"/meetings/{quote(recording['id'])}/recordings")
    assert (response.status_code, response.json()["code"]) == (404, 3301)


def test_missing_scope_is_400_4711(app, simulator):
    """Not 401 or 403."""
    simulator.options(scopes=["user:read:user:admin"])
    response = app.connect("aurora-0").get("/users/me/meetings")
    assert (response.status_code, response.json()["code"]) == (400, 4711)
    assert "meeting:read:list_meetings:admin" in response.json()["message"]


def test_user_managed_app_reaches_its_user_only(app, simulator):
    simulator.options(app_kind="user")
    app.connect("aurora-1")
    other = next(u["id"] for u in simulator.state()["users"] if u["key"] == "aurora-0")
    assert app.get("/users/me/meetings").status_code == 200
    assert app.get(f"/users/{other}/meetings").status_code == 403


def test_rate_limit_per_second(app, simulator):
    app.connect("aurora-0")
    simulator.options(rate_limit="2")
    answers = [app.get("/users/me") for _ in range(8)]
    refused = [response for response in answers if response.status_code == 429]
    assert refused and refused[0].headers["X-RateLimit-Type"] == "QPS"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncate"])
def test_cut_connections_reach_the_client(app, simulator, kind):
    app.connect("aurora-0")
    simulator.fault(kind, path="/users/me", count=1)
    with pytest.raises(requests.RequestException):
        app.get("/users/me")
    assert app.get("/users/me").status_code == 200


@pytest.mark.parametrize("kind", ["broken_json", "wrong_type", "loop_page_tokens", "status"])
def test_wrong_answers(app, simulator, kind):
    app.connect("aurora-0")
    right = app.get("/users").text
    simulator.fault(kind, path="/users$", count=1, status=503)
    assert app.get("/users").text != right
    assert app.get("/users").text == right


def test_unknown_fault_and_option_are_refused(simulator):
    with pytest.raises(ValueError, match="unknown kind"):
        simulator.fault("nonsense")
    with pytest.raises(ValueError, match="unknown option"):
        simulator.options(nonsense=1)


def test_calls_are_counted(app, simulator):
    app.connect("aurora-0").get("/users/me")
    paths = [call["path"] for call in simulator.calls()]
    assert paths == ["/oauth/token", "/v2/users/me"]


def test_state_survives_a_restart(tmp_path):
    from wagtail_zoom.testing.server import SimulatorProcess

    file = str(tmp_path / "zoom.sqlite3")
    first = SimulatorProcess("--state", file)
    meeting = first.client.create_meeting("aurora-0", topic="Kept")
    first.stop()
    second = SimulatorProcess("--state", file)
    try:
        assert second.client.change_meeting(meeting["id"], duration=30)["topic"] == "Kept"
    finally:
        second.stop()


def test_one_slash_inside_a_uuid_arrives_encoded_once(app, simulator):
    """Only a leading slash and two in a row need to be encoded twice."""
    app.connect("aurora-0")
    recording = simulator.create_recording("aurora-0", uuid="abc/defghijklmnopqrst==")
    response = app.get("/meetings/abc%2Fdefghijklmnopqrst%3D%3D/recordings")
    assert response.status_code == 200
    assert response.json()["uuid"] == recording["id"]
    simulator.create_recording("aurora-0", uuid="ab//efghijklmnopqrst==")
    assert app.get("/meetings/ab%2F%2Fefghijklmnopqrst%3D%3D/recordings").status_code == 404
    assert app.get("/meetings/ab%252F%252Fefghijklmnopqrst%253D%253D/recordings").ok


def test_a_slow_call_from_before_a_reset_changes_nothing(app, simulator):
    """A call continues after the client's timeout; it must not affect the next test."""
    app.connect("aurora-0")
    simulator.fault("slow", path="/users/me", seconds=0.6, count=1)
    late = threading.Thread(target=app.get, args=("/users/me",))
    late.start()
    while not simulator.state()["faults"][0]["hits"]:
        time.sleep(0.02)
    simulator.reset()
    late.join()
    assert simulator.calls() == []
