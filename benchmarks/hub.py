"""The hub between Zoom and a thousand deployments: events sent on, tokens refreshed."""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from wagtail_zoom.conf import settings
from wagtail_zoom.hub import bindings, deployments
from wagtail_zoom.hub.models import Binding, Deployment
from wagtail_zoom.hub.zoom import User
from wagtail_zoom.testing.connect import authorize_as
from wagtail_zoom.testing.signing import sign

from . import fixtures
from .measure import QUICK, Figure, ms, percentile, report
from .webhook_endpoint import Server

DEPLOYMENTS = 1000
AWAY = 50
RATE = 10.0
"""Events in a second."""
HUB = "/zoom/hub"


class Arrivals:
    """The deployments that answer: stores when an event arrived."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        times = self.times

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                times.setdefault(self.headers["x-zm-request-id"], time.perf_counter())
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def run() -> None:
    """Measure."""
    relay()
    refresh()


def _add_deployments(url: str, refused: str, silent: str) -> None:
    """A thousand; of those that are away, half refuse the connection and half never answer."""
    rows = []
    for number in range(DEPLOYMENTS):
        row = Deployment(
            name=f"Site {number}", url=f"https://{number}.example", client_id=f"zh_{number}",
            redirect_uri=f"https://{number}.example/zoom/oauth/callback/",
            webhook_url=url if number >= AWAY else refused if number % 2 else silent,
            contact_email="a@site.example", secret_hash="0" * 64,
        )  # fmt: skip
        row.webhook_secret = f"secret-{number}"
        rows.append(row)
    Deployment.objects.bulk_create(rows)
    Binding.objects.bulk_create(
        Binding(
            deployment=row, client_id=settings.client_id, account_zoom_id=f"account-{number}",
            user_zoom_id="user", active_key=Binding.key_of(f"account-{number}", "user"),
            account_level=True,
        )
        for number, row in enumerate(Deployment.objects.order_by("pk"))
    )  # fmt: skip


def relay() -> None:
    """From Zoom's request to the request at the deployment, with 5 % of them away."""
    arrivals = Arrivals()
    refused = socket.create_server(("127.0.0.1", 0))
    refused_url = f"http://127.0.0.1:{refused.getsockname()[1]}/"
    refused.close()
    silent = socket.create_server(("127.0.0.1", 0))
    silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
    _add_deployments(arrivals.url, refused_url, silent_url)
    server = Server()
    command = [sys.executable, "-m", "django", "zoom_hub", "deliver", "--loop"]
    process = subprocess.Popen(command, env=os.environ)
    try:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for number in range(AWAY):
            _send(server, client, number)
        for number in range(AWAY, AWAY + 50):
            _send(server, client, number)
        _wait(lambda: len(arrivals.times) >= 50, 60)
        arrivals.times.clear()
        before = _memory(process.pid)
        sent: dict[str, float] = {}
        count = int(RATE) * (5 if QUICK else 30)
        generator = random.Random(7)
        began = time.perf_counter()
        reachable = []
        for index in range(count):
            time.sleep(max(0.0, began + index / RATE - time.perf_counter()))
            number = generator.randrange(DEPLOYMENTS)
            request_id = _send(server, client, number, sent)
            if number >= AWAY:
                reachable.append(request_id)
        _wait(lambda: all(name in arrivals.times for name in reachable), 30)
        delays = [arrivals.times[name] - sent[name] for name in reachable if name in arrivals.times]
        lost = len(reachable) - len(delays)
        high = percentile(delays, 0.95)
        report(
            Figure(
                f"Hub: event to one of {DEPLOYMENTS} deployments, {AWAY} away, {RATE:.0f} events/s",
                f"p50 {percentile(delays, 0.5) * 1000:.0f} ms, p95 {high * 1000:.0f} ms",
                "sent to the deployment itself: 0 ms",
                f"{lost} of {len(reachable)} lost",
                "p95 ≤ 300 ms, none lost",
                high <= 0.3 and not lost,
                "gunicorn and one process that delivers",
            )
        )
        after = _memory(process.pid)
        report(
            Figure(
                "… memory of the process that delivers",
                f"{after / 1024:.0f} MiB",
                f"before: {before / 1024:.0f} MiB",
                f"{after / before:.2f} ×",
                "≤ 1.2 ×",
                after <= 1.2 * before,
            )
        )
    finally:
        process.kill()
        process.wait()
        server.stop()
        arrivals.server.shutdown()
        silent.close()


