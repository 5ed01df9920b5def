"""A visitor signs up: with a script, without one, and from the mail onwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_site.run import Demo

from .conftest import SHOWN_SOON, Address


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A visitor's page, with and without JavaScript."""
    context = browser.new_context(java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def open_form(page: Page, address: Address) -> None:
    page.goto(address("borealis", "/events/"))
    page.get_by_role("link", name=re.compile("^Register")).first.click()
    expect(page.locator("form.wz-form")).to_be_visible(timeout=SHOWN_SOON)


def fill(page: Page, email: str) -> None:
    """Everything that the form asks for."""
    page.get_by_label("First name").fill("Mika")
    if page.get_by_label("Last name").count():
        page.get_by_label("Last name").first.fill("Tanaka")
    page.get_by_label("Email address").fill(email)
    for name in page.locator("fieldset:not(:has(.wz-opt))").all():
        name.locator("input").last.check()
    for box in page.locator(".wz-form select").all():
        box.select_option(index=1)
    for box in page.locator(".wz-form input.wz-input[required]").all():
        if not box.input_value():
            box.fill("Anything")


def mail_of(page: Page, demo: Demo, email: str) -> str:
    """The status link in the mail to this address, from the demo's own mailbox."""
    for _try in range(60):
        page.goto(f"{demo.places.site_url('localhost')}/demo/mails/")
        text = page.locator("body").inner_text()
        found = re.search(rf"{re.escape(email)}.*?(http\S+/zoom/registration/\S+)", text, re.S)
        if found:
            return found[1]
        page.wait_for_timeout(500)
    raise AssertionError("no mail")


def test_from_the_list_to_the_answer(visitor: Page, address: Address) -> None:
    """Issue 5, Shows 1: the form keeps what was entered and leads to the same honest page."""
    open_form(visitor, address)
    visitor.get_by_label("First name").fill("Mika")
    visitor.wait_for_timeout(1500)
    visitor.get_by_role("button", name=re.compile("^Register")).click()
    expect(visitor.locator(".wz-summary")).to_be_visible(timeout=SHOWN_SOON)
    expect(visitor.get_by_label("First name")).to_have_value("Mika")
    fill(visitor, "mika@example.org")
    visitor.wait_for_timeout(1500)
    visitor.get_by_role("button", name=re.compile("^Register")).click()
    expect(visitor.get_by_role("heading", name=re.compile("mailbox"))).to_be_visible(
        timeout=SHOWN_SOON
    )


def test_your_time_stays_when_the_form_comes_back(browser: Browser, address: Address) -> None:
    """The answer to a form that was sent in place is a page like any other."""
    page = browser.new_context(timezone_id="Asia/Tokyo").new_page()
    page.goto(address("aurora", "/events/"))
    page.get_by_role("link", name=re.compile(r"^Register\W+Prenatal yoga")).first.click()
    expect(page.locator(".wz-yours").first).to_contain_text("In your time, Tokyo")
    page.get_by_role("button", name=re.compile("^Register")).click()
    expect(page.locator(".wz-summary")).to_be_visible(timeout=SHOWN_SOON)
    expect(page.locator(".wz-yours").first).to_contain_text("In your time, Tokyo")
    page.context.close()


def test_form_is_accessible(
    page: Page, address: Address, axe: Callable[[str], list[str]], violations: list[str]
) -> None:
    open_form(page, address)
    assert violations == []
    assert axe(page.url) == []


def test_from_the_mail_onwards(
    page: Page, address: Address, demo: Demo, axe: Callable[[str], list[str]]
) -> None:
    """The status page says how things stand, and cancels."""
    open_form(page, address)
    fill(page, "ines@example.org")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name=re.compile("^Register")).click()
    expect(page.get_by_role("heading", name=re.compile("mailbox"))).to_be_visible(
        timeout=SHOWN_SOON
    )
    status = mail_of(page, demo, "ines@example.org")
    page.goto(status)
    expect(page.locator(".wz-state")).to_have_text(re.compile("You are registered|Pending"))
    assert axe(status) == []
    page.get_by_role("link", name="Cancel my registration").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_role("heading", name="Your registration is cancelled")).to_be_visible()
