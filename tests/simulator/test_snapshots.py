"""Snapshots of the simulator."""

import pytest


def test_everything_is_as_it_was(app, simulator):
    app.connect("borealis-0")
    app.get("/users/me")
    meeting = simulator.create_meeting("borealis-0", topic="Before")
    simulator.advance("10m")
    simulator.options(latency=1)
    simulator.fault("status", path="/nowhere", status=500)
    simulator.take_snapshot("before")
    state, calls = simulator.state(), simulator.calls()

    number = simulator.create_meeting("borealis-0", topic="Later")["id"]
    simulator.change_meeting(meeting["id"], topic="After")
    simulator.advance("3d")
    simulator.options(latency=0)
    simulator.clear_faults()
    app.revoke()
    assert app.get("/users/me").status_code == 401
    simulator.restore_snapshot("before")

    assert {**simulator.state(), "clock": ""} == {**state, "clock": ""}
    assert simulator.state()["clock"][:13] == state["clock"][:13]
    assert simulator.calls() == calls
    assert simulator.meeting(meeting["id"])["topic"] == "Before"
    assert app.get("/users/me").status_code == 200
    assert simulator.create_meeting("borealis-0", topic="Later")["id"] == number


def test_also_after_a_reset_and_more_than_once(simulator):
    meeting = simulator.create_meeting("aurora-0", topic="Before")
    simulator.take_snapshot("before")
    for _ in range(2):
        simulator.reset()
        with pytest.raises(ValueError, match="no meeting"):
            simulator.meeting(meeting["id"])
        simulator.restore_snapshot("before")
        assert simulator.meeting(meeting["id"])["topic"] == "Before"
        simulator.delete_meeting(meeting["id"])


def test_an_unknown_name_is_refused(simulator):
    with pytest.raises(ValueError, match="no snapshot"):
        simulator.restore_snapshot("nothing")
