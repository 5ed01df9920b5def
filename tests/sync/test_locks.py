"""A crashed worker leaves nothing locked and nothing half done (W18, S3, S23)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.concurrency import restore_test_database, run_concurrently
from tests.sync.test_bursts import event_object, now_ms, store_events, visible_data
from wagtail_zoom.models import (
    Meeting,
    ObjectLock,
    Recording,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync import inbox, runs

pytestmark = pytest.mark.django_db


def planned_meeting():
    return Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()


def test_w18_the_lock_of_a_crashed_worker_is_taken_over(connect, zoom_app):
    site_settings = connect("aurora-0")
    row = planned_meeting()
    zoom_app.change_meeting(int(row.zoom_id), topic="After the crash")
    store_events(site_settings.account, [("meeting.updated", event_object(row), now_ms())])
    event = WebhookEvent.objects.get()
    ObjectLock.objects.create(
        account=site_settings.account, key=event.lock_key, lease_owner="dead",
        lease_until=timezone.now() + timedelta(seconds=60),
    )  # fmt: skip
    zoom_app.clear_calls()
    inbox.process_due_events(timezone.now())
    assert zoom_app.calls() == []
    ObjectLock.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    WebhookEvent.objects.update(run_after=timezone.now())
    inbox.process_due_events(timezone.now())
    event.refresh_from_db()
    row.refresh_from_db()
    assert (event.state, row.topic) == ("done", "After the crash")
    assert ObjectLock.objects.get(key=event.lock_key).lease_owner == ""


@pytest.mark.django_db(transaction=True)
def test_w18_only_one_of_many_workers_reads(connect, zoom_app, tmp_path):
    site_settings = connect("aurora-0")
    row = planned_meeting()
    store_events(site_settings.account, [("meeting.updated", event_object(row), now_ms())] * 1)
    zoom_app.clear_calls()
    try:
        run_concurrently(
            lambda: inbox.process_due_events(timezone.now()), tmp_path, processes=3, threads=2
        )
        # A worker that finds the lock held puts the event off, and may be the first to try.
        WebhookEvent.objects.update(run_after=timezone.now())
        inbox.process_due_events(timezone.now())
        assert WebhookEvent.objects.get().state == "done"
    finally:
        restore_test_database()
    assert len(zoom_app.calls(f"path=/v2/meetings/{row.zoom_id}")) <= 2  # detail and questions


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_s3_a_crash_at_any_statement_is_repaired_by_the_next_run(connect, zoom_app, zoom_worker):
    """The database fails in the middle, again and again: in the end each row exists once."""
    site_settings = connect("aurora-0")
    before = visible_data()
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    for number in range(3, 240, 9):
        remaining = [number]

        def crash(execute, sql, params, many, context, remaining=remaining):
            if sql.startswith(("INSERT", "UPDATE", "DELETE")):
                remaining[0] -= 1
                if remaining[0] == 0:
                    raise OperationalError("the server is gone")
            return execute(sql, params, many, context)

        run = runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
        try:
            with connection.execute_wrapper(crash):
                zoom_worker.run()
        except OperationalError:
            zoom_worker.clear()
        ZoomAccount.objects.update(lease_until=None, lease_owner="")
        SyncRun.objects.filter(pk=run.pk).update(next_try_at=None, attempts=0)
    for run in SyncRun.objects.filter(state__in=("queued", "running")):
        SyncRun.objects.filter(pk=run.pk).update(next_try_at=None, beat_at=None)
        runs.sweep()
        zoom_worker.run()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert visible_data() == before
    assert not SyncRun.objects.filter(state__in=("queued", "running")).exists()


def test_s23_reconcile_runs_of_many_accounts_do_not_start_together(db):
    now = timezone.now()
    account = ZoomAccount(zoom_id="a", plan="pro")
    account.save()
    times = sorted(
        (runs.next_reconcile_time(account, now) - now).total_seconds() for _ in range(1000)
    )
    assert times[-1] - times[0] > 3600
    assert max(sum(1 for seconds in times if low <= seconds < low + 60) for low in times[::10]) < 80
