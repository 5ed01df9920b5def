"""Steps on the way to Zoom and back, for the tests of this folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

PANEL = "/admin/settings/wagtail_zoom/zoomsettings/"
PERSON = "Josefine Adler, Harbour House"
"""The owner of Harbour House, on Zoom's consent page."""
IMPORT_TIMEOUT_MS = 40_000
"""Milliseconds that a first import may take."""


def decide(page: Page, answer: str, person: str = PERSON, refused: Iterable[str] = ()) -> None:
    """Answer Zoom's consent page; ``refused`` are optional scopes."""
    page.get_by_label("Sign in as").select_option(label=person)
    for scope in refused:
        page.get_by_label(scope).uncheck()
    page.get_by_role("button", name=answer).click()


def connect(owner: Page, person: str = PERSON) -> None:
    """Connect or reconnect from the panel, as this person at Zoom."""
    owner.get_by_role("button", name=re.compile("^(Connect|Reconnect) Zoom$")).first.click()
    decide(owner, "Allow", person)
    owner.wait_for_url(f"**{PANEL}**")


def choose(owner: Page, *labels: str, without: Iterable[str] = ()) -> None:
    """Tick kinds and hosts on *What to show*, save, and wait for the import.

    ``without``: hosts that an earlier connection of the Site may have left ticked.
    """
    owner.get_by_role("tab", name="What to show").click()
    for label in labels:
        owner.get_by_label(label, exact=True).and_(owner.locator("input")).check()
    for label in without:
        owner.get_by_label(label, exact=True).and_(owner.locator("input")).uncheck()
    owner.get_by_role("button", name=re.compile("^Save")).first.click()
    expect(owner.get_by_role("heading", name="Up to date")).to_be_visible(timeout=IMPORT_TIMEOUT_MS)


def disconnect(owner: Page, pages: str = "Remove everything from Zoom") -> None:
    """Leave the Site without a connection, and the page at its panel."""
    panel = owner.url
    site = re.search(r"/zoomsettings/(\d+)/", panel)
    assert site is not None, panel
    response = owner.goto(urljoin(panel, f"/admin/zoom/{site[1]}/disconnect/"))
    assert response is not None
    if response.status == 404:  # there is no connection
        owner.goto(panel)
    else:
        owner.get_by_label(pages).check()
        owner.get_by_role("button", name=re.compile("^(Disconnect|Remove)$")).click()
    connect_button = owner.get_by_role("button", name=re.compile("^(Connect|Reconnect) Zoom$"))
    expect(connect_button.first).to_be_visible()
