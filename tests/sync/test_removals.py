"""What is missing at Zoom: two sightings, a mass delete guard, no mistakes (S12-S14)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    SyncRun,
    fetch_scope,
)
from wagtail_zoom.sync import event_effects, removals, runs
from wagtail_zoom.sync.refetch import RefetchTarget, handle_missing

pytestmark = pytest.mark.django_db
LISTING = "/users/[^/]+/meetings$"
EMPTY = {"meetings": [], "page_size": 300, "total_records": 0, "next_page_token": ""}


@pytest.fixture
def compare(zoom_worker):
    """``compare(site_settings)``: one complete reconcile run."""

    def run(site_settings, mode="reconcile"):
        runs.request_run(site_settings.account, mode)
        zoom_worker.run()
        return SyncRun.objects.order_by("-pk").first()

    return run


def test_s8_a_reconcile_run_without_changes_writes_no_meeting(connect, compare):
    site_settings = connect("aurora-0", kinds=("meetings",))
    rows = list(Meeting.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as queries:
        run = compare(site_settings)
    assert run.counts["meeting"]["unchanged"] == len(rows) > 5
    assert run.counts["meeting"].get("removed", 0) == 0
    assert list(Meeting.objects.order_by("pk").values()) == rows
    written = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]
    assert not [sql for sql in written if "wagtail_zoom_meeting" in sql.partition("SET")[0]]


def test_s12_a_meeting_listed_again_is_no_longer_missing(connect, compare):
    site_settings = connect("aurora-0", kinds=("meetings",))
    Meeting.objects.update(missing_since=timezone.now())
    compare(site_settings)
    assert not Meeting.objects.exclude(missing_since=None).exists()


def test_s12_an_unknown_path_removes_nothing(connect, compare, zoom_app, settings):
    """404 with code 2300 is about the call, not about a meeting."""
    site_settings = connect("aurora-0")
    rows = set(Meeting.objects.filter(removed_at=None).values_list("pk", flat=True))
    right = settings.WAGTAIL_ZOOM
    Grant.objects.update(api_url="")
    settings.WAGTAIL_ZOOM = {**right, "API_URL": f"{right['API_URL']}/elsewhere"}
    Meeting.objects.filter(topic="Morning flow").update(missing_since=timezone.now())
    run = compare(site_settings)
    assert (run.state, run.error_code) == ("running", 2300)
    assert set(Meeting.objects.filter(removed_at=None).values_list("pk", flat=True)) == rows
    settings.WAGTAIL_ZOOM = right
    SyncRun.objects.filter(pk=run.pk).update(next_try_at=None, beat_at=None)
    assert compare(site_settings).state == "done"
    assert set(Meeting.objects.filter(removed_at=None).values_list("pk", flat=True)) == rows


def test_s12_a_deleted_meeting_is_removed_and_restored(connect, compare, zoom_app, site):
    site_settings = connect("aurora-0")
    row = Meeting.objects.get(topic="Morning flow")
    item = SiteItem.objects.get(site=site, key=row.zoom_id)
    SiteItem.objects.filter(pk=item.pk).update(title="Ours", visibility="published")
    zoom_app.delete_meeting(int(row.zoom_id))
    assert compare(site_settings).counts["meeting"]["removed"] == 1
    row.refresh_from_db()
    assert row.removed_at is not None
    assert row.occurrences.get().state == "cancelled"
    assert Activity.objects.filter(code="meeting_gone").count() == 1
    # Removed once: the next run finds nothing new.
    assert compare(site_settings).counts["meeting"].get("removed", 0) == 0
    zoom_app.recover_meeting(int(row.zoom_id))
    compare(site_settings)
    row.refresh_from_db()
    assert row.removed_at is None
    assert row.missing_since is None
    assert row.occurrences.get().state != "cancelled"
    item.refresh_from_db()
    assert (item.title, item.meeting_id) == ("Ours", row.pk)


def test_s12_an_empty_listing_removes_nothing(connect, compare, zoom_app):
    site_settings = connect("aurora-0")
    before = Meeting.objects.filter(removed_at=None).count()
    zoom_app.fault("status", status=200, body=EMPTY, path=LISTING)
    for _ in range(2):
        # The detail of each is still available: they exist.
        assert compare(site_settings).state == "done"
        assert Meeting.objects.filter(removed_at=None).count() == before
    assert not Occurrence.objects.filter(state="cancelled").exists()


def test_s12_a_recording_needs_two_complete_listings(connect, compare, zoom_app):
    site_settings = connect("aurora-0", kinds=("recordings",))
    row = Recording.objects.get(topic="Slash first")
    zoom_app.delete_recordings(row.uuid, permanent=True)
    compare(site_settings)
    row.refresh_from_db()
    assert row.missing_since is not None
    assert row.removed_at is None
    compare(site_settings)
    row.refresh_from_db()
    assert row.removed_at is not None
    assert SiteItem.objects.filter(key=row.uuid).exists()


def test_s12_a_run_that_did_not_read_the_month_removes_nothing(
    connect, compare, zoom_app, settings
):
    """Reconcile runs read the newest months and one older one; others do not count as missing."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RECORDING_MONTHS": 24}
    host = zoom_app.state()["users"][0]["id"]
    recording = zoom_app.create_recording(host, topic="Long ago", start_time="-400d")
    site_settings = connect("aurora-0", kinds=("recordings",), hosts=[host])
    row = Recording.objects.get(uuid=recording["id"])
    zoom_app.delete_recordings(row.uuid, permanent=True)
    compare(site_settings, "backfill")
    for _ in range(2):
        compare(site_settings)
        row.refresh_from_db()
        assert row.missing_since is not None
        if row.removed_at is not None:  # its month had its turn
            break
    else:
        compare(site_settings, "backfill")
        row.refresh_from_db()
        assert row.removed_at is not None


