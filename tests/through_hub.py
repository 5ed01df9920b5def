"""``pytest --through-hub``: a hub stands between the installation under test and the simulator.

The tests are the same: the hub is Zoom to them. It is the project of ``make demo-hub``, in two
processes for the whole session: a web server, and ``zoom_hub deliver --loop``. The installation has
no web server in a test, so the hub's requests are received here and passed to its endpoint with
their own bytes and headers.
"""

from __future__ import annotations

import ast
import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from demo_site.config import DemoConfig
from demo_site.hub_demo import HUB_PATH, hub_of
from demo_site.processes import wait_for
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.testing.signing import sign
from wagtail_zoom.testing.worker import TaskRunner

ZOOM_SECRET = "simulator-webhook-secret"
ROWS = ("authorization", "binding", "delivery", "callcounter")
SECONDS = 20.0
"""Within which all events are delivered."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--through-hub", action="store_true", help="put a hub before the simulator")


class Receiver:
    """Receives what the hub sends."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((body, dict(self.headers.items())))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/zoom/webhook/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Hub:
    """A hub with one deployment: the installation under test."""

    def __init__(self, folder: Path, simulator: SimulatorControl, base_url: str) -> None:
        self.receiver = Receiver()
        port = int(simulator.url.rpartition(":")[2])
        self.config = DemoConfig.anywhere(folder)
        self.config = DemoConfig(self.config.port, port, folder)
        self.hub = hub_of(self.config)
        self.url = f"{self.config.base_url}{HUB_PATH}"
        self.sender = self.hub.process(
            "deliver", [self.hub.manage_file, "zoom_hub", "deliver", "--loop"]
        )
        self.hub.manage("migrate", "--verbosity", "0")
        self.hub.process("setup", []).log.unlink()
        command = self.hub.manage(
            "zoom_hub", "add", "Tests", base_url, "--email", "operator@example.org",
            "--webhook-url", self.receiver.url,
        )  # fmt: skip
        text = command.log.read_text()
        self.settings: dict[str, Any] = ast.literal_eval(
            text[text.index("{") : text.rindex("}") + 1]
        )
        self.hub.web.start()
        self.sender.start()
        wait_for(self.hub.web, f"{self.url}/webhook/")

    def stop(self) -> None:
        self.sender.stop()
        self.hub.web.stop()
        self.receiver.server.shutdown()
        self.receiver.server.server_close()

    def reset(self) -> None:
        """Nothing is connected; the deployment stays."""
        self.receiver.requests.clear()
        with self._database() as database:
            for name in ROWS:
                database.execute(f"DELETE FROM wagtail_zoom_hub_{name}")  # noqa: S608
            database.execute("UPDATE wagtail_zoom_hub_deployment SET failures = 0, retry_at = NULL")

    def put_before(self, zoom: SimulatorControl, settings: Any) -> None:
        """The settings that the hub has printed; the hub's callback at Zoom."""
        self.reset()
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **self.settings}
        zoom.options(redirect_uris=[f"{self.url}/callback/"])

    def event_delivery(self, zoom: SimulatorControl, worker: TaskRunner) -> RelayedDelivery:
        """Delivers the simulator's events through the hub."""
        return RelayedDelivery(self, zoom, worker)

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        file = self.hub.config.folder / "hub.sqlite3"
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as database, database:
            yield database

    def relay(self, body: dict[str, Any], request_id: str) -> list[tuple[bytes, dict[str, str]]]:
        """Post an event as Zoom does; what the deployment receives."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = sign(raw, ZOOM_SECRET, request_id=request_id)
        answer = requests.post(f"{self.url}/webhook/", raw, headers=headers, timeout=30)
        assert answer.status_code == 200, f"The hub answered {answer.status_code}."
        end = time.monotonic() + SECONDS
        sql = "SELECT count(*) FROM wagtail_zoom_hub_delivery WHERE state = 'pending'"
        with self._database() as database:
            while database.execute(sql).fetchone()[0]:
                assert time.monotonic() < end, self.sender.log_tail()
                time.sleep(0.02)
        received, self.receiver.requests = self.receiver.requests, []
        return received


@pytest.fixture(scope="session")
def hub_between(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    zoom_simulator_process: Any,
) -> Iterator[Hub | None]:
    """The hub between installation and simulator, with ``--through-hub``; else None."""
    if not request.config.getoption("--through-hub"):
        yield None
        return
    folder = tmp_path_factory.mktemp("hub-between")
    hub = Hub(folder, zoom_simulator_process.client, "https://testserver")
    try:
        yield hub
    finally:
        hub.stop()


class RelayedDelivery:
    """Delivers every event of the simulator once, through the hub.

    As :class:`wagtail_zoom.testing.webhooks.EventDelivery`.
    """

    def __init__(self, hub: Hub, zoom: SimulatorControl, worker: TaskRunner) -> None:
        self.hub, self.zoom, self.worker = hub, zoom, worker
        self._delivered = {row["event_id"] for row in zoom.deliveries(state="unsubscribed")}

    def deliver(self) -> list[str]:
        """Deliver new events and process them; returns the names of the events, in order."""
        events = []
        for row in self.zoom.deliveries(state="unsubscribed"):
            if row["event_id"] in self._delivered:
                continue
            for body, headers in self.hub.relay(row["body"], row["request_id"]):
                post_as_received(body, headers)
            self._delivered.add(row["event_id"])
            events.append(row["event"])
        self.worker.run()
        return events


def post_as_received(body: bytes, headers: dict[str, str]) -> None:
    """Pass a request of the hub to the endpoint of the installation."""
    signed = {name: value for name, value in headers.items() if name.lower().startswith("x-zm-")}
    answer = Client().post(
        reverse("wagtail_zoom:webhook"),
        body,
        content_type=headers["Content-Type"],
        headers={**signed, "host": "localhost"},
    )
    assert answer.status_code == 200, f"The endpoint answered {answer.status_code}."
