"""Who came to the demo's past meeting: the owner reads it in the list and on the panel."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.run import Demo

from .conftest import SiteURL
from .connection import PANEL
from .test_changes import reload_until
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
LIST = "/admin/zoom/registrations/"


def test_the_owner_reads_who_came(
    log_in: LogIn, site_url: SiteURL, demo: Demo, violations: list[str]
) -> None:
    """The demo's past meeting: read by the worker, in the list, its filter, and on the panel."""
    owner = log_in("aurora", "aurora")
    came = owner.locator("tbody tr").filter(has_text=re.compile("minutes"))
    listing = site_url("aurora", f"{LIST}?attendance=came")
    reload_until(owner, listing, lambda: came.count() == 8)
    expect(came.first).to_contain_text("Attended")
    assert axe_violations(owner) == []
    owner.goto(site_url("aurora", f"{LIST}?attendance=absent"))
    expect(owner.locator("tbody tr").filter(has_text="Did not attend")).to_have_count(4)
    owner.goto(listing)
    came.first.get_by_role("link").first.click()
    expect(owner.get_by_role("heading", name="Attendance")).to_be_visible()
    expect(owner.locator("main")).to_contain_text("First arrival")
    assert axe_violations(owner) == []
    owner.goto(site_url("aurora", PANEL))
    expect(owner.locator("main")).to_contain_text("12 registered here, 8 attended")
    expect(owner.locator("main")).to_contain_text("About 11 people attended in total.")
    assert violations == []
