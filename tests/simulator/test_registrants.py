"""Registration endpoints of the simulator."""

import pytest

WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
ADA = {"email": "Ada@example.org", "first_name": "Ada", "last_name": "King"}
KINDS = ["meeting", "webinar"]


class MeetingClient:
    """A meeting or webinar of Borealis with registration, and calls of its endpoints."""

    def __init__(self, app, simulator, kind="meeting", **fields):
        self.app, self.simulator, self.kind = app, simulator, kind
        fields = {"topic": "M", "registration": "auto", **fields}
        self.doc = simulator.create_meeting("borealis-0", kind=kind, **fields)
        self.id = self.doc["id"]
        self.base = f"/{kind}s/{self.id}/registrants"
        self.dates = [date["occurrence_id"] for date in self.doc.get("occurrences", [])]

    def add(self, dates=(), **body):
        query = {"occurrence_ids": ",".join(dates)} if dates else {}
        return self.app.post(self.base, {**ADA, **body}, **query)

    def list(self, **query):
        return self.app.get(self.base, **query).json()["registrants"]

    def decide(self, action, *people, **query):
        body = {"action": action, "registrants": list(people)}
        return self.app.put(f"{self.base}/status", body, **query)


@pytest.fixture
def make_meeting(connected, simulator):
    return lambda kind="meeting", **fields: MeetingClient(connected, simulator, kind, **fields)


def wrong_fields(response):
    assert (response.status_code, response.json()["code"]) == (400, 300)
    return {error["field"] for error in response.json()["errors"]}


