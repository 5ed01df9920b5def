"""Many sign-ups at once stay within the account's rate (S19; issue, shows 3)."""

import pytest

from wagtail_zoom.models import Registration, ZoomAccount
from wagtail_zoom.registration import delivery, outbox

from .test_delivery import at_zoom
from .test_killed import signed_up

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def zoom_unpaced():
    """Paced, as anywhere else."""


def test_all_arrive_and_zoom_never_says_429(connected, settings):
    """The simulated account allows 30 a second and counts."""
    case = connected()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RATE_SHARE": 0.5}
    ZoomAccount.objects.update(plan="pro")
    case.zoom.options(rate_limit="plan")
    signed_up(case, 60)
    while outbox.run(delivery.work, seconds=30):
        pass
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    assert len(at_zoom(case)) == 60
    assert not [one for one in case.zoom.calls() if one["status"] == 429]
