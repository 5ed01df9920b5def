"""Pages are invalidated when a meeting is full, open again, or has other questions."""

import time

import pytest

from wagtail_zoom.models import WebhookEvent, ZoomAccount
from wagtail_zoom.registration import capacity, events
from wagtail_zoom.signals import mirror_changed
from wagtail_zoom.sync import questions

from .conftest import make_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced_meetings(django_capture_on_commit_callbacks):
    """``announced_meetings(change)``: the meetings that the change publishes."""
    published = []

    def listen(meetings, **kwargs):
        published.append(meetings)

    mirror_changed.connect(listen)

    def run(change):
        published.clear()
        with django_capture_on_commit_callbacks(execute=True):
            change()
        return published[:]

    yield run
    mirror_changed.disconnect(listen)


def registration_event(tenant, meeting, what):
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000),
        payload={"object": {"id": int(meeting.zoom_id), "registrant": {"id": "somebody"}}},
    )
    return lambda: events.on_registration_event(tenant.account, event)


def test_the_last_place_is_taken_and_becomes_free(tenant, announced_meetings):
    meeting = make_meeting(tenant, capacity=3, registrant_count=1)
    before = ZoomAccount.objects.get(pk=tenant.account.pk).data_version
    assert announced_meetings(registration_event(tenant, meeting, "created")) == []
    assert ZoomAccount.objects.get(pk=tenant.account.pk).data_version > before
    assert announced_meetings(registration_event(tenant, meeting, "created")) == [{meeting.pk}]
    assert announced_meetings(registration_event(tenant, meeting, "created")) == []
    assert announced_meetings(registration_event(tenant, meeting, "cancelled")) == []
    assert announced_meetings(registration_event(tenant, meeting, "cancelled")) == [{meeting.pk}]
    meeting.refresh_from_db()
    assert meeting.registrant_count == 2


def test_a_refusal_and_its_end_are_published(tenant, meeting, announced_meetings):
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "full")) == [{meeting.pk}]
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "full")) == []
    assert announced_meetings(lambda: capacity.set_refusal(meeting, "")) == [{meeting.pk}]


def test_changed_questions_are_published(tenant, meeting, announced_meetings):
    """A title is sent back to Zoom unchanged, so it is stored unchanged."""
    zoom_questions = {"custom_questions": [{"title": " Own  or\trent? ", "type": "short"}]}
    assert announced_meetings(lambda: questions.store(meeting, zoom_questions)) == [{meeting.pk}]
    assert announced_meetings(lambda: questions.store(meeting, zoom_questions)) == []
    meeting.refresh_from_db()
    assert meeting.questions["custom_questions"][0]["title"] == " Own  or\trent? "
