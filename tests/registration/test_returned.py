"""The meeting vanishes at Zoom while a sign-up is on its way, and the host brings it back (S21)."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import outbox, reconcile, service

from .conftest import hurry, post, work

pytestmark = pytest.mark.django_db


def at_zoom(case):
    return [(one["email"], one["status"]) for one in case.zoom.registrants(case.number)]


def row():
    return Registration.objects.get()


def look(case):
    with outbox.locked(row().pk) as found:
        outbox.plan(found, Registration.Task.CHECK)
        found.save()
    work()


def test_s21_a_look_at_a_vanished_meeting_cancels_nobody(client, connected):
    case = connected()
    post(client, case.url)
    case.zoom.delete_meeting(case.number)
    look(case)
    assert (row().state, row().task) == ("approved", "")
    case.zoom.recover_meeting(case.number)
    case.zoom.decide(case.number, "mika@example.org", "cancel")
    look(case)
    assert row().state == "cancelled"


def test_s21_cancelled_while_the_meeting_was_gone(client, connected):
    case = connected()
    post(client, case.url)
    case.zoom.delete_meeting(case.number)
    service.cancel(row().pk)
    work()
    assert (row().state, row().task, row().error_class) == ("cancelled", "", "")
    case.zoom.recover_meeting(case.number)
    assert at_zoom(case) == [("mika@example.org", "approved")]
    reconcile.check(case.meeting)
    work()
    assert row().state == "cancelled"
    assert at_zoom(case) == [("mika@example.org", "cancelled")]


@pytest.mark.parametrize("known", [True, False])
def test_s21_arrived_without_an_answer_and_then_the_meeting_was_gone(client, connected, known):
    case = connected()
    case.zoom.fault(
        kind="cut_after" if known else "cut_before", method="POST", path="/registrants$", count=1
    )
    post(client, case.url)
    case.zoom.delete_meeting(case.number)
    hurry()
    work()
    assert (row().state, row().error_class) == ("failed", "gone")
    case.zoom.recover_meeting(case.number)
    reconcile.check(case.meeting)
    hurry()
    work()
    assert row().state == ("approved" if known else "failed")
    assert bool(at_zoom(case)) == known
    told = [one.subject.partition(":")[0] for one in mail.outbox]
    assert ("You are registered" in told) == known


def test_taking_it_back_forgets_the_trouble_before(client, connected):
    case = connected()
    case.zoom.fault(kind="cut_before", path="/registrants$", count=1)
    post(client, case.url)
    assert row().error_class == "unreachable"
    Registration.objects.update(maybe_sent=False)
    service.cancel(row().pk)
    assert (row().state, row().error_class, row().task) == ("cancelled", "", "")


def test_s21_arrived_without_an_answer_and_then_registration_was_switched_off(client, connected):
    case = connected()
    case.zoom.fault(kind="cut_after", method="POST", path="/registrants$", count=1)
    post(client, case.url)
    case.zoom.change_meeting(case.number, settings={"approval_type": 2})
    hurry()
    work()
    assert (row().state, row().error_class) == ("failed", "gone")
    case.zoom.change_meeting(case.number, settings={"approval_type": 0})
    reconcile.check(case.meeting)
    hurry()
    work()
    assert row().state == "approved"
    assert at_zoom(case) == [("mika@example.org", "approved")]


@pytest.mark.parametrize(("trouble", "again"), [(True, 1), (False, 0)])
def test_s21_a_comparison_that_broke_off_is_soon_made_again(client, connected, trouble, again):
    case = connected()
    post(client, case.url)
    cache.clear()
    now = timezone.now()
    assert reconcile.sweep(now) == 1
    if trouble:
        case.zoom.fault(kind="status", status=500, method="GET", path="/registrants$", count=3)
    reconcile.check_quietly(case.meeting.pk)
    assert reconcile.sweep(now) == 0
    with time_machine.travel(now + reconcile.AGAIN + timedelta(seconds=1), tick=True):
        assert reconcile.sweep(timezone.now()) == again


def test_s21_cancelled_meanwhile_and_registration_switched_off_and_on(client, connected):
    """What could not be said while nobody took it is said when it can be."""
    case = connected()
    post(client, case.url)
    case.zoom.delete_meeting(case.number)
    service.cancel(row().pk)
    work()
    case.zoom.recover_meeting(case.number)
    case.zoom.change_meeting(case.number, settings={"approval_type": 2})
    work()
    assert at_zoom(case) == [("mika@example.org", "approved")]
    case.zoom.change_meeting(case.number, settings={"approval_type": 0})
    reconcile.check(case.meeting)
    work()
    assert (row().state, at_zoom(case)) == ("cancelled", [("mika@example.org", "cancelled")])
