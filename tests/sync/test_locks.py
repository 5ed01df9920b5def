"""Who dies leaves nothing locked and nothing half done (W18, S3, S23)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.concurrency import leave_copy, run_crowd
from tests.sync.test_storms import messages, mirror, now_ms, thing_of
from wagtail_zoom.models import (
    Lane,
    Meeting,
    Recording,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync import inbox, runs

pytestmark = pytest.mark.django_db


def planned():
    return Meeting.objects.filter(zoom_type=2, start__gt=timezone.now()).first()


def test_w18_the_lane_of_a_dead_worker_is_taken_over(connect, zoom_app):
    choice = connect("aurora-0")
    row = planned()
    zoom_app.change_meeting(int(row.zoom_id), topic="After the crash")
    messages(choice.account, [("meeting.updated", thing_of(row), now_ms())])
    event = WebhookEvent.objects.get()
    Lane.objects.create(
        account=choice.account, key=event.lane, lease_owner="dead",
        lease_until=timezone.now() + timedelta(seconds=60),
    )  # fmt: skip
    zoom_app.forget_calls()
    inbox.work_off(timezone.now())
    assert zoom_app.calls() == []
    Lane.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    WebhookEvent.objects.update(run_after=timezone.now())
    inbox.work_off(timezone.now())
    event.refresh_from_db()
    row.refresh_from_db()
    assert (event.state, row.topic) == ("done", "After the crash")
    assert Lane.objects.get(key=event.lane).lease_owner == ""


@pytest.mark.django_db(transaction=True)
def test_w18_of_many_workers_one_reads(connect, zoom_app, tmp_path):
    choice = connect("aurora-0")
    row = planned()
    messages(choice.account, [("meeting.updated", thing_of(row), now_ms())] * 1)
    zoom_app.forget_calls()
    try:
        run_crowd(lambda: inbox.work_off(timezone.now()), tmp_path, processes=3, threads=2)
        # Who finds the lane taken puts the message off for a moment, and may be the first to ask.
        WebhookEvent.objects.update(run_after=timezone.now())
        inbox.work_off(timezone.now())
        assert WebhookEvent.objects.get().state == "done"
    finally:
        leave_copy()
    assert len(zoom_app.calls(f"path=/v2/meetings/{row.zoom_id}")) <= 2  # detail and questions


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_s3_a_crash_at_any_statement_is_mended_by_the_next_run(connect, zoom_app, zoom_worker):
    """The database goes away in the middle, again and again: in the end all is there once."""
    choice = connect("aurora-0")
    whole = mirror()
    Meeting.objects.all().delete()
    Recording.objects.all().delete()
    for number in range(3, 240, 9):
        left = [number]

        def crash(execute, sql, params, many, context, left=left):
            if sql.startswith(("INSERT", "UPDATE", "DELETE")):
                left[0] -= 1
                if left[0] == 0:
                    raise OperationalError("the server is gone")
            return execute(sql, params, many, context)

        run = runs.request_run(choice.account, SyncRun.Mode.BACKFILL)
        try:
            with connection.execute_wrapper(crash):
                zoom_worker.run()
        except OperationalError:
            zoom_worker.lose()
        ZoomAccount.objects.update(lease_until=None, lease_owner="")
        SyncRun.objects.filter(pk=run.pk).update(next_try_at=None, attempts=0)
    for run in SyncRun.objects.filter(state__in=("queued", "running")):
        SyncRun.objects.filter(pk=run.pk).update(next_try_at=None, beat_at=None)
        runs.sweep()
        zoom_worker.run()
    runs.request_run(choice.account, SyncRun.Mode.BACKFILL)
    zoom_worker.run()
    assert mirror() == whole
    assert not SyncRun.objects.filter(state__in=("queued", "running")).exists()


def test_s23_comparisons_of_many_accounts_do_not_start_together(db):
    now = timezone.now()
    account = ZoomAccount(zoom_id="a", plan="pro")
    account.save()
    times = sorted((runs.next_time(account, now) - now).total_seconds() for _ in range(1000))
    assert times[-1] - times[0] > 3600
    assert max(sum(1 for at in times if low <= at < low + 60) for low in times[::10]) < 80
