"""Webhook deliveries: signature, retries, faults, subscriptions."""

import json

import pytest

from wagtail_zoom.testing.server import SimulatorProcess

from .conftest import App
from .receiver import Receiver


def make(simulator, **fields):
    return simulator.create_meeting("borealis-0", **{"topic": "M", **fields})


def test_event_is_signed_and_has_zooms_headers(connected, simulator, receiver):
    make(simulator)
    delivery = receiver.last()
    assert delivery.genuine and delivery.event == "meeting.created"
    assert delivery.headers["User-Agent"] == "Zoom Marketplace/1.0a"
    assert delivery.headers["clientid"] == "simulator-client"
    assert delivery.headers["x-zm-request-id"] and delivery.headers["x-zm-trackingid"]
    assert len(str(delivery.body["event_ts"])) == 13


def test_body_is_compact_and_keeps_its_letters(connected, simulator, receiver):
    """Serialising the body again would change the signature."""
    make(simulator, topic="Übung für 王芳")
    raw = receiver.last().raw
    assert "Übung für 王芳".encode() in raw and b'": ' not in raw


def test_order_of_the_members_varies(connected, simulator, receiver):
    for _ in range(12):
        make(simulator)
    assert len({tuple(delivery.body) for delivery in receiver.wait()}) > 1


def test_without_a_connection_no_event_is_sent(simulator, receiver):
    make(simulator)
    assert receiver.events() == []


def test_option_delivers_for_every_account(simulator, receiver):
    simulator.options(webhook_all=True)
    make(simulator)
    assert receiver.events() == ["meeting.created"]


def test_missing_scope_withholds_the_event(app, simulator, receiver):
    simulator.options(scopes=["user:read:user:admin", "meeting:read:meeting:admin"])
    app.connect("borealis-0")
    simulator.create_recording("borealis-0", topic="R")
    make(simulator)
    assert receiver.events() == ["meeting.created"]


def test_free_plan_receives_fewer_events(app, simulator, receiver):
    """Zoom sends few events to free accounts."""
    app.connect("harbour-0")
    number = simulator.create_meeting("harbour-0", topic="M")["id"]
    simulator.change_meeting(number, topic="N")
    simulator.start_meeting(number)
    assert receiver.events() == ["meeting.created", "meeting.started"]


def test_user_managed_app_receives_events_of_its_own_users(app, simulator, receiver):
    simulator.options(app_kind="user")
    app.connect("borealis-1")
    make(simulator)
    simulator.create_meeting("borealis-1", topic="Mine")
    assert [delivery.object["topic"] for delivery in receiver.wait()] == ["Mine"]


def test_without_an_endpoint_events_are_listed_and_not_sent(connected, simulator):
    make(simulator)
    [only] = simulator.deliveries()
    assert (only["state"], only["status"], only["number"]) == ("unsubscribed", None, 0)


def test_retries_after_5_20_and_60_minutes_and_no_more(connected, simulator, receiver):
    """Same request id each time, new timestamp and signature."""
    simulator.options(sign_clock="sim")
    receiver.answers = [500, 503, 502, 500, 200]
    make(simulator)
    assert len(receiver.wait()) == 1
    for minutes in (5, 20, 60):
        simulator.advance(minutes * 60 - 5)
        before = len(receiver.wait())
        simulator.advance(6)
        assert len(receiver.wait()) == before + 1
    simulator.advance("1d")
    assert len(receiver.wait()) == 4
    assert len({m.headers["x-zm-request-id"] for m in receiver.deliveries}) == 1
    assert len({m.headers["x-zm-request-timestamp"] for m in receiver.deliveries}) == 4
    assert all(delivery.genuine for delivery in receiver.deliveries)
    states = [(delivery["status"], delivery["state"]) for delivery in simulator.deliveries()]
    assert states == [(500, "waiting"), (503, "waiting"), (502, "waiting"), (500, "lost")]


def test_next_retry_is_listed(connected, simulator, receiver):
    receiver.answers = [500]
    make(simulator)
    receiver.wait()
    [attempt] = simulator.deliveries(status=500)
    assert attempt["next_try"] > attempt["at"]
    assert simulator.retry_deliveries(all=True)
    assert [delivery["state"] for delivery in simulator.deliveries()] == ["waiting", "delivered"]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429])
def test_3xx_and_4xx_lose_the_event_for_good(connected, simulator, receiver, status):
    """Zoom does not retry them."""
    receiver.answers = [status]
    make(simulator)
    receiver.wait()
    simulator.advance("2h")
    assert len(receiver.wait()) == 1
    assert simulator.deliveries()[0]["state"] == "lost"


