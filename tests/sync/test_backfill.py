"""The first import, over HTTP against the simulator (S1, S5, S6, S8, S10, S22, X14)."""

import re

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wagtail_zoom.models import (
    Activity,
    Host,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    SyncRun,
)
from wagtail_zoom.sync import import_list, runner, runs

pytestmark = [pytest.mark.django_db, pytest.mark.full_import]


def test_all_selected_kinds_are_imported(connect, zoom_app, site):
    site_settings = connect("borealis-0")
    run = SyncRun.objects.get()
    assert run.state == "done", (run.error_class, run.error_code)
    state = zoom_app.state()
    people = {
        user["id"] for user in state["users"] if user["account_id"] == site_settings.account.zoom_id
    }
    assert set(Host.objects.values_list("zoom_id", flat=True)) == people
    assert Meeting.objects.filter(kind="meeting").exists()
    assert Meeting.objects.filter(kind="webinar").exists()
    assert Recording.objects.exists()
    assert not Meeting.objects.filter(detail_at=None).exists()
    assert not Meeting.objects.filter(topic="Just now").exists()
    assert Meeting.objects.filter(topic__contains="<script>").exists()
    assert "\n" not in "".join(Meeting.objects.values_list("topic", flat=True))
    weekly = Meeting.objects.get(topic__endswith="weekly", account=site_settings.account)
    assert weekly.occurrences.count() == 20
    assert run.counts["meeting"]["created"] == Meeting.objects.filter(kind="meeting").count()
    assert run.progress["recording"][0] == Recording.objects.count()
    assert Activity.objects.filter(site=site, code="run_done").count() == 1
    assert not Activity.objects.filter(code="meeting_new").exists()
    # Recordings need review first; meetings follow the rules.
    assert not SiteItem.objects.filter(kind="recording").exclude(visibility="auto").exists()
    unshown = Meeting.objects.filter(Q(is_private=True) | Q(uses_personal_room=True)).count()
    assert (
        SiteItem.objects.filter(kind="meeting").count() == run.counts["meeting"]["seen"] - unshown
    )


def meeting_writes(queries):
    """Statements that write the content of meetings, not only the sync columns."""
    pattern = re.compile(r"(INSERT INTO|UPDATE) .?wagtail_zoom_meeting\W.*topic")
    return [query["sql"] for query in queries if pattern.match(query["sql"])]


def test_s8_a_second_run_writes_nothing(connect, zoom_worker):
    with CaptureQueriesContext(connection) as first:
        site_settings = connect("borealis-0")
    assert meeting_writes(first)
    version = site_settings.account.__class__.objects.get(pk=site_settings.account.pk).data_version
    runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    with CaptureQueriesContext(connection) as second:
        zoom_worker.run()
    run = SyncRun.objects.order_by("-pk").first()
    assert run.state == "done"
    assert all(counts["created"] == counts["changed"] == 0 for counts in run.counts.values())
    assert not meeting_writes(second)
    site_settings.account.refresh_from_db()
    assert site_settings.account.data_version == version


def test_only_selected_hosts_are_fetched(connect, zoom_app):
    hosts = [zoom_app.state()["users"][0]["id"]]
    connect("aurora-0", hosts=hosts)
    assert set(Meeting.objects.values_list("host_zoom_id", flat=True)) == set(hosts)
    listed = {
        call["path"] for call in zoom_app.calls("path=/meetings") if "/users/" in call["path"]
    }
    assert listed == {f"/v2/users/{hosts[0]}/meetings"}


def test_no_kind_selected_fetches_nothing(connect, zoom_app):
    connect("aurora-0", kinds=())
    assert not Meeting.objects.exists()
    assert not SyncRun.objects.exists()


def test_webinars_without_the_plan_are_no_error(connect):
    connect("aurora-0")
    run = SyncRun.objects.get()
    assert run.state == "done"
    assert run.counts["webinar"]["failed"] == 0


def test_missing_scope_switches_one_kind_off(connect, zoom_app):
    zoom_app.options(scopes=[
        "user:read:user:admin", "user:read:list_users:admin",
        "meeting:read:list_meetings:admin", "meeting:read:meeting:admin",
    ])  # fmt: skip
    site_settings = connect("borealis-0")
    assert site_settings.grant.missing_kinds == [
        "webinar",
        "recording",
        "registration",
        "summary",
    ]
    assert site_settings.grant.state == "connected"
    assert SyncRun.objects.get().state == "done"
    assert Meeting.objects.exists()
    paths = [call["path"] for call in zoom_app.calls()]
    assert not any(path.endswith(("/recordings", "/webinars")) for path in paths)


def test_s5_a_looping_token_is_an_error_and_removes_nothing(connect, zoom_app, zoom_worker):
    site_settings = connect("aurora-0")
    count = Meeting.objects.count()
    zoom_app.fault("loop_page_tokens", path="/meetings$")
    runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    run = SyncRun.objects.order_by("-pk").first()
    assert run.state == "running"
    assert run.next_try_at > timezone.now()
    assert run.error_class in ("StepRestart", "ZoomProtocolError")
    assert Meeting.objects.filter(removed_at=None, missing_since=None).count() == count


