"""Zoom's types of meetings, and the querysets that use them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.models import Meeting, Occurrence
from wagtail_zoom.models.mirror import (
    CLOSED_STATES,
    SHOWABLE_TYPES,
    UNSCHEDULED_TYPES,
    WEBINAR_TYPES,
    MeetingType,
)
from wagtail_zoom.models.recordings import SCHEDULED_TYPES
from wagtail_zoom.testing.factories import make_account, make_host, make_meeting


def test_every_type_is_shown_or_unscheduled():
    assert sorted([*SHOWABLE_TYPES, *UNSCHEDULED_TYPES]) == sorted(MeetingType)
    assert {int(value) for value in WEBINAR_TYPES} == {5, 6, 9}
    assert sorted(SCHEDULED_TYPES) == ["2", "3", "5", "6", "8", "9"]


@pytest.mark.django_db
def test_meetings_that_are_not_over():
    now, host = timezone.now(), make_host(make_account())
    upcoming, undated = make_meeting(host), make_meeting(host, dates=0)
    make_meeting(host, start=now - timedelta(days=2))
    assert set(Meeting.objects.not_over(now)) == {upcoming, undated}
    assert not undated.has_fixed_time and upcoming.has_fixed_time


@pytest.mark.django_db
@pytest.mark.parametrize(("registration", "takes"), [("auto", 1), ("manual", 1), ("none", 0)])
def test_meetings_that_take_registration(registration, takes):
    meeting = make_meeting(make_host(make_account()), registration=registration)
    assert Meeting.objects.taking_registration().count() == takes == meeting.takes_registration


def test_what_takes_place_no_more():
    planned = {Occurrence.State.SCHEDULED, Occurrence.State.MOVED, Occurrence.State.LIVE}
    assert set(CLOSED_STATES) == set(Occurrence.State) - planned
