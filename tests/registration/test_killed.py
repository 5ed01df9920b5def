"""Workers killed at random points while many people register: none lost, none duplicated."""

import random
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from wagtail_zoom.client import SiteClient
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import delivery, mails, outbox

from .conftest import form_context
from .test_delivery import add_calls, zoom_registrants

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Killed(BaseException):
    """Simulates ``kill -9``: no exception handler runs."""


def killable(function, rng, probability):
    """``function``, but the process may die before or after it."""

    def run(*args, **kwargs):
        if rng.random() < probability:
            raise Killed
        result = function(*args, **kwargs)
        if rng.random() < probability:
            raise Killed
        return result

    return run


def register_people(scenario, count):
    from wagtail_zoom.registration import service
    from wagtail_zoom.registration.form import make_form

    context = form_context(scenario.tenant, scenario.meeting)
    for number in range(count):
        person = {"first_name": "P", "last_name": "Q", "email": f"p{number}@example.org"}
        form = make_form(context, person)
        assert form.is_valid()
        service.save(context, service.submission_of(form), confirmed=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_points(connect_site, monkeypatch, seed):
    scenario = connect_site()
    rng = random.Random(seed)
    register_people(scenario, 40)
    with monkeypatch.context() as patch:
        patch.setattr(SiteClient, "add_registrant", killable(SiteClient.add_registrant, rng, 0.1))
        patch.setattr(delivery, "_record_success", killable(delivery._record_success, rng, 0.1))
        patch.setattr(mails, "send_due", killable(mails.send_due, rng, 0.05))
        for _life in range(200):
            try:
                if not outbox.run(delivery.process, seconds=60):
                    break
            except Killed:
                past = timezone.now() - timedelta(seconds=1)
                Registration.objects.exclude(lease_until=None).update(lease_until=past)
    assert set(Registration.objects.values_list("state", "task", "mail_due")) == {
        ("approved", "", "")
    }
    emails = [registrant["email"] for registrant in zoom_registrants(scenario)]
    assert sorted(emails) == sorted(f"p{number}@example.org" for number in range(40))
    assert len(add_calls(scenario)) == 40
    assert len({email.to[0] for email in mail.outbox}) == 40
