"""The simulator's web page: plain forms, without JavaScript."""

import re

import pytest
import requests


class Visitor:
    def __init__(self, simulator):
        self.url, self.simulator = simulator.url, simulator

    def page(self, path="/?account=borealis"):
        return requests.get(self.url + path)

    def do(self, name, **form):
        response = requests.post(f"{self.url}/do/{name}", {"account": "borealis", **form})
        assert response.status_code == 200, response.text
        return response


@pytest.fixture
def visitor(simulator):
    simulator.options(webhook_all=True)
    return Visitor(simulator)


def meeting(simulator, **fields):
    return simulator.create_meeting("borealis-0", **{"topic": "On the page", **fields})


WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}


@pytest.mark.parametrize("account", ["aurora", "borealis", "harbour"])
def test_page_of_each_account(visitor, account):
    page = visitor.page(f"/?account={account}")
    assert page.status_code == 200 and "Coming up" in page.text
    assert "<script" not in page.text and " style=" not in page.text and " onclick" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_hostile_topics_are_text(visitor):
    assert "&lt;script&gt;alert" in visitor.page("/?account=borealis&all=1").text


def test_style_sheet(visitor):
    assert "text/css" in visitor.page("/static/simulator.css").headers["Content-Type"]


@pytest.mark.parametrize(
    ("repeat", "dates"), [("", 0), ("daily", 5), ("weekly", 5), ("fortnightly", 5), ("monthly", 5)]
)
def test_schedule(visitor, simulator, repeat, dates):
    form = {
        "host": "borealis-0", "topic": "Made by hand", "start": "2030-05-05T18:30",
        "duration": "45", "repeat": repeat, "times": "5", "registration": "manual",
        "registration_type": "3",
    }  # fmt: skip
    assert "Created: Made by hand." in visitor.do("create", **form).text
    [meeting_data] = [
        meeting_doc
        for meeting_doc in simulator.meetings()
        if meeting_doc["topic"] == "Made by hand"
    ]
    assert len(meeting_data.get("occurrences", [])) == dates
    assert (meeting_data["start_time"][:13], meeting_data["duration"]) == ("2030-05-05T22", 45)
    assert (
        meeting_data["settings"]["approval_type"] == 1
        and meeting_data["settings"]["registration_type"] == 3
    )
    assert simulator.deliveries()[-1]["event"] == "meeting.created"


def test_schedule_a_webinar(visitor, simulator):
    visitor.do("create", host="borealis-0", topic="W", kind="webinar", duration="")
    assert simulator.deliveries()[-1]["event"] == "webinar.created"


def test_move_by_an_hour_and_to_a_new_time(visitor, simulator):
    number = meeting(simulator, start_time="2030-05-05T10:00:00Z")["id"]
    visitor.do("move", number=number, later="1h")
    assert simulator.meeting(number)["start_time"] == "2030-05-05T11:00:00Z"
    visitor.do("move", number=number, start="2030-06-01T08:00", topic="Renamed")
    moved = simulator.meeting(number)
    assert (moved["start_time"], moved["topic"]) == ("2030-06-01T12:00:00Z", "Renamed")


def test_move_to_some_minutes_from_now(visitor, simulator):
    simulator.call("POST", "clock", set="2030-05-05T10:00:40Z", freeze=True)
    number = meeting(simulator, start_time="2030-08-05T10:00:00Z")["id"]
    assert "Move to 5 minutes from now" in visitor.page().text
    visitor.do("move", number=number, soon="5m")
    assert simulator.meeting(number)["start_time"] == "2030-05-05T10:05:00Z"


def test_move_and_cancel_one_date(visitor, simulator):
    series = meeting(simulator, recurrence=WEEKLY)
    first, second = (date["occurrence_id"] for date in series["occurrences"][:2])
    visitor.do("move", number=series["id"], occurrence_id=first, later="1h")
    assert "Cancelled" in visitor.do("cancel", number=series["id"], occurrence_id=second).text
    dates = simulator.meeting(series["id"])["occurrences"]
    assert dates[0]["start_time"] > series["occurrences"][0]["start_time"]
    assert [date["status"] for date in dates].count("deleted") == 1
    visitor.do("recover", number=series["id"], occurrence_id=second)
    assert simulator.meeting(series["id"])["occurrences"][1]["status"] == "available"


def test_delete_and_bring_back(visitor, simulator):
    number = meeting(simulator)["id"]
    page = visitor.do("cancel", number=number)
    assert simulator.meeting(number)["state"] == "deleted" and "Deleted" in page.text
    visitor.do("recover", number=number)
    assert simulator.meeting(number)["state"] == "active"


def test_start_end_record(visitor, simulator):
    number = meeting(simulator)["id"]
    assert "Live now" in visitor.do("start", number=number).text
    assert "already started" in visitor.do("start", number=number).text
    visitor.do("end", number=number)
    assert "Recorded: On the page." in visitor.do("record", number=number).text
    recording = next(
        recording_doc
        for recording_doc in simulator.recordings()
        if recording_doc["topic"] == "On the page"
    )
    assert recording["id"] == simulator.meeting(number)["uuid"]


