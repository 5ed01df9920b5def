"""Every type of registration, with and without JavaScript, until its cancellation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import TIMEOUT_MS, SiteURL
from .test_changes import reload_until, row
from .test_owner_screens import LogIn, axe_violations
from .test_registration import status_link_from_email

HOST = "borealis-0"
numbers = count(1)


class Visitor:
    """A visitor with a browser; checks every page with axe where JavaScript is enabled."""

    def __init__(self, page: Page, demo: Demo, zoom: SimulatorControl, *, script: bool) -> None:
        self.page, self.demo, self.zoom, self.script = page, demo, zoom, script
        self.email = f"visitor-{next(numbers)}@example.org"
        self.meeting_ids: list[int] = []

    def check_accessibility(self, name: str) -> None:
        """Assert that axe-core finds no violation."""
        if self.script:
            assert axe_violations(self.page) == [], name

    def open_form(self, site_url: SiteURL, topic: str, **fields: Any) -> int:
        """Create a meeting and open its form from the list; returns the meeting's number."""
        topic = f"{topic} {next(numbers)}"
        meeting = self.zoom.create_meeting(HOST, topic=topic, start_time="+1d 16:00", **fields)
        self.meeting_ids.append(int(meeting["id"]))
        link = row(self.page, topic).get_by_role("link", name=re.compile("^Register"))
        reload_until(self.page, site_url("borealis", "/events/"), lambda: link.count() > 0)
        link.first.click()
        expect(self.page.locator("form.wz-form")).to_be_visible()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(topic)
        self.check_accessibility("form")
        return int(meeting["id"])

    def fill_form(self) -> None:
        """Enter name and email."""
        self.page.get_by_label("First name").fill("Mika")
        if self.page.get_by_label("Last name").count():
            self.page.get_by_label("Last name").fill("Tanaka")
        self.page.get_by_label("Email address").fill(self.email)

    def submit(self) -> None:
        """Submit the form, not as fast as a bot."""
        self.page.wait_for_timeout(1500)
        self.page.get_by_role("button", name=re.compile("^Register")).click()

    def open_status_page(self) -> None:
        """The confirmation page, then the status page from the email."""
        heading = self.page.get_by_role("heading", name=re.compile("heck your email"))
        expect(heading).to_be_visible(timeout=TIMEOUT_MS)
        self.check_accessibility("received")
        self.page.goto(status_link_from_email(self.page, self.demo, self.email))
        self.check_accessibility("status")

    def state(self) -> str:
        """The state on the status page."""
        return self.page.locator(".wz-state").first.inner_text()

    def wait_for_state(self, words: str) -> None:
        """Wait for a state: immediate, or set by the worker when Zoom was slow."""
        reload_until(self.page, self.page.url, lambda: self.state() == words)

    def cancel(self) -> None:
        """Cancel on the status page, with confirmation."""
        self.page.get_by_role("link", name="Cancel my registration").click()
        yes = self.page.get_by_role("button", name="Yes, cancel it")
        # A click does not wait for the next page.
        expect(yes).to_be_visible()
        self.check_accessibility("question")
        yes.click()
        heading = self.page.get_by_role("heading", name="Your registration is cancelled")
        expect(heading).to_be_visible()
        self.check_accessibility("cancelled")

    def registrants(self, number: int) -> list[dict[str, Any]]:
        """This visitor's registrants at Zoom."""
        return [
            registrant
            for registrant in self.zoom.registrants(number)
            if registrant["email"] == self.email
        ]

    def wait_until_cancelled(self, number: int) -> bool:
        """Wait for the cancellation, which the worker sends if the request's call was too slow."""
        for _attempt in range(TIMEOUT_MS // 250):
            if [registrant["status"] for registrant in self.registrants(number)] == ["cancelled"]:
                return True
            self.page.wait_for_timeout(250)
        return False


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def visitor(
    browser: Browser, demo: Demo, zoom: SimulatorControl, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """With and without JavaScript. The CSP is bypassed for axe's own script."""
    context = browser.new_context(java_script_enabled=request.param, bypass_csp=True)
    new_visitor = Visitor(context.new_page(), demo, zoom, script=request.param)
    yield new_visitor
    for number in new_visitor.meeting_ids:
        # Remove it from the list, whose length is limited, for the other tests.
        zoom.change_meeting(number, settings={"private_meeting": True})
    context.close()


def test_a_single_meeting_and_cancelled_again(visitor: Visitor, site_url: SiteURL) -> None:
    number = visitor.open_form(site_url, "How a sluice turns", registration="auto")
    visitor.fill_form()
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("You are registered")
    assert [item["status"] for item in visitor.registrants(number)] == ["approved"]
    visitor.cancel()
    assert visitor.wait_until_cancelled(number)


def test_two_dates_of_a_series(visitor: Visitor, site_url: SiteURL) -> None:
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 5}
    number = visitor.open_form(
        site_url, "Reading the tide", registration="auto", recurrence=weekly,
        settings={"registration_type": 3},
    )  # fmt: skip
    page = visitor.page
    visitor.fill_form()
    # The occurrence whose link was used is selected; without any there is an error.
    dates = page.locator(".wz-dates input[type=checkbox]:not([value=all])")
    assert dates.count() == 5
    for box in dates.all():
        box.uncheck()
    visitor.submit()
    expect(page.locator(".wz-summary")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_label("First name")).to_have_value("Mika")
    visitor.check_accessibility("no date")
    dates.nth(1).check()
    dates.nth(3).check()
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("You are registered")
    assert page.locator(".wz-panel time[datetime]").count() >= 2
    occurrence_ids = [item["occurrence_id"] for item in visitor.zoom.meeting(number)["occurrences"]]
    registrants = visitor.registrants(number)
    assert [sorted(item["occurrences"]) for item in registrants] == [
        sorted([occurrence_ids[1], occurrence_ids[3]])
    ]
    visitor.cancel()
    assert visitor.wait_until_cancelled(number)


def test_a_webinar_with_questions_of_its_own(visitor: Visitor, site_url: SiteURL) -> None:
    questions: list[dict[str, Any]] = [
        {"title": "Do you own or rent?", "type": "single_radio", "answers": ["Own", "Rent"]},
        {"title": "What do you heat with?", "type": "multiple", "answers": ["Gas", "Oil", "Wood"]},
        {"title": "Where do you live?", "type": "single_dropdown", "answers": ["Town", "Country"]},
        {"title": "What would you like to know?", "type": "short"},
    ]
    number = visitor.open_form(
        site_url, "Warm in winter", kind="webinar", registration="auto",
        custom_questions=[{**item, "required": True} for item in questions],
    )  # fmt: skip
    page = visitor.page
    visitor.fill_form()
    visitor.submit()
    expect(page.locator(".wz-summary")).to_contain_text("4 problems", timeout=TIMEOUT_MS)
    expect(page.get_by_role("link", name="Do you own or rent? Choose an answer")).to_be_visible()
    visitor.check_accessibility("four questions open")
    assert visitor.registrants(number) == []
    page.get_by_label("Rent").check()
    page.get_by_label("Gas").check()
    page.get_by_label("Wood").check()
    page.get_by_label("Where do you live?").select_option(label="Country")
    page.get_by_label("What would you like to know?").fill("How long does it last?")
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("You are registered")
    (registrant,) = visitor.registrants(number)
    answers = {item["title"]: item["value"] for item in registrant["custom_questions"]}
    assert answers == {
        "Do you own or rent?": "Rent",
        "What do you heat with?": "Gas;Wood",
        "Where do you live?": "Country",
        "What would you like to know?": "How long does it last?",
    }


def test_registration_with_approval(visitor: Visitor, site_url: SiteURL, log_in: LogIn) -> None:
    """Approved at Zoom: the status page and the owner's list are updated automatically."""
    number = visitor.open_form(site_url, "A table for eight", registration="manual")
    expect(visitor.page.get_by_text("reads each registration")).to_be_visible()
    visitor.fill_form()
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("Pending")
    owner = log_in("borealis", "borealis")
    listed = owner.locator("tbody tr").filter(has_text=visitor.email)
    registrations_url = site_url("borealis", "/admin/zoom/registrations/")
    owner.goto(registrations_url)
    expect(listed).to_contain_text("Waiting for your answer")
    assert axe_violations(owner) == []

    (registrant,) = visitor.registrants(number)
    visitor.zoom.decide(number, registrant["id"], "approve")
    visitor.wait_for_state("You are registered")
    visitor.check_accessibility("approved")
    owner.goto(registrations_url)
    expect(listed).to_contain_text("Registered")
    visitor.cancel()
    owner.goto(registrations_url)
    expect(listed).to_contain_text("Cancelled")
