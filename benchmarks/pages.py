"""Public pages: three lists against the same HTML as static text; queries of fifty blocks."""

from __future__ import annotations

import re
import statistics
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from . import stage
from .measure import BUSY, QUICK, Figure, duel, ms, report
from .models import BenchPage

SIZES = (100, 1000, 10_000) if QUICK else (100, 1000, 100_000)
LISTS = [
    {"type": "dates", "value": {"limit": 20}},
    {"type": "dates", "value": {"limit": 20, "period": "past", "layout": "table"}},
    {"type": "recordings", "value": {"limit": 20}},
]


def make(slug: str, body: list[dict[str, Any]]) -> str:
    """A published page; its path."""
    page = BenchPage(title=slug, slug=slug)
    page.body = page.body.stream_block.to_python(body)
    stage.default_site().root_page.add_child(instance=page)
    return f"/{slug}/"


def main_of(html: str) -> str:
    """What stands in the page's body."""
    found = re.search(r"</h1>(.*)</main>", html, re.S)
    return found[1] if found else ""


def run() -> None:
    """Measure."""
    choice = stage.mirrored_site()
    client = Client()
    lists, empty = make("lists", LISTS), make("empty", [])
    many = make("many", [LISTS[0] for _ in range(50)])
    mixed = make(
        "mixed",
        [{"type": "dates", "value": {"limit": 5 + number}} for number in range(50)],
    )
    stage.add_recordings(choice, 100)
    done, first, first_cpu = 0, 0.0, 0.0
    for size in SIZES:
        stage.add_dates(choice, done, size)
        done = size
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        response = client.get(lists)
        if response.status_code != 200:
            raise RuntimeError(f"The page answered {response.status_code}.")
        html = response.content.decode()
        rows = html.count("<li") + html.count("<tr")
        static = make(f"static{size}", [{"type": "html", "value": main_of(html)}])
        found = duel(
            lambda: client.get(lists), lambda path=static: client.get(path), 12 if QUICK else 100
        )
        mine = statistics.median(found.ours)
        first = first or mine
        first_cpu = first_cpu or found.ours_cpu / len(found.ours)
        report(
            Figure(
                f"Page with 3 lists of 20, {size:,} mirrored dates",
                ms(found.ours),
                f"same HTML as static text: {ms(found.floor)}",
                found.text(),
                "≤ 1.5 ×",
                found.ratio <= 1.5,
                f"{len(html) / 1024:.0f} kB, {rows} rows",
            )  # fmt: skip
        )
        if size == SIZES[-1]:
            flat = (found.ours_cpu / len(found.ours) / first_cpu) if BUSY else mine / first
            report(
                Figure(
                    f"The same page, {SIZES[0]:,} → {size:,} dates",
                    ms(found.ours),
                    f"{first * 1000:.2f} ms at {SIZES[0]:,}",
                    f"{flat:.2f} ×",
                    "≤ 1.1 ×",
                    flat <= 1.1,
                )  # fmt: skip
            )
    base = _queries(client, empty)
    for name, path in (("the same list 50 times", many), ("50 different lists", mixed)):
        count = _queries(client, path) - base
        report(
            Figure(
                f"50 Zoom blocks on one page, {name}",
                f"{count} queries",
                f"{base} of a page without",
                "",
                "≤ 4 queries",
                count <= 4,
            )  # fmt: skip
        )


def _queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        client.get(path)
    return len(found)
