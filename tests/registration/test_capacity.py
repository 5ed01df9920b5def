"""Pages hear of it when a form is full, open again, or asks something else."""

import time

import pytest

from wagtail_zoom.models import WebhookEvent, ZoomAccount
from wagtail_zoom.registration import capacity, events
from wagtail_zoom.signals import mirror_changed
from wagtail_zoom.sync import questions

from .conftest import make_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(django_capture_on_commit_callbacks):
    """``heard(work)``: the meetings that were announced by it."""
    found = []

    def listen(meetings, **kwargs):
        found.append(meetings)

    mirror_changed.connect(listen)

    def run(work):
        found.clear()
        with django_capture_on_commit_callbacks(execute=True):
            work()
        return found[:]

    yield run
    mirror_changed.disconnect(listen)


def message(place, meeting, what):
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000),
        payload={"object": {"id": int(meeting.zoom_id), "registrant": {"id": "somebody"}}},
    )
    return lambda: events.apply(place.account, event)


def test_the_last_place_is_taken_and_becomes_free(place, heard):
    meeting = make_meeting(place, capacity=3, registrant_count=1)
    before = ZoomAccount.objects.get(pk=place.account.pk).data_version
    assert heard(message(place, meeting, "created")) == []
    assert ZoomAccount.objects.get(pk=place.account.pk).data_version > before
    assert heard(message(place, meeting, "created")) == [{meeting.pk}]
    assert heard(message(place, meeting, "created")) == []
    assert heard(message(place, meeting, "cancelled")) == []
    assert heard(message(place, meeting, "cancelled")) == [{meeting.pk}]
    meeting.refresh_from_db()
    assert meeting.registrant_count == 2


def test_zoom_refuses_everybody_and_takes_them_again(place, meeting, heard):
    assert heard(lambda: capacity.set_block(meeting, "full")) == [{meeting.pk}]
    assert heard(lambda: capacity.set_block(meeting, "full")) == []
    assert heard(lambda: capacity.set_block(meeting, "")) == [{meeting.pk}]


def test_other_questions(place, meeting, heard):
    """Trap 17: a title goes back to Zoom letter by letter, so it is kept so."""
    asked = {"custom_questions": [{"title": " Own  or\trent? ", "type": "short"}]}
    assert heard(lambda: questions.keep(meeting, asked)) == [{meeting.pk}]
    assert heard(lambda: questions.keep(meeting, asked)) == []
    meeting.refresh_from_db()
    assert meeting.questions["custom_questions"][0]["title"] == " Own  or\trent? "
