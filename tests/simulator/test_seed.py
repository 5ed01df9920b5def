"""What the simulated Zoom has in it at the start."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wagtail_zoom.testing.server import SimulatorProcess

from .test_rest import everything


@pytest.fixture
def demo(simulator):
    simulator.reset(demo=True)
    simulator.options(record_exchanges=True, rate_limit="off")
    return simulator


@pytest.mark.parametrize("account", ["aurora", "borealis"])
def test_demo_reads_well_through_every_endpoint(app, demo, account):
    """The fixture holds each answer against the contract."""
    app.connect(f"{account}-0")
    for user in everything(app, "/users", "users"):
        for kind in ("meetings", "webinars") if account == "borealis" else ("meetings",):
            for item in everything(app, f"/users/{user['id']}/{kind}", kind):
                detail = app.get(f"/{kind}/{item['id']}", show_previous_occurrences="true").json()
                if detail["settings"]["approval_type"] != 2:
                    assert app.get(f"/{kind}/{item['id']}/registrants").status_code == 200
                    assert app.get(f"/{kind}/{item['id']}/registrants/questions").status_code == 200
    for made in demo.recordings(account):
        assert app.get(f"/meetings/{made['meeting_id']}/recordings").status_code == 200


def test_demo_has_series_over_a_change_of_clocks(demo):
    """The wall clock stays, the time in UTC does not."""
    [one] = [one for one in demo.meetings("aurora") if one["topic"] == "Yin and rest"]
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime.fromisoformat(date["start_time"]) for date in one["occurrences"]]
    assert {17, 18} <= {time.hour for time in times}
    assert sum(time.astimezone(zone).strftime("%H:%M") == "19:30" for time in times) == 35
    assert [date["status"] for date in one["occurrences"]].count("deleted") == 1


def test_demo_has_people_who_wait_and_houses_that_are_full(app, demo):
    meetings = {one["topic"]: one["id"] for one in demo.meetings()}
    waiting = demo.registrants(meetings["A hundred and eight breaths"])
    assert [one["status"] for one in waiting].count("pending") == 3
    body = {"email": "late@example.org", "first_name": "Late"}
    with pytest.raises(ValueError, match="capacity"):
        demo.register(meetings["Restorative evening by candlelight"], **body)
    with pytest.raises(ValueError, match="attendees"):
        demo.register(meetings["Ink, water, paper: 王芳 at her table"], **body)
    with pytest.raises(ValueError, match="closed"):
        demo.register(meetings["Open questions about practising at home"], **body)


def test_demo_spares_what_only_tests_like(demo):
    assert not [one for one in demo.meetings() if "<" in one["topic"] or "\n" in one["topic"]]


def test_default_seed_has_the_awkward_things(simulator):
    meetings, recordings = simulator.meetings(), simulator.recordings()
    assert {one["type"] for one in meetings} == {1, 2, 3, 4, 5, 8, 9}
    assert [one for one in meetings if one["settings"].get("private_meeting")]
    assert [one for one in meetings if "<script>" in one["topic"]]
    assert [one for one in recordings if one["id"].startswith("/")]
    assert [one for one in recordings if "//" in one["id"]]
    assert [one for one in recordings if one["files"][0]["status"] == "processing"]


def test_same_seed_gives_the_same_numbers(simulator):
    first = [one["id"] for one in simulator.meetings()]
    simulator.reset()
    assert [one["id"] for one in simulator.meetings()] == first
    simulator.reset(seed=2)
    assert [one["id"] for one in simulator.meetings()] != first


def test_bulk_on_top():
    """--meetings, --webinars, --recordings, --hosts."""
    flags = ("--meetings", "9", "--webinars", "8", "--recordings", "7", "--hosts", "6", "--demo")
    process = SimulatorProcess(*flags)
    try:
        meetings = process.client.meetings("borealis")
        assert len([one for one in meetings if one["topic"].startswith("Meeting ")]) == 9
        assert len([one for one in meetings if one["topic"].startswith("Webinar ")]) == 8
        assert len(process.client.users("borealis")) == 10
        recordings = process.client.recordings("borealis")
        assert len([one for one in recordings if one["topic"].startswith("Recording ")]) == 7
        assert not process.client.recordings("harbour")
    finally:
        process.stop()
