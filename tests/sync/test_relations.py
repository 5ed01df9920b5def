"""Recordings, meetings and items are linked, in whatever order they are imported."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.models import Meeting, Occurrence, SiteItem, ZoomAccount, fetch_scope
from wagtail_zoom.sync.persist import WriteContext, store_meetings

pytestmark = pytest.mark.django_db


def store_meeting(zoom, number, *, kind=2, **settings):
    """Store the detail of a meeting of yesterday, or of a webinar of tomorrow."""
    start = timezone.now() + timedelta(days=1 if kind == 5 else -1)
    payload = {
        "id": int(number), "host_id": zoom.host.zoom_id, "type": kind, "topic": "Open studio",
        "start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "duration": 60, "settings": settings,
    }  # fmt: skip
    mapped = [map_meeting(payload)]
    return store_meetings(
        zoom.account, fetch_scope(zoom.account), mapped, WriteContext(timezone.now())
    )


def recordings(zoom):
    return SiteVisibility.for_site(zoom.site).recordings(Audience.VISITOR, Channel.PAGE)


def shown_meetings(zoom):
    return SiteVisibility.for_site(zoom.site).meetings(Audience.VISITOR, Channel.PAGE)


def early_recording(zoom):
    """A recording stored before its meeting: meetings were switched on later, or again."""
    start = timezone.now() - timedelta(days=1)
    return zoom.recording(start=start, meeting_zoom_id="81234567890", meeting=None)


def test_a_recording_is_linked_when_its_meeting_is_imported_later(zoom_rows):
    recording = early_recording(zoom_rows)
    result = store_meeting(zoom_rows, recording.meeting_zoom_id)
    recording.refresh_from_db()
    assert recording.occurrence == Occurrence.objects.get(
        meeting__zoom_id=recording.meeting_zoom_id
    )
    assert result.recordings == {recording.pk}  # so that its pages are purged
    Meeting.objects.all().delete()
    assert store_meeting(zoom_rows, recording.meeting_zoom_id).recordings == {recording.pk}


def test_x28_a_private_meeting_imported_later_hides_its_recording(zoom_rows):
    recording = early_recording(zoom_rows)
    assert recordings(zoom_rows).exists()
    store_meeting(zoom_rows, recording.meeting_zoom_id, private_meeting=True)
    assert not recordings(zoom_rows).exists()


def test_x28_a_hidden_meeting_stays_hidden_as_a_webinar(zoom_rows):
    """The same number at Zoom, another kind: the owner's decision still applies."""
    meeting = zoom_rows.meeting()
    item = SiteItem.objects.get(key=meeting.zoom_id)
    SiteItem.objects.filter(pk=item.pk).update(visibility="hidden", title="Ours")
    assert not shown_meetings(zoom_rows).exists()
    store_meeting(zoom_rows, meeting.zoom_id, kind=5)
    assert Meeting.objects.get(pk=meeting.pk).kind == "webinar"
    assert not shown_meetings(zoom_rows).exists()
    stored_item = SiteItem.objects.get(key=meeting.zoom_id)
    assert (stored_item.pk, stored_item.kind, stored_item.title) == (item.pk, "webinar", "Ours")


def test_an_item_on_a_page_survives_conversion_to_a_webinar(zoom_rows):
    meeting = zoom_rows.meeting()
    item = SiteItem.objects.get(key=meeting.zoom_id)
    meeting.delete()  # webinars were off, and are switched on later
    store_meeting(zoom_rows, meeting.zoom_id, kind=5)
    assert shown_meetings(zoom_rows).exists()
    assert SiteItem.objects.get(pk=item.pk).meeting.kind == "webinar"


def test_conversion_takes_no_item_of_another_account(zoom_rows):
    """A Site keeps what it made of an account that it has left; numbers may be the same there."""
    meeting = zoom_rows.meeting()
    item = SiteItem.objects.get(key=meeting.zoom_id)
    other = ZoomAccount.objects.create(zoom_id="another")
    SiteItem.objects.filter(pk=item.pk).update(account=other, title="Ours there")
    meeting.delete()
    store_meeting(zoom_rows, meeting.zoom_id, kind=5)
    item.refresh_from_db()
    assert (item.kind, item.account) == ("meeting", other)
    assert SiteItem.objects.get(account=zoom_rows.account, key=meeting.zoom_id).title == ""
