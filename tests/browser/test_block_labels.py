"""Names of our blocks in the page editor: in the minimap and where they are collapsed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from wagtail.blocks import StructBlock

from demo_site.run import Demo
from demo_site.sites import PASSWORD
from tests.default_site import default_site
from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import NextMeetingBlock

from .conftest import SiteURL
from .editing import insert_block

# Playwright runs an event loop in this thread, where Django otherwise refuses database access.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
LogIn = Callable[..., Page]
MINIMAP = 22
"""Characters of a label in Wagtail's minimap."""

BLOCKS: list[tuple[str, dict[str, Any], str]] = [
    ("meetings", {"limit": 5, "hosts": "Lena Brandt"}, "Next 5 · Lena Brandt · List"),
    ("meetings", {"heading": "Lectures", "kind": "webinar", "period": "past", "layout": "cards"},
     "Lectures · Last 10 · Only webinars · Cards"),
    ("meetings", {"period": "live"}, "Live now · List"),
    ("meetings", {"period": "range", "first": "2027-03-01", "last": "2027-03-31"},
     "2027-03-01 – 2027-03-31 · List"),
    ("meetings", {"period": "range", "first": "2027-03-01"}, "2027-03-01 – · List"),
    ("meetings", {"period": "range", "last": "2027-03-31"}, "– 2027-03-31 · List"),
    ("recordings", {"limit": 3, "order": "title", "tags": "winter"}, "3 by title · winter · Cards"),
    ("next_meeting", {}, "Live now or next"),
    ("next_meeting", {"kind": "meeting"}, "Only meetings"),
    ("calendar", {}, "Month by month"),
    ("meeting", {"item": None}, "Nothing chosen yet"),
    ("registration", {"item": None}, "Nothing chosen yet"),
]  # fmt: skip
"""Block, its options, and how it is named."""


def page_script(title: str) -> str:
    """Code for the demo's shell: a draft with these blocks, which prints its number."""
    body = json.dumps([{"type": name, "value": value} for name, value, _label in BLOCKS])
    return f"""
from demo_site.models import EventsPage
from wagtail.models import Site
home = Site.objects.get(hostname="borealis.localhost").root_page
page = EventsPage(title={title!r}, slug={title!r}, live=False, body={body!r})
home.add_child(instance=page)
page.save_revision()
"""


def edit(user: Page, site_url: SiteURL, title: str) -> None:
    user.goto(site_url("borealis", "/admin/pages/"))
    user.get_by_role("link", name=title, exact=True).click()
    expect(user.locator("[data-streamfield-child]").first).to_be_visible()


def minimap(user: Page) -> Locator:
    """The blocks in the minimap."""
    return user.locator(".w-minimap-item--h3 .w-minimap-item__text")


def test_blocks_are_named_by_what_they_show(demo: Demo, log_in: LogIn, site_url: SiteURL) -> None:
    demo.manage("shell", "-c", page_script("block-labels"))
    user = log_in("borealis", "borealis")
    edit(user, site_url, "block-labels")
    labels = [label for _name, _value, label in BLOCKS]
    short = [label if len(label) <= MINIMAP else f"{label[:MINIMAP]}…" for label in labels]
    expect(minimap(user)).to_have_text(short)
    user.get_by_role("button", name="Collapse all").first.click()
    headings = user.locator("[data-streamfield-child] > section .c-sf-block__title")
    expect(headings).to_have_text(labels)


def test_a_new_block_gets_its_name_while_it_is_edited(log_in: LogIn, site_url: SiteURL) -> None:
    """Wagtail names a block again only when it is collapsed; the minimap not even then."""
    user = log_in("borealis", "borealis")
    user.goto(site_url("borealis", "/admin/pages/"))
    parent = user.url.split("/")[-2]
    user.goto(site_url("borealis", f"/admin/pages/add/demo_site/eventspage/{parent}/"))
    insert_block(user, "Zoom dates")
    expect(minimap(user)).to_have_text(["Next 10 · List"])
    user.get_by_label("How many").fill("4")
    user.get_by_label("How many").press("Tab")
    expect(minimap(user)).to_have_text(["Next 4 · List"])
    user.get_by_label("Heading", exact=True).fill("Soon")
    user.get_by_label("Heading", exact=True).press("Tab")
    expect(minimap(user)).to_have_text(["Soon · Next 4 · List"])


class Nested(StructBlock):
    """A project's block that contains ours directly: it gets a panel of its own in there."""

    soon = NextMeetingBlock()


def test_a_block_inside_a_block_is_named_too(
    browser: Browser, live_server: Any, transactional_db: None, monkeypatch: Any
) -> None:
    """Not by the first choice that has a text, which is the level of the heading."""
    nested = Nested()
    nested.set_name("columns")
    monkeypatch.setitem(ZoomPage.body.field.stream_block.child_blocks, "columns", nested)
    person = User.objects.create_superuser("editor", password=PASSWORD)
    home = default_site().root_page
    page = home.add_child(instance=ZoomPage(title="Nested", slug="nested"))
    ZoomPage.objects.filter(pk=page.pk).update(
        body=json.dumps([{"type": "columns", "value": {"soon": {}}, "id": "nested"}])
    )
    client = Client()
    client.force_login(person)
    context = browser.new_context()
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    user = context.new_page()
    user.goto(f"{live_server.url}/admin/pages/{page.pk}/edit/")
    inner = user.locator(
        "[data-streamfield-child] [data-streamfield-child], [data-contentpath=soon]"
    )
    expect(inner.locator("[data-panel-heading-text]").first).to_have_text("Live now or next")
    context.close()
