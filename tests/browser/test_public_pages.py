"""The public pages of both sites: own items only, accessible, within a strict policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import SHOWN_SOON, Address

PAGES = ("/", "/events/", "/recordings/")
SITES = ("aurora", "borealis", "harbour")
ITEM = ".wz-item, .wz-card, .wz-slot, .wz-day, .wz-panel"


def topics(page: Page, url: str) -> set[str]:
    """The titles of everything on a page."""
    page.goto(url)
    return set(page.locator(".wz-title").all_inner_texts())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", ["aurora", "borealis"])
def test_connected_sites_are_filled_at_the_first_start(
    page: Page, address: Address, site: str, path: str
) -> None:
    """Issue 2, Shows 1: dates and recordings are there without any further step."""
    page.goto(address(site, path))
    expect(page.locator(ITEM).first).to_be_visible(timeout=SHOWN_SOON)


@pytest.mark.parametrize("path", PAGES)
def test_sites_show_nothing_of_each_other(page: Page, address: Address, path: str) -> None:
    """Tenancy: no topic of one site is on the other; the third site shows none at all."""
    own, other = topics(page, address("aurora", path)), topics(page, address("borealis", path))
    assert own
    assert other
    assert not own & other
    page.goto(address("harbour", path))
    expect(page.locator(".wz-item, .wz-card")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", SITES)
def test_pages_keep_the_strict_policy(
    page: Page, address: Address, violations: list[str], site: str, path: str
) -> None:
    """No inline script or style, nothing from elsewhere, no error in a script."""
    response = page.goto(address(site, path), wait_until="networkidle")
    assert response is not None
    assert response.ok
    assert response.header_value("set-cookie") is None
    assert violations == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", SITES)
def test_pages_are_accessible(
    axe: Callable[[str], list[str]], address: Address, site: str, path: str
) -> None:
    """axe-core finds nothing (WCAG 2.2 AA and best practice)."""
    assert axe(address(site, path)) == []


def test_landing_page_and_mailbox_are_accessible(
    axe: Callable[[str], list[str]], demo: Demo
) -> None:
    """The pages on localhost."""
    assert axe(f"{demo.places.base_url}/") == []
    assert axe(f"{demo.places.base_url}/demo/mails/") == []


def test_pages_render_while_zoom_is_away(page: Page, address: Address, demo: Demo) -> None:
    """Issue 2, Shows 4: no page asks Zoom for anything."""
    demo.simulator.stop()
    for site in ("aurora", "borealis"):
        for path in PAGES:
            page.goto(address(site, path))
            expect(page.locator(ITEM).first).to_be_visible()