def test_s14_a_scope_lost_between_two_runs_is_no_deletion(connect, compare, zoom_app):
    site_settings = connect("aurora-0", kinds=("meetings", "recordings"))
    row = Recording.objects.get(topic="Slash first")
    zoom_app.delete_recordings(row.uuid, permanent=True)
    compare(site_settings)
    site_settings.grant.missing_kinds = ["recording"]
    site_settings.grant.save()
    compare(site_settings)
    row.refresh_from_db()
    assert row.missing_since is not None
    assert row.removed_at is None


def test_s14_a_host_that_is_no_longer_fetched_is_no_deletion(connect, compare, zoom_app):
    site_settings = connect("aurora-0", kinds=("recordings",))
    row = Recording.objects.get(topic="Slash first")
    Recording.objects.filter(pk=row.pk).update(missing_since=timezone.now(), seen_run=0)
    site_settings.paused_at = timezone.now()
    site_settings.save()
    compare(site_settings)
    row.refresh_from_db()
    assert row.removed_at is None


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_s14_a_listing_that_fails_removes_nothing(connect, compare, zoom_app, status):
    site_settings = connect("aurora-0")
    zoom_app.fault("status", status=status, code=0, message="no", path="/users/")
    run = compare(site_settings)
    assert run.is_open or run.state in ("done", "failed")
    assert not Meeting.objects.exclude(missing_since=None).exists()
    assert not Meeting.objects.exclude(removed_at=None).exists()
    assert not Recording.objects.exclude(missing_since=None).exists()


def test_s14_a_deactivated_user_keeps_the_rows(connect, compare, zoom_app):
    site_settings = connect("aurora-0")
    host = Host.objects.get(display_name="Mika Sørensen")
    meeting_count = Meeting.objects.filter(host=host, removed_at=None).count()
    assert meeting_count
    zoom_app.change_user(host.zoom_id, status="inactive")
    compare(site_settings)
    compare(site_settings)
    host.refresh_from_db()
    assert host.missing_since is not None
    assert Meeting.objects.filter(host=host, removed_at=None).count() == meeting_count
    assert ExposedHost.objects.filter(host=host).exists()


def test_s13_the_mass_delete_guard_holds_until_the_owner_approves(
    connect, compare, zoom_app, zoom_worker, site
):
    host = zoom_app.state()["users"][0]["id"]
    zoom_app.bulk(host, meetings=20)
    site_settings = connect("aurora-0", hosts=[host], kinds=("meetings",))
    deleted = list(Meeting.objects.filter(topic__startswith="Meeting ")[:14])
    for row in deleted:
        zoom_app.delete_meeting(int(row.zoom_id))
    for _ in range(2):
        run = compare(site_settings)
        assert run.state == "done"
        assert run.counts["meeting"]["withheld"] == 14
        assert not Meeting.objects.exclude(removed_at=None).exists()
    assert Activity.objects.filter(code="removals_withheld", site=site).count() == 2
    # One is restored before the owner approves: the next run finds out again what is missing.
    zoom_app.recover_meeting(int(deleted[0].zoom_id))
    runs.approve_removals(run, None)
    zoom_worker.run()
    run = SyncRun.objects.order_by("-pk").first()
    assert run.counts["meeting"]["removed"] == 13
    assert Meeting.objects.exclude(removed_at=None).count() == 13
    assert Meeting.objects.get(pk=deleted[0].pk).removed_at is None


