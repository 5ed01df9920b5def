"""What happens when an owner changes, pauses and stops (S16, S17, S20, X5, X32)."""

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
from wagtail_zoom.sync.settings_changes import SettingsSnapshot
from wagtail_zoom.utils.queue import enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(site):
    return Site.objects.create(hostname="two.example", root_page=site.root_page, port=82)


def last_run():
    return SyncRun.objects.order_by("-pk").first()


def test_a_kind_switched_off_is_deleted_and_its_edits_come_back(
    connect, site, admin_user, zoom_worker, zoom_app
):
    site_settings = connect("aurora-0")
    item = SiteItem.objects.filter(kind="recording").first()
    SiteItem.objects.filter(pk=item.pk).update(title="Our own title", visibility="published")
    before = SettingsSnapshot.of(site_settings)
    site_settings.show_recordings = False
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, admin_user, before)
    zoom_worker.run()
    assert not Recording.objects.exists()
    assert Meeting.objects.exists()
    item.refresh_from_db()
    assert (item.recording, item.last_title != "") == (None, True)
    before = SettingsSnapshot.of(site_settings)
    site_settings.show_recordings = True
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, admin_user, before)
    zoom_worker.run()
    item.refresh_from_db()
    assert item.recording.uuid == item.key
    assert (item.title, item.visibility) == ("Our own title", "published")
    assert SiteItem.objects.filter(kind="recording", key=item.key).count() == 1


def test_a_deselected_host_is_deleted(connect, admin_user, zoom_worker):
    site_settings = connect("aurora-0")
    host = Host.objects.get(display_name="Ines Krüger")
    lost = Meeting.objects.filter(host=host).count()
    assert lost
    before = SettingsSnapshot.of(site_settings)
    ExposedHost.objects.filter(host=host).delete()
    settings_changes.apply_settings_changes(site_settings, admin_user, before)
    zoom_worker.run()
    assert not Meeting.objects.filter(host=host).exists()
    assert Meeting.objects.exists()
    # Nothing was added: no import was requested.
    assert SyncRun.objects.count() == 1


def test_two_sites_share_what_both_show(connect, second, admin_user, zoom_worker, site):
    first = connect("aurora-0")
    other = connect("aurora-0", on=second, kinds=("recordings",))
    assert first.account == other.account
    meeting = Meeting.objects.first()
    scope = fetch_scope(first.account)
    assert scope.sites("recording", meeting.host_id) == {site.pk, second.pk}
    assert scope.sites("meeting", meeting.host_id) == {site.pk}
    assert not SiteItem.objects.filter(site=second, kind="meeting").exists()
    # Rows stay while another Site shows them.
    for site_settings in (first, other):
        before = SettingsSnapshot.of(site_settings)
        site_settings.show_recordings = False
        site_settings.save()
        settings_changes.apply_settings_changes(site_settings, admin_user, before)
        zoom_worker.run()
        assert Recording.objects.exists() == (site_settings is first)
    assert Meeting.objects.exists()


def test_disconnecting_one_site_keeps_the_rows_of_another(connect, second, admin_user, zoom_worker):
    connect("aurora-0")
    other = connect("aurora-0", on=second)
    meetings = Meeting.objects.count()
    disconnect.disconnect(other, keep=False, user=admin_user)
    zoom_worker.run()
    assert Meeting.objects.count() == meetings


def test_keep_archives_and_the_last_disconnect_purges(connect, admin_user, zoom_worker, zoom_app):
    site_settings = connect("aurora-0")
    account = site_settings.account
    disconnect.disconnect(site_settings, keep=True, user=admin_user)
    zoom_worker.run()
    assert Meeting.objects.exists()
    zoom_app.clear_calls()
    runs.request_run(account, "reconcile")
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    disconnect.disconnect(ZoomSettings.for_site(site_settings.site), keep=False, user=admin_user)
    zoom_worker.run()
    assert not Meeting.objects.exists()
    assert not Host.objects.filter(account=account).exists()
    assert SiteItem.objects.filter(account=account).exists()


