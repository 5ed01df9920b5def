"""What is missing at Zoom: two sightings, a mass delete guard, no mistakes (S12-S14)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Host,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    SyncRun,
)
from wagtail_zoom.sync import runs

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
