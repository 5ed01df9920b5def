"""Meetings are scheduled, changed and cancelled in the CMS; pages and Zoom follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import icalendar
import pytest
from playwright.sync_api import Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import TIMEOUT_MS, SiteURL
from .connection import PANEL, PERSON, choose, decide, disconnect
from .editing import chosen, editor_script, insert_block, publish
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations
from .test_registration import fill, status_link_from_email

LogIn = Callable[..., Page]
BERLIN = ZoneInfo("Europe/Berlin")
MEETINGS = "/admin/zoom/meetings/"
EDITOR = "emil"
CLEAN_UP = """
from wagtail.models import Page
from wagtail_zoom.models import MeetingChange
for page in Page.objects.filter(slug__startswith="scheduled"):
    page.delete()
MeetingChange.objects.exclude(state="done").delete()
"""


def tomorrow() -> datetime:
    return datetime.now(BERLIN) + timedelta(days=1)


@pytest.fixture
def topic(zoom: SimulatorControl, demo: Demo) -> Iterator[str]:
    """A topic of this test; its meetings, changes and pages are removed afterwards."""
    text = f"Handstand {uuid4().hex[:6]}"
    yield text
    zoom.clear_faults()
    for meeting in at_zoom(zoom, text):
        zoom.change_meeting(meeting["id"], settings={"private_meeting": True})
    demo.manage("shell", "-c", CLEAN_UP)


def at_zoom(zoom: SimulatorControl, topic: str) -> list[dict[str, Any]]:
    return [meeting for meeting in zoom.meetings() if topic in meeting["topic"]]


def fill_form(user: Page, topic: str, time: str = "18:30", prefix: str = "") -> None:
    """Topic, day and time of a new meeting."""
    for name, text in (("topic", topic), ("day", f"{tomorrow():%Y-%m-%d}"), ("time", time)):
        user.locator(f"#id_{prefix}{name}").fill(text)
    close_calendar(user, prefix)


def close_calendar(user: Page, prefix: str = "") -> None:
    """The calendar opens some time after its field has the focus, and covers what comes next.

    Escape would close the chooser, too.
    """
    calendars, closed = user.locator(".xdsoft_datetimepicker:visible"), 0
    for _attempt in range(TIMEOUT_MS // 250):
        user.wait_for_timeout(250)
        closed = 0 if calendars.count() else closed + 1
        if closed == 3:
            return
        if not closed:
            user.locator(f"#id_{prefix}duration").click()
    raise AssertionError("The calendar stays open.")


def schedule(user: Page, site_url: SiteURL, topic: str, **options: str) -> None:
    """Open the form from the list, and fill it in."""
    user.goto(site_url("aurora", MEETINGS))
    user.get_by_role("link", name="Schedule a meeting").first.click()
    fill_form(user, topic, **options)


def send(user: Page, button: str, message: str) -> None:
    """Press a button; the next page says so."""
    user.get_by_role("button", name=button, exact=True).click()
    expect(user.locator(".messages")).to_contain_text(message)


def test_single_meeting(
    log_in: LogIn, site_url: SiteURL, page: Page, zoom: SimulatorControl, topic: str
) -> None:
    """Scheduled, on the page at once; changed, and cancelled."""
    owner, events = log_in("aurora", "aurora"), site_url("aurora", "/events/")
    schedule(owner, site_url, topic)
    owner.get_by_role("button", name="45 min").click()
    expect(owner.locator("#id_duration")).to_have_value("45")
    expect(owner.locator(".wza-say")).to_contain_text("18:30 to 19:15 (Berlin time)")
    assert axe_violations(owner) == []
    send(owner, "Schedule it", f"“{topic}” is scheduled. Visitors see it now.")
    page.goto(events)
    expect(row(page, topic)).to_contain_text("18:30 to 19:15")
    [meeting] = at_zoom(zoom, topic)
    assert (meeting["duration"], meeting["timezone"]) == (45, "Europe/Berlin")

    owner.get_by_role("link", name="Change the meeting").click()
    owner.locator("#id_topic").fill(f"{topic} for all")
    owner.locator("#id_time").fill("20:00")
    close_calendar(owner)
    assert axe_violations(owner) == []
    send(owner, "Send to Zoom", f"“{topic} for all” is changed in Zoom.")
    page.goto(events)
    expect(row(page, f"{topic} for all")).to_contain_text("20:00 to 20:45")
    expect(row(page, topic)).to_contain_text("New time")

    owner.get_by_role("link", name="Cancel the meeting").click()
    expect(owner.get_by_text("Nobody is registered")).to_be_visible()
    assert axe_violations(owner) == []
    send(owner, "Cancel the meeting", f"“{topic} for all” is cancelled in Zoom.")
    page.goto(events)
    expect(row(page, topic)).to_contain_text("Cancelled")
    assert [doc["state"] for doc in at_zoom(zoom, topic)] in ([], ["deleted"])


def calendar_starts(page: Page, site_url: SiteURL, topic: str) -> list[datetime]:
    """Starts of a series in the Site's calendar file, in Berlin."""
    page.goto(site_url("aurora", "/events/"))
    script = "fetch('/zoom/calendar/all.ics', {cache: 'reload'}).then((file) => file.text())"
    text = page.evaluate(script)
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    starts = [event["DTSTART"].dt for event in events if topic in event["SUMMARY"]]
    return sorted(start.astimezone(BERLIN) for start in starts)


