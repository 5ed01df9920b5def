"""Two forms on one page, in a real Chromium: ids, labels, focus, and what shows while one is sent.

With ``BLOCK_SHOTS=<folder>`` the screenshots are saved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.blocks import rows
from tests.default_site import default_site
from tests.testapp.models import ZoomPage
from wagtail_zoom.models import Occurrence, Registration

from .test_blocks import screenshot

# Playwright runs an event loop in this thread, where Django otherwise refuses database access.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
DAY = timedelta(days=1)
QUESTIONS = {
    "questions": [
        {"field_name": "last_name", "required": True},
        {"field_name": "country", "required": True},
    ],
    "custom_questions": [
        {"title": "Do you own?", "type": "single", "required": True, "answers": ["Own", "Rent"]},
        {"title": "Which fuel?", "type": "multiple", "required": True, "answers": ["Gas", "Oil"]},
        {"title": "City size", "type": "single_dropdown", "required": True, "answers": ["S", "L"]},
        {"title": "Ask us", "type": "short", "required": True},
    ],
}  # fmt: skip
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
ERRORS = {"series": 10, "single": 9}
"""How many fields of an empty form are in error."""

LABELS = """async () => {
  const wrong = [];
  for (const label of document.querySelectorAll("label[for]")) {
    if (!label.checkVisibility()) continue;
    label.click();
    const input = document.activeElement;
    const isOwn = input.form === label.closest("form");
    if (input.id !== label.htmlFor || !isOwn) wrong.push(label.textContent);
  }
  return wrong;
}"""
"""Labels that do not focus an input of their own form."""


@pytest.fixture
def url(live_server: Any, transactional_db: None) -> str:
    """A page with the form of a series, whose dates are chosen, and that of a single meeting."""
    site = default_site()
    host = rows.host(rows.account())
    host.user_type = 2
    host.save()
    rows.site_settings(
        site,
        host.account,
        host,
        show_registration=True,
        consent_text="I agree.",
        double_opt_in=True,
    )
    now = timezone.now()
    values = {"approval_type": 0, "questions": QUESTIONS, "questions_at": now}
    series = rows.occurrence(
        host, topic="Choir", zoom_type=8, start=now + DAY, registration_type=3, **values
    )
    Occurrence.objects.create(
        meeting=series.meeting, account=host.account, zoom_id="w1", start=now + 8 * DAY,
        end=now + 8 * DAY + timedelta(hours=1), duration=60,
    )  # fmt: skip
    single = rows.occurrence(host, topic="Heat pumps", start=now + 2 * DAY, **values)
    items = [rows.item(site, occurrence.meeting) for occurrence in (series, single)]
    body = [
        ("register", {"item": items[1]}),
        ("register", {"item": items[0], "heading": "The winter choir", "heading_level": "3"}),
    ]
    site.root_page.add_child(instance=ZoomPage(title="Two forms", slug="two", body=body))
    return f"{live_server.url}/two/"


@pytest.fixture
def opened(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def form(page: Page, topic: str) -> Locator:
    return page.locator(f"form.wz-form[aria-label='Register for {topic}']")


def submit(page: Page, topic: str) -> None:
    form(page, topic).get_by_role("button", name=re.compile("^Register")).click()


def ids(page: Page) -> list[str]:
    page_ids: list[str] = page.locator("[id]").evaluate_all("(all) => all.map((each) => each.id)")
    return page_ids


def fill(box: Locator) -> None:
    for name, value in PERSON.items():
        box.locator(f"[name={name}]").fill(value)
    box.get_by_label("Country").select_option("DE")
    box.get_by_label("City size").select_option("S")
    box.get_by_label("Ask us").fill("How loud?")
    for label in ("Own", "Oil", "I agree."):
        box.get_by_label(label, exact=True).check()


def assert_links_lead_to_their_fields(box: Locator) -> None:
    links = box.locator(".wz-summary a")
    for number in range(links.count()):
        links.nth(number).click()
        focused = box.locator(":focus")
        expect(focused).to_have_count(1)
        assert focused.evaluate("(input) => ['INPUT', 'SELECT'].includes(input.tagName)")
        field = focused.locator("xpath=ancestor::*[contains(@class, 'wz-has-error')]")
        message = field.locator(".wz-error").inner_text()
        assert links.nth(number).inner_text().endswith(message)


@pytest.mark.parametrize("width", [320, 1280])
def test_errors_in_both(opened: Callable[..., Page], width: int) -> None:
    """Every label and every link of a summary acts on its own form."""
    page = opened(width)
    anchors = page.locator("section.wz").evaluate_all("(all) => all.map((each) => each.id)")
    for topic, count in (("Choir", ERRORS["series"]), ("Heat pumps", ERRORS["single"])):
        submit(page, topic)
        summary = form(page, topic).locator(".wz-summary")
        expect(summary).to_be_focused()
        expect(summary.get_by_role("link")).to_have_count(count)
    screenshot(page, f"two-forms-{width}")
    page_ids = ids(page)
    assert len(page_ids) == len(set(page_ids)) > 40
    assert page.locator("section.wz").evaluate_all("(all) => all.map((each) => each.id)") == anchors
    headings = page.get_by_role("heading")
    assert headings.all_inner_texts() == [
        "Two forms", "Register for Heat pumps", "Please fix 9 problems", "The winter choir",
        "Please fix 10 problems",
    ]  # fmt: skip
    level = "(all) => all.map((each) => each.getAttribute('aria-level') || each.tagName[1])"
    assert headings.evaluate_all(level) == ["1", "2", "3", "3", "4"]
    assert page.evaluate(LABELS) == []
    for topic in ("Choir", "Heat pumps"):
        assert_links_lead_to_their_fields(form(page, topic))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()


def test_registering_with_one_keeps_the_other(opened: Callable[..., Page]) -> None:
    """Also through the question whether a person filled it in; the section keeps its anchor."""
    page = opened()
    form(page, "Choir").get_by_label("First name").fill("Ines")
    submit(page, "Choir")
    expect(form(page, "Choir").locator(".wz-summary")).to_be_focused()
    fill(form(page, "Heat pumps"))
    anchor = page.locator("section.wz").first.get_attribute("id")
    submit(page, "Heat pumps")
    thanks = page.locator(f"section.wz[id={anchor}] .wz-big")
    expect(thanks).to_be_visible()
    question = page.get_by_role("heading", name="Do you want to register?")
    if question.is_visible():
        expect(question).to_be_focused()
        page.get_by_role("button", name="Yes, register me").click()
    expect(thanks).to_have_text("One more step: check your email")
    expect(thanks).to_be_focused()
    assert thanks.get_attribute("aria-level") == "2"
    assert page.get_by_role("link", name="Back to the page").count() == 0
    expect(form(page, "Choir").get_by_label("First name")).to_have_value("Ines")
    expect(form(page, "Choir").get_by_role("link")).to_have_count(ERRORS["series"] - 1)
    assert Registration.objects.count() == 1
    page_ids = ids(page)
    assert len(page_ids) == len(set(page_ids))


def test_without_script(opened: Callable[..., Page]) -> None:
    """The answer is a page of its own, with the same ids and the summary in focus."""
    page = opened(java_script_enabled=False)
    expect(page.locator("[data-wz-sending]").first).to_be_empty()
    inputs = [name for name in ids(page) if name.endswith("first_name")]
    submit(page, "Heat pumps")
    expect(page.get_by_role("heading", level=1)).to_have_text("Register for Heat pumps")
    summary = page.locator(".wz-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(ERRORS["single"])
    assert [name for name in ids(page) if name.endswith("first_name")] == inputs[:1]
    assert_links_lead_to_their_fields(form(page, "Heat pumps"))
    # The page that it came from has an empty form.
    expect(page.get_by_role("link", name="Back to the page")).to_have_count(0)


def test_sending_is_visible_immediately(opened: Callable[..., Page]) -> None:
    """The form says that it is being sent, and a second click sends nothing."""
    page, held = opened(), list[Route]()
    page.route("**/zoom/register/**", lambda route: held.append(route))
    box = form(page, "Choir")
    button = box.get_by_role("button", name=re.compile("^Register"))
    status = box.get_by_role("status")
    expect(status).to_be_empty()
    button.click()
    expect(status).to_have_text("Sending …")
    expect(status).to_be_visible()
    assert button.get_attribute("aria-disabled") == "true"
    assert float(button.evaluate("(each) => getComputedStyle(each).opacity")) < 1
    screenshot(page, "sending")
    button.click(force=True)
    expect(form(page, "Heat pumps").get_by_role("status")).to_be_empty()
    assert len(held) == 1
    held[0].continue_()
    expect(box.locator(".wz-summary")).to_be_focused()
    expect(status).to_be_empty()
    assert len(held) == 1