@pytest.mark.slow
def test_a_large_account_is_imported_completely(connect, zoom_app, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RECORDING_MONTHS": 24}
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=1001, recordings=60, days=420)
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 60}
    zoom_app.create_meeting(host, topic="Sixty weeks", start_time="+1d 18:00", recurrence=weekly)
    connect("aurora-0", hosts=[host])
    assert SyncRun.objects.get().state == "done"
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == 1001
    assert Recording.objects.filter(topic__startswith="Recording ").count() == 60
    assert Occurrence.objects.filter(meeting__topic__startswith="Meeting ").count() == 1001
    assert Occurrence.objects.filter(meeting__topic="Sixty weeks").count() == 60


def test_an_expired_page_token_restarts_the_step(connect, zoom_app, zoom_worker):
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=320)
    zoom_app.fault("expire_page_tokens", path="/meetings$")
    connect("aurora-0", hosts=[host])
    assert SyncRun.objects.get().state == "running"
    assert not Meeting.objects.exclude(missing_since=None).exists()
    zoom_app.clear_faults()
    SyncRun.objects.update(next_try_at=timezone.now())
    runs.sweep()
    zoom_worker.run()
    assert SyncRun.objects.get().state == "done"
    assert Meeting.objects.filter(topic__startswith="Meeting ").count() == 320
    assert not Meeting.objects.exclude(missing_since=None).exists()


@pytest.fixture
def short_slices(monkeypatch, settings):
    """A slice's time is over as soon as five details are stored."""
    monkeypatch.setattr(runner, "STEP_OVERTIME", -1000)
    monkeypatch.setattr(import_list, "BATCH", 5)
    monkeypatch.setattr(import_list, "READS_AFTER_DEADLINE", 1)
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 1}


def test_a_long_listing_takes_several_slices(connect, zoom_app, zoom_worker, short_slices):
    """S4: a task is killed after two minutes, so a host with many meetings takes several slices."""
    zoom_app.bulk("aurora-0", meetings=30)
    site_settings = connect("aurora-0", kinds=("meetings",))
    run = SyncRun.objects.filter(account=site_settings.account).latest("pk")
    assert run.state == SyncRun.State.DONE and "remaining" not in run.cursor
    assert zoom_worker.ran.count("sync_slice") > 5
    read = [call["path"] for call in zoom_app.calls("path=/v2/meetings/")]
    assert len(set(read)) >= 30 and len(read) == len(set(read)), "nothing is read twice"
    lists = [call for call in zoom_app.calls("path=/v2/users/") if "page_size=300" in call["query"]]
    pages = [call["path"] for call in lists if call["path"].endswith("/meetings")]
    assert pages and len(pages) == len(set(pages)), "nothing is listed twice"
    counts = run.counts["meeting"]
    stored = Meeting.objects.filter(account=site_settings.account).count()
    assert counts["seen"] == counts["created"] == stored, "nothing is counted twice"


def test_after_a_crash_only_remaining_details_are_read(
    connect, zoom_app, short_slices, monkeypatch
):
    """S2: the cursor names our own meetings; details stored after it are not read again."""
    zoom_app.bulk("aurora-0", meetings=30)
    cursors = []
    save = runner._save_cursor

    def save_earlier_cursor(run, **cursor):
        if cursor.get("remaining"):
            cursors.append(cursor)
            if len(cursors) == 3:
                cursor = cursors[0]  # the result of this slice was never saved
        save(run, **cursor)

    monkeypatch.setattr(runner, "_save_cursor", save_earlier_cursor)
    site_settings = connect("aurora-0", kinds=("meetings",))
    assert len(cursors) > 3
    read = [call["path"] for call in zoom_app.calls("path=/v2/meetings/")]
    assert (
        len(read) == len(set(read)) == Meeting.objects.filter(account=site_settings.account).count()
    )


def test_a_cancelled_run_stores_no_remaining_numbers(connect, zoom_app, short_slices, monkeypatch):
    zoom_app.bulk("aurora-0", meetings=30)
    save = runner._save_cursor

    def cancel(run, **cursor):
        save(run, **cursor)
        if cursor.get("remaining"):
            SyncRun.objects.update(cancel_requested=True)

    monkeypatch.setattr(runner, "_save_cursor", cancel)
    connect("aurora-0", kinds=("meetings",))
    run = SyncRun.objects.get()
    assert run.state == SyncRun.State.CANCELLED and "remaining" not in run.cursor


def test_first_dates_are_stored_after_a_few_details(connect, zoom_app, monkeypatch):
    """The owner of a new Site waits for them: no host is counted beforehand, and the first batches
    are small."""
    zoom_app.bulk("aurora-0", meetings=120)
    sizes, store = [], import_list.store_meetings

    def store_and_note(client, account, scope, mapped, context):
        sizes.append(len(mapped))
        run = SyncRun.objects.get()
        completed = [sum(pair[0] for pair in run.progress.values())]
        assert completed == [sum(sizes[:-1])], "the bar shows what is stored"
        return store(client, account, scope, mapped, context)

    monkeypatch.setattr(import_list, "store_meetings", store_and_note)
    counted_in_run = []
    monkeypatch.setattr(
        runner.users,
        "count_selected_hosts",
        lambda account: counted_in_run.append(SyncRun.objects.exists()),
    )
    connect("aurora-0", kinds=("meetings",))
    assert sizes[:4] == [8, 16, 32, 64]
    assert counted_in_run == [False], "only when it was connected, for the choices"
