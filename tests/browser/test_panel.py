"""The owner's screens in a real browser: choose, import, curate, disconnect; by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import TIMEOUT_MS, SiteURL
from .connection import PANEL
from .editing import insert_block, search_meeting
from .test_changes import reload_until, row
from .test_disconnecting import retitle
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]


def test_choose_import_and_disconnect(log_in: LogIn, site_url: SiteURL, demo: Demo) -> None:
    """Connect, choose, import with progress, then disconnect."""
    page = log_in("harbour", "harbour")
    page.goto(site_url("harbour", PANEL))
    connect = page.get_by_role("button", name="Connect Zoom")
    if connect.count():
        connect.click()
        page.get_by_label("Sign in as").select_option(label="Josefine Adler, Harbour House")
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"**{PANEL}**")
    expect(page.get_by_text("Now choose what to show.")).to_be_visible()
    page.get_by_label("Meetings", exact=True).check()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Save and start the import").click()
    # No reload: the card updates automatically until the run ends.
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * TIMEOUT_MS)
    expect(page.locator("[data-wza-part=numbers] b").first).not_to_have_text("0")
    expect(page.get_by_text("Everything was synced with Zoom")).to_be_visible()
    page.get_by_role("button", name="Disconnect…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What should happen to them?")
    dialog.get_by_label("Remove everything from Zoom").check()
    dialog.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_text("Show your Zoom meetings on your pages")).to_be_visible()
    page.goto(site_url("harbour", "/events/"))
    expect(page.locator(".wz-item, .wz-card")).to_have_count(0)


def test_hide_and_show_a_meeting(log_in: LogIn, site_url: SiteURL, page: Page) -> None:
    """The decision is visible on the public page."""
    owner = log_in("aurora", "aurora")
    events = site_url("aurora", "/events/")
    page.goto(events)
    topic = page.locator(".wz-title").first.inner_text()
    owner.goto(site_url("aurora", f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Hide from visitors").click()
    expect(owner.get_by_text("Visitors do not see it.")).to_be_visible()
    reload_until(page, events, lambda: row(page, topic).count() == 0)
    owner.goto(site_url("aurora", f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Save and show").click()
    expect(owner.get_by_text("Saved. Visitors see")).to_be_visible()
    reload_until(page, events, lambda: row(page, topic).count() > 0)


def test_the_buttons_of_the_list(log_in: LogIn, site_url: SiteURL, page: Page) -> None:
    """A title, *Hide* and *Show to visitors*: page and chooser follow each of them."""
    owner, own = log_in("aurora", "aurora"), "Breath and balance"
    listed = owner.context.new_page()
    events = site_url("aurora", "/events/")
    page.goto(events)
    topic = page.locator(".wz-title").first.inner_text()
    retitle(listed, site_url, topic, own, "aurora")
    reload_until(page, events, lambda: row(page, own).count() > 0)
    assert row(page, topic).count() == 0
    owner.goto(site_url("aurora", "/admin/pages/"))
    parent = owner.url.split("/")[-2]
    owner.goto(site_url("aurora", f"/admin/pages/add/demo_site/eventspage/{parent}/"))
    insert_block(owner, "Zoom meeting")
    expect(search_meeting(owner, own)).to_contain_text("Shown")

    def press(button: str, confirmation: str) -> None:
        listed.goto(site_url("aurora", f"/admin/zoom/meetings/?q={own}"))
        listed.locator("tbody input[type=checkbox]").check()
        listed.get_by_role("link", name=button).click()
        listed.get_by_role("button", name=confirmation).click()
        expect(listed.locator(".messages")).to_contain_text("1 item was changed.")

    press("Hide the selected items", "Hide them")
    reload_until(page, events, lambda: row(page, own).count() == 0)
    expect(search_meeting(owner, own)).to_contain_text("Hidden")
    press("Show the selected items to visitors", "Show them")
    reload_until(page, events, lambda: row(page, own).count() > 0)
    expect(search_meeting(owner, own)).to_contain_text("Shown")
    retitle(listed, site_url, own, "", "aurora")
    reload_until(page, events, lambda: row(page, topic).count() > 0)
    expect(search_meeting(owner, topic)).to_contain_text("Shown")


def test_review_and_publish_a_recording(
    log_in: LogIn, site_url: SiteURL, page: Page, zoom: SimulatorControl
) -> None:
    """A new recording waits for review, gets a title, and appears on the page."""
    owner = log_in("aurora", "aurora")
    recordings = site_url("aurora", "/recordings/")
    choose(owner, site_url, "I look at each one first (recommended)")
    topic, own = "A quiet hour in November", "One quiet hour"
    zoom.create_recording("aurora-0", topic=topic, start_time="-1d 19:00")
    inbox = site_url("aurora", f"/admin/zoom/recordings/?state=new&q={topic}")
    reload_until(owner, inbox, lambda: owner.locator("td.title a").count() == 1)
    page.goto(recordings)
    expect(row(page, topic)).to_have_count(0)
    owner.locator("td.title a").first.click()
    expect(owner.get_by_text("New. Visitors do not see it yet.")).to_be_visible()
    watch = owner.get_by_role("link", name="Watch it in Zoom")
    expect(watch).to_be_visible()
    owner.get_by_role("textbox", name="Title on the site").fill(own)
    owner.get_by_role("button", name="Save and publish").click()
    expect(owner.get_by_text("Saved. Visitors see it.")).to_be_visible()
    reload_until(page, recordings, lambda: row(page, own).count() == 1)
    owner.goto(site_url("aurora", f"/admin/zoom/recordings/?q={topic}"))
    owner.locator("tbody input[type=checkbox]").first.check()
    owner.get_by_role("link", name="Hide the selected items").click()
    owner.get_by_role("button", name="Hide them").click()
    reload_until(page, recordings, lambda: row(page, own).count() == 0)
    owner.goto(site_url("aurora", f"/admin/zoom/recordings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Save and publish").click()
    expect(owner.get_by_text("Saved. Visitors see it.")).to_be_visible()
    reload_until(page, recordings, lambda: row(page, own).count() == 1)
    owner.goto(site_url("aurora", f"/admin/zoom/recordings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("button", name="Hide from visitors").click()
    expect(owner.get_by_text("Visitors do not see it.")).to_be_visible()
    reload_until(page, recordings, lambda: row(page, own).count() == 0)
    choose(owner, site_url, "Publish automatically")


def choose(owner: Page, site_url: SiteURL, label: str) -> None:
    """Select an option on "What to show" and save."""
    owner.goto(site_url("aurora", PANEL))
    owner.get_by_role("tab", name="What to show").click()
    owner.get_by_label(label).check()
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_text(re.compile(r"^\s*Saved\.\s*$"))).to_be_visible()


def test_the_preview_follows_the_form(log_in: LogIn, site_url: SiteURL) -> None:
    """The preview updates before the form is saved."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", PANEL))
    page.get_by_role("tab", name="What to show").click()
    preview = page.locator("[data-wza-outlook]")
    expect(preview).to_have_text(re.compile(r"Visitors would see \d+ dates"))
    before = preview.inner_text()
    page.get_by_label("Only those I pick myself").check()
    expect(preview).not_to_have_text(before)
    page.get_by_label("All of them").check()
    expect(preview).to_have_text(before)
    page.get_by_label("Webinars", exact=True).check()
    expect(page.locator('[data-wza-side="webinar"]')).to_contain_text("not fetched yet")
    page.goto("about:blank")


