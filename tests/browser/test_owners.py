"""Owners: each has access to their own Site only, and connects it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import SiteURL

LogIn = Callable[[str, str], Page]


def test_owner_sees_only_their_own_site(log_in: LogIn, site_url: SiteURL) -> None:
    """Pages, Zoom settings and menus of another Site are not accessible."""
    page = log_in("aurora", "aurora")
    page.goto(site_url("aurora", "/admin/settings/wagtail_zoom/zoomsettings/"))
    expect(page.locator("main")).not_to_contain_text("Borealis")
    own = int(re.findall(r"/(\d+)/", page.url)[-1])
    for other in {1, 2, 3, 4} - {own}:
        response = page.goto(
            site_url("aurora", f"/admin/settings/wagtail_zoom/zoomsettings/{other}/")
        )
        assert response is not None
        assert response.status in (200, 403, 404)
        assert f"/{other}/" not in page.url or response.status in (403, 404)
    page.goto(site_url("aurora", "/admin/pages/"))
    expect(page.locator("main")).to_contain_text("Yoga")
    expect(page.locator("main")).not_to_contain_text("Evenings for people")


def test_connecting_a_site(log_in: LogIn, site_url: SiteURL, demo: Demo) -> None:
    """Panel, consent page, redirect to the owner's own domain: connected as the right user."""
    page = log_in("harbour", "harbour")
    page.goto(site_url("harbour", "/admin/settings/wagtail_zoom/zoomsettings/"))
    page.get_by_role("button", name=re.compile("Connect")).first.click()
    expect(page).to_have_url(re.compile(re.escape(demo.config.simulator_url)))
    page.get_by_label("Sign in as").select_option(label="Josefine Adler, Harbour House")
    page.get_by_role("button", name="Allow").click()
    expect(page).to_have_url(
        re.compile(re.escape(site_url("harbour", "/admin/settings/wagtail_zoom/zoomsettings/")))
    )
    expect(page.locator("main")).to_contain_text("Josefine Adler")
