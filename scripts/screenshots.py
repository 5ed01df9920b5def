"""All screenshots of the documentation, taken from a separate demo.

``make screenshots``, or ``python scripts/screenshots.py [--only public|admin|tutorial|hub]
[--folder FOLDER]``. Needs the extra ``testing`` and a Chromium; takes about four minutes. It uses
free ports and temporary folders, so that another running demo is not affected. Times are those of
the current day.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.screenshots_admin import demo_data, own_demo, shrink, take_all  # noqa: E402
from scripts.screenshots_hub import take_hub  # noqa: E402
from scripts.screenshots_tutorial import take_tutorial  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

    from demo_site.run import Demo

BLOCKS = {
    "list": ("meetings", {"heading": "What is coming up", "limit": 6, "filters": True}),
    "cards": (
        "meetings",
        {"heading": "Lectures", "layout": "cards", "kind": "webinar", "limit": 3, "paging": False},
    ),
    "agenda": ("meetings", {"layout": "agenda", "limit": 6, "paging": False}),
    "table": ("meetings", {"layout": "table", "limit": 6, "paging": False}),
    "next": ("next_meeting", {}),
    "calendar": ("calendar", {}),
    "recordings": ("recordings", {"limit": 3, "paging": False}),
}
"""Name of the screenshot → block and its options."""
PHONE = {"viewport": {"width": 360, "height": 800}}
HALF = 500
"""Pixels of the width of one mode in a picture of the gallery."""
MARGIN = 20
"""Pixels of the page around a block."""


def add_page(slug: str, kind: str, value: dict[str, Any], title: str = "") -> str:
    """Add a page with only this block to Borealis; returns its path."""
    from demo_site.models import EventsPage

    home = demo_data("borealis").site.root_page
    body = json.dumps([{"type": kind, "value": value}])
    page = home.add_child(instance=EventsPage(title=title or slug, slug=slug, body=body))
    return str(page.slug)


def item_with_registration() -> Any:
    """An item with registration, for the blocks that show one."""
    from wagtail_zoom.models import SiteItem

    rows = SiteItem.objects.filter(
        site=demo_data("borealis").site, meeting__approval_type=0, meeting__zoom_type__in=(2, 5)
    )
    coming = rows.filter(meeting__occurrences__state="scheduled")
    return coming.order_by("meeting__start", "pk").first()


def take_blocks(demo: Demo, browser: Browser, folder: Path) -> None:
    """Every block in its layouts, on a page of the demo, for a visitor in another time zone."""
    from django.db import connection

    from demo_site.models import HomePage

    # The light theme shows the blocks' own lines better than the dark one of Borealis.
    home = HomePage.objects.filter(pk=demo_data("borealis").site.root_page_id)
    home.update(theme="harbour")
    blocks = dict(BLOCKS)
    item = item_with_registration()
    blocks["meeting"] = ("meeting", {"item": item.pk})
    blocks["registration"] = ("registration", {"item": item.pk, "heading": "Register"})
    paths = {name: add_page(f"picture-{name}", *block) for name, block in blocks.items()}
    connection.close()
    for name in paths:
        take_block(demo, browser, folder / "blocks" / f"{name}.png", paths[name], {})
    take_block(demo, browser, folder / "blocks" / "phone.png", paths["list"], PHONE)
    home.update(theme="borealis")
    connection.close()
    take_block(demo, browser, folder / "blocks" / "dark.png", paths["cards"], {})


def take_block(demo: Demo, browser: Browser, file: Path, path: str, view: dict[str, Any]) -> None:
    """The first block of a page, with a margin."""
    options = {"viewport": {"width": 1100, "height": 900}, "timezone_id": "Asia/Tokyo"}
    context = browser.new_context(**{**options, "locale": "en-GB", **view})
    page = context.new_page()
    page.goto(f"{demo.config.site_url('borealis.localhost')}/{path}/")
    page.wait_for_load_state("networkidle")
    transcripts = page.locator("main .wz-recordings summary")
    if transcripts.count():
        transcripts.first.click()
        page.evaluate("scrollTo(0, 0)")
    box = page.locator("main .wz").first.bounding_box() or {}
    margin = min(MARGIN, box["x"])
    clip = {
        "x": box["x"] - margin,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * margin,
        "height": box["height"] + 2 * MARGIN,
    }
    page.screenshot(path=file, clip=clip, full_page=True)
    shrink(file)
    context.close()
    print(file.stem, flush=True)


def take_pages(demo: Demo, browser: Browser, folder: Path) -> None:
    """A whole public page."""
    page = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB").new_page()
    page.goto(f"{demo.config.site_url('borealis.localhost')}/events/")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder / "events-page.png")
    shrink(folder / "events-page.png")
    print("events-page", flush=True)


def take_gallery(demo: Demo, browser: Browser, folder: Path) -> None:
    """The samples of the theming gallery: one block, light beside dark."""
    from django.db import connection
    from PIL import Image

    from tests.browser.gallery import document, samples

    block = ("meetings", {"heading": "Evenings", "limit": 3, "paging": False, "feed": False})
    path = add_page("picture-gallery", *block)
    connection.close()
    url = f"{demo.config.site_url('borealis.localhost')}/{path}/"
    for sample in samples():
        html = document(block_html(url, sample.template), sample.css, url)
        halves = []
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": HALF, "height": 640},
                color_scheme=scheme,
                java_script_enabled=False,
            )
            page = context.new_page()
            fulfil = functools.partial(answer, html=html)
            page.route(url, fulfil)
            page.goto(url)
            page.wait_for_load_state("networkidle")
            file = folder / f"{sample.name}-{scheme}.png"
            page.screenshot(path=file, full_page=True)
            halves.append(file)
            context.close()
        pair = [Image.open(file) for file in halves]
        both = Image.new("RGB", (2 * HALF, max(half.height for half in pair)))
        for number, half in enumerate(pair):
            both.paste(half, (number * HALF, 0))
        both.save(folder / f"{sample.name}.png")
        shrink(folder / f"{sample.name}.png")
        for file in halves:
            file.unlink()
        print(sample.name, flush=True)


def answer(route: Route, html: str) -> None:
    """Answer a request with this page."""
    route.fulfill(body=html, content_type="text/html")


def block_html(url: str, template: str) -> str:
    """The block of a page of the demo, with a template of a row if there is one."""
    from urllib.parse import urlsplit

    from django.conf import settings
    from django.core.cache import cache
    from django.test import Client, override_settings

    place = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        if template:
            file = Path(folder) / "wagtail_zoom/blocks/_item.html"
            file.parent.mkdir(parents=True)
            file.write_text(template)
        templates = settings.TEMPLATES[0]
        templates = {**templates, "DIRS": [folder, *templates.get("DIRS", [])]}
        with override_settings(TEMPLATES=[templates]):
            cache.clear()
            text = Client().get(place.path, headers={"host": place.netloc}).content.decode()
            cache.clear()
    match = re.search(r'<section class="wz wz-meetings".*?</section>', text, re.DOTALL)
    if match is None:
        raise LookupError(f"No block at {url}: {text[:2000]}")
    return match[0]


def main() -> int:
    """Start a separate demo and take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", choices=["public", "admin", "tutorial", "hub"])
    parser.add_argument("--axe", action="store_true", help="examine the owner's; 1 on a finding")
    parser.add_argument("--database", type=Path, help="a migrated one of the demo to begin with")
    options = parser.parse_args()
    for name in ("blocks", "gallery", "admin", "tutorial"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)

    findings: list[str] = []
    if options.only in (None, "tutorial"):
        take_tutorial(options.folder / "tutorial")
    if options.only in (None, "hub"):
        take_hub(options.folder)
    if options.only in ("tutorial", "hub"):
        return 0
    with own_demo(options.database) as (demo, browser):
        if options.only != "admin":
            take_pages(demo, browser, options.folder)
            take_blocks(demo, browser, options.folder)
            take_gallery(demo, browser, options.folder / "gallery")
        if options.only != "public":
            findings = take_all(demo, browser, options.folder / "admin", axe=options.axe)
    print(*findings, sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
