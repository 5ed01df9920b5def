"""When registration is not possible, a message replaces the form."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.models import Host, Occurrence, ZoomAccount, ZoomSettings
from wagtail_zoom.oauth import disconnect

from .conftest import form_context, form_url, make_meeting


def code(tenant, meeting):
    return form_context(tenant, meeting).availability.code


def test_open(tenant, meeting):
    assert code(tenant, meeting) == "open"


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
def test_rules_of_the_meeting(client, tenant, values, expected):
    meeting = make_meeting(tenant, **values)
    assert code(tenant, meeting) == expected
    html = client.get(form_url(tenant, meeting)).content.decode()
    assert ("<form" in html) is (expected == "open")


def test_cancelled(tenant, meeting):
    Occurrence.objects.update(state="cancelled")
    assert code(tenant, meeting) == "cancelled"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"show_registration": False}, "off"),
        ({"paused_at": timezone.now()}, "open"),
        ({"show_meetings": False}, "gone"),
    ],
)
def test_rules_of_the_site(tenant, meeting, values, expected):
    ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(**values)
    assert code(tenant, meeting) == expected


def test_an_archive_takes_no_registrations(tenant, meeting):
    disconnect.disconnect(ZoomSettings.objects.get(pk=tenant.site_settings.pk), keep=True)
    assert code(tenant, meeting) == "off"


def test_unlicensed_host(tenant, meeting):
    """Zoom accepts no registrations for hosts without a licence."""
    Host.objects.update(user_type=1)
    assert code(tenant, meeting) == "unlicensed"


def test_missing_scope(tenant, meeting):
    tenant.grant.missing_kinds = ["registration"]
    tenant.grant.save()
    assert code(tenant, meeting) == "off"


def test_copied_database(tenant, meeting):
    """A copied database accepts no registrations."""
    ZoomAccount.objects.update(fingerprint="other")
    assert code(tenant, meeting) == "paused"


def test_a_refusal_of_the_whole_meeting_expires(tenant, meeting):
    meeting.registration_block, meeting.registration_block_at = "full", timezone.now()
    meeting.save()
    assert code(tenant, meeting) == "full"
    meeting.registration_block_at -= timedelta(hours=2)
    meeting.save()
    assert code(tenant, meeting) == "open"
