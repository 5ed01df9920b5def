"""Creating, changing and deleting meetings and webinars through the API: every rule of Zoom's."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from wagtail_zoom.testing.simulator.scopes import SCHEDULING, default_scopes

KINDS = ["meeting", "webinar"]
DATED = {"meeting": 2, "webinar": 5}
SERIES = {"meeting": 8, "webinar": 9}
UNDATED = {"meeting": 3, "webinar": 6}
WEEKLY = {"type": 2, "repeat_interval": 1, "weekly_days": "3", "end_times": 4}
START = "2027-03-09T18:00:00"
"""A Tuesday before the clocks of Berlin and New York change."""


def meeting(kind="meeting", **fields):
    body = {"topic": "Open evening", "type": DATED[kind], "start_time": START, "duration": 45}
    return {**body, "timezone": "Europe/Berlin", **fields}


def series(kind="meeting", rule=WEEKLY, **fields):
    return meeting(kind, type=SERIES[kind], recurrence=rule, **fields)


def create(app, body, kind="meeting", status=201):
    response = app.post(f"/users/me/{kind}s", body)
    assert response.status_code == status, response.text
    return response.json()


def change(app, number, body, kind="meeting", status=204, **params):
    response = app.send("PATCH", f"/{kind}s/{number}", body, **params)
    assert response.status_code == status, response.text
    return response.json() if response.text else None


def delete(app, number, kind="meeting", status=204, **params):
    response = app.send("DELETE", f"/{kind}s/{number}", **params)
    assert response.status_code == status, response.text
    return response.json() if response.text else None


def read(app, number, kind="meeting", **params):
    return app.get(f"/{kind}s/{number}", **params).json()


def ids(doc):
    return [date["occurrence_id"] for date in doc["occurrences"]]


def starts(doc):
    return [date["start_time"] for date in doc["occurrences"]]


def refused_fields(answer):
    assert answer["code"] == 300, answer
    return {error["field"] for error in answer["errors"]}


@pytest.fixture(autouse=True)
def new_year(simulator):
    """The day before which nothing of these tests lies."""
    simulator.call("POST", "clock", set="2027-01-04T10:00:00Z")


# Creating


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_meeting_is_the_answer(connected, kind):
    doc = create(connected, meeting(kind, agenda="Bring a book."), kind)
    assert (doc["topic"], doc["agenda"], doc["duration"]) == ("Open evening", "Bring a book.", 45)
    assert (doc["type"], doc["start_time"]) == (DATED[kind], "2027-03-09T17:00:00Z")
    assert (doc["timezone"], doc["creation_source"]) == ("Europe/Berlin", "open_api")
    assert doc["join_url"] and doc["start_url"] and doc["password"]
    assert read(connected, doc["id"], kind) == doc
    rows = connected.get(f"/users/me/{kind}s").json()[f"{kind}s"]
    assert doc["id"] in [row["id"] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_keeps_its_hour_when_the_clocks_change(connected, kind):
    doc = create(connected, series(kind), kind)
    assert starts(doc) == [
        "2027-03-09T17:00:00Z", "2027-03-16T17:00:00Z", "2027-03-23T17:00:00Z",
        "2027-03-30T16:00:00Z",
    ]  # fmt: skip
    assert doc["recurrence"] == WEEKLY and doc["start_time"] == starts(doc)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_date(connected, kind):
    doc = create(connected, {"topic": "Any time", "type": UNDATED[kind]}, kind)
    assert doc["type"] == UNDATED[kind]
    assert "start_time" not in doc and "occurrences" not in doc


def test_an_instant_meeting(connected):
    doc = create(connected, {"topic": "Now", "type": 1})
    assert doc["start_time"].startswith("2027-01-04T10:00")
    rows = connected.get("/users/me/meetings", page_size=300).json()["meetings"]
    assert doc["id"] not in [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("fields", "start", "zone"),
    [
        ({"start_time": f"{START}Z", "timezone": "Europe/Berlin"}, "T18:00:00Z", "Europe/Berlin"),
        ({"start_time": START, "timezone": "Asia/Tokyo"}, "T09:00:00Z", "Asia/Tokyo"),
        ({"start_time": START}, "T23:00:00Z", "America/New_York"),  # the host's
        ({"start_time": f"{START}Z"}, "T18:00:00Z", "America/New_York"),
    ],
)
def test_z_is_utc_and_without_it_the_wall_clock(connected, fields, start, zone):
    body = {"topic": "When", "type": 2, **fields}
    doc = create(connected, body)
    assert (doc["start_time"], doc["timezone"]) == (f"2027-03-09{start}", zone)
    change(connected, doc["id"], {"start_time": f"{START}Z"})
    assert read(connected, doc["id"])["start_time"] == "2027-03-09T18:00:00Z"


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ({"type": 1, "repeat_interval": 90, "end_times": 2}, ["03-09", "06-07"]),
        ({"type": 2, "repeat_interval": 12, "weekly_days": "3", "end_times": 2},
         ["03-09", "06-01"]),
        ({"type": 2, "weekly_days": "1,4", "end_times": 3}, ["03-10", "03-14", "03-17"]),
        ({"type": 3, "repeat_interval": 3, "monthly_day": 31, "end_times": 2},
         ["03-31", "12-31"]),
        ({"type": 3, "monthly_week": -1, "monthly_week_day": 6, "end_times": 2},
         ["03-26", "04-30"]),
        ({"type": 1, "end_date_time": "2027-03-10T17:00:00Z"}, ["03-09", "03-10"]),
    ],
)  # fmt: skip
def test_zoom_makes_the_dates_of_a_rule(connected, rule, days):
    doc = create(connected, series(rule=rule))
    assert [start[5:10] for start in starts(doc)] == days
    assert doc["recurrence"] == {"repeat_interval": 1, **rule}


def test_sixty_dates(connected):
    doc = create(connected, series(rule={"type": 1, "end_times": 60}))
    assert len(doc["occurrences"]) == 60


WRONG = [
    ({"topic": ""}, "topic"),
    ({"topic": "x" * 201}, "topic"),
    ({"topic": 7}, "topic"),
    ({"agenda": "x" * 2001}, "agenda"),
    ({"type": 4}, "type"),
    ({"type": "2"}, "type"),
    ({"type": True}, "type"),
    ({"type": 5}, "type"),  # a webinar's
    ({"start_time": "2027-03-09 18:00"}, "start_time"),
    ({"start_time": "2027-02-30T18:00:00"}, "start_time"),
    ({"start_time": "2027-03-09T18:00:00+01:00"}, "start_time"),
    ({"start_time": "9999-12-31T18:00:00"}, "start_time"),
    ({"duration": 0}, "duration"),
    ({"duration": 1441}, "duration"),
    ({"duration": "60"}, "duration"),
    ({"timezone": "Europe/Atlantis"}, "timezone"),
    ({"timezone": "Europe"}, "timezone"),
    ({"timezone": ""}, "timezone"),
    ({"password": "12345678901"}, "password"),
    ({"password": "with space"}, "password"),
    ({"password": "naïve"}, "password"),
    ({"template_id": "nobodys"}, "template_id"),
    ({"recurrence": WEEKLY}, "recurrence"),  # of a single meeting
    ({"settings": []}, "settings"),
    ({"settings": {"approval_type": 3}}, "settings.approval_type"),
    ({"settings": {"approval_type": True}}, "settings.approval_type"),
    ({"settings": {"registration_type": 0}}, "settings.registration_type"),
    ({"settings": {"auto_recording": "always"}}, "settings.auto_recording"),
    ({"settings": {"waiting_room": "yes"}}, "settings.waiting_room"),
    ({"settings": {"alternative_hosts": ["a"]}}, "settings.alternative_hosts"),
    ({"settings": {"custom_keys": [{"key": "k" * 65, "value": ""}]}}, "settings.custom_keys"),
    ({"settings": {"custom_keys": [{"key": "k", "value": "v" * 257}]}}, "settings.custom_keys"),
    ({"settings": {"custom_keys": [{"key": "k", "value": "v"}] * 11}}, "settings.custom_keys"),
    ({"settings": {"custom_keys": {"key": "k"}}}, "settings.custom_keys"),
]


@pytest.mark.parametrize(("fields", "name"), WRONG)
def test_invalid_fields_are_named(connected, simulator, fields, name):
    before = len(simulator.meetings())
    assert refused_fields(create(connected, meeting(**fields), status=400)) == {name}
    assert len(simulator.meetings()) == before


WRONG_RULES = [
    ({"type": 4}, "type"),
    ({"type": None}, "type"),
    ({"repeat_interval": 0}, "repeat_interval"),
    ({"repeat_interval": 13}, "repeat_interval"),
    ({"type": 1, "repeat_interval": 91}, "repeat_interval"),
    ({"type": 3, "monthly_day": 1, "repeat_interval": 4}, "repeat_interval"),
    ({"weekly_days": "0"}, "weekly_days"),
    ({"weekly_days": "1,8"}, "weekly_days"),
    ({"weekly_days": 3}, "weekly_days"),
    ({"type": 3, "monthly_day": 32}, "monthly_day"),
    ({"type": 3}, "monthly_day"),
    ({"type": 3, "monthly_week": 5, "monthly_week_day": 1}, "monthly_week"),
    ({"type": 3, "monthly_day": 1, "monthly_week": 1, "monthly_week_day": 1}, "monthly_day"),
    ({"monthly_week": 1}, "monthly_week_day"),
    ({"end_times": 0}, "end_times"),
    ({"end_times": 61}, "end_times"),
    ({"end_date_time": "2027-04-01T00:00:00Z"}, "end_times"),  # both
]


@pytest.mark.parametrize(("changes", "name"), WRONG_RULES)
def test_invalid_rules(connected, changes, name):
    answer = create(connected, series(rule={**WEEKLY, **changes}), status=400)
    assert f"recurrence.{name}" in refused_fields(answer)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("weekly", "recurrence"),
        (None, "recurrence"),
        ({"type": 1}, "recurrence.end_times"),  # neither
        ({"type": 1, "end_date_time": "2027-04-01T00:00:00"}, "recurrence.end_date_time"),
        ({"type": 1, "end_date_time": "2027-03-01T00:00:00Z"}, "recurrence"),  # no date at all
        ({"end_times": 2}, "recurrence.type"),
    ],
)
def test_rules_without_an_end_or_a_date(connected, simulator, rule, name):
    before = len(simulator.meetings())
    assert refused_fields(create(connected, series(rule=rule), status=400)) == {name}
    assert len(simulator.meetings()) == before


def test_all_invalid_fields_are_named_together(connected):
    answer = create(connected, {"agenda": 7, "settings": {"host_video": 1}}, status=400)
    assert refused_fields(answer) == {"topic", "type", "agenda", "settings.host_video"}
    assert refused_fields(create(connected, {"topic": "T", "type": 2}, status=400)) == {
        "start_time"
    }
    body = {"topic": "T", "type": 8, "start_time": START}
    assert refused_fields(create(connected, body, status=400)) == {"recurrence"}
    assert create(connected, [], status=400)["code"] == 300


def test_the_host_must_exist_and_be_allowed_to_host(connected, simulator):
    for identifier in ("nobody@example.org", "aurora-0@example.org"):
        response = connected.post(f"/users/{identifier}/meetings", meeting())
        assert (response.status_code, response.json()["code"]) == (404, 1001)
    response = connected.post("/users/borealis-1@example.org/meetings", meeting())
    number = response.json()["id"]
    assert response.json()["host_email"] == "borealis-1@example.org"
    simulator.change_user("borealis-1", can_host=False)
    response = connected.post("/users/borealis-1@example.org/meetings", meeting())
    assert (response.status_code, response.json()["code"]) == (400, 3161)
    assert change(connected, number, {"topic": "N"}, status=400)["code"] == 3161


def test_other_users_are_refused(connected):
    answer = create(connected, meeting(schedule_for="borealis-1@example.org"), status=400)
    assert answer["code"] == 3000 and "cannot schedule a meeting for" in answer["message"]
    doc = create(connected, meeting(schedule_for="borealis-0@example.org"))
    other = {"schedule_for": "borealis-1@example.org"}
    assert change(connected, doc["id"], other, status=400)["code"] == 3000


@pytest.mark.parametrize("approval_type", [0, 1])
def test_registration_needs_a_licensed_host(app, simulator, approval_type):
    body = meeting(settings={"approval_type": approval_type})
    for key in ("harbour-0", "borealis-1"):  # a free account, a Basic host of a paid one
        simulator.change_user("borealis-1", type=1)
        app.connect(key)
        answer = create(app, body, status=400)
        assert answer["code"] == 200 and "Paid users" in answer["message"]
        doc = create(app, meeting(settings={"approval_type": 2}))
        assert "registration_url" not in doc
        assert change(app, doc["id"], {"settings": body["settings"]}, status=400)["code"] == 200
    app.connect("borealis-0")
    doc = create(app, body)
    assert doc["registration_url"]
    assert read(app, doc["id"])["settings"]["approval_type"] == approval_type


def test_webinars_need_their_plan(app):
    app.connect("aurora-0")
    answer = create(app, meeting("webinar"), "webinar", status=400)
    assert answer["code"] == 200 and "Webinar plan" in answer["message"]


# Passcode and waiting room


@pytest.mark.parametrize(
    ("defaults", "sent", "has_passcode", "waiting_room"),
    [
        ({}, {}, True, True),
        ({"passcode": False, "waiting_room": False}, {}, False, False),
        ({"passcode": False}, {"default_password": True}, True, True),
        ({}, {"password": "own"}, True, False),
        ({}, {"settings": {"waiting_room": True}}, False, True),
        ({}, {"settings": {"waiting_room": False}}, False, False),
        ({}, {"password": "", "settings": {"waiting_room": False}}, False, False),
        ({}, {"settings": {"waiting_room": True}, "default_password": True}, True, True),
    ],
)
def test_the_hosts_defaults_apply_when_neither_is_sent(
    connected, simulator, defaults, sent, has_passcode, waiting_room
):
    simulator.change_user("borealis-0", meeting_defaults=defaults)
    doc = create(connected, meeting(**sent))
    assert bool(doc["password"]) is has_passcode
    assert doc["settings"]["waiting_room"] is waiting_room
    if sent.get("password"):
        assert doc["password"] == "own" and "pwd=own" in doc["join_url"]


@pytest.mark.parametrize(
    ("policy", "has_passcode", "waiting_room"),
    [("passcode", True, False), ("waiting_room", False, True), ("either", True, False)],
)
def test_a_security_policy_forces_one(connected, simulator, policy, has_passcode, waiting_room):
    simulator.change_account("borealis", security_policy=policy)
    open_to_all = {"password": "", "settings": {"waiting_room": False}}
    doc = create(connected, meeting(**open_to_all))
    assert (bool(doc["password"]), doc["settings"]["waiting_room"]) == (has_passcode, waiting_room)
    change(connected, doc["id"], open_to_all)
    changed = read(connected, doc["id"])
    assert changed["password"] == doc["password"]
    assert changed["settings"]["waiting_room"] is waiting_room


def test_either_is_enough(connected, simulator):
    simulator.change_account("borealis", security_policy="either")
    doc = create(connected, meeting(password="", settings={"waiting_room": True}))
    assert (doc["password"], doc["settings"]["waiting_room"]) == ("", True)


def test_passcode_of_a_webinar(connected, simulator):
    assert create(connected, meeting("webinar"), "webinar")["password"]
    assert create(connected, meeting("webinar", password=""), "webinar")["password"] == ""
    both = {"password": "", "default_passcode": True}
    assert create(connected, meeting("webinar", **both), "webinar")["password"]


# Templates, own keys


def test_templates_of_a_host(connected, simulator):
    answer = connected.get("/users/me/meeting_templates").json()
    [_group, lecture] = answer["templates"]
    assert answer["total_records"] == 2 and lecture["name"] == "Lecture with recording"
    doc = create(connected, meeting(template_id=lecture["id"], settings={"host_video": True}))
    assert doc["template_id"] == lecture["id"]
    assert doc["settings"]["auto_recording"] == "cloud" and doc["settings"]["host_video"]
    own = meeting(template_id=lecture["id"], settings={"auto_recording": "none"})
    assert create(connected, own)["settings"]["auto_recording"] == "none"
    other = connected.get("/users/borealis-1@example.org/meeting_templates").json()
    assert not {row["id"] for row in other["templates"]} & {lecture["id"]}
    simulator.create_user("borealis", email="new@example.org")
    none = connected.get("/users/new@example.org/meeting_templates").json()
    assert none == {"templates": [], "total_records": 0}


def test_own_keys_are_returned_unless_the_option_says_otherwise(connected, simulator):
    keys = [{"key": "change", "value": "b7e0"}]
    doc = create(connected, meeting(settings={"custom_keys": keys}))
    assert doc["settings"]["custom_keys"] == keys
    assert read(connected, doc["id"])["settings"]["custom_keys"] == keys
    simulator.options(custom_keys_returned=False)
    assert "custom_keys" not in read(connected, doc["id"])["settings"]
    answer = create(connected, meeting(settings={"custom_keys": keys}))
    assert "custom_keys" not in answer["settings"]


def test_webinars_have_no_own_keys(connected):
    keys = [{"key": "change", "value": "b7e0"}]
    doc = create(connected, meeting("webinar", settings={"custom_keys": keys}), "webinar")
    assert "custom_keys" not in doc["settings"]


# Changing


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_has_no_answer_and_leaves_the_rest(connected, kind):
    doc = create(connected, meeting(kind, agenda="A", settings={"host_video": True}), kind)
    change(connected, doc["id"], {"topic": "New", "settings": {"approval_type": 0}}, kind)
    changed = read(connected, doc["id"], kind)
    assert changed["topic"] == "New" and changed["registration_url"]
    for name in ("agenda", "start_time", "duration", "timezone", "password", "uuid"):
        assert changed[name] == doc[name], name
    assert changed["settings"]["host_video"] is True
    change(connected, doc["id"], {}, kind)
    assert read(connected, doc["id"], kind) == changed


def test_invalid_changes(connected):
    number = create(connected, meeting())["id"]
    for fields, name in WRONG:
        if "template_id" not in fields:
            assert refused_fields(change(connected, number, fields, status=400)) == {name}
    undated = create(connected, {"topic": "T", "type": 3})["id"]
    assert refused_fields(change(connected, undated, {"type": 2}, status=400)) == {"start_time"}
    answer = change(connected, undated, {"type": 8}, status=400)
    assert refused_fields(answer) == {"start_time", "recurrence"}


def test_an_undated_meeting_gets_no_start(connected):
    number = create(connected, {"topic": "T", "type": 3})["id"]
    change(connected, number, {"start_time": START})
    assert "start_time" not in read(connected, number)
    change(connected, number, {"type": 2, "start_time": START, "timezone": "Europe/Berlin"})
    assert read(connected, number)["start_time"] == "2027-03-09T17:00:00Z"
    change(connected, number, {"type": 3})
    assert "start_time" not in read(connected, number)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_topic_leaves_the_dates(connected, kind):
    doc = create(connected, series(kind), kind)
    moved, cancelled = ids(doc)[1:3]
    move = {"start_time": "2027-03-17T20:00:00"}
    change(connected, doc["id"], move, kind, occurrence_id=moved)
    delete(connected, doc["id"], kind, occurrence_id=cancelled)
    change(connected, doc["id"], {"topic": "New"}, kind)
    changed = read(connected, doc["id"], kind)
    assert ids(changed) == ids(doc) and starts(changed)[1] == "2027-03-17T19:00:00Z"
    assert [date["status"] for date in changed["occurrences"]] == [
        "available", "available", "deleted", "available",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", [WEEKLY, {**WEEKLY, "repeat_interval": 2}])
def test_a_rule_makes_all_dates_again(connected, kind, rule):
    """Even the same rule: single moves and cancellations are lost, and no id stays."""
    doc = create(connected, series(kind), kind)
    move = {"start_time": "2027-03-17T20:00:00", "agenda": "Elsewhere"}
    change(connected, doc["id"], move, kind, occurrence_id=ids(doc)[1])
    delete(connected, doc["id"], kind, occurrence_id=ids(doc)[2])
    change(connected, doc["id"], {"recurrence": rule}, kind)
    changed = read(connected, doc["id"], kind)
    assert not set(ids(changed)) & set(ids(doc)) and len(set(ids(changed))) == 4
    assert {date["status"] for date in changed["occurrences"]} == {"available"}
    if rule == WEEKLY:
        assert starts(changed) == starts(doc)
    change(connected, doc["id"], {"recurrence": WEEKLY}, kind)
    again = read(connected, doc["id"], kind)
    assert not set(ids(again)) & {*ids(doc), *ids(changed)}


def test_dates_of_a_new_rule_can_keep_their_ids(connected, simulator):
    """Unverified at Zoom: both ways."""
    simulator.options(rule_keeps_occurrence_ids=True)
    doc = create(connected, series())
    delete(connected, doc["id"], occurrence_id=ids(doc)[2])
    change(connected, doc["id"], {"recurrence": {**WEEKLY, "repeat_interval": 2}})
    changed = read(connected, doc["id"])
    assert set(ids(changed)) & set(ids(doc)) == {ids(doc)[0], ids(doc)[2]}
    assert changed["occurrences"][1]["status"] == "available"


def test_single_becomes_series_and_back(connected):
    number = create(connected, meeting())["id"]
    change(connected, number, {"type": 8, "recurrence": WEEKLY})
    assert len(read(connected, number)["occurrences"]) == 4
    change(connected, number, {"type": 2})
    changed = read(connected, number)
    assert (changed["type"], changed["start_time"]) == (2, "2027-03-09T17:00:00Z")
    assert "occurrences" not in changed and "recurrence" not in changed


def test_a_rule_without_a_date_changes_nothing(connected):
    doc = create(connected, series())
    rule = {"type": 1, "end_date_time": "2027-03-01T00:00:00Z"}
    answer = change(connected, doc["id"], {"recurrence": rule}, status=400)
    assert refused_fields(answer) == {"recurrence"}
    assert read(connected, doc["id"]) == doc


@pytest.mark.parametrize("kind", KINDS)
def test_one_date_takes_some_fields_only(connected, kind):
    doc = create(connected, series(kind), kind)
    date = ids(doc)[1]
    fields = {
        "agenda": "In the garden", "start_time": "2027-03-18T19:00:00", "duration": 90,
        "settings": {"host_video": True, "auto_recording": "cloud"},
    }  # fmt: skip
    change(connected, doc["id"], fields, kind, occurrence_id=date)
    whole, detail = (
        read(connected, doc["id"], kind),
        read(connected, doc["id"], kind, occurrence_id=date),
    )
    assert whole["occurrences"][1] == {
        "occurrence_id": date, "start_time": "2027-03-18T18:00:00Z", "duration": 90,
        "status": "available",
    }  # fmt: skip
    assert (whole["agenda"], whole["settings"]["host_video"]) == ("", False)
    assert (detail["agenda"], detail["start_time"], detail["duration"]) == (
        "In the garden", "2027-03-18T18:00:00Z", 90,
    )  # fmt: skip
    assert (detail["settings"]["host_video"], detail["settings"]["auto_recording"]) == (
        True,
        "cloud",
    )
    for name in ("topic", "timezone", "type", "recurrence", "password"):
        answer = change(
            connected, doc["id"], {name: doc[name]}, kind, status=400, occurrence_id=date
        )
        assert refused_fields(answer) == {name}
    body = {"duration": 0, "settings": {"approval_type": 0, "host_video": "yes"}}
    answer = change(connected, doc["id"], body, kind, status=400, occurrence_id=date)
    assert refused_fields(answer) == {
        "duration", "settings.approval_type", "settings.host_video",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_and_cancelled_dates(connected, kind):
    doc = create(connected, series(kind), kind)
    delete(connected, doc["id"], kind, occurrence_id=ids(doc)[1])
    for date in ("1", ids(doc)[1]):
        params = {"status": 404, "occurrence_id": date}
        assert change(connected, doc["id"], {"duration": 5}, kind, **params)["code"] == 3001
        assert delete(connected, doc["id"], kind, **params)["code"] == 3001
        assert read(connected, doc["id"], kind, occurrence_id=date)["code"] == 3001


def test_simultaneous_changes_lose_nothing(connected):
    number = create(connected, meeting())["id"]
    bodies = [{"topic": "N"}, {"agenda": "A"}, {"duration": 20}, {"settings": {"host_video": True}}]
    with ThreadPoolExecutor(len(bodies)) as pool:
        list(pool.map(lambda body: change(connected, number, body), bodies))
    doc = read(connected, number)
    assert (doc["topic"], doc["agenda"], doc["duration"]) == ("N", "A", 20)
    assert doc["settings"]["host_video"] is True


# Deleting


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_once(connected, simulator, kind):
    doc = create(connected, series(kind), kind)
    names = {
        "meeting": ("schedule_for_reminder", "cancel_meeting_reminder"),
        "webinar": ("cancel_webinar_reminder",),
    }[kind]
    wrong = delete(connected, doc["id"], kind, status=400, **{names[-1]: "yes"})
    assert refused_fields(wrong) == {names[-1]}
    delete(connected, doc["id"], kind, **dict.fromkeys(names, "true"))
    assert simulator.meeting(doc["id"])["state"] == "deleted"
    assert delete(connected, doc["id"], kind, status=404)["code"] == 3001
    assert change(connected, doc["id"], {"topic": "N"}, kind, status=404)["code"] == 3001


@pytest.mark.parametrize("kind", KINDS)
def test_not_deleted_while_running(connected, simulator, kind):
    doc = create(connected, series(kind), kind)
    simulator.start_meeting(doc["id"])
    assert delete(connected, doc["id"], kind, status=400)["code"] == 3002
    date = ids(doc)[1]
    assert delete(connected, doc["id"], kind, status=400, occurrence_id=date)["code"] == 3002
    simulator.end_meeting(doc["id"])
    delete(connected, doc["id"], kind)


def test_the_wrong_kind(connected):
    meeting_number = create(connected, meeting())["id"]
    webinar_number = create(connected, meeting("webinar"), "webinar")["id"]
    assert change(connected, webinar_number, {"topic": "N"}, status=400)["code"] == 3000
    assert delete(connected, webinar_number, status=400)["code"] == 3000
    assert delete(connected, meeting_number, "webinar", status=400)["code"] == 300


def test_only_the_own_meetings_of_a_user_managed_app(app, simulator):
    simulator.options(app_kind="user")
    app.connect("borealis-1")
    other = simulator.create_meeting("borealis-0", topic="Not theirs")["id"]
    assert change(app, other, {"topic": "N"}, status=400)["code"] == 3003
    assert delete(app, other, status=400)["code"] == 3003
    number = create(app, meeting())["id"]
    change(app, number, {"topic": "N"})
    delete(app, number)
    assert app.post("/users/borealis-0@example.org/meetings", meeting()).status_code == 403


def test_meetings_of_other_accounts(app, simulator):
    app.connect("borealis-0")
    number = simulator.create_meeting("aurora-0", topic="Aurora's")["id"]
    assert change(app, number, {"topic": "N"}, status=404)["code"] == 3001
    assert delete(app, number, status=404)["code"] == 3001
    assert simulator.meeting(number)["topic"] == "Aurora's"


# Limits, scopes, faults, events, page


def test_daily_limit_of_a_host(connected, simulator):
    simulator.change_account("borealis", daily_limits={"SCHEDULE": 3})
    number = create(connected, meeting())["id"]
    change(connected, number, {"topic": "N"})
    create(connected, meeting("webinar"), "webinar")
    response = connected.post("/users/me/meetings", meeting())
    assert (response.status_code, response.json()["code"]) == (429, 429)
    assert "daily rate limit (3) of Meeting Create/Update" in response.json()["message"]
    assert response.headers["X-RateLimit-Type"] == "Daily-limit"
    assert response.headers["X-RateLimit-Limit"] == "3"
    assert response.headers["X-RateLimit-Remaining"] == "0"
    assert response.headers["Retry-After"] == "2027-01-05T00:00:00Z"
    assert change(connected, number, {"topic": "O"}, status=429)["code"] == 429
    other = connected.post("/users/borealis-1@example.org/meetings", meeting())
    assert other.status_code == 201  # the limit is one host's
    delete(connected, number)  # deletions are not limited
    simulator.advance("1d")
    connected.connect("borealis-0")
    create(connected, meeting())


def test_a_hundred_a_day(connected):
    number = create(connected, meeting())["id"]
    for turn in range(99):
        change(connected, number, {"duration": turn + 1})
    answer = change(connected, number, {"duration": 100}, status=429)
    assert "(100)" in answer["message"]


CALLS = [
    ("POST", "/users/me/meetings", "meeting:write:meeting"),
    ("PATCH", "/meetings/{}", "meeting:update:meeting"),
    ("DELETE", "/meetings/{}", "meeting:delete:meeting"),
    ("PATCH", "/meetings/{}/registrants/questions", "meeting:update:registration_question"),
    ("GET", "/users/me/meeting_templates", "meeting:read:list_templates"),
    ("POST", "/users/me/webinars", "webinar:write:webinar"),
    ("PATCH", "/webinars/{}", "webinar:update:webinar"),
    ("DELETE", "/webinars/{}", "webinar:delete:webinar"),
]


def test_an_app_without_the_scopes(app, simulator):
    assert {scope for _method, _path, scope in CALLS} == set(SCHEDULING)
    allowed = [scope for scope in default_scopes("admin") if scope[:-6] not in SCHEDULING]
    simulator.options(scopes=allowed)
    app.connect("borealis-0")
    number = simulator.create_meeting("borealis-0", topic="T")["id"]
    for method, path, scope in CALLS:
        response = app.send(method, path.format(number), {})
        assert (response.status_code, response.json()["code"]) == (400, 4711), path
        assert f"[{scope}:admin]" in response.json()["message"]


def test_an_answer_that_is_lost_after_the_work(connected, simulator):
    simulator.fault("cut_after", method="POST", path="/users/me/meetings$", count=1)
    with pytest.raises(requests.ConnectionError):
        connected.post("/users/me/meetings", meeting(topic="Lost"))
    [doc] = [row for row in simulator.meetings("borealis") if row["topic"] == "Lost"]
    for method, body in (("PATCH", {"topic": "Changed"}), ("DELETE", None)):
        simulator.fault("cut_after", method=method, path=f"/meetings/{doc['id']}$", count=1)
        with pytest.raises(requests.ConnectionError):
            connected.send(method, f"/meetings/{doc['id']}", body)
    stored = simulator.meeting(doc["id"])
    assert (stored["topic"], stored["state"]) == ("Changed", "deleted")


def test_a_request_that_never_arrives_and_one_that_is_answered_late(connected, simulator):
    simulator.fault("cut_before", method="POST", path="/webinars$", count=1)
    with pytest.raises(requests.ConnectionError):
        connected.post("/users/me/webinars", meeting("webinar", topic="Never"))
    assert "Never" not in [row["topic"] for row in simulator.meetings("borealis")]
    simulator.fault("slow", method="POST", path="/webinars$", seconds=0.3, count=1)
    response = connected.post("/users/me/webinars", meeting("webinar", topic="Late"))
    assert response.status_code == 201 and response.elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_every_write_comes_back_as_an_event(connected, receiver, kind):
    doc = create(connected, series(kind), kind)
    delivery = receiver.last()
    assert (delivery.event, delivery.object["id"]) == (f"{kind}.created", doc["id"])
    assert delivery.object["creation_source"] == "open_api"
    change(connected, doc["id"], {"topic": "New"}, kind)
    delivery = receiver.last()
    assert (delivery.event, delivery.object) == (
        f"{kind}.updated", {"id": doc["id"], "topic": "New"},
    )  # fmt: skip
    move = {"start_time": "2027-03-18T19:00:00"}
    change(connected, doc["id"], move, kind, occurrence_id=ids(doc)[1])
    assert receiver.last().body["payload"]["scope"] == "single"
    change(connected, doc["id"], {"recurrence": WEEKLY}, kind)
    assert len(receiver.last().object["occurrences"]) == 4
    delete(connected, doc["id"], kind, occurrence_id=ids(read(connected, doc["id"], kind))[0])
    assert receiver.last().body["payload"]["operation"] == "single"
    delete(connected, doc["id"], kind)
    assert receiver.last().event == f"{kind}.deleted"
    assert len(receiver.deliveries) == 6


def test_a_refused_request_is_no_event(connected, receiver):
    doc = create(connected, series())
    create(connected, meeting(duration=0), status=400)
    rule = {"type": 1, "end_date_time": "2027-03-01T00:00:00Z"}
    change(connected, doc["id"], {"recurrence": rule}, status=400)
    assert receiver.events() == ["meeting.created"]


def test_questions_are_replaced(connected):
    number = create(connected, meeting(settings={"approval_type": 0}))["id"]
    path = f"/meetings/{number}/registrants/questions"
    first = {
        "questions": [{"field_name": "city", "required": True}],
        "custom_questions": [
            {"title": "Level?", "type": "single", "required": True, "answers": ["New", "Old"]}
        ],
    }
    assert connected.send("PATCH", path, first).status_code == 204
    assert connected.get(path).json() == first
    second = {"custom_questions": [{"title": "Why?", "type": "short", "required": False}]}
    assert connected.send("PATCH", path, second).status_code == 204
    assert connected.get(path).json() == {"questions": [], **second}
    for wrong, name in (
        ({"questions": [{"field_name": "shoe_size"}]}, "questions"),
        ({"questions": "city"}, "questions"),
        ({"custom_questions": [{"title": "", "type": "short"}]}, "custom_questions"),
        ({"custom_questions": [{"title": "T", "type": "single"}]}, "custom_questions"),
        ({"custom_questions": [{"title": "T", "type": "multiple", "answers": ["a"]}]},
         "custom_questions"),
    ):  # fmt: skip
        response = connected.send("PATCH", path, wrong)
        assert response.status_code == 400 and refused_fields(response.json()) == {name}
    assert connected.get(path).json() == {"questions": [], **second}
    closed = create(connected, meeting())["id"]
    response = connected.send("PATCH", f"/meetings/{closed}/registrants/questions", second)
    assert response.status_code == 404


def test_the_page_lists_what_an_app_has_changed(connected, simulator):
    """Newest first; what somebody changes on the page itself is not listed."""
    rule = {"type": 1, "end_times": 3}
    series = create(connected, meeting(topic="Course", type=8, recurrence=rule))
    path, dates = (
        f"/meetings/{series['id']}",
        [row["occurrence_id"] for row in series["occurrences"]],
    )
    connected.send("PATCH", path, {"agenda": "Bring a book."})
    connected.send("PATCH", f"{path}?occurrence_id={dates[0]}", {"duration": 30})
    connected.send("DELETE", f"{path}?occurrence_id={dates[1]}")
    connected.send("DELETE", path)
    connected.send("PATCH", path, {"agenda": "Gone."})
    simulator.create_meeting("borealis-0", topic="By hand")
    page = requests.get(f"{simulator.url}/?account=borealis").text
    section = page.partition("Changes by the app")[2].partition("</section>")[0]
    words = re.findall(r'<span class="chip">([^<]*)</span> Course', section)
    assert words == ["Deleted", "One date cancelled", "One date changed", "Changed", "Scheduled"]
    assert "By hand" not in section
    assert "Changes by the app" not in requests.get(f"{simulator.url}/?account=aurora").text


def test_the_page_says_what_an_app_has_scheduled(connected, simulator):
    create(connected, meeting(topic="By the app", start_time="2027-01-05T18:00:00"))
    page = requests.get(f"{simulator.url}/?account=borealis").text
    assert page.count("scheduled by an app") == 1
    row = page.partition("By the app")[2].partition("</li>")[0]
    assert "scheduled by an app" in row
