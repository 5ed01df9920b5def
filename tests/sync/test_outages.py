"""Runs and Zoom: lists that change while they are read, lost plans and scopes, large accounts."""

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
    def run(site_settings, mode="reconcile"):
        runs.request_run(site_settings.account, mode)
        zoom_worker.run()
        return SyncRun.objects.order_by("-pk").first()

    return run


def test_s2_items_that_vanish_between_two_pages(connect, compare, zoom_app, monkeypatch):
    """Rows of the first page are deleted while the second one is requested: later rows move to
    the first page, are not read, and do not count as deleted."""
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=330)
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    deleted = list(Meeting.objects.filter(topic__startswith="Meeting ").order_by("pk")[:3])
    alive = Meeting.objects.exclude(pk__in=[row.pk for row in deleted])
    remaining = set(alive.filter(removed_at=None).values_list("zoom_id", flat=True))
    heartbeat, pages = runner.Slice.heartbeat, []

    def vanish(self, result=None, **kwargs):
        if result is not None and result.seen == 300 and not pages:
            pages.append(1)
            for row in deleted:
                zoom_app.delete_meeting(int(row.zoom_id))
        return heartbeat(self, result, **kwargs)

    monkeypatch.setattr(runner.Slice, "heartbeat", vanish)
    assert compare(site_settings).state == "done"
    assert pages
    assert set(alive.filter(removed_at=None).values_list("zoom_id", flat=True)) == remaining
    compare(site_settings)
    assert (
        set(Meeting.objects.filter(removed_at=None).values_list("zoom_id", flat=True)) == remaining
    )


def test_s14_a_downgraded_account_keeps_its_webinars(connect, compare, zoom_app):
    """Without the plan Zoom lists no webinars any more: that does not mean they were deleted."""
    site_settings = connect("borealis-0")
    webinars = Meeting.objects.filter(kind="webinar", removed_at=None, expired_at=None)
    before = set(webinars.values_list("pk", flat=True))
    assert before
    zoom_app.change_account("borealis", plan="free", webinars=False)
    missing = {"status": 400, "code": 200, "message": "Webinar plan is missing."}
    zoom_app.fault("status", **missing, path="/v2/webinars/")
    for _ in range(3):
        assert compare(site_settings).state == "done"
    assert set(webinars.values_list("pk", flat=True)) == before
    assert not webinars.exclude(missing_since=None).exists()
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("path", ["/recordings", "/webinars"])
def test_o17_a_scope_withdrawn_later_stops_its_kind_only(connect, compare, zoom_app, path):
    site_settings = connect("borealis-0")
    rows = Meeting.objects.count(), Recording.objects.count()
    fault = {"status": 400, "code": 4711, "message": "Invalid access token, does not contain "
             "scopes:[a:read:b:admin]."}  # fmt: skip
    zoom_app.fault("status", **fault, path=path)
    zoom_app.create_meeting("borealis-0", topic="Goes on", start_time="+2d 10:00")
    for _ in range(2):
        assert compare(site_settings).state == "done"
    assert Meeting.objects.filter(topic="Goes on").exists()
    assert (Meeting.objects.filter(removed_at=None).exclude(topic="Goes on").count(),
            Recording.objects.filter(removed_at=None).count()) == rows  # fmt: skip
    assert Grant.objects.get().state == "connected"


HOSTS = int(os.environ.get("TEST_HOSTS", "60"))
"""2000 for the full size: fifty thousand meetings, several minutes."""


@pytest.mark.slow
def test_s9_memory_is_bounded_by_the_page(connect, zoom_app, zoom_worker, settings):
    """An account of many users, 25 meetings each, needs at most 30 MB more memory."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 30}
    people = [zoom_app.create_user("aurora", first_name=f"P{n}")["id"] for n in range(HOSTS)]
    for person in people:
        zoom_app.bulk(person, meetings=25)
    tracemalloc.start()
    try:
        site_settings = connect("aurora-0", hosts=people, kinds=("meetings",), work=False)
        tracemalloc.reset_peak()
        before, _peak = tracemalloc.get_traced_memory()
        began = timezone.now()
        zoom_worker.run(100_000)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    took = (timezone.now() - began).total_seconds()
    print(f"{25 * HOSTS} meetings in {took:.0f} s, {(peak - before) / 2**20:.1f} MB")
    assert Host.objects.filter(account=site_settings.account).count() >= HOSTS
    assert SyncRun.objects.get().state == "done"
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == 25 * HOSTS
    assert peak - before < 30 * 2**20


def run_next_slice(run):
    """Run the next slice, without waiting for its time."""
    SyncRun.objects.filter(pk=run.pk).update(next_try_at=None)
    runner.run_slice(run.pk)
    run.refresh_from_db()


def test_a_bug_is_retried_ten_times_and_removes_nothing(connect, monkeypatch, caplog):
    """Increasing pauses, then failed with its name; no host and no meeting is removed."""
    site_settings = connect("aurora-0")
    alive = Meeting.objects.filter(removed_at=None).count()
    run = runs.request_run(site_settings.account, "reconcile")

    def broken(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(runner.users, "refresh_directory", broken)
    waits = []
    for _n in range(completion.MAX_ATTEMPTS - 1):
        run_next_slice(run)
        waits.append(round((run.next_try_at - timezone.now()).total_seconds()))
    assert run.state == "running" and run.error_class == "RuntimeError"
    assert waits == sorted(waits) and waits[-1] > 3000
    run_next_slice(run)
    assert (run.state, run.error_class) == ("failed", "RuntimeError")
    assert "was interrupted" in caplog.text
    assert Meeting.objects.filter(removed_at=None).count() == alive > 0


def test_a_refusal_by_zoom_fails_immediately(connect, zoom_app):
    """A permanent error is not retried ten times."""
    site_settings = connect("aurora-0")
    run = runs.request_run(site_settings.account, "reconcile")
    zoom_app.fault("status", method="GET", path="/users", status=400, code=300, message="No")
    run_next_slice(run)
    assert run.state == "failed"
    zoom_app.clear_faults()
    run = runs.request_run(site_settings.account, "reconcile")
    run_next_slice(run)
    assert run.state in ("running", "done")


def test_a_cancelled_run_stops_at_its_next_step(connect):
    site_settings = connect("aurora-0")
    run = runs.request_run(site_settings.account, "reconcile")
    SyncRun.objects.filter(pk=run.pk).update(cancel_requested=True)
    run_next_slice(run)
    assert run.state == "cancelled"


def test_refused_questions_leave_the_stored_ones(connect, compare, zoom_app):
    """The form keeps the stored questions; an outage is no refusal and is retried."""
    site_settings = connect("borealis-0", kinds=("meetings", "webinars", "registration"))
    meetings = Meeting.objects.exclude(questions={}).exclude(questions_at=None)
    before = dict(meetings.values_list("pk", "questions"))
    assert before
    Meeting.objects.update(questions_at=timezone.now() - timedelta(days=30))
    zoom_app.fault("status", path="/questions", status=400, code=300, message="No")
    assert compare(site_settings).state == "done"
    assert dict(meetings.filter(pk__in=before).values_list("pk", "questions")) == before
    assert not meetings.filter(questions_at__lt=timezone.now() - timedelta(days=1)).exists()
