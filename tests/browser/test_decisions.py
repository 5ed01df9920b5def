"""An owner decides about people and meetings: what the person, a visitor and a second tab read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations
from .test_registration_types import Visitor

LogIn = Callable[..., Page]
AtPanel = Callable[[str], Page]
LIST = "/admin/zoom/registrations/"
SAVED = re.compile(r"^\s*Saved\.\s*$")


@pytest.fixture
def visitor(browser: Browser, demo: Demo, zoom: SimulatorControl) -> Iterator[Visitor]:
    """A person who registers. The CSP is bypassed for axe's own script."""
    context = browser.new_context(bypass_csp=True)
    person = Visitor(context.new_page(), demo, zoom, script=True)
    yield person
    for number in person.meeting_ids:
        zoom.change_meeting(number, settings={"private_meeting": True})
    context.close()


@pytest.mark.parametrize(
    ("button", "state_of_owner", "state_of_person"),
    [("Approve", "Registered", "You are registered"), ("Deny…", "Denied", "Not approved")],
)
def test_approve_and_deny(
    visitor: Visitor,
    site_url: SiteURL,
    log_in: LogIn,
    button: str,
    state_of_owner: str,
    state_of_person: str,
) -> None:
    """Approving is one click; denying, which Zoom does not take back, is a question first, and the
    page of the person offers the way back."""
    number = visitor.open_form(site_url, "A table for two", registration="manual")
    visitor.fill_form()
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("Pending")
    owner = log_in("borealis", "borealis")
    owner.goto(site_url("borealis", LIST))
    listed = owner.locator("tbody tr").filter(has_text=visitor.email)
    decision = listed.get_by_role("button" if button == "Approve" else "link", name=button)
    decision.click()
    if button != "Approve":
        expect(owner.get_by_role("heading", name="Deny this registration?")).to_be_visible()
        assert axe_violations(owner) == []
        owner.get_by_role("link", name="Back to the list").click()
        expect(listed).to_contain_text("Waiting for your answer")
        decision.click()
        owner.get_by_role("button", name="Deny the registration").click()
    expect(owner.locator(".messages")).to_contain_text("Mika Tanaka")
    expect(listed.get_by_role("button", name="Approve")).to_have_count(
        0 if button == "Approve" else listed.get_by_role("button", name="Approve").count()
    )
    reload_until(owner, site_url("borealis", LIST), lambda: state_of_owner in listed.inner_text())
    visitor.wait_for_state(state_of_person)
    if button == "Approve":
        return
    visitor.check_accessibility("denied")
    listed.get_by_role("link", name="Mika Tanaka").click()
    owner.get_by_role("button", name="Approve").click()
    expect(owner.locator(".messages")).to_contain_text("You approved Mika Tanaka.")
    reload_until(owner, site_url("borealis", LIST), lambda: "Registered" in listed.inner_text())
    visitor.wait_for_state("You are registered")
    assert [registrant["status"] for registrant in visitor.registrants(number)] == ["approved"]


def test_two_tabs_with_the_registrations(
    visitor: Visitor, site_url: SiteURL, log_in: LogIn
) -> None:
    """*Approve* in a list from before the denial does nothing, and says what was decided."""
    visitor.open_form(site_url, "A table for one", registration="manual")
    visitor.fill_form()
    visitor.submit()
    visitor.open_status_page()
    visitor.wait_for_state("Pending")
    first = log_in("borealis", "borealis")
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(site_url("borealis", LIST))
    person = first.locator("tbody tr").filter(has_text=visitor.email)
    person.get_by_role("link", name="Deny…").click()
    first.get_by_role("button", name="Deny the registration").click()
    expect(first.locator(".messages")).to_contain_text("You denied Mika Tanaka.")
    reload_until(first, site_url("borealis", LIST), lambda: "Denied" in person.inner_text())

    listed = second.locator("tbody tr").filter(has_text=visitor.email)
    listed.get_by_role("button", name="Approve").click()
    expect(second.locator(".messages")).to_contain_text(
        "Nothing was changed: the registration of Mika Tanaka is no longer as you saw it. "
        "It is now: Denied."
    )
    expect(listed).to_contain_text("Denied")
    visitor.wait_for_state("Not approved")


def title_of(page: Page) -> Locator:
    """The field of the owner's own title."""
    return page.get_by_role("textbox", name="Title on the site")


