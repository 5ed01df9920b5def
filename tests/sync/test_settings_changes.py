"""What an owner chooses, changes, pauses and stops (S16, S17, S20, X5, X32)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom import tasks
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Host,
    Meeting,
    Recording,
    SiteItem,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.sync import runner, runs, settings_changes
from wagtail_zoom.sync.settings_changes import Choice
from wagtail_zoom.utils.queue import enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(site):
    return Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)


def last_run():
    return SyncRun.objects.order_by("-pk").first()


def test_a_kind_switched_off_goes_and_curation_comes_back(
    connect, site, admin_user, zoom_worker, zoom_app
):
    choice = connect("aurora-0")
    item = SiteItem.objects.filter(kind="recording").first()
    SiteItem.objects.filter(pk=item.pk).update(title="Our own title", visibility="published")
    before = Choice.of(choice)
    choice.show_recordings = False
    choice.save()
    settings_changes.apply_exposure(choice, admin_user, before)
    zoom_worker.run()
    assert not Recording.objects.exists()
    assert Meeting.objects.exists()
    item.refresh_from_db()
    assert (item.recording, item.last_title != "") == (None, True)
    before = Choice.of(choice)
    choice.show_recordings = True
    choice.save()
    settings_changes.apply_exposure(choice, admin_user, before)
    zoom_worker.run()
    item.refresh_from_db()
    assert item.recording.uuid == item.key
    assert (item.title, item.visibility) == ("Our own title", "published")
    assert SiteItem.objects.filter(kind="recording", key=item.key).count() == 1


def test_a_host_unticked_goes(connect, admin_user, zoom_worker):
    choice = connect("aurora-0")
    host = Host.objects.get(display_name="Ines Krüger")
    lost = Meeting.objects.filter(host=host).count()
    assert lost
    before = Choice.of(choice)
    ExposedHost.objects.filter(host=host).delete()
    settings_changes.apply_exposure(choice, admin_user, before)
    zoom_worker.run()
    assert not Meeting.objects.filter(host=host).exists()
    assert Meeting.objects.exists()
    # Nothing was added: no import was asked for.
    assert SyncRun.objects.count() == 1


def test_two_sites_share_what_both_want(connect, second, admin_user, zoom_worker, site):
    one = connect("aurora-0")
    two = connect("aurora-0", on=second, kinds=("recordings",))
    assert one.account == two.account
    meeting = Meeting.objects.first()
    scope = fetch_scope(one.account)
    assert scope.sites("recording", meeting.host_id) == {site.pk, second.pk}
    assert scope.sites("meeting", meeting.host_id) == {site.pk}
    assert not SiteItem.objects.filter(site=second, kind="meeting").exists()
    # What one Site lets go stays while the other one wants it.
    for choice in (one, two):
        before = Choice.of(choice)
        choice.show_recordings = False
        choice.save()
        settings_changes.apply_exposure(choice, admin_user, before)
        zoom_worker.run()
        assert Recording.objects.exists() == (choice is one)
    assert Meeting.objects.exists()


def test_a_disconnected_site_leaves_the_other_ones_rows(connect, second, admin_user, zoom_worker):
    connect("aurora-0")
    two = connect("aurora-0", on=second)
    meetings = Meeting.objects.count()
    disconnect.disconnect(two, keep=False, user=admin_user)
    zoom_worker.run()
    assert Meeting.objects.count() == meetings


def test_keep_freezes_and_the_last_leave_purges(connect, admin_user, zoom_worker, zoom_app):
    choice = connect("aurora-0")
    account = choice.account
    disconnect.disconnect(choice, keep=True, user=admin_user)
    zoom_worker.run()
    assert Meeting.objects.exists()
    zoom_app.forget_calls()
    runs.request_run(account, "reconcile")
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    disconnect.disconnect(ZoomSettings.for_site(choice.site), keep=False, user=admin_user)
    zoom_worker.run()
    assert not Meeting.objects.exists()
    assert not Host.objects.filter(account=account).exists()
    assert SiteItem.objects.filter(account=account).exists()


def test_x5_personal_grants_do_not_see_each_other(connect, second, site, zoom_app):
    """Two people of one Zoom account, a Site each: neither gets the other's meetings."""
    zoom_app.options(app_kind="user")
    one = connect("borealis-0")
    two = connect("borealis-1", on=second)
    assert one.account == two.account
    assert not one.grant.account_level
    people = {choice: choice.grant.zoom_user_id for choice in (one, two)}
    for host in Host.objects.all():  # even when the wrong host is ticked
        ExposedHost.objects.get_or_create(settings=one, host=host)
    scope = fetch_scope(one.account)
    for choice in (one, two):
        host = Host.objects.get(zoom_id=people[choice])
        assert scope.sites("meeting", host.pk) == {choice.site_id}
        mine = SiteItem.objects.filter(site=choice.site, kind="meeting")
        assert set(mine.values_list("meeting__host_zoom_id", flat=True)) == {people[choice]}
    mine = SiteItem.objects.filter(kind="meeting")
    topics = {
        choice: set(mine.filter(site=choice.site).values_list("last_title", flat=True))
        for choice in (one, two)
    }
    assert not topics[one] & topics[two]


