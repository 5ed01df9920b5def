"""Registration at the simulated Zoom (REFERENCE 3.4, 3.5)."""

import pytest

WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
ADA = {"email": "Ada@example.org", "first_name": "Ada", "last_name": "King"}
KINDS = ["meeting", "webinar"]


class Event:
    """A meeting or webinar of Borealis with registration, and its endpoints."""

    def __init__(self, app, simulator, kind="meeting", **facts):
        self.app, self.simulator, self.kind = app, simulator, kind
        facts = {"topic": "M", "registration": "auto", **facts}
        self.made = simulator.create_meeting("borealis-0", kind=kind, **facts)
        self.id = self.made["id"]
        self.base = f"/{kind}s/{self.id}/registrants"
        self.dates = [date["occurrence_id"] for date in self.made.get("occurrences", [])]

    def add(self, dates=(), **body):
        query = {"occurrence_ids": ",".join(dates)} if dates else {}
        return self.app.post(self.base, {**ADA, **body}, **query)

    def list(self, **query):
        return self.app.get(self.base, **query).json()["registrants"]

    def decide(self, action, *people, **query):
        body = {"action": action, "registrants": list(people)}
        return self.app.put(f"{self.base}/status", body, **query)


@pytest.fixture
def event(connected, simulator):
    return lambda kind="meeting", **facts: Event(connected, simulator, kind, **facts)


