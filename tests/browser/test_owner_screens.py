"""Every screen of the owner: accessible in both themes, usable on a phone, no script fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import Address

LogIn = Callable[..., Page]
PANEL = "/admin/settings/wagtail_zoom/zoomsettings/"
PHONE = {"width": 390, "height": 844}
LISTS = (
    "/admin/zoom/meetings/",
    "/admin/zoom/recordings/",
    "/admin/zoom/sign-ups/",
    "/admin/zoom/activity/",
)


def findings(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands, with everything faded in."""
    # Ended and not awaited: one that is paused, or on a page in the background, never finishes.
    page.evaluate(
        """() => document.getAnimations()
            .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
            .forEach(one => one.finish())"""
    )
    results = Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in results.response["violations"]]


def open_panel(page: Page, address: Address, site: str = "aurora") -> str:
    """Go to a Site's panel; returns the number of the Site, which other addresses contain."""
    page.goto(address(site, PANEL))
    expect(page.locator("main")).to_be_visible()
    return page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


def visit_all(page: Page, address: Address, look: Callable[[str], None]) -> None:
    """Walk through the owner's screens, dialogs and questions, and look at each."""
    number = open_panel(page, address)
    look("connection")
    page.get_by_role("button", name="Disconnect…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("disconnect dialog")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("tab", name="What to show").click()
    look("choices")
    for path in LISTS:
        page.goto(address("aurora", path))
        look(path)
    page.goto(address("aurora", LISTS[1]))
    page.locator("tbody input[type=checkbox]").first.check()
    expect(page.get_by_role("link", name="Hide the selected entries")).to_be_visible()
    look("bulk bar")
    page.get_by_role("link", name="Hide the selected entries").click()
    expect(page.get_by_text("Hide these from visitors?").first).to_be_visible()
    look("bulk question")
    for path in LISTS[:2]:
        page.goto(address("aurora", path))
        page.locator("td.title a").first.click()
        expect(page.get_by_role("heading", name="From Zoom")).to_be_visible()
        look(f"edit view of {path}")
    for path in (f"/admin/zoom/{number}/visitors/", f"/admin/zoom/{number}/disconnect/", "/admin/"):
        page.goto(address("aurora", path))
        look(path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_screen(log_in: LogIn, address: Address, scheme: str) -> None:
    """Issue 3, Shows 1: axe reports no violation, and no script fails."""
    page = log_in("aurora", "aurora", color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        trouble = findings(page)
        if trouble:
            found[name] = trouble

    visit_all(page, address, look)
    assert found == {}
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_what_the_host_sees(
    log_in: LogIn, address: Address, scheme: str
) -> None:
    """The fleet with its filters, and the mail to many owners."""
    page = log_in("admin", "aurora", color_scheme=scheme)
    page.goto(address("aurora", "/admin/zoom/sites/"))
    assert findings(page) == []
    page.locator("tbody input[type=checkbox]").first.check()
    page.get_by_role("link", name="Mail the owners of the selected sites").click()
    expect(page.get_by_text("Mail the owners of these sites?").first).to_be_visible()
    assert findings(page) == []


def test_axe_finds_nothing_before_the_connection(log_in: LogIn, address: Address) -> None:
    """Not connected, the link for the Zoom administrator, waiting for them, taken back."""
    page = log_in("harbour", "harbour")
    open_panel(page, address, "harbour")
    if page.get_by_text("Show your Zoom meetings on your pages").count() == 0:
        pytest.skip("Another test has connected this site.")
    take_back = page.get_by_role("button", name="Take the link back")
    if take_back.count():
        take_back.click()
        expect(take_back).to_have_count(0)
    assert findings(page) == []
    page.get_by_role("button", name="Invite your Zoom administrator").click()
    expect(page.get_by_label("The link. It is shown only now.")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="Back to Zoom").click()
    expect(page.get_by_text("Waiting for your Zoom administrator.")).to_be_visible()
    assert findings(page) == []
    take_back.click()
    expect(page.get_by_text("The link no longer works.")).to_be_visible()


def test_nothing_sticks_out_on_a_phone(log_in: LogIn, address: Address) -> None:
    """390 px: no screen scrolls sideways, except tables inside their own frame."""
    page = log_in("aurora", "aurora", viewport=PHONE)
    wide: dict[str, int] = {}

    def look(name: str) -> None:
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
            wide[name] = width

    visit_all(page, address, look)
    assert wide == {}


def test_no_icon_is_cut_off_on_a_phone(log_in: LogIn, address: Address) -> None:
    """375 px: what hangs to the left of a heading is there as a whole, or not at all."""
    page = log_in("aurora", "aurora", viewport={"width": 375, "height": 812})
    cut: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found = page.evaluate(
            """() => [...document.querySelectorAll("main svg")]
                .filter(icon => icon.checkVisibility())
                .filter(icon => {
                    const box = icon.getBoundingClientRect();
                    return box.left < 0 && box.right > 0;
                })
                .map(icon => icon.parentElement.textContent.trim())"""
        )
        if found:
            cut[name] = found

    visit_all(page, address, look)
    assert cut == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_note_follows_the_theme(log_in: LogIn, address: Address, scheme: str) -> None:
    """What explains a choice is light on light screens and dark on dark ones."""
    page = log_in("aurora", "aurora", color_scheme=scheme)
    open_panel(page, address)
    page.get_by_role("tab", name="What to show").click()
    note = page.locator(".help-info").first
    expect(note).to_be_visible()
    colour = note.evaluate(
        "node => getComputedStyle(node).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (sum(colour[:3]) > 3 * 128) == (scheme == "light"), colour


def test_the_sites_name_is_whole_on_a_phone(log_in: LogIn, address: Address) -> None:
    """Beside the heading of a screen; Wagtail leaves it on the heading's line, however long."""
    page = log_in("borealis", "borealis", viewport={"width": 375, "height": 812})
    number = open_panel(page, address, "borealis")
    page.goto(address("borealis", f"/admin/zoom/{number}/visitors/"))
    name = page.locator(".w-header__subtitle").bounding_box()
    assert name is not None
    assert name["x"] + name["width"] <= 375
