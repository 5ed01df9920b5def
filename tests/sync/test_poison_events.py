"""Poison events, which kill the worker: counted, isolated, dead (W18, W26)."""

import multiprocessing
import os
import signal
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone

from tests.concurrency import restore_test_database, share_database
from tests.sync.test_bursts import event_object, now_ms, process_all, store_events
from wagtail_zoom.models import Activity, Meeting, ObjectLock, WebhookEvent
from wagtail_zoom.sync import inbox, outcomes, refetch_meetings

pytestmark = pytest.mark.django_db
WORKER_COUNT = 15


def run_worker():
    """Run a worker in a process of its own; returns its exit code."""
    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(
        target=inbox.process_due_events, args=(timezone.now(),)
    )
    worker.start()
    worker.join(timeout=60)
    # The locks of a dead worker are free when its lease is over.
    ObjectLock.objects.update(
        lease_until=timezone.now() - timedelta(seconds=1), not_before=timezone.now()
    )
    WebhookEvent.objects.update(run_after=timezone.now())
    return worker.exitcode


@pytest.fixture
def kill_worker_on(monkeypatch):
    """``kill_worker_on(row)``: kills a worker that reads this meeting, as when out of memory."""
    refetch_all = refetch_meetings.refetch_all

    def start(row):
        def crash(account, targets):
            if row.zoom_id in {target.key for target in targets}:
                os.kill(os.getpid(), signal.SIGKILL)
            return refetch_all(account, targets)

        monkeypatch.setattr(refetch_meetings, "refetch_all", crash)
        return lambda: monkeypatch.setattr(refetch_meetings, "refetch_all", refetch_all)

    return start


def rename_meetings(connect, zoom_app, count):
    """Meetings that were changed at Zoom, with an event each, in the order of the events."""
    site_settings = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:count])
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        store_events(site_settings.account, [("meeting.updated", event_object(row), now_ms())])
    return rows


def changed_numbers():
    return set(Meeting.objects.filter(topic="Changed").values_list("zoom_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_w26_a_poison_event_becomes_dead_and_others_are_processed(
    connect, zoom_app, kill_worker_on, tmp_path
):
    poison_meeting, *other_meetings = rename_meetings(connect, zoom_app, 4)
    undo = kill_worker_on(poison_meeting)
    share_database(tmp_path)
    try:
        exit_codes = [run_worker() for _ in range(WORKER_COUNT)]
        killed = [code for code in exit_codes if code == -signal.SIGKILL]
        assert exit_codes == killed + [0] * (WORKER_COUNT - outcomes.MAX_ATTEMPTS)
        event = WebhookEvent.objects.get(lock_key__endswith=f":{poison_meeting.zoom_id}")
        assert (event.state, event.attempts, event.error_class) == ("dead", 10, "WorkerLost")
        assert Activity.objects.filter(code="event_failed", event=event).count() == 1
        assert changed_numbers() == {row.zoom_id for row in other_meetings}
        others = WebhookEvent.objects.exclude(pk=event.pk)
        assert set(others.values_list("state", "error_class")) == {("done", "")}
        # With more memory, a replay succeeds.
        undo()
        inbox.replay(event)
        process_all()
        event.refresh_from_db()
        assert (event.state, event.error_class) == ("done", "")
        assert poison_meeting.zoom_id in changed_numbers()
    finally:
        restore_test_database()


@pytest.mark.django_db(transaction=True)
def test_w18_a_killed_worker_loses_no_event(connect, zoom_app, kill_worker_on, tmp_path):
    """A deploy during processing."""
    rows = rename_meetings(connect, zoom_app, 3)
    undo = kill_worker_on(rows[1])
    share_database(tmp_path)
    try:
        assert run_worker() == -signal.SIGKILL
        undo()
        assert run_worker() == 0
        assert changed_numbers() == {row.zoom_id for row in rows}
        assert set(WebhookEvent.objects.values_list("state", "error_class")) == {("done", "")}
    finally:
        restore_test_database()


def test_a_database_outage_costs_no_attempt(connect, zoom_app, monkeypatch):
    """Twelve times in a row: it is not the fault of the events."""
    (row,) = rename_meetings(connect, zoom_app, 1)

    def fail(*args):
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(refetch_meetings, "refetch_all", fail)
        for _ in range(outcomes.MAX_ATTEMPTS + 2):
            WebhookEvent.objects.update(run_after=timezone.now())
            ObjectLock.objects.update(not_before=timezone.now())
            with pytest.raises(DatabaseError):
                inbox.process_due_events(timezone.now())
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts, event.error_class) == ("pending", 0, "")
    process_all()
    assert changed_numbers() == {row.zoom_id}
