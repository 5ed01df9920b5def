"""Many registrations for one meeting, with real processes: ``python -m tests.soak.rush killed``.

``killed``: 200 registrations, half of them by a project's own code, while some API calls fail and
the workers are repeatedly killed with SIGKILL. ``minute``: 1,000 within a minute, with Zoom's rate
limits. The last line is JSON: the results, for the test that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .installation import Installation, installation

TICK = 5.0
"""Seconds between two runs of the minutely job here, so that a lost task is soon replaced."""
NUMBERS = {"killed": 200, "minute": 1000}


class Rush:
    """One Site, one meeting, many people."""

    def __init__(self, installed: Installation, seed: int, people: int) -> None:
        from wagtail_zoom.testing.server import SimulatorControl

        self.processes, self.rng = installed.processes, random.Random(seed)
        self.zoom = SimulatorControl(self.processes.config.simulator_url)
        self.number, self.people = 0, people
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []

    def prepare(self) -> None:
        """Database, one connected Site, one meeting with registration, all processes."""
        from django.core.management import call_command

        from demo_site.connections import wait_for_import
        from demo_site.sites import AURORA
        from wagtail_zoom.frontend.form_links import FormLink
        from wagtail_zoom.models import Meeting, ZoomAccount

        from . import owners

        call_command("setup_demo", verbosity=0)
        self.processes.start_zoom()
        meeting_data = self.zoom.create_meeting(
            "aurora-0", topic="Rush", start_time="+20d 18:00", registration="auto"
        )
        self.number = int(meeting_data["id"])
        self.processes.start()
        self.site = owners.connect(AURORA, "aurora-0")
        if not wait_for_import(120):
            raise RuntimeError(self.processes.workers[0].log_tail())
        self.meeting = Meeting.objects.select_related("account").get(zoom_id=str(self.number))
        ZoomAccount.objects.filter(pk=self.meeting.account_id).update(plan="pro")
        link = FormLink(self.site.pk, self.site.root_page_id, self.meeting.pk, "en", {})
        self.path = link.url
        self.zoom.clear_calls()

    # Actions

    def post(self, email: str) -> None:
        """Submit the form and wait for the response."""
        import requests

        from demo_site.config import LOOPBACK

        url = f"http://{LOOPBACK}:{self.processes.config.port}{self.path}"
        headers = {
            "Host": f"{self.site.hostname}:{self.processes.config.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        data = {"first_name": "Mika", "last_name": "Tanaka", "email": email}
        began = time.monotonic()
        response = requests.post(url, data=data, headers=headers, allow_redirects=False, timeout=60)
        self.seconds.append(time.monotonic() - began)
        self.statuses[str(response.status_code)] += 1

    def own_code(self, email: str) -> None:
        """Register by code, as a project does after a payment: the worker sends it to Zoom."""
        from wagtail_zoom.registration.service import register

        register(
            site=self.site, meeting=self.meeting, email=email, first_name="Mika",
            last_name="Tanaka",
        )  # fmt: skip
        self.statuses["own code"] += 1

    def run_concurrently(self, actions: list[Callable[[], None]], threads: int) -> float:
        """Run all actions in this number of threads; returns the seconds it took."""
        from django.db import connection

        left: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for action in actions:
            left.put(action)

        def work() -> None:
            while True:
                try:
                    action = left.get_nowait()
                except queue.Empty:
                    break
                try:
                    action()
                except Exception as error:
                    self.statuses[f"{type(error).__name__}"] += 1
            connection.close()

        began = time.monotonic()
        thread_list = [threading.Thread(target=work) for _ in range(threads)]
        for thread in thread_list:
            thread.start()
        for thread in thread_list:
            thread.join()
        return time.monotonic() - began

    def finish(self, limit: float) -> float:
        """Wait until nothing is due; returns the seconds it took."""
        from django.db.models import Q

        from wagtail_zoom.models import Registration
        from wagtail_zoom.utils.queue import enqueue

        began = time.monotonic()
        ticked = 0.0
        while Registration.objects.filter(Q(task__gt="") | Q(mail_due__gt="")).exists():
            passed = time.monotonic() - began
            if passed > limit:
                break
            if passed - ticked >= TICK:
                enqueue("tick")
                ticked = passed
            time.sleep(0.3)
        return time.monotonic() - began

    def leases(self) -> int:
        """Number of registrations that are being processed."""
        from wagtail_zoom.models import Registration

        return Registration.objects.exclude(lease_until=None).count()

    # Results

    def results(self) -> dict[str, Any]:
        """Counts of our rows, Zoom's registrants, emails and API calls."""
        from django.conf import settings

        from demo_site.emails import newest_emails
        from wagtail_zoom.models import Registration

        rows = list(Registration.objects.all())
        ours = Counter(row.email.reveal() for row in rows)
        registrants = self.zoom.registrants(self.number)
        at_zoom = Counter(str(item["email"]) for item in registrants)
        states = {str(item["id"]): str(item["status"]) for item in registrants}
        calls = [item for item in self.zoom.calls() if item["path"].endswith("/registrants")]
        mails = Counter(item.to for item in newest_emails(settings.EMAIL_FILE_PATH, 100_000))
        return {
            "rows": len(rows),
            "rows_twice": [who for who, count in ours.items() if count > 1],
            "registrants": len(registrants),
            "registrants_twice": [who for who, count in at_zoom.items() if count > 1],
            "only_here": sorted(set(ours) - set(at_zoom)),
            "only_there": sorted(set(at_zoom) - set(ours)),
            "left": Counter(
                f"{row.state} {row.task} {row.mail_due} {row.error_class}".strip()
                for row in rows
                if (row.state, row.task, row.mail_due) != ("approved", "", "")
            ),
            "other_state": sum(states.get(row.zoom_registrant_id) != row.state for row in rows),
            "without_mail": len([who for who in ours if not mails[who]]),
            "mails": sum(mails.values()),
            "adds": Counter(str(item["status"]) for item in calls if item["method"] == "POST"),
            "calls_429": sum(item["status"] == 429 for item in self.zoom.calls()),
            "busiest_second": busiest_second([item["time"] for item in self.zoom.calls()]),
            "statuses": self.statuses,
            "slowest": max(self.seconds, default=0.0),
            "processes": self.processes.counts,
        }


