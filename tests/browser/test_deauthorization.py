"""The app is removed at Zoom: who is told, what visitors see, and how everything comes back."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo_site.emails import Email
from demo_site.sites import OFF
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .connection import PANEL, choose, connect
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

TOMAS = "Tomás Rivera, Borealis Institute"
GROUP, TABLE = "Reading group: The Living Mountain", "Writing with others: an open table"
"""Meetings of two hosts of the Borealis Institute: of Tomás Rivera, and of Amara Osei."""
REMOVED = "The app was removed in Zoom. Your pages show nothing from Zoom."


def remove_app(page: Page, zoom: SimulatorControl, name: str) -> None:
    """Remove the app that this person has added, on the simulator's page."""
    page.goto(f"{zoom.url}/?account=borealis")
    app = page.get_by_role("listitem").filter(has_text=f"Added by {name}")
    app.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The app was removed.")).to_be_visible()


def test_removed_and_connected_again(
    harbour: Callable[..., Page],
    at_panel: Callable[[str], Page],
    site_url: SiteURL,
    page: Page,
    zoom: SimulatorControl,
    emails: Callable[[str], list[Email]],
) -> None:
    """Of two Sites with one Zoom account only the one whose person removed the app is empty."""
    hosts = ("Tomás Rivera", "Amara Osei")
    owner = harbour(TOMAS, "Meetings", *hosts, without=["Lena Brandt"])
    events = site_url("harbour", "/events/")
    reload_until(page, events, lambda: row(page, GROUP).count() and row(page, TABLE).count())
    number_of_emails = len(emails("harbour@example.org"))

    remove_app(owner.context.new_page(), zoom, "Tomás Rivera")
    reload_until(page, events, lambda: row(page, "").count() == 0)
    expect(page.get_by_text(OFF).first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(re.compile("Zoom|removed|error", re.I))

    owner.goto(site_url("harbour", "/admin/"))
    expect(owner.locator("#zoom-section")).to_contain_text(REMOVED)
    owner.goto(site_url("harbour", PANEL))
    expect(owner.get_by_text(REMOVED)).to_be_visible()
    assert axe_violations(owner) == []
    newest, *_others = emails("harbour@example.org")
    assert len(emails("harbour@example.org")) == number_of_emails + 1
    assert newest.subject == (
        "Harbour House: Zoom is disconnected, your pages show nothing from Zoom"
    )
    assert PANEL in newest.text

    other_owner = at_panel("borealis")
    expect(other_owner.get_by_role("heading", name="Up to date")).to_be_visible()
    page.goto(site_url("borealis", "/events/"))
    expect(row(page, TABLE)).to_be_visible()

    connect(owner, TOMAS)
    expect(owner.get_by_text("Connected again with Zoom as Tomás Rivera.")).to_be_visible()
    owner.get_by_role("tab", name="What to show").click()
    for host in hosts:
        expect(owner.get_by_label(host, exact=True)).to_be_checked()
    expect(owner.get_by_label("Lena Brandt", exact=True)).not_to_be_checked()
    choose(owner)
    reload_until(page, events, lambda: row(page, GROUP).count() and row(page, TABLE).count())
    owner.goto(site_url("harbour", "/admin/"))
    expect(owner.get_by_text(REMOVED)).to_have_count(0)
