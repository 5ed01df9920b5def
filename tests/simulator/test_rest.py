"""REST endpoints of the simulator: paging, date ranges, expired numbers, tenants, errors."""

import threading
import time
from urllib.parse import quote

import pytest
import requests

from tests.contract.checker import contract
from wagtail_zoom.testing.simulator import app as simulator_app


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


def test_page_sizes_are_limited_not_refused(app, simulator):
    simulator.bulk("aurora-0", meetings=310)
    page = app.connect("aurora-0").get("/users/me/meetings", page_size=5000).json()
    assert (page["page_size"], len(page["meetings"])) == (300, 300)
    rest = app.get("/users/me/meetings", page_size=5000, next_page_token=page["next_page_token"])
    assert len(page["meetings"]) + len(rest.json()["meetings"]) == page["total_records"]
    assert app.get("/users", page_size=10**12).json()["page_size"] == 2000
    for wrong in ("0", "-1", "many"):
        assert app.get("/users/me/meetings", page_size=wrong).json()["code"] == 300


def test_pages_by_number(app, simulator):
    """The older way through a list; those of recordings never knew it."""
    simulator.bulk("aurora-0", meetings=70, recordings=40, days=1)
    app.connect("aurora-0")
    pages = [app.get("/users/me/meetings", page_number=number).json() for number in range(1, 5)]
    numbers = [meeting["id"] for page in pages for meeting in page["meetings"]]
    assert numbers == [row["id"] for row in all_pages(app, "/users/me/meetings", "meetings")]
    assert [page["page_number"] for page in pages] == [1, 2, 3, 4]
    assert (pages[-1]["meetings"], pages[-1]["next_page_token"]) == ([], "")
    after_second = app.get(
        "/users/me/meetings", page_number=2, next_page_token=pages[1]["next_page_token"]
    ).json()
    assert after_second["meetings"] == pages[2]["meetings"]
    assert len(app.get("/users", page_number=1, page_size=2).json()["users"]) == 2
    assert app.get("/users", page_number="x").json()["code"] == 300


def test_an_unknown_status_is_ignored(app):
    app.connect("aurora-0")
    assert app.get("/users", status="nonsense").json() == app.get("/users").json()
    assert app.get("/users", status="pending").json()["users"] == []


def test_who_has_not_accepted_the_invitation_has_no_id(app, simulator):
    simulator.create_user("aurora", status="pending", email="new@example.org")
    [pending] = app.connect("aurora-0").get("/users", status="pending").json()["users"]
    assert pending["email"] == "new@example.org" and "id" not in pending


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nonsense"), ("GET", "/meetings"), ("GET", "/meetings/1/nonsense"),
        ("POST", "/users/me/recordings"), ("DELETE", "/users"),
    ],
)  # fmt: skip
def test_unknown_paths_and_methods(app, method, path):
    response = app.connect("aurora-0").send(method, path)
    assert (response.status_code, response.json()["code"]) == (404, 2300)


def test_every_answer_has_a_tracking_id(app, simulator):
    answers = [app.token(auth=("a", "b")), app.get("/users/me"), app.get("/nonsense")]
    app.connect("aurora-0")
    answers += [app.get("/users/me"), app.get("/meetings/1")]
    simulator.fault("status", status=503, path="/users/me")
    answers.append(app.get("/users/me"))
    assert [answer.status_code for answer in answers] == [401, 401, 404, 200, 404, 503]
    assert len({answer.headers["x-zm-trackingid"] for answer in answers}) == len(answers)


CONDITIONAL = {
    "meeting": {"authentication_option", "authentication_name", "authentication_domains",
                "authentication_exception", "custom_keys", "calendar_type", "summary_template_id"},
    "webinar": {"authentication_option", "authentication_name", "authentication_domains"},
}  # fmt: skip
"""Settings that depend on another one, or on what an app has sent."""


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_detail_has_the_settings_of_the_contract(app, simulator, kind):
    doc = simulator.create_meeting(
        "borealis-0", kind=kind, settings={"host_video": True}, creation_source="zoom_scheduler"
    )
    detail = app.connect("borealis-0").get(f"/{kind}s/{doc['id']}").json()
    schema = contract()["components"]["schemas"][f"{kind.capitalize()}Settings"]
    assert set(schema["properties"]) - set(detail["settings"]) == CONDITIONAL[kind]
    assert detail["settings"]["host_video"] is True
    assert detail["creation_source"] == "zoom_scheduler"
    secrets = {"meeting": "encrypted_password", "webinar": "encrypted_passcode"}
    assert detail[secrets[kind]] and detail["settings"]["contact_email"] == detail["host_email"]


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
    unknown_webinar = app.get("/webinars/1")
    assert (unknown_webinar.status_code, unknown_webinar.json()["code"]) == (400, 200)
    simulator.options(webinar_plan_status=400)
    assert app.get("/users/me/webinars").status_code == 400


