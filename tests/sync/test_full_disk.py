"""The disk is full: a correct status code, no partial data, and processing continues later."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from tests.full_disk import full_disk
from tests.sync.test_bursts import event_object, now_ms, post, store_events, visible_data
from wagtail_zoom import tasks
from wagtail_zoom.models import (
    Grant,
    Meeting,
    Occurrence,
    Recording,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.sync import clock_skew, runs

pytestmark = pytest.mark.django_db(transaction=True)


def let_time_pass(zoom_worker, minutes=20):
    """Let time pass, with periodic jobs and tasks."""
    for minute in range(0, minutes, 4):
        with time_machine.travel(timezone.now() + timedelta(minutes=minute), tick=True):
            tasks.tick()
            zoom_worker.run()


@pytest.fixture(autouse=True)
def one_clock(monkeypatch):
    """Disable the clock check: these tests travel in time."""
    monkeypatch.setattr(clock_skew, "check_clock", lambda now=None: False)


def work_on_a_full_disk(zoom_worker, times=4):
    """Run every task on a full disk; returns how often one failed."""
    interruptions = 0
    for _ in range(times):
        for task in (
            tasks.tick,
            tasks.process_events,
            tasks.deliver_registrations,
            zoom_worker.run,
        ):
            try:
                task()
            except OperationalError:
                interruptions += 1
    return interruptions


def test_the_endpoint_accepts_only_stored_events(db, zoom_worker):
    """503, so that Zoom repeats it; an event that got 200 is in the table."""
    bodies = [
        {"event": "meeting.updated", "event_ts": number,
         "payload": {"account_id": "acc", "object": {"id": number, "topic": "Yoga " * 40}}}
        for number in range(60)
    ]  # fmt: skip
    with full_disk() as refused:
        statuses = [post(body).status_code for body in bodies]
    assert refused
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) > 20
    assert WebhookEvent.objects.count() == statuses.count(200)
    repeated = [post(body).status_code for body in bodies]
    assert repeated == [200] * 60
    assert WebhookEvent.objects.count() == 60


def test_events_wait_until_there_is_space(connect, zoom_app, zoom_worker):
    site_settings = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:5])
    for row in rows:
        # Longer than before, so that it cannot be written in place.
        zoom_app.change_meeting(int(row.zoom_id), topic="Full " * 35, agenda="Long " * 300)
    store_events(
        site_settings.account, [("meeting.updated", event_object(row), now_ms()) for row in rows]
    )
    before = visible_data()
    with full_disk() as refused:
        work_on_a_full_disk(zoom_worker)
        changed = [row for row in visible_data() if row not in before]
    assert refused
    assert len(changed) < len(rows)
    let_time_pass(zoom_worker, minutes=200)
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    for row in rows:
        row.refresh_from_db()
        assert row.topic.startswith("Full ")


def test_an_import_continues_when_there_is_space(connect, zoom_app, zoom_worker):
    site_settings = connect("aurora-0")
    before = visible_data()
    Recording.objects.all().delete()
    Meeting.objects.all().delete()
    runs.request_run(site_settings.account, SyncRun.Mode.BACKFILL)
    with full_disk() as refused:
        work_on_a_full_disk(zoom_worker)
        # No partial data: shown meetings have their occurrences.
        without_occurrences = Meeting.objects.filter(detail_at__isnull=False, start__isnull=False)
        assert not without_occurrences.exclude(pk__in=Occurrence.objects.values("meeting")).exists()
        assert not SyncRun.objects.filter(pk=SyncRun.objects.latest("pk").pk, state="done").exists()
    assert refused
    let_time_pass(zoom_worker, minutes=60)
    assert visible_data() == before
    assert not SyncRun.objects.filter(state__in=("queued", "running")).exists()
    assert ZoomAccount.objects.get().lease_until is None
    assert Grant.objects.get().state == "connected"
