"""The last day of a recording: what visitors and the owner see before and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from demo_site.config import free_port
from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations
from .web_servers import web_server

LogIn = Callable[..., Page]
SHORT, LONG = "Sunrise, for a short time", "Sunrise, for a long time"


@pytest.fixture
def recordings(zoom: SimulatorControl, page: Page, site_url: SiteURL) -> Iterator[str]:
    """Two recordings that visitors see; the URL of their page."""
    for topic in (SHORT, LONG):
        zoom.create_recording("aurora-0", topic=topic, start_time="-1d 19:00")
    url = site_url("aurora", "/recordings/")
    reload_until(page, url, lambda: row(page, SHORT).count() and row(page, LONG).count())
    yield url
    ours = [doc["id"] for doc in zoom.recordings("aurora") if doc["topic"] in (SHORT, LONG)]
    zoom.delete_recordings(*ours, permanent=True)


def test_shown_until_a_day(
    log_in: LogIn, site_url: SiteURL, page: Page, demo: Demo, recordings: str
) -> None:
    """Of two recordings one has a last day. A web server whose clock is ahead shows the end."""
    owner = log_in("aurora", "aurora")
    owner.goto(site_url("aurora", f"/admin/zoom/recordings/?q={SHORT}"))
    owner.locator("td.title a").first.click()
    expect(owner.get_by_text("It ends at midnight, UTC.")).to_be_visible()
    last = timezone.localdate() + timedelta(days=1)
    field = owner.get_by_role("textbox", name="Show until")
    field.fill((last - timedelta(days=3)).isoformat())
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_text("Enter today or a later day.")).to_be_visible()
    field.fill(last.isoformat())
    field.press("Escape")  # the calendar covers the button
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_text("Saved. Visitors see it.")).to_be_visible()
    reload_until(page, recordings, lambda: "Until" in row(page, SHORT).inner_text())
    expect(row(page, SHORT)).to_contain_text(f"{last.day} {last:%B}")
    expect(row(page, LONG)).not_to_contain_text("Until")
    listed = owner.locator("tbody tr").filter(has_text=SHORT)
    owner.goto(site_url("aurora", f"/admin/zoom/recordings/?q={SHORT}"))
    expect(listed).to_contain_text(f"{last.day} {last:%B}")

    with web_server(demo.config, "later_settings", free_port()) as port:

        def later(url: str) -> str:
            return url.replace(f":{demo.config.port}/", f":{port}/")

        page.goto(later(recordings))
        expect(row(page, LONG)).to_be_visible()
        expect(row(page, SHORT)).to_have_count(0)
        owner.goto(later(site_url("aurora", f"/admin/zoom/recordings/?q={SHORT}")))
        expect(listed).to_contain_text("taken off automatically")
        owner.locator("td.title a").first.click()
        expect(owner.get_by_text("Its “show until” day is over.")).to_be_visible()
        assert axe_violations(owner) == []
