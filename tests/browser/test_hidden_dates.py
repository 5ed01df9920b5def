"""One date of a series leaves the public page, and comes back."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from .conftest import SiteURL
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]


def test_hide_and_show_one_date(log_in: LogIn, site_url: SiteURL, page: Page) -> None:
    """The next date of the first series: the other dates of it stay."""
    owner = log_in("aurora", "aurora")
    owner.goto(site_url("aurora", "/admin/zoom/meetings/"))
    series = owner.locator("tbody tr").filter(has_text="dates left").first
    topic = series.locator("td.title a").inner_text()
    series.locator("td.title a").click()
    expect(owner.get_by_role("button", name="Hide this date").nth(1)).to_be_visible()
    assert axe_violations(owner) == []

    events = site_url("aurora", "/events/")
    page.goto(events)
    start = row(page, topic).first.locator("time").first.get_attribute("datetime")
    dates = row(page, topic).locator(f"time[datetime='{start}']")
    assert dates.count() > 0
    owner.get_by_role("button", name="Hide this date").first.click()
    expect(owner.get_by_text("Hidden by you")).to_be_visible()
    reload_until(page, events, lambda: dates.count() == 0)
    assert row(page, topic).count() > 0

    owner.get_by_role("button", name="Show this date").click()
    expect(owner.get_by_role("button", name="Show this date")).to_have_count(0)
    reload_until(page, events, lambda: dates.count() > 0)


def test_select_and_sort_the_whole_list(log_in: LogIn, site_url: SiteURL) -> None:
    """The column's heading sorts; the whole list is offered when it has further pages."""
    owner = log_in("borealis", "borealis")
    owner.goto(site_url("borealis", "/admin/zoom/meetings/?when="))
    owner.get_by_role("link", name="Title", exact=True).click()
    expect(owner).to_have_url(re.compile("ordering=title"))
    titles = owner.locator("td.title a").all_inner_texts()
    assert titles == sorted(titles, key=str.casefold)
    owner.locator("thead input[type=checkbox]").check()
    whole = owner.get_by_role("button", name="Select the whole list")
    if whole.count():
        whole.click()
        expect(owner.get_by_text("All items in listing selected")).to_be_visible()
    owner.get_by_role("link", name="Add tags to the selected items").click()
    expect(owner.get_by_text("Add tags to these?").first).to_be_visible()
    assert owner.locator("main li").count() >= len(titles)
