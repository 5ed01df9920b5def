"""The seed data of the simulator."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wagtail_zoom.testing.server import SimulatorProcess

from .test_rest import all_pages


@pytest.fixture
def demo(simulator):
    simulator.reset(demo=True)
    simulator.options(record_exchanges=True, rate_limit="off")
    return simulator


@pytest.mark.parametrize("account", ["aurora", "borealis"])
def test_demo_reads_well_through_every_endpoint(app, demo, account):
    """The fixture validates each response against the contract."""
    app.connect(f"{account}-0")
    for user in all_pages(app, "/users", "users"):
        for kind in ("meetings", "webinars") if account == "borealis" else ("meetings",):
            for item in all_pages(app, f"/users/{user['id']}/{kind}", kind):
                detail = app.get(f"/{kind}/{item['id']}", show_previous_occurrences="true").json()
                if detail["settings"]["approval_type"] != 2:
                    assert app.get(f"/{kind}/{item['id']}/registrants").status_code == 200
                    assert app.get(f"/{kind}/{item['id']}/registrants/questions").status_code == 200
    for recording in demo.recordings(account):
        assert app.get(f"/meetings/{recording['meeting_id']}/recordings").status_code == 200


def test_demo_has_series_over_a_dst_change(demo):
    """The wall-clock time stays the same, the UTC time does not."""
    [series] = [series for series in demo.meetings("aurora") if series["topic"] == "Yin and rest"]
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime.fromisoformat(date["start_time"]) for date in series["occurrences"]]
    assert {17, 18} <= {time.hour for time in times}
    assert sum(time.astimezone(zone).strftime("%H:%M") == "19:30" for time in times) == 35
    assert [date["status"] for date in series["occurrences"]].count("deleted") == 1


def test_demo_has_pending_registrants_and_full_meetings(app, demo):
    meetings = {item["topic"]: item["id"] for item in demo.meetings()}
    waiting = demo.registrants(meetings["A hundred and eight breaths"])
    assert [item["status"] for item in waiting].count("pending") == 3
    body = {"email": "late@example.org", "first_name": "Late"}
    with pytest.raises(ValueError, match="capacity"):
        demo.register(meetings["Restorative evening by candlelight"], **body)
    with pytest.raises(ValueError, match="attendees"):
        demo.register(meetings["Ink, water, paper: 王芳 at her table"], **body)
    with pytest.raises(ValueError, match="closed"):
        demo.register(meetings["Open questions about practising at home"], **body)


def test_demo_has_no_test_data(demo):
    assert not [
        meeting
        for meeting in demo.meetings()
        if "<" in meeting["topic"] or "\n" in meeting["topic"]
    ]


def test_default_seed_has_edge_cases(simulator):
    meetings, recordings = simulator.meetings(), simulator.recordings()
    assert {item["type"] for item in meetings} == {1, 2, 3, 4, 5, 8, 9}
    assert [item for item in meetings if item["settings"].get("private_meeting")]
    assert [item for item in meetings if "<script>" in item["topic"]]
    assert [item for item in recordings if item["id"].startswith("/")]
    assert [item for item in recordings if "//" in item["id"]]
    assert [item for item in recordings if item["files"][0]["status"] == "processing"]


def test_same_seed_gives_the_same_numbers(simulator):
    first = [meeting["id"] for meeting in simulator.meetings()]
    simulator.reset()
    assert [meeting["id"] for meeting in simulator.meetings()] == first
    simulator.reset(seed=2)
    assert [meeting["id"] for meeting in simulator.meetings()] != first


def test_additional_objects():
    """--meetings, --webinars, --recordings, --hosts."""
    flags = ("--meetings", "9", "--webinars", "8", "--recordings", "7", "--hosts", "6", "--demo")
    process = SimulatorProcess(*flags)
    try:
        meetings = process.client.meetings("borealis")
        assert (
            len([meeting for meeting in meetings if meeting["topic"].startswith("Meeting ")]) == 9
        )
        assert (
            len([meeting for meeting in meetings if meeting["topic"].startswith("Webinar ")]) == 8
        )
        assert len(process.client.users("borealis")) == 10
        recordings = process.client.recordings("borealis")
        assert (
            len([meeting for meeting in recordings if meeting["topic"].startswith("Recording ")])
            == 7
        )
        assert not process.client.recordings("harbour")
    finally:
        process.stop()