def test_series_with_registration(
    log_in: LogIn, site_url: SiteURL, page: Page, zoom: SimulatorControl, demo: Demo, topic: str
) -> None:
    """Weekly over a change of clocks; a date moves, one is cancelled, then all, with two people
    who registered."""
    owner, events = log_in("aurora", "aurora"), site_url("aurora", "/events/")
    schedule(owner, site_url, topic)
    owner.locator("#id_repeats").select_option("weekly")
    owner.get_by_label(f"{tomorrow():%a}", exact=True).check()
    owner.get_by_label("After a number of dates").check()
    owner.locator("#id_count").fill("32")
    owner.get_by_label("Automatic: everyone who registers gets a link").check()
    sentences = owner.locator(".wza-say")
    expect(sentences).to_contain_text("There are 32 dates.")
    expect(sentences).to_contain_text("Clocks change on")
    send(owner, "Schedule it", f"“{topic}” is scheduled. Visitors see it now.")
    item = owner.url
    page.goto(events)
    expect(row(page, topic).first).to_contain_text("18:30")
    starts = calendar_starts(page, site_url, topic)
    assert len(starts) == 32 and {f"{start:%H:%M}" for start in starts} == {"18:30"}
    assert len({start.utcoffset() for start in starts}) == 2

    people = [f"{name}-{uuid4().hex[:6]}@example.org" for name in ("ada", "bo")]
    for email in people:
        page.goto(events)
        row(page, topic).first.get_by_role("link", name=re.compile("^Register")).click()
        fill(page, email)
        page.wait_for_timeout(1500)  # a form that comes back sooner is a robot's
        page.get_by_role("button", name=re.compile("^Register")).click()
        expect(page.get_by_role("heading", name=re.compile("heck your email"))).to_be_visible()
    status_pages = [status_link_from_email(page, demo, email) for email in people]

    owner.goto(item)
    owner.get_by_role("link", name=re.compile("^Change ")).filter(has_not_text="meeting").nth(
        1
    ).click()
    expect(owner.get_by_text("You change only this date")).to_be_visible()
    owner.locator("#id_time").fill("19:15")
    close_calendar(owner)
    send(owner, "Send to Zoom", f"“{topic}” is changed in Zoom.")
    assert f"{calendar_starts(page, site_url, topic)[1]:%H:%M}" == "19:15"

    owner.get_by_role("link", name=re.compile("^Cancel this date")).nth(2).click()
    expect(owner.get_by_text("31 other dates stay")).to_be_visible()
    send(owner, "Cancel this date", f"The date of “{topic}” is cancelled in Zoom.")
    [meeting] = at_zoom(zoom, topic)
    states = [date["status"] for date in meeting["occurrences"]]
    assert (states.count("available"), states[2]) == (31, "deleted")

    owner.get_by_role("link", name="Cancel the series").click()
    expect(owner.get_by_text("2 people are registered")).to_be_visible()
    expect(owner.get_by_label("Zoom emails those who are registered")).to_be_checked()
    assert axe_violations(owner) == []
    send(owner, "Cancel all 31 dates", f"“{topic}” is cancelled in Zoom.")
    [call] = [call for call in zoom.calls("method=DELETE") if str(meeting["id"]) in call["path"]][
        -1:
    ]
    assert "cancel_meeting_reminder=true" in call["query"]
    page.goto(events)
    expect(row(page, topic).first).to_contain_text("Cancelled")
    for url in status_pages:
        reload_until(page, url, lambda: "cancelled" in page.locator("main").inner_text().lower())


