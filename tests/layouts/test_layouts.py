"""Several machines as several processes: web servers, workers, one database, a broker."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.concurrency import leave_copy, run_crowd
from tests.default_site import default_site
from wagtail_zoom import tasks
from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    Host,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)

ROOT = Path(__file__).resolve().parent.parent.parent
REDIS = "redis://127.0.0.1:6379/9"


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


@pytest.mark.services
@pytest.mark.parametrize("broker", ["orm", "redis"])
def test_several_processes_on_postgresql(broker):
    """gunicorn with two workers and two qclusters: connect, import, changes by message, sign-ups
    through the public form; then every row is compared with what the simulated Zoom has."""
    pytest.importorskip("gunicorn")
    if not answers(5432) or (broker == "redis" and not answers(6379)):
        pytest.skip("PostgreSQL or Redis does not answer on this machine.")
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.3", "--seed", "1", "--no-kills"]
    command += ["--no-faults", "--database", "postgres"]
    command += ["--redis", REDIS] if broker == "redis" else []
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "accepted, approved" in done.stdout


@pytest.fixture
def due(transactional_db, settings, tmp_path):
    """One account whose comparison is due, and whose other permission has just been lost."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    site, now = default_site(), timezone.now()
    owner = User.objects.create_superuser("owner", "owner@example.org", "pw")
    account = ZoomAccount.objects.create(zoom_id="a", next_reconcile_at=now - timedelta(hours=1))
    host = Host.objects.create(account=account, zoom_id="h")
    grant = Grant.objects.create(
        client_id="simulator-client", account=account, zoom_user_id="h", account_level=True,
        connected_by=owner,
    )  # fmt: skip
    choice = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=now, show_meetings=True
    )
    ExposedHost.objects.create(settings=choice, host=host)
    yield grant
    leave_copy()


def test_ticks_at_once_plan_one_comparison(due, tmp_path):
    """Two workers may both run the minutely tick: one run of the account comes of it."""
    assert run_crowd(tasks.tick, tmp_path, processes=2, threads=2) == [None] * 4
    assert SyncRun.objects.count() == 1


def test_ticks_at_once_send_one_mail(due, tmp_path):
    """And the owner is told once that the permission is lost."""
    long_ago = timezone.now() - timedelta(days=1)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant", state_since=long_ago)
    assert run_crowd(tasks.tick, tmp_path, processes=2, threads=2) == [None] * 4
    mails = list((tmp_path / "mails").glob("*.log"))
    assert sum(mail.read_text().count("Subject:") for mail in mails) == 1
