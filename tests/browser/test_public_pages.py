"""The public pages of both Sites: own items only, accessible, with a strict policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import TIMEOUT_MS, SiteURL

PAGES = ("/", "/events/", "/recordings/")
SITES = ("aurora", "borealis", "harbour")
ITEM = ".wz-item, .wz-card, .wz-slot, .wz-day, .wz-panel"


def topics(page: Page, url: str) -> set[str]:
    """The titles of everything on a page."""
    page.goto(url)
    return set(page.locator(".wz-title").all_inner_texts())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", ["aurora", "borealis"])
def test_connected_sites_have_data_after_the_first_start(
    page: Page, site_url: SiteURL, site: str, path: str
) -> None:
    """Meetings and recordings are there without any further step."""
    page.goto(site_url(site, path))
    expect(page.locator(ITEM).first).to_be_visible(timeout=TIMEOUT_MS)


@pytest.mark.parametrize("path", PAGES)
def test_sites_show_nothing_of_each_other(page: Page, site_url: SiteURL, path: str) -> None:
    """Tenancy: no topic of one Site is on the other; the third Site shows none."""
    own, other = topics(page, site_url("aurora", path)), topics(page, site_url("borealis", path))
    assert own
    assert other
    assert not own & other
    page.goto(site_url("harbour", path))
    expect(page.locator(".wz-item, .wz-card")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", SITES)
def test_pages_keep_the_strict_policy(
    page: Page, site_url: SiteURL, violations: list[str], site: str, path: str
) -> None:
    """No inline script or style, nothing from elsewhere, no error in a script."""
    response = page.goto(site_url(site, path), wait_until="networkidle")
    assert response is not None
    assert response.ok
    assert response.header_value("set-cookie") is None
    assert violations == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("site", SITES)
def test_pages_are_accessible(
    axe: Callable[[str], list[str]], site_url: SiteURL, site: str, path: str
) -> None:
    """axe-core finds nothing (WCAG 2.2 AA and best practice)."""
    assert axe(site_url(site, path)) == []


def test_landing_page_and_mailbox_are_accessible(
    axe: Callable[[str], list[str]], demo: Demo
) -> None:
    """The pages on localhost."""
    assert axe(f"{demo.config.base_url}/") == []
    assert axe(f"{demo.config.base_url}/demo/mails/") == []


def test_pages_render_while_zoom_is_down(page: Page, site_url: SiteURL, demo: Demo) -> None:
    """No page calls Zoom."""
    demo.simulator.stop()
    for site in ("aurora", "borealis"):
        for path in PAGES:
            page.goto(site_url(site, path))
            expect(page.locator(ITEM).first).to_be_visible()
