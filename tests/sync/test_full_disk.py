"""The disk is full: an honest answer, nothing half, and afterwards everything goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from tests.full_disk import full_disk
from tests.sync.test_storms import messages, mirror, now_ms, post, thing_of
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


def go_on(zoom_worker, minutes=20):
    """Time passes, and the worker beats."""
    for minute in range(0, minutes, 4):
        with time_machine.travel(timezone.now() + timedelta(minutes=minute), tick=True):
            tasks.tick()
            zoom_worker.run()


@pytest.fixture(autouse=True)
def one_clock(monkeypatch):
    """Time passes here by travelling; coming back from it is no clock that was set back."""
    monkeypatch.setattr(clock_skew, "look", lambda now=None: False)


def work_on_a_full_disk(zoom_worker, times=4):
    """The worker meets the full disk in every task that there is; how often it broke off."""
    broken = 0
    for _ in range(times):
        for work in (tasks.tick, tasks.drain, tasks.deliver_registrations, zoom_worker.run):
            try:
                work()
            except OperationalError:
                broken += 1
    return broken


def test_at_the_door_what_was_not_stored_was_not_accepted(db, zoom_worker):
    """503, so that Zoom repeats it; a message that has its 200 is in the table."""
    sent = [
        {"event": "meeting.updated", "event_ts": number,
         "payload": {"account_id": "acc", "object": {"id": number, "topic": "Yoga " * 40}}}
        for number in range(60)
    ]  # fmt: skip
    with full_disk() as refused:
        answers = [post(body).status_code for body in sent]
    assert refused
    assert set(answers) <= {200, 503}
    assert answers.count(503) > 20
    assert WebhookEvent.objects.count() == answers.count(200)
    again = [post(body).status_code for body in sent]
    assert again == [200] * 60
    assert WebhookEvent.objects.count() == 60


def test_messages_wait_in_the_inbox(connect, zoom_app, zoom_worker):
    choice = connect("aurora-0")
    rows = list(Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())[:5])
    for row in rows:
        # Longer than what its place in the file holds, so that it cannot be written there.
        zoom_app.change_meeting(int(row.zoom_id), topic="Full " * 35, agenda="Long " * 300)
    messages(choice.account, [("meeting.updated", thing_of(row), now_ms()) for row in rows])
    before = mirror()
    with full_disk() as refused:
        work_on_a_full_disk(zoom_worker)
        changed = [row for row in mirror() if row not in before]
    assert refused
    assert len(changed) < len(rows)
    go_on(zoom_worker, minutes=200)
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"done"}
    for row in rows:
        row.refresh_from_db()
        assert row.topic.startswith("Full ")


def test_an_import_goes_on_where_there_is_room_again(connect, zoom_app, zoom_worker):
    choice = connect("aurora-0")
    whole = mirror()
    Recording.objects.all().delete()
    Meeting.objects.all().delete()
    runs.request_run(choice.account, SyncRun.Mode.BACKFILL)
    with full_disk() as refused:
        work_on_a_full_disk(zoom_worker)
        # Nothing half: what shows has its dates.
        bare = Meeting.objects.filter(detail_at__isnull=False, start__isnull=False)
        assert not bare.exclude(pk__in=Occurrence.objects.values("meeting")).exists()
        assert not SyncRun.objects.filter(pk=SyncRun.objects.latest("pk").pk, state="done").exists()
    assert refused
    go_on(zoom_worker, minutes=60)
    assert mirror() == whole
    assert not SyncRun.objects.filter(state__in=("queued", "running")).exists()
    assert ZoomAccount.objects.get().lease_until is None
    assert Grant.objects.get().state == "connected"
