"""A login ends while a form is open: nothing that was entered is lost, and no dead end follows."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.sites import PASSWORD

from .conftest import SiteURL
from .connection import PANEL
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
LOGGED_OUT = "You are logged out. Nothing was saved."


def log_in_on(page: Page, person: str) -> None:
    """Fill in the login form that is open."""
    page.get_by_label("Username").fill(person)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def log_in_beside(owner: Page, person: str) -> None:
    """Follow the link of the note, log in in its tab, and come back."""
    with owner.expect_popup() as opened:
        owner.get_by_role("link", name="Log in", exact=True).click()
    tab = opened.value
    log_in_on(tab, person)
    tab.wait_for_url("**/admin/")
    tab.close()


def test_the_form_of_a_meeting(log_in: LogIn, site_url: SiteURL, page: Page) -> None:
    """The words are still there after the login, and visitors read them after the next press."""
    owner, own = log_in("aurora", "aurora"), "Words that took an hour"
    events = site_url("aurora", "/events/")
    page.goto(events)
    topic = page.locator(".wz-title").first.inner_text()
    owner.goto(site_url("aurora", f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    title = owner.get_by_role("textbox", name="Title on the site")
    title.fill(own)
    owner.context.clear_cookies(name="sessionid")
    save = owner.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(owner.get_by_role("alert").filter(has_text=LOGGED_OUT)).to_be_visible()
    expect(title).to_have_value(own)
    assert axe_violations(owner) == []
    page.goto(events)
    expect(row(page, own)).to_have_count(0)

    log_in_beside(owner, "aurora")
    save.click()
    expect(owner.get_by_text(re.compile(r"Saved\. Visitors see \d+ dates? of it"))).to_be_visible()
    reload_until(page, events, lambda: row(page, own).count())
    owner.goto(site_url("aurora", f"/admin/zoom/meetings/?q={own}"))
    owner.locator("td.title a").first.click()
    title.fill("")
    save.click()
    expect(owner.get_by_text("Saved. Visitors see")).to_be_visible()
    reload_until(page, events, lambda: row(page, own).count() == 0)


def test_the_form_of_the_panel(
    at_panel: Callable[[str], Page], site_url: SiteURL, page: Page
) -> None:
    """The same on *What to show*; a field with Enter, too."""
    owner = at_panel("aurora")
    owner.get_by_role("tab", name="What to show").click()
    names = owner.get_by_label("Names of the hosts")
    was_shown = names.is_checked()
    names.set_checked(not was_shown)
    owner.context.clear_cookies(name="sessionid")
    owner.get_by_label("Name of the organiser").press("Enter")
    expect(owner.get_by_role("alert").filter(has_text=LOGGED_OUT)).to_be_visible()
    assert names.is_checked() != was_shown

    log_in_beside(owner, "aurora")
    owner.get_by_label("Name of the organiser").press("Enter")
    expect(owner.get_by_text(re.compile(r"^\s*Saved\.\s*$"))).to_be_visible()
    owner.get_by_role("tab", name="What to show").click()
    assert names.is_checked() != was_shown
    events, host = site_url("aurora", "/events/"), "Ines Krüger"
    reload_until(page, events, lambda: (host in page.content()) != was_shown)
    names.set_checked(was_shown)
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_text(re.compile(r"^\s*Saved\.\s*$"))).to_be_visible()
    reload_until(page, events, lambda: (host in page.content()) == was_shown)


def press_without_script(owner: Page, action: str) -> None:
    """Press the button that posts to this path, past all scripts of the page."""
    owner.evaluate(
        """(action) => {
            const button = document.querySelector(`main button[formaction*='${action}']`);
            button.form.requestSubmit(button);
        }""",
        action,
    )


def test_a_button_of_the_panel(at_panel: Callable[[str], Page], site_url: SiteURL) -> None:
    """*Pause* does nothing, says so, and waits for the login."""
    owner = at_panel("aurora")
    owner.context.clear_cookies(name="sessionid")
    pause = owner.get_by_role("button", name="Pause")
    pause.click()
    expect(owner.get_by_role("alert").filter(has_text=LOGGED_OUT)).to_be_visible()
    log_in_beside(owner, "aurora")
    pause.click()
    expect(owner.get_by_text("Paused since").first).to_be_visible()
    owner.get_by_role("button", name="Resume syncing").first.click()
    expect(owner.get_by_text("Syncing is resumed.")).to_be_visible()


def test_a_button_without_its_script(at_panel: Callable[[str], Page]) -> None:
    """The login leads to a page that says that nothing was changed, and back to the button."""
    owner = at_panel("aurora")
    owner.context.clear_cookies(name="sessionid")
    press_without_script(owner, "/pause/")
    log_in_on(owner, "aurora")
    expect(owner.get_by_text("You had to log in first, so nothing was changed.")).to_be_visible()
    assert axe_violations(owner) == []
    owner.get_by_role("link", name="Back to Zoom").click()
    owner.wait_for_url(f"**{PANEL}**")
    expect(owner.get_by_role("button", name="Pause")).to_be_visible()
    expect(owner.get_by_text("Paused since")).to_have_count(0)


def test_connect_without_its_script(at_panel: Callable[[str], Page]) -> None:
    """The button that leads to Zoom leads to the login and back to the panel, not to a 404."""
    owner = at_panel("harbour")
    owner.context.clear_cookies(name="sessionid")
    press_without_script(owner, "/oauth/connect/")
    expect(owner.get_by_text("You were logged out, so nothing was changed.")).to_be_visible()
    log_in_on(owner, "harbour")
    owner.wait_for_url(f"**{PANEL}**")
    expect(owner.get_by_role("button", name="Connect Zoom", exact=True).first).to_be_visible()
