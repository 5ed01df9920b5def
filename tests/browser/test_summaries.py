"""A summary of a meeting is reviewed, edited and published, and goes when Zoom withdraws it."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect

from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
LIST = "/admin/zoom/summaries/"
HOST = "aurora-1"


def test_reviewed_edited_published_and_withdrawn(
    page: Page,
    log_in: LogIn,
    site_url: SiteURL,
    zoom: SimulatorControl,
    axe: Callable[[str], list[str]],
    violations: list[str],
) -> None:
    topic = f"Headstand circle {uuid4().hex[:6]}"
    recordings = site_url("aurora", "/recordings/")
    recording = zoom.create_recording(HOST, topic=topic, start_time="-1d 19:00")
    reload_until(page, recordings, lambda: row(page, topic).count() == 1)
    content = "# Quick recap\n\nAna keeps the key.\n\n<script>alert(1)</script>"
    zoom.create_summary(HOST, uuid=recording["id"], summary_content=content)

    owner = log_in("aurora", "aurora")
    listed = owner.locator("tbody tr").filter(has_text=topic)
    reload_until(owner, site_url("aurora", f"{LIST}?state=new"), lambda: listed.count() == 1)
    expect(listed).to_contain_text("Needs review")
    page.goto(recordings)
    expect(row(page, topic).get_by_role("link", name="Read the summary")).to_have_count(0)

    listed.get_by_role("link", name=topic).click()
    text = owner.get_by_role("textbox", name="Text")
    expect(text).to_have_value(re.compile("Ana keeps the key"))
    assert axe_violations(owner) == []
    text.fill("# What was agreed\n\nThe *lighthouse* is booked.")
    owner.get_by_role("button", name="Preview").click()
    preview = owner.locator("#wza-preview-section, #wza-preview").first
    expect(preview.get_by_role("heading", name="What was agreed")).to_be_visible()
    owner.get_by_role("button", name="Save and publish").click()
    expect(owner.get_by_text("Saved. Visitors see it.")).to_be_visible()
    expect(listed).to_contain_text("Published")

    reload_until(
        page,
        recordings,
        lambda: row(page, topic).get_by_role("link", name="Read the summary").count() == 1,
    )
    row(page, topic).get_by_role("link", name="Read the summary").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(topic)
    expect(page.get_by_role("heading", level=2, name="What was agreed")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("keeps the key")
    expect(page.get_by_role("link", name="Watch the recording")).to_be_visible()
    public = page.url
    assert axe(public) == []

    zoom.change_summary(recording["id"], summary_content="The machine changed its mind.")
    reload_until(owner, site_url("aurora", f"{LIST}?state=changed"), lambda: listed.count() == 1)
    listed.get_by_role("link", name=topic).click()
    expect(owner.locator(".wza-compare")).to_contain_text("changed its mind")
    assert axe_violations(owner) == []
    owner.get_by_role("button", name="Keep my text").click()
    expect(owner.get_by_text("Saved. Your text stays.")).to_be_visible()
    page.goto(public)
    expect(page.locator("main")).to_contain_text("is booked")
    assert violations == []

    zoom.delete_summary(recording["id"])
    reload_until(
        page,
        recordings,
        lambda: row(page, topic).get_by_role("link", name="Read the summary").count() == 0,
    )
    response = page.goto(public)
    assert response is not None and response.status == 404
    zoom.delete_recordings(recording["id"], permanent=True)


def test_the_demo_has_a_summary_to_read_and_one_to_review(
    page: Page, log_in: LogIn, site_url: SiteURL
) -> None:
    page.goto(site_url("aurora", "/recordings/"))
    retreat = row(page, "Weekend retreat")
    retreat.get_by_role("link", name="Read the summary").click()
    expect(page.locator("main")).to_contain_text("What was agreed")
    owner = log_in("aurora", "aurora")
    expect(owner.locator("main")).to_contain_text("new summary waits for your review")
    owner.goto(site_url("aurora", f"{LIST}?state=new"))
    expect(owner.locator("tbody tr").filter(has_text="Yin and rest")).to_have_count(1)
