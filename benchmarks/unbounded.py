"""Reported without a bound: size of a page, queries of admin views, the worker's cold start,
size of the wheel.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import find
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from wagtail_zoom.models import SiteItem, WebhookEvent, ZoomSettings
from wagtail_zoom.utils.queue import enqueue

from . import fixtures
from .measure import Figure, report, timed
from .pages import LISTS, make_page

ROOT = Path(__file__).resolve().parent.parent
FILES = ("blocks.css", "zoom.js", "registration.js")
START_TIMEOUT = 60
"""Seconds that a worker may take to start."""


def run() -> None:
    """Report."""
    site_settings = fixtures.site_with_rows()
    fixtures.add_recordings(site_settings, 200)
    fixtures.add_occurrences(site_settings, 0, 3000)
    _page_size()
    _admin(site_settings)
    _worker()
    _wheel()


def _report(what: str, measured: str, note: str = "") -> None:
    report(Figure(what, measured, "", "", "", None, note))


def _page_size() -> None:
    html = Client().get(make_page("weight", LISTS)).content
    plain = Client().get(make_page("plain", [])).content
    own = len(html) - len(plain)
    parts = [Path(find(f"wagtail_zoom/{name}")).read_bytes() for name in FILES]
    _report(
        "Weight of a page with 3 lists of 20",
        f"{own / 1024:.0f} kB of HTML, {sum(map(len, parts)) / 1024:.1f} kB of files",
        f"compressed: {(_gzip_size(html) - _gzip_size(plain)) / 1024:.1f} kB and "
        f"{sum(map(_gzip_size, parts)) / 1024:.1f} kB; files: {', '.join(FILES)}",
    )


def _gzip_size(data: bytes) -> int:
    return len(gzip.compress(data))


def _admin(site_settings: ZoomSettings) -> None:
    """The second visit to each view, on a Site with 300 series and 200 recordings."""
    client = Client()
    client.force_login(fixtures.admin())
    items = {kind: SiteItem.objects.filter(kind=kind).first() for kind in ("meeting", "recording")}
    meeting, recording = (item.pk for item in items.values() if item is not None)
    site = site_settings.site_id
    results = []
    for name, url in (
        ("start page", reverse("wagtailadmin_home")),
        ("panel", reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site])),
        ("meetings", reverse("wagtail_zoom_meetings:index")),
        ("a meeting", reverse("wagtail_zoom_meetings:edit", args=[meeting])),
        ("recordings", reverse("wagtail_zoom_recordings:index")),
        ("a recording", reverse("wagtail_zoom_recordings:edit", args=[recording])),
        ("registrations", reverse("wagtail_zoom_registrations:index")),
        ("activity", reverse("wagtail_zoom_activity:index")),
        ("chooser", reverse("wagtail_zoom_items:choose")),
        ("all Sites", reverse("wagtail_zoom_admin:overview")),
    ):
        _visit(client, url)
        with CaptureQueriesContext(connection) as seen:
            _visit(client, url)
        count = len(seen)
        middle = statistics.median(
            timed(lambda url_to_visit=url: _visit(client, url_to_visit)) for _ in range(3)
        )
        results.append(f"{name} {count} ({middle * 1000:.0f} ms)")
    _report("Queries of admin views", ", ".join(results), "second visit; Wagtail's own included")


def _visit(client: Client, url: str) -> Any:
    response = client.get(url, follow=True)
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}.")
    return response


def _worker() -> None:
    """Time from the worker's start to its first processed event."""
    row = WebhookEvent.objects.create(
        request_id="cold", content_key="cold", event="meeting.started", account_zoom_id="nobody",
        lock_key="nobody:meeting:1", payload={"object": {"id": "1"}},
    )  # fmt: skip
    enqueue("process_events")
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "django", "qcluster"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while time.monotonic() - began < START_TIMEOUT:
            row.refresh_from_db()
            if row.state != "pending":
                break
            time.sleep(0.02)
        seconds = time.monotonic() - began
        process.terminate()
    _report(
        "Cold start of the worker",
        f"{seconds:.1f} s" if row.state != "pending" else f"more than {START_TIMEOUT} s",
        "from the start of qcluster to the first processed event",
    )


def _wheel() -> None:
    """Built from a copy, so that no build files stay in the source."""
    with tempfile.TemporaryDirectory() as folder:
        copy, out = Path(folder, "source"), Path(folder, "out")
        copy.mkdir()
        shutil.copytree(ROOT / "wagtail_zoom", copy / "wagtail_zoom")
        for path in ROOT.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy(path, copy)
        command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
        result = subprocess.run([sys.executable, *command], capture_output=True, check=False)
        wheel = next(out.glob("*.whl"), None)
        size = f"{wheel.stat().st_size / 1024:.0f} kB" if wheel else "not built"
        last = result.stderr.decode().strip().splitlines()[-1:] or [""]
        _report("Size of the wheel", size, "" if wheel else last[0][:120])
