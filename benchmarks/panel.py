"""The panel of a Site with 20,000 dates, with choices that are not saved yet."""

from __future__ import annotations

import statistics
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from wagtail_zoom.admin import links
from wagtail_zoom.admin.site_status import get_site_status
from wagtail_zoom.models import Heartbeat, Host

from . import fixtures
from .measure import BUSY, QUICK, Figure, cpu, report

DATES = 2000 if QUICK else 20_000
ROUNDS = 3 if QUICK else 7


def run() -> None:
    """Measure what the script requests at each click, and the list of what visitors would see."""
    site_settings = fixtures.site_with_rows()
    fixtures.add_recordings(site_settings, DATES // 10)
    fixtures.add_occurrences(site_settings, 0, DATES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    Heartbeat.beat("tick")
    client = Client()
    client.force_login(fixtures.admin())
    status = get_site_status(site_settings.site)
    site = site_settings.site_id
    panel_url = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site])
    choices = {
        "show_meetings": "on", "show_recordings": "on", "hosts": [Host.objects.get().pk],
        "item_rule": "registration", "join_policy": "public", "join_minutes": "15",
    }  # fmt: skip
    panel = _times(lambda: client.get(panel_url))
    for name, view in (("numbers", "preview"), ("list of what visitors would see", "visitors")):
        url = links.view_url(view, status)
        wall, used, queries = _times(lambda url=url: client.post(url, choices))
        seconds = used if BUSY else wall
        report(
            Figure(
                f"Panel with unsaved choices, {DATES:,} dates: {name}",
                f"{wall * 1000:.0f} ms (CPU {used * 1000:.0f} ms), {queries} queries",
                f"the panel: {panel[0] * 1000:.0f} ms (CPU {panel[1] * 1000:.0f} ms), "
                f"{panel[2]} queries",
                f"{wall / panel[0]:.2f} ×",
                "≤ 300 ms",
                seconds <= 0.3,
            )
        )


def _times(work: object) -> tuple[float, float, int]:
    """Median seconds, CPU seconds of this process and its database server, number of queries."""
    walls, used = [], []
    for number in range(ROUNDS + 1):
        began, before = time.perf_counter(), cpu()
        response = work()  # type: ignore[operator]
        if response.status_code != 200:
            raise RuntimeError(f"The panel answered {response.status_code}.")
        if number:
            walls.append(time.perf_counter() - began)
            used.append(cpu() - before)
    with CaptureQueriesContext(connection) as queries:
        work()  # type: ignore[operator]
    return statistics.median(walls), statistics.mean(used), len(queries)
