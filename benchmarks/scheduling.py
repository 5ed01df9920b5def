"""Scheduling, changing and cancelling a meeting, with a Zoom that takes 150 ms for each call."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import requests
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from wagtail_zoom import scheduling
from wagtail_zoom.client import SiteClient
from wagtail_zoom.models import Grant, Host, Meeting, MeetingChange, ZoomSettings
from wagtail_zoom.testing.server import SimulatorControl

from . import fixtures
from .measure import BUSY, QUICK, Figure, cpu, ms, percentile, report
from .pages import make_page

ROUNDS = 6 if QUICK else 20
"""Zoom takes 100 new or changed meetings a day of a host; a round has four, with the baseline's."""
SECONDS = 10.0
"""For how long the request may wait for each call."""
BODIES: dict[str, dict[str, Any]] = {
    "POST": {"topic": "Baseline", "type": 2, "duration": 60, "timezone": "UTC"},
    "PATCH": {"topic": "Baseline, changed"},
}


class _BareCalls:
    """The same calls to Zoom for a meeting of its own, and nothing else."""

    def __init__(self, zoom: SimulatorControl, site_settings: ZoomSettings) -> None:
        self.zoom, self.number = zoom, ""
        self.session = requests.Session()
        token = Grant.objects.get(pk=site_settings.grant_id).access_token.reveal()
        self.session.headers["Authorization"] = f"Bearer {token}"
        start = timezone.now() + timedelta(days=9)
        self.start = {"start_time": f"{start:%Y-%m-%dT%H:00:00}"}

    def repeat(self, calls: list[dict[str, Any]]) -> float:
        """Make these calls one after another; returns the seconds they took."""
        seconds = 0.0
        for call in calls:
            path = re.sub(r"(meetings/)[0-9]+", rf"\g<1>{self.number}", call["path"])
            body = BODIES.get(call["method"])
            if call["method"] == "POST":
                body = {**BODIES["POST"], **self.start}
            began = time.perf_counter()
            response = self.session.request(
                call["method"], f"{self.zoom.url}{path}", json=body, timeout=30
            )
            seconds += time.perf_counter() - began
            response.raise_for_status()
            if call["method"] == "POST":
                self.number = str(response.json()["id"])
        return seconds


class _Measurement:
    """Seconds of our function and of its bare calls, by round."""

    def __init__(self, zoom: SimulatorControl, bare: _BareCalls) -> None:
        self.zoom, self.bare = zoom, bare
        self.measured: list[float] = []
        self.baseline: list[float] = []
        self.cpu: list[float] = []
        self.calls: list[str] = []

    def run(self, function: Callable[[], MeetingChange]) -> MeetingChange:
        """One round."""
        cache.clear()
        self.zoom.clear_calls()
        began, used = time.perf_counter(), cpu()
        change = function()
        self.measured.append(time.perf_counter() - began)
        self.cpu.append(cpu() - used)
        if change.state != MeetingChange.State.DONE:
            raise RuntimeError(f"It is {change.state} {change.error_class}.")
        calls = self.zoom.calls()
        self.calls = [call["method"] for call in calls]
        self.baseline.append(self.bare.repeat(calls))
        return change

    def report(self, name: str) -> None:
        """The first round is a warm-up. On a busy machine our own share is its CPU seconds."""
        measured, baseline = self.measured[1:], self.baseline[1:]
        middle, bare = statistics.median(measured), statistics.median(baseline)
        own = statistics.median(self.cpu[1:])
        compared = bare + own if BUSY else middle
        report(
            Figure(
                f"{name} → answer, Zoom takes 150 ms",
                ms(measured),
                f"the same calls to Zoom, bare: {ms(baseline)}",
                f"{middle / bare:.2f} ×",
                "≤ 1.3 × + 50 ms",
                compared <= 1.3 * bare + 0.05,
                f"its calls: {', '.join(self.calls)}; CPU {own * 1000:.0f} ms",
            )  # fmt: skip
        )


def run() -> None:
    """Measure."""
    with fixtures.simulator("--rate-limit", "off") as zoom:
        runner = fixtures.worker()
        fixtures.disable_rate_limits()
        host_id = fixtures.host_id(zoom, "borealis-0")
        site_settings = fixtures.connected(
            runner, "borealis-0", hosts=(host_id,), kinds=("meetings",)
        )
        fixtures.import_all(runner, site_settings)
        host = Host.objects.get(account=site_settings.account_id, zoom_id=host_id)
        path = make_page("scheduled", [{"type": "dates", "value": {"limit": 100}}])
        answered_at = _record_answers()
        client, delays = Client(), []
        zoom.options(latency=150)
        bare = _BareCalls(zoom, site_settings)
        create, change, cancel = (_Measurement(zoom, bare) for _ in range(3))
        for number in range(ROUNDS):
            common = {"site": site_settings.site, "seconds": SECONDS}
            topic = f"Scheduled {number}"
            row = create.run(
                lambda topic=topic, common=common: scheduling.schedule(  # type: ignore[misc]
                    host=host,
                    topic=topic,
                    start=timezone.now() + timedelta(days=2),
                    show=True,
                    key=topic,
                    **common,
                )  # fmt: skip
            )
            delays.append(_wait_for(client, path, topic) - answered_at[-1])
            meeting = Meeting.objects.get(pk=row.meeting_id)
            change.run(
                lambda meeting=meeting, common=common: scheduling.change(  # type: ignore[misc]
                    meeting=meeting,
                    topic=f"{meeting.topic}, changed",
                    key=f"change {meeting.pk}",
                    **common,
                )  # fmt: skip
            )
            cancel.run(
                lambda meeting=meeting, common=common: scheduling.cancel(  # type: ignore[misc]
                    meeting=meeting, key=f"cancel {meeting.pk}", **common
                )
            )
        zoom.options(latency=0)
    create.report("Scheduling a meeting")
    change.report("Changing a meeting")
    cancel.report("Cancelling a meeting")
    high = percentile(delays, 0.95)
    report(
        Figure(
            "Zoom's answer to a new meeting → on the public page",
            f"p50 {percentile(delays, 0.5):.2f} s, p95 {high:.2f} s",
            f"one call to Zoom: {ms(cancel.baseline)}",
            "",
            "p95 ≤ 1.0 s",
            high <= 1.0,
            f"{ROUNDS} meetings, read again at Zoom in between",
        )  # fmt: skip
    )


def _record_answers() -> list[float]:
    """The times at which Zoom has answered that it has a new meeting, from now on."""
    times: list[float] = []
    create_meeting = SiteClient.create_meeting

    def timed(self: SiteClient, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = create_meeting(self, *args, **kwargs)
        times.append(time.perf_counter())
        return answer

    SiteClient.create_meeting = timed  # type: ignore[method-assign]
    return times


def _wait_for(client: Client, path: str, topic: str) -> float:
    """When the page has shown the topic."""
    end = time.perf_counter() + 30
    while topic not in client.get(path).content.decode():
        if time.perf_counter() > end:
            raise RuntimeError("The page does not show the new meeting.")
        time.sleep(0.02)
    return time.perf_counter()
