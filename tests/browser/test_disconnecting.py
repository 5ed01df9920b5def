"""An owner leaves Zoom, both ways, and returns to the same account: what visitors see each time."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.sites import OFF
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .connection import PANEL, choose, connect, disconnect
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

TOMAS = "Tomás Rivera, Borealis Institute"
TABLE, GROUP = "Writing with others: an open table", "Reading group: The Living Mountain"
OWN = "Write with us"
"""The owner's own title of the open table."""


def retitle(owner: Page, site_url: SiteURL, topic: str, title: str, site: str = "harbour") -> None:
    """Give a meeting a title of its own."""
    owner.goto(site_url(site, f"/admin/zoom/meetings/?q={topic}"))
    owner.locator("td.title a").first.click()
    owner.get_by_role("textbox", name="Title on the site").fill(title)
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_text(re.compile(r"Saved\. Visitors see \d+ dates? of it"))).to_be_visible()


def ticked_hosts(owner: Page) -> list[str]:
    """The hosts that are ticked on *What to show*."""
    owner.get_by_role("tab", name="What to show").click()
    rows = owner.locator("[name=hosts]:checked + div label")
    expect(rows.first).to_be_visible()
    return sorted(rows.all_inner_texts())


def test_an_archive_and_back(
    harbour: Callable[..., Page], site_url: SiteURL, page: Page, zoom: SimulatorControl
) -> None:
    """The archive shows what was shown and nothing else, until the Site is connected again."""
    owner = harbour(TOMAS, "Meetings", "Registration", "Tomás Rivera", "Amara Osei")
    retitle(owner, site_url, TABLE, OWN)
    events = site_url("harbour", "/events/")
    reload_until(page, events, lambda: row(page, OWN).count())
    register = row(page, OWN).get_by_role("link", name=re.compile("^Register"))
    expect(register).to_be_visible()

    owner.goto(site_url("harbour", PANEL))
    disconnect(owner, "Keep them as an archive")
    expect(owner.get_by_text("Your pages keep an archive.")).to_be_visible()
    assert axe_violations(owner) == []
    new = zoom.create_meeting("borealis-1", topic="Not in the archive", start_time="+1d 16:00")
    elsewhere = site_url("borealis", "/events/")
    reload_until(page, elsewhere, lambda: row(page, "Not in the archive").count())
    reload_until(page, events, lambda: register.count() == 0)
    expect(row(page, OWN)).to_be_visible()
    expect(row(page, GROUP).first).to_be_visible()
    expect(row(page, "Not in the archive")).to_have_count(0)

    connect(owner, TOMAS)
    expect(owner.get_by_text("2 hosts are ticked as before.")).to_be_visible()
    assert ticked_hosts(owner) == ["Amara Osei", "Tomás Rivera"]
    reload_until(page, events, lambda: row(page, "Not in the archive").count())
    expect(row(page, OWN)).to_be_visible()
    expect(register).to_be_visible()
    zoom.delete_meeting(new["id"], permanent=True)


def test_nothing_stays_and_back(
    harbour: Callable[..., Page], at_panel: Callable[[str], Page], site_url: SiteURL, page: Page
) -> None:
    """Everything leaves this Site's pages at once; titles and hosts are there when it returns."""
    owner = harbour(TOMAS, "Meetings", "Tomás Rivera", "Amara Osei")
    retitle(owner, site_url, TABLE, OWN)
    events = site_url("harbour", "/events/")
    reload_until(page, events, lambda: row(page, OWN).count())

    owner.goto(site_url("harbour", PANEL))
    disconnect(owner)
    page.goto(events)
    expect(row(page, "")).to_have_count(0)
    expect(page.get_by_text(OFF).first).to_be_visible()
    other_owner = at_panel("borealis")
    expect(other_owner.get_by_role("heading", name="Up to date")).to_be_visible()
    page.goto(site_url("borealis", "/events/"))
    expect(row(page, TABLE)).to_be_visible()

    connect(owner, TOMAS)
    expect(owner.get_by_text("2 hosts are ticked as before.")).to_be_visible()
    assert ticked_hosts(owner) == ["Amara Osei", "Tomás Rivera"]
    page.goto(events)  # nothing before the owner has saved
    expect(row(page, "")).to_have_count(0)
    choose(owner)
    reload_until(page, events, lambda: row(page, OWN).count())
    expect(row(page, GROUP).first).to_be_visible()
    retitle(owner, site_url, TABLE, "")
