"""``zoom_sync --wait`` works by itself, without the worker."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from wagtail_zoom.models import Meeting, SyncRun

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
