"""A message with which the worker dies: counted, taken alone, set aside (W18, W26)."""

import multiprocessing
import os
import signal
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.utils import timezone

from tests.concurrency import leave_copy, share_database
from tests.sync.test_storms import messages, now_ms, thing_of, work_off
from wagtail_zoom.models import Activity, Lane, Meeting, WebhookEvent
from wagtail_zoom.sync import inbox, outcomes, refetch_meetings

pytestmark = pytest.mark.django_db
LIVES = 15


def live():
    """One life of a worker, in a process of its own; how it ended."""
    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(
        target=inbox.work_off, args=(timezone.now(),)
    )
    worker.start()
    worker.join(timeout=60)
    # What the dead one held is free when its lease is over.
    Lane.objects.update(
        lease_until=timezone.now() - timedelta(seconds=1), not_before=timezone.now()
    )
    WebhookEvent.objects.update(run_after=timezone.now())
    return worker.exitcode


@pytest.fixture
def deadly(monkeypatch):
    """``deadly(row)``: who reads this meeting is killed, as by the kernel when memory is short."""
    read = refetch_meetings.meetings

    def choose(row):
        def killed(account, targets):
            if row.zoom_id in {target.key for target in targets}:
                os.kill(os.getpid(), signal.SIGKILL)
            return read(account, targets)

        monkeypatch.setattr(refetch_meetings, "meetings", killed)
        return lambda: monkeypatch.setattr(refetch_meetings, "meetings", read)

    return choose


def renamed(connect, zoom_app, count):
    """Meetings that were changed at Zoom, with a message each, in the order of the messages."""
    choice = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:count])
    for row in rows:
        zoom_app.change_meeting(int(row.zoom_id), topic="Changed")
        messages(choice.account, [("meeting.updated", thing_of(row), now_ms())])
    return rows


def changed():
    return set(Meeting.objects.filter(topic="Changed").values_list("zoom_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_w26_a_message_that_kills_the_worker_is_set_aside_and_takes_no_other_along(
    connect, zoom_app, deadly, tmp_path
):
    bad, *good = renamed(connect, zoom_app, 4)
    harmless = deadly(bad)
    share_database(tmp_path)
    try:
        ends = [live() for _ in range(LIVES)]
        killed = [code for code in ends if code == -signal.SIGKILL]
        assert ends == killed + [0] * (LIVES - outcomes.MOST_ATTEMPTS)
        event = WebhookEvent.objects.get(lane__endswith=f":{bad.zoom_id}")
        assert (event.state, event.attempts, event.error_class) == ("dead", 10, "WorkerLost")
        assert Activity.objects.filter(code="event_failed", event=event).count() == 1
        assert changed() == {row.zoom_id for row in good}
        others = WebhookEvent.objects.exclude(pk=event.pk)
        assert set(others.values_list("state", "error_class")) == {("done", "")}
        # With more memory, a press on the button mends it.
        harmless()
        inbox.replay(event)
        work_off()
        event.refresh_from_db()
        assert (event.state, event.error_class) == ("done", "")
        assert bad.zoom_id in changed()
    finally:
        leave_copy()


@pytest.mark.django_db(transaction=True)
def test_w18_a_worker_that_is_killed_once_costs_nobody_a_message(
    connect, zoom_app, deadly, tmp_path
):
    """A deploy in the middle of the work."""
    rows = renamed(connect, zoom_app, 3)
    harmless = deadly(rows[1])
    share_database(tmp_path)
    try:
        assert live() == -signal.SIGKILL
        harmless()
        assert live() == 0
        assert changed() == {row.zoom_id for row in rows}
        assert set(WebhookEvent.objects.values_list("state", "error_class")) == {("done", "")}
    finally:
        leave_copy()


def test_a_database_that_goes_away_in_the_middle_costs_no_attempt(connect, zoom_app, monkeypatch):
    """Twelve times in a row: the messages are not to blame."""
    (row,) = renamed(connect, zoom_app, 1)

    def gone(*args):
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(refetch_meetings, "meetings", gone)
        for _ in range(outcomes.MOST_ATTEMPTS + 2):
            WebhookEvent.objects.update(run_after=timezone.now())
            Lane.objects.update(not_before=timezone.now())
            with pytest.raises(DatabaseError):
                inbox.work_off(timezone.now())
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts, event.error_class) == ("pending", 0, "")
    work_off()
    assert changed() == {row.zoom_id}
