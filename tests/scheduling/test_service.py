"""The functions for forms and for a project's own code."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from wagtail_zoom.exceptions import ZoomWriteRefused
from wagtail_zoom.models import ExposedHost, MeetingChange
from wagtail_zoom.scheduling import service
from wagtail_zoom.scheduling.recurrence import Frequency, RecurrenceRule
from wagtail_zoom.signals import meeting_change_finished

from .conftest import process_due, stored_meeting

pytestmark = pytest.mark.django_db


def test_the_same_key_is_one_meeting(connected):
    first, second = connected.schedule(), connected.schedule(topic="Other")
    assert first == second and MeetingChange.objects.count() == 1
    process_due()
    assert connected.schedule() == first
    process_due()
    assert len(connected.at_zoom()) == 1


def test_a_site_without_access_is_refused(connected):
    ExposedHost.objects.all().delete()
    with pytest.raises(ZoomWriteRefused):
        connected.schedule()
    assert not MeetingChange.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"topic": " "}, "topic"),
        ({"topic": "x" * 201}, "topic"),
        ({"agenda": "x" * 2001}, "agenda"),
        ({"duration": 0}, "duration"),
        ({"passcode": "with space"}, "passcode"),
        ({"zone": "Nowhere/Town"}, "zone"),
        ({"registration": "perhaps"}, "registration"),
        ({"start": timezone.now() - timedelta(minutes=1)}, "start"),
        ({"rule": RecurrenceRule(Frequency.DAILY)}, "count"),
    ],
)
def test_what_zoom_would_refuse_is_not_saved(connected, values, field):
    with pytest.raises(ValidationError) as caught:
        connected.schedule(**values)
    assert list(caught.value.message_dict) == [field]
    assert not MeetingChange.objects.exists()


def test_registration_needs_a_licence(connected):
    connected.host.user_type = 1
    with pytest.raises(ValidationError) as caught:
        connected.schedule(registration="approval")
    assert list(caught.value.message_dict) == ["registration"]


def test_a_meeting_made_elsewhere_is_changed_after_a_yes_only(connected):
    change = connected.schedule()
    process_due()
    change.refresh_from_db()
    meeting = stored_meeting(change)
    MeetingChange.objects.all().delete()
    values = {"site": connected.site, "meeting": meeting, "topic": "New"}
    with pytest.raises(service.NotMadeHere):
        service.change(key="a", **values)
    service.change(key="b", adopt=True, **values)
    service.change(key="c", **values)
    assert MeetingChange.objects.count() == 2


def test_edit_and_give_up(connected):
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=2)
    change, other = connected.schedule(passcode="secret"), connected.schedule("k2")
    assert "secret" not in str(MeetingChange.objects.filter(pk=change.pk).values())
    process_due()
    change.refresh_from_db()
    assert change.state == "failed"
    service.edit(change, topic="Shorter", duration=30)
    assert service.give_up(other).state == "given_up"
    process_due()
    change.refresh_from_db()
    other.refresh_from_db()
    assert (change.state, other.state, bool(other.payload)) == ("done", "given_up", False)
    [doc] = connected.at_zoom("Shorter")
    assert (doc["duration"], doc["password"]) == (30, "secret")
    assert not connected.at_zoom()


def test_the_signal_says_how_it_ended(connected, django_capture_on_commit_callbacks):
    states = []

    def receiver(sender, change, **kwargs):
        states.append((sender, change.state, change.meeting_zoom_id))

    meeting_change_finished.connect(receiver)
    try:
        change = connected.schedule()
        with django_capture_on_commit_callbacks(execute=True):
            process_due()
    finally:
        meeting_change_finished.disconnect(receiver)
    change.refresh_from_db()
    assert states == [(MeetingChange, "done", change.meeting_zoom_id)]


def test_no_meeting_is_created_in_the_past(connected):
    """It waited for the worker until its start was over."""
    change = connected.schedule()
    payload = json.loads(change.payload.reveal())
    payload["body"]["start_time"] = "2026-01-05T18:00:00"
    change.payload = json.dumps(payload)
    change.save(update_fields=["payload"])
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("failed", "over")
    assert not connected.at_zoom()
