"""Zoom loses the meeting during delivery, and the host restores it (S21)."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import outbox, reconcile, service

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db


def zoom_registrants(scenario):
    return [
        (registrant["email"], registrant["status"])
        for registrant in scenario.zoom.registrants(scenario.number)
    ]


def get_registration():
    return Registration.objects.get()


def check(scenario):
    with outbox.edit_row(get_registration().pk) as row:
        outbox.queue_task(row, Registration.Task.CHECK)
    process_due()


def test_s21_check_of_a_missing_meeting_cancels_no_registration(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    scenario.zoom.delete_meeting(scenario.number)
    check(scenario)
    row = get_registration()
    assert (row.state, row.task) == ("approved", "")
    scenario.zoom.recover_meeting(scenario.number)
    scenario.zoom.decide(scenario.number, "mika@example.org", "cancel")
    check(scenario)
    assert get_registration().state == "cancelled"


def test_s21_cancelled_while_the_meeting_was_gone(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    scenario.zoom.delete_meeting(scenario.number)
    service.cancel(get_registration().pk)
    process_due()
    row = get_registration()
    assert (row.state, row.task, row.error_class) == ("cancelled", "", "")
    scenario.zoom.recover_meeting(scenario.number)
    assert zoom_registrants(scenario) == [("mika@example.org", "approved")]
    reconcile.reconcile_registrants(scenario.meeting)
    process_due()
    assert get_registration().state == "cancelled"
    assert zoom_registrants(scenario) == [("mika@example.org", "cancelled")]


def test_cancelled_while_the_first_request_was_still_on_its_way(client, connect_site):
    """Its answer was lost; it reaches Zoom only after Zoom was asked who is registered."""
    scenario = connect_site()
    scenario.zoom.fault(kind="cut_before", method="POST", path="/registrants$", count=1)
    post(client, scenario.url)
    Registration.objects.update(maybe_sent=True)
    service.cancel(get_registration().pk)
    make_all_due()
    process_due()
    assert (get_registration().state, get_registration().task) == ("cancelled", "")
    scenario.zoom.register(scenario.number, email="mika@example.org", first_name="Mika")
    reconcile.reconcile_registrants(scenario.meeting)
    process_due()
    assert get_registration().state == "cancelled"
    assert zoom_registrants(scenario) == [("mika@example.org", "cancelled")]


@pytest.mark.parametrize("arrived", [True, False])
def test_s21_lost_response_and_then_a_missing_meeting(client, connect_site, arrived):
    scenario = connect_site()
    scenario.zoom.fault(
        kind="cut_after" if arrived else "cut_before", method="POST", path="/registrants$", count=1
    )
    post(client, scenario.url)
    scenario.zoom.delete_meeting(scenario.number)
    make_all_due()
    process_due()
    row = get_registration()
    assert (row.state, row.error_class) == ("failed", "gone")
    scenario.zoom.recover_meeting(scenario.number)
    reconcile.reconcile_registrants(scenario.meeting)
    make_all_due()
    process_due()
    assert get_registration().state == ("approved" if arrived else "failed")
    assert bool(zoom_registrants(scenario)) == arrived
    subjects = [email.subject.partition(":")[0] for email in mail.outbox]
    assert ("You are registered" in subjects) == arrived


def test_cancelling_clears_the_error(client, connect_site):
    scenario = connect_site()
    scenario.zoom.fault(kind="cut_before", path="/registrants$", count=1)
    post(client, scenario.url)
    assert get_registration().error_class == "unreachable"
    Registration.objects.update(maybe_sent=False)
    service.cancel(get_registration().pk)
    row = get_registration()
    assert (row.state, row.error_class, row.task) == ("cancelled", "", "")


def test_s21_lost_response_and_then_registration_disabled(client, connect_site):
    scenario = connect_site()
    scenario.zoom.fault(kind="cut_after", method="POST", path="/registrants$", count=1)
    post(client, scenario.url)
    scenario.zoom.change_meeting(scenario.number, settings={"approval_type": 2})
    make_all_due()
    process_due()
    row = get_registration()
    assert (row.state, row.error_class) == ("failed", "gone")
    scenario.zoom.change_meeting(scenario.number, settings={"approval_type": 0})
    reconcile.reconcile_registrants(scenario.meeting)
    make_all_due()
    process_due()
    assert get_registration().state == "approved"
    assert zoom_registrants(scenario) == [("mika@example.org", "approved")]


@pytest.mark.parametrize(("fails", "queued"), [(True, 1), (False, 0)])
def test_s21_failed_reconciliation_is_retried_soon(client, connect_site, fails, queued):
    scenario = connect_site()
    post(client, scenario.url)
    cache.clear()
    now = timezone.now()
    assert reconcile.sweep(now) == 1
    if fails:
        scenario.zoom.fault(kind="status", status=500, method="GET", path="/registrants$", count=3)
    reconcile.reconcile_quietly(scenario.meeting.pk)
    assert reconcile.sweep(now) == 0
    with time_machine.travel(now + reconcile.RETRY_INTERVAL + timedelta(seconds=1), tick=True):
        assert reconcile.sweep(timezone.now()) == queued


def test_s21_cancelled_while_registration_was_disabled(client, connect_site):
    """The cancellation is sent when registration is enabled again."""
    scenario = connect_site()
    post(client, scenario.url)
    scenario.zoom.delete_meeting(scenario.number)
    service.cancel(get_registration().pk)
    process_due()
    scenario.zoom.recover_meeting(scenario.number)
    scenario.zoom.change_meeting(scenario.number, settings={"approval_type": 2})
    process_due()
    assert zoom_registrants(scenario) == [("mika@example.org", "approved")]
    scenario.zoom.change_meeting(scenario.number, settings={"approval_type": 0})
    reconcile.reconcile_registrants(scenario.meeting)
    process_due()
    assert (get_registration().state, zoom_registrants(scenario)) == (
        "cancelled",
        [("mika@example.org", "cancelled")],
    )


@pytest.mark.parametrize("change", ["show_registration", "grant"])
def test_registrants_are_read_only_for_sites_that_take_registrations(zoom_rows, change):
    meeting = zoom_rows.meeting(approval_type=0)
    zoom_rows.registration(meeting)
    settings_row = zoom_rows.settings
    settings_row.show_registration = True
    settings_row.save()
    assert list(reconcile.meetings_to_reconcile(timezone.now())) == [meeting]
    values = {"show_registration": False, "grant": None}
    setattr(settings_row, change, values[change])
    settings_row.save()
    assert not reconcile.meetings_to_reconcile(timezone.now()).exists()