def wrong_fields(answer):
    assert (answer.status_code, answer.json()["code"]) == (400, 300)
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("kind", KINDS)
def test_add_gives_a_personal_link(event, kind):
    one = event(kind)
    answer = one.add()
    assert answer.status_code == 201
    assert "tk=" in answer.json()["join_url"]
    [listed] = one.list()
    assert (listed["email"], listed["status"]) == ("Ada@example.org", "approved")
    assert listed["join_url"] == answer.json()["join_url"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_registrant(event, kind):
    one = event(kind)
    number = one.add().json()["registrant_id"]
    found = one.app.get(f"{one.base}/{number}").json()
    assert (found["id"], found["first_name"]) == (number, "Ada")
    unknown = one.app.get(f"{one.base}/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == {
        "meeting": (404, 3001), "webinar": (400, 3079),
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_manual_approval_has_no_link_yet(event, receiver, kind):
    """Trap 15."""
    one = event(kind, registration="manual")
    added = one.add().json()
    assert "join_url" not in added
    assert one.list() == [] and one.list(status="pending")[0]["id"] == added["registrant_id"]
    assert one.decide("approve", {"id": added["registrant_id"]}).status_code == 204
    assert "tk=" in one.list()[0]["join_url"]
    names = ("created", "registration_created", "registration_approved")
    assert receiver.events() == [f"{kind}.{name}" for name in names]
    assert receiver.messages[1].object["registrant"]["status"] == "pending"
    assert "tk=" in receiver.messages[2].object["registrant"]["join_url"]


def test_app_may_approve_at_once(event):
    assert "join_url" in event(registration="manual").add(auto_approve=True).json()


def test_link_in_the_event_while_pending_is_unverified(event, simulator, receiver):
    simulator.options(pending_join_url=False)
    event(registration="manual").add()
    assert receiver.last().object["registrant"]["join_url"] == ""


@pytest.mark.parametrize("kind", KINDS)
def test_denied_and_cancelled(event, receiver, kind):
    """Cancelled people cannot be listed."""
    one = event(kind, registration="manual")
    first = one.add().json()["registrant_id"]
    second = one.add(email="b@example.org").json()["registrant_id"]
    one.decide("deny", {"id": first, "email": "Ada@example.org"})
    one.decide("cancel", {"email": "b@example.org"})
    assert [found["id"] for found in one.list(status="denied")] == [first]
    assert one.app.get(one.base, status="cancelled").status_code == 400
    assert one.app.get(f"{one.base}/{second}").status_code in (400, 404)
    names = ["registration_denied", "registration_cancelled"]
    assert receiver.events()[-2:] == [f"{kind}.{name}" for name in names]


def test_status_is_for_30_people_and_10_times_a_day(event):
    one = event()
    person = {"id": one.add().json()["registrant_id"]}
    assert one.decide("approve", *[person] * 31).status_code == 400
    assert one.decide("promote", person).status_code == 400
    answers = [one.decide("approve", person).status_code for _ in range(11)]
    assert answers == [204] * 10 + [429]


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_email_gives_the_existing_registrant(event, receiver, kind):
    one = event(kind)
    first, again = one.add().json(), one.add(email="ADA@EXAMPLE.ORG").json()
    assert first["registrant_id"] == again["registrant_id"]
    assert receiver.events().count(f"{kind}.registration_created") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_three_a_day(event, simulator, kind):
    """Trap 13; the next UTC day it works again."""
    one = event(kind, start_time="+9d 18:00")
    assert [one.add().status_code for _ in range(4)] == [201, 201, 201, 429]
    refused = one.add()
    assert "daily rate limit of (3)" in refused.json()["message"]
    assert refused.headers["Retry-After"].endswith("T00:00:00Z")
    assert one.add(email="b@example.org").status_code == 201
    simulator.advance("1d")
    one.app.connect("borealis-0")
    assert one.add().status_code == 201


def test_cancelled_person_may_come_back(event):
    one = event()
    first = one.add().json()
    one.decide("cancel", {"id": first["registrant_id"]})
    again = one.add().json()
    assert again["registrant_id"] == first["registrant_id"]
    assert again["join_url"] != first["join_url"]


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_1_means_all_dates(event, kind):
    one = event(kind, recurrence=WEEKLY)
    assert len(one.add().json()["occurrences"]) == 4
    assert len(one.list(occurrence_id=one.dates[2])) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_2_means_one_date_at_a_time(event, kind):
    one = event(kind, recurrence=WEEKLY, settings={"registration_type": 2})
    one.add(one.dates[:1])
    again = one.add(one.dates[1:2]).json()
    assert [date["occurrence_id"] for date in again["occurrences"]] == one.dates[:2]
    assert one.list(occurrence_id=one.dates[3]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_registration_type_3_means_several_dates(event, receiver, kind):
    one = event(kind, recurrence=WEEKLY, settings={"registration_type": 3})
    added = one.add(one.dates[1:3]).json()
    assert [date["occurrence_id"] for date in added["occurrences"]] == one.dates[1:3]
    one.decide("cancel", {"id": added["registrant_id"]}, occurrence_id=one.dates[1])
    cancelled = receiver.last().object["occurrences"]
    assert [date["occurrence_id"] for date in cancelled] == one.dates[1:2]
    assert one.list(occurrence_id=one.dates[1]) == []
    assert len(one.list(occurrence_id=one.dates[2])) == 1
    one.decide("cancel", {"id": added["registrant_id"]}, occurrence_id=one.dates[2])
    assert one.list() == []


def test_several_dates_of_a_webinar_need_type_3(event):
    one = event("webinar", recurrence=WEEKLY, settings={"registration_type": 2})
    assert wrong_fields(one.add(one.dates[:2])) == {"occurrence_ids"}


def test_cancelled_and_unknown_dates_are_refused(event, simulator):
    one = event(recurrence=WEEKLY, settings={"registration_type": 3})
    simulator.delete_meeting(one.id, one.dates[1])
    for date in (one.dates[1], "123"):
        assert wrong_fields(one.add([date])) == {"occurrence_ids"}


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_registrant(event, receiver, kind):
    one = event(kind, recurrence=WEEKLY, settings={"registration_type": 3})
    number = one.add(one.dates[:2]).json()["registrant_id"]
    target = f"{one.base}/{number}"
    assert one.app.send("DELETE", target, occurrence_id=one.dates[0]).status_code == 204
    assert len(one.list()) == 1
    assert one.app.send("DELETE", target).status_code == 204
    assert one.list() == []
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
def test_wrong_fields_are_named(event, body, fields):
    assert wrong_fields(event().add(**body)) == fields


def test_body_must_be_an_object(event):
    one = event()
    assert one.app.post(one.base, ["no"]).status_code == 400


def test_number_of_employees_is_read_in_other_words(event):
    """Trap 14."""
    one = event()
    one.add(no_of_employees="101-500")
    assert one.list()[0]["no_of_employees"] == "101-250"


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
def test_questions(event, kind):
    """Trap 17: hidden required questions; the types of the two kinds differ."""
    one = event(kind, questions=QUESTIONS, custom_questions=CUSTOM[kind])
    asked = one.app.get(f"{one.base}/questions").json()
    assert asked == {"questions": QUESTIONS, "custom_questions": CUSTOM[kind]}
    assert wrong_fields(one.add(last_name="")) == {"last_name", "custom_questions"}
    answers = [{"title": "Why?", "value": "Because"}, {"title": "Level", "value": "Medium"}]
    assert wrong_fields(one.add(custom_questions=answers)) == {"custom_questions"}
    answers[1]["value"] = "New"
    if kind == "webinar":
        answers.append({"title": "Topics", "value": "Heat;Sun"})
    assert one.add(custom_questions=answers).status_code == 201
    assert one.list()[0]["custom_questions"] == answers


def test_questions_can_be_changed_by_the_control_api(event, simulator):
    one = event()
    simulator.change_meeting(one.id, custom_questions=CUSTOM["meeting"])
    asked = one.app.get(f"{one.base}/questions").json()
    assert asked["questions"][0]["field_name"] == "last_name"
    assert len(asked["custom_questions"]) == 2
    with pytest.raises(ValueError, match="answers"):
        simulator.change_meeting(one.id, custom_questions=[{"title": "T", "type": "single"}])


def test_seed_asks_questions_of_every_type(connected, simulator):
    types = {
        question["type"]
        for one in simulator.meetings("borealis")
        for question in one.get("custom_questions", [])
    }
    assert types == {"short", "single", "single_radio", "single_dropdown", "multiple"}


@pytest.mark.parametrize("kind", KINDS)
def test_batch(event, kind):
    one = event(kind)
    people = [{"email": f"p{n}@example.org", "first_name": "P"} for n in range(3)]
    target = one.base.replace("registrants", "batch_registrants")
    made = one.app.post(target, {"registrants": people})
    assert made.status_code == 201
    assert [found["email"] for found in made.json()["registrants"]] == [
        person["email"] for person in people
    ]
    assert len(one.list()) == 3
    assert one.app.post(target, {"registrants": people * 11}).status_code == 400


def test_batch_is_for_single_meetings(event):
    one = event(recurrence=WEEKLY)
    people = [{"email": "p@example.org", "first_name": "P"}]
    target = one.base.replace("registrants", "batch_registrants")
    assert one.app.post(target, {"registrants": people}).json()["code"] == 303


def test_full_meeting(event):
    one = event(capacity=1)
    one.add()
    assert one.add(email="b@example.org").json()["code"] == 3043
    assert one.add().status_code == 201


def test_full_webinar(event):
    one = event("webinar", settings={"registrants_restrict_number": 1})
    one.add()
    assert one.add(email="b@example.org").json()["code"] == 3000


def test_closed_registration(event, simulator):
    """Trap 42: open after the date unless close_registration."""
    one = event(start_time="+1h", settings={"close_registration": True})
    assert one.add().status_code == 201
    simulator.advance("3h")
    one.app.connect("borealis-0")
    assert one.add(email="b@example.org").json()["code"] == 3000
    still_open = event(start_time="-3h")
    assert still_open.add().status_code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_closed_by_the_control_api(event, kind):
    assert event(kind, registration="closed").add().json()["code"] == 3000


def test_webinar_that_is_over(event, simulator):
    one = event("webinar", start_time="+1h")
    simulator.options(webinar_linger_days=0)
    simulator.advance("3h")
    one.app.connect("borealis-0")
    assert one.add().json()["code"] == 3001


def test_no_registration_at_all(event):
    answer = event(registration="").add()
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert event("webinar", registration="").add().json()["code"] == 3000


def test_host_cannot_register_for_their_webinar(event):
    assert event("webinar").add(email="borealis-0@example.org").json()["code"] == 3027


@pytest.mark.parametrize("facts", [{"paid": True}, {"is_events_webinar": True}])
def test_what_this_api_cannot_register_for(event, facts):
    """Trap 18."""
    assert event("webinar", **facts).add().json()["code"] == 3000


def test_free_host_cannot_have_registration(app, simulator):
    """Trap 19."""
    app.connect("harbour-0")
    made = simulator.create_meeting("harbour-0", topic="M", registration="auto")
    answer = app.post(f"/meetings/{made['id']}/registrants", ADA)
    assert (answer.status_code, answer.json()["code"]) == (400, 200)


def test_other_accounts_meeting_does_not_exist(event, app):
    one = event()
    app.connect("aurora-0")
    assert one.add().json()["code"] == 3001
    assert app.get(one.base).status_code == 404


def test_registrants_come_in_pages(event):
    one = event()
    for batch in range(2):
        people = [{"email": f"{batch}-{n}@example.org", "first_name": "P"} for n in range(20)]
        one.app.post(one.base.replace("registrants", "batch_registrants"), {"registrants": people})
    first = one.app.get(one.base).json()
    second = one.app.get(one.base, next_page_token=first["next_page_token"]).json()
    assert (len(first["registrants"]), len(second["registrants"])) == (30, 10)


def test_tracking_sources(event, receiver):
    source = {"id": "s1", "source_name": "Newsletter", "tracking_url": "https://example.org/n"}
    one = event("webinar", tracking_sources=[source])
    one.add(source_id="s1")
    found = one.app.get(f"/webinars/{one.id}/tracking_sources").json()["tracking_sources"]
    assert found[0]["registration_count"] == 1
    assert receiver.last().object["registrant"]["tracking_source"] == source
    assert len(one.list(tracking_source_id="s1")) == 1


@pytest.mark.parametrize(("action", "name"), [("approve", "approved"), ("deny", "denied")])
def test_host_decides_in_the_control_api(event, simulator, receiver, action, name):
    one = event(registration="manual")
    one.add()
    assert simulator.decide(one.id, "ada@example.org", action)["status"] == name
    assert receiver.last().event == f"meeting.registration_{name}"


def test_person_registers_on_zooms_own_page(event, simulator, receiver):
    one = event(recurrence=WEEKLY, settings={"registration_type": 3})
    made = simulator.register(one.id, **ADA, occurrence_ids=one.dates[:1])
    assert [found["id"] for found in simulator.registrants(one.id)] == [made["id"]]
    assert receiver.last().event == "meeting.registration_created"
    with pytest.raises(ValueError, match="email"):
        simulator.register(one.id, first_name="Nobody")
    with pytest.raises(ValueError, match="no registrant"):
        simulator.decide(one.id, "nobody", "approve")


@pytest.mark.parametrize("uuid", ["plain==", "/abc//defghijklmnopqrs=="])
def test_registration_for_a_recording(connected, simulator, receiver, uuid):
    settings = {"on_demand": True, "approval_type": 1}
    made = simulator.create_recording("borealis-0", topic="R", uuid=uuid, settings=settings)
    base = f"/meetings/{made['meeting_id']}/recordings/registrants"
    added = connected.post(base, ADA)
    assert added.status_code == 201 and "share_url" not in added.json()
    number = added.json()["registrant_id"]
    assert connected.get(f"{base}/questions").json()["questions"]
    body = {"action": "approve", "registrants": [{"id": number}]}
    assert connected.put(f"{base}/status", body).status_code == 204
    assert [one["id"] for one in connected.get(base).json()["registrants"]] == [number]
    assert "tk=" in connected.post(base, ADA).json()["share_url"]
    simulator.decide(uuid, number, "deny")
    assert [one["id"] for one in simulator.registrants(uuid)] == [number]
    names = ("created", "approved", "denied")
    assert receiver.events()[-3:] == [f"recording.registration_{name}" for name in names]


def test_recording_without_registration(connected, simulator):
    made = simulator.create_recording("borealis-0", topic="R")
    base = f"/meetings/{made['meeting_id']}/recordings/registrants"
    assert connected.post(base, ADA).json()["code"] == 3000