def test_lost_event_can_be_sent_again(connected, simulator, receiver):
    receiver.answers = [404]
    make(simulator)
    receiver.wait()
    simulator.retry_deliveries(event_id=simulator.deliveries()[0]["event_id"])
    assert [delivery["status"] for delivery in simulator.deliveries()] == [404, 200]


def test_no_response_is_retried(connected, simulator, receiver):
    receiver.close()
    make(simulator)
    simulator.retry_deliveries()
    [attempt] = simulator.deliveries()
    assert (attempt["status"], attempt["error"]) == (None, "ConnectionError")
    assert attempt["state"] == "waiting"


def test_more_than_three_seconds_is_a_timeout(connected, simulator, receiver):
    receiver.slow = 3.3
    make(simulator)
    receiver.wait()
    assert simulator.deliveries()[0]["error"] == "Timeout"


def test_one_worker_keeps_the_order(connected, simulator, receiver):
    for index in range(20):
        make(simulator, topic=f"M{index}")
    topics = [delivery.object["topic"] for delivery in receiver.wait()]
    assert topics == [f"M{index}" for index in range(20)]


def test_several_workers_deliver_everything_once(connected, simulator, receiver):
    simulator.options(delivery_workers=4)
    for index in range(20):
        make(simulator, topic=f"M{index}")
    topics = sorted(delivery.object["topic"] for delivery in receiver.wait())
    assert topics == sorted(f"M{index}" for index in range(20))


def test_dropped_event_is_never_sent(connected, simulator, receiver):
    simulator.fault("drop", event="meeting.created", count=1)
    make(simulator)
    make(simulator)
    assert len(receiver.wait()) == 1
    assert [delivery["state"] for delivery in simulator.deliveries()] == ["dropped", "delivered"]


def test_duplicated_event_has_one_request_id(connected, simulator, receiver):
    simulator.fault("duplicate", count=1)
    make(simulator)
    first, second = receiver.wait()
    assert first.raw == second.raw
    assert first.headers["x-zm-request-id"] == second.headers["x-zm-request-id"]


def test_reordered_events_come_last_first(connected, simulator, receiver):
    simulator.fault("reorder", count=3)
    for topic in "abcd":
        make(simulator, topic=topic)
    assert [delivery.object["topic"] for delivery in receiver.wait()] == ["c", "b", "a", "d"]


def test_held_events_go_when_the_fault_is_cleared(connected, simulator, receiver):
    simulator.fault("reorder", count=3)
    make(simulator)
    assert receiver.events() == []
    simulator.clear_faults()
    assert receiver.events() == ["meeting.created"]


def test_forged_event_has_a_wrong_signature(connected, simulator, receiver):
    simulator.fault("forge", count=1)
    make(simulator)
    assert not receiver.last().genuine


def test_delayed_event_follows_the_simulated_clock(connected, simulator, receiver):
    simulator.fault("delay", seconds=90, count=1)
    make(simulator)
    assert receiver.events() == []
    simulator.advance(91)
    assert receiver.events() == ["meeting.created"]


def test_url_validation_is_sent_and_the_answer_checked(simulator, receiver):
    assert simulator.validate_webhook()["valid"] is True
    assert receiver.last().genuine
    simulator.options(webhook_secret="another")
    assert simulator.validate_webhook()["valid"] is False


def test_url_validation_needs_an_endpoint(simulator):
    with pytest.raises(ValueError, match="webhook_url"):
        simulator.validate_webhook()


def test_any_event_body_can_be_sent(simulator, receiver):
    """A client must tolerate unknown events, so the simulator can send them."""
    simulator.send_event({"event": "meeting.teleported", "payload": {}}, account="aurora")
    assert receiver.events() == ["meeting.teleported"]


def test_deliveries_survive_a_restart(tmp_path):
    """An event that waited for a retry when the process ended is sent by the next one."""
    file = str(tmp_path / "zoom.sqlite3")
    first = SimulatorProcess("--state", file, "--webhook-url", "http://127.0.0.1:9/")
    App(first.url).connect("aurora-0")
    first.client.create_meeting("aurora-0", topic="Kept")
    first.client.retry_deliveries()
    first.stop()
    second = SimulatorProcess("--state", file, "--webhook-secret", "simulator-webhook-secret")
    receiver = Receiver(second.client)
    try:
        second.client.options(webhook_url=receiver.url)
        second.client.advance(301)
        assert json.loads(receiver.last().raw)["payload"]["object"]["topic"] == "Kept"
    finally:
        receiver.close()
        second.stop()