def _send(
    server: Server,
    client: http.client.HTTPConnection,
    number: int,
    sent: dict[str, float] | None = None,
) -> str:
    body = json.dumps(
        {
            "event": "meeting.updated",
            "event_ts": time.time_ns() // 1_000_000,
            "payload": {
                "account_id": f"account-{number}",
                "object": {"id": str(time.time_ns()), "host_id": "user", "topic": "An evening"},
            },
        }
    ).encode()
    request_id = str(uuid.uuid4())
    headers = sign(body, settings.webhook_secret_tokens[0], request_id=request_id)
    if sent is not None:
        sent[request_id] = time.perf_counter()
    status = server.ask(client, f"{HUB}/webhook/", (body, headers))
    if status != 200:
        raise RuntimeError(f"The hub answered {status}.")
    return request_id


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def _memory(pid: int) -> int:
    """Resident memory of a process in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def refresh() -> None:
    """A refresh through the hub against the direct call; Zoom answers after 150 ms."""
    with fixtures.simulator("--rate-limit", "off") as zoom:
        callback = f"{settings.base_url}{HUB}/callback/"
        zoom.options(redirect_uris=[callback])
        os.environ["TEST_SIMULATOR_URL"] = zoom.url
        credentials = deployments.add("Bench", "https://bench.example", "a@bench.example")
        direct = _connect(zoom.url, callback, "aurora-0")
        through = _connect(zoom.url, callback, "borealis-0")
        user = User("account", "user")
        bindings.connect(credentials.deployment, user, through, account_level=True, may_move=False)
        server = Server()
        zoom.options(latency=150)
        try:
            own = (settings.client_id, settings.client_secret)
            hub_client = (credentials.deployment.client_id, credentials.client_secret)
            direct_times, hub_times = [], []
            for _ in range(10 if QUICK else 40):
                seconds, direct = _refresh(zoom.url, "/oauth/token", own, direct)
                direct_times.append(seconds)
                url = f"http://127.0.0.1:{server.port}"
                seconds, through = _refresh(url, f"{HUB}/oauth/token", hub_client, through)
                hub_times.append(seconds)
        finally:
            server.stop()
    middle, baseline = statistics.median(hub_times), statistics.median(direct_times)
    report(
        Figure(
            "Hub: refresh of a token",
            ms(hub_times),
            f"directly at Zoom: {ms(direct_times)}",
            f"{middle / baseline:.2f} ×",
            "≤ 1.3 × + 20 ms",
            middle <= 1.3 * baseline + 0.02,
        )
    )


def _connect(zoom_url: str, callback: str, person: str) -> str:
    """A refresh token of this person, without PKCE."""
    query = {
        "response_type": "code", "client_id": settings.client_id, "redirect_uri": callback,
        "state": "bench",
    }  # fmt: skip
    url = authorize_as(f"{zoom_url}/oauth/authorize?{urlencode(query)}", person)
    code = dict(part.split("=") for part in urlsplit(url).query.split("&"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
    client = (settings.client_id, settings.client_secret)
    return str(_post(zoom_url, "/oauth/token", client, form)["refresh_token"])


def _refresh(url: str, path: str, client: tuple[str, str], token: str) -> tuple[float, str]:
    began = time.perf_counter()
    form = {"grant_type": "refresh_token", "refresh_token": token}
    response = _post(url, path, client, form)
    return time.perf_counter() - began, str(response["refresh_token"])


def _post(url: str, path: str, client: tuple[str, str], form: dict[str, str]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    basic = base64.b64encode(":".join(client).encode()).decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", path, body=urlencode(form), headers=headers)
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {text[:200]!r}")
    result: dict[str, Any] = json.loads(text)
    return result
