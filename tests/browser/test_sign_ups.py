"""Every kind of sign-up, with and without a script, until its end (issue 5, shows 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SHOWN_SOON, Address
from .test_changes import reload_until, row
from .test_owner_screens import LogIn, findings
from .test_registration import mail_of

HOST = "borealis-0"
numbers = count(1)


class Visitor:
    """Somebody with a browser, who looks at every page with axe where scripts run."""

    def __init__(self, page: Page, demo: Demo, zoom: SimulatorControl, *, script: bool) -> None:
        self.page, self.demo, self.zoom, self.script = page, demo, zoom, script
        self.email = f"visitor-{next(numbers)}@example.org"
        self.made: list[int] = []

    def look(self, name: str) -> None:
        """Nothing that axe-core minds."""
        if self.script:
            assert findings(self.page) == [], name

    def open(self, address: Address, topic: str, **facts: Any) -> int:
        """The form of a new meeting, from the list onwards; the meeting's number at Zoom."""
        topic = f"{topic} {next(numbers)}"
        made = self.zoom.create_meeting(HOST, topic=topic, start_time="+1d 16:00", **facts)
        self.made.append(int(made["id"]))
        link = row(self.page, topic).get_by_role("link", name=re.compile("^Register"))
        reload_until(self.page, address("borealis", "/events/"), lambda: link.count() > 0)
        link.first.click()
        expect(self.page.locator("form.wz-form")).to_be_visible()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(topic)
        self.look("form")
        return int(made["id"])

    def enter(self) -> None:
        """Name and address."""
        self.page.get_by_label("First name").fill("Mika")
        if self.page.get_by_label("Last name").count():
            self.page.get_by_label("Last name").fill("Tanaka")
        self.page.get_by_label("Email address").fill(self.email)

    def press(self) -> None:
        """Not as fast as a robot."""
        self.page.wait_for_timeout(1500)
        self.page.get_by_role("button", name=re.compile("^Register")).click()

    def arrive(self) -> None:
        """The page that all see, then the mail and the status page that it leads to."""
        heading = self.page.get_by_role("heading", name=re.compile("mailbox"))
        expect(heading).to_be_visible(timeout=SHOWN_SOON)
        self.look("received")
        self.page.goto(mail_of(self.page, self.demo, self.email))
        self.look("status")

    def state(self) -> str:
        """What the status page says in a word."""
        return self.page.locator(".wz-state").first.inner_text()

    def becomes(self, words: str) -> None:
        """At once, or, where Zoom was slow to answer, when the worker has done it."""
        reload_until(self.page, self.page.url, lambda: self.state() == words)

    def cancel(self) -> None:
        """From the status page, after a question."""
        self.page.get_by_role("link", name="Cancel my registration").click()
        yes = self.page.get_by_role("button", name="Yes, cancel it")
        # A click does not wait for the page that it leads to.
        expect(yes).to_be_visible()
        self.look("question")
        yes.click()
        heading = self.page.get_by_role("heading", name="Your registration is cancelled")
        expect(heading).to_be_visible()
        self.look("cancelled")

    def at_zoom(self, number: int) -> list[dict[str, Any]]:
        """This person's registrants."""
        return [one for one in self.zoom.registrants(number) if one["email"] == self.email]

    def is_cancelled_at_zoom(self, number: int) -> bool:
        """Soon: the request makes one short call, everything longer is the worker's."""
        for _attempt in range(SHOWN_SOON // 250):
            if [one["status"] for one in self.at_zoom(number)] == ["cancelled"]:
                return True
            self.page.wait_for_timeout(250)
        return False


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def visitor(
    browser: Browser, demo: Demo, zoom: SimulatorControl, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """With and without JavaScript. axe's own script is let past the policy."""
    context = browser.new_context(java_script_enabled=request.param, bypass_csp=True)
    someone = Visitor(context.new_page(), demo, zoom, script=request.param)
    yield someone
    for number in someone.made:
        # Off the list, which has only so much room for what other tests plant.
        zoom.change_meeting(number, settings={"private_meeting": True})
    context.close()


def test_a_single_meeting_and_cancelled_again(visitor: Visitor, address: Address) -> None:
    number = visitor.open(address, "How a sluice turns", registration="auto")
    visitor.enter()
    visitor.press()
    visitor.arrive()
    visitor.becomes("You are registered")
    assert [one["status"] for one in visitor.at_zoom(number)] == ["approved"]
    visitor.cancel()
    assert visitor.is_cancelled_at_zoom(number)


def test_two_dates_of_a_series(visitor: Visitor, address: Address) -> None:
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 5}
    number = visitor.open(
        address, "Reading the tide", registration="auto", recurrence=weekly,
        settings={"registration_type": 3},
    )  # fmt: skip
    page = visitor.page
    visitor.enter()
    # Whoever comes from one date of the list finds that one chosen; without any there is an error.
    dates = page.locator(".wz-dates input[type=checkbox]:not([value=all])")
    assert dates.count() == 5
    for box in dates.all():
        box.uncheck()
    visitor.press()
    expect(page.locator(".wz-summary")).to_be_visible(timeout=SHOWN_SOON)
    expect(page.get_by_label("First name")).to_have_value("Mika")
    visitor.look("no date")
    dates.nth(1).check()
    dates.nth(3).check()
    visitor.press()
    visitor.arrive()
    visitor.becomes("You are registered")
    assert page.locator(".wz-panel time[datetime]").count() >= 2
    wanted = [one["occurrence_id"] for one in visitor.zoom.meeting(number)["occurrences"]]
    found = visitor.at_zoom(number)
    assert [sorted(one["occurrences"]) for one in found] == [sorted([wanted[1], wanted[3]])]
    visitor.cancel()
    assert visitor.is_cancelled_at_zoom(number)


def test_a_webinar_with_questions_of_its_own(visitor: Visitor, address: Address) -> None:
    asked: list[dict[str, Any]] = [
        {"title": "Do you own or rent?", "type": "single_radio", "answers": ["Own", "Rent"]},
        {"title": "What do you heat with?", "type": "multiple", "answers": ["Gas", "Oil", "Wood"]},
        {"title": "Where do you live?", "type": "single_dropdown", "answers": ["Town", "Country"]},
        {"title": "What would you like to know?", "type": "short"},
    ]
    number = visitor.open(
        address, "Warm in winter", kind="webinar", registration="auto",
        custom_questions=[{**one, "required": True} for one in asked],
    )  # fmt: skip
    page = visitor.page
    visitor.enter()
    visitor.press()
    expect(page.locator(".wz-summary")).to_contain_text("4 things", timeout=SHOWN_SOON)
    expect(page.get_by_role("link", name="Do you own or rent? Choose an answer")).to_be_visible()
    visitor.look("four questions open")
    assert visitor.at_zoom(number) == []
    page.get_by_label("Rent").check()
    page.get_by_label("Gas").check()
    page.get_by_label("Wood").check()
    page.get_by_label("Where do you live?").select_option(label="Country")
    page.get_by_label("What would you like to know?").fill("How long does it last?")
    visitor.press()
    visitor.arrive()
    visitor.becomes("You are registered")
    (found,) = visitor.at_zoom(number)
    answers = {one["title"]: one["value"] for one in found["custom_questions"]}
    assert answers == {
        "Do you own or rent?": "Rent",
        "What do you heat with?": "Gas, Wood",
        "Where do you live?": "Country",
        "What would you like to know?": "How long does it last?",
    }


def test_one_that_the_host_approves(visitor: Visitor, address: Address, log_in: LogIn) -> None:
    """Approved in Zoom: the status page and the owner's list follow without any help."""
    number = visitor.open(address, "A table for eight", registration="manual")
    expect(visitor.page.get_by_text("reads each registration")).to_be_visible()
    visitor.enter()
    visitor.press()
    visitor.arrive()
    visitor.becomes("Pending")
    owner = log_in("borealis", "borealis")
    listed = owner.locator("tbody tr").filter(has_text=visitor.email)
    sign_ups = address("borealis", "/admin/zoom/sign-ups/")
    owner.goto(sign_ups)
    expect(listed).to_contain_text("Waiting for your answer")
    assert findings(owner) == []

    (found,) = visitor.at_zoom(number)
    visitor.zoom.decide(number, found["id"], "approve")
    visitor.becomes("You are registered")
    visitor.look("approved")
    owner.goto(sign_ups)
    expect(listed).to_contain_text("Registered")
    visitor.cancel()
    owner.goto(sign_ups)
    expect(listed).to_contain_text("Cancelled")
