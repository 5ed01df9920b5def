"""The simulated REST endpoints: paging, windows, lapsing numbers, tenants, errors."""

import threading
import time
from urllib.parse import quote

import pytest
import requests


def everything(app, path, name, **params):
    found, token = [], ""
    while True:
        page = app.get(path, next_page_token=token, **params).json()
        found += page[name]
        token = page["next_page_token"]
        if not token:
            return found


def test_me_tells_the_account(app):
    me = app.connect("borealis-0").get("/users/me").json()
    assert me["display_name"] == "Lena Brandt" and me["account_id"]
    assert app.get("/accounts/me").status_code == 200


def test_users_of_one_account_only(app):
    names = {u["display_name"] for u in everything(app.connect("aurora-0"), "/users", "users")}
    assert names == {"Studio Aurora", "Ines Krüger", "Mika Sørensen"}


def test_paging_gives_everything_once(app, simulator):
    simulator.bulk("aurora-2", meetings=1001)
    app.connect("aurora-0")
    user = next(u["id"] for u in simulator.state()["users"] if u["key"] == "aurora-2")
    found = everything(app, f"/users/{user}/meetings", "meetings", page_size=300)
    topics = [m["topic"] for m in found if m["topic"].startswith("Meeting ")]
    assert len(topics) == len(set(topics)) == 1001


def test_page_token_lapses_and_is_bound_to_its_filters(app, simulator):
    simulator.bulk("aurora-0", meetings=40)
    token = app.connect("aurora-0").get("/users/me/meetings").json()["next_page_token"]
    assert app.get("/users/me/meetings", next_page_token=token).status_code == 200
    other = app.get("/users/me/meetings", type="upcoming", next_page_token=token)
    assert other.json()["code"] == 300
    simulator.advance(901)
    assert app.get("/users/me/meetings", next_page_token=token).status_code == 400


def test_lists_leave_out_instant_meetings_and_dates_of_series(app):
    found = everything(app.connect("aurora-0"), "/users/me/meetings", "meetings")
    assert "Just now" not in {m["topic"] for m in found}
    assert all("occurrences" not in m for m in found)


def test_series_keeps_the_wall_clock(app, simulator):
    """Twenty weeks in Berlin cross a change of clocks: two different hours in UTC."""
    rule = {"type": 2, "repeat_interval": 1, "end_times": 40}
    made = simulator.create_meeting(
        "aurora-0", topic="S", start_time="2027-01-07T18:00:00", recurrence=rule,
        timezone="Europe/Berlin",
    )  # fmt: skip
    detail = app.connect("aurora-0").get(f"/meetings/{made['id']}").json()
    assert {date["start_time"][11:13] for date in detail["occurrences"]} == {"16", "17"}


def test_past_dates_only_on_request(app, simulator):
    rule = {"type": 2, "repeat_interval": 1, "end_times": 10}
    made = simulator.create_meeting("aurora-0", topic="S", start_time="-20d 18:00", recurrence=rule)
    app.connect("aurora-0")
    short = app.get(f"/meetings/{made['id']}").json()["occurrences"]
    whole = app.get(f"/meetings/{made['id']}", show_previous_occurrences="true").json()
    assert len(whole["occurrences"]) == 10 > len(short)


def test_cancelled_date_stays_as_deleted(app, simulator):
    rule = {"type": 2, "repeat_interval": 1, "end_times": 3}
    made = simulator.create_meeting("aurora-0", topic="S", recurrence=rule)
    number = made["occurrences"][1]["occurrence_id"]
    simulator.delete_meeting(made["id"], number)
    dates = app.connect("aurora-0").get(f"/meetings/{made['id']}").json()["occurrences"]
    assert [date["status"] for date in dates] == ["available", "deleted", "available"]


def test_moved_meeting(app, simulator):
    made = simulator.create_meeting("aurora-0", topic="M", start_time="+1d 18:00")
    moved = simulator.change_meeting(made["id"], start_time="+2d 18:00", topic="N")
    detail = app.connect("aurora-0").get(f"/meetings/{made['id']}").json()
    assert (detail["start_time"], detail["topic"]) == (moved["start_time"], "N")