def test_recording_from_processing_to_the_trash(visitor, simulator):
    visitor.do("record", host="borealis-0", topic="Fresh", duration="30", processing="1")
    uuid = next(doc["id"] for doc in simulator.recordings() if doc["topic"] == "Fresh")
    assert "Processing" in visitor.page().text
    for what in ("ready", "trash", "recover", "trash", "delete"):
        visitor.do("recording", uuid=uuid, what=what)
    events = [doc["event"] for doc in simulator.deliveries() if doc["event"].startswith("rec")]
    names = ("completed", "transcript_completed", "trashed", "recovered", "trashed", "deleted")
    assert events == [f"recording.{name}" for name in names]


def test_host_decides_about_registrants(visitor, simulator):
    number = meeting(simulator, registration="manual")["id"]
    for name in ("Ada", "Bo"):
        simulator.register(number, email=f"{name}@example.org", first_name=name)
    assert "Waiting for approval" in visitor.page().text
    visitor.do("decide", number=number, registrant="ada@example.org", what="approve")
    form = {"registrant": "bo@example.org", "what": "deny", "back": f"/registrants/{number}"}
    page = visitor.do("decide", number=number, **form)
    assert "Bo: denied." in page.text and "Approved" in page.text


def test_remove_the_app(visitor, simulator, connected):
    assert re.search(r"Added by Lena Brandt, \d+ scopes", visitor.page().text)
    user = simulator.call("GET", "users/borealis-0")["id"]
    assert "Nobody in this account" in visitor.do("deauthorize", user=user).text
    assert connected.get("/users/me").status_code == 401


def test_deliveries_and_sending_again(visitor, simulator, receiver):
    receiver.answers = [500, 404]
    meeting(simulator)
    receiver.wait()
    page = visitor.page().text
    assert "meeting.created" in page and "again at" in page
    event = simulator.deliveries()[0]["event_id"]
    for _ in range(2):
        visitor.do("retry", event_id=event)
        receiver.wait()
    assert [delivery["status"] for delivery in simulator.deliveries()] == [500, 404, 200]
    assert "proved its secret" in visitor.do("validate").text


def test_validate_without_an_endpoint(visitor):
    assert "No webhook URL" in visitor.do("validate").text


def test_clock(visitor, simulator):
    before = simulator.state()["clock"]
    assert "Back to now" in visitor.do("clock", advance="1d").text
    assert simulator.state()["clock"] > before
    assert "Back to now" not in visitor.do("clock", advance="").text


def test_strange_forms_are_refused(visitor, simulator):
    assert requests.post(f"{visitor.url}/do/nonsense").status_code == 404
    foreign = {"Sec-Fetch-Site": "cross-site"}
    number = meeting(simulator)["id"]
    response = requests.post(f"{visitor.url}/do/cancel", {"number": number}, headers=foreign)
    assert response.status_code == 403 and simulator.meeting(number)["state"] == "active"
    assert "no meeting" in visitor.do("cancel", number="1").text


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_join_links_open_a_page(visitor, simulator, app, kind):
    number = meeting(simulator, kind=kind, registration="auto")["id"]
    detail = app.connect("borealis-0").get(f"/{kind}s/{number}").json()
    page = requests.get(detail["join_url"])
    assert page.status_code == 200 and "This is where Zoom would open" in page.text
    body = {"email": "ada@example.org", "first_name": "Ada"}
    personal = app.post(f"/{kind}s/{number}/registrants", body).json()["join_url"]
    assert "Hello Ada" in requests.get(personal).text
    assert "host's link" in requests.get(detail["start_url"]).text
    simulator.delete_meeting(number)
    assert requests.get(detail["join_url"]).status_code == 404


def test_links_of_recordings(visitor, simulator):
    recording = simulator.create_recording("borealis-0", topic="Film")
    for url in (recording["share_url"], recording["files"][0]["play_url"]):
        assert "This is where Zoom would play" in requests.get(url).text
    download = recording["files"][0]["download_url"]
    assert requests.get(download).status_code == 401
    assert requests.get(download, headers={"Authorization": "Bearer x"}).text.startswith("WEBVTT")
    simulator.delete_recordings(recording["id"])
    assert requests.get(recording["share_url"]).status_code == 404


def test_zooms_own_registration_page(visitor, simulator):
    custom_questions = [
        {"title": "Why?", "type": "short", "required": True},
        {"title": "Which?", "type": "multiple", "answers": ["A", "B"]},
    ]
    settings = {"registration_type": 3}
    webinar_fields = {
        "kind": "webinar",
        "registration": "manual",
        "custom_questions": custom_questions,
    }
    webinar = meeting(simulator, recurrence=WEEKLY, settings=settings, **webinar_fields)
    url = f"{visitor.url}/webinar/register/{webinar['id']}"
    fields = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', requests.get(url).text))
    assert fields == {"first_name", "last_name", "email", "q0", "q1", "dates"}
    form = {"first_name": "Ada", "email": "ada@example.org", "q1": ["A", "B"]}
    assert "is required" in requests.post(url, form).text
    form |= {"q0": "Because", "dates": [webinar["occurrences"][1]["occurrence_id"]]}
    assert "The host approves" in requests.post(url, form).text
    [registrant] = simulator.registrants(webinar["id"])
    assert registrant["occurrences"] == form["dates"]
    assert {answer["title"]: answer["value"] for answer in registrant["custom_questions"]}[
        "Which?"
    ] == "A;B"