def test_x5_personal_grants_do_not_see_each_other(connect, second, site, zoom_app):
    """Two users of one Zoom account, a Site each: neither gets the other's meetings."""
    zoom_app.options(app_kind="user")
    first = connect("borealis-0")
    other = connect("borealis-1", on=second)
    assert first.account == other.account
    assert not first.grant.account_level
    people = {site_settings: site_settings.grant.zoom_user_id for site_settings in (first, other)}
    for host in Host.objects.all():  # even when the wrong host is selected
        ExposedHost.objects.get_or_create(settings=first, host=host)
    scope = fetch_scope(first.account)
    for site_settings in (first, other):
        host = Host.objects.get(zoom_id=people[site_settings])
        assert scope.sites("meeting", host.pk) == {site_settings.site_id}
        items = SiteItem.objects.filter(site=site_settings.site, kind="meeting")
        assert set(items.values_list("meeting__host_zoom_id", flat=True)) == {people[site_settings]}
    items = SiteItem.objects.filter(kind="meeting")
    topics = {
        site_settings: set(
            items.filter(site=site_settings.site).values_list("last_title", flat=True)
        )
        for site_settings in (first, other)
    }
    assert not topics[first] & topics[other]


def test_pause_and_resume(connect, admin_user, zoom_worker, zoom_app):
    site_settings = connect("aurora-0")
    settings_changes.pause(site_settings, admin_user)
    rows = Meeting.objects.count()
    assert fetch_scope(site_settings.account).is_empty
    zoom_app.clear_calls()
    runs.start_due_runs(timezone.now() + timedelta(days=2))
    zoom_worker.run()
    assert not any("/meetings" in call["path"] for call in zoom_app.calls())
    assert Meeting.objects.count() == rows
    zoom_app.create_meeting("aurora-0", topic="While paused", start_time="+2d 10:00")
    settings_changes.resume(site_settings, admin_user)
    zoom_worker.run()
    assert Meeting.objects.filter(topic="While paused").exists()
    codes = set(Activity.objects.values_list("code", flat=True))
    assert {"paused", "resumed"} <= codes


def test_s16_twenty_clicks_make_two_runs(connect, zoom_worker):
    site_settings = connect("aurora-0")
    before = SyncRun.objects.count()
    first = runs.request_run(site_settings.account, "reconcile")
    SyncRun.objects.filter(pk=first.pk).update(state="running", cursor={"directory": True})
    for _ in range(19):
        assert runs.request_run(site_settings.account, "reconcile") == first
    zoom_worker.run()
    assert SyncRun.objects.count() == before + 2
    assert not SyncRun.objects.filter(state__in=runs.OPEN_STATES).exists()


def test_s16_one_slice_at_a_time_for_an_account(connect, zoom_app):
    site_settings = connect("aurora-0")
    owner = runs.acquire_lease(site_settings.account)
    assert owner
    assert runs.acquire_lease(site_settings.account) == ""
    run = runs.request_run(site_settings.account, "reconcile")
    zoom_app.clear_calls()
    runner.run_slice(run.pk)
    assert zoom_app.calls() == []
    runs.release_lease(site_settings.account, "another worker")
    assert runs.acquire_lease(site_settings.account) == ""
    # The lease of a dead worker ends, and what it does afterwards has no effect.
    ZoomAccount.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    new_owner = runs.acquire_lease(site_settings.account)
    assert new_owner
    assert not runs.extend_lease(site_settings.account, owner)
    runs.release_lease(site_settings.account, owner)
    assert ZoomAccount.objects.get().lease_owner == new_owner


@pytest.mark.parametrize("mode", ["backfill", "reconcile"])
def test_a_host_selected_during_a_run_is_imported_in_full(
    connect, zoom_worker, zoom_app, settings, mode
):
    """A reconcile run alone would read the newest three months of recordings."""
    hosts = [user["id"] for user in zoom_app.state()["users"][:2]]
    site_settings = connect("aurora-0", hosts=hosts[:1], kinds=("meetings", "recordings"))
    old = zoom_app.create_recording(hosts[1], topic="Long ago", start_time="-300d")
    slow = {"SLICE_SECONDS": 0, "RECORDING_MONTHS": 24}
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **slow}
    run = runs.request_run(site_settings.account, mode)
    passed = [2, "0012", 0] if mode == "backfill" else [2, "", 0]
    for _slice in range(40):
        if run.cursor.get("step", []) < passed:
            runner.run_slice(run.pk)
            run.refresh_from_db()
    assert run.state == "running"
    before = SettingsSnapshot.of(site_settings)
    ExposedHost.objects.create(settings=site_settings, host=Host.objects.get(zoom_id=hosts[1]))
    settings_changes.apply_settings_changes(site_settings, None, before)
    settings_changes.apply_settings_changes(site_settings, None, before)
    assert SyncRun.objects.filter(state__in=runs.OPEN_STATES).count() == 2
    assert runs.next_waiting() == run  # one after the other
    zoom_worker.run()
    assert Recording.objects.filter(uuid=old["id"]).exists()
    assert not runs.open_run(site_settings.account)


