"""The clicks of ``docs/tutorial.md``, in the order of its text, with its labels.

``test_tutorial.py`` follows them; ``scripts/screenshots.py`` follows them for the pictures.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import requests
from playwright.sync_api import Locator, Page, expect

from demo_site.config import free_port
from tests.packaging.conftest import ROOT, run, tutorial_commands

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
SLOW_MS = 40_000
"""Milliseconds that the import may take."""


class Terminals:
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
        """Start the servers that are not running, and wait until they answer."""
        for command in self.commands:
            (name,) = set(command) & set(SERVERS) or {""}
            if not name or name in self.terminals:
                continue
            extra = [str(self.port), "--noreload"] if name == "runserver" else []
            with (self.root / f"{name}.log").open("ab") as log:
                self.terminals[name] = subprocess.Popen(
                    [*command, *extra], cwd=self.root, env=ENVIRONMENT,
                    stdout=log, stderr=subprocess.STDOUT,
                )  # fmt: skip
        for port in (self.port, self.simulator_port):
            self.wait(f"http://localhost:{port}/")

    def output(self, name: str) -> str:
        """What one terminal shows."""
        return (self.root / f"{name}.log").read_text()

    def wait(self, url: str) -> None:
        """Wait until a server answers; fails with the output of the terminals."""
        for _attempt in range(300):
            try:
                requests.get(url, timeout=20)
                return
            except requests.ConnectionError:
                time.sleep(0.2)
        shown = [self.output(name)[-1500:] for name in self.terminals]
        raise AssertionError("\n".join([f"Nothing answers at {url}", *shown]))

    def stop(self, name: str) -> None:
        """Stop the server of one terminal."""
        terminal = self.terminals.pop(name)
        terminal.terminate()
        terminal.wait(30)

    def stop_all(self) -> None:
        """Stop all servers."""
        for name in list(self.terminals):
            self.stop(name)


class Text:
    """Labels (in italics) and pictures of the steps to click, each to be used in its turn."""

    def __init__(self) -> None:
        text = (ROOT / "docs/tutorial.md").read_text()
        steps = text[text.index("## 4. ") : text.index("## If something goes wrong")]
        captions = re.compile(r"^ *\*[^*]+\.\*$", re.MULTILINE)
        self.tokens: list[str] = [
            label or picture
            for picture, label in re.findall(
                r"!\[[^\]]+\]\(images/tutorial/(\w+)\.\w+\)|\*([^*]+)\*", captions.sub("", steps)
            )
        ]

    def __call__(self, label: str) -> str:
        """The label, which has to be the next one of the text."""
        assert self.tokens, f"The tutorial ends before {label!r}"
        token = " ".join(self.tokens.pop(0).split())
        assert token == label, f"The tutorial has {token!r}, not {label!r}"
        return label


class Walk:
    """Follows the tutorial from the login to the last page."""

    def __init__(self, terminals: Terminals, page: Page, picture: Callable[[str], None]) -> None:
        self.terminals, self.page, self.text = terminals, page, Text()
        self._picture = picture
        self.home = f"http://localhost:{terminals.port}/"
        self.simulator = f"http://localhost:{terminals.simulator_port}/"

    def picture(self, name: str) -> None:
        """A picture belongs here."""
        self._picture(self.text(name))

    def button(self, label: str, section: Locator | None = None) -> None:
        """Press the button that the text names."""
        place = section or self.page
        place.get_by_role("button", name=self.text(label), exact=True).first.click()

    def menu(self, *labels: str) -> None:
        """Open an entry of the admin's menu."""
        sidebar = self.page.locator("#wagtail-sidebar")
        for label in labels:
            entry = sidebar.get_by_role("button", name=self.text(label), exact=True).or_(
                sidebar.get_by_role("link", name=label, exact=True)
            )
            entry.first.click()

    def shown(self, label: str, **options: float) -> None:
        """The page shows what the text says."""
        expect(self.page.get_by_text(self.text(label)).first).to_be_visible(**options)

    def follow(self) -> None:
        """All steps; fails where text and screens differ."""
        self.connect()
        self.show()
        self.change()
        self.register()
        self.stop_zoom()
        assert self.text.tokens == []

    def connect(self) -> None:
        """4. Connect Zoom."""
        page, text = self.page, self.text
        page.goto(f"{self.home}admin/")
        page.get_by_label("Username").fill(PERSON["DJANGO_SUPERUSER_USERNAME"])
        page.locator("input[name=password]").fill(PERSON["DJANGO_SUPERUSER_PASSWORD"])
        page.get_by_role("button", name="Sign in").click()
        self.menu("Settings", "Sites")
        page.get_by_role("link", name=text("localhost")).first.click()
        page.get_by_role("spinbutton", name=text("Port")).fill(str(self.terminals.port))
        self.button("Save")
        expect(page.locator(".messages")).to_be_visible()
        self.menu("Settings", "Zoom connection")
        button = page.get_by_role("button", name=text("Connect Zoom")).first
        expect(button).to_be_visible()
        self.picture("connect")
        button.click()
        people = page.get_by_label(text("Sign in as"))
        people.select_option(label=text("Lena Brandt, Borealis Institute"))
        button = page.get_by_role("button", name=text("Allow"))
        self.picture("allow")
        button.click()
        expect(page.get_by_role("tab", name=text("What to show"))).to_be_visible()
        for label in ("Meetings", "Registration"):
            page.get_by_label(text(label), exact=True).and_(page.locator("input")).check()
        hosts = page.locator("[name=hosts]")
        expect(hosts.nth(1)).to_be_visible()
        for box in hosts.all():
            box.check()
        button = page.get_by_role("button", name=text("Save and start the import"))
        self.picture("choose")
        button.click()
        expect(page.get_by_role("heading", name=text("Up to date"))).to_be_visible(timeout=SLOW_MS)

    def show(self) -> None:
        """5. Show the meetings on a page."""
        page, text = self.page, self.text
        text("Pages")
        page.goto(f"{self.home}admin/pages/")
        page.get_by_role("link", name=text("Home"), exact=True).first.click()
        self.button("Insert a block")
        page.get_by_role("option", name=text("Zoom dates")).click()
        self.button("More actions", page.locator("footer"))
        self.button("Publish")
        expect(page.locator(".messages")).to_contain_text("has been published")
        page.goto(self.home)
        expect(page.locator(".wz-item").first).to_be_visible()
        self.picture("page")

    def change(self) -> None:
        """6. Change something at Zoom."""
        page, text = self.page, self.text
        page.goto(self.simulator)
        page.get_by_role("link", name=text("Borealis Institute")).click()
        form = page.locator("section[aria-labelledby=new]")
        expect(form.get_by_role("heading", name=text("Schedule"))).to_be_visible()
        form.get_by_label("Topic").fill(text("My first meeting"))
        registration = form.get_by_label(text("Registration"), exact=True)
        registration.select_option(label=text("Open, approved at once"))
        button = form.get_by_role("button", name=text("Schedule"))
        self.picture("schedule")
        button.click()
        topic = text("My first meeting")
        reload_until(page, self.home, lambda: row(page, topic).count() == 1)

    def register(self) -> None:
        """7. Register as a visitor."""
        page, text = self.page, self.text
        name = text("Register")
        link = row(page, text("My first meeting")).get_by_role("link", name=name)
        link.click()
        expect(page.locator("form.wz-form")).to_be_visible()
        self.picture("register")
        for label, value in (
            ("First name", "Mika"), ("Last name", "Tanaka"), ("Email address", "mika@example.com"),
        ):  # fmt: skip
            page.get_by_label(text(label)).fill(value)
        page.wait_for_timeout(1500)  # the form refuses programs, which are faster than people
        page.locator("form.wz-form").get_by_role("button", name=text("Register")).click()
        expect(page.get_by_role("heading", name=text("Check your email"))).to_be_visible()
        status = self.status_link()
        page.goto(status)
        self.shown("You are registered")
        self.picture("registered")
        page.get_by_role("link", name=text("Join on Zoom")).click()
        expect(page.get_by_role("heading", name=text("You are early"))).to_be_visible()
        page.goto(f"{self.simulator}?account=borealis")
        change = text("Change")
        page.get_by_label(f"{change}: {text('My first meeting')}").click()
        with page.expect_navigation():
            page.get_by_role("button", name=text("Move to 5 minutes from now")).and_(
                page.locator(":visible")
            ).click()
        name = text("Join on Zoom")
        open_page = page.get_by_text("This is where Zoom would open")

        def joined() -> bool:
            page.get_by_role("link", name=name).click()
            page.wait_for_load_state()
            return open_page.count() > 0

        reload_until(page, status, joined)
        self.shown("This is where Zoom would open")

    def status_link(self) -> str:
        """The link of the email that the worker has printed."""
        link = re.compile(rf"{re.escape(self.home)}zoom/registration/\S+")
        for _attempt in range(300):
            match = link.search(self.terminals.output("qcluster"))
            if match:
                return match[0]
            time.sleep(0.2)
        raise AssertionError(self.terminals.output("qcluster")[-2000:])

    def stop_zoom(self) -> None:
        """8. Stop Zoom, and start it again with the same data."""
        page = self.page
        self.terminals.stop(SERVERS[0])
        page.goto(self.home)
        expect(row(page, "My first meeting")).to_be_visible()
        self.terminals.start()
        page.goto(f"{self.simulator}?account=borealis")
        expect(page.get_by_text("My first meeting").first).to_be_visible()