def test_pause_and_resume(connect, admin_user, zoom_worker, zoom_app):
    choice = connect("aurora-0")
    settings_changes.pause(choice, admin_user)
    rows = Meeting.objects.count()
    assert fetch_scope(choice.account).is_empty
    zoom_app.forget_calls()
    runs.plan(timezone.now() + timedelta(days=2))
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    assert Meeting.objects.count() == rows
    zoom_app.create_meeting("aurora-0", topic="While we slept", start_time="+2d 10:00")
    settings_changes.resume(choice, admin_user)
    zoom_worker.run()
    assert Meeting.objects.filter(topic="While we slept").exists()
    codes = set(Activity.objects.values_list("code", flat=True))
    assert {"paused", "resumed"} <= codes


def test_s16_twenty_clicks_make_two_runs(connect, zoom_worker):
    choice = connect("aurora-0")
    before = SyncRun.objects.count()
    first = runs.request_run(choice.account, "reconcile")
    SyncRun.objects.filter(pk=first.pk).update(state="running", cursor={"directory": True})
    for _ in range(19):
        assert runs.request_run(choice.account, "reconcile") == first
    zoom_worker.run()
    assert SyncRun.objects.count() == before + 2
    assert not SyncRun.objects.filter(state__in=runs.OPEN).exists()


def test_s16_one_slice_at_a_time_for_an_account(connect, zoom_app):
    choice = connect("aurora-0")
    me = runs.claim(choice.account)
    assert me
    assert runs.claim(choice.account) == ""
    run = runs.request_run(choice.account, "reconcile")
    zoom_app.forget_calls()
    runner.run_slice(run.pk)
    assert zoom_app.calls() == []
    runs.release(choice.account, "somebody else")
    assert runs.claim(choice.account) == ""
    # A dead owner's lease ends, and what it does afterwards does not count.
    ZoomAccount.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = runs.claim(choice.account)
    assert other
    assert not runs.renew(choice.account, me)
    runs.release(choice.account, me)
    assert ZoomAccount.objects.get().lease_owner == other


@pytest.mark.parametrize("mode", ["backfill", "reconcile"])
def test_a_host_ticked_during_a_run_is_imported_in_full(
    connect, zoom_worker, zoom_app, settings, mode
):
    """A comparison alone would look through the newest three months of the recordings."""
    hosts = [user["id"] for user in zoom_app.state()["users"][:2]]
    choice = connect("aurora-0", hosts=hosts[:1], kinds=("meetings", "recordings"))
    old = zoom_app.create_recording(hosts[1], topic="Long ago", start_time="-300d")
    slow = {"SLICE_SECONDS": 0, "RECORDING_MONTHS": 24}
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **slow}
    run = runs.request_run(choice.account, mode)
    passed = [2, "0012", 0] if mode == "backfill" else [2, "", 0]
    for _slice in range(40):
        if run.cursor.get("unit", []) < passed:
            runner.run_slice(run.pk)
            run.refresh_from_db()
    assert run.state == "running"
    before = Choice.of(choice)
    ExposedHost.objects.create(settings=choice, host=Host.objects.get(zoom_id=hosts[1]))
    settings_changes.apply_exposure(choice, None, before)
    settings_changes.apply_exposure(choice, None, before)
    assert SyncRun.objects.filter(state__in=runs.OPEN).count() == 2
    assert runs.next_waiting() == run  # one after the other
    zoom_worker.run()
    assert Recording.objects.filter(uuid=old["id"]).exists()
    assert not runs.open_run(choice.account)


def test_stopping_stops_what_waits_behind(connect, zoom_worker, settings):
    choice = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    run = runs.open_run(choice.account)
    runner.run_slice(run.pk)
    behind = runs.request_run(choice.account, "backfill")
    assert behind != run
    runs.cancel(run)
    zoom_worker.run()
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"cancelled"}


def test_s17_cancel_stops_and_keeps_what_is_there(connect, zoom_worker, zoom_app, settings):
    choice = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    run = runs.open_run(choice.account)
    runner.run_slice(run.pk)
    run.refresh_from_db()
    assert run.state == "running"
    assert run.progress
    stored = Meeting.objects.count()
    runs.cancel(run)
    zoom_worker.run()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert run.finished_at is not None
    assert Meeting.objects.count() == stored
    assert Activity.objects.filter(code="run_cancelled").exists()


