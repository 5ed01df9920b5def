"""A registration, with a Zoom that takes 150 ms for each response."""

from __future__ import annotations

import statistics
import time

import requests
from django.core.cache import cache
from django.test import Client

from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Grant, Meeting, Registration, ZoomSettings

from . import fixtures
from .measure import QUICK, Figure, ms, report


class _BareCall:
    """The one API call that a registration needs, and nothing else."""

    def __init__(self, url: str, site_settings: ZoomSettings, meeting: Meeting) -> None:
        self.session = requests.Session()
        token = Grant.objects.get(pk=site_settings.grant_id).access_token.reveal()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.url = f"{url}/v2/meetings/{meeting.zoom_id}/registrants"

    def register(self, person: dict[str, str]) -> float:
        """Register a person; returns the seconds it took."""
        began = time.perf_counter()
        self.session.post(self.url, json=person, timeout=30).raise_for_status()
        return time.perf_counter() - began


def run() -> None:
    """Measure."""
    with fixtures.simulator("--rate-limit", "off") as zoom:
        zoom_meeting = zoom.create_meeting(
            "borealis-0", topic="Heat pumps", start_time="+3d 18:30", registration="auto"
        )
        runner = fixtures.worker()
        fixtures.disable_rate_limits()
        host = fixtures.host_id(zoom, "borealis-0")
        site_settings = fixtures.connected(runner, "borealis-0", hosts=(host,), kinds=("meetings",))
        site_settings.show_registration = True
        site_settings.save()
        fixtures.import_all(runner, site_settings)
        meeting = Meeting.objects.get(
            account=site_settings.account_id, zoom_id=str(zoom_meeting["id"])
        )
        site = site_settings.site
        url = FormLink(site.pk, site.root_page_id, meeting.pk, "en", {}).url
        zoom.options(latency=150)
        client, bare = Client(), _BareCall(zoom.url, site_settings, meeting)
        measured, baseline = [], []
        zoom.clear_calls()
        for number in range(6 if QUICK else 25):
            cache.clear()
            person = {
                "first_name": "Mika", "last_name": "Tanaka", "email": f"p{number}@example.org",
            }  # fmt: skip
            began = time.perf_counter()
            response = client.post(url, person, headers={"Sec-Fetch-Site": "same-origin"})
            measured.append(time.perf_counter() - began)
            if response.status_code != 303:
                raise RuntimeError(f"The registration was answered with {response.status_code}.")
            baseline.append(bare.register({**person, "email": f"baseline{number}@example.org"}))
        zoom.options(latency=0)
        calls = len(zoom.calls()) - len(baseline)
        approved = Registration.objects.filter(state=Registration.State.APPROVED).count()
    measured_median, baseline_median = (
        statistics.median(measured[1:]),
        statistics.median(baseline[1:]),
    )
    report(
        Figure(
            "Registration → response, Zoom takes 150 ms",
            ms(measured[1:]),
            f"the same call to Zoom, bare: {ms(baseline[1:])}",
            f"{measured_median / baseline_median:.2f} ×",
            "≤ 1.3 × + 30 ms",
            measured_median <= 1.3 * baseline_median + 0.03,
            f"{approved} of {len(measured)} approved at Zoom within the request; "
            f"{calls} calls to Zoom for them",
        )  # fmt: skip
    )
