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

from tests.concurrency import restore_test_database, run_concurrently
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


def port_is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


@pytest.mark.services
@pytest.mark.parametrize("broker", ["orm", "redis"])
def test_several_processes_on_postgresql(broker):
    """gunicorn with two workers and two qclusters: connect, import, changes by webhook events,
    registrations with the public form; then every row is compared with the Zoom simulator."""
    pytest.importorskip("gunicorn")
    if not port_is_open(5432) or (broker == "redis" and not port_is_open(6379)):
        pytest.skip("PostgreSQL or Redis does not answer on this machine.")
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.3", "--seed", "1", "--no-kills"]
    command += ["--no-faults", "--database", "postgres"]
    command += ["--redis", REDIS] if broker == "redis" else []
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    assert "accepted, approved" in result.stdout


@pytest.fixture
def due_account(transactional_db, settings, tmp_path):
    """An account whose reconciliation is due, with one grant."""
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
    site_settings = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=now, show_meetings=True
    )
    ExposedHost.objects.create(settings=site_settings, host=host)
    yield grant
    restore_test_database()


def test_parallel_ticks_plan_one_reconciliation(due_account, tmp_path):
    """Two workers may both run the tick: it creates one run of the account."""
    assert run_concurrently(tasks.tick, tmp_path, processes=2, threads=2) == [None] * 4
    assert SyncRun.objects.count() == 1


def test_parallel_ticks_send_one_email(due_account, tmp_path):
    """The owner is notified once that the connection is broken."""
    long_ago = timezone.now() - timedelta(days=1)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant", state_since=long_ago)
    assert run_concurrently(tasks.tick, tmp_path, processes=2, threads=2) == [None] * 4
    emails = list((tmp_path / "mails").glob("*.log"))
    assert sum(mail.read_text().count("Subject:") for mail in emails) == 1
