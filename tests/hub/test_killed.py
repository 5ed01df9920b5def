"""A hub and two deployments as real processes, killed at random: nothing is lost, nothing crosses.

``HUB_SEED=7``: which are killed when; ``HUB_EVENTS=200``, ``HUB_REGISTRATIONS=40``: how many.
"""

from __future__ import annotations

import contextlib
import html
import os
import random
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from demo_site.config import LOOPBACK
from demo_site.hub_demo import HubDemo
from demo_site.processes import Process, wait_for
from demo_site.run import Website
from tests.soak.visitors import FormParser
from wagtail_zoom.testing.server import SimulatorControl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SEED = int(os.environ.get("HUB_SEED", "1"))
EVENTS = int(os.environ.get("HUB_EVENTS", "200"))
REGISTRATIONS = int(os.environ.get("HUB_REGISTRATIONS", "40"))
SECONDS = 150.0
"""Of events, registrations and kills."""
FINISH_SECONDS = 420.0
"""After which everything has to be where it belongs. A lease of a killed worker ends before."""
TOKEN_SECONDS = 180
"""Lifetime of access tokens: each is refreshed through the hub after less than a minute."""
OPEN = "takes registrations"
RECONNECT = """
from django.contrib.auth import get_user_model
from django.test import Client
from demo_site.sites import {site} as data
from wagtail_zoom.models import *
from wagtail_zoom.testing.connect import connect_site
site = ZoomSettings.objects.get(site__hostname=data.hostname).site
client = Client()
client.force_login(get_user_model().objects.get(username=data.key))
connect_site(client, site, data.zoom_user, host="{host}")
"""


