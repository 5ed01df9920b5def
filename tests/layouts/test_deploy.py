"""A deploy during an import: workers stop, are killed and restart, and tables change."""

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
from tests.concurrency import restore_test_database, share_database
from wagtail_zoom.models import Meeting, Occurrence, SyncRun, ZoomAccount
from wagtail_zoom.sync import runs
from wagtail_zoom.testing.connect import connect_and_import
from wagtail_zoom.utils.queue import ensure_schedule

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MEETINGS = 1000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(django_user_model, zoom_app, zoom_worker, settings, tmp_path):
    """A connected and configured Site before its import, its database in a file; yields the
    environment for other programs."""
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
    zoom_worker.clear()
    ensure_schedule()
    environment = {
        **share_database(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.layouts.deploy_settings",
        "TEST_SIMULATOR_URL": zoom_app.url,
    }
    try:
        yield environment
    finally:
        restore_test_database()


@pytest.fixture
def worker(environment, tmp_path):
    """``worker("old")`` starts one; all are stopped afterwards."""
    started = []

    def start(name):
        log = tmp_path / "logs" / f"{name}.log"
        process = Process(name, ["-m", "django", "qcluster"], log, environment)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


def manage(environment, *arguments):
    """Run a management command of the new code, as in a deploy."""
    result = subprocess.run(
        [sys.executable, "-m", "django", *arguments], cwd=ROOT, check=False,
        env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def wait_until(condition, *, seconds, processes=()):
    """Wait until a condition is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):  # a locked or half migrated database
            if condition():
                return
        time.sleep(0.1)
    output = "\n".join(process.log_tail(40) for process in processes)
    pytest.fail(f"Not within {seconds} s. {SyncRun.objects.values()}\n{output}")


def stored_count():
    return Meeting.objects.filter(topic__startswith="Meeting ", detail_at__isnull=False).count()


def is_done():
    return SyncRun.objects.filter(state="done").exists()


def assert_imported_once():
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == MEETINGS
    single = Meeting.objects.filter(topic__startswith="Meeting ", zoom_type=2)
    assert Occurrence.objects.filter(meeting__in=single).count() == single.count()
    assert SyncRun.objects.count() == SyncRun.objects.filter(state="done").count() >= 1
    assert ZoomAccount.objects.get().lease_until is None


def test_workers_end_and_are_killed_in_the_middle_of_an_import(environment, worker):
    """SIGTERM to the old worker, SIGKILL to the new one: the last one completes the run."""
    old = worker("old")
    wait_until(lambda: stored_count() > 20, seconds=90, processes=[old])
    old.child.send_signal(signal.SIGTERM)
    old.child.wait(timeout=45)  # when its slice has ended
    assert old.child.returncode == 0
    assert 20 < stored_count() < MEETINGS
    before = stored_count()
    new = worker("new")
    wait_until(lambda: before + 20 < stored_count() < MEETINGS, seconds=90, processes=[new])
    os.killpg(new.child.pid, signal.SIGKILL)
    new.child.wait()
    assert ZoomAccount.objects.get().lease_until is not None
    last = worker("last")
    wait_until(is_done, seconds=180, processes=[last])
    last.stop()
    assert_imported_once()


def test_new_code_before_its_tables_and_old_code_after(environment, worker):
    """The worker starts before ``migrate``: work that needs the new table waits for it, and the run
    continues. Tasks of the old release, with other arguments, do no harm."""
    manage(environment, "migrate", "--verbosity", "0", "wagtail_zoom", "0001")
    async_task("wagtail_zoom.tasks.sync_slice")
    async_task("wagtail_zoom.tasks.sync_slice", 1, 2, 3)
    async_task("wagtail_zoom.tasks.no_longer_there", 1)
    early = worker("early")
    wait_until(lambda: stored_count() > 20, seconds=120, processes=[early])
    manage(environment, "migrate", "--verbosity", "0")
    wait_until(is_done, seconds=180, processes=[early])
    runs.request_run(ZoomAccount.objects.get(), SyncRun.Mode.RECONCILE)
    wait_until(lambda: SyncRun.objects.filter(state="done").count() == 2, seconds=120,
          processes=[early])  # fmt: skip
    early.stop()
    assert_imported_once()
    call_command("makemigrations", "wagtail_zoom", "--check", "--dry-run", verbosity=0)
