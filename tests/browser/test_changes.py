"""Changes at Zoom appear on the public page, also after the worker was stopped."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import TIMEOUT_MS, SiteURL

HOST = "borealis-0"


def row(page: Page, topic: str) -> Locator:
    """The row of one occurrence or recording in the page's list, not in a calendar."""
    rows = page.locator(":is(.wz-meetings, .wz-recordings) :is(.wz-item, .wz-card, .wz-slot)")
    return rows.filter(has_text=topic)


def reload_until(page: Page, url: str, condition: Any) -> None:
    """Reload a page until the condition is true."""
    for _attempt in range(TIMEOUT_MS // 250):
        page.goto(url)
        if condition():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"It did not come: {page.locator('main').inner_text()[:2000]}")


def test_created_moved_and_cancelled(page: Page, site_url: SiteURL, zoom: SimulatorControl) -> None:
    """All three changes appear on the page automatically."""
    url = site_url("borealis", "/events/")
    topic = "How a lock gate holds"
    meeting = zoom.create_meeting(HOST, topic=topic, start_time="+1d 16:00", duration=45)
    reload_until(page, url, lambda: row(page, topic).count() == 1)
    expect(row(page, topic)).to_contain_text("16:00")

    zoom.change_meeting(meeting["id"], start_time="+1d 17:15")
    reload_until(page, url, lambda: "17:15" in row(page, topic).inner_text())
    expect(row(page, topic)).to_contain_text("New time")

    zoom.delete_meeting(meeting["id"])
    reload_until(page, url, lambda: "Cancelled" in row(page, topic).inner_text())


def test_new_recording(page: Page, site_url: SiteURL, zoom: SimulatorControl) -> None:
    """A finished recording appears."""
    zoom.create_recording(HOST, topic="The sound of a frozen lake", start_time="-1d 19:00")
    url = site_url("borealis", "/recordings/")
    reload_until(page, url, lambda: row(page, "The sound of a frozen lake").count() == 1)


def test_stopped_worker_loses_nothing(
    page: Page, site_url: SiteURL, demo: Demo, zoom: SimulatorControl
) -> None:
    """Ten changes made while it is stopped all appear afterwards."""
    demo.worker.stop()
    names = [f"Kept in the inbox {number}" for number in range(10)]
    for number, topic in enumerate(names):
        zoom.create_meeting(HOST, topic=topic, start_time=f"+2d 0{number}:30", duration=20)
    url = site_url("borealis", "/events/")
    page.goto(url)
    expect(page.get_by_text("Kept in the inbox")).to_have_count(0)
    demo.worker.start()
    reload_until(page, url, lambda: all(row(page, topic).count() for topic in names))
