"""The clock jumps by hours, forward and back: nothing is lost, nothing waits for hours."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signals import post_spawn

from tests.clock_helpers import CLOCK_JUMP, clock_ahead
from tests.sync.test_bursts import event_object, now_ms, post, store_events
from wagtail_zoom import tasks, webhooks
from wagtail_zoom.models import (
    Grant,
    Heartbeat,
    Meeting,
    ObjectLock,
    Occurrence,
    RateBudget,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.oauth import protocol, tokens
from wagtail_zoom.sync import clock_skew, health, inbox, locks, runs
from wagtail_zoom.utils import queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_clock")]


def planned_meeting():
    start = timezone.now() + 2 * CLOCK_JUMP
    return Meeting.objects.filter(zoom_type=2, start__gt=start).order_by("start", "pk").last()


def rename(zoom_app, site_settings, row, topic):
    """A change at Zoom, and its event in the inbox."""
    zoom_app.change_meeting(int(row.zoom_id), topic=topic)
    store_events(site_settings.account, [("meeting.updated", event_object(row), now_ms())])


@pytest.fixture
def worked_ahead(connect, zoom_app, zoom_worker):
    """All tasks have run once with a clock that was ahead, and a worker has crashed."""
    site_settings = connect("aurora-0")
    tasks.tick()
    with clock_ahead():
        rename(zoom_app, site_settings, planned_meeting(), "By the wrong clock")
        tasks.tick()
        zoom_worker.run()
        runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
        zoom_worker.run()
        assert planned_meeting().topic == "By the wrong clock"
        # A worker that was killed: its lease, its run, its slots for events.
        assert runs.acquire_lease(site_settings.account)
        now = timezone.now()
        SyncRun.objects.create(account=site_settings.account, mode="reconcile", state="running",
                               started_at=now, beat_at=now)  # fmt: skip
        assert inbox._acquire_slot(0)
        assert inbox._acquire_slot(1)
    zoom_worker.clear()
    return site_settings


def test_after_the_repair_work_continues_immediately(worked_ahead, zoom_app, zoom_worker):
    site_settings = worked_ahead
    tasks.tick()
    rename(zoom_app, site_settings, planned_meeting(), "By the right clock")
    tasks.process_events()
    assert planned_meeting().topic == "By the right clock"
    zoom_app.create_meeting("aurora-0", topic="No event", start_time="+2d 10:00")
    zoom_worker.run()
    # The run of the dead worker is stale after a minute and a half.
    with time_machine.travel(timezone.now() + 2 * runs.STALE_AFTER, tick=True):
        tasks.tick()
        zoom_worker.run()
    assert Meeting.objects.filter(topic="No event").exists()
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}
    assert Grant.objects.get().state == "connected"


def test_without_the_clock_check_hours_would_pass(worked_ahead, zoom_app, monkeypatch):
    """The result of the test above without the clock check."""
    jobs = [job for job in tasks.PERIODIC_JOBS if job is not clock_skew.check_clock]
    monkeypatch.setattr(tasks, "PERIODIC_JOBS", jobs)
    monkeypatch.setattr(clock_skew, "check_clock", lambda now=None: False)
    rename(zoom_app, worked_ahead, planned_meeting(), "By the right clock")
    tasks.tick()
    tasks.process_events()
    assert planned_meeting().topic == "By the wrong clock"


def test_no_stored_time_is_in_the_future_after_the_repair(worked_ahead):
    """For every column, including future ones."""
    now = timezone.now()
    assert clock_skew.check_clock(now)
    for model, column in clock_skew.clock_columns():
        late = model._default_manager.filter(**{f"{column}__gt": now + clock_skew.TOKEN_LIFE})
        assert not late.exists(), (model, column)
    assert all(row.slot <= now.timestamp() * 1_000_000 for row in RateBudget.objects.all())
    assert not clock_skew.check_clock(now)


def test_times_set_by_zoom_and_by_people_are_not_changed(worked_ahead):
    before = list(Occurrence.objects.order_by("pk").values_list("start", "end", "state"))
    versions = set(ZoomAccount.objects.values_list("data_version", flat=True))
    assert clock_skew.check_clock()
    assert list(Occurrence.objects.order_by("pk").values_list("start", "end", "state")) == before
    # HTML that was cached by the wrong clock is not used any more.
    assert versions.isdisjoint(ZoomAccount.objects.values_list("data_version", flat=True))
    for name, column in clock_skew.EXCLUDED_COLUMNS:
        field = apps.get_model("wagtail_zoom", name)._meta.get_field(column)
        assert isinstance(field, models.DateTimeField), (name, column)


def test_an_occurrence_that_was_over_too_early_is_reopened(connect, zoom_app, zoom_worker):
    site_settings = connect("aurora-0")
    meeting = zoom_app.create_meeting("aurora-0", topic="Tonight", start_time="+1d 10:00")
    runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    occurrence = Occurrence.objects.get(meeting__zoom_id=str(meeting["id"]))
    with time_machine.travel(occurrence.end + timedelta(hours=7), tick=True):
        tasks.tick()
        occurrence.refresh_from_db()
        assert occurrence.state == "over"
    tasks.tick()
    occurrence.refresh_from_db()
    assert occurrence.state == "scheduled"


def test_clocks_that_are_minutes_apart_are_not_repaired(connect):
    site_settings = connect("aurora-0")
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=True):
        tasks.tick()
        owner = runs.acquire_lease(site_settings.account)
    assert not clock_skew.check_clock()
    assert runs.extend_lease(site_settings.account, owner)
    assert not runs.acquire_lease(site_settings.account)


def test_a_forward_jump_ends_leases_early_without_damage(
    connect, zoom_app, zoom_worker, monkeypatch
):
    """The clock jumps during a run: another worker takes over, the first one stops."""
    site_settings = connect("aurora-0")
    zoom_app.create_meeting("aurora-0", topic="In between", start_time="+2d 10:00")
    run = runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.clear()
    extend_lease, jumped = runs.extend_lease, []

    def jump(account, owner):
        if not jumped:
            with clock_ahead():
                jumped.append(owner)
                tasks.sync_slice(run.pk)
        return extend_lease(account, owner)

    monkeypatch.setattr(runs, "extend_lease", jump)
    tasks.sync_slice(run.pk)
    monkeypatch.setattr(runs, "extend_lease", extend_lease)
    tasks.tick()
    zoom_worker.run()
    run.refresh_from_db()
    assert (run.state, len(jumped)) == ("done", 1)
    assert Meeting.objects.filter(topic="In between").count() == 1
    assert ZoomAccount.objects.get().lease_until is None


def test_webhooks_refused_by_a_wrong_clock_are_reconciled(connect, zoom_app, zoom_worker):
    """X11 depends on the clock: refused webhooks are reconciled as soon as it is right again."""
    site_settings = connect("aurora-0")
    row = planned_meeting()
    tasks.tick()
    payload = {"account_id": site_settings.account.zoom_id, "object": event_object(row)}
    body = {"event": "meeting.updated", "event_ts": now_ms(), "payload": payload}
    zoom_app.change_meeting(int(row.zoom_id), topic="Missed")
    timestamp = int(timezone.now().timestamp())
    with clock_ahead():
        assert post(body, timestamp=timestamp).status_code == 400
        tasks.tick()
    tasks.tick()
    zoom_worker.run()
    row.refresh_from_db()
    assert row.topic == "Missed"
    assert not WebhookEvent.objects.exists()


def test_a_backward_jump_stops_nothing(connect, zoom_app, zoom_worker):
    """The clock is set back by mistake, and later right again."""
    site_settings = connect("aurora-0")
    rename(zoom_app, site_settings, planned_meeting(), "First")
    tasks.tick()
    zoom_worker.run()
    with time_machine.travel(timezone.now() - CLOCK_JUMP, tick=True):
        tasks.tick()
        rename(zoom_app, site_settings, planned_meeting(), "Second")
        tasks.process_events()
        assert planned_meeting().topic == "Second"
        zoom_worker.run()
    tasks.tick()
    rename(zoom_app, site_settings, planned_meeting(), "Third")
    tasks.process_events()
    zoom_worker.run()
    assert planned_meeting().topic == "Third"
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_the_schedule_runs_again(settings):
    """django-q2 plans the next minute by the wrong clock: no task would run until then."""
    Schedule.objects.all().delete()
    from wagtail_zoom.utils.queue import SCHEDULE_NAME, ensure_schedule

    ensure_schedule()
    broker = get_broker()

    def run_scheduler():
        OrmQ.objects.all().delete()
        scheduler(broker)
        return OrmQ.objects.count()

    with clock_ahead():
        assert run_scheduler() == 1
        assert run_scheduler() == 0
        clock_skew.check_clock()
    assert run_scheduler() == 0
    assert clock_skew.check_clock()
    assert run_scheduler() == 1
    with clock_ahead():
        assert run_scheduler() == 1
    # Or the worker is restarted.
    post_spawn.send(sender="django_q", proc_name="worker")
    assert Schedule.objects.get(name=SCHEDULE_NAME).next_run <= timezone.now()
    assert run_scheduler() == 1


def test_the_health_check_reports_a_worker_stopped_since_the_jump(client):
    with clock_ahead():
        Heartbeat.beat("tick")
        assert client.get("/zoom/health/").json()["worker"] is True
    assert client.get("/zoom/health/").json()["worker"] is False
    assert not health.checks({**health.metrics(), "tick_age": -3600.0})["worker"]


def test_wake_ups_are_not_suppressed(monkeypatch):
    """The debounce uses cache entries, which depend on the clock, too."""
    cache.clear()
    sent = []
    monkeypatch.setattr(webhooks, "enqueue", sent.append)
    with clock_ahead():
        webhooks._wake_worker()
        assert not queue.debounce("process_events", 3600) or not queue.debounce(
            "process_events", 3600
        )
    webhooks._wake_worker()
    assert sent == ["process_events", "process_events"]


def test_o7_a_running_refresh_whose_lease_expired_early(connect, zoom_app, monkeypatch):
    """The clock jumps while Zoom answers a refresh; another process takes the lease and meets a
    refresh token that is used up. The process with the new pair repairs the grant."""
    connect("aurora-0")
    grant = Grant.objects.get()
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    refresh, reasons = protocol.refresh, []

    def answered(token):
        token_pair = refresh(token)
        monkeypatch.setattr(protocol, "refresh", refresh)
        with clock_ahead(), pytest.raises(protocol.ZoomAuthError):
            tokens.get_token(Grant.objects.get())
        reasons.append(Grant.objects.get().reason)
        return token_pair

    monkeypatch.setattr(protocol, "refresh", answered)
    assert tokens.get_token(grant).generation == 2
    row = Grant.objects.get()
    assert (row.state, row.reason, reasons) == ("connected", "", ["lost_rotation"])


def test_locks_of_the_wrong_clock_are_free(connect):
    """The smallest case: one object that was read by the wrong clock by a killed worker."""
    site_settings = connect("aurora-0")
    key = f"{site_settings.account.zoom_id}:meeting:1"
    clock_skew.check_clock()
    with clock_ahead():
        clock_skew.check_clock()
        assert locks.acquire(site_settings.account, [key]).locks
        ObjectLock.objects.update(not_before=timezone.now())
    assert not locks.acquire(site_settings.account, [key]).locks
    assert clock_skew.check_clock()
    assert locks.acquire(site_settings.account, [key]).locks
