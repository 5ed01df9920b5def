"""What Zoom did not answer may still take effect: nothing that follows is sent before it."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.client import SiteClient
from wagtail_zoom.models import Registration, WebhookEvent
from wagtail_zoom.registration import events, moderation, outbox, service, tokens

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db


def get_registration():
    return Registration.objects.get()


def at_zoom(scenario):
    return [row["status"] for row in scenario.zoom.registrants(scenario.number)]


@pytest.fixture
def pending(client, connect_site):
    """Somebody whose registration waits for the owner's decision."""
    scenario = connect_site(registration="manual")
    post(client, scenario.url)
    process_due()
    assert at_zoom(scenario) == ["pending"]
    return scenario


def lose_answer(scenario):
    """The next decision or cancellation is not answered."""
    scenario.zoom.fault("cut_before", method="PUT", path="/registrants/status", count=1)


@pytest.fixture
def while_waiting(monkeypatch):
    """``while_waiting(action)``: it happens once, while a decision is on its way to Zoom."""
    send = SiteClient.set_registrant_status
    actions = []

    def set_registrant_status(*args, **options):
        while actions:
            actions.pop()()
        return send(*args, **options)

    monkeypatch.setattr(SiteClient, "set_registrant_status", set_registrant_status)
    return actions.append


def arrive_late(scenario, action, what):
    """The request takes effect at Zoom now, and Zoom reports it."""
    registrant_id = get_registration().zoom_registrant_id
    scenario.zoom.decide(scenario.number, registrant_id, action)
    event = WebhookEvent(
        event=f"meeting.registration_{what}",
        event_ts=int(time.time() * 1000) + 1000,
        received_at=timezone.now() + timedelta(seconds=1),
        payload={"object": {"id": scenario.number, "registrant": {"id": registrant_id}}},
    )
    events.on_registration_event(scenario.tenant.account, event)


def assert_sent_later(task):
    row, now = get_registration(), timezone.now()
    assert row.task == task
    assert now < row.task_at <= now + timedelta(seconds=outbox.AMBIGUOUS_SECONDS)
    assert (row.attempts, row.error_class) == (0, "")


def run_worker():
    for _time in range(2):
        make_all_due()
        process_due()


@pytest.mark.parametrize("cancelled", ["before the timeout", "after the timeout"])
def test_a_late_approval_does_not_undo_a_cancellation(client, pending, while_waiting, cancelled):
    """The person cancels while the worker waits for the answer to the owner's approval, or soon
    after; the approval takes effect afterwards."""
    moderation.approve(get_registration(), pending.tenant.user)
    lose_answer(pending)

    def cancel():
        client.post(tokens.status_path(get_registration()) + "cancel/")

    if cancelled == "before the timeout":
        while_waiting(cancel)
        process_due()
    else:
        process_due()
        cancel()
    process_due()
    assert_sent_later("cancel")
    arrive_late(pending, "approve", "approved")
    assert at_zoom(pending) == ["approved"]
    run_worker()
    assert (get_registration().state, at_zoom(pending)) == ("cancelled", ["cancelled"])


def test_a_late_approval_does_not_undo_a_denial(pending):
    moderation.approve(get_registration(), pending.tenant.user)
    lose_answer(pending)
    process_due()
    moderation.deny(get_registration(), pending.tenant.user)
    process_due()
    assert_sent_later("deny")
    arrive_late(pending, "approve", "approved")
    run_worker()
    assert (get_registration().state, at_zoom(pending)) == ("denied", ["denied"])


def test_a_late_cancellation_does_not_undo_a_new_registration(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    lose_answer(scenario)
    service.cancel(get_registration().pk)
    process_due()
    post(client, scenario.url)
    process_due()
    assert_sent_later("add")
    arrive_late(scenario, "cancel", "cancelled")
    run_worker()
    assert (get_registration().state, at_zoom(scenario)) == ("approved", ["approved"])


def test_what_was_answered_delays_nothing(client, pending):
    moderation.approve(get_registration(), pending.tenant.user)
    process_due()
    client.post(tokens.status_path(get_registration()) + "cancel/")
    process_due()
    assert (get_registration().state, at_zoom(pending)) == ("cancelled", ["cancelled"])


def test_who_was_denied_does_not_get_in_when_an_older_task_failed(pending, while_waiting):
    """Only failures of the cancellation itself count as its attempts: the first one reads first
    whether the host has denied the person."""
    moderation.approve(get_registration(), pending.tenant.user)
    lose_answer(pending)
    while_waiting(lambda: service.cancel(get_registration().pk))
    process_due()
    pending.zoom.decide(pending.number, get_registration().zoom_registrant_id, "deny")
    run_worker()
    assert (get_registration().state, at_zoom(pending)) == ("cancelled", ["denied"])
    assert get_registration().cancelled_at is None