def test_deleted_lapsed_and_foreign_numbers_do_not_exist(app, simulator):
    own = simulator.create_meeting("aurora-0", topic="M")["id"]
    foreign = simulator.create_meeting("borealis-0", topic="M")["id"]
    old = simulator.create_meeting("aurora-0", topic="M", start_time="-40d 10:00")["id"]
    simulator.delete_meeting(own)
    app.connect("aurora-0")
    for number in (own, foreign, old, 1):
        answer = app.get(f"/meetings/{number}")
        assert (answer.status_code, answer.json()["code"]) == (404, 3001)


def test_webinars_with_and_without_the_add_on(app, simulator):
    found = everything(app.connect("borealis-0"), "/users/me/webinars", "webinars")
    number = found[0]["id"]
    assert app.get(f"/webinars/{number}").json()["type"] in (5, 9)
    assert app.get(f"/meetings/{number}").json()["code"] == 3000
    without = app.connect("aurora-0").get("/users/me/webinars")
    assert (without.status_code, without.json()["code"]) == (200, 200)
    simulator.options(webinar_plan_status=400)
    assert app.get("/users/me/webinars").status_code == 400


def test_webinar_cannot_be_read_after_its_end(app, simulator):
    made = simulator.create_meeting("borealis-0", kind="webinar", topic="W", start_time="+1h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{made['id']}").status_code == 200
    simulator.advance("3h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{made['id']}").status_code == 404


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
    found = app.get(f"/users/{user}/recordings", **{"from": year, "to": today}).json()
    assert [one["topic"] for one in found["meetings"]] == ["R"]


@pytest.mark.parametrize("uuid", ["/abcdefghijklmnopqrst==", "abc//defghijklmnopqrs=="])
def test_awkward_uuids_need_double_encoding(app, simulator, uuid):
    """Trap 7."""
    simulator.create_recording("aurora-0", topic="R", uuid=uuid)
    app.connect("aurora-0")
    once, twice = quote(uuid, safe=""), quote(quote(uuid, safe=""), safe="")
    assert app.get(f"/meetings/{twice}/recordings").json()["uuid"] == uuid
    assert app.get(f"/meetings/{once}/recordings").status_code == 404


def test_recording_in_processing_does_not_exist_yet(app, simulator):
    """Trap 6: 404/3301 means both."""
    made = simulator.create_recording("aurora-0", topic="R", processing=True, uuid="plain==")
    answer = app.connect("aurora-0").get(f"/meetings/{quote(made['id'])}/recordings")
    assert (answer.status_code, answer.json()["code"]) == (404, 3301)


def test_missing_scope_is_400_4711(app, simulator):
    """Trap 3."""
    simulator.options(scopes=["user:read:user:admin"])
    answer = app.connect("aurora-0").get("/users/me/meetings")
    assert (answer.status_code, answer.json()["code"]) == (400, 4711)
    assert "meeting:read:list_meetings:admin" in answer.json()["message"]


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
    refused = [answer for answer in answers if answer.status_code == 429]
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
    made = first.client.create_meeting("aurora-0", topic="Kept")
    first.stop()
    second = SimulatorProcess("--state", file)
    try:
        assert second.client.change_meeting(made["id"], duration=30)["topic"] == "Kept"
    finally:
        second.stop()


def test_one_slash_inside_a_uuid_arrives_encoded_once(app, simulator):
    """REFERENCE 3.1: only a slash in front and two in a row need to be encoded twice."""
    app.connect("aurora-0")
    made = simulator.create_recording("aurora-0", uuid="abc/defghijklmnopqrst==")
    answer = app.get("/meetings/abc%2Fdefghijklmnopqrst%3D%3D/recordings")
    assert answer.status_code == 200
    assert answer.json()["uuid"] == made["id"]
    simulator.create_recording("aurora-0", uuid="ab//efghijklmnopqrst==")
    assert app.get("/meetings/ab%2F%2Fefghijklmnopqrst%3D%3D/recordings").status_code == 404
    assert app.get("/meetings/ab%252F%252Fefghijklmnopqrst%253D%253D/recordings").ok


def test_a_slow_call_of_the_world_before_leaves_the_new_one_alone(app, simulator):
    """A time-out is not the end of the call at Zoom; the next test must not see its rest."""
    app.connect("aurora-0")
    simulator.fault("slow", path="/users/me", seconds=0.6, count=1)
    late = threading.Thread(target=app.get, args=("/users/me",))
    late.start()
    while not simulator.state()["faults"][0]["hits"]:
        time.sleep(0.02)
    simulator.reset()
    late.join()
    assert simulator.calls() == []
