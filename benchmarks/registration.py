"""A sign-up with a Zoom that takes 150 ms for each answer."""

from __future__ import annotations

import statistics
import time

import requests
from django.core.cache import cache
from django.test import Client

from wagtail_zoom.frontend.form_links import Ref
from wagtail_zoom.models import Grant, Meeting, Registration, ZoomSettings

from . import fixtures
from .measure import QUICK, Figure, ms, report


class _Bare:
    """The one call to Zoom that a sign-up needs, and nothing else."""

    def __init__(self, url: str, choice: ZoomSettings, meeting: Meeting) -> None:
        self.session = requests.Session()
        token = Grant.objects.get(pk=choice.grant_id).access_token.reveal()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.url = f"{url}/v2/meetings/{meeting.zoom_id}/registrants"

    def register(self, person: dict[str, str]) -> float:
        """Seconds that it takes."""
        began = time.perf_counter()
        self.session.post(self.url, json=person, timeout=30).raise_for_status()
        return time.perf_counter() - began


def run() -> None:
    """Measure."""
    with fixtures.simulator("--rate-limit", "off") as zoom:
        made = zoom.create_meeting(
            "borealis-0", topic="Heat pumps", start_time="+3d 18:30", registration="auto"
        )
        runner = fixtures.worker()
        fixtures.no_budget()
        host = fixtures.host_id(zoom, "borealis-0")
        choice = fixtures.connected(runner, "borealis-0", hosts=(host,), kinds=("meetings",))
        choice.show_registration = True
        choice.save()
        fixtures.import_all(runner, choice)
        meeting = Meeting.objects.get(account=choice.account_id, zoom_id=str(made["id"]))
        site = choice.site
        url = Ref(site.pk, site.root_page_id, meeting.pk, "en", {}).url
        zoom.options(latency=150)
        client, bare = Client(), _Bare(zoom.url, choice, meeting)
        ours, floor = [], []
        zoom.forget_calls()
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
            floor.append(bare.register({**person, "email": f"floor{number}@example.org"}))
        zoom.options(latency=0)
        calls = len(zoom.calls()) - len(floor)
        done = Registration.objects.filter(state=Registration.State.APPROVED).count()
    mine, theirs = statistics.median(ours[1:]), statistics.median(floor[1:])
    report(
        Figure(
            "Sign-up → answer, Zoom takes 150 ms",
            ms(ours[1:]),
            f"the same call to Zoom, bare: {ms(floor[1:])}",
            f"{mine / theirs:.2f} ×",
            "≤ 1.3 × + 30 ms",
            mine <= 1.3 * theirs + 0.03,
            f"{done} of {len(ours)} approved at Zoom within the request; "
            f"{calls} calls to Zoom for them",
        )  # fmt: skip
    )
