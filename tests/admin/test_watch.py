"""An owner looks at a recording before it is published: only of the Site's present account."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.blocks import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(aurora):
    aurora.recording.share_url = "https://zoom.us/rec/share/aurora"
    aurora.recording.save()
    return aurora.recording


def watch(client, tenant):
    return client.get(reverse("wagtail_zoom_recordings:watch", args=[tenant.recording_item.pk]))


def test_the_owner_is_redirected_to_the_recording(as_aurora, aurora, recording):
    response = watch(as_aurora, aurora)
    assert (response.status_code, response["location"]) == (302, "https://zoom.us/rec/share/aurora")


def test_a_recording_of_another_account_cannot_be_watched(as_aurora, aurora, recording):
    """The Site has another account now; its item still names the recording of the old one."""
    account = rows.account()
    site_settings = aurora.site_settings
    site_settings.account = account
    site_settings.grant.pk, site_settings.grant.account = None, account
    site_settings.grant.save()
    site_settings.save()
    assert site_settings.grant.covers(recording.host_zoom_id)
    response = watch(as_aurora, aurora)
    assert response.status_code == 404
