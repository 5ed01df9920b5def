"""The chooser in the page editor: the way out of filters that hide everything; on a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from .conftest import SiteURL
from .editing import insert_block
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]


def open_chooser(user: Page, site_url: SiteURL, label: str = "Zoom meeting") -> Locator:
    """Open the chooser of a new block of a new page; returns its list."""
    user.goto(site_url("borealis", "/admin/pages/"))
    parent = user.url.split("/")[-2]
    user.goto(site_url("borealis", f"/admin/pages/add/demo_site/eventspage/{parent}/"))
    insert_block(user, label)
    user.get_by_role("button", name="Choose a meeting or series").last.click()
    rows = user.locator(".modal-body tbody tr")
    expect(rows.first).to_be_visible()
    return rows


def violations_in(user: Page) -> list[str]:
    """axe-core's violations, without the one of Wagtail's own modal, which has no name."""
    return [text for text in axe_violations(user) if not text.startswith("aria-dialog-name")]


def test_filters_that_hide_everything_are_cleared_by_one_button(
    log_in: LogIn, site_url: SiteURL
) -> None:
    """The search and each select; a meeting can be chosen afterwards."""
    user = log_in("borealis", "borealis")
    rows = open_chooser(user, site_url)
    modal, count = user.locator(".modal-body"), rows.count()
    modal.get_by_label("Search titles, hosts and tags").fill("nothing of that name")
    expect(rows).to_have_count(0)
    modal.get_by_label("Visitors").select_option("no")
    modal.get_by_label("Registration", exact=True).select_option("yes")
    text = "Nothing matches “nothing of that name” and the filters above."
    expect(modal.get_by_text(text)).to_be_visible()
    assert violations_in(user) == []
    modal.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(count)
    for label in ("Search titles, hosts and tags", "Visitors", "Registration", "When"):
        expect(modal.get_by_label(label, exact=True)).to_have_value("")
    expect(modal.get_by_label("Search titles, hosts and tags")).to_be_focused()
    title = rows.first.get_by_role("link").inner_text()
    rows.first.get_by_role("link").click()
    expect(user.locator("[data-contentpath=item] [data-chooser-title]")).to_have_text(title)


def test_the_chooser_does_not_scroll_sideways_on_a_phone(log_in: LogIn, site_url: SiteURL) -> None:
    """360 px: every cell of a row is below the one before, and inside the window."""
    user = log_in("borealis", "borealis", viewport={"width": 360, "height": 740})
    rows = open_chooser(user, site_url)
    boxes = [cell.bounding_box() for cell in rows.first.locator("td").all()]
    assert len(boxes) == 4
    for box, following in zip(boxes, boxes[1:], strict=False):
        assert box is not None and following is not None
        assert box["y"] + box["height"] <= following["y"] + 1
    widths = user.evaluate(
        """() => [...document.querySelectorAll(".modal-body *")]
            .filter(node => node.checkVisibility() && !node.closest("thead, .w-sr-only"))
            .map(node => node.getBoundingClientRect().right)"""
    )
    assert max(widths) <= 360
    assert violations_in(user) == []
