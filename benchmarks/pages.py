"""Public pages: three lists against the same HTML as static text; queries of fifty blocks.

Warm: the HTML of the blocks is cached. Cold: the first visit after a change, all is rendered.
"""

from __future__ import annotations

import re
import statistics
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wagtail_zoom.models import ZoomAccount, bump_data_version

from . import fixtures
from .measure import QUICK, Comparison, Figure, compare, ms, report
from .models import BenchPage

SIZES = (100, 10_000) if QUICK else (100, 1000, 100_000)
LISTS = [
    {"type": "dates", "value": {"limit": 20}},
    {"type": "dates", "value": {"limit": 20, "period": "past", "layout": "table"}},
    {"type": "recordings", "value": {"limit": 20}},
]


def make_page(slug: str, body: list[dict[str, Any]]) -> str:
    """Publish a page and return its path."""
    page = BenchPage(title=slug, slug=slug)
    page.body = page.body.stream_block.to_python(body)
    fixtures.default_site().root_page.add_child(instance=page)
    return f"/{slug}/"


def main_html(html: str) -> str:
    """The HTML of the page's body."""
    match = re.search(r"</h1>(.*)</main>", html, re.S)
    return match[1] if match else ""


def run() -> None:
    """Measure."""
    site_settings = fixtures.site_with_rows()
    fixtures.add_recordings(site_settings, 100)
    client = Client()
    lists = make_page("lists", LISTS)
    previous_size = 0
    firsts: dict[str, Comparison] = {}
    for size in SIZES:
        fixtures.add_occurrences(site_settings, previous_size, size)
        previous_size = size
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        invalidate()
        response = client.get(lists)
        if response.status_code != 200:
            raise RuntimeError(f"The page answered {response.status_code}.")
        html = response.content.decode()
        static = make_page(f"static{size}", [{"type": "html", "value": main_html(html)}])
        warm = compare(
            lambda: client.get(lists), lambda path=static: client.get(path), 20 if QUICK else 80
        )
        cold = _cold(client, lists, static, 7 if QUICK else 25)
        note = f"{len(html) / 1024:.0f} kB, {html.count('<li') + html.count('<tr')} rows"
        _report(size, "warm", warm, "≤ 1.5 ×", warm.ratio <= 1.5, note, firsts)
        _report(size, "cold", cold, "", None, "after a change, everything rendered", firsts)
    _blocks(client)


def invalidate() -> None:
    """Invalidate the cache, as the sync does after a change."""
    bump_data_version(*ZoomAccount.objects.values_list("pk", flat=True))


def _cold(client: Client, measured: str, static: str, rounds: int) -> Comparison:
    """Like ``compare``, with an invalidation before each round, which is not measured."""
    comparison = Comparison()
    for number in range(rounds):
        invalidate()
        comparison.run_round(
            lambda: client.get(measured),
            lambda: client.get(static),
            measured_first=bool(number % 2),
        )
    return comparison


def _report(
    size: int, name: str, comparison: Comparison, bound: str, reached: bool | None, note: str,
    firsts: dict[str, Comparison],
) -> None:  # fmt: skip
    report(
        Figure(
            f"Page with 3 lists of 20, {size:,} stored dates, {name}",
            ms(comparison.measured),
            f"same HTML as static text: {ms(comparison.baseline)}",
            comparison.text(),
            bound,
            reached,
            note,
        )  # fmt: skip
    )
    first = firsts.setdefault(name, comparison)
    if size == SIZES[-1]:
        # Minutes lie between the two sizes: noise affects the static page in the same way.
        flat = comparison.ratio / first.ratio
        report(
            Figure(
                f"The same page, {SIZES[0]:,} → {size:,} dates, {name}",
                f"{comparison.ratio:.2f} × the static page's time",
                f"{first.ratio:.2f} × at {SIZES[0]:,}",
                f"{flat:.2f} ×",
                "≤ 1.1 ×",
                flat <= 1.1,
                f"{statistics.median(first.measured) * 1000:.2f} → "
                f"{statistics.median(comparison.measured) * 1000:.2f} ms on the wall",
            )  # fmt: skip
        )


def _blocks(client: Client) -> None:
    """Queries of fifty blocks, less those of a page without blocks."""
    empty = make_page("empty", [])
    same = [{**LISTS[0], "value": {"limit": 20, "heading": f"List {n}"}} for n in range(50)]
    different = [{"type": "dates", "value": {"limit": 5 + number}} for number in range(50)]
    base = _queries(client, empty)
    for name, body in (("the same list 50 times", same), ("50 different lists", different)):
        path = make_page(re.sub(r"\W+", "-", name), body)
        for state in ("warm", "cold"):
            count = _queries(client, path, is_cold=state == "cold") - base
            report(
                Figure(
                    f"50 Zoom blocks on one page, {name}, {state}",
                    f"{count} queries",
                    f"{base} of a page without",
                    "",
                    "≤ 4 queries",
                    count <= 4,
                )  # fmt: skip
            )


def _queries(client: Client, path: str, *, is_cold: bool = False) -> int:
    client.get(path)
    if is_cold:
        invalidate()
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)
