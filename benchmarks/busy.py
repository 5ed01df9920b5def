"""A busy account: visitors of a page with three lists on gunicorn while rows change once a second.

In turns without changes, with changes of a host that the page's Site does not show, and with
changes of a date on the page, for which the time until it is on the page is measured, too.
"""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import transaction
from django.utils import timezone

from wagtail_zoom.models import Host, Meeting, Occurrence, ZoomSettings
from wagtail_zoom.models.versions import publish_changes

from . import fixtures
from .measure import QUICK, Figure, percentile, report
from .pages import LISTS, make_page
from .webhook_endpoint import Server

DATES = 1000
VISITS_PER_SECOND = 20
SECONDS = 4
ROUNDS = 2 if QUICK else 4
VISITORS = 8
"""Threads: a slow answer does not delay the next visit."""


def run() -> None:
    """Measure."""
    site_settings = fixtures.site_with_rows()
    fixtures.add_recordings(site_settings, 100)
    fixtures.add_occurrences(site_settings, 0, DATES)
    shown = Occurrence.objects.filter(start__gt=timezone.now()).order_by("start")[0].meeting
    other = _meeting_of_another_host(site_settings)
    path = make_page("lists", LISTS)
    times: dict[str, list[float]] = {"quiet": [], "unrelated": [], "shown": []}
    delays: list[float] = []
    server = Server()
    try:
        _visit(server, path, [])
        for _round in range(ROUNDS):
            for name, meeting in (("quiet", None), ("unrelated", other), ("shown", shown)):
                _measure(server, path, meeting, times[name], delays if meeting == shown else None)
    finally:
        server.stop()
    _report(times, delays)


def _meeting_of_another_host(site_settings: ZoomSettings) -> Meeting:
    """A meeting whose host another Site of the account shows."""
    host = Host.objects.create(account=site_settings.account, zoom_id="h2", display_name="Other")
    return Meeting.objects.create(
        account=site_settings.account, host=host, host_zoom_id="h2", kind="meeting", zoom_type=2,
        zoom_id="90000000000", topic="Elsewhere", detail_at=timezone.now(),
        timezone="Europe/Berlin", duration=60,
    )  # fmt: skip


def _measure(
    server: Server,
    path: str,
    meeting: Meeting | None,
    times: list[float],
    delays: list[float] | None,
) -> None:
    """Visits at a fixed rate; ``meeting`` gets another topic once a second."""
    for _process in range(4):
        _visit(server, path, [])  # warm in both processes
    stop = threading.Event()
    changer = threading.Thread(target=_change, args=(server, path, meeting, delays, stop))
    if meeting is not None:
        changer.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(VISITORS) as pool:
        for number in range(SECONDS * VISITS_PER_SECOND):
            time.sleep(max(0.0, began + number / VISITS_PER_SECOND - time.perf_counter()))
            pool.submit(_visit, server, path, times)
    stop.set()
    if meeting is not None:
        changer.join()


def _visit(server: Server, path: str, times: list[float]) -> str:
    began = time.perf_counter()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", path)
    html = client.getresponse().read().decode()
    client.close()
    times.append(time.perf_counter() - began)
    return html


def _change(
    server: Server,
    path: str,
    meeting: Meeting | None,
    delays: list[float] | None,
    stop: threading.Event,
) -> None:
    """As the sync does it, and look for the new topic on the page if ``delays`` are wanted."""
    while meeting is not None and not stop.wait(1):
        topic = f"Changed {time.time_ns()}"
        began = time.perf_counter()
        with transaction.atomic():
            Meeting.objects.filter(pk=meeting.pk).update(topic=topic)
            publish_changes(meeting.account, {meeting.pk})
        if delays is not None:
            while topic not in _visit(server, path, []):
                time.sleep(0.02)
            delays.append(time.perf_counter() - began)


def _report(times: dict[str, list[float]], delays: list[float]) -> None:
    quiet = percentile(times["quiet"], 0.95)
    for name, bound in (("unrelated", "p95 ≤ 1.5 ×"), ("shown", "")):
        busy = percentile(times[name], 0.95)
        note = f"{len(times[name])} visits in {ROUNDS} turns"
        what = "another host's meeting" if name == "unrelated" else "a date on the page"
        report(
            Figure(
                f"Page with 3 lists, 20 visits/s, {what} changes once a second",
                f"p50 {percentile(times[name], 0.5) * 1000:.1f} ms, p95 {busy * 1000:.1f} ms",
                f"nothing changes: p50 {percentile(times['quiet'], 0.5) * 1000:.1f} ms, "
                f"p95 {quiet * 1000:.1f} ms",
                f"p95 {busy / quiet:.2f} ×",
                bound,
                busy / quiet <= 1.5 if bound else None,
                note,
            )
        )
    report(
        Figure(
            "… until that date is on the page",
            f"p50 {percentile(delays, 0.5):.2f} s, p95 {percentile(delays, 0.95):.2f} s",
            "",
            "",
            "p95 ≤ 1.0 s",
            percentile(delays, 0.95) <= 1.0,
            f"{len(delays)} changes",
        )
    )
