"""Only what Zoom has said is told to a person: the state of an answer, else the registrant."""

import pytest
from django.core import mail

from wagtail_zoom.models import Meeting, Registration
from wagtail_zoom.registration import moderation, reconcile, service, tokens

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db
ADD = {"method": "POST", "path": "/registrants$"}
REGISTERED = "You are registered"


def get_registration():
    return Registration.objects.get()


def subjects():
    return [email.subject.partition(":")[0] for email in mail.outbox]


def at_zoom(scenario):
    return [row["status"] for row in scenario.zoom.registrants(scenario.number)]


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
@pytest.mark.parametrize(
    ("status", "subject"),
    [
        ("approved", REGISTERED),
        ("pending", "We have your registration"),
        ("denied", "Your registration was not approved"),
    ],
)
def test_the_state_is_what_zoom_says(client, connect_site, kind, status, subject):
    """Our copy says that registrations are approved automatically; Zoom may decide otherwise."""
    scenario = connect_site(kind=kind, new_status=status)
    post(client, scenario.url)
    process_due()
    assert get_registration().state == status
    assert subjects() == [subject]
    page = client.get(tokens.status_path(get_registration())).content.decode()
    assert ("See you on" in page) == (status == "approved")


@pytest.mark.parametrize("status", [None, "odd"])
def test_an_answer_without_a_known_state_is_read_back_before_anything_is_told(
    client, connect_site, status
):
    scenario = connect_site(kind="webinar")
    changes = {"set": {"status": status}} if status else {}
    drop = ["join_url"] if status else ["join_url", "status"]
    scenario.zoom.fault("change_body", **ADD, **changes, drop=drop, count=1)
    scenario.zoom.fault("status", method="GET", path="/registrants/", status=500, count=1)
    post(client, scenario.url)
    process_due()
    row = get_registration()
    assert (row.state, row.task, bool(row.zoom_registrant_id)) == ("waiting", "check", True)
    page = client.get(tokens.status_path(row)).content.decode()
    assert "Waiting for Zoom" in page and "See you on" not in page
    assert REGISTERED not in subjects()
    make_all_due()
    process_due()
    assert (get_registration().state, subjects()[-1]) == ("approved", REGISTERED)
    assert subjects().count(REGISTERED) == 1


def test_a_state_that_stays_unknown_is_given_up(client, connect_site):
    """The person is not left without an answer, and never told that she is registered."""
    scenario = connect_site(kind="webinar")
    scenario.zoom.fault("change_body", **ADD, drop=["join_url", "status"])
    scenario.zoom.fault(
        "change_body", method="GET", path="/registrants/", set={"status": "odd"}, drop=["join_url"]
    )
    post(client, scenario.url)
    for _times in range(3):
        make_all_due()
        process_due()
        assert (get_registration().state, get_registration().task) == ("waiting", "check")
    Registration.objects.update(state_since="2026-01-01T00:00:00Z")
    make_all_due()
    process_due()
    assert get_registration().state == "failed"
    assert "Your registration did not work" in subjects()
    assert REGISTERED not in subjects()


@pytest.mark.parametrize("zoom_notifies", [True, False])
def test_a_later_denial_reaches_who_has_read_that_she_is_registered(
    client, connect_site, zoom_notifies
):
    scenario = connect_site()
    Meeting.objects.update(zoom_notifies=zoom_notifies)
    post(client, scenario.url)
    process_due()
    assert subjects() == [REGISTERED]
    scenario.zoom.decide(scenario.number, get_registration().zoom_registrant_id, "deny")
    for _twice in range(2):
        reconcile.reconcile_registrants(Meeting.objects.get(pk=scenario.meeting.pk))
        process_due()
    assert get_registration().state == "denied"
    assert subjects() == [REGISTERED, "Your registration was not approved"]


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
@pytest.mark.parametrize("listed", ["hidden", "denied"])
def test_who_cancelled_and_registers_again_is_registered_at_zoom(
    client, connect_site, kind, listed
):
    """Zoom keeps who has cancelled; the answer to the next sign-up is no approval."""
    scenario = connect_site(kind=kind)
    scenario.zoom.options(cancelled_registrants=listed)
    post(client, scenario.url)
    client.post(tokens.status_path(get_registration()) + "cancel/")
    process_due()
    assert (get_registration().state, at_zoom(scenario)) == ("cancelled", ["cancelled"])
    mail.outbox.clear()
    scenario.zoom.fault("status", method="PUT", path="/status$", status=500, count=1)
    post(client, scenario.url)
    process_due()
    assert (get_registration().state, subjects()) == ("waiting", [])
    make_all_due()
    process_due()
    assert (get_registration().state, at_zoom(scenario)) == ("approved", ["approved"])
    assert subjects() == [REGISTERED]
    assert "tk=" in get_registration().join_url.reveal()


def test_who_comes_back_to_a_meeting_with_manual_approval_waits_for_the_host(client, connect_site):
    scenario = connect_site(registration="manual")
    scenario.zoom.options(cancelled_registrants="denied")
    post(client, scenario.url)
    process_due()
    scenario.zoom.decide(scenario.number, get_registration().zoom_registrant_id, "approve")
    reconcile.reconcile_registrants(scenario.meeting)
    service.cancel(get_registration().pk)
    process_due()
    post(client, scenario.url)
    process_due()
    assert (get_registration().state, at_zoom(scenario)) == ("pending", ["cancelled"])
    reconcile.reconcile_registrants(scenario.meeting)
    process_due()
    assert get_registration().state == "pending", "Zoom's list says nothing new about her"
    moderation.approve(get_registration(), scenario.tenant.user)
    process_due()
    assert (get_registration().state, at_zoom(scenario)) == ("approved", ["approved"])


def test_who_was_denied_does_not_get_in_by_cancelling(client, connect_site):
    """The host has denied her, and no event has told us: she cancels and registers again."""
    scenario = connect_site()
    post(client, scenario.url)
    scenario.zoom.decide(scenario.number, get_registration().zoom_registrant_id, "deny")
    client.post(tokens.status_path(get_registration()) + "cancel/")
    process_due()
    post(client, scenario.url)
    process_due()
    assert (get_registration().state, at_zoom(scenario)) == ("denied", ["denied"])


def test_who_was_denied_for_one_date_does_not_get_in_by_another(client, connect_site):
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 4}
    scenario = connect_site(recurrence=weekly, settings={"registration_type": 3})
    first, second, third = scenario.meeting.occurrences.order_by("start")[:3]
    for date in (first, second):
        post(client, scenario.url, {"dates": [str(date.public_id)]})
    denied, cancelled = Registration.objects.order_by("pk")
    service.cancel(cancelled.pk)
    process_due()
    moderation.deny(denied, scenario.tenant.user)
    process_due()
    post(client, scenario.url, {"dates": [str(third.public_id)]})
    process_due()
    assert Registration.objects.order_by("pk").last().state == "denied"
    assert at_zoom(scenario) == ["denied"]


def test_an_approval_counts_when_zoom_has_it(client, connect_site):
    """Zoom answers 204 also where it changes nothing."""
    scenario = connect_site(registration="manual")
    post(client, scenario.url)
    process_due()
    scenario.zoom.fault(
        "change_body", method="GET", path="/registrants/", set={"status": "pending"}, count=1
    )
    moderation.approve(get_registration(), scenario.tenant.user)
    process_due()
    assert get_registration().state == "pending"
    assert REGISTERED not in subjects()
    make_all_due()
    process_due()
    assert get_registration().state == "approved"
