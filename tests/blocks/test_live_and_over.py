"""What Zoom reports of the room, and what visitors may expect by the plan: live, a pause, over."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from icalendar import Calendar

from tests.blocks import rows
from wagtail_zoom.blocks import MeetingBlock, MeetingListBlock, NextMeetingBlock
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import Occurrence, Registration, ZoomSettings
from wagtail_zoom.registration import tokens
from wagtail_zoom.registration.context import FormContext
from wagtail_zoom.sync import event_effects

pytestmark = pytest.mark.django_db
START = datetime(2026, 12, 3, 18, 15, tzinfo=UTC)
THANKS = "Thank you to everyone who came"


def minute(minutes):
    return START + timedelta(minutes=minutes)


@pytest.fixture
def surfaces(client, site, host, render_block):
    """A meeting of 90 minutes, somebody approved, and everything that visitors see of it."""

    class Surfaces:
        def __init__(self, *, duration=90, **values):
            with time_machine.travel(minute(-3000), tick=False):
                values = {"approval_type": 0, **values}
                self.row = rows.occurrence(host, start=START, **values)
                self.row.meeting.join_url = "https://us02web.zoom.us/j/123"
                self.row.meeting.save()
                self.row.duration, self.row.has_end = duration, bool(duration)
                self.row.end = START + timedelta(minutes=duration or 60)
                self.row.save()
                self.item = rows.item(site, self.row.meeting)
                host.user_type = 2
                host.save()
                self.person = Registration.objects.create(
                    site=site, account=host.account, meeting=self.row.meeting,
                    meeting_zoom_id=self.row.meeting.zoom_id, state="approved",
                    email="mika@example.org", email_index="x", idempotency_key="k",
                    join_url="https://us02web.zoom.us/w/123?tk=own", locale="en",
                )  # fmt: skip
            ZoomSettings.objects.update(show_registration=True)

        def started(self, minutes):
            with time_machine.travel(minute(minutes), tick=False):
                event_effects.mark_live(host.account, self.row.meeting.zoom_id, minute(minutes))

        def ended(self, started, minutes):
            with time_machine.travel(minute(minutes), tick=False):
                event_effects.mark_ended(
                    host.account, self.row.meeting.zoom_id, minute(started), minute(minutes)
                )

        def see(self, minutes, **settings):
            """The surfaces at a time, after the worker's minutely job."""
            ZoomSettings.objects.update(**settings)
            cache.clear()
            with time_machine.travel(minute(minutes), tick=False):
                event_effects.close_past_occurrences(minute(minutes))
                status_path = tokens.status_path(self.person)
                visibility = SiteVisibility.for_site(site)
                seen = {
                    "list": render_block(MeetingListBlock()),
                    "next": render_block(NextMeetingBlock()),
                    "single": render_block(
                        MeetingBlock(), item=self.item.pk, show=["countdown", "calendar"]
                    ),
                    "public": client.get(links.join_url(site.pk, self.row)),
                    "personal": client.get(tokens.join_path(self.person)),
                    "status": client.get(status_path).content.decode(),
                    "form": FormContext.load(visibility, site, self.row.meeting_id).availability,
                    "calendar": Calendar.from_ical(
                        client.get(f"{status_path}calendar.ics").content
                    ),
                }
            return seen

    return Surfaces


def assert_expected(seen, *, joinable=True):
    """It takes place or will: nobody is thanked, and nothing is over."""
    pages = (seen["list"], seen["next"], seen["single"], seen["status"])
    assert all(THANKS not in page and "Ended" not in page for page in pages)
    assert "Open studio" in seen["list"] and "See you on" in seen["status"]
    assert '"@type": "Event"' in seen["list"] and "Join on Zoom" in seen["status"]
    (event,) = seen["calendar"].walk("VEVENT")
    assert event["STATUS"] == "CONFIRMED"
    for name in ("public", "personal"):
        assert seen[name].status_code == (302 if joinable else 200)
        assert THANKS not in seen[name].content.decode()
    assert seen["form"].is_open


def assert_over(seen):
    assert "Open studio" not in seen["list"] and "Ended" in seen["single"]
    assert THANKS in seen["status"] and seen["form"].code == "over"
    for name in ("public", "personal"):
        assert THANKS in seen[name].content.decode()


def test_a_host_who_looks_in_early_does_not_end_the_date(surfaces):
    meeting = surfaces()
    meeting.started(-14)
    meeting.ended(-14, -12)
    assert_expected(meeting.see(-11))
    assert_expected(meeting.see(1))
    meeting.started(2)
    seen = meeting.see(3)
    assert_expected(seen)
    assert "Live now" in seen["list"]


def test_looked_in_hours_before(surfaces):
    meeting = surfaces()
    meeting.started(-300)
    meeting.ended(-300, -290)
    assert_expected(meeting.see(-280), joinable=False)
    assert_expected(meeting.see(-5))


