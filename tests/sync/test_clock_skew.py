"""The clock jumps by hours, there and back: nothing is lost, nothing waits for hours."""

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

from tests.clock_helpers import JUMP, ahead
from tests.sync.test_storms import messages, now_ms, post, thing_of
from wagtail_zoom import tasks, webhooks
from wagtail_zoom.models import (
    Grant,
    Heartbeat,
    Lane,
    Meeting,
    Occurrence,
    RateBudget,
    SyncRun,
    WebhookEvent,
    ZoomAccount,
)
from wagtail_zoom.oauth import protocol, tokens
from wagtail_zoom.sync import clock_skew, health, inbox, locks, runs
from wagtail_zoom.utils import queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("looks")]


def planned():
    start = timezone.now() + 2 * JUMP
    return Meeting.objects.filter(zoom_type=2, start__gt=start).order_by("start", "pk").last()


def rename(zoom_app, choice, row, topic):
    """A change at Zoom, and its message in the inbox."""
    zoom_app.change_meeting(int(row.zoom_id), topic=topic)
    messages(choice.account, [("meeting.updated", thing_of(row), now_ms())])


@pytest.fixture
def worked_ahead(connect, zoom_app, zoom_worker):
    """Everything has been done once by a clock that ran ahead, and a worker died in it."""
    choice = connect("aurora-0")
    tasks.tick()
    with ahead():
        rename(zoom_app, choice, planned(), "By the wrong clock")
        tasks.tick()
        zoom_worker.run()
        runs.request_run(choice.account, SyncRun.Mode.RECONCILE)
        zoom_worker.run()
        assert planned().topic == "By the wrong clock"
        # A worker that was killed in the middle: its lease, its run, its turn in the inbox.
        assert runs.claim(choice.account)
        now = timezone.now()
        SyncRun.objects.create(account=choice.account, mode="reconcile", state="running",
                               started_at=now, beat_at=now)  # fmt: skip
        assert inbox._take_slot(0)
        assert inbox._take_slot(1)
    zoom_worker.lose()
    return choice


def test_after_the_repair_everything_goes_on_at_once(worked_ahead, zoom_app, zoom_worker):
    choice = worked_ahead
    tasks.tick()
    rename(zoom_app, choice, planned(), "By the right clock")
    tasks.drain()
    assert planned().topic == "By the right clock"
    zoom_app.create_meeting("aurora-0", topic="Told by nobody", start_time="+2d 10:00")
    zoom_worker.run()
    # The run of the dead worker counts as quiet after its minute and a half.
    with time_machine.travel(timezone.now() + 2 * runs.QUIET, tick=True):
        tasks.tick()
        zoom_worker.run()
    assert Meeting.objects.filter(topic="Told by nobody").exists()
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}
    assert Grant.objects.get().state == "connected"


def test_without_the_look_hours_would_pass(worked_ahead, zoom_app, monkeypatch):
    """What the test above would find if nobody looked at the clock."""
    jobs = [job for job in tasks.PERIODIC_JOBS if job is not clock_skew.look]
    monkeypatch.setattr(tasks, "PERIODIC_JOBS", jobs)
    monkeypatch.setattr(clock_skew, "look", lambda now=None: False)
    rename(zoom_app, worked_ahead, planned(), "By the right clock")
    tasks.tick()
    tasks.drain()
    assert planned().topic == "By the wrong clock"


def test_nothing_of_ours_lies_ahead_afterwards(worked_ahead):
    """However many columns there will be: none is forgotten."""
    now = timezone.now()
    assert clock_skew.look(now)
    for model, column in clock_skew.columns():
        late = model._default_manager.filter(**{f"{column}__gt": now + clock_skew.TOKEN_LIFE})
        assert not late.exists(), (model, column)
    assert all(row.slot <= now.timestamp() * 1_000_000 for row in RateBudget.objects.all())
    assert not clock_skew.look(now)


def test_times_of_zoom_and_of_people_are_left_alone(worked_ahead):
    before = list(Occurrence.objects.order_by("pk").values_list("start", "end", "state"))
    versions = set(ZoomAccount.objects.values_list("data_version", flat=True))
    assert clock_skew.look()
    assert list(Occurrence.objects.order_by("pk").values_list("start", "end", "state")) == before
    # HTML that was kept by the wrong clock is asked for no more.
    assert versions.isdisjoint(ZoomAccount.objects.values_list("data_version", flat=True))
    for name, column in clock_skew.NOT_OURS:
        field = apps.get_model("wagtail_zoom", name)._meta.get_field(column)
        assert isinstance(field, models.DateTimeField), (name, column)


def test_a_date_that_was_over_too_early_is_ahead_again(connect, zoom_app, zoom_worker):
    choice = connect("aurora-0")
    made = zoom_app.create_meeting("aurora-0", topic="Tonight", start_time="+1d 10:00")
    runs.request_run(choice.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    date = Occurrence.objects.get(meeting__zoom_id=str(made["id"]))
    with time_machine.travel(date.end + timedelta(hours=1), tick=True):
        tasks.tick()
        date.refresh_from_db()
        assert date.state == "over"
    tasks.tick()
    date.refresh_from_db()
    assert date.state == "scheduled"


def test_machines_that_are_minutes_apart_do_not_mend_each_other(connect):
    choice = connect("aurora-0")
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=True):
        tasks.tick()
        me = runs.claim(choice.account)
    assert not clock_skew.look()
    assert runs.renew(choice.account, me)
    assert not runs.claim(choice.account)


