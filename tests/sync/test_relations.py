"""What belongs together finds together, in whatever order it comes (DESIGN 5, 7)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.frontend.visibility import Audience, Exposure, Surface
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.models import Meeting, Occurrence, SiteItem, fetch_scope
from wagtail_zoom.sync.persist import Occasion, store_meetings

pytestmark = pytest.mark.django_db


def store(zoom, number, *, kind=2, **settings):
    """A detail read of a meeting that was yesterday, or is tomorrow as a webinar."""
    start = timezone.now() + timedelta(days=1 if kind == 5 else -1)
    payload = {
        "id": int(number), "host_id": zoom.host.zoom_id, "type": kind, "topic": "Open studio",
        "start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "duration": 60, "settings": settings,
    }  # fmt: skip
    mapped = [map_meeting(payload)]
    return store_meetings(zoom.account, fetch_scope(zoom.account), mapped, Occasion(timezone.now()))


def films(zoom):
    return Exposure.for_site(zoom.site).recordings(Audience.VISITOR, Surface.PAGE)


def shown(zoom):
    return Exposure.for_site(zoom.site).meetings(Audience.VISITOR, Surface.PAGE)


def early(zoom):
    """A recording that is here before its meeting is: meetings were switched on later, or anew."""
    begun = timezone.now() - timedelta(days=1)
    return zoom.recording(start=begun, meeting_zoom_id="81234567890", meeting=None)


def test_a_recording_finds_its_date_when_the_meeting_comes_later(zoom_rows):
    film = early(zoom_rows)
    done = store(zoom_rows, film.meeting_zoom_id)
    film.refresh_from_db()
    assert film.occurrence == Occurrence.objects.get(meeting__zoom_id=film.meeting_zoom_id)
    assert done.recordings == {film.pk}  # pages that lead to it are told
    Meeting.objects.all().delete()
    assert store(zoom_rows, film.meeting_zoom_id).recordings == {film.pk}


def test_x28_a_private_meeting_that_comes_later_takes_its_recording_off(zoom_rows):
    film = early(zoom_rows)
    assert films(zoom_rows).exists()
    store(zoom_rows, film.meeting_zoom_id, private_meeting=True)
    assert not films(zoom_rows).exists()


def test_x28_what_is_hidden_stays_hidden_as_a_webinar(zoom_rows):
    """The same number at Zoom, another kind: the owner's decision is about the thing."""
    meeting = zoom_rows.meeting()
    item = SiteItem.objects.get(key=meeting.zoom_id)
    SiteItem.objects.filter(pk=item.pk).update(visibility="hidden", title="Ours")
    assert not shown(zoom_rows).exists()
    store(zoom_rows, meeting.zoom_id, kind=5)
    assert Meeting.objects.get(pk=meeting.pk).kind == "webinar"
    assert not shown(zoom_rows).exists()
    found = SiteItem.objects.get(key=meeting.zoom_id)
    assert (found.pk, found.kind, found.title) == (item.pk, "webinar", "Ours")


def test_what_a_page_holds_goes_on_as_a_webinar(zoom_rows):
    meeting = zoom_rows.meeting()
    item = SiteItem.objects.get(key=meeting.zoom_id)
    meeting.delete()  # webinars were off, and are switched on later
    store(zoom_rows, meeting.zoom_id, kind=5)
    assert shown(zoom_rows).exists()
    assert SiteItem.objects.get(pk=item.pk).meeting.kind == "webinar"
