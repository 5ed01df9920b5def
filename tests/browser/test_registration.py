"""A visitor registers with and without JavaScript, and cancels from the email."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_site.run import Demo

from .conftest import TIMEOUT_MS, SiteURL


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A visitor's page, with and without JavaScript."""
    context = browser.new_context(java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def open_form(page: Page, site_url: SiteURL) -> None:
    page.goto(site_url("borealis", "/events/"))
    page.get_by_role("link", name=re.compile("^Register")).first.click()
    expect(page.locator("form.wz-form")).to_be_visible(timeout=TIMEOUT_MS)


def fill(page: Page, email: str) -> None:
    """Fill in all fields of the form."""
    page.get_by_label("First name").fill("Mika")
    if page.get_by_label("Last name").count():
        page.get_by_label("Last name").first.fill("Tanaka")
    page.get_by_label("Email address").fill(email)
    for name in page.locator("fieldset:not(:has(.wz-opt))").all():
        name.locator("input:visible").last.check()
    for box in page.locator(".wz-form select").all():
        box.select_option(index=1)
    for box in page.locator(".wz-form input.wz-input[required]").all():
        if not box.input_value():
            box.fill("Anything")


def status_link_from_email(page: Page, demo: Demo, email: str) -> str:
    """The status link in the email to this address, from the demo's list of emails."""
    for _try in range(60):
        page.goto(f"{demo.config.site_url('localhost')}/demo/mails/")
        text = page.locator("body").inner_text()
        match = re.search(rf"{re.escape(email)}.*?(http\S+/zoom/registration/\S+)", text, re.S)
        if match:
            return match[1]
        page.wait_for_timeout(500)
    raise AssertionError("no mail")


def test_from_the_list_to_the_confirmation_page(visitor: Page, site_url: SiteURL) -> None:
    """The form keeps the entered values and leads to the confirmation page."""
    open_form(visitor, site_url)
    visitor.get_by_label("First name").fill("Mika")
    visitor.wait_for_timeout(1500)
    visitor.get_by_role("button", name=re.compile("^Register")).click()
    expect(visitor.locator(".wz-summary")).to_be_visible(timeout=TIMEOUT_MS)
    expect(visitor.get_by_label("First name")).to_have_value("Mika")
    fill(visitor, "mika@example.org")
    visitor.wait_for_timeout(1500)
    visitor.get_by_role("button", name=re.compile("^Register")).click()
    expect(visitor.get_by_role("heading", name=re.compile("heck your email"))).to_be_visible(
        timeout=TIMEOUT_MS
    )


def test_your_time_stays_when_the_form_comes_back(browser: Browser, site_url: SiteURL) -> None:
    """The response to an invalid form shows local times like any other page."""
    page = browser.new_context(timezone_id="Asia/Tokyo").new_page()
    page.goto(site_url("aurora", "/events/"))
    page.get_by_role("link", name=re.compile(r"^Register\W+Prenatal yoga")).first.click()
    expect(page.locator(".wz-yours").first).to_contain_text("In your time, Tokyo")
    page.get_by_role("button", name=re.compile("^Register")).click()
    expect(page.locator(".wz-summary")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator(".wz-yours").first).to_contain_text("In your time, Tokyo")
    page.context.close()


def test_form_is_accessible(
    page: Page, site_url: SiteURL, axe: Callable[[str], list[str]], violations: list[str]
) -> None:
    open_form(page, site_url)
    assert violations == []
    assert axe(page.url) == []


def test_from_the_email_to_cancellation(
    page: Page, site_url: SiteURL, demo: Demo, axe: Callable[[str], list[str]]
) -> None:
    """The status page shows the state and cancels."""
    open_form(page, site_url)
    fill(page, "ines@example.org")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name=re.compile("^Register")).click()
    expect(page.get_by_role("heading", name=re.compile("heck your email"))).to_be_visible(
        timeout=TIMEOUT_MS
    )
    status = status_link_from_email(page, demo, "ines@example.org")
    page.goto(status)
    expect(page.locator(".wz-state")).to_have_text(re.compile("You are registered|Pending"))
    assert axe(status) == []
    page.get_by_role("link", name="Cancel my registration").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_role("heading", name="Your registration is cancelled")).to_be_visible()
