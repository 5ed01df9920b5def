"""Meetings that are chosen on a page: by whom, what visitors see, and what a move of it changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from demo_site.run import Demo
from wagtail_zoom.testing.server import SimulatorControl

from .conftest import SiteURL
from .editing import choose_meeting, chosen, editor_script, publish
from .test_changes import reload_until, row
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
EDITOR = "edith"
OTHER_SITE, HIDDEN = "This one belongs to another site.", "Visitors do not see it."
REMOVE = """
from wagtail.models import Page
for page in Page.objects.filter(slug__startswith="boats"):
    page.delete()
"""


@pytest.fixture
def boats(demo: Demo, zoom: SimulatorControl, page: Page, site_url: SiteURL) -> Iterator[list[str]]:
    """Topics of three meetings of the Borealis Institute; there is an editor without its Zoom
    permission. Pages that are called boats are removed afterwards."""
    topics = [f"A boat of {material} {uuid4().hex[:6]}" for material in ("oak", "hide", "paper")]
    meetings = [
        zoom.create_meeting("borealis-0", topic=topic, start_time=f"+1d 1{number}:10")
        for number, topic in enumerate(topics)
    ]
    demo.manage("shell", "-c", REMOVE + editor_script("borealis", EDITOR))
    events = site_url("borealis", "/events/")
    reload_until(page, events, lambda: all(row(page, topic).count() for topic in topics))
    yield topics
    for meeting in meetings:
        # Cancelled ones would stay in the list, whose length is limited, for the other tests.
        zoom.change_meeting(meeting["id"], settings={"private_meeting": True})
    demo.manage("shell", "-c", REMOVE)


def block(page: Page, topic: str) -> Locator:
    """The block of a public page that shows this meeting."""
    return page.locator(".part--meeting").filter(has_text=topic)


def edit(user: Page, site_url: SiteURL, number: str, site: str = "borealis") -> None:
    """Open the form of a page, on the domain of a Site."""
    user.goto(site_url(site, f"/admin/pages/{number}/edit/"))


def add_page(user: Page, site_url: SiteURL, title: str) -> str:
    """Save a draft of a new page below the home page, whose form stays open; returns its id."""
    user.goto(site_url("borealis", "/admin/pages/"))
    user.get_by_role("link", name="Add child page").first.click()
    user.get_by_role("link", name="Events page").first.click()
    user.get_by_role("textbox", name="Title").first.fill(title)
    user.keyboard.press("Tab")
    expect(user.locator("#id_slug")).not_to_have_value("")
    user.get_by_role("button", name="Save draft").click()
    user.wait_for_url("**/edit/")
    return user.url.split("/")[-3]


def move(user: Page, url: str, parent: str) -> None:
    """Move a page, from the form at ``url``, below another one."""
    user.goto(url)
    user.get_by_role("button", name="Actions").click()
    user.get_by_role("button", name=re.compile("^Choose another")).click()
    modal = user.locator(".modal-body")
    modal.get_by_label("Search term").fill(parent)
    modal.get_by_role("link", name=parent).first.click()
    expect(modal).to_have_count(0)
    user.get_by_role("button", name="Confirm").click()
    expect(user.get_by_text(f"into '{parent}'")).to_be_visible()
    user.get_by_role("button", name="Yes, move this page").click()
    expect(user.locator(".messages")).to_contain_text("moved")


def test_owner_editor_and_superuser(
    log_in: LogIn, site_url: SiteURL, page: Page, boats: list[str]
) -> None:
    """Each chooses one, visitors see all three, and each reads all titles in the form."""
    owner, editor, admin = (log_in(name, "borealis") for name in ("borealis", EDITOR, "admin"))
    public = site_url("borealis", "/boats/")
    number = add_page(owner, site_url, "Boats")
    for index, user in enumerate((owner, editor, admin)):
        edit(user, site_url, number)
        expect(chosen(user)).to_have_text(boats[:index])
        choose_meeting(user, boats[index])
        publish(user)
        page.goto(public)
        for topic in boats[: index + 1]:
            expect(block(page, topic)).to_be_visible()
    for user in (owner, editor, admin):
        edit(user, site_url, number)
        expect(chosen(user)).to_have_text(boats)

    # Hidden from visitors: whoever may not change the Zoom settings does not read its title.
    owner.goto(site_url("borealis", f"/admin/zoom/meetings/?q={boats[0]}"))
    owner.locator("tbody input[type=checkbox]").check()
    owner.get_by_role("link", name="Hide the selected items").click()
    owner.get_by_role("button", name="Hide them").click()
    expect(owner.locator(".messages")).to_contain_text("1 item was changed.")
    reload_until(page, public, lambda: block(page, boats[0]).count() == 0)
    expect(block(page, boats[1])).to_be_visible()
    for user in (owner, admin):
        edit(user, site_url, number)
        expect(chosen(user)).to_have_text(boats)
        expect(user.get_by_text(HIDDEN, exact=True)).to_be_visible()
    edit(editor, site_url, number)
    expect(chosen(editor)).to_have_text(["(not shown to visitors)", *boats[1:]])
    assert boats[0] not in editor.content()
    assert axe_violations(editor) == []


def test_moved_within_the_site_and_to_another(
    log_in: LogIn, site_url: SiteURL, page: Page, boats: list[str]
) -> None:
    """Within the Site everything stays; the other Site shows nothing of this one, and says why."""
    owner = log_in("borealis", "borealis")
    number = add_page(owner, site_url, "Boats")
    choose_meeting(owner, boats[0])
    publish(owner)
    form = f"/admin/pages/{number}/move/"
    move(owner, site_url("borealis", form), "Programme")
    page.goto(site_url("borealis", "/events/boats/"))
    expect(block(page, boats[0])).to_be_visible()
    edit(owner, site_url, number)
    expect(chosen(owner)).to_have_text(boats[:1])

    admin = log_in("admin", "aurora")
    move(admin, site_url("aurora", form), "Yoga before the day gets loud")
    response = page.goto(site_url("borealis", "/events/boats/"))
    assert response is not None and response.status == 404
    moved = site_url("aurora", "/boats/")
    page.goto(moved)
    expect(page.locator("main")).to_contain_text("This meeting is no longer available.")
    assert boats[0] not in page.content()
    other_owner = log_in("aurora", "aurora")
    edit(other_owner, site_url, number, "aurora")
    expect(other_owner.get_by_text(OTHER_SITE, exact=True)).to_be_visible()
    expect(chosen(other_owner)).to_have_text("(not available on your site)")
    assert boats[0] not in other_owner.content()
    assert axe_violations(other_owner) == []
    publish(other_owner, OTHER_SITE)
    assert boats[0] not in other_owner.content()
    page.goto(moved)
    expect(page.locator("main")).to_contain_text("This meeting is no longer available.")
    edit(admin, site_url, number, "aurora")
    expect(admin.get_by_text(OTHER_SITE, exact=True)).to_be_visible()
    expect(chosen(admin)).to_have_text(boats[:1])

    move(admin, site_url("aurora", form), "Evenings for people who want to know how things work")
    page.goto(site_url("borealis", "/boats/"))
    expect(block(page, boats[0])).to_be_visible()