class Deployment:
    """One website, and what its visitors have sent."""

    def __init__(self, website: Website) -> None:
        self.website = website
        self.key = website.config.sites[0]
        self.account = ""
        self.accepted: list[str] = []
        """Email addresses that were thanked."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of its database."""
        return rows_of(self.website.config.folder / "demo.sqlite3", sql)

    def call(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """Open a page as a visitor; None if nobody answers."""
        port = self.website.config.port
        headers = {"Host": f"{self.key}.localhost:{port}", "Sec-Fetch-Site": "same-origin"}
        with contextlib.suppress(requests.RequestException):
            return requests.request(
                method, f"http://{LOOPBACK}:{port}{path}", headers=headers, timeout=20,
                allow_redirects=False, **options,
            )  # fmt: skip
        return None


def rows_of(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(file, timeout=20)) as connection:
        return connection.execute(sql).fetchall()


class Run:
    """The whole run."""

    def __init__(self, demo: HubDemo, seed: int) -> None:
        self.demo, self.rng = demo, random.Random(seed)
        self.zoom = SimulatorControl(demo.config.simulator_url)
        self.deployments = [Deployment(website) for website in demo.websites]
        self.counts: Counter[str] = Counter()

    def prepare(self) -> None:
        """Connect both from their own panels, and import."""
        self.zoom.options(access_token_ttl=TOKEN_SECONDS)
        for deployment in self.deployments:
            deployment.website.manage("setup_demo", "--connect")
            deployment.account = self.zoom.users(deployment.key)[0]["account_id"]
            for number in range(3):
                self.zoom.create_meeting(
                    f"{deployment.key}-0", topic=f"{deployment.key} {OPEN} {number}",
                    start_time=f"+{number + 1}d 18:00", registration="auto",
                )  # fmt: skip

    def run(self) -> None:
        """Events and registrations while processes are killed."""
        threads = [
            threading.Thread(target=self._change, args=(random.Random(self.rng.random()),)),
            threading.Thread(target=self._register, args=(random.Random(self.rng.random()),)),
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + SECONDS
        while any(thread.is_alive() for thread in threads) or time.monotonic() < end:
            self._kill_one()
            self._reconnect()
            assert time.monotonic() < end + 300, f"Too slow: {self.counts}"

    def _change(self, rng: random.Random) -> None:
        """Change meetings at Zoom: one event each."""
        meetings: dict[str, list[int]] = {row.key: [] for row in self.deployments}
        for number in range(EVENTS):
            key, topic = rng.choice(list(meetings)), f"change {number}"
            numbers = meetings[key]
            kind = rng.choice(("create", "rename", "rename", "delete")) if numbers else "create"
            if kind == "create":
                meeting = self.zoom.create_meeting(
                    f"{key}-0", topic=f"{key} {topic}", start_time=f"+{number % 50 + 2}d 09:30"
                )
                numbers.append(meeting["id"])
            elif kind == "rename":
                self.zoom.change_meeting(rng.choice(numbers), topic=f"{key} {topic}")
            else:
                self.zoom.delete_meeting(numbers.pop(rng.randrange(len(numbers))))
            self.counts[f"{kind} at Zoom"] += 1
            time.sleep(rng.uniform(0, 2 * SECONDS / EVENTS))

    def _register(self, rng: random.Random) -> None:
        """Visitors who try again until they are thanked."""
        for number in range(REGISTRATIONS):
            deployment = rng.choice(self.deployments)
            email = f"visitor-{number}@{deployment.key}.example"
            path = self._choose_form(deployment, rng)
            while not self._send_form(deployment, path, email, rng):
                self.counts["registration tried again"] += 1
                time.sleep(1)
            deployment.accepted.append(email)
            self.counts["registration"] += 1
            time.sleep(rng.uniform(0, SECONDS / REGISTRATIONS))

    @staticmethod
    def _choose_form(deployment: Deployment, rng: random.Random) -> str:
        """The URL of a form of one of our meetings, once the website answers."""
        while True:
            page = deployment.call("GET", "/events/")
            links = re.findall(r'href="([^"]*/register/[^"]+)"', page.text) if page else []
            path = html.unescape(rng.choice(links)) if links else ""
            form = deployment.call("GET", path) if path else None
            # Zoom refuses registrations for some meetings of the demo.
            if form is not None and f"{deployment.key} {OPEN}" in form.text:
                return path
            time.sleep(0.2)

    @staticmethod
    def _send_form(deployment: Deployment, path: str, email: str, rng: random.Random) -> bool:
        page = deployment.call("GET", path)
        if page is None or not page.ok:
            return False
        action = re.search(r'action="([^"]*/register/[^"]+)"', page.text)
        form = FormParser(page.text, email, rng)
        if action is None or not form.has_form:
            return False
        answer = deployment.call("POST", action[1], data=form.pairs)
        return answer is not None and answer.status_code == 303

    def _kill_one(self) -> None:
        """Kill web server or worker of the hub or of a deployment, and start it again."""
        websites = [self.demo.hub, *self.demo.websites]
        website = self.rng.choice([self.demo.hub, *websites])
        process = self.rng.choice(website.processes)
        name = website.config.sites[0] if website.config.sites else "hub"
        time.sleep(self.rng.uniform(0.5, 5))
        process.kill()
        time.sleep(self.rng.uniform(0, 3))
        process.stop()
        process.start()
        self.counts[f"{name} {process.name.split()[-1]} killed"] += 1
        if process is website.web and self.rng.random() < 0.7:
            # At times the next one is killed while this one is still away.
            self._wait_for(website, process)

    @staticmethod
    def _wait_for(website: Website, process: Process) -> None:
        wait_for(process, f"http://{LOOPBACK}:{website.config.port}/zoom/webhook/")

    def _reconnect(self) -> None:
        """As an owner does after an email: a refresh may be lost in the middle of a kill."""
        for deployment in self.deployments:
            sql = "SELECT state, reason FROM wagtail_zoom_grant WHERE state = 'needs_reconnect'"
            for _state, reason in deployment.rows(sql):
                self.counts[f"{deployment.key} reconnected ({reason})"] += 1
                for website in (self.demo.hub, deployment.website):
                    website.web.start()
                    self._wait_for(website, website.web)
                code = RECONNECT.format(
                    site=deployment.key.upper(),
                    host=f"{deployment.key}.localhost:{deployment.website.config.port}",
                )
                deployment.website.manage("shell", "-c", code)

    def finish(self) -> list[str]:
        """Everything runs, and Zoom repeats what it could not deliver; what is wrong in the end."""
        for website in (self.demo.hub, *self.demo.websites):
            for process in website.processes:
                if not process.is_running:
                    process.stop()
                process.start()
            self._wait_for(website, website.web)
        began = time.monotonic()
        while wrong := self.differences():
            if time.monotonic() - began > FINISH_SECONDS:
                break
            self.zoom.retry_deliveries(all=True)
            self._reconnect()
            time.sleep(3)
        self.counts["seconds to finish"] = round(time.monotonic() - began)
        return wrong

    def differences(self) -> list[str]:
        """What is lost, doubled, or with another one."""
        return [text for row in self.deployments for text in self._differences_of(row)]

    def _differences_of(self, own: Deployment) -> Iterator[str]:
        events = {
            row["request_id"]: row["event"]
            for row in self.zoom.deliveries(limit=100_000)
            if row["account_id"] == own.account
        }
        stored = [row[0] for row in own.rows("SELECT request_id FROM wagtail_zoom_webhookevent")]
        lost = [name for key, name in events.items() if key not in stored]
        if lost:
            yield f"{own.key}: {len(lost)} of {len(events)} events did not come: {Counter(lost)}"
        if foreign := set(stored) - set(events):
            yield f"{own.key}: events of another one: {foreign}"
        yield from self._different_meetings(own)
        yield from self._different_registrations(own)

    def _different_meetings(self, own: Deployment) -> Iterator[str]:
        theirs = {
            str(doc["id"]): doc["topic"]
            for doc in self.zoom.meetings(own.account)
            if doc["state"] == "active" and doc["topic"].startswith(f"{own.key} ")
        }
        sql = "SELECT zoom_id, topic FROM wagtail_zoom_meeting WHERE removed_at IS NULL"
        ours = dict(own.rows(sql))
        others = [row.key for row in self.deployments if row is not own]
        if crossed := [topic for topic in ours.values() if topic.split()[0] in others]:
            yield f"{own.key}: meetings of another one: {crossed}"
        ours = {key: topic for key, topic in ours.items() if topic.startswith(f"{own.key} ")}
        if ours != theirs:
            differing = set(ours.items()) ^ set(theirs.items())
            yield f"{own.key}: other meetings than at Zoom: {differing}"

    def _different_registrations(self, own: Deployment) -> Iterator[str]:
        people = Counter(
            person["email"]
            for doc in self.zoom.meetings(own.account)
            if doc["state"] == "active"
            for person in self.zoom.registrants(doc["id"])
            if person["email"].startswith("visitor-")
        )
        lost = [email for email in own.accepted if not people[email]]
        if lost:
            yield f"{own.key}: registrations not at Zoom: {lost}"
        if doubled := [email for email, number in people.items() if number > 1]:
            yield f"{own.key}: registered twice: {doubled}"
        if crossed := [email for email in people if not email.endswith(f"@{own.key}.example")]:
            yield f"{own.key}: registrations of another one: {crossed}"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    demo = HubDemo.anywhere(tmp_path)
    try:
        demo.start()
        run = Run(demo, SEED)
        run.prepare()
        yield run
        print(f"seed {SEED}: {dict(sorted(run.counts.items()))}")
    finally:
        demo.stop()


def test_nothing_is_lost_and_nothing_crosses(run: Run) -> None:
    """Events and registrations while hub and deployments are killed."""
    run.run()
    wrong = run.finish()
    deliveries = rows_of(
        run.demo.hub.config.folder / "hub.sqlite3",
        "SELECT state, count(*) FROM wagtail_zoom_hub_delivery GROUP BY state",
    )
    assert wrong == [], f"{run.counts}\n{deliveries}"
    assert [state for state, _count in deliveries] == ["delivered"]
    assert sum(n for name, n in run.counts.items() if name.endswith("killed")) >= 15
    assert run.counts["registration"] == REGISTRATIONS
    assert dict(deliveries)["delivered"] >= EVENTS