@pytest.mark.parametrize("kind", KINDS)
def test_add_gives_a_personal_link(make_meeting, kind):
    meeting = make_meeting(kind)
    response = meeting.add()
    assert response.status_code == 201
    assert "tk=" in response.json()["join_url"]
    [listed] = meeting.list()
    assert (listed["email"], listed["status"]) == ("Ada@example.org", "approved")
    assert listed["join_url"] == response.json()["join_url"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_registrant(make_meeting, kind):
    meeting = make_meeting(kind)
    number = meeting.add().json()["registrant_id"]
    registrant = meeting.app.get(f"{meeting.base}/{number}").json()
    assert (registrant["id"], registrant["first_name"]) == (number, "Ada")
    unknown = meeting.app.get(f"{meeting.base}/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == {
        "meeting": (404, 3001), "webinar": (400, 3079),
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_manual_approval_has_no_link_yet(make_meeting, receiver, kind):
    """The join URL is absent until the host approves."""
    meeting = make_meeting(kind, registration="manual")
    added = meeting.add().json()
    assert "join_url" not in added
    assert (
        meeting.list() == [] and meeting.list(status="pending")[0]["id"] == added["registrant_id"]
    )
    assert meeting.decide("approve", {"id": added["registrant_id"]}).status_code == 204
    assert "tk=" in meeting.list()[0]["join_url"]
    names = ("created", "registration_created", "registration_approved")
    assert receiver.events() == [f"{kind}.{name}" for name in names]
    assert receiver.deliveries[1].object["registrant"]["status"] == "pending"
    assert "tk=" in receiver.deliveries[2].object["registrant"]["join_url"]


def test_app_may_approve_immediately(make_meeting):
    assert "join_url" in make_meeting(registration="manual").add(auto_approve=True).json()


def test_link_in_the_event_while_pending_is_unverified(make_meeting, simulator, receiver):
    simulator.options(pending_join_url=False)
    make_meeting(registration="manual").add()
    assert receiver.last().object["registrant"]["join_url"] == ""


@pytest.mark.parametrize("kind", KINDS)
def test_denied_and_cancelled(make_meeting, receiver, kind):
    """Cancelled people cannot be listed: Zoom ignores a status that it does not know."""
    meeting = make_meeting(kind, registration="manual")
    approved = meeting.add(email="c@example.org").json()["registrant_id"]
    meeting.decide("approve", {"id": approved})
    first = meeting.add().json()["registrant_id"]
    second = meeting.add(email="b@example.org").json()["registrant_id"]
    meeting.decide("deny", {"id": first, "email": "Ada@example.org"})
    meeting.decide("cancel", {"email": "b@example.org"})
    assert [registrant["id"] for registrant in meeting.list(status="denied")] == [first]
    assert [registrant["id"] for registrant in meeting.list(status="cancelled")] == [approved]
    assert meeting.app.get(f"{meeting.base}/{second}").status_code in (400, 404)
    names = ["registration_denied", "registration_cancelled"]
    assert receiver.events()[-2:] == [f"{kind}.{name}" for name in names]


def test_status_is_for_30_people_and_10_times_a_day(make_meeting):
    meeting = make_meeting()
    person = {"id": meeting.add().json()["registrant_id"]}
    assert meeting.decide("approve", *[person] * 31).status_code == 400
    assert meeting.decide("promote", person).status_code == 400
    answers = [meeting.decide("approve", person).status_code for _ in range(11)]
    assert answers == [204] * 10 + [429]


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_email_gives_the_existing_registrant(make_meeting, receiver, kind):
    meeting = make_meeting(kind)
    first, again = meeting.add().json(), meeting.add(email="ADA@EXAMPLE.ORG").json()
    assert first["registrant_id"] == again["registrant_id"]
    assert receiver.events().count(f"{kind}.registration_created") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_three_a_day(make_meeting, simulator, kind):
    """Zoom allows three adds a day for each registrant; the next UTC day it works again."""
    meeting = make_meeting(kind, start_time="+9d 18:00")
    assert [meeting.add().status_code for _ in range(4)] == [201, 201, 201, 429]
    refused = meeting.add()
    assert "daily rate limit of (3)" in refused.json()["message"]
    assert refused.headers["Retry-After"].endswith("T00:00:00Z")
    assert meeting.add(email="b@example.org").status_code == 201
    simulator.advance("1d")
    meeting.app.connect("borealis-0")
    assert meeting.add().status_code == 201


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("listed", ["hidden", "denied"])
def test_cancelled_person_comes_back_only_when_approved(make_meeting, simulator, kind, listed):
    """Zoom keeps who was cancelled; registering again changes nothing (devforum 39340)."""
    simulator.options(cancelled_registrants=listed)
    meeting = make_meeting(kind)
    first = meeting.add().json()
    meeting.decide("cancel", {"id": first["registrant_id"]})
    again = meeting.add().json()
    assert again["registrant_id"] == first["registrant_id"]
    assert "join_url" not in again
    assert again.get("status") == ("denied" if kind == "webinar" else None)
    assert meeting.list() == []
    denied = [(row["id"], row["status"]) for row in meeting.list(status="denied")]
    assert denied == ([(first["registrant_id"], "denied")] if listed == "denied" else [])
    detail = meeting.app.get(f"{meeting.base}/{first['registrant_id']}")
    assert (detail.status_code == 200) == (listed == "denied")
    meeting.decide("approve", {"id": first["registrant_id"]})
    assert [row["status"] for row in meeting.list()] == ["approved"]


@pytest.mark.parametrize("status", ["approved", "pending", "denied"])
def test_a_webinar_names_the_status_of_a_new_registrant(make_meeting, status):
    meeting = make_meeting("webinar", new_status=status)
    added = meeting.add().json()
    assert (added["status"], "join_url" in added) == (status, status == "approved")
    detail = meeting.app.get(f"/webinars/{meeting.id}").json()
    assert added["share_url"] == detail["registration_url"]
    assert len(meeting.list(status=status)) == 1


def test_members_of_an_answer_can_be_changed(make_meeting, simulator):
    meeting = make_meeting("webinar")
    simulator.fault(
        "change_body", path="/registrants$", set={"status": "odd"}, drop=["join_url"], count=1
    )
    added = meeting.add().json()
    assert (added["status"], "join_url" in added) == ("odd", False)
    assert "join_url" in meeting.add().json()


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_1_means_all_occurrences(make_meeting, kind):
    meeting = make_meeting(kind, recurrence=WEEKLY)
    assert len(meeting.add().json()["occurrences"]) == 4
    assert len(meeting.list(occurrence_id=meeting.dates[2])) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_2_means_one_occurrence_at_a_time(make_meeting, kind):
    meeting = make_meeting(kind, recurrence=WEEKLY, settings={"registration_type": 2})
    meeting.add(meeting.dates[:1])
    again = meeting.add(meeting.dates[1:2]).json()
    assert [date["occurrence_id"] for date in again["occurrences"]] == meeting.dates[:2]
    assert meeting.list(occurrence_id=meeting.dates[3]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_3_means_several_occurrences(make_meeting, receiver, kind):
    meeting = make_meeting(kind, recurrence=WEEKLY, settings={"registration_type": 3})
    added = meeting.add(meeting.dates[1:3]).json()
    assert [date["occurrence_id"] for date in added["occurrences"]] == meeting.dates[1:3]
    meeting.decide("cancel", {"id": added["registrant_id"]}, occurrence_id=meeting.dates[1])
    cancelled = receiver.last().object["occurrences"]
    assert [date["occurrence_id"] for date in cancelled] == meeting.dates[1:2]
    assert meeting.list(occurrence_id=meeting.dates[1]) == []
    assert len(meeting.list(occurrence_id=meeting.dates[2])) == 1
    meeting.decide("cancel", {"id": added["registrant_id"]}, occurrence_id=meeting.dates[2])
    assert meeting.list() == []


def test_several_occurrences_of_a_webinar_need_type_3(make_meeting):
    meeting = make_meeting("webinar", recurrence=WEEKLY, settings={"registration_type": 2})
    assert wrong_fields(meeting.add(meeting.dates[:2])) == {"occurrence_ids"}


def test_cancelled_and_unknown_occurrences_are_refused(make_meeting, simulator):
    meeting = make_meeting(recurrence=WEEKLY, settings={"registration_type": 3})
    simulator.delete_meeting(meeting.id, meeting.dates[1])
    for date in (meeting.dates[1], "123"):
        assert wrong_fields(meeting.add([date])) == {"occurrence_ids"}


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_registrant(make_meeting, receiver, kind):
    meeting = make_meeting(kind, recurrence=WEEKLY, settings={"registration_type": 3})
    number = meeting.add(meeting.dates[:2]).json()["registrant_id"]
    target = f"{meeting.base}/{number}"
    assert meeting.app.send("DELETE", target, occurrence_id=meeting.dates[0]).status_code == 204
    assert len(meeting.list()) == 1
    assert meeting.app.send("DELETE", target).status_code == 204
    assert meeting.list() == []
    assert receiver.last().event == f"{kind}.registration_cancelled"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"email": ""}, {"email"}),
        ({"email": "nonsense"}, {"email"}),
        ({"email": "a" * 128 + "@example.org"}, {"email"}),
        ({"first_name": "  "}, {"first_name"}),
        ({"first_name": "x" * 65}, {"first_name"}),
        ({"country": "Germany"}, {"country"}),
        ({"no_of_employees": "101-250"}, {"no_of_employees"}),
        ({"language": "de"}, {"language"}),
        ({"custom_questions": [{"title": "Never asked", "value": "x"}]}, {"custom_questions"}),
    ],
)
def test_wrong_fields_are_named(make_meeting, body, fields):
    assert wrong_fields(make_meeting().add(**body)) == fields


