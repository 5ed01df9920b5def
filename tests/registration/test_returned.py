"""The meeting vanishes at Zoom while a sign-up is on its way, and the host brings it back (S21)."""

import pytest
from django.core import mail

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
