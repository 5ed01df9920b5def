"""A sign-up with a Zoom that takes 150 ms for each answer."""

from __future__ import annotations

import statistics
import time

import requests
from django.core.cache import cache
from django.test import Client

from wagtail_zoom.models import Meeting, Registration
from wagtail_zoom.registration.refs import Ref

from . import stage
from .measure import QUICK, Figure, ms, report


def run() -> None:
    """Measure."""
    with stage.simulator("--rate-limit", "off") as zoom:
        made = zoom.create_meeting(
            "borealis-0", topic="Heat pumps", start_time="+3d 18:30", registration="auto"
        )
        runner = stage.worker()
        stage.no_budget()
        host = stage.host_id(zoom, "borealis-0")
        choice = stage.connected(runner, "borealis-0", hosts=(host,), kinds=("meetings",))
        choice.show_registration = True
        choice.save()
        stage.import_all(runner, choice)
        meeting = Meeting.objects.get(account=choice.account_id, zoom_id=str(made["id"]))
        site = choice.site
        url = Ref(site.pk, site.root_page_id, meeting.pk, "en", {}).url
        zoom.options(latency=150)
        client, session = Client(), requests.Session()
        ours, floor = [], []
        for number in range(6 if QUICK else 25):
            cache.clear()
            person = {
                "first_name": "Mika", "last_name": "Tanaka", "email": f"p{number}@example.org",
            }  # fmt: skip
            began = time.perf_counter()
            answer = client.post(url, person, headers={"Sec-Fetch-Site": "same-origin"})
            ours.append(time.perf_counter() - began)
            if answer.status_code != 303:
                raise RuntimeError(f"The sign-up was answered with {answer.status_code}.")
            began = time.perf_counter()
            session.get(f"{zoom.url}/v2/users/me", timeout=30)
            floor.append(time.perf_counter() - began)
        zoom.options(latency=0)
        calls = len([one for one in zoom.calls() if "/registrants" in one["path"]])
        done = Registration.objects.filter(state=Registration.State.APPROVED).count()
    mine, theirs = statistics.median(ours[1:]), statistics.median(floor[1:])
    report(
        Figure(
            "Sign-up → answer, Zoom takes 150 ms",
            ms(ours[1:]),
            f"Zoom's answer: {ms(floor[1:])}",
            f"{mine / theirs:.2f} ×",
            "≤ 1.3 × + 30 ms",
            mine <= 1.3 * theirs + 0.03,
            f"{done} of {len(ours)} approved at Zoom within the request; "
            f"{calls} calls to Zoom in all",
        )  # fmt: skip
    )
