"""The tutorial from its first command to the page, in the order of its text."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from demo_site.config import free_port
from tests.packaging.conftest import built, project, python, run, tutorial_commands  # noqa: F401 - fixtures

from .conftest import TIMEOUT_MS
from .test_changes import reload_until, row

PERSON = {
    "DJANGO_SUPERUSER_USERNAME": "owner",
    "DJANGO_SUPERUSER_EMAIL": "owner@example.org",
    "DJANGO_SUPERUSER_PASSWORD": "tutorial",
}
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith("DJANGO_")}
"""Environment without pytest's Django settings."""
SERVERS = ("wagtail_zoom.testing.simulator", "qcluster", "runserver")
"""Commands of the three terminals, in the tutorial's order."""


class Tutorial:
    """The project and its three terminals, on their own ports."""

    def __init__(self, root: Path, program: Path) -> None:
        self.port, self.simulator_port = free_port(), free_port()
        settings = root / "mysite/settings/dev.py"
        settings.write_text(self.moved(settings.read_text()))
        self.root, self.terminals = root, dict[str, subprocess.Popen[bytes]]()
        self.commands = [
            [self.moved(part) for part in command] for command in tutorial_commands(program)
        ]

    def moved(self, text: str) -> str:
        """The text with these ports."""
        return text.replace("8010", str(self.simulator_port)).replace("8000", str(self.port))

    def prepare(self) -> None:
        """Run the commands that end."""
        for command in self.commands:
            if not set(command) & set(SERVERS):
                extra = ["--noinput"] if "createsuperuser" in command else []
                run(*command, *extra, cwd=self.root, **PERSON)

    def start(self) -> None:
        """Start the servers of the three terminals."""
        for command in self.commands:
            (name,) = set(command) & set(SERVERS) or {""}
            if not name:
                continue
            extra = [str(self.port), "--noreload"] if name == "runserver" else []
            log = (self.root / f"{name}.log").open("wb")
            self.terminals[name] = subprocess.Popen(
                [*command, *extra], cwd=self.root, env=ENVIRONMENT,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
            log.close()
        for port in (self.port, self.simulator_port):
            self.wait(f"http://localhost:{port}/")

    def wait(self, url: str) -> None:
        """Wait until a server answers; fails with the output of the terminals."""
        for _attempt in range(300):
            try:
                requests.get(url, timeout=20)
                return
            except requests.ConnectionError:
                time.sleep(0.2)
        shown = [(self.root / f"{name}.log").read_text()[-1500:] for name in self.terminals]
        raise AssertionError("\n".join([f"Nothing answers at {url}", *shown]))

    def stop(self, name: str) -> None:
        """Stop the server of one terminal."""
        terminal = self.terminals.pop(name)
        terminal.terminate()
        terminal.wait(30)


@pytest.fixture
def tutorial(project: Path, python: Path) -> Iterator[Tutorial]:  # noqa: F811 - the fixtures
    running = Tutorial(project, python)
    running.prepare()
    try:
        running.start()
        yield running
    finally:
        for name in list(running.terminals):
            running.stop(name)


def test_the_tutorial_leads_to_a_live_page(tutorial: Tutorial, page: Page) -> None:
    """Connect, choose, make the page, change something at Zoom, stop Zoom."""
    home = f"http://localhost:{tutorial.port}"
    zoom = f"http://localhost:{tutorial.simulator_port}/"
    # 4. Connect
    page.goto(f"{home}/admin/")
    page.get_by_label("Username").fill(PERSON["DJANGO_SUPERUSER_USERNAME"])
    page.locator("input[name=password]").fill(PERSON["DJANGO_SUPERUSER_PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{home}/admin/sites/")
    page.get_by_role("link", name="localhost").first.click()
    page.get_by_role("spinbutton", name="Port").fill(str(tutorial.port))
    page.get_by_role("button", name="Save").first.click()
    page.goto(f"{home}/admin/settings/wagtail_zoom/zoomsettings/")
    page.get_by_role("button", name="Connect Zoom").click()
    people = page.get_by_label("Sign in as").locator("option", has_text="Borealis")
    page.get_by_label("Sign in as").select_option(label=people.first.inner_text())
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Now choose what to show.")).to_be_visible()
    page.get_by_label("Meetings", exact=True).check()
    for box in page.locator("[name=hosts]").all():
        box.check()
    page.get_by_role("button", name="Save and start the import").click()
    expect(page.get_by_role("heading", name="Up to date")).to_be_visible(timeout=2 * TIMEOUT_MS)
    # 5. A page
    page.goto(f"{home}/admin/pages/")
    page.get_by_role("link", name="Home", exact=True).first.click()
    page.get_by_role("button", name="Insert a block").first.click()
    page.get_by_role("option", name="Zoom dates").click()
    page.locator("footer").get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("has been published")
    page.goto(f"{home}/")
    expect(page.locator(".wz-item").first).to_be_visible()
    # A meeting created on the simulator's page appears after a reload, and stays without Zoom.
    page.goto(zoom)
    page.get_by_role("link", name="Borealis Institute").click()
    form = page.locator("section[aria-labelledby=new]")
    form.get_by_label("Topic").fill("Made in the tutorial")
    form.get_by_role("button", name="Schedule").click()
    reload_until(page, f"{home}/", lambda: row(page, "Made in the tutorial").count() == 1)
    tutorial.stop(SERVERS[0])
    page.goto(f"{home}/")
    expect(row(page, "Made in the tutorial")).to_be_visible()
