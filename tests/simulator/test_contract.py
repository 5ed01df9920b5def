"""Covers the whole contract: every operation is served, every event can be produced."""

from urllib.parse import quote

import requests

from tests.contract.checker import check, check_delivery, contract, find_operation

from .conftest import BASIC

ADA = {"email": "ada@example.org", "first_name": "Ada"}
MASTER_ACCOUNTS_ONLY = {"account.created", "account.disassociated"}
OUTSIDE_THE_OUTBOX = {"endpoint.url_validation"}
NOT_SERVED = {
    "getMeetingSummary", "listPastMeetingParticipants", "listPastWebinarParticipants",
}  # fmt: skip
"""In the contract, not in the simulator: nothing of the package calls them yet."""
NOT_PRODUCED = {
    f"meeting.summary_{what}"
    for what in ("completed", "updated", "shared", "trashed", "deleted", "recovered")
}


def operations():
    verbs = {"get", "post", "put", "patch", "delete"}
    return {
        operation["operationId"]
        for path in contract()["paths"].values()
        for verb, operation in path.items()
        if verb in verbs
    }


def past_meeting(simulator, kind, **fields):
    fields = {"topic": "M", "registration": "manual", **fields}
    number = simulator.create_meeting("borealis-0", kind=kind, **fields)["id"]
    simulator.start_meeting(number)
    simulator.end_meeting(number)
    return number


def call_registrant_endpoints(app, base, *, batch=""):
    """Call every registrant endpoint below ``base``."""
    number = app.post(f"{base}/registrants", ADA).json()["registrant_id"]
    body = {"registrants": [{"id": number}], "action": "approve"}
    assert app.put(f"{base}/registrants/status", body).status_code == 204
    assert app.get(f"{base}/registrants").json()["registrants"]
    assert app.get(f"{base}/registrants/questions").status_code == 200
    if batch:
        batch_body = {"registrants": [{"email": "b@example.org", "first_name": "B"}]}
        assert app.post(f"{base}/{batch}", batch_body).status_code == 201
        assert app.get(f"{base}/registrants/{number}").status_code == 200
        assert app.send("DELETE", f"{base}/registrants/{number}").status_code == 204


def call_scheduling_endpoints(app, kind):
    """Create, change and delete; of a series one date, too."""
    types = {"meeting": (2, 8), "webinar": (5, 9)}[kind]
    rule = {"type": 2, "repeat_interval": 1, "weekly_days": "2,5", "end_times": 3}
    body = {"topic": "S", "start_time": "2030-03-09T18:00:00", "timezone": "Europe/Berlin"}
    settings = {"approval_type": 0, "registrants_confirmation_email": False}
    for type_, fields in zip(types, ({"settings": settings}, {"recurrence": rule}), strict=True):
        response = app.post(f"/users/me/{kind}s", {**body, "type": type_, **fields})
        assert response.status_code == 201, response.text
        base = f"/{kind}s/{response.json()['id']}"
        if type_ == 2:
            form = {"questions": [{"field_name": "last_name", "required": True}]}
            assert app.send("PATCH", f"{base}/registrants/questions", form).status_code == 204
        for date in response.json().get("occurrences", [])[:1]:
            params = {"occurrence_id": date["occurrence_id"]}
            assert app.send("PATCH", base, {"duration": 30}, **params).status_code == 204
            assert app.send("DELETE", base, **params).status_code == 204
        assert app.send("PATCH", base, {"topic": "N", **fields}).status_code == 204
        reminder = {f"cancel_{kind}_reminder": "true"}
        assert app.send("DELETE", base, **reminder).status_code == 204


