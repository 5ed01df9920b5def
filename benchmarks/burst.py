"""A burst of events of one account: how long the events of other accounts wait.

Two threads work off the inbox, as two workers do. Events of ten other accounts arrive one after
the other; their lag is the time until they are processed.
"""

from __future__ import annotations

import threading
import time

from django.db import connection
from django.utils import timezone

from wagtail_zoom.models import WebhookEvent
from wagtail_zoom.sync import inbox

from . import fixtures, overview
from .measure import QUICK, Figure, percentile, report

SITES = 200 if QUICK else 10_000
BURST = 2000 if QUICK else 10_000
OTHERS = 30 if QUICK else 100
PAUSE = 0.05
WORKERS = 2


def run() -> None:
    """Measure without and with the burst."""
    fixtures.worker()
    overview.add_sites(0, SITES)
    quiet = _lags("quiet")
    WebhookEvent.objects.bulk_create(
        (_event(f"burst{number}", 0, number) for number in range(BURST)), batch_size=1000
    )
    began = time.monotonic()
    loaded = _lags("loaded")
    seconds = time.monotonic() - began
    left = WebhookEvent.objects.filter(account_zoom_id="account0", state="pending").count()
    p95 = percentile(loaded, 0.95)
    report(
        Figure(
            f"1 Site of {SITES:,} with a burst of {BURST:,} events: others' lag",
            f"p50 {percentile(loaded, 0.5):.2f} s, p95 {p95:.2f} s",
            f"without the burst: p50 {percentile(quiet, 0.5):.2f} s, "
            f"p95 {percentile(quiet, 0.95):.2f} s",
            "",
            "p95 ≤ 1 s",
            p95 <= 1,
            f"{OTHERS} events of ten others in {seconds:.0f} s, {left} of the burst left then; "
            "without fetches",
        )
    )


def _event(key: str, account: int, meeting: int) -> WebhookEvent:
    return WebhookEvent(
        request_id=key, content_key=key, event="meeting.started", received_at=timezone.now(),
        account_zoom_id=f"account{account}", lock_key=f"account{account}:meeting:{meeting}",
        payload={"object": {"id": str(meeting)}},
    )  # fmt: skip


def _lags(name: str) -> list[float]:
    """Seconds from each event's arrival until it is processed."""
    over = threading.Event()
    workers = [threading.Thread(target=_work, args=(over,)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    arrived: dict[str, float] = {}
    lags: list[float] = []
    try:
        for number in range(OTHERS):
            key = f"{name}{number}"
            _event(key, 1 + number % 10, number).save()
            arrived[key] = time.monotonic()
            time.sleep(PAUSE)
            _note(arrived, lags)
        end = time.monotonic() + 60
        while arrived and time.monotonic() < end:
            _note(arrived, lags)
            time.sleep(0.02)
    finally:
        over.set()
        for worker in workers:
            worker.join()
    return lags + [60.0] * len(arrived)


def _note(arrived: dict[str, float], lags: list[float]) -> None:
    """Note the lag of those that are processed, seen at most a pause later."""
    rows = WebhookEvent.objects.filter(request_id__in=list(arrived)).exclude(state="pending")
    for key in rows.values_list("request_id", flat=True):
        lags.append(time.monotonic() - arrived.pop(key))


def _work(over: threading.Event) -> None:
    try:
        while not over.is_set():
            if not inbox.process_due_events(timezone.now()):
                time.sleep(0.02)
    finally:
        connection.close()
