"""The webhook endpoint against a minimal view: over HTTP on gunicorn, and in this process."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from demo_site.config import free_port
from wagtail_zoom.conf import settings
from wagtail_zoom.testing.signing import sign

from .measure import BUSY, QUICK, Comparison, Figure, cpu_of, ms, percentile, report

CLIENTS = 4
SignedEvent = tuple[bytes, dict[str, str]]


def signed_event(secret: str = "") -> SignedEvent:
    """A signed event of one of a thousand meetings; forged with another secret."""
    body = json.dumps(
        {
            "event": "meeting.updated",
            "event_ts": time.time_ns() // 1_000_000,
            "payload": {
                "account_id": "bench",
                "object": {
                    "id": str(time.time_ns() % 1000), "uuid": str(uuid.uuid4()), "host_id": "h1",
                    "topic": "An evening", "type": 2, "start_time": "2030-01-01T18:00:00Z",
                },
            },
        }
    ).encode()  # fmt: skip
    return body, sign(body, secret or settings.webhook_secret_tokens[0])


def run() -> None:
    """Measure; over HTTP only if gunicorn is installed."""
    in_process()
    if importlib.util.find_spec("gunicorn") is None:
        print("gunicorn is not installed: the webhook endpoint is measured in this process only.")
        return
    over_http()


def in_process() -> None:
    """CPU of one event through Django's whole stack, and the queries of a forged one."""
    client = Client()

    def send(path: str, events: Sequence[SignedEvent], status: int) -> None:
        for body, headers in events:
            answer = client.post(path, body, content_type="application/json", headers=headers)
            if answer.status_code != status:
                raise RuntimeError(f"{path} answered {answer.status_code}.")

    rounds, per_round = (4, 40) if QUICK else (12, 100)
    for name, secret, status, bound in (
        ("accepted", "", 200, 1.6), ("forged", "another secret", 401, 1.2),
    ):  # fmt: skip
        comparison = Comparison()
        for number in range(rounds + 1):
            first = [signed_event(secret) for _ in range(per_round)]
            second = [signed_event(secret) for _ in range(per_round)]
            if number:
                comparison.run_round(
                    partial(send, "/zoom/webhook/", first, status),
                    partial(send, "/bare/", second, status), measured_first=bool(number % 2),
                )  # fmt: skip
            else:
                send("/zoom/webhook/", first, status)
                send("/bare/", second, status)
        report(
            Figure(
                f"Webhook, {name}, in one process",
                ms([seconds / per_round for seconds in comparison.measured]),
                f"bare view: {ms([seconds / per_round for seconds in comparison.baseline])}",
                comparison.text(),
                f"≤ {bound} ×",
                comparison.ratio <= bound,
            )  # fmt: skip
        )
    with CaptureQueriesContext(connection) as seen:
        send("/zoom/webhook/", [signed_event("another secret")], 401)
    report(Figure("Webhook, forged", f"{len(seen)} queries", "", "", "0", not len(seen)))


