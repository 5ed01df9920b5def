"""Each sample of the theming gallery takes effect, and its text is readable in both modes."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from .conftest import SiteURL
from .gallery import Sample, document, samples

PROPERTIES = """css => Object.fromEntries([...css.matchAll(/(--wz-[a-z]+):/g)].map(([, name]) =>
    [name, getComputedStyle(document.documentElement).getPropertyValue(name).trim()]))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_samples_are_readable(
    browser: Browser, site_url: SiteURL, sample: Sample, scheme: str
) -> None:
    page = browser.new_context(
        bypass_csp=True, viewport={"width": 460, "height": 900}, color_scheme=scheme
    ).new_page()
    url = site_url("borealis", "/events/")
    page.goto(url)
    block = page.locator("main .wz-meetings").first.evaluate("element => element.outerHTML")
    page.route(
        url,
        lambda route: route.fulfill(
            body=document(block, sample.css, url), content_type="text/html"
        ),
    )
    page.goto(url)
    expect(page.locator(".wz-meetings .wz-button").first).to_be_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 28)"}[scheme]
    properties = page.evaluate(PROPERTIES, sample.css)
    for name, value in properties.items():
        assert value and value in " ".join(sample.css.split()), name
    violations = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    assert [node["html"] for violation in violations for node in violation["nodes"]] == []
    page.context.close()