def test_webinars_of_zoom_events_can_be_left_out(app, simulator):
    events_webinar = simulator.create_meeting("borealis-0", kind="webinar", is_events_webinar=True)
    app.connect("borealis-0")
    rows = all_pages(app, "/users/me/webinars", "webinars")
    assert [row["id"] for row in rows if row["is_events_webinar"]] == [events_webinar["id"]]
    rest = all_pages(app, "/users/me/webinars", "webinars", include_events_webinar="false")
    assert rest == [row for row in rows if not row["is_events_webinar"]] != []


def test_webinar_by_its_uuid(app, simulator):
    doc = simulator.create_meeting("borealis-0", kind="webinar", uuid="ab/cdefghijklmnopqrst==")
    path = f"/webinars/{quote(quote(doc['uuid'], safe=''), safe='')}"
    assert app.connect("borealis-0").get(path).json()["id"] == doc["id"]


def test_webinar_cannot_be_read_after_its_end(app, simulator):
    webinar = simulator.create_meeting("borealis-0", kind="webinar", topic="W", start_time="+1h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{webinar['id']}").status_code == 200
    simulator.advance("3h")
    app.connect("borealis-0")
    assert app.get(f"/webinars/{webinar['id']}").status_code == 404


def test_recordings_default_to_today(app, simulator):
    """Zoom documents one month at most, and answers longer ranges."""
    simulator.create_recording("aurora-1", topic="R", start_time="-10d 18:00")
    app.connect("aurora-0")
    user = next(u["id"] for u in simulator.state()["users"] if u["key"] == "aurora-1")
    assert app.get(f"/users/{user}/recordings").json()["meetings"] == []
    today = simulator.state()["clock"][:10]
    year = f"{int(today[:4]) - 1}{today[4:]}"
    simulator.create_recording("aurora-1", topic="Old", start_time="-100d 18:00")
    whole = app.get(f"/users/{user}/recordings", **{"from": year, "to": today}).json()
    assert {recording["topic"] for recording in whole["meetings"]} == {"R", "Old"}
    assert (whole["from"], whole["to"]) == (year, today)
    simulator.options(long_window="clip")
    clipped = app.get(f"/users/{user}/recordings", **{"from": year, "to": today}).json()
    assert [recording["topic"] for recording in clipped["meetings"]] == ["R"]
    simulator.options(long_window="error")
    refused = app.get(f"/users/{user}/recordings", **{"from": year, "to": today})
    assert refused.json()["code"] == 300


@pytest.mark.parametrize("number", [99, 100])
def test_types_of_recordings_without_a_meeting(app, simulator, number):
    doc = simulator.create_recording("aurora-0", topic="R", type=number)
    answer = app.connect("aurora-0").get(f"/meetings/{doc['meeting_id']}/recordings").json()
    assert answer["type"] == str(number)


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
    assert refused[0].headers["X-RateLimit-Reset"] and "Retry-After" not in refused[0].headers


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncate"])
def test_cut_connections_reach_the_client(app, simulator, kind):
    app.connect("aurora-0")
    simulator.fault(kind, path="/users/me", count=1)
    with pytest.raises(requests.RequestException):
        app.get("/users/me")
    assert app.get("/users/me").status_code == 200


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_call_is_recorded_before_its_connection_is_cut(tmp_path, kind):
    """Who sees the end of the connection may ask for the calls at once."""
    data, recorded = simulator_app.World(str(tmp_path / "state.sqlite3")), []
    simulated = simulator_app.create_app(data)
    data.faults.add({"kind": kind, "path": "/users/me"})

    class Connection:
        def shutdown(self, how):
            recorded.append([call["fault"] for call in data.recorder.find()])

    environ = {"werkzeug.socket": Connection(), "RAW_URI": "/v2/users/me"}
    simulated.test_client().get("/v2/users/me", environ_overrides=environ)
    assert recorded == [[kind]]


@pytest.mark.parametrize("kind", ["broken_json", "wrong_type", "loop_page_tokens", "status"])
def test_wrong_answers(app, simulator, kind):
    app.connect("aurora-0")
    right = app.get("/users").text
    simulator.fault(kind, path="/users$", count=1, status=503)
    assert app.get("/users").text != right
    assert app.get("/users").text == right


@pytest.mark.parametrize("kind", ["slow", "expire_page_tokens"])
def test_a_call_with_a_page_token_counts_a_fault_once(app, simulator, kind):
    """Checking the token uses up no fault of the whole call, which may be added meanwhile."""
    app.connect("aurora-0")
    pages = [app.get("/users", page_size=1).json()]
    simulator.fault(kind, path="/users$", count=2, seconds=0)
    answers = [
        app.get("/users", page_size=1, next_page_token=pages[0]["next_page_token"])
        for _number in range(3)
    ]
    refused = 400 if kind == "expire_page_tokens" else 200
    assert [answer.status_code for answer in answers] == [refused, refused, 200]
    assert simulator.state()["faults"][0]["hits"] == 2
    assert [call["fault"] for call in simulator.calls("path=/users")[-3:]] == (
        ["", "", ""] if kind == "expire_page_tokens" else ["slow", "slow", ""]
    )


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
