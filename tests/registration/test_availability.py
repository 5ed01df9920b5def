"""Instead of a form that cannot work stands a sentence that says why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.models import Host, Occurrence, ZoomAccount, ZoomSettings

from .conftest import make_meeting, offer, url_of


def code(place, meeting):
    return offer(place, meeting).availability.code


def test_open(place, meeting):
    assert code(place, meeting) == "open"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"approval_type": 2}, "none"),
        ({"kind": "webinar", "zoom_type": 5, "is_events_webinar": True}, "events"),
        ({"capacity": 40, "registrant_count": 40}, "full"),
        ({"dates": (-1,)}, "over"),
        ({"dates": (-0.01,), "close_registration": True}, "closed"),
        ({"dates": (1,), "close_registration": True}, "open"),
        ({"is_private": True}, "gone"),
        ({"removed_at": timezone.now()}, "gone"),
        ({"zoom_type": 3, "dates": ()}, "open"),
    ],
)
def test_meeting_that_takes_nobody(client, place, values, expected):
    meeting = make_meeting(place, **values)
    assert code(place, meeting) == expected
    html = client.get(url_of(place, meeting)).content.decode()
    assert ("<form" in html) is (expected == "open")


def test_cancelled(place, meeting):
    Occurrence.objects.update(state="cancelled")
    assert code(place, meeting) == "cancelled"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"show_registration": False}, "off"),
        ({"paused_at": timezone.now()}, "paused"),
        ({"grant": None, "archived_at": timezone.now()}, "off"),
        ({"show_meetings": False}, "gone"),
    ],
)
def test_site_that_does_not_offer_it(place, meeting, values, expected):
    ZoomSettings.objects.filter(pk=place.site_settings.pk).update(**values)
    assert code(place, meeting) == expected


def test_free_host(place, meeting):
    """Trap 19: Zoom takes no sign-ups for hosts without a licence."""
    Host.objects.update(user_type=1)
    assert code(place, meeting) == "unlicensed"


def test_missing_scope(place, meeting):
    place.grant.missing_kinds = ["registration"]
    place.grant.save()
    assert code(place, meeting) == "off"


def test_copied_database(place, meeting):
    """DESIGN 4.7: a copy registers nobody."""
    ZoomAccount.objects.update(fingerprint="other")
    assert code(place, meeting) == "paused"


def test_refusal_of_the_whole_meeting_is_believed_for_a_while(place, meeting):
    meeting.registration_block, meeting.registration_block_at = "full", timezone.now()
    meeting.save()
    assert code(place, meeting) == "full"
    meeting.registration_block_at -= timedelta(hours=2)
    meeting.save()
    assert code(place, meeting) == "open"
