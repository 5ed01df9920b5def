"""Issue, shows 2: workers killed at random points while many sign up: none lost, none doubled."""

import random
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from wagtail_zoom.client import ZoomClient
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import delivery, mails, outbox

from .conftest import offer
from .test_delivery import adds, at_zoom

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Killed(BaseException):
    """What kill -9 looks like from inside: no handler of ours runs."""


def fragile(work, dice, odds):
    """``work``, but the process may die before or after it."""

    def run(*args, **kwargs):
        if dice.random() < odds:
            raise Killed
        result = work(*args, **kwargs)
        if dice.random() < odds:
            raise Killed
        return result

    return run


def signed_up(case, number):
    from wagtail_zoom.registration import service
    from wagtail_zoom.registration.form import make_form

    made = offer(case.place, case.meeting)
    for place in range(number):
        person = {"first_name": "P", "last_name": "Q", "email": f"p{place}@example.org"}
        form = make_form(made, person)
        assert form.is_valid()
        service.save(made, service.entry_of(form), confirmed=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_points(connected, monkeypatch, seed):
    case = connected()
    dice = random.Random(seed)
    signed_up(case, 40)
    with monkeypatch.context() as patch:
        patch.setattr(ZoomClient, "add_registrant", fragile(ZoomClient.add_registrant, dice, 0.1))
        patch.setattr(delivery, "_settle", fragile(delivery._settle, dice, 0.1))
        patch.setattr(mails, "send_due", fragile(mails.send_due, dice, 0.05))
        for _life in range(200):
            try:
                if not outbox.run(delivery.work, seconds=60):
                    break
            except Killed:
                past = timezone.now() - timedelta(seconds=1)
                Registration.objects.exclude(lease_until=None).update(lease_until=past)
    assert set(Registration.objects.values_list("state", "task", "mail_due")) == {
        ("approved", "", "")
    }
    there = [one["email"] for one in at_zoom(case)]
    assert sorted(there) == sorted(f"p{place}@example.org" for place in range(40))
    assert len(adds(case)) == 40
    assert len({one.to[0] for one in mail.outbox}) == 40
