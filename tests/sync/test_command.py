"""``zoom_sync --wait`` works without the worker."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.sync.test_bursts import visible_data
from wagtail_zoom.models import Activity, Meeting, Occurrence, Recording, SyncRun
from wagtail_zoom.sync import runs

pytestmark = pytest.mark.django_db


def test_wait_works_until_it_is_done(connect, zoom_app):
    connect("aurora-0", work=False)
    out = StringIO()
    call_command("zoom_sync", "--wait", stdout=out)
    assert Meeting.objects.exists()
    assert "meeting: seen" in out.getvalue()
    assert SyncRun.objects.get().state == "done"


def test_wait_leaves_an_outage_to_the_worker(connect, zoom_app):
    connect("aurora-0")
    zoom_app.fault("status", status=503, path="/v2/")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("zoom_sync", "--wait", stdout=out, stderr=out)
    assert "waits until" in out.getvalue()


def test_s26_a_dry_run_reports_changes_and_writes_nothing(connect, zoom_app, zoom_worker):
    site_settings = connect("aurora-0")
    Meeting.objects.update(detail_at=timezone.now() - timedelta(days=2))
    single = Meeting.objects.filter(zoom_type=2, start__gt=timezone.now())
    renamed, deleted = single[:2]
    series = Meeting.objects.filter(
        zoom_type=8, pk__in=Occurrence.objects.filter(start__gt=timezone.now()).values("meeting")
    ).first()
    moved = series.occurrences.filter(start__gt=timezone.now()).last()
    zoom_app.change_meeting(int(renamed.zoom_id), topic="By another name")
    zoom_app.delete_meeting(int(deleted.zoom_id))
    zoom_app.create_meeting("aurora-0", topic="Brand new", start_time="+2d 10:00")
    zoom_app.delete_meeting(int(series.zoom_id), occurrence_id=moved.zoom_id)
    before = visible_data(), list(Activity.objects.values()), list(SyncRun.objects.values())
    tables = [list(model.objects.order_by("pk").values())
              for model in (Meeting, Occurrence, Recording)]  # fmt: skip
    out = StringIO()
    call_command("zoom_sync", "--dry-run", "-v", "2", stdout=out)
    text = out.getvalue()
    assert (
        visible_data(),
        list(Activity.objects.values()),
        list(SyncRun.objects.values()),
    ) == before
    assert tables == [list(model.objects.order_by("pk").values())
                      for model in (Meeting, Occurrence, Recording)]  # fmt: skip
    assert f"changed: {renamed.zoom_id} By another name" in text
    assert f"missing: {deleted.zoom_id} " in text
    assert f"changed: {series.zoom_id} " in text
    assert "Brand new" in text
    assert re.search(r"meeting: changed 2, missing 1, new 1, unchanged \d+$", text, re.MULTILINE)
    assert re.search(r"recording: unchanged \d+$", text, re.MULTILINE)
    runs.request_run(site_settings.account, SyncRun.Mode.RECONCILE)
    zoom_worker.run()
    assert SyncRun.objects.latest("pk").counts["meeting"]["created"] == 1
    out = StringIO()
    call_command("zoom_sync", "--dry-run", stdout=out)
    assert re.search(r"meeting: unchanged \d+$", out.getvalue(), re.MULTILINE)


def test_s26_an_outage_is_an_error_of_the_command(connect, zoom_app):
    connect("aurora-0")
    zoom_app.fault("status", status=503, path="/v2/")
    with pytest.raises(CommandError, match="ZoomTransient"):
        call_command("zoom_sync", "--dry-run", stdout=StringIO())