def test_difference_made_in_zoom(
    log_in: LogIn, site_url: SiteURL, zoom: SimulatorControl, topic: str
) -> None:
    """Nothing is sent over what somebody else has changed; both versions stand side by side."""
    owner = log_in("aurora", "aurora")
    schedule(owner, site_url, topic)
    send(owner, "Schedule it", "is scheduled")
    owner.get_by_role("link", name="Change the meeting").click()
    expect(owner.locator("#id_topic")).to_have_value(topic)
    [meeting] = at_zoom(zoom, topic)
    zoom.change_meeting(meeting["id"], topic=f"{topic} at Zoom", duration=75)
    owner.locator("#id_topic").fill(f"{topic} here")
    owner.locator("#id_agenda").fill("Bring a mat.")
    owner.get_by_role("button", name="Send to Zoom").click()
    heading = owner.get_by_text("This meeting was changed in Zoom while you were editing it.")
    expect(heading).to_be_visible()
    assert at_zoom(zoom, topic)[0]["topic"] == f"{topic} at Zoom"
    assert axe_violations(owner) == []
    table = owner.locator(".wza-compare")
    expect(table).to_contain_text("1 h 15 min")
    table.get_by_label(f"{topic} here").check()
    send(owner, "Send to Zoom", f"“{topic} here” is changed in Zoom.")
    [changed] = at_zoom(zoom, topic)
    assert (changed["topic"], changed["agenda"], changed["duration"]) == (
        f"{topic} here", "Bring a mat.", 75,
    )  # fmt: skip


def test_what_zoom_refuses_is_corrected(
    log_in: LogIn, site_url: SiteURL, page: Page, zoom: SimulatorControl, topic: str
) -> None:
    """A refused meeting stands above the list with its reason, and is corrected or discarded."""
    owner = log_in("aurora", "aurora")
    zoom.fault("status", method="POST", path="/users/.*/meetings$", status=400, code=300, count=2)
    for number in (1, 2):
        schedule(owner, site_url, f"{topic} {number}")
        send(owner, "Schedule it", f"Zoom did not accept the new meeting “{topic} {number}”.")
    waiting = owner.locator(".wza-waits")
    expect(waiting.locator("li")).to_have_count(2)
    assert axe_violations(owner) == []
    waiting.get_by_role("link", name=f"Edit and try again {topic} 1").click()
    expect(owner.locator("#id_topic")).to_have_value(f"{topic} 1")
    owner.locator("#id_duration").fill("30")
    send(owner, "Save and try again", f"“{topic} 1” is scheduled. Visitors see it now.")
    page.goto(site_url("aurora", "/events/"))
    expect(row(page, f"{topic} 1")).to_contain_text("18:30 to 19:00")
    owner.goto(site_url("aurora", MEETINGS))
    waiting.get_by_role("link", name=f"Discard… {topic} 2").click()
    send(owner, "Discard", "The change is discarded.")
    expect(waiting).to_have_count(0)
    assert [meeting["topic"] for meeting in at_zoom(zoom, topic)] == [f"{topic} 1"]


