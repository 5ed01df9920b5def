"""The bar with the save button, while something is not saved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import SiteURL
from .connection import PANEL
from .test_owner_screens import axe_violations

LogIn = Callable[..., Page]
READY_MS = 2000
"""What is entered earlier counts for Wagtail as the state when the page was opened."""

CUT_TEXTS = """bar => [...bar.querySelectorAll("button, a.button")]
    .filter(button => button.scrollWidth > button.clientWidth)
    .map(button => button.textContent.trim())"""
"""Buttons with more text than room."""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_it_fits_beside_the_note_about_unsaved_edits(
    log_in: LogIn, site_url: SiteURL, width: int, scheme: str
) -> None:
    """Nothing sticks out of the screen, and nothing is squeezed to a word in each line."""
    viewport = {"width": width, "height": 900}
    page = log_in("aurora", "aurora", viewport=viewport, color_scheme=scheme)

    def check() -> None:
        note = page.get_by_text("unsaved edits")
        expect(note).to_be_visible()
        boxes = page.locator("#w-editor-form > footer > *, #w-editor-form > footer > * > *")
        rights = boxes.evaluate_all("nodes => nodes.map(n => n.getBoundingClientRect().right)")
        assert max(rights) <= width, rights
        assert page.locator("#w-editor-form > footer").evaluate(CUT_TEXTS) == []
        box = page.locator(".footer__save-warning").bounding_box()
        assert box is not None
        assert box["height"] < 80, box
        assert axe_violations(page) == []

    page.goto(site_url("aurora", PANEL))
    page.wait_for_timeout(READY_MS)
    page.get_by_role("tab", name="What to show").click()
    page.get_by_label("Webinars", exact=True).check()
    check()
    page.goto(site_url("aurora", "/admin/zoom/recordings/"))
    page.locator("td.title a").first.click()
    expect(page.get_by_role("heading", name="From Zoom")).to_be_visible()
    page.wait_for_timeout(READY_MS)
    page.get_by_role("textbox", name="Title on the site").fill("Not saved")
    check()
    page.get_by_text("Other rules").click()
    for select in page.locator(".wza-more select").all():
        inner, outer = select.bounding_box(), page.locator("#wza-next").bounding_box()
        assert inner is not None
        assert outer is not None
        assert inner["x"] + inner["width"] <= width