def test_body_must_be_an_object(make_meeting):
    meeting = make_meeting()
    assert meeting.app.post(meeting.base, ["no"]).status_code == 400


def test_number_of_employees_is_read_in_other_words(make_meeting):
    """Zoom returns other values than it accepts."""
    meeting = make_meeting()
    meeting.add(no_of_employees="101-500")
    assert meeting.list()[0]["no_of_employees"] == "101-250"


QUESTIONS = [{"field_name": "last_name", "required": True}, {"field_name": "org"}]
CUSTOM = {
    "meeting": [
        {"title": "Why?", "type": "short", "required": True},
        {"title": "Level", "type": "single", "answers": ["New", "Old"]},
    ],
    "webinar": [
        {"title": "Why?", "type": "short", "required": True},
        {"title": "Level", "type": "single_radio", "answers": ["New", "Old"]},
        {"title": "Town", "type": "single_dropdown", "answers": ["Ulm", "Köln"]},
        {"title": "Topics", "type": "multiple", "answers": ["Heat", "Sun"]},
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_questions(make_meeting, kind):
    """Required questions are validated; meetings and webinars have different question types."""
    meeting = make_meeting(kind, questions=QUESTIONS, custom_questions=CUSTOM[kind])
    form = meeting.app.get(f"{meeting.base}/questions").json()
    assert form == {"questions": QUESTIONS, "custom_questions": CUSTOM[kind]}
    assert wrong_fields(meeting.add(last_name="")) == {"last_name", "custom_questions"}
    answers = [{"title": "Why?", "value": "Because"}, {"title": "Level", "value": "Medium"}]
    assert wrong_fields(meeting.add(custom_questions=answers)) == {"custom_questions"}
    answers[1]["value"] = "New"
    if kind == "webinar":
        answers.append({"title": "Topics", "value": "Heat;Sun"})
    assert meeting.add(custom_questions=answers).status_code == 201
    assert meeting.list()[0]["custom_questions"] == answers


def test_questions_can_be_changed_by_the_control_api(make_meeting, simulator):
    meeting = make_meeting()
    simulator.change_meeting(meeting.id, custom_questions=CUSTOM["meeting"])
    form = meeting.app.get(f"{meeting.base}/questions").json()
    assert form["questions"][0]["field_name"] == "last_name"
    assert len(form["custom_questions"]) == 2
    with pytest.raises(ValueError, match="answers"):
        simulator.change_meeting(meeting.id, custom_questions=[{"title": "T", "type": "single"}])


def test_seed_asks_questions_of_every_type(connected, simulator):
    types = {
        question["type"]
        for item in simulator.meetings("borealis")
        for question in item.get("custom_questions", [])
    }
    assert types == {"short", "single", "single_radio", "single_dropdown", "multiple"}


@pytest.mark.parametrize("kind", KINDS)
def test_batch(make_meeting, kind):
    meeting = make_meeting(kind)
    people = [{"email": f"p{n}@example.org", "first_name": "P"} for n in range(3)]
    target = meeting.base.replace("registrants", "batch_registrants")
    response = meeting.app.post(target, {"registrants": people})
    assert response.status_code == 201
    assert [registrant["email"] for registrant in response.json()["registrants"]] == [
        person["email"] for person in people
    ]
    assert len(meeting.list()) == 3
    assert meeting.app.post(target, {"registrants": people * 11}).status_code == 400


def test_batch_is_for_single_meetings(make_meeting):
    meeting = make_meeting(recurrence=WEEKLY)
    people = [{"email": "p@example.org", "first_name": "P"}]
    target = meeting.base.replace("registrants", "batch_registrants")
    assert meeting.app.post(target, {"registrants": people}).json()["code"] == 303


def test_full_meeting(make_meeting):
    meeting = make_meeting(capacity=1)
    meeting.add()
    assert meeting.add(email="b@example.org").json()["code"] == 3043
    assert meeting.add().status_code == 201


def test_full_webinar(make_meeting):
    meeting = make_meeting("webinar", settings={"registrants_restrict_number": 1})
    meeting.add()
    assert meeting.add(email="b@example.org").json()["code"] == 3000


def test_closed_registration(make_meeting, simulator):
    """Open after the end unless ``close_registration`` is set."""
    meeting = make_meeting(start_time="+1h", settings={"close_registration": True})
    assert meeting.add().status_code == 201
    simulator.advance("3h")
    meeting.app.connect("borealis-0")
    assert meeting.add(email="b@example.org").json()["code"] == 3000
    still_open = make_meeting(start_time="-3h")
    assert still_open.add().status_code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_closed_by_the_control_api(make_meeting, kind):
    assert make_meeting(kind, registration="closed").add().json()["code"] == 3000


def test_webinar_that_is_over(make_meeting, simulator):
    meeting = make_meeting("webinar", start_time="+1h")
    simulator.options(webinar_readable_days=0)
    simulator.advance("3h")
    meeting.app.connect("borealis-0")
    assert meeting.add().json()["code"] == 3001


def test_no_registration_at_all(make_meeting):
    response = make_meeting(registration="").add()
    assert (response.status_code, response.json()["code"]) == (404, 404)
    assert make_meeting("webinar", registration="").add().json()["code"] == 3000


def test_host_cannot_register_for_their_webinar(make_meeting):
    assert make_meeting("webinar").add(email="borealis-0@example.org").json()["code"] == 3027


@pytest.mark.parametrize("fields", [{"paid": True}, {"is_events_webinar": True}])
def test_what_this_api_cannot_register_for(make_meeting, fields):
    """Paid registration and Zoom Events."""
    assert make_meeting("webinar", **fields).add().json()["code"] == 3000


def test_free_host_cannot_have_registration(app, simulator):
    """Registration requires a paid plan."""
    app.connect("harbour-0")
    meeting = simulator.create_meeting("harbour-0", topic="M", registration="auto")
    response = app.post(f"/meetings/{meeting['id']}/registrants", ADA)
    assert (response.status_code, response.json()["code"]) == (400, 200)


def test_other_accounts_meeting_does_not_exist(make_meeting, app):
    meeting = make_meeting()
    app.connect("aurora-0")
    assert meeting.add().json()["code"] == 3001
    assert app.get(meeting.base).status_code == 404


def test_registrants_come_in_pages(make_meeting):
    meeting = make_meeting()
    for batch in range(2):
        people = [{"email": f"{batch}-{n}@example.org", "first_name": "P"} for n in range(20)]
        meeting.app.post(
            meeting.base.replace("registrants", "batch_registrants"), {"registrants": people}
        )
    first = meeting.app.get(meeting.base).json()
    second = meeting.app.get(meeting.base, next_page_token=first["next_page_token"]).json()
    assert (len(first["registrants"]), len(second["registrants"])) == (30, 10)


def test_tracking_sources(make_meeting, receiver):
    source = {"id": "s1", "source_name": "Newsletter", "tracking_url": "https://example.org/n"}
    webinar = make_meeting("webinar", tracking_sources=[source])
    webinar.add(source_id="s1")
    sources = webinar.app.get(f"/webinars/{webinar.id}/tracking_sources").json()["tracking_sources"]
    assert sources[0]["registration_count"] == 1
    assert receiver.last().object["registrant"]["tracking_source"] == source
    assert len(webinar.list(tracking_source_id="s1")) == 1


@pytest.mark.parametrize(("action", "name"), [("approve", "approved"), ("deny", "denied")])
def test_host_decides_in_the_control_api(make_meeting, simulator, receiver, action, name):
    meeting = make_meeting(registration="manual")
    meeting.add()
    assert simulator.decide(meeting.id, "ada@example.org", action)["status"] == name
    assert receiver.last().event == f"meeting.registration_{name}"


def test_person_registers_on_zooms_own_page(make_meeting, simulator, receiver):
    meeting = make_meeting(recurrence=WEEKLY, settings={"registration_type": 3})
    registrant = simulator.register(meeting.id, **ADA, occurrence_ids=meeting.dates[:1])
    assert [listed["id"] for listed in simulator.registrants(meeting.id)] == [registrant["id"]]
    assert receiver.last().event == "meeting.registration_created"
    with pytest.raises(ValueError, match="email"):
        simulator.register(meeting.id, first_name="Nobody")
    with pytest.raises(ValueError, match="no registrant"):
        simulator.decide(meeting.id, "nobody", "approve")


@pytest.mark.parametrize("uuid", ["plain==", "/abc//defghijklmnopqrs=="])
def test_registration_for_a_recording(connected, simulator, receiver, uuid):
    settings = {"on_demand": True, "approval_type": 1}
    recording = simulator.create_recording("borealis-0", topic="R", uuid=uuid, settings=settings)
    base = f"/meetings/{recording['meeting_id']}/recordings/registrants"
    added = connected.post(base, ADA)
    assert added.status_code == 201 and "share_url" not in added.json()
    number = added.json()["registrant_id"]
    assert connected.get(f"{base}/questions").json()["questions"]
    body = {"action": "approve", "registrants": [{"id": number}]}
    assert connected.put(f"{base}/status", body).status_code == 204
    assert [registrant["id"] for registrant in connected.get(base).json()["registrants"]] == [
        number
    ]
    assert "tk=" in connected.post(base, ADA).json()["share_url"]
    simulator.decide(uuid, number, "deny")
    assert [registrant["id"] for registrant in simulator.registrants(uuid)] == [number]
    names = ("created", "approved", "denied")
    assert receiver.events()[-3:] == [f"recording.registration_{name}" for name in names]


def test_recording_without_registration(connected, simulator):
    recording = simulator.create_recording("borealis-0", topic="R")
    base = f"/meetings/{recording['meeting_id']}/recordings/registrants"
    assert connected.post(base, ADA).json()["code"] == 3000