def test_from_the_chooser_of_a_page(
    log_in: LogIn, site_url: SiteURL, page: Page, demo: Demo, zoom: SimulatorControl, topic: str
) -> None:
    """An editor schedules from the page editor once the owner allows it."""
    demo.manage("shell", "-c", editor_script("aurora", EDITOR))
    owner, editor = log_in("aurora", "aurora"), log_in(EDITOR, "aurora")
    editor.goto(site_url("aurora", "/admin/pages/"))
    editor.get_by_role("link", name="Add child page").first.click()
    editor.get_by_role("link", name="Events page").first.click()
    title = editor.get_by_role("textbox", name="Title").first
    title.fill(f"Scheduled {topic}")
    title.press("Tab")
    expect(editor.locator("#id_slug")).not_to_have_value("")
    editor.get_by_role("button", name="Save draft").click()
    editor.wait_for_url("**/edit/")
    insert_block(editor, "Zoom meeting")
    editor.get_by_role("button", name="Choose a meeting or series").last.click()
    expect(editor.locator(".modal-body tbody tr").first).to_be_visible()
    expect(editor.get_by_role("tab", name="Schedule new")).to_have_count(0)

    panel = site_url("aurora", "/admin/settings/wagtail_zoom/zoomsettings/#tab-choices")
    owner.goto(panel)
    switch = owner.get_by_label("Editors may schedule, change and cancel meetings")
    switch.check()
    send(owner, "Save", "Saved")
    try:
        editor.get_by_role("button", name="Close").click()
        editor.get_by_role("button", name="Choose a meeting or series").last.click()
        editor.get_by_role("tab", name="Schedule new").click()
        field = editor.locator("#id_zoom-new-topic")
        expect(field).to_have_value(f"Scheduled {topic}")
        fill_form(editor, topic, prefix="zoom-new-")
        with editor.expect_response(lambda response: "/edit/" in response.url):
            editor.get_by_role("button", name="Schedule and choose").click()
            expect(chosen(editor).last).to_have_text(topic)
        expect(editor.locator("#w-autosave-indicator").get_by_text("Saved")).to_be_visible()
        publish(editor)
        page.goto(editor.get_by_role("link", name="View live").first.get_attribute("href") or "")
        expect(page.locator(".part--meeting")).to_contain_text(topic)
        [meeting] = at_zoom(zoom, topic)
        assert meeting["creation_source"] == "open_api"
    finally:
        owner.goto("about:blank")
        owner.goto(panel)
        switch.uncheck()
        send(owner, "Save", "Saved")


def test_access_is_updated_where_it_is_missing(
    harbour: Callable[..., Page], site_url: SiteURL, page: Page, topic: str
) -> None:
    """The button leads through Zoom's consent, and the form is there afterwards."""
    owner = harbour(PERSON, "Meetings")
    disconnect(owner)
    owner.get_by_role("button", name=re.compile("^(Connect|Reconnect) Zoom$")).first.click()
    refused = [f"meeting:{verb}:meeting:admin" for verb in ("write", "update", "delete")]
    decide(owner, "Allow", refused=refused)
    owner.wait_for_url(f"**{PANEL}**")
    choose(owner, "Meetings")
    owner.goto(site_url("harbour", MEETINGS))
    owner.get_by_role("link", name="Schedule a meeting").first.click()
    expect(owner.get_by_text("Scheduling needs more Zoom access.")).to_be_visible()
    expect(owner.locator("#id_topic")).to_have_count(0)
    assert axe_violations(owner) == []
    owner.get_by_role("button", name="Update Zoom access").click()
    decide(owner, "Allow")
    owner.wait_for_url(f"**{PANEL}**")
    owner.goto(site_url("harbour", MEETINGS))
    owner.get_by_role("link", name="Schedule a meeting").first.click()
    fill_form(owner, topic)
    # Right after connecting, the import can have used up the rate limit: then the worker sends it.
    send(owner, "Schedule it", f"“{topic}” is ")
    events = site_url("harbour", "/events/")
    reload_until(page, events, lambda: row(page, topic).count())
    expect(row(page, topic)).to_contain_text("18:30")