def test_a_run_in_many_slices_ends_like_one(connect, zoom_worker, settings):
    choice = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    slices = zoom_worker.run()
    assert slices > 5
    run = last_run()
    assert run.state == "done"
    assert run.counts["meeting"]["created"] == Meeting.objects.filter(kind="meeting").count()
    assert not runs.open_run(choice.account)


@pytest.mark.parametrize("daily", [False, True])
def test_s20_a_429_makes_the_run_wait_and_go_on(connect, zoom_worker, zoom_app, daily):
    choice = connect("aurora-0", work=False)
    headers = {"X-RateLimit-Type": "Daily-limit" if daily else "QPS"}
    zoom_app.fault(
        "status", status=429, code=429, message="x", headers=headers, path="/meetings$", count=1
    )
    zoom_worker.run()
    run = last_run()
    assert run.state == "running"
    wait = (run.next_try_at - timezone.now()).total_seconds()
    assert 0 < wait <= (86400 if daily else 3)
    assert run.attempts == 0  # waiting is no failure
    zoom_app.forget_calls()
    runs.request_run(choice.account, "reconcile")
    zoom_worker.run()
    assert zoom_app.calls() == []  # no storm
    SyncRun.objects.update(next_try_at=timezone.now())
    ZoomAccount.objects.update(throttled_until=timezone.now())
    runs.sweep()
    zoom_worker.run()
    run.refresh_from_db()
    assert run.state == "done"


def test_x32_disconnecting_in_the_middle_leaves_nothing(
    connect, admin_user, zoom_worker, zoom_app, monkeypatch
):
    """The owner lets go between two pages of a slice: what came in afterwards is deleted too."""
    choice = connect("aurora-0", work=False)
    pages = []
    beat = runner.Slice.beat

    def leave_then_beat(self, *args, **kwargs):
        pages.append(1)
        if len(pages) == 3:
            disconnect.disconnect(choice, keep=False, user=admin_user)
            zoom_worker.waiting.appendleft(zoom_worker.waiting.pop())  # the purge comes first
            assert Meeting.objects.exists()
        return beat(self, *args, **kwargs)

    monkeypatch.setattr(runner.Slice, "beat", leave_then_beat)
    zoom_worker.run()
    assert len(pages) >= 3
    assert not Meeting.objects.exists()
    assert not Recording.objects.exists()
    assert not SyncRun.objects.filter(state__in=runs.OPEN).exists()


def test_x32_the_purge_may_come_while_reads_are_on_their_way(
    connect, admin_user, zoom_worker, settings, monkeypatch
):
    """Another worker deletes at once; what this one still had in hand is stored, and goes too."""
    choice = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 1}
    purges = []
    beat = runner.Slice.beat

    def choose_then_beat(self, tally=None, *args, **kwargs):
        if tally is not None and not purges:
            before = Choice.of(choice)
            choice.show_meetings = False
            choice.save()
            settings_changes.apply_exposure(choice, admin_user, before)
        return beat(self, tally, *args, **kwargs)

    def by_another_worker(name, *args):
        if name == "purge_account":
            purges.append(tasks.purge_account(*args))

    monkeypatch.setattr(runner.Slice, "beat", choose_then_beat)
    monkeypatch.setattr(runner, "enqueue", by_another_worker)
    zoom_worker.waiting.clear()
    for run in SyncRun.objects.all():
        runner.run_slice(run.pk)
    assert purges
    assert not Meeting.objects.exists()


def test_a_failing_host_does_not_stop_the_others(connect, zoom_worker, zoom_app):
    host = zoom_app.users("aurora")[1]["id"]
    zoom_app.fault("status", status=404, code=1001, path=f"/users/{host}/")
    connect("aurora-0")
    assert last_run().state == "done"
    assert Meeting.objects.exclude(host_zoom_id=host).exists()
    assert not Meeting.objects.filter(host_zoom_id=host).exists()


def test_hosts_that_are_about_to_be_ticked_are_counted_and_not_fetched(connect, zoom_worker):
    """A number from one listing call for each kind; not one row of theirs is stored."""
    choice = connect("aurora-0", hosts=[])
    other = Host.objects.filter(account=choice.account, exposed_on=None).first()
    Host.objects.filter(pk=other.pk).update(totals={})
    enqueue("count_hosts", choice.account.pk, other.pk)
    zoom_worker.run()
    other.refresh_from_db()
    assert set(other.totals) == {"meeting", "webinar", "recording"}
    assert other.totals["meeting"] > 0
    assert not Meeting.objects.filter(host=other).exists()
