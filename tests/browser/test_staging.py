"""A copy of the installation at another address: what it shows, what it leaves alone, and the way
out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo_site.config import DemoConfig, free_port
from demo_site.emails import newest_emails
from demo_site.processes import wait_for
from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .connection import PANEL, PERSON
from .test_changes import reload_until, row
from .test_disconnecting import TABLE
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
SHOWN, NEW = "Sourdough morning", "A net is mended"
COPY = "This is a copy of another site. Zoom is turned off here."


@pytest.fixture
def staging(
    harbour: Callable[..., Page], demo: Demo, site_url: SiteURL, page: Page, tmp_path: Path
) -> Iterator[Demo]:
    """The database of the demo, with Harbour House connected, behind a web server and a worker of
    its own. The simulator is the same."""
    harbour(PERSON, "Meetings")
    reload_until(page, site_url("harbour", "/events/"), lambda: row(page, SHOWN).count())
    copy = Demo(DemoConfig(free_port(), demo.config.simulator_port, tmp_path))
    with (
        closing(sqlite3.connect(demo.config.folder / "demo.sqlite3")) as original,
        closing(sqlite3.connect(tmp_path / "demo.sqlite3")) as target,
    ):
        original.backup(target)
    copy.manage("setup_demo")  # the port of the Sites
    try:
        copy.web.start()
        copy.worker.start()
        wait_for(copy.web, f"{copy.config.base_url}/demo/mails/")
        yield copy
    finally:
        copy.stop()


def test_a_copy_leaves_zoom_alone_until_it_is_the_real_site(
    staging: Demo, log_in: LogIn, site_url: SiteURL, page: Page, zoom: SimulatorControl
) -> None:
    """It shows what was copied, asks for nothing and mails nobody; its owner switches it on."""

    def at_copy(site: str, path: str) -> str:
        return f"{staging.config.site_url(f'{site}.localhost')}{path}"

    real, copy = site_url("harbour", "/events/"), at_copy("harbour", "/events/")
    register = row(page, TABLE).get_by_role("link", name=re.compile("^Register"))
    page.goto(site_url("borealis", "/events/"))
    expect(register).to_be_visible()
    page.goto(at_copy("borealis", "/events/"))
    expect(row(page, TABLE)).to_be_visible()
    expect(register).to_have_count(0)
    page.goto(copy)
    expect(row(page, SHOWN)).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("copy")

    new = zoom.create_meeting("harbour-0", topic=NEW, start_time="+1d 16:00")
    reload_until(page, real, lambda: row(page, NEW).count())
    page.goto(copy)
    expect(row(page, NEW)).to_have_count(0)

    owner = log_in("harbour", "harbour", port=staging.config.port)
    owner.goto(at_copy("harbour", PANEL))
    expect(owner.get_by_text(COPY)).to_be_visible()
    expect(owner.get_by_role("button", name="Sync now")).to_have_count(0)
    assert axe_violations(owner) == []
    way_out = owner.get_by_role("link", name="This is now the real site…")
    way_out.first.click()
    expect(owner.get_by_role("heading", name="Is this now the real site?")).to_be_visible()
    assert axe_violations(owner) == []
    owner.get_by_role("link", name="Leave it off").click()
    expect(owner.get_by_text(COPY)).to_be_visible()
    page.goto(copy)
    expect(row(page, NEW)).to_have_count(0)

    way_out.first.click()
    owner.get_by_role("button", name="It is, start Zoom here").click()
    expect(owner.get_by_text("Zoom is switched on here.")).to_be_visible()
    expect(owner.get_by_text(COPY)).to_have_count(0)
    owner.get_by_role("button", name="Sync now").first.click()
    reload_until(page, copy, lambda: row(page, NEW).count())
    page.goto(at_copy("borealis", "/events/"))
    expect(row(page, TABLE)).to_be_visible()
    expect(register).to_have_count(0)

    # The other Sites of the copy are those of another installation still.
    operator = log_in("admin", "aurora", port=staging.config.port)
    operator.goto(at_copy("aurora", "/admin/zoom/sites/"))
    for site, is_copy in (("aurora", True), ("borealis", True), ("harbour", False)):
        listed = operator.locator("tbody tr").filter(has_text=f"{site}.localhost")
        expect(listed.get_by_text("Copy, turned off")).to_have_count(int(is_copy))
    assert newest_emails(staging.config.folder / "mails") == []
    zoom.delete_meeting(new["id"], permanent=True)