def test_cancelling_stops_waiting_runs_too(connect, zoom_worker, settings):
    site_settings = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    run = runs.open_run(site_settings.account)
    runner.run_slice(run.pk)
    behind = runs.request_run(site_settings.account, "backfill")
    assert behind != run
    runs.cancel(run)
    zoom_worker.run()
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"cancelled"}


def test_s17_cancel_stops_and_keeps_stored_rows(connect, zoom_worker, zoom_app, settings):
    site_settings = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    run = runs.open_run(site_settings.account)
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


def test_a_run_in_many_slices_is_complete(connect, zoom_worker, settings):
    site_settings = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "SLICE_SECONDS": 0}
    slices = zoom_worker.run()
    assert slices > 5
    run = last_run()
    assert run.state == "done"
    assert run.counts["meeting"]["created"] == Meeting.objects.filter(kind="meeting").count()
    assert not runs.open_run(site_settings.account)


@pytest.mark.parametrize("daily", [False, True])
def test_s20_a_429_makes_the_run_wait_and_continue(connect, zoom_worker, zoom_app, daily):
    site_settings = connect("aurora-0", work=False)
    headers = {"X-RateLimit-Type": "Daily-limit" if daily else "QPS"}
    zoom_app.fault(
        "status", status=429, code=429, message="x", headers=headers, path="/meetings$", count=1
    )
    zoom_worker.run()
    run = last_run()
    assert run.state == "running"
    wait = (run.next_try_at - timezone.now()).total_seconds()
    assert 0 < wait <= (86400 if daily else 3)
    assert run.attempts == 0  # a delay is no failure
    zoom_app.clear_calls()
    runs.request_run(site_settings.account, "reconcile")
    zoom_worker.run()
    assert zoom_app.calls() == []  # no burst of calls
    SyncRun.objects.update(next_try_at=timezone.now())
    ZoomAccount.objects.update(throttled_until=timezone.now())
    runs.sweep()
    zoom_worker.run()
    run.refresh_from_db()
    assert run.state == "done"


def test_x32_disconnecting_during_a_run_leaves_nothing(
    connect, admin_user, zoom_worker, zoom_app, monkeypatch
):
    """The owner disconnects between two pages of a slice: what is stored later is deleted too."""
    site_settings = connect("aurora-0", work=False)
    pages = []
    heartbeat = runner.Slice.heartbeat

    def disconnect_then_heartbeat(self, *args, **kwargs):
        pages.append(1)
        if len(pages) == 3:
            disconnect.disconnect(site_settings, keep=False, user=admin_user)
            zoom_worker.waiting.appendleft(zoom_worker.waiting.pop())  # the purge comes first
            assert Meeting.objects.exists()
        return heartbeat(self, *args, **kwargs)

    monkeypatch.setattr(runner.Slice, "heartbeat", disconnect_then_heartbeat)
    zoom_worker.run()
    assert len(pages) >= 3
    assert not Meeting.objects.exists()
    assert not Recording.objects.exists()
    assert not SyncRun.objects.filter(state__in=runs.OPEN_STATES).exists()


def test_x32_the_purge_may_run_during_reads(
    connect, admin_user, zoom_worker, settings, monkeypatch
):
    """Another worker deletes immediately; what this one stores afterwards is deleted too."""
    site_settings = connect("aurora-0", work=False)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 1}
    purges = []
    heartbeat = runner.Slice.heartbeat

    def change_then_heartbeat(self, result=None, *args, **kwargs):
        if result is not None and not purges:
            before = SettingsSnapshot.of(site_settings)
            site_settings.show_meetings = False
            site_settings.save()
            settings_changes.apply_settings_changes(site_settings, admin_user, before)
        return heartbeat(self, result, *args, **kwargs)

    def by_another_worker(name, *args):
        if name == "purge_account":
            purges.append(tasks.purge_account(*args))

    monkeypatch.setattr(runner.Slice, "heartbeat", change_then_heartbeat)
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


def test_hosts_about_to_be_selected_are_counted_and_not_fetched(connect, zoom_worker):
    """A number from one listing call for each kind; none of their rows is stored."""
    site_settings = connect("aurora-0", hosts=[])
    other = Host.objects.filter(account=site_settings.account, exposed_on=None).first()
    Host.objects.filter(pk=other.pk).update(totals={})
    enqueue("count_hosts", site_settings.account.pk, other.pk)
    zoom_worker.run()
    other.refresh_from_db()
    assert set(other.totals) == {"meeting", "webinar", "recording"}
    assert other.totals["meeting"] > 0
    assert not Meeting.objects.filter(host=other).exists()
