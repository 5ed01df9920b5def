"""Writing a page of rows against a loop of ``update_or_create``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from wagtail_zoom.models import Host, Meeting
from wagtail_zoom.sync.upsert import upsert

from . import fixtures
from .measure import QUICK, Comparison, Figure, ms, report

COUNT, PAGE = 3000, 300
Rows = list[tuple[str, dict[str, Any]]]


def rows(host: Host, mark: str) -> Rows:
    """Column values as the mapping of Zoom's responses returns them."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    return [
        (
            str(90_000_000_000 + number),
            {
                "host_zoom_id": "h1",
                "host_id": host.pk,
                "kind": "meeting",
                "uuid": f"u{number}",
                "zoom_type": 2,
                "topic": f"Evening {number} {mark}",
                "agenda": "About it. " * 10,
                "start": start + timedelta(hours=number),
                "duration": 60,
                "timezone": "Europe/Berlin",
                "is_private": False,
                "approval_type": 2,
                "join_url": f"https://zoom.us/j/{number}?pwd=x",
                "passcode": "123456",
            },
        )  # fmt: skip
        for number in range(COUNT)
    ]


def run() -> None:
    """Measure."""
    site_settings = fixtures.site_with_rows()
    account, host = site_settings.account, Host.objects.get(account=site_settings.account_id)

    def measured(page_rows: Rows) -> None:
        for first in range(0, COUNT, PAGE):
            page = page_rows[first : first + PAGE]
            upsert(Meeting, account, "zoom_id", page, fetched_at=timezone.now())

    def loop(loop_rows: Rows) -> None:
        for key, fields in loop_rows[:part]:
            Meeting.objects.update_or_create(account=account, zoom_id=key, defaults=fields)

    rounds, part = (2, 150) if QUICK else (5, 600)
    measured(rows(host, "0"))
    for name, bound in (("changed", 0.05), ("unchanged", 0.02)):
        comparison = Comparison()
        for number in range(rounds):
            changed_rows, baseline_rows = (
                rows(host, f"{name} o{number}"),
                rows(host, f"{name} l{number}"),
            )
            if name == "unchanged":
                measured(changed_rows)
                baseline_rows = changed_rows
            comparison.run_round(
                partial(measured, changed_rows), partial(loop, baseline_rows), measured_first=True
            )
        scale = COUNT / part
        comparison.baseline = [seconds * scale for seconds in comparison.baseline]
        comparison.baseline_cpu *= scale
        report(
            Figure(
                f"Upsert of 3,000 rows, {name}",
                ms(comparison.measured),
                f"update_or_create in a loop: {ms(comparison.baseline)}",
                f"{comparison.wall:.3f} × (CPU {comparison.cpu:.3f} ×)",
                f"≤ {bound} ×",
                comparison.ratio <= bound,
                f"loop: {part} rows, scaled",
            )  # fmt: skip
        )
