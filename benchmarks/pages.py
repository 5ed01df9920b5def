"""Public pages: three lists against the same HTML as static text; queries of fifty blocks.

Warm: the HTML of the blocks is kept. Cold: the first visit after a change, everything is rendered.
"""

from __future__ import annotations

import re
import statistics
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wagtail_zoom.models import ZoomAccount, touch

from . import fixtures
from .measure import QUICK, Duel, Figure, duel, ms, report
from .models import BenchPage

SIZES = (100, 10_000) if QUICK else (100, 1000, 100_000)
LISTS = [
    {"type": "dates", "value": {"limit": 20}},
    {"type": "dates", "value": {"limit": 20, "period": "past", "layout": "table"}},
    {"type": "recordings", "value": {"limit": 20}},
]


def make(slug: str, body: list[dict[str, Any]]) -> str:
    """A published page; its path."""
    page = BenchPage(title=slug, slug=slug)
    page.body = page.body.stream_block.to_python(body)
    fixtures.default_site().root_page.add_child(instance=page)
    return f"/{slug}/"


def main_of(html: str) -> str:
    """What stands in the page's body."""
    found = re.search(r"</h1>(.*)</main>", html, re.S)
    return found[1] if found else ""


def run() -> None:
    """Measure."""
    choice = fixtures.mirrored_site()
    fixtures.add_recordings(choice, 100)
    client = Client()
    lists = make("lists", LISTS)
    done = 0
    firsts: dict[str, Duel] = {}
    for size in SIZES:
        fixtures.add_dates(choice, done, size)
        done = size
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        _change()
        response = client.get(lists)
        if response.status_code != 200:
            raise RuntimeError(f"The page answered {response.status_code}.")
        html = response.content.decode()
        static = make(f"static{size}", [{"type": "html", "value": main_of(html)}])
        warm = duel(
            lambda: client.get(lists), lambda path=static: client.get(path), 20 if QUICK else 80
        )
        cold = _cold(client, lists, static, 7 if QUICK else 25)
        note = f"{len(html) / 1024:.0f} kB, {html.count('<li') + html.count('<tr')} rows"
        _tell(size, "warm", warm, "≤ 1.5 ×", warm.ratio <= 1.5, note, firsts)
        _tell(size, "cold", cold, "", None, "after a change, everything rendered", firsts)
    _blocks(client)


def _change() -> None:
    """As the sync does after a change: whatever was kept is out of date."""
    touch(*ZoomAccount.objects.values_list("pk", flat=True))


def _cold(client: Client, ours: str, static: str, rounds: int) -> Duel:
    """Like ``duel``, with a change before each of our turns that is not counted."""
    found = Duel()
    for number in range(rounds):
        _change()
        found.take(
            lambda: client.get(ours), lambda: client.get(static), ours_first=bool(number % 2)
        )
    return found


def _tell(
    size: int, name: str, found: Duel, bound: str, reached: bool | None, note: str,
    firsts: dict[str, Duel],
) -> None:  # fmt: skip
    report(
        Figure(
            f"Page with 3 lists of 20, {size:,} mirrored dates, {name}",
            ms(found.ours),
            f"same HTML as static text: {ms(found.floor)}",
            found.text(),
            bound,
            reached,
            note,
        )  # fmt: skip
    )
    first = firsts.setdefault(name, found)
    if size == SIZES[-1]:
        # Minutes lie between the two: what the machine did to the static page it did to ours.
        flat = found.ratio / first.ratio
        report(
            Figure(
                f"The same page, {SIZES[0]:,} → {size:,} dates, {name}",
                f"{found.ratio:.2f} × the static page's time",
                f"{first.ratio:.2f} × at {SIZES[0]:,}",
                f"{flat:.2f} ×",
                "≤ 1.1 ×",
                flat <= 1.1,
                f"{statistics.median(first.ours) * 1000:.2f} → "
                f"{statistics.median(found.ours) * 1000:.2f} ms on the wall",
            )  # fmt: skip
        )


def _blocks(client: Client) -> None:
    """Queries of fifty blocks beyond those of a page without any."""
    empty = make("empty", [])
    same = [{**LISTS[0], "value": {"limit": 20, "heading": f"List {n}"}} for n in range(50)]
    different = [{"type": "dates", "value": {"limit": 5 + number}} for number in range(50)]
    base = _queries(client, empty)
    for name, body in (("the same list 50 times", same), ("50 different lists", different)):
        path = make(re.sub(r"\W+", "-", name), body)
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
        _change()
    with CaptureQueriesContext(connection) as found:
        client.get(path)
    return len(found)
