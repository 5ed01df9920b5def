"""A deploy in the middle of an import: workers end, are killed, start anew, and tables change."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django_q.tasks import async_task

from demo_site.processes import Process
from tests.concurrency import leave_copy, share_database
from wagtail_zoom.models import Meeting, Occurrence, SyncRun, ZoomAccount
from wagtail_zoom.sync import runs
from wagtail_zoom.testing.connect import connect_and_import
from wagtail_zoom.utils.queue import ensure_schedule

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MEETINGS = 1000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(django_user_model, zoom_app, zoom_worker, settings, tmp_path):
    """One Site that is connected and has chosen, its import still to come; its database on file,
    and the environment of other programs."""
    from tests.default_site import default_site

    django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0, "RATE_SHARE": 1.0}
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=MEETINGS)
    zoom_app.options(rate_limit="off", latency=200)
    connect_and_import(
        default_site(), "aurora-0", zoom_worker, show=("meetings",), hosts=[host],
        plan="business", host="testserver", work=False,
    )  # fmt: skip
    zoom_worker.lose()
    ensure_schedule()
    environment = {
        **share_database(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.layouts.deploy_settings",
        "TEST_SIMULATOR_URL": zoom_app.url,
    }
    try:
        yield environment
    finally:
        leave_copy()


@pytest.fixture
def worker(place, tmp_path):
    """``worker("old")``: starts one; all of them are ended afterwards."""
    started = []

    def start(name):
        log = tmp_path / "logs" / f"{name}.log"
        process = Process(name, ["-m", "django", "qcluster"], log, place)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


def manage(place, *arguments):
    """A command of the new code, as a deploy runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "django", *arguments], cwd=ROOT, check=False,
        env={**os.environ, **place}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def until(found, *, seconds, processes=()):
    """Wait for something to be so."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        with contextlib.suppress(Exception):  # a locked or half migrated database
            if found():
                return
        time.sleep(0.1)
    words = "\n".join(process.last_words(40) for process in processes)
    pytest.fail(f"Not within {seconds} s. {SyncRun.objects.values()}\n{words}")


def stored():
    return Meeting.objects.filter(topic__startswith="Meeting ", detail_at__isnull=False).count()


def is_done():
    return SyncRun.objects.filter(state="done").exists()


def everything_is_there_once():
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == MEETINGS
    single = Meeting.objects.filter(topic__startswith="Meeting ", zoom_type=2)
    assert Occurrence.objects.filter(meeting__in=single).count() == single.count()
    assert SyncRun.objects.count() == SyncRun.objects.filter(state="done").count() >= 1
    assert ZoomAccount.objects.get().lease_until is None


def test_workers_end_and_are_killed_in_the_middle_of_an_import(place, worker):
    """SIGTERM to the old one, a new one, SIGKILL to that as well: the last one ends the run."""
    old = worker("old")
    until(lambda: stored() > 20, seconds=90, processes=[old])
    old.child.send_signal(signal.SIGTERM)
    old.child.wait(timeout=45)  # by itself, when its slice is over
    assert old.child.returncode == 0
    assert 20 < stored() < MEETINGS
    before = stored()
    new = worker("new")
    until(lambda: before + 20 < stored() < MEETINGS, seconds=90, processes=[new])
    os.killpg(new.child.pid, signal.SIGKILL)
    new.child.wait()
    assert ZoomAccount.objects.get().lease_until is not None
    last = worker("last")
    until(is_done, seconds=180, processes=[last])
    last.stop()
    everything_is_there_once()


def test_new_code_before_its_tables_and_old_code_after(place, worker):
    """The worker starts before ``migrate``: what needs the new table waits for it, and the run
    goes on. Then the old release's tasks, with other arguments, do no harm."""
    manage(place, "migrate", "--verbosity", "0", "wagtail_zoom", "0001")
    async_task("wagtail_zoom.tasks.sync_slice")
    async_task("wagtail_zoom.tasks.sync_slice", 1, 2, 3)
    async_task("wagtail_zoom.tasks.no_longer_there", 1)
    early = worker("early")
    until(lambda: stored() > 20, seconds=120, processes=[early])
    manage(place, "migrate", "--verbosity", "0")
    until(is_done, seconds=180, processes=[early])
    runs.request_run(ZoomAccount.objects.get(), SyncRun.Mode.RECONCILE)
    until(lambda: SyncRun.objects.filter(state="done").count() == 2, seconds=120,
          processes=[early])  # fmt: skip
    early.stop()
    everything_is_there_once()
    call_command("makemigrations", "wagtail_zoom", "--check", "--dry-run", verbosity=0)
