"""From a change at Zoom to the public page: simulator, web server and worker as processes."""

from __future__ import annotations

import json
import os
import threading
import time

import requests

from demo_site.config import DemoConfig
from demo_site.run import SECRET, Demo
from wagtail_zoom.testing.server import SimulatorControl
from wagtail_zoom.testing.signing import sign

from .measure import QUICK, Figure, percentile, report

HOST = "aurora.localhost"


def run() -> None:
    """Measure idle, then with fifty events a second of other objects."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    config = DemoConfig.from_environment()
    demo = Demo(config)
    try:
        demo.start()
        zoom = SimulatorControl(config.simulator_url)
        _measure(zoom, config, "idle", 4 if QUICK else 20)
        if not QUICK:
            stop = threading.Event()
            thread = threading.Thread(target=_burst, args=(zoom, config, stop))
            thread.start()
            _measure(zoom, config, "with 50 events/s of 10 accounts", 20)
            stop.set()
            thread.join()
    finally:
        demo.stop()


def _measure(zoom: SimulatorControl, config: DemoConfig, name: str, count: int) -> None:
    session = requests.Session()
    url, headers = f"http://127.0.0.1:{config.port}/", {"Host": f"{HOST}:{config.port}"}

    def page() -> str:
        return session.get(url, headers=headers, timeout=30).text

    number = _shown(zoom, page())
    delays, renders = [], []
    for index in range(count):
        topic = f"Changed {name[:4]} {index} {time.time_ns()}"
        began = time.perf_counter()
        zoom.change_meeting(number, topic=topic)
        while True:
            requested_at = time.perf_counter()
            if topic in page():
                break
            renders.append(time.perf_counter() - requested_at)
            if time.perf_counter() - began > 60:
                break
            time.sleep(0.02)
        delays.append(time.perf_counter() - began)
        time.sleep(0.5)
    middle, high = percentile(delays, 0.5), percentile(delays, 0.95)
    report(
        Figure(
            f"Change at Zoom → on the public page, {name}",
            f"p50 {middle:.2f} s, p95 {high:.2f} s",
            f"the page alone: {percentile(renders, 0.5) * 1000:.0f} ms" if renders else "",
            "",
            "p50 ≤ 0.4 s, p95 ≤ 1.0 s",
            middle <= 0.4 and high <= 1.0,
            f"{count} changes, {config.base_url.partition(':')[0]}, runserver and qcluster, SQLite",
        )  # fmt: skip
    )


def _shown(zoom: SimulatorControl, html: str) -> int:
    """The number of a meeting that the page shows."""
    for meeting in zoom.meetings("aurora"):
        if meeting["topic"] in html and not meeting.get("deleted"):
            return int(meeting["id"])
    raise RuntimeError("The page shows no meeting.")


def _burst(zoom: SimulatorControl, config: DemoConfig, stop: threading.Event) -> None:
    """Post events of two connected and eight unknown accounts, not of the measured meeting."""
    accounts = [item["id"] for item in zoom.state()["accounts"]][:2]
    accounts += [f"unknown{number}" for number in range(8)]
    numbers = [item["id"] for item in zoom.meetings("borealis")]
    session, index, due = requests.Session(), 0, time.monotonic()
    while not stop.is_set():
        meeting = {"id": numbers[index % len(numbers)], "host_id": "h"}
        body = json.dumps(
            {
                "event": "meeting.updated",
                "event_ts": time.time_ns() // 1_000_000,
                "payload": {"account_id": accounts[index % 10], "object": meeting},
            }
        ).encode()
        session.post(config.webhook_url, data=body, headers=sign(body, SECRET), timeout=30)
        index, due = index + 1, due + 0.02
        time.sleep(max(0.0, due - time.monotonic()))