def test_keyboard_reaches_the_actions(log_in: LogIn, site_url: SiteURL) -> None:
    """By keyboard only."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", PANEL))
    page.get_by_role("tab", name="Connection").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="What to show")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Sync now":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("The sync has started.")).to_be_visible()
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * TIMEOUT_MS)


def test_hide_and_disconnect_by_keyboard(log_in: LogIn, site_url: SiteURL) -> None:
    """Select a row and hide it; open the dialog and close it again."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", "/admin/zoom/recordings/"))
    tab_to(page, "document.activeElement.matches('tbody input[type=checkbox]')")
    page.keyboard.press("Space")
    expect(page.get_by_role("link", name="Hide the selected items")).to_be_visible()
    tab_to(page, "document.activeElement.textContent.trim() === 'Hide'")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Hide these from visitors?").first).to_be_visible()
    tab_to(page, "document.activeElement.textContent.trim() === 'Not now'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/zoom/recordings/**")
    page.goto(site_url("aurora", PANEL))
    tab_to(page, "document.activeElement.textContent.trim() === 'Disconnect…'")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    tab_to(page, "document.activeElement.matches('[role=dialog] input[name=pages]')")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_label("Remove everything from Zoom")).to_be_checked()
    tab_to(page, "document.activeElement.textContent.trim() === 'Stay connected'")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert "Disconnect…" in page.evaluate("document.activeElement.textContent")


def tab_to(page: Page, expression: str) -> None:
    """Press Tab until the focus is where the expression says."""
    for _press in range(80):
        if page.evaluate(expression):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The keyboard does not reach it: {expression}")


def test_enter_in_a_field_only_saves(log_in: LogIn, site_url: SiteURL) -> None:
    """The buttons of the card are in a separate form, which Enter in a field does not submit."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", f"{PANEL}#tab-choices"))
    page.get_by_role("tab", name="What to show").click()
    page.get_by_label("Name of the organiser").press("Enter")
    expect(page.get_by_text(re.compile(r"^\s*Saved\.\s*$"))).to_be_visible()


def test_choices_that_are_not_saved_are_discarded(log_in: LogIn, site_url: SiteURL) -> None:
    """The button is there while something has changed; what visitors would see follows it."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", f"{PANEL}#tab-choices"))
    page.get_by_role("tab", name="What to show").click()
    outlook = page.locator("[data-wza-outlook]")
    before = outlook.inner_text()
    discard = page.get_by_role("button", name="Discard changes")
    expect(discard).to_be_hidden()
    meetings = page.get_by_label("Meetings", exact=True).and_(page.locator("input"))
    page.wait_for_function("wagtail.app.queryController('w-unsaved').initialFormData")
    meetings.uncheck()
    expect(discard).to_be_visible()
    expect(outlook).not_to_have_text(before)
    discard.click()
    expect(meetings).to_be_checked()
    expect(outlook).to_have_text(before)
    expect(discard).to_be_hidden()


def test_filters_follow_without_a_reload(log_in: LogIn, site_url: SiteURL) -> None:
    """Search keeps the Site and updates the results in place."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", "/admin/zoom/meetings/"))
    page.get_by_role("textbox", name="Search term").fill("nothing has this title")
    expect(page.get_by_text("No match.")).to_be_visible()
