"""The owner's screens from right to left, in a pseudo-language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_site.config import free_port
from demo_site.run import Demo
from demo_site.sites import PASSWORD

from .conftest import SiteURL
from .connection import PANEL
from .web_servers import web_server

LISTS = ("meetings", "recordings", "registrations", "activity")
TOO_WIDE = """() => [document.scrollingElement, document.querySelector("main")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => `${box.tagName} ${box.scrollWidth} > ${box.clientWidth}`)"""
LAST_CHARACTER = """field => {
    /* An input's text has no boxes: the same text, with the same properties. */
    const copy = document.createElement("div");
    for (const name of ["direction", "unicodeBidi", "font"]) {
        copy.style[name] = getComputedStyle(field)[name];
    }
    copy.style.inlineSize = "max-content";
    copy.textContent = "A sentence.";
    field.after(copy);
    const range = document.createRange(), text = copy.firstChild;
    range.setStart(text, text.length - 1);
    range.setEnd(text, text.length);
    const stop = range.getBoundingClientRect().left;
    range.setStart(text, 0);
    range.setEnd(text, 1);
    const first = range.getBoundingClientRect().left;
    copy.remove();
    return stop > first;
}"""
"""Whether the full stop of a sentence from left to right is at its right."""


@pytest.fixture
def rtl_url(demo: Demo, site_url: SiteURL) -> Iterator[Callable[[str], str]]:
    """``rtl_url("/admin/")``: a URL of Aurora at a web server in the pseudo-language."""
    with web_server(demo.config, "rtl_settings", free_port()) as port:
        at_demo = f":{demo.config.port}/"
        yield lambda path: site_url("aurora", path).replace(at_demo, f":{port}/")


def log_in(browser: Browser, rtl_url: Callable[[str], str], person: str, width: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    page.goto(rtl_url("/admin/login/"))
    page.locator("input[name=username]").fill(person)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/admin/")
    return page


def test_no_screen_scrolls_sideways_on_a_phone(
    browser: Browser, rtl_url: Callable[[str], str]
) -> None:
    page = log_in(browser, rtl_url, "aurora", 360)
    page.goto(rtl_url(PANEL))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    number = page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    paths = ["/admin/", f"{PANEL}{number}/", f"{PANEL}{number}/#tab-choices"]
    paths += [f"/admin/zoom/{number}/{name}/" for name in ("visitors", "disconnect", "schedule")]
    paths += [f"/admin/zoom/{name}/" for name in LISTS]
    for name in LISTS[:2]:
        page.goto(rtl_url(f"/admin/zoom/{name}/"))
        item = page.locator("td.title a").first.get_attribute("href") or ""
        paths.append(item.split("?")[0])
        if name == "meetings":
            item_pk = item.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
            paths += [f"/admin/zoom/{number}/{do}/{item_pk}/" for do in ("change", "cancel")]
    wide = {}
    for path in paths:
        response = page.goto(rtl_url(path))
        assert response is None or response.ok, path  # None: only the fragment is another one
        page.wait_for_load_state("networkidle")
        if lines := page.evaluate(TOO_WIDE):
            wide[path] = lines
    page.context.close()
    page = log_in(browser, rtl_url, "admin", 360)
    page.goto(rtl_url("/admin/zoom/sites/"))
    if lines := page.evaluate(TOO_WIDE):
        wide["sites"] = lines
    page.context.close()
    assert wide == {}


def test_texts_of_another_direction_keep_their_order(
    browser: Browser, rtl_url: Callable[[str], str]
) -> None:
    """The full stop of an English description; the title and the site in a heading."""
    page = log_in(browser, rtl_url, "aurora", 1280)
    page.goto(rtl_url("/admin/zoom/meetings/"))
    page.locator("td.title a").first.click()
    for field in ("input[name=title]", "textarea[name=summary]"):
        assert page.locator(field).evaluate(LAST_CHARACTER), field
    page.goto(rtl_url(PANEL))
    number = page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    page.goto(rtl_url(f"/admin/zoom/{number}/schedule/"))
    subtitle = page.locator(".w-header__subtitle")
    expect(subtitle).to_have_css("unicode-bidi", "isolate")
    page.context.close()
