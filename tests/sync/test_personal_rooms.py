"""The number of a host's personal room: what is held there is private until the owner decides."""

import pytest
from django.utils import timezone

from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.mapping.recordings import map_recording
from wagtail_zoom.models import Host, Meeting, Recording, SiteItem, ZoomSettings, fetch_scope
from wagtail_zoom.sync.persist import WriteContext, store_meetings, store_recordings
from wagtail_zoom.sync.users import store_hosts

pytestmark = pytest.mark.django_db
ROOM = "5551234567"


@pytest.fixture
def host(zoom_rows):
    ZoomSettings.objects.update(review_recordings=False)
    zoom_rows.host.pmi = ROOM
    zoom_rows.host.save()
    return zoom_rows.host


def store_recording(host, number, kind=8):
    payload = {
        "uuid": f"u-{number}", "id": int(number), "host_id": host.zoom_id, "type": kind,
        "topic": "Film", "start_time": "2026-11-01T10:00:00Z", "duration": 30,
        "share_url": "https://zoom.us/rec/share/x",
        "recording_files": [{"id": "f", "file_type": "MP4", "status": "completed"}],
    }  # fmt: skip
    context = WriteContext(timezone.now())
    store_recordings(host.account, fetch_scope(host.account), [map_recording(payload)], context)
    return Recording.objects.get(uuid=f"u-{number}"), SiteItem.objects.get(key=f"u-{number}")


@pytest.mark.parametrize("kind", [2, 8])
def test_a_recording_with_the_number_of_the_room_waits(host, kind):
    """Zoom names the type of the schedule, not that it took place in the room."""
    row, item = store_recording(host, ROOM, kind)
    assert row.is_unscheduled and item.visibility == "auto"
    row, item = store_recording(host, "81234567890", kind)
    assert not row.is_unscheduled and item.visibility == "published"


def test_a_meeting_with_the_number_of_the_room_is_hidden(host):
    payload = {"id": int(ROOM), "host_id": host.zoom_id, "type": 2, "topic": "Talk",
               "start_time": "2026-12-24T10:00:00Z"}  # fmt: skip
    mapped = [map_meeting(payload), map_meeting({**payload, "id": 81234567890})]
    context = WriteContext(timezone.now())
    store_meetings(host.account, fetch_scope(host.account), mapped, context)
    rooms = dict(Meeting.objects.values_list("zoom_id", "uses_personal_room"))
    assert rooms == {ROOM: True, "81234567890": False}


def test_a_room_that_becomes_known_later_hides_what_was_published(host):
    Host.objects.update(pmi="")
    host.pmi = ""
    row, item = store_recording(host, ROOM)
    assert item.visibility == "published" and not row.is_unscheduled
    fields = {"display_name": "Ines", "pmi": ROOM, "user_type": 2, "status": "", "timezone": ""}
    store_hosts(host.account, [(host.zoom_id, fields)], timezone.now())
    row.refresh_from_db()
    assert row.is_unscheduled and row.needs_decision
