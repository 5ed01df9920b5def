"""Sign-ups while the clock runs hours ahead, and after it was set right."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.clock_helpers import ahead
from wagtail_zoom import tasks
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import outbox

from .conftest import post
from .test_delivery import adds, at_zoom, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("looks")]


def test_a_sign_up_of_the_wrong_clock_goes_out_after_the_repair(client, connected, zoom_worker):
    """Zoom was away, and the worker died with the row in its hands."""
    case = connected()
    tasks.tick()
    with ahead():
        case.zoom.fault("status", status=503, path="/registrants$")
        assert post(client, case.url).status_code == 303
        tasks.deliver_registrations()
        tasks.tick()
        zoom_worker.lose()
        outbox.claim(row().pk, timezone.now() + timedelta(hours=1))
        case.zoom.clear_faults()
    assert row().next_try_at > timezone.now() + timedelta(hours=4)
    tasks.tick()
    zoom_worker.run()
    assert (row().state, row().task, row().lease_until) == ("approved", "", None)
    assert len(at_zoom(case)) == 1
    assert len({one.to[0] for one in mail.outbox}) == 1


def test_a_sign_up_after_the_repair_does_not_wait_for_the_wrong_slot(
    client, connected, zoom_worker
):
    """The share of the rate was handed out until hours ahead: the first job sees it."""
    case = connected()
    tasks.tick()
    with ahead():
        tasks.tick()
        assert post(client, case.url).status_code == 303
    person = {"email": "other@example.org"}
    assert post(client, case.url, person).status_code == 303
    tasks.tick()
    tasks.deliver_registrations()
    assert set(Registration.objects.values_list("state", "task")) == {("approved", "")}
    assert len(at_zoom(case)) == len(adds(case)) == 2


def test_forwards_a_sign_up_in_two_hands_counts_once(client, connected, monkeypatch):
    """The clock jumps while a worker is at Zoom with a sign-up: its lease is over, another worker
    brings the same person once more, and Zoom has one."""
    from wagtail_zoom.client import ZoomClient

    case = connected()
    case.zoom.fault("status", status=503, path="/registrants$", count=1)
    post(client, case.url)
    Registration.objects.update(next_try_at=timezone.now(), task_at=timezone.now())
    add, jumped = ZoomClient.add_registrant, []

    def slow(self, *args, **kwargs):
        answer = add(self, *args, **kwargs)
        if not jumped:
            jumped.append(1)
            with ahead():
                tasks.deliver_registrations()
        return answer

    monkeypatch.setattr(ZoomClient, "add_registrant", slow)
    tasks.deliver_registrations()
    Registration.objects.exclude(next_try_at=None).update(next_try_at=timezone.now())
    tasks.tick()
    tasks.deliver_registrations()
    assert (row().state, row().task) == ("approved", "")
    assert len(at_zoom(case)) == 1
    assert len(mail.outbox) == 1