def test_a_pause_ends_nothing(surfaces):
    """The limit of 40 minutes of a free plan, or a lost connection."""
    meeting = surfaces()
    meeting.started(0)
    meeting.ended(0, 41)
    seen = meeting.see(45)
    assert_expected(seen)
    assert "Live now" not in seen["list"]
    meeting.started(50)
    assert "Live now" in meeting.see(51)["list"]
    assert_expected(meeting.see(89))


def test_over_when_the_planned_end_has_passed_and_the_room_is_empty(surfaces):
    meeting = surfaces()
    meeting.started(0)
    live = meeting.see(100)
    assert "Live now" in live["list"] and "until" not in live["single"].lower()
    assert [live[name].status_code for name in ("public", "personal")] == [302, 302]
    assert THANKS not in live["status"]
    meeting.ended(0, 101)
    assert_over(meeting.see(102))


def test_over_at_the_planned_end_after_a_pause(surfaces):
    meeting = surfaces()
    meeting.started(0)
    meeting.ended(0, 85)
    assert_expected(meeting.see(86))
    assert_over(meeting.see(91))


def test_an_end_that_arrives_again_changes_nothing(surfaces):
    meeting = surfaces()
    meeting.started(0)
    meeting.ended(0, 20)
    meeting.started(30)
    meeting.ended(30, 95)
    meeting.ended(0, 20)
    assert Occurrence.objects.get().state == "over"
    meeting.started(97)
    meeting.ended(30, 95)
    assert Occurrence.objects.get().state == "live"


def test_without_a_report_of_the_start_the_link_stays_open_for_the_overrun(surfaces):
    meeting = surfaces()
    for minutes in (91, 180, 90 + 359):
        seen = meeting.see(minutes)
        assert [seen[name].status_code for name in ("public", "personal")] == [302, 302]
        assert THANKS not in seen["status"] and "Join on Zoom" in seen["status"]
        assert "Open studio" not in seen["list"]
    assert_over(meeting.see(90 + 361))


def test_without_a_duration_no_end_is_shown(surfaces):
    meeting = surfaces(duration=0)
    assert_expected(meeting.see(30))
    seen = meeting.see(-60)
    pages = [seen["list"], seen["next"], seen["single"], seen["status"]]
    assert all("19:15" in page and not re.search(r">\s*to\s", page) for page in pages)
    assert "20:15" not in "".join(pages) and '"endDate"' not in seen["list"]
    (event,) = seen["calendar"].walk("VEVENT")
    assert "DTEND" not in event and event["DTSTART"].dt == START
    meeting.started(1)
    assert "until" not in meeting.see(20)["single"].lower()
    meeting.ended(1, 61)
    assert_over(meeting.see(62))


@pytest.mark.parametrize(
    ("policy", "values", "early", "opened"),
    [
        ("public", {"approval_type": 2}, "Join on Zoom", "Join on Zoom"),
        ("window", {"approval_type": 2}, "You can join here from 15 minutes", "Join on Zoom"),
        ("registrants", {"approval_type": 0}, "Register", "Register"),
        ("registrants", {"approval_type": 2}, "The organiser gives out the link.", ""),
        ("never", {"approval_type": 2}, "The organiser gives out the link.", ""),
    ],
)
def test_live_before_its_time(surfaces, policy, values, early, opened):
    """No "Live now" without a way in or a sentence that says whose it is."""
    meeting = surfaces(**values)
    meeting.started(-200)
    for minutes, expected in ((-100, early), (-10, opened or early)):
        seen = meeting.see(minutes, join_policy=policy)
        assert expected in seen["single"]
        assert "Only for people who have registered." not in seen["single"]
        assert all("Live now" in seen[name] for name in ("list", "next", "single"))
        if policy == "window" and expected == early:
            assert all("Add to calendar" in seen[name] for name in ("list", "single"))
            assert early in seen["list"] and seen["public"].status_code == 200
        if "Join" in expected:
            assert all("Join on Zoom" in seen[name] for name in ("list", "next", "single"))
            assert seen["public"].status_code == 302


def test_live_for_those_who_registered_at_zoom(surfaces):
    """The Site offers no form; people have registered elsewhere."""
    meeting = surfaces()
    meeting.started(1)
    seen = meeting.see(2, join_policy="registrants", show_registration=False)
    assert "Only for people who have registered." in seen["single"]


def test_no_countdown_when_the_host_is_late(surfaces):
    meeting = surfaces()
    assert all("data-wz-countdown" in meeting.see(-10)[name] for name in ("next", "single"))
    late = meeting.see(10)
    assert all("data-wz-countdown" not in late[name] for name in ("next", "single"))
    assert "wz-hero" not in late["next"]
