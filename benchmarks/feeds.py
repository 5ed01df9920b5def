"""The calendar of a Site: written, known to the client, and with query strings without meaning."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wagtail_zoom.frontend import links

from . import fixtures
from .measure import QUICK, Comparison, Figure, ms, percentile, report
from .pages import invalidate
from .webhook_endpoint import Server

DATES = 100 if QUICK else 1000
ROUNDS = 3 if QUICK else 5


def run() -> None:
    """Measure."""
    fixtures.add_occurrences(fixtures.site_with_rows(), 0, DATES)
    client, url, numbers = Client(), links.site_calendar_url(), count()
    etag = ""

    def written() -> None:
        nonlocal etag
        etag = client.get(url)["ETag"]

    def unchanged() -> int:
        return client.get(url, headers={"If-None-Match": etag}).status_code

    def odd() -> None:
        client.get(f"{url}?utm_source={next(numbers)}")

    for work in (written, unchanged, odd):
        work()  # imports, time zones, statements
    known_etag, odd_query = Comparison(), Comparison()
    for comparison, work in ((known_etag, unchanged), (odd_query, odd)):
        for _round in range(ROUNDS):
            invalidate()
            comparison.run_round(work, written, measured_first=False)
    with CaptureQueriesContext(connection) as queries:
        status = unchanged()
    if status != 304:
        raise RuntimeError(f"A known ETag is answered by {status}.")
    _report(known_etag, "known ETag", 0.05, f"304 after {len(queries)} queries")
    _report(odd_query, "another query string each time", 0.1, "the same file from the cache")


def over_http() -> None:
    """An unchanged calendar against a static file of its size, both by Django on gunicorn."""
    fixtures.add_occurrences(fixtures.site_with_rows(), 0, 174 * 2)
    url, numbers = links.site_calendar_url(), count()
    content = Client().get(url).content
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "all.ics").write_bytes(content)
        os.environ["BENCH_FILES"] = folder
        server = Server()
        try:
            _, headers = _timed_request(server, url, {})
            etag_headers = {"If-None-Match": headers["ETag"]}
            _, headers = _timed_request(server, "/file/all.ics", {})
            seen = {"If-Modified-Since": headers["Last-Modified"]}
            works = {
                "unchanged": (lambda: (url, {}), ("/file/all.ics", {}), 200),
                "another query string each time": (
                    lambda: (f"{url}?utm_source={next(numbers)}", {}), ("/file/all.ics", {}), 200,
                ),
                "known ETag": (lambda: (url, etag_headers), ("/file/all.ics", seen), 304),
            }  # fmt: skip
            for name, (measured, baseline, status) in works.items():
                _report_http(server, name, measured, baseline, status, len(content))
        finally:
            server.stop()


def _report_http(
    server: Server, name: str, measured: Any, baseline: Any, status: int, size: int
) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    used = [0.0, 0.0]
    for turn in range(8 if QUICK else 20):
        for index, make in enumerate((measured, lambda: baseline)):
            before = server.cpu()
            for _ in range(10):
                seconds, headers = _timed_request(server, *make())
                if headers["status"] != str(status):
                    raise RuntimeError(f"{make()} answered {headers['status']}.")
                if turn > 1:
                    times[index].append(seconds)
            used[index] += server.cpu() - before
    middles = [percentile(values, 0.5) for values in times]
    ratio = middles[0] / middles[1]
    report(
        Figure(
            f"calendar/all.ics of {size / 1024:.0f} kB on gunicorn, {name}",
            ms(times[0]),
            f"static file: {ms(times[1])}",
            f"{ratio:.2f} × (workers' CPU {used[0] / max(0.01, used[1]):.1f} ×)",
            "≤ 3 ×",
            ratio <= 3,
            f"answered by {status}",
        )
    )


def _timed_request(
    server: Server, path: str, headers: dict[str, str]
) -> tuple[float, dict[str, str]]:
    began = time.perf_counter()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", path, headers=headers)
    response = client.getresponse()
    response.read()
    client.close()
    return time.perf_counter() - began, {**dict(response.headers), "status": str(response.status)}


def _report(comparison: Comparison, name: str, bound: float, note: str) -> None:
    report(
        Figure(
            f"calendar/all.ics with {DATES:,} dates, {name}",
            ms(comparison.measured),
            f"written anew: {ms(comparison.baseline)}",
            comparison.text(),
            f"≤ {bound} ×",
            comparison.ratio <= bound,
            note,
        )
    )