def busiest_second(times: list[float]) -> int:
    """The largest number of calls within one second."""
    times, busiest, first = sorted(times), 0, 0
    for index, time_value in enumerate(times):
        while time_value - times[first] >= 1:
            first += 1
        busiest = max(busiest, index - first + 1)
    return busiest


def killed(rush: Rush) -> dict[str, Any]:
    """200 registrations while workers are killed."""
    add = {"method": "POST", "path": "/registrants$"}
    rush.zoom.options(latency=150)
    rush.zoom.fault("status", **add, status=500, message="x", probability=0.15)
    rush.zoom.fault("cut_after", **add, probability=0.1)
    actions: list[Callable[[], None]] = []
    for index in range(rush.people):
        email = f"p{index}@example.org"
        action = rush.own_code if index % 2 else rush.post
        repeats = 2 if index % 10 == 0 else 1
        actions += [lambda action=action, email=email: action(email)] * repeats  # type: ignore[misc]
    is_over, leases_at_kill = threading.Event(), []

    def kill() -> None:
        while not is_over.wait(rush.rng.uniform(0.5, 4.0)):
            leases_at_kill.append(rush.leases())
            rush.processes.kill(rush.rng, rush.processes.workers)
            is_over.wait(rush.rng.uniform(0.0, 0.5))
            rush.processes.restart()

    # The last registrations are sent to Zoom while workers are still being killed.
    kill_thread = threading.Thread(target=kill)
    kill_thread.start()
    submitted = rush.run_concurrently(actions, threads=2)
    first_finish = rush.finish(max(5.0, 30 - submitted))
    is_over.set()
    kill_thread.join()
    rush.zoom.clear_faults()
    rush.processes.restart()
    last_finish = rush.finish(60)
    return {
        "seconds": [submitted, first_finish, last_finish],
        "rows_at_work_when_killed": leases_at_kill,
    }


def minute(rush: Rush) -> dict[str, Any]:
    """1,000 registrations as fast as they are accepted, with the rate limits of Zoom's plan."""
    rush.zoom.options(latency=100, rate_limit="plan")
    actions = [
        lambda email=f"p{index}@example.org": rush.post(email)  # type: ignore[misc]
        for index in range(rush.people)
    ]
    took = rush.run_concurrently(actions, threads=16)
    return {"seconds": [took, rush.finish(180)]}


def main() -> int:
    parser = argparse.ArgumentParser(prog="rush", description=__doc__)
    parser.add_argument("what", choices=sorted(NUMBERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--redis", default="")
    parser.add_argument("--people", type=int, default=0)
    options = parser.parse_args()
    os.environ["SOAK_LEASE"] = "12" if options.what == "killed" else "30"
    os.environ["SOAK_RATE_SHARE"] = "0.5"
    # gunicorn's recommendation: twice the cores and one.
    web_workers = 2 * (os.cpu_count() or 1) + 1 if options.what == "minute" else 2
    with installation(options.database, options.redis, web_workers=web_workers) as installed:
        rush = Rush(installed, options.seed, options.people or NUMBERS[options.what])
        rush.prepare()
        results = (killed if options.what == "killed" else minute)(rush)
        results |= rush.results()
        installed.good = not results["left"]
    print(json.dumps(results), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
