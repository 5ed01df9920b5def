"""Fixtures: a running demo with its own ports and folder, and a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.core.files import locks
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo_site.config import DemoConfig, free_port
from demo_site.emails import Email, newest_emails
from demo_site.run import Demo
from demo_site.sites import PASSWORD
from wagtail_zoom.testing.server import SimulatorControl

from .connection import PANEL, PERSON, choose, connect, disconnect

CHROMIUM = Path("/usr/bin/chromium")
HERE = Path(__file__).parent
TIMEOUT_MS = 20_000
"""Milliseconds a test waits for something to appear. Generous: a limit, not a measurement."""

LONG = ("test_every_state.py", "test_tutorial.py")
"""Files with one test each."""

expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as ``browser`` and sort them.

    The two longest tests come first in the halves for two processes (``--dist worksteal``), so that
    neither process waits for the other at the end.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
    long_tests = [item for item in items if item.path.name in LONG]
    if len(long_tests) == len(LONG):
        rest = [item for item in items if item not in long_tests]
        half = len(rest) // 2
        items[:] = [long_tests[0], *rest[:half], long_tests[1], *rest[half:]]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's Chromium if it is installed."""
    if not CHROMIUM.exists():
        return browser_type_launch_args
    return {
        **browser_type_launch_args,
        "executable_path": str(CHROMIUM),
        "args": ["--no-sandbox"],
    }


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A database of the demo, created once for all processes, because migrating is slow."""
    folder = tmp_path_factory.getbasetemp().parent / f"migrated-{testrun_uid}"
    with open(f"{folder}.lock", "w") as lock_file:
        locks.lock(lock_file, locks.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            Demo(DemoConfig(folder=folder)).manage("setup_demo")
    return folder / "demo.sqlite3"


@pytest.fixture(scope="session")
def strict_port() -> int:
    """The port of the web server that ``test_connecting`` starts beside the demo."""
    return free_port()


@pytest.fixture(scope="session")
def running_demo(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, strict_port: int
) -> Iterator[Demo]:
    """The demo as ``make demo`` starts it; owners may connect at ``strict_port``, too."""
    hosts = (f"harbour.localhost:{strict_port}",)
    demo = Demo(DemoConfig.anywhere(tmp_path_factory.mktemp("demo"), hosts))
    shutil.copy(migrated, demo.config.folder)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()


@pytest.fixture
def demo(running_demo: Demo) -> Iterator[Demo]:
    """The running demo; processes stopped by a test are started again."""
    yield running_demo
    for process in running_demo.processes:
        process.start()


@pytest.fixture
def zoom(demo: Demo) -> SimulatorControl:
    """The control API of the demo's simulator."""
    return SimulatorControl(demo.config.simulator_url)


SiteURL = Callable[..., str]


@pytest.fixture
def site_url(demo: Demo) -> SiteURL:
    """``site_url("aurora", "/events/")``: a URL on a demo site."""

    def build(site: str, path: str = "/") -> str:
        return f"{demo.config.site_url(f'{site}.localhost')}{path}"

    return build


@pytest.fixture
def violations(page: Page) -> list[str]:
    """Errors in the page's console: policy violations, script errors, missing files."""
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.fixture
def axe(browser: Browser) -> Iterator[Callable[[str], list[str]]]:
    """Open a URL and return axe-core's violations. The CSP is bypassed for axe's own script."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()

    def check(url: str) -> list[str]:
        page.goto(url)
        results = Axe().run(page)
        return [
            f"{violation['id']}: {violation['nodes'][0]['html']}"
            for violation in results.response["violations"]
        ]

    yield check
    context.close()


@pytest.fixture
def log_in(browser: Browser, site_url: SiteURL, demo: Demo) -> Iterator[Callable[..., Page]]:
    """Log a user in on a Site's domain, at the demo's port or another one; returns the page.

    Further arguments are options of the browser context: ``color_scheme``, ``viewport``.
    """
    contexts: list[BrowserContext] = []

    def enter(person: str, site: str, port: int = demo.config.port, **browser_options: Any) -> Page:
        context = browser.new_context(**browser_options)
        contexts.append(context)
        page = context.new_page()
        at_demo = site_url(site, "/admin/login/")
        page.goto(at_demo.replace(f":{demo.config.port}/", f":{port}/"))
        page.get_by_label("Username").fill(person)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture
def at_panel(log_in: Callable[..., Page], site_url: SiteURL) -> Callable[[str], Page]:
    """``at_panel("aurora")``: the owner of a Site, in a browser of their own, at its panel."""

    def enter(site: str) -> Page:
        owner = log_in(site, site)
        owner.goto(site_url(site, PANEL))
        return owner

    return enter


@pytest.fixture
def harbour(at_panel: Callable[[str], Page]) -> Iterator[Callable[..., Page]]:
    """``harbour(person, "Meetings", ...)``: the owner of Harbour House at its panel, connected as a
    person at Zoom, with these kinds and hosts; afterwards the Site is not connected, as before.
    """

    def enter(person: str = PERSON, *labels: str, without: Iterable[str] = ()) -> Page:
        owner = at_panel("harbour")
        disconnect(owner)
        connect(owner, person)
        choose(owner, *labels, without=without)
        return owner

    yield enter
    disconnect(at_panel("harbour"))


@pytest.fixture
def emails(demo: Demo) -> Callable[[str], list[Email]]:
    """``emails("harbour@example.org")``: what a person has been sent, newest first."""

    def read(address: str) -> list[Email]:
        sent = newest_emails(demo.config.folder / "mails")
        return [email for email in sent if email.to == address]

    return read


@pytest.fixture
def long_times() -> Iterator[None]:
    """Times such as "10:30 AM to 11:30 AM" are the longest."""
    with time_machine.travel(timezone.now().replace(hour=9, minute=30), tick=True):
        yield
