"""A whole demo on ports and in a folder of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files import locks
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo_site.places import Places
from demo_site.run import Demo
from demo_site.sites import PASSWORD
from wagtail_zoom.testing.server import SimulatorControl

CHROMIUM = Path("/usr/bin/chromium")
HERE = Path(__file__).parent
SHOWN_SOON = 20_000
"""Milliseconds a test waits for something to appear. Generous: it bounds, it does not measure."""

LONG = ("test_every_state.py", "test_tutorial.py")
"""Files with one test each."""

expect.set_options(timeout=SHOWN_SOON)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser. The two longest tests begin the two halves that
    two processes are handed out (``--dist worksteal``): at the end one would wait for the other."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
    long = [item for item in items if item.path.name in LONG]
    if len(long) == len(LONG):
        rest = [item for item in items if item not in long]
        half = len(rest) // 2
        items[:] = [long[0], *rest[:half], long[1], *rest[half:]]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium where there is one."""
    if not CHROMIUM.exists():
        return browser_type_launch_args
    return {
        **browser_type_launch_args,
        "executable_path": str(CHROMIUM),
        "args": ["--no-sandbox"],
    }


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A database of the demo, made once for all processes of this run: migrating takes a while."""
    folder = tmp_path_factory.getbasetemp().parent / f"migrated-{testrun_uid}"
    with open(f"{folder}.lock", "w") as turn:
        locks.lock(turn, locks.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            Demo(Places(folder=folder)).manage("setup_demo")
    return folder / "demo.sqlite3"


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Demo]:
    """The demo as ``make demo`` starts it."""
    demo = Demo(Places.anywhere(tmp_path_factory.mktemp("demo")))
    shutil.copy(migrated, demo.places.folder)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()


@pytest.fixture
def demo(running_demo: Demo) -> Iterator[Demo]:
    """The running demo; what a test stopped runs again afterwards."""
    yield running_demo
    for process in running_demo.processes:
        process.start()


@pytest.fixture
def zoom(demo: Demo) -> SimulatorControl:
    """The control API of the demo's Zoom."""
    return SimulatorControl(demo.places.simulator_url)


Address = Callable[..., str]


@pytest.fixture
def address(demo: Demo) -> Address:
    """``address("aurora", "/events/")``."""

    def build(site: str, path: str = "/") -> str:
        return f"{demo.places.site_url(f'{site}.localhost')}{path}"

    return build


@pytest.fixture
def violations(page: Page) -> list[str]:
    """What the page complained about: broken policy, errors of scripts, missing files."""
    found: list[str] = []
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def axe(browser: Browser) -> Iterator[Callable[[str], list[str]]]:
    """Open an address and return what axe-core finds. Its own script is let past the policy."""
    context = browser.new_context(bypass_csp=True)
    look = context.new_page()

    def check(url: str) -> list[str]:
        look.goto(url)
        results = Axe().run(look)
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in results.response["violations"]]

    yield check
    context.close()


@pytest.fixture
def log_in(browser: Browser, address: Address) -> Iterator[Callable[..., Page]]:
    """Log a person in on a site's own domain; returns the page after it.

    Further arguments describe the browser: ``color_scheme``, ``viewport``.
    """
    contexts: list[BrowserContext] = []

    def enter(person: str, site: str, **browser_options: Any) -> Page:
        context = browser.new_context(**browser_options)
        contexts.append(context)
        page = context.new_page()
        page.goto(address(site, "/admin/login/"))
        page.get_by_label("Username").fill(person)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    yield enter
    for context in contexts:
        context.close()