def test_a_past_meeting_expires_and_stays_shown(connect, compare, zoom_app):
    site_settings = connect("aurora-0")
    row = Meeting.objects.get(topic="Past evening")
    zoom_app.delete_meeting(int(row.zoom_id), permanent=True)
    compare(site_settings)
    compare(site_settings)
    row.refresh_from_db()
    assert row.expired_at is not None
    assert row.removed_at is None
    assert row.occurrences.get().state == "expired"


def test_what_has_gone_goes_once(connect, compare, zoom_app):
    """A later run neither reads a gone meeting again nor counts its time anew."""
    site_settings = connect("aurora-0")
    past, coming = (Meeting.objects.get(topic=topic) for topic in ("Past evening", "Morning flow"))
    for row in (past, coming):
        zoom_app.delete_meeting(int(row.zoom_id), permanent=True)
    compare(site_settings)
    compare(site_settings)
    gone_at = (
        Meeting.objects.get(pk=past.pk).expired_at,
        Meeting.objects.get(pk=coming.pk).removed_at,
    )
    assert None not in gone_at
    zoom_app.clear_calls()
    run = compare(site_settings)
    assert gone_at == (
        Meeting.objects.get(pk=past.pk).expired_at, Meeting.objects.get(pk=coming.pk).removed_at
    )  # fmt: skip
    assert Meeting.objects.get(pk=coming.pk).expired_at is None
    assert run.counts["meeting"].get("removed", 0) == 0
    paths = [call["path"] for call in zoom_app.calls()]
    assert f"/v2/meetings/{coming.zoom_id}" not in paths and "/v2/users" in paths


def test_one_expired_meeting_takes_no_other_along(zoom_rows):
    """Its number is answered with 404; those of the account, and of others, stay as they are."""
    ended = timezone.now() - timedelta(days=40)
    row, sibling = zoom_rows.meeting(start=ended), zoom_rows.meeting(start=ended)
    target = RefetchTarget(zoom_rows.account, Kind.MEETING, row.zoom_id, zoom_rows.host.zoom_id)
    handle_missing(target, fetch_scope(zoom_rows.account), row)
    assert list(Meeting.objects.exclude(expired_at=None)) == [row]
    assert Meeting.objects.get(expired_at=None) == sibling


def test_s13_what_was_removed_before_makes_no_deletion_small(zoom_rows):
    """The share is one of the meetings that are left, not of all that there ever were."""
    account, now = zoom_rows.account, timezone.now()
    meetings = [zoom_rows.meeting() for _ in range(142)]
    Meeting.objects.filter(pk__in=[row.pk for row in meetings[:100]]).update(removed_at=now)
    run = SyncRun.objects.create(account=account, mode="reconcile", state="running")
    missing = [row.pk for row in meetings[100:112]]
    Meeting.objects.filter(pk__in=missing).update(missing_since=now, missed_run=run.pk)
    counts = removals.apply_removals(account, fetch_scope(account), run)
    assert counts["meeting"] == removals.RemovalCounts(withheld=12)
    assert not Meeting.objects.filter(pk__in=missing).exclude(removed_at=None).exists()


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_deletion_before_the_last_read_cancels_nothing(zoom_rows, seconds):
    """A deletion that arrives late, or once more, is not newer than what Zoom has said since."""
    meeting = zoom_rows.meeting(start=timezone.now() + timedelta(days=2))
    occurrence = meeting.occurrences.get()
    read_at = timezone.now()
    Meeting.objects.filter(pk=meeting.pk).update(fetched_at=read_at)
    deleted_at = read_at + timedelta(seconds=seconds)
    event_effects.hide_deleted(meeting.account, meeting.zoom_id, None, deleted_at)
    occurrence.refresh_from_db()
    assert occurrence.state == ("cancelled" if seconds > 0 else "scheduled")
