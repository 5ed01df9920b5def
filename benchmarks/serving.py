"""Public pages over HTTP on gunicorn: 30, 300 and 3,000 rows, one client and eight.

With a Zoom that answers, one that hangs and one that is down. No page cache, no CDN: every request
reaches Django.
"""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from . import fixtures
from .measure import BUSY, QUICK, Figure, percentile, report
from .pages import make_page
from .webhook_endpoint import Server

DATES = {"type": "dates", "value": {"limit": 100}}
PAST = {"type": "dates", "value": {"limit": 100, "period": "past"}}
RECORDINGS = {"type": "recordings", "value": {"limit": 100}}
PAGES: dict[int, list[dict[str, Any]]] = {
    30: [{"type": "dates", "value": {"limit": 30}}],
    300: [DATES, PAST, RECORDINGS],
    3000: [DATES, PAST, RECORDINGS] * 10,
}
CLIENTS = (1, 8)
MAX_MS, MIN_RATE = 12.0, 100.0
ROUNDS = 4


def run() -> None:
    """The three sizes with a Zoom that answers, then 300 rows with each Zoom alternately."""
    site_settings = fixtures.site_with_rows()
    fixtures.add_recordings(site_settings, 200)
    fixtures.add_occurrences(site_settings, 0, 3000)
    paths = {size: make_page(f"rows{size}", body) for size, body in PAGES.items()}
    with ExitStack() as stack:
        zoom = stack.enter_context(fixtures.simulator("--latency", "150"))
        silent_socket = stack.enter_context(socket.socket())
        # Accepts connections and never answers.
        silent_socket.bind(("127.0.0.1", 0))
        silent_socket.listen(64)
        urls = {
            "answering": zoom.url,
            "hanging": f"http://127.0.0.1:{silent_socket.getsockname()[1]}",
            "away": "http://127.0.0.1:1",
        }
        servers = {name: stack.enter_context(_server(url)) for name, url in urls.items()}
        for size, path in paths.items():
            for clients in CLIENTS:
                _report(
                    size, clients, send_requests(servers["answering"], path, clients, _count(size))
                )
        for clients in CLIENTS:
            _compare_zoom_states(servers, paths[300], clients)


def _compare_zoom_states(servers: dict[str, Server], path: str, clients: int) -> None:
    stats: dict[str, list[RequestStats]] = {name: [] for name in servers}
    for _round in range(ROUNDS):
        for name, server in servers.items():
            stats[name].append(send_requests(server, path, clients, _count(300) // ROUNDS))
    middles = {name: percentile(_times(values), 0.5) for name, values in stats.items()}
    used = {name: sum(entry.cpu for entry in values) / ROUNDS for name, values in stats.items()}
    for name in ("hanging", "away"):
        wall, cpu = (values[name] / values["answering"] for values in (middles, used))
        report(
            Figure(
                f"Page with 300 rows on gunicorn, {_clients(clients)}, Zoom {name}",
                f"p50 {middles[name] * 1000:.1f} ms",
                f"Zoom answering: {middles['answering'] * 1000:.1f} ms",
                f"{wall:.2f} × (workers' CPU {cpu:.2f} ×)",
                "no difference (≤ 1.2 ×)",
                (cpu if BUSY else wall) <= 1.2,
                f"in {ROUNDS} turns; CPU {used[name] * 1000:.1f} ms a request",
            )  # fmt: skip
        )


def _times(stats: list[RequestStats]) -> list[float]:
    return [seconds for entry in stats for seconds in entry.times]


def _clients(number: int) -> str:
    return f"{number} client{'s' if number > 1 else ''}"


class RequestStats:
    """Seconds of every request; seconds in total; the workers' CPU seconds for a request."""

    def __init__(self, times: list[float], wall: float, cpu: float, size: int) -> None:
        self.times, self.wall, self.cpu, self.size = times, wall, cpu / len(times), size

    @property
    def rate(self) -> float:
        return len(self.times) / self.wall


def send_requests(server: Server, path: str, clients: int, count: int) -> RequestStats:
    """Send ``count`` requests from several clients, each on a keep-alive connection."""
    per_client = max(3, count // clients)
    _visits(server, path, 6, [])
    times: list[float] = []
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda: sizes.append(_visits(server, path, per_client, times)))
        for _ in range(clients)
    ]
    used, began = server.cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return RequestStats(times, time.perf_counter() - began, server.cpu() - used, max(sizes))


def _visits(server: Server, path: str, count: int, times: list[float]) -> int:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    size = 0
    for _ in range(count):
        began = time.perf_counter()
        client.request("GET", path)
        response = client.getresponse()
        size = len(response.read())
        times.append(time.perf_counter() - began)
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}.")
    client.close()
    return size


def _count(size: int) -> int:
    """Total number of requests."""
    return {30: 480, 300: 480, 3000: 96}[size] // (3 if QUICK else 1)


def _report(size: int, clients: int, stats: RequestStats) -> None:
    p50, p95 = (percentile(stats.times, share) * 1000 for share in (0.5, 0.95))
    bound, reached = "", None
    if size == 300 and clients == 1:
        bound, reached = f"p50 ≤ {MAX_MS:.0f} ms", p50 <= MAX_MS
    elif size == 300:
        bound, reached = f"≥ {MIN_RATE:.0f}/s", stats.rate >= MIN_RATE
    report(
        Figure(
            f"Page with {size:,} rows on gunicorn, {_clients(clients)}",
            f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, {stats.rate:.0f}/s",
            "",
            "",
            bound,
            reached,
            f"{stats.size / 1024:.0f} kB; CPU {stats.cpu * 1000:.1f} ms a request; "
            f"load {os.getloadavg()[0]:.0f}",
        )  # fmt: skip
    )


@contextmanager
def _server(zoom: str) -> Iterator[Server]:
    """gunicorn whose Zoom is at this URL."""
    before = os.environ.get("TEST_SIMULATOR_URL")
    os.environ["TEST_SIMULATOR_URL"] = zoom
    try:
        server = Server()
    finally:
        if before is None:
            del os.environ["TEST_SIMULATOR_URL"]
        else:
            os.environ["TEST_SIMULATOR_URL"] = before
    try:
        yield server
    finally:
        server.stop()
