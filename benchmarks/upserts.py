"""Writing a page of the mirror against a loop of ``update_or_create``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from wagtail_zoom.models import Host, Meeting
from wagtail_zoom.sync.upsert import upsert

from . import fixtures
from .measure import QUICK, Duel, Figure, ms, report

COUNT, PAGE = 3000, 300
Rows = list[tuple[str, dict[str, Any]]]


def rows(host: Host, mark: str) -> Rows:
    """Column values as the mapping of Zoom's answers makes them."""
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
    choice = fixtures.mirrored_site()
    account, host = choice.account, Host.objects.get(account=choice.account_id)

    def ours(wanted: Rows) -> None:
        for first in range(0, COUNT, PAGE):
            page = wanted[first : first + PAGE]
            upsert(Meeting, account, "zoom_id", page, fetched_at=timezone.now())

    def loop(wanted: Rows) -> None:
        for key, fields in wanted[:part]:
            Meeting.objects.update_or_create(account=account, zoom_id=key, defaults=fields)

    rounds, part = (2, 150) if QUICK else (5, 600)
    ours(rows(host, "0"))
    for name, bound in (("changed", 0.05), ("unchanged", 0.02)):
        found = Duel()
        for number in range(rounds):
            mine, slow = rows(host, f"{name} o{number}"), rows(host, f"{name} l{number}")
            if name == "unchanged":
                ours(mine)
                slow = mine
            found.take(partial(ours, mine), partial(loop, slow), ours_first=True)
        scale = COUNT / part
        found.floor = [seconds * scale for seconds in found.floor]
        found.floor_cpu *= scale
        report(
            Figure(
                f"Upsert of 3,000 rows, {name}",
                ms(found.ours),
                f"update_or_create in a loop: {ms(found.floor)}",
                f"{found.wall:.3f} × (CPU {found.cpu:.3f} ×)",
                f"≤ {bound} ×",
                found.ratio <= bound,
                f"loop: {part} rows, scaled",
            )  # fmt: skip
        )
