"""The owner's side in a real browser: choose, import, curate, leave; by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import SHOWN_SOON, Address
from .test_changes import reload_until, row

LogIn = Callable[[str, str], Page]
PANEL = "/admin/settings/wagtail_zoom/zoomsettings/"
SCREENS = (
    PANEL,
    f"{PANEL}#tab-choices",
    "/admin/zoom/meetings/",
    "/admin/zoom/recordings/",
    "/admin/zoom/sign-ups/",
    "/admin/zoom/activity/",
    "/admin/",
)


def findings(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands."""
    results = Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in results.response["violations"]]


@pytest.mark.parametrize("path", SCREENS)
def test_screens_are_accessible_and_free_of_errors(
    log_in: LogIn, address: Address, path: str
) -> None:
    """Issue 3, Shows 1: axe reports no violation, and no script fails."""
    page = log_in("aurora", "aurora")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address("aurora", path))
    expect(page.locator("main")).to_be_visible()
    assert findings(page) == []
    assert errors == []


def test_choose_import_and_leave(log_in: LogIn, address: Address, demo: Demo) -> None:
    """Issue 3, Shows 1: connect, choose, import with progress, see it; then leave again."""
    page = log_in("harbour", "harbour")
    page.goto(address("harbour", PANEL))
    connect = page.get_by_role("button", name="Connect Zoom")
    if connect.count():
        connect.click()
        page.get_by_label("Sign in as").select_option(label="Josefine Adler, Harbour House")
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"**{PANEL}**")
    expect(page.get_by_text("Now choose what to show.")).to_be_visible()
    page.get_by_label("Meetings", exact=True).check()
    assert findings(page) == []
    page.get_by_role("button", name="Save and start the import").click()
    # No reload: the card follows the run and ends by itself.
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * SHOWN_SOON)
    expect(page.locator("[data-wza-numbers] b").first).not_to_have_text("0")
    page.get_by_role("link", name="Disconnect…").click()
    assert findings(page) == []
    page.get_by_label("Remove everything from Zoom").check()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Show your Zoom meetings on your pages")).to_be_visible()
    page.goto(address("harbour", "/events/"))
    expect(page.locator(".wz-item, .wz-card")).to_have_count(0)


def test_hide_and_show_a_meeting(log_in: LogIn, address: Address, page: Page) -> None:
    """Issue 3, Shows 1: the decision is on the public page."""
    owner = log_in("aurora", "aurora")
    events = address("aurora", "/events/")
    page.goto(events)
    topic = page.locator(".wz-title").first.inner_text()
    owner.goto(address("aurora", f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Hide from visitors").click()
    expect(owner.get_by_text("Visitors do not see it.")).to_be_visible()
    reload_until(page, events, lambda: row(page, topic).count() == 0)
    owner.goto(address("aurora", f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Save and show").click()
    reload_until(page, events, lambda: row(page, topic).count() > 0)


def test_keyboard_reaches_the_actions(log_in: LogIn, address: Address) -> None:
    """Issue 3, Shows 1: keyboard only."""
    page = log_in("aurora", "aurora")
    page.goto(address("aurora", PANEL))
    page.get_by_role("tab", name="Connection").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="What to show")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Sync now":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("We are looking.")).to_be_visible()
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * SHOWN_SOON)


def test_enter_in_a_field_saves_and_does_nothing_else(log_in: LogIn, address: Address) -> None:
    """The buttons of the card stand in a form of their own: no field can press them."""
    page = log_in("aurora", "aurora")
    page.goto(address("aurora", f"{PANEL}#tab-choices"))
    page.get_by_role("tab", name="What to show").click()
    page.get_by_label("Name of the organiser").press("Enter")
    expect(page.get_by_text(re.compile(r"^\s*Saved\.\s*$"))).to_be_visible()


def test_filters_follow_without_a_reload(log_in: LogIn, address: Address) -> None:
    """Search keeps the Site and answers in place."""
    page = log_in("aurora", "aurora")
    page.goto(address("aurora", "/admin/zoom/meetings/"))
    page.get_by_role("textbox", name="Search term").fill("nothing has this title")
    expect(page.get_by_text("No match.")).to_be_visible()
