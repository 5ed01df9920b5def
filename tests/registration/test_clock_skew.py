"""Registrations while the clock runs hours ahead, and after it was corrected."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.clock_helpers import clock_ahead
from wagtail_zoom import tasks
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import outbox

from .conftest import post
from .test_delivery import add_calls, get_registration, zoom_registrants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_clock")]


def test_a_registration_under_a_fast_clock_is_sent_after_the_repair(
    client, connect_site, zoom_worker
):
    """Zoom was unavailable, and the worker died while it processed the row."""
    scenario = connect_site()
    tasks.tick()
    with clock_ahead():
        scenario.zoom.fault("status", status=503, path="/registrants$")
        assert post(client, scenario.url).status_code == 303
        tasks.deliver_registrations()
        tasks.tick()
        zoom_worker.clear()
        outbox.claim(get_registration().pk, timezone.now() + timedelta(hours=1))
        scenario.zoom.clear_faults()
    assert get_registration().next_try_at > timezone.now() + timedelta(hours=4)
    tasks.tick()
    zoom_worker.run()
    assert (get_registration().state, get_registration().task, get_registration().lease_until) == (
        "approved",
        "",
        None,
    )
    assert len(zoom_registrants(scenario)) == 1
    assert len({email.to[0] for email in mail.outbox}) == 1


def test_a_registration_after_the_repair_is_not_delayed(client, connect_site, zoom_worker):
    """The rate limiter's time slots were hours ahead: the first job corrects them."""
    scenario = connect_site()
    tasks.tick()
    with clock_ahead():
        tasks.tick()
        assert post(client, scenario.url).status_code == 303
    person = {"email": "other@example.org"}
    assert post(client, scenario.url, person).status_code == 303
    tasks.tick()
    tasks.deliver_registrations()
    assert set(Registration.objects.values_list("state", "task")) == {("approved", "")}
    assert len(zoom_registrants(scenario)) == len(add_calls(scenario)) == 2


def test_a_clock_jump_during_delivery_registers_once(client, connect_site, monkeypatch):
    """The clock jumps while a worker calls Zoom. Its lease expires, and another worker sends the
    same person again. Zoom has one registrant."""
    from wagtail_zoom.client import SiteClient

    scenario = connect_site()
    scenario.zoom.fault("status", status=503, path="/registrants$", count=1)
    post(client, scenario.url)
    Registration.objects.update(next_try_at=timezone.now(), task_at=timezone.now())
    add, jumped = SiteClient.add_registrant, []

    def slow(self, *args, **kwargs):
        response = add(self, *args, **kwargs)
        if not jumped:
            jumped.append(1)
            with clock_ahead():
                tasks.deliver_registrations()
        return response

    monkeypatch.setattr(SiteClient, "add_registrant", slow)
    tasks.deliver_registrations()
    Registration.objects.exclude(next_try_at=None).update(next_try_at=timezone.now())
    tasks.tick()
    tasks.deliver_registrations()
    assert (get_registration().state, get_registration().task) == ("approved", "")
    assert len(zoom_registrants(scenario)) == 1
    assert len(mail.outbox) == 1
