"""Reported without a bound: weight of a page, queries of admin views, the worker's cold start,
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
from .pages import LISTS, make

ROOT = Path(__file__).resolve().parent.parent
FILES = ("blocks.css", "zoom.js", "registration.js")
PATIENCE = 60
"""Seconds that a worker may take to start."""


def run() -> None:
    """Report."""
    choice = fixtures.mirrored_site()
    fixtures.add_recordings(choice, 200)
    fixtures.add_dates(choice, 0, 3000)
    _weight()
    _admin(choice)
    _worker()
    _wheel()


def _tell(what: str, ours: str, note: str = "") -> None:
    report(Figure(what, ours, "", "", "", None, note))


def _weight() -> None:
    html = Client().get(make("weight", LISTS)).content
    plain = Client().get(make("plain", [])).content
    own = len(html) - len(plain)
    parts = [Path(find(f"wagtail_zoom/{name}")).read_bytes() for name in FILES]
    _tell(
        "Weight of a page with 3 lists of 20",
        f"{own / 1024:.0f} kB of HTML, {sum(map(len, parts)) / 1024:.1f} kB of files",
        f"compressed: {(_packed(html) - _packed(plain)) / 1024:.1f} kB and "
        f"{sum(map(_packed, parts)) / 1024:.1f} kB; files: {', '.join(FILES)}",
    )


def _packed(data: bytes) -> int:
    return len(gzip.compress(data))


def _admin(choice: ZoomSettings) -> None:
    """The second visit to each view, on a Site with 300 series and 200 recordings."""
    client = Client()
    client.force_login(fixtures.admin())
    items = {kind: SiteItem.objects.filter(kind=kind).first() for kind in ("meeting", "recording")}
    meeting, film = (item.pk for item in items.values() if item is not None)
    site = choice.site_id
    found = []
    for name, address in (
        ("start page", reverse("wagtailadmin_home")),
        ("panel", reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site])),
        ("meetings", reverse("wagtail_zoom_meetings:index")),
        ("a meeting", reverse("wagtail_zoom_meetings:edit", args=[meeting])),
        ("recordings", reverse("wagtail_zoom_recordings:index")),
        ("a recording", reverse("wagtail_zoom_recordings:edit", args=[film])),
        ("sign-ups", reverse("wagtail_zoom_registrations:index")),
        ("activity", reverse("wagtail_zoom_activity:index")),
        ("chooser", reverse("wagtail_zoom_items:choose")),
        ("all Sites", reverse("wagtail_zoom_admin:fleet")),
    ):
        _visit(client, address)
        with CaptureQueriesContext(connection) as seen:
            _visit(client, address)
        count = len(seen)
        middle = statistics.median(timed(lambda at=address: _visit(client, at)) for _ in range(3))
        found.append(f"{name} {count} ({middle * 1000:.0f} ms)")
    _tell("Queries of admin views", ", ".join(found), "second visit; Wagtail's own included")


def _visit(client: Client, address: str) -> Any:
    answer = client.get(address, follow=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}.")
    return answer


def _worker() -> None:
    """From its start to the first message worked off."""
    row = WebhookEvent.objects.create(
        request_id="cold", content_key="cold", event="meeting.started", account_zoom_id="nobody",
        lane="nobody:meeting:1", payload={"object": {"id": "1"}},
    )  # fmt: skip
    enqueue("drain")
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "django", "qcluster"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while time.monotonic() - began < PATIENCE:
            row.refresh_from_db()
            if row.state != "pending":
                break
            time.sleep(0.02)
        seconds = time.monotonic() - began
        process.terminate()
    _tell(
        "Cold start of the worker",
        f"{seconds:.1f} s" if row.state != "pending" else f"more than {PATIENCE} s",
        "from the start of qcluster to the first message worked off",
    )


def _wheel() -> None:
    """Built from a copy, so that nothing of it stays in the source."""
    with tempfile.TemporaryDirectory() as folder:
        copy, out = Path(folder, "source"), Path(folder, "out")
        copy.mkdir()
        shutil.copytree(ROOT / "wagtail_zoom", copy / "wagtail_zoom")
        for path in ROOT.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy(path, copy)
        command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
        done = subprocess.run([sys.executable, *command], capture_output=True, check=False)
        wheel = next(out.glob("*.whl"), None)
        size = f"{wheel.stat().st_size / 1024:.0f} kB" if wheel else "not built"
        last = done.stderr.decode().strip().splitlines()[-1:] or [""]
        _tell("Size of the wheel", size, "" if wheel else last[0][:120])
