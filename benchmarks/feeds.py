"""The calendar of a Site: written, known to the client, and with query strings without meaning."""

from __future__ import annotations

from itertools import count

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wagtail_zoom.frontend import links

from . import fixtures
from .measure import QUICK, Comparison, Figure, ms, report
from .pages import invalidate

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
