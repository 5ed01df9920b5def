"""Many registrations in parallel stay within the account's rate limit (S19)."""

import pytest

from wagtail_zoom.models import Registration, ZoomAccount
from wagtail_zoom.registration import delivery, outbox

from .test_delivery import zoom_registrants
from .test_killed import register_people

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def zoom_no_rate_limit():
    """With rate limits, as in production."""


def test_all_are_sent_without_429(connect_site, settings):
    """The simulator's account allows 30 calls a second and counts them."""
    scenario = connect_site()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RATE_SHARE": 0.5}
    ZoomAccount.objects.update(plan="pro")
    scenario.zoom.options(rate_limit="plan")
    register_people(scenario, 60)
    while outbox.run(delivery.process, seconds=30):
        pass
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    assert len(zoom_registrants(scenario)) == 60
    assert not [call for call in scenario.zoom.calls() if call["status"] == 429]