class Server:
    """gunicorn with two workers of four threads on a free port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "benchmarks.wsgi", "--workers", "2",
                "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60",
                "--bind", f"127.0.0.1:{self.port}", "--log-level", "error",
            ],
        )  # fmt: skip
        end = time.monotonic() + 60
        while True:
            try:
                self.ask(http.client.HTTPConnection("127.0.0.1", self.port, 30), "/zoom/webhook/")
                return
            except OSError:
                if time.monotonic() > end:
                    self.stop()
                    raise
                time.sleep(0.2)

    @staticmethod
    def ask(client: http.client.HTTPConnection, path: str, sent: SignedEvent | None = None) -> int:
        """Send one request and return the status."""
        if sent is None:
            client.request("GET", path)
        else:
            client.request("POST", path, body=sent[0], headers=sent[1])
        answer = client.getresponse()
        answer.read()
        return answer.status

    def cpu(self) -> float:
        """CPU seconds of the workers."""
        pids = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    pids.append(int(stat.parent.name))
            except (OSError, ValueError):
                continue
        return cpu_of(*pids)

    def stop(self) -> None:
        """Stop the server."""
        self.process.terminate()
        self.process.wait(20)


def send_requests(
    server: Server, path: str, per_client: int, clients: int, secret: str = ""
) -> list[float]:
    """Concurrent clients with keep-alive connections; returns the seconds of every request."""
    batches = [[signed_event(secret) for _ in range(per_client)] for _ in range(clients)]
    times: list[float] = []
    wrong: list[int] = []
    ready = threading.Barrier(clients + 1)

    def work(events: list[SignedEvent]) -> None:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        ready.wait()
        for event in events:
            began = time.perf_counter()
            status = server.ask(client, path, event)
            times.append(time.perf_counter() - began)
            if status != (401 if secret else 200):
                wrong.append(status)
        client.close()

    threads = [threading.Thread(target=work, args=(events,)) for events in batches]
    for thread in threads:
        thread.start()
    ready.wait()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{path} answered {wrong[:3]}.")
    return times


def over_http() -> None:
    """Requests a second, p50, p99; forged ones; two hundred concurrently."""
    server = Server()
    try:
        for path in ("/zoom/webhook/", "/bare/"):
            send_requests(server, path, 20, CLIENTS)
        rounds, per_client = (3, 50) if QUICK else (7, 150)
        for name, secret in (("accepted", ""), ("forged", "another secret")):
            times: dict[str, list[float]] = {"/zoom/webhook/": [], "/bare/": []}
            walls: dict[str, list[float]] = {path: [] for path in times}
            used = dict.fromkeys(times, 0.0)
            for _ in range(rounds):
                for path in times:
                    before, began = server.cpu(), time.perf_counter()
                    times[path] += send_requests(server, path, per_client, CLIENTS, secret)
                    walls[path].append(time.perf_counter() - began)
                    used[path] += server.cpu() - before
            _report(name, times, walls, used, per_client * CLIENTS)
        burst = send_requests(server, "/zoom/webhook/", 1, 200)
    finally:
        server.stop()
    late = sum(seconds > 3 for seconds in burst)
    report(
        Figure(
            "Webhook, 200 events concurrently",
            f"p50 {percentile(burst, 0.5):.2f} s, longest {max(burst):.2f} s",
            "",
            "",
            "none over 3 s, longest ≤ 1.0 s",
            not late and max(burst) <= 1.0,
            "no call to Zoom is made here, however slow it is",
        )  # fmt: skip
    )


def _report(
    name: str, times: dict[str, list[float]], walls: dict[str, list[float]],
    used: dict[str, float], count: int,
) -> None:  # fmt: skip
    (measured, baseline), (measured_walls, baseline_walls) = times.values(), walls.values()
    share = statistics.median(baseline_walls) / statistics.median(measured_walls)
    cpu = used["/zoom/webhook/"] / max(1e-9, used["/bare/"])
    label = f"Webhook on gunicorn, {name}"
    if name == "accepted":
        rate_ratio = 1 / cpu if BUSY else share
        rates = [count / statistics.median(values) for values in (measured_walls, baseline_walls)]
        report(
            Figure(
                f"{label}, requests/s with {CLIENTS} clients",
                f"{rates[0]:.0f}/s",
                f"bare view: {rates[1]:.0f}/s",
                f"{share:.2f} (by the workers' CPU {1 / cpu:.2f})",
                "≥ 0.75",
                rate_ratio >= 0.75,
            )  # fmt: skip
        )
    limits = ((0.5, 1.4), (0.99, 1.5)) if name == "accepted" else ((0.5, 1.2),)
    for point, bound in limits:
        pair = [percentile(values, point) for values in (measured, baseline)]
        ratio = pair[0] / pair[1]
        report(
            Figure(
                f"{label}, p{point * 100:.0f}",
                f"{pair[0] * 1000:.2f} ms",
                f"bare view: {pair[1] * 1000:.2f} ms",
                f"{ratio:.2f} × (workers' CPU {cpu:.2f} ×)",
                f"≤ {bound} ×",
                ratio <= bound,
                f"{len(measured)} requests each; load {os.getloadavg()[0]:.0f}",
            )  # fmt: skip
        )
