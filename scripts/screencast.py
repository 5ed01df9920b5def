"""Record the moving picture of the README from a separate demo: ``docs/images/tour.webp``.

``python scripts/screencast.py`` takes about two minutes. Each step is one screenshot in Chromium,
shown for some seconds: dates on a page, the registration form, the owner's panel.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.screenshots import add_page, item_with_registration  # noqa: E402
from scripts.screenshots_admin import Studio, demo_data, own_demo  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from demo_site.run import Demo

SIZE = (1120, 700)
"""Pixels of the browser's window."""
WIDTH = 840
"""Pixels of the recording."""
LIMIT = 1_000_000
"""Bytes at most."""


class Recorder:
    """Collects frames with their times."""

    def __init__(self) -> None:
        self.frames: list[Image.Image] = []
        self.times: list[int] = []

    def show(self, page: Page, seconds: float) -> None:
        """Add what the page shows now."""
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        height = round(image.height * WIDTH / image.width)
        self.frames.append(image.resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.times.append(round(seconds * 1000))

    def save(self, file: Path) -> None:
        """Write an endless WebP animation."""
        first, *others = self.frames
        first.save(
            file,
            save_all=True,
            append_images=others,
            duration=self.times,
            loop=0,
            quality=70,
            method=6,
        )
        if file.stat().st_size > LIMIT:
            raise ValueError(f"{file} has more than {LIMIT} bytes.")


def visitor(demo: Demo, browser: Browser, recorder: Recorder) -> None:
    """A list of dates, further down, and a registration form that is filled in."""
    from django.db import connection

    form = {"item": item_with_registration().pk}
    path = add_page("registration-tour", "registration", form, title="Join an evening")
    connection.close()
    url = demo.config.site_url("borealis.localhost")
    context = browser.new_context(
        viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-GB", timezone_id="Europe/Berlin"
    )
    page = context.new_page()
    page.goto(f"{url}/events/")
    page.wait_for_load_state("networkidle")
    recorder.show(page, 3)
    for _step in range(2):
        page.mouse.wheel(0, SIZE[1] * 0.7)
        page.wait_for_timeout(400)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(1500)  # fonts of other scripts
        recorder.show(page, 2)
    page.goto(f"{url}/{path}/")
    page.wait_for_load_state("networkidle")
    page.locator("form input[name=first_name]").scroll_into_view_if_needed()
    recorder.show(page, 2)
    values = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
    for name, value in values.items():
        field = page.locator(f"form input[name={name}]")
        if field.count():
            field.first.fill(value)
            recorder.show(page, 0.8)
    recorder.show(page, 1.5)
    context.close()


def owner(demo: Demo, browser: Browser, recorder: Recorder) -> None:
    """The panel: the state of the connection, then the choice of what to show."""
    studio = Studio(demo, browser, ROOT, SIZE[0], dark=False)
    page = studio.page("borealis", "borealis")
    page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    site = demo_data("borealis").site
    page.goto(studio.url("borealis", f"/admin/settings/wagtail_zoom/zoomsettings/{site.pk}/"))
    page.wait_for_load_state("networkidle")
    recorder.show(page, 3)
    page.mouse.move(SIZE[0] / 2, SIZE[1] / 2)
    page.mouse.wheel(0, SIZE[1] * 0.8)
    page.wait_for_timeout(400)
    recorder.show(page, 2.5)


def main() -> int:
    """Start a separate demo and record it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=ROOT / "docs/images/tour.webp")
    options = parser.parse_args()
    recorder = Recorder()
    with own_demo() as (demo, browser):
        visitor(demo, browser, recorder)
        owner(demo, browser, recorder)
    recorder.save(options.file)
    print(f"{len(recorder.frames)} frames, {options.file.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
