"""Many sign-ups for one meeting, through real processes: ``python -m tests.soak.rush killed``.

``killed``: 200 sign-ups, half of them from a project's own code, while Zoom fails now and then and
the workers are killed with SIGKILL all the time. ``minute``: 1,000 within a minute, with the rates
of Zoom's plan. The last line is JSON: what was seen, for the test that started it.
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

from .ground import Ground, installation

TICK = 5.0
"""Seconds that a minute of the schedule lasts here, so that a lost wake-up is found soon."""
NUMBERS = {"killed": 200, "minute": 1000}


class Rush:
    """One Site, one meeting, many people."""

    def __init__(self, ground: Ground, seed: int, people: int) -> None:
        from wagtail_zoom.testing.server import SimulatorControl

        self.stage, self.dice = ground.stage, random.Random(seed)
        self.zoom = SimulatorControl(self.stage.places.simulator_url)
        self.number, self.people = 0, people
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []

    def prepare(self) -> None:
        """Database, one connected Site, one meeting that takes sign-ups, all processes."""
        from django.core.management import call_command

        from demo_site.connecting import wait_for_import
        from demo_site.sites import AURORA
        from wagtail_zoom.frontend.form_links import Ref
        from wagtail_zoom.models import Meeting, ZoomAccount

        from . import owners

        call_command("setup_demo", verbosity=0)
        self.stage.start_zoom()
        made = self.zoom.create_meeting(
            "aurora-0", topic="Rush", start_time="+20d 18:00", registration="auto"
        )
        self.number = int(made["id"])
        self.stage.start()
        self.site = owners.connect(AURORA, "aurora-0")
        if not wait_for_import(120):
            raise RuntimeError(self.stage.workers[0].last_words())
        self.meeting = Meeting.objects.select_related("account").get(zoom_id=str(self.number))
        ZoomAccount.objects.filter(pk=self.meeting.account_id).update(plan="pro")
        ref = Ref(self.site.pk, self.site.root_page_id, self.meeting.pk, "en", {})
        self.path = ref.url
        self.zoom.forget_calls()

    # What people do

    def post(self, email: str) -> None:
        """Press the button of the form, until an answer comes."""
        import requests

        from demo_site.places import LOOPBACK

        address = f"http://{LOOPBACK}:{self.stage.places.port}{self.path}"
        headers = {
            "Host": f"{self.site.hostname}:{self.stage.places.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        data = {"first_name": "Mika", "last_name": "Tanaka", "email": email}
        began = time.monotonic()
        answer = requests.post(
            address, data=data, headers=headers, allow_redirects=False, timeout=60
        )
        self.seconds.append(time.monotonic() - began)
        self.statuses[str(answer.status_code)] += 1

    def own_code(self, email: str) -> None:
        """As a project does after a payment: only saved, everything else is the worker's."""
        from wagtail_zoom.registration.service import register

        register(
            site=self.site, meeting=self.meeting, email=email, first_name="Mika",
            last_name="Tanaka",
        )  # fmt: skip
        self.statuses["own code"] += 1

    def everybody(self, deeds: list[Callable[[], None]], threads: int) -> float:
        """Let so many at once do all of it; the seconds that it took."""
        from django.db import connection

        left: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for deed in deeds:
            left.put(deed)

        def work() -> None:
            while True:
                try:
                    deed = left.get_nowait()
                except queue.Empty:
                    break
                try:
                    deed()
                except Exception as problem:
                    self.statuses[f"{type(problem).__name__}"] += 1
            connection.close()

        began = time.monotonic()
        crowd = [threading.Thread(target=work) for _ in range(threads)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        return time.monotonic() - began

    def settle(self, limit: float) -> float:
        """Wait until nothing is due any more; the seconds that it took."""
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
        """How many sign-ups somebody works on at this moment."""
        from wagtail_zoom.models import Registration

        return Registration.objects.exclude(lease_until=None).count()

    # What was seen

    def seen(self) -> dict[str, Any]:
        """Our rows, Zoom's registrants, the mails and the calls, counted."""
        from django.conf import settings

        from demo_site.mails import newest
        from wagtail_zoom.models import Registration

        rows = list(Registration.objects.all())
        ours = Counter(row.email.reveal() for row in rows)
        there = self.zoom.registrants(self.number)
        at_zoom = Counter(str(one["email"]) for one in there)
        states = {str(one["id"]): str(one["status"]) for one in there}
        calls = [one for one in self.zoom.calls() if one["path"].endswith("/registrants")]
        mails = Counter(one.to for one in newest(settings.EMAIL_FILE_PATH, 100_000))
        return {
            "rows": len(rows),
            "rows_twice": [who for who, count in ours.items() if count > 1],
            "registrants": len(there),
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
            "adds": Counter(str(one["status"]) for one in calls if one["method"] == "POST"),
            "calls_429": sum(one["status"] == 429 for one in self.zoom.calls()),
            "busiest_second": busiest([one["time"] for one in self.zoom.calls()]),
            "statuses": self.statuses,
            "slowest": max(self.seconds, default=0.0),
            "processes": self.stage.counts,
        }


def busiest(moments: list[float]) -> int:
    """The most calls within any one second."""
    moments, most, first = sorted(moments), 0, 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= 1:
            first += 1
        most = max(most, place - first + 1)
    return most


def killed(rush: Rush) -> dict[str, Any]:
    """200 sign-ups while workers die."""
    add = {"method": "POST", "path": "/registrants$"}
    rush.zoom.options(latency=150)
    rush.zoom.fault("status", **add, status=500, message="x", probability=0.15)
    rush.zoom.fault("cut_after", **add, probability=0.1)
    deeds: list[Callable[[], None]] = []
    for place in range(rush.people):
        email = f"p{place}@example.org"
        deed = rush.own_code if place % 2 else rush.post
        times = 2 if place % 10 == 0 else 1
        deeds += [lambda deed=deed, email=email: deed(email)] * times  # type: ignore[misc]
    over, at_work = threading.Event(), []

    def kill() -> None:
        while not over.wait(rush.dice.uniform(0.5, 4.0)):
            at_work.append(rush.leases())
            rush.stage.kill(rush.dice, rush.stage.workers)
            over.wait(rush.dice.uniform(0.0, 0.5))
            rush.stage.revive()

    # The last are brought to Zoom while the killing goes on.
    reaper = threading.Thread(target=kill)
    reaper.start()
    took = rush.everybody(deeds, threads=2)
    lived = rush.settle(max(5.0, 30 - took))
    over.set()
    reaper.join()
    rush.zoom.clear_faults()
    rush.stage.revive()
    settled = rush.settle(60)
    return {"seconds": [took, lived, settled], "rows_at_work_when_killed": at_work}


def minute(rush: Rush) -> dict[str, Any]:
    """1,000 sign-ups as fast as they are taken, at the rates of Zoom's plan."""
    rush.zoom.options(latency=100, rate_limit="plan")
    deeds = [
        lambda email=f"p{place}@example.org": rush.post(email)  # type: ignore[misc]
        for place in range(rush.people)
    ]
    took = rush.everybody(deeds, threads=16)
    return {"seconds": [took, rush.settle(180)]}


def main() -> int:
    parser = argparse.ArgumentParser(prog="rush", description=__doc__)
    parser.add_argument("what", choices=sorted(NUMBERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--redis", default="")
    parser.add_argument("--people", type=int, default=0)
    given = parser.parse_args()
    os.environ["SOAK_LEASE"] = "12" if given.what == "killed" else "30"
    os.environ["SOAK_RATE_SHARE"] = "0.5"
    # As many as gunicorn advises: twice the cores and one.
    web_workers = 2 * (os.cpu_count() or 1) + 1 if given.what == "minute" else 2
    with installation(given.database, given.redis, web_workers=web_workers) as ground:
        rush = Rush(ground, given.seed, given.people or NUMBERS[given.what])
        rush.prepare()
        told = (killed if given.what == "killed" else minute)(rush)
        told |= rush.seen()
        ground.good = not told["left"]
    print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