def test_two_tabs_with_the_same_meeting(log_in: LogIn, site_url: SiteURL, page: Page) -> None:
    """The later one reads what changed, keeps its words, and decides; visitors read the result."""
    first = log_in("aurora", "aurora")
    events = site_url("aurora", "/events/")
    page.goto(events)
    topic = page.locator(".wz-title").first.inner_text()
    first.goto(site_url("aurora", f"/admin/zoom/meetings/?q={topic}"))
    first.locator("td.title a").first.click()
    expect(first.get_by_role("heading", name="From Zoom")).to_be_visible()
    second = first.context.new_page()
    url = first.url
    second.goto(url)

    title_of(first).fill("Words of the first tab")
    first.get_by_role("button", name="Save", exact=True).click()
    expect(first.get_by_text(re.compile(r"Saved\. Visitors see \d+ dates? of it"))).to_be_visible()
    reload_until(page, events, lambda: row(page, "Words of the first tab").count() > 0)

    title_of(second).fill("Words of the second tab")
    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text("now “Words of the first tab”")).to_be_visible()
    expect(second.get_by_text("Yours are not saved.")).to_be_visible()
    expect(title_of(second)).to_have_value("Words of the second tab")
    page.goto(events)
    expect(row(page, "Words of the first tab").first).to_be_visible()

    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text("Saved. Visitors see")).to_be_visible()
    reload_until(page, events, lambda: row(page, "Words of the second tab").count() > 0)
    second.goto(url)
    title_of(second).fill("")
    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text("Saved. Visitors see")).to_be_visible()
    reload_until(page, events, lambda: row(page, topic).count() > 0)


def test_two_tabs_with_the_panel(at_panel: AtPanel, site_url: SiteURL, page: Page) -> None:
    """The second tab reads what the first has saved, and saves over it only when asked again."""
    first = at_panel("aurora")
    second = first.context.new_page()
    second.goto(first.url)
    for tab in (first, second):
        tab.get_by_role("tab", name="What to show").click()
    events, organiser = site_url("aurora", "/events/"), "Name of the organiser"
    before = first.get_by_label(organiser).input_value()
    names = first.get_by_label("Names of the hosts").is_checked()

    def save(tab: Page) -> None:
        tab.get_by_role("button", name="Save", exact=True).click()

    def is_host_shown() -> bool:
        page.goto(events)
        return "Ines Krüger" in page.content()

    first.get_by_label(organiser).fill("The first tab")
    first.get_by_label("Names of the hosts").set_checked(not names)
    save(first)
    expect(first.get_by_text(SAVED)).to_be_visible()
    reload_until(page, events, lambda: is_host_shown() != names)

    second.get_by_label(organiser).fill("The second tab")
    save(second)
    expect(second.get_by_text("now “The first tab”")).to_be_visible()
    expect(second.get_by_text("Yours are not saved.")).to_be_visible()
    second.get_by_role("tab", name="What to show").click()
    expect(second.get_by_label(organiser)).to_have_value("The second tab")
    third = first.context.new_page()
    third.goto(first.url)
    third.get_by_role("tab", name="What to show").click()
    expect(third.get_by_label(organiser)).to_have_value("The first tab")
    save(second)
    expect(second.get_by_text(SAVED)).to_be_visible()
    third.reload()
    third.get_by_role("tab", name="What to show").click()
    expect(third.get_by_label(organiser)).to_have_value("The second tab")

    third.get_by_label(organiser).fill(before)
    third.get_by_label("Names of the hosts").set_checked(names)
    save(third)
    expect(third.get_by_text(SAVED)).to_be_visible()
    reload_until(page, events, lambda: is_host_shown() == names)


def test_a_link_that_is_over_leads_somewhere(page: Page, site_url: SiteURL) -> None:
    """An invitation that was used, and a way back from Zoom that is over."""
    page.goto(site_url("aurora", "/zoom/invite/of-last-year/"))
    page.get_by_role("link", name="Go to Aurora Yoga").click()
    expect(page).to_have_url(site_url("aurora"))
    page.goto(site_url("aurora", "/zoom/oauth/finish/?state=old&ticket=old&again=1"))
    page.get_by_role("link", name="Log in to your site").click()
    expect(page.get_by_label("Username")).to_be_visible()
