"""Pictures of the tutorial, taken while its steps are clicked in a project of its own.

``python scripts/screenshots_tutorial.py [--folder docs/images/tutorial]``. Needs the extra
``testing`` and a Chromium; takes about a minute.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.screenshots_admin import CHROMIUM, shrink  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEW = {"width": 1000, "height": 700}
"""Narrow enough for the text to be readable in a column of the documentation."""
HEIGHTS = {
    "connect": 1000,
    "allow": 360,
    "choose": 1250,
    "page": 800,
    "register": 700,
    "registered": 560,
}
"""Of the window, in CSS pixels, where its usual height does not suit the subject."""
SECTIONS = {"schedule": "section[aria-labelledby=new]"}
"""Pictures of one part of the screen."""
TOP = {"choose": "[role=tablist]"}
"""What is scrolled to the upper edge."""


def take(page: Page, file: Path) -> None:
    """One screenshot of the window, or of a part of the page."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.evaluate("document.querySelector('wagtail-userbar')?.remove()")
    page.set_viewport_size({**VIEW, "height": HEIGHTS.get(file.stem, VIEW["height"])})
    page.wait_for_load_state("networkidle")
    if file.stem in TOP:
        page.locator(TOP[file.stem]).first.evaluate("element => element.scrollIntoView()")
    part = SECTIONS.get(file.stem)
    if part:
        page.locator(part).screenshot(path=file)
    else:
        page.screenshot(path=file)
    page.set_viewport_size(VIEW)
    shrink(file)
    print(file.stem, flush=True)


def take_tutorial(folder: Path) -> None:
    """Start a project as the tutorial says, follow it, and take its pictures."""
    from playwright.sync_api import sync_playwright

    from tests.browser.tutorial_walk import Terminals, Walk
    from tests.packaging.conftest import start_project

    program = Path(sys.executable)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        terminals = Terminals(start_project(program, Path(place)), program)
        terminals.prepare()
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM) if CHROMIUM.exists() else None, args=["--no-sandbox"]
        )
        page = browser.new_context(viewport=VIEW, locale="en-GB").new_page()
        page.set_default_timeout(20_000)
        try:
            terminals.start()
            Walk(terminals, page, lambda name: take(page, folder / f"{name}.png")).follow()
        finally:
            terminals.stop_all()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images" / "tutorial")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    take_tutorial(options.folder)


if __name__ == "__main__":
    main()