def test_forwards_leases_end_early_and_nobody_is_hurt(connect, zoom_app, zoom_worker, monkeypatch):
    """The clock jumps while a worker is in a run: another one takes over, the first one leaves."""
    choice = connect("aurora-0")
    zoom_app.create_meeting("aurora-0", topic="In between", start_time="+2d 10:00")
    run = runs.request_run(choice.account, SyncRun.Mode.RECONCILE)
    zoom_worker.lose()
    renew, jumped = runs.renew, []

    def jump(account, me):
        if not jumped:
            with ahead():
                jumped.append(me)
                tasks.sync_slice(run.pk)
        return renew(account, me)

    monkeypatch.setattr(runs, "renew", jump)
    tasks.sync_slice(run.pk)
    monkeypatch.setattr(runs, "renew", renew)
    tasks.tick()
    zoom_worker.run()
    run.refresh_from_db()
    assert (run.state, len(jumped)) == ("done", 1)
    assert Meeting.objects.filter(topic="In between").count() == 1
    assert ZoomAccount.objects.get().lease_until is None


def test_messages_of_a_wrong_clock_are_refused_and_found_by_comparing(
    connect, zoom_app, zoom_worker
):
    """X11 goes by the clock: what it refuses then is made up for as soon as it is right again."""
    choice = connect("aurora-0")
    row = planned()
    tasks.tick()
    body = {"event": "meeting.updated", "event_ts": now_ms(),
            "payload": {"account_id": choice.account.zoom_id, "object": thing_of(row)}}  # fmt: skip
    zoom_app.change_meeting(int(row.zoom_id), topic="Missed")
    stamp = int(timezone.now().timestamp())
    with ahead():
        assert post(body, timestamp=stamp).status_code == 400
        tasks.tick()
    tasks.tick()
    zoom_worker.run()
    row.refresh_from_db()
    assert row.topic == "Missed"
    assert not WebhookEvent.objects.exists()


def test_backwards_from_the_right_time_nothing_stops(connect, zoom_app, zoom_worker):
    """The clock is set back by mistake, and later right again."""
    choice = connect("aurora-0")
    rename(zoom_app, choice, planned(), "First")
    tasks.tick()
    zoom_worker.run()
    with time_machine.travel(timezone.now() - JUMP, tick=True):
        tasks.tick()
        rename(zoom_app, choice, planned(), "Second")
        tasks.drain()
        assert planned().topic == "Second"
        zoom_worker.run()
    tasks.tick()
    rename(zoom_app, choice, planned(), "Third")
    tasks.drain()
    zoom_worker.run()
    assert planned().topic == "Third"
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_the_schedule_beats_again(settings):
    """django-q2 plans the next minute by the wrong clock: nothing would beat until then."""
    Schedule.objects.all().delete()
    from wagtail_zoom.utils.queue import SCHEDULE_NAME, ensure_schedule

    ensure_schedule()
    broker = get_broker()

    def beats():
        OrmQ.objects.all().delete()
        scheduler(broker)
        return OrmQ.objects.count()

    with ahead():
        assert beats() == 1
        assert beats() == 0
        clock_skew.look()
    assert beats() == 0
    assert clock_skew.look()
    assert beats() == 1
    with ahead():
        assert beats() == 1
    # Or somebody starts the worker anew.
    post_spawn.send(sender="django_q", proc_name="worker")
    assert Schedule.objects.get(name=SCHEDULE_NAME).next_run <= timezone.now()
    assert beats() == 1


def test_a_monitor_sees_a_worker_that_is_silent_since_the_jump(client):
    with ahead():
        Heartbeat.beat("tick")
        assert client.get("/zoom/health/").json()["worker"] is True
    assert client.get("/zoom/health/").json()["worker"] is False
    assert not health.verdicts({**health.facts(), "tick_age": -3600.0})["worker"]


def test_wake_ups_are_not_kept_quiet(monkeypatch):
    """The ration of wake-ups is kept in a cache, whose entries go by the clock, too."""
    cache.clear()
    sent = []
    monkeypatch.setattr(webhooks, "enqueue", sent.append)
    with ahead():
        webhooks._wake()
        assert not queue.debounce("drain", 3600) or not queue.debounce("drain", 3600)
    webhooks._wake()
    assert sent == ["drain", "drain"]


def test_o7_a_living_refresh_that_was_taken_for_dead(connect, zoom_app, monkeypatch):
    """The clock jumps while Zoom answers a refresh; another process takes the lease and meets a
    refresh token that is used up. Whoever holds the new pair sets things right."""
    connect("aurora-0")
    grant = Grant.objects.get()
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    renew, verdicts = protocol.renew, []

    def answered(token):
        fresh = renew(token)
        monkeypatch.setattr(protocol, "renew", renew)
        with ahead(), pytest.raises(protocol.ZoomAuthError):
            tokens.get_token(Grant.objects.get())
        verdicts.append(Grant.objects.get().reason)
        return fresh

    monkeypatch.setattr(protocol, "renew", answered)
    assert tokens.get_token(grant).generation == 2
    row = Grant.objects.get()
    assert (row.state, row.reason, verdicts) == ("connected", "", ["lost_rotation"])


def test_lanes_of_the_wrong_clock_are_free(connect):
    """The smallest case: one object that was read by the wrong clock, with its worker killed."""
    choice = connect("aurora-0")
    key = f"{choice.account.zoom_id}:meeting:1"
    clock_skew.look()
    with ahead():
        clock_skew.look()
        assert locks.claim(choice.account, [key]).lanes
        Lane.objects.update(not_before=timezone.now())
    assert not locks.claim(choice.account, [key]).lanes
    assert clock_skew.look()
    assert locks.claim(choice.account, [key]).lanes
