"""Every screen of the owner: accessible in both themes, usable on a phone, no script fails."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import SiteURL
from .connection import PANEL

LogIn = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
LISTS = (
    "/admin/zoom/meetings/",
    "/admin/zoom/recordings/",
    "/admin/zoom/registrations/",
    "/admin/zoom/activity/",
)


def axe_violations(page: Page) -> list[str]:
    """axe-core's violations on the current page, after all animations."""
    # Finish animations instead of waiting: paused ones and those in the background never end.
    page.evaluate(
        """() => document.getAnimations()
            .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
            .forEach(one => one.finish())"""
    )
    # Wagtail's own buttons of others who are in the editor have no names.
    results = Axe().run(page, context={"exclude": [[".w-editing-sessions"]]})
    return [
        f"{violation['id']}: {violation['nodes'][0]['html']}"
        for violation in results.response["violations"]
    ]


def open_panel(page: Page, site_url: SiteURL, site: str = "aurora") -> str:
    """Open a Site's panel; returns the id of the Site, which other URLs contain."""
    page.goto(site_url(site, PANEL))
    expect(page.locator("main")).to_be_visible()
    return page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


def visit_all(page: Page, site_url: SiteURL, check: Callable[[str], None]) -> None:
    """Open the owner's screens, dialogs and confirmations, and run ``check`` on each."""
    number = open_panel(page, site_url)
    check("connection")
    page.get_by_role("button", name="Disconnect…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check("disconnect dialog")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("tab", name="What to show").click()
    check("choices")
    for path in LISTS:
        page.goto(site_url("aurora", path))
        check(path)
    page.goto(site_url("aurora", LISTS[1]))
    page.locator("tbody input[type=checkbox]").first.check()
    expect(page.get_by_role("link", name="Hide the selected items")).to_be_visible()
    check("bulk bar")
    page.get_by_role("link", name="Hide the selected items").click()
    expect(page.get_by_text("Hide these from visitors?").first).to_be_visible()
    check("bulk question")
    for path in LISTS[:2]:
        page.goto(site_url("aurora", path))
        page.locator("td.title a").first.click()
        expect(page.get_by_role("heading", name="From Zoom")).to_be_visible()
        check(f"edit view of {path}")
    for path in (f"/admin/zoom/{number}/visitors/", f"/admin/zoom/{number}/disconnect/", "/admin/"):
        page.goto(site_url("aurora", path))
        check(path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_screen(log_in: LogIn, site_url: SiteURL, scheme: str) -> None:
    """axe reports no violation, and no script fails."""
    page = log_in("aurora", "aurora", color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    problems: dict[str, list[str]] = {}

    def check(name: str) -> None:
        violations = axe_violations(page)
        if violations:
            problems[name] = violations

    visit_all(page, site_url, check)
    assert problems == {}
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_operators_screens(
    log_in: LogIn, site_url: SiteURL, scheme: str
) -> None:
    """The overview with its filters, and the email to many owners."""
    page = log_in("admin", "aurora", color_scheme=scheme)
    page.goto(site_url("aurora", "/admin/zoom/sites/"))
    assert axe_violations(page) == []
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_role("link", name="Email the owners of the selected sites").click()
    expect(page.get_by_role("heading", name=re.compile("Email the owners? of th"))).to_be_visible()
    assert axe_violations(page) == []


def test_axe_finds_nothing_before_the_connection(log_in: LogIn, site_url: SiteURL) -> None:
    """Not connected, the invitation of the Zoom administrator, waiting for them, revoked."""
    page = log_in("harbour", "harbour")
    open_panel(page, site_url, "harbour")
    if page.get_by_text("Show your Zoom meetings on your pages").count() == 0:
        pytest.skip("Another test has connected this site.")
    take_back = page.get_by_role("button", name="Take the link back")
    if take_back.count():
        take_back.click()
        expect(take_back).to_have_count(0)
    assert axe_violations(page) == []
    page.get_by_role("button", name="Invite your Zoom administrator").click()
    expect(page.get_by_label("The link. It is shown only now.")).to_be_visible()
    assert axe_violations(page) == []
    page.get_by_role("link", name="Back to Zoom").click()
    expect(page.get_by_text("Waiting for your Zoom administrator.")).to_be_visible()
    assert axe_violations(page) == []
    take_back.click()
    expect(page.get_by_text("The link no longer works.")).to_be_visible()


def test_no_screen_overflows_on_a_phone(log_in: LogIn, site_url: SiteURL) -> None:
    """390 px: no screen scrolls horizontally, except tables inside their own frame."""
    page = log_in("aurora", "aurora", viewport=PHONE)
    widths: dict[str, int] = {}

    def check(name: str) -> None:
        width = page.evaluate(
            """() => {
                const inTable = node => node.closest("table, pre, .w-overflow-auto, header");
                const box = node => node.getBoundingClientRect();
                return Math.max(...[...document.querySelectorAll("main *, [role=dialog] *")]
                    .filter(node => !inTable(node) && node.checkVisibility({
                        opacityProperty: true, visibilityProperty: true }))
                    .map(node => box(node).width ? box(node).right : 0));
            }"""
        )
        if width > PHONE["width"] + 1:
            widths[name] = width

    visit_all(page, site_url, check)
    assert widths == {}


@pytest.mark.parametrize("person", ["aurora", "admin"])
def test_no_list_scrolls_sideways_on_a_phone(log_in: LogIn, site_url: SiteURL, person: str) -> None:
    """360 px: the cells of a row are below each other, each with the name of its column; the
    operator's overview, too."""
    page = log_in(person, "aurora", viewport={"width": 360, "height": 740})
    for path in LISTS if person == "aurora" else ("/admin/zoom/sites/",):
        page.goto(site_url("aurora", path))
        if not page.locator("#listing-results tbody tr").count():
            continue
        widths = page.locator("#listing-results").evaluate(
            """list => [list.scrollWidth, ...[...list.querySelectorAll("tbody *")]
                .filter(node => node.checkVisibility() && !node.closest(".w-sr-only"))
                .map(node => node.getBoundingClientRect().right)]"""
        )
        assert max(widths) <= 360, path
        label = page.locator("tbody td[data-label]").first.evaluate(
            "cell => getComputedStyle(cell, '::before').content"
        )
        assert len(label) > 2, path
        assert axe_violations(page) == [], path


def test_no_icon_is_cut_off_on_a_phone(log_in: LogIn, site_url: SiteURL) -> None:
    """375 px: icons to the left of a heading are visible as a whole, or not at all."""
    page = log_in("aurora", "aurora", viewport={"width": 375, "height": 812})
    cut: dict[str, list[str]] = {}

    def check(name: str) -> None:
        problems = page.evaluate(
            """() => [...document.querySelectorAll("main svg")]
                .filter(icon => icon.checkVisibility())
                .filter(icon => {
                    const box = icon.getBoundingClientRect();
                    return box.left < 0 && box.right > 0;
                })
                .map(icon => icon.parentElement.textContent.trim())"""
        )
        if problems:
            cut[name] = problems

    visit_all(page, site_url, check)
    assert cut == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_note_follows_the_theme(log_in: LogIn, site_url: SiteURL, scheme: str) -> None:
    """Help boxes are light on light screens and dark on dark ones."""
    page = log_in("aurora", "aurora", color_scheme=scheme)
    open_panel(page, site_url)
    page.get_by_role("tab", name="What to show").click()
    note = page.locator(".help-info").first
    expect(note).to_be_visible()
    colour = note.evaluate(
        "node => getComputedStyle(node).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (sum(colour[:3]) > 3 * 128) == (scheme == "light"), colour


def test_the_sites_name_is_not_cut_off_on_a_phone(log_in: LogIn, site_url: SiteURL) -> None:
    """Next to the heading of a screen, where Wagtail does not wrap it."""
    page = log_in("borealis", "borealis", viewport={"width": 375, "height": 812})
    number = open_panel(page, site_url, "borealis")
    page.goto(site_url("borealis", f"/admin/zoom/{number}/visitors/"))
    name = page.locator(".w-header__subtitle").bounding_box()
    assert name is not None
    assert name["x"] + name["width"] <= 375