def test_every_operation_is_served(connected, simulator):
    """Each is called successfully, and no response violates the contract."""
    app, me = connected, connected.get("/users/me").json()
    user_id = next(
        item["id"] for item in simulator.users("borealis") if item["key"] == "borealis-3"
    )
    for path in (
        "/users", f"/users/{me['id']}", "/accounts/me", "/users/me/meetings", "/users/me/webinars",
        "/users/me/upcoming_meetings", "/users/me/recordings", "/accounts/me/recordings",
        "/users/me/meeting_templates",
    ):  # fmt: skip
        assert app.get(path).status_code == 200, path
    assert app.put(f"/users/{user_id}/status", {"action": "deactivate"}).status_code == 204
    for kind in ("meeting", "webinar"):
        call_scheduling_endpoints(app, kind)
        number = past_meeting(simulator, kind, start_time="+5d 10:00")
        base = f"/{kind}s/{number}"
        assert app.get(base).status_code == 200
        call_registrant_endpoints(app, base, batch="batch_registrants")
        assert app.get(f"/past_{kind}s/{number}/instances").status_code == 200
        if kind == "meeting":
            assert app.get(f"/past_meetings/{number}").status_code == 200
        else:
            assert app.get(f"{base}/tracking_sources").status_code == 200
    recording = simulator.create_recording("borealis-0", topic="R", settings={"on_demand": True})
    base = f"/meetings/{quote(quote(recording['id'], safe=''), safe='')}/recordings"
    assert app.get(base).status_code == app.get(f"{base}/settings").status_code == 200
    body = {"viewer_download": True}
    assert app.send("PATCH", f"{base}/settings", body).status_code == 204
    call_registrant_endpoints(app, base)
    compliance = {
        "client_id": "simulator-client", "user_id": me["id"], "account_id": me["account_id"],
        "deauthorization_event_received": {}, "compliance_completed": True,
    }  # fmt: skip
    target = f"{app.url}/oauth/data/compliance"
    assert requests.post(target, json=compliance, auth=BASIC).status_code == 200
    assert app.revoke().status_code == 200

    exchanges = simulator.call("GET", "exchanges")["exchanges"]
    assert [text for exchange in exchanges for text in check(exchange)] == []
    called = {
        find_operation(item["method"], item["path"])["operationId"]
        for item in exchanges
        if item["status"] < 300
    }
    assert operations() - called == NOT_SERVED


def change_meetings(simulator, kind):
    rule = {"type": 2, "repeat_interval": 1, "end_times": 3}
    number = past_meeting(simulator, kind)
    simulator.change_meeting(number, topic="N")
    for person, action in (("a", "approve"), ("b", "deny"), ("c", "cancel")):
        simulator.register(number, email=f"{person}@example.org", first_name=person)
        simulator.decide(number, f"{person}@example.org", action)
    simulator.delete_meeting(number)
    simulator.recover_meeting(number)
    simulator.delete_meeting(number, permanent=True)
    series = simulator.create_meeting("borealis-0", kind=kind, topic="S", recurrence=rule)
    simulator.delete_meeting(series["id"], series["occurrences"][0]["occurrence_id"])
    simulator.change_meeting(series["id"], kind="webinar" if kind == "meeting" else "meeting")


def change_recordings(simulator):
    number = simulator.create_meeting("borealis-0", topic="M")["id"]
    simulator.start_meeting(number)
    simulator.record_meeting(number, "start")
    simulator.record_meeting(number, "stop")
    settings = {"on_demand": True, "approval_type": 1}
    uuids = [
        simulator.create_recording("borealis-0", topic="R", settings=settings)["id"]
        for _ in range(2)
    ]
    simulator.change_recording(uuids[0], topic="S")
    for person, action in (("a", "approve"), ("b", "deny")):
        simulator.register(uuids[0], email=f"{person}@example.org", first_name=person)
        simulator.decide(uuids[0], f"{person}@example.org", action)
    for selected in (uuids[:1], uuids):
        simulator.delete_recordings(*selected)
        simulator.recover_recordings(*selected)
        simulator.delete_recordings(*selected, permanent=True)


def test_every_event_can_be_produced(connected, simulator, receiver):
    for kind in ("meeting", "webinar"):
        change_meetings(simulator, kind)
    change_recordings(simulator)
    user = simulator.create_user("borealis", status="pending")["id"]
    for fields in ({"status": "active"}, {"last_name": "X"}, {"status": "inactive"}):
        simulator.change_user(user, **fields)
    simulator.change_user(user, status="active")
    simulator.delete_user(user)
    simulator.delete_user("borealis-3", disassociate=True)
    simulator.change_account("borealis", name="B", settings={"feature": {}})
    simulator.deauthorize(account="borealis")

    receiver.wait()
    deliveries = simulator.deliveries()
    assert [text for delivery in deliveries for text in check_delivery(delivery)] == []
    received_events = {received.event for received in receiver.deliveries}
    assert received_events == {delivery["event"] for delivery in deliveries}
    documented_events = set(contract()["webhooks"]) - MASTER_ACCOUNTS_ONLY - OUTSIDE_THE_OUTBOX
    assert documented_events - received_events == NOT_PRODUCED
