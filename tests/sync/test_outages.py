"""What a run meets at Zoom: a list that changes while it is read, lost plans and scopes, size."""

from __future__ import annotations

import os
import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.models import Grant, Host, Meeting, Recording, SyncRun
from wagtail_zoom.sync import completion, runner, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def compare(zoom_worker):
    def run(choice, mode="reconcile"):
        runs.request_run(choice.account, mode)
        zoom_worker.run()
        return SyncRun.objects.order_by("-pk").first()

    return run


def test_s2_items_that_vanish_between_two_pages(connect, compare, zoom_app, monkeypatch):
    """Rows of the first page are deleted while the second one is asked for: later rows slip to
    where nobody looks, and are not taken for deleted."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=330)
    choice = connect("aurora-0", hosts=[host], kinds=("meetings",))
    gone = list(Meeting.objects.filter(topic__startswith="Meeting ").order_by("pk")[:3])
    alive = Meeting.objects.exclude(pk__in=[row.pk for row in gone])
    kept = set(alive.filter(removed_at=None).values_list("zoom_id", flat=True))
    beat, pages = runner.Slice.beat, []

    def vanish(self, tally=None, **kwargs):
        if tally is not None and tally.seen == 300 and not pages:
            pages.append(1)
            for row in gone:
                zoom_app.delete_meeting(int(row.zoom_id))
        return beat(self, tally, **kwargs)

    monkeypatch.setattr(runner.Slice, "beat", vanish)
    assert compare(choice).state == "done"
    assert pages
    assert set(alive.filter(removed_at=None).values_list("zoom_id", flat=True)) == kept
    compare(choice)
    assert set(Meeting.objects.filter(removed_at=None).values_list("zoom_id", flat=True)) == kept


def test_s14_a_downgraded_account_keeps_its_webinars(connect, compare, zoom_app):
    """Without the plan Zoom lists no webinars any more: that does not say they were deleted."""
    choice = connect("borealis-0")
    webinars = Meeting.objects.filter(kind="webinar", removed_at=None, expired_at=None)
    before = set(webinars.values_list("pk", flat=True))
    assert before
    zoom_app.change_account("borealis", plan="free", webinars=False)
    missing = {"status": 400, "code": 200, "message": "Webinar plan is missing."}
    zoom_app.fault("status", **missing, path="/v2/webinars/")
    for _ in range(3):
        assert compare(choice).state == "done"
    assert set(webinars.values_list("pk", flat=True)) == before
    assert not webinars.exclude(missing_since=None).exists()
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("path", ["/recordings", "/webinars"])
def test_o17_a_scope_withdrawn_later_stops_its_kind_only(connect, compare, zoom_app, path):
    choice = connect("borealis-0")
    rows = Meeting.objects.count(), Recording.objects.count()
    fault = {"status": 400, "code": 4711, "message": "Invalid access token, does not contain "
             "scopes:[a:read:b:admin]."}  # fmt: skip
    zoom_app.fault("status", **fault, path=path)
    zoom_app.create_meeting("borealis-0", topic="Goes on", start_time="+2d 10:00")
    for _ in range(2):
        assert compare(choice).state == "done"
    assert Meeting.objects.filter(topic="Goes on").exists()
    assert (Meeting.objects.filter(removed_at=None).exclude(topic="Goes on").count(),
            Recording.objects.filter(removed_at=None).count()) == rows  # fmt: skip
    assert Grant.objects.get().state == "connected"


HOSTS = int(os.environ.get("TEST_HOSTS", "60"))
"""2000 for the full size: fifty thousand meetings, several minutes."""


@pytest.mark.slow
def test_s9_memory_is_bounded_by_the_page(connect, zoom_app, zoom_worker, settings):
    """An account of many people, 25 meetings each, in at most 30 MB above what was there before."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 30}
    people = [zoom_app.create_user("aurora", first_name=f"P{n}")["id"] for n in range(HOSTS)]
    for person in people:
        zoom_app.bulk(person, meetings=25)
    tracemalloc.start()
    try:
        choice = connect("aurora-0", hosts=people, kinds=("meetings",), work=False)
        tracemalloc.reset_peak()
        before, _peak = tracemalloc.get_traced_memory()
        began = timezone.now()
        zoom_worker.run(100_000)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    took = (timezone.now() - began).total_seconds()
    print(f"{25 * HOSTS} meetings in {took:.0f} s, {(peak - before) / 2**20:.1f} MB")
    assert Host.objects.filter(account=choice.account).count() >= HOSTS
    assert SyncRun.objects.get().state == "done"
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == 25 * HOSTS
    assert peak - before < 30 * 2**20


def again(run):
    """The next slice, without waiting for its time."""
    SyncRun.objects.filter(pk=run.pk).update(next_try_at=None)
    runner.run_slice(run.pk)
    run.refresh_from_db()


def test_a_mistake_of_ours_is_tried_ten_times_and_removes_nothing(connect, monkeypatch, caplog):
    """Ever longer pauses, then failed with its name; no host and no meeting is lost by it."""
    choice = connect("aurora-0")
    alive = Meeting.objects.filter(removed_at=None).count()
    run = runs.request_run(choice.account, "reconcile")

    def broken(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(runner.directory, "refresh_directory", broken)
    waits = []
    for _n in range(completion.MOST_ATTEMPTS - 1):
        again(run)
        waits.append(round((run.next_try_at - timezone.now()).total_seconds()))
    assert run.state == "running" and run.error_class == "RuntimeError"
    assert waits == sorted(waits) and waits[-1] > 3000
    again(run)
    assert (run.state, run.error_class) == ("failed", "RuntimeError")
    assert "broke off" in caplog.text
    assert Meeting.objects.filter(removed_at=None).count() == alive > 0


def test_a_refusal_by_zoom_fails_at_once(connect, zoom_app):
    """What will not get better is not tried ten times."""
    choice = connect("aurora-0")
    run = runs.request_run(choice.account, "reconcile")
    zoom_app.fault("status", method="GET", path="/users", status=400, code=300, message="No")
    again(run)
    assert run.state == "failed"
    zoom_app.clear_faults()
    run = runs.request_run(choice.account, "reconcile")
    again(run)
    assert run.state in ("running", "done")


def test_a_run_that_is_called_off_stops_at_its_next_step(connect):
    choice = connect("aurora-0")
    run = runs.request_run(choice.account, "reconcile")
    SyncRun.objects.filter(pk=run.pk).update(cancel_requested=True)
    again(run)
    assert run.state == "cancelled"


def test_questions_that_zoom_refuses_leave_the_stored_ones(connect, compare, zoom_app):
    """The form goes on with what it had; an outage is no refusal and is tried again."""
    choice = connect("borealis-0", kinds=("meetings", "webinars", "registration"))
    asked = Meeting.objects.exclude(questions={}).exclude(questions_at=None)
    before = dict(asked.values_list("pk", "questions"))
    assert before
    Meeting.objects.update(questions_at=timezone.now() - timedelta(days=30))
    zoom_app.fault("status", path="/questions", status=400, code=300, message="No")
    assert compare(choice).state == "done"
    assert dict(asked.filter(pk__in=before).values_list("pk", "questions")) == before
    assert not asked.filter(questions_at__lt=timezone.now() - timedelta(days=1)).exists()
