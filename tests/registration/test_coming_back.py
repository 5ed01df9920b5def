"""Registrations find their meeting and dates when the local copy is deleted and comes back."""

import pytest
from django.utils import timezone
from icalendar import Calendar

from wagtail_zoom.models import (
    Meeting,
    Occurrence,
    PurgedOccurrence,
    Registration,
    RegistrationDate,
    fetch_scope,
)
from wagtail_zoom.registration import tokens
from wagtail_zoom.sync import purged_occurrences, retention
from wagtail_zoom.testing import factories

from .conftest import form_url, post, process_due
from .test_disconnected import reconnect, remove, save_choices, switch, untick

pytestmark = pytest.mark.django_db
WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
PEOPLE = [f"person{number}@example.org" for number in range(5)]


@pytest.fixture
def scenario(connect_site, zoom_worker, client):
    """A series in which five people have chosen two dates each."""
    scenario = connect_site(
        recurrence=WEEKLY, settings={"registration_type": 3}, start_time="+3d 18:30"
    )
    scenario.worker = zoom_worker
    save_choices(scenario, lambda site_settings: setattr(site_settings, "join_policy", "public"))
    chosen = [str(date.public_id) for date in scenario.meeting.occurrences.order_by("start")[:2]]
    for email in PEOPLE:
        post(client, scenario.url, {"email": email, "dates": chosen})
    process_due()
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    return scenario


def calendar_events(client, row):
    response = client.get(f"{tokens.status_path(row)}calendar.ics")
    events = Calendar.from_ical(response.content).walk("VEVENT")
    return {str(event["uid"]): event.decoded("dtstart") for event in events}


def what_people_hold(client):
    """The pages behind their links, and their calendar entries."""
    held = {}
    for row in Registration.objects.order_by("pk"):
        status = client.get(tokens.status_path(row)).content.decode()
        join = client.get(tokens.join_path(row))
        held[row.pk] = ("See you on" in status, "Join on Zoom" in status, join.status_code)
        held[row.pk] += (calendar_events(client, row),)
        assert held[row.pk][:2] == (True, True)
        assert len(held[row.pk][3]) == 2
        assert join.status_code == 200 or "tk=" in join.url
    return held


@pytest.mark.parametrize("leave", [untick, remove, switch])
def test_everything_works_as_before(client, scenario, leave):
    """Unticked and ticked, off and on, disconnected or switched and back, purged in between."""
    before = what_people_hold(client)
    leave(scenario)
    scenario.worker.run()
    retention.purge_outside_scope(scenario.tenant.account)
    assert not Meeting.objects.filter(pk=scenario.meeting.pk).exists()
    for row in Registration.objects.all():
        assert client.get(tokens.status_path(row)).status_code == 200
        assert client.get(tokens.join_path(row)).url == tokens.status_path(row)
    reconnect(scenario)
    meeting = Meeting.objects.get(account=scenario.tenant.account, zoom_id=str(scenario.number))
    assert set(Registration.objects.values_list("meeting", flat=True)) == {meeting.pk}
    assert not RegistrationDate.objects.filter(occurrence=None).exists()
    assert not PurgedOccurrence.objects.exists()
    assert what_people_hold(client) == before
    # Nobody is registered twice: the same dates are recognised.
    chosen = [str(date.public_id) for date in meeting.occurrences.order_by("start")[:2]]
    post(client, form_url(scenario.tenant, meeting), {"email": PEOPLE[0], "dates": chosen})
    assert Registration.objects.count() == len(PEOPLE)


def test_another_account_restores_none_of_them(scenario):
    """Not even for a meeting of the same number with a registration of its own."""
    untick(scenario)
    scenario.worker.run()
    left = set(PurgedOccurrence.objects.values_list("public_id", flat=True))
    other = factories.make_account()
    host = factories.make_host(other)
    site = factories.make_site()
    factories.make_settings(site, factories.make_grant(other), [host])
    meeting = factories.make_meeting(host, zoom_id=str(scenario.number))
    registration = factories.make_registration(site, meeting)
    Registration.objects.filter(pk=registration.pk).update(meeting=None)
    assert purged_occurrences.restore(other, fetch_scope(other), [meeting]) == [meeting.zoom_id]
    assert set(PurgedOccurrence.objects.values_list("public_id", flat=True)) == left
    assert meeting.occurrences.count() == 1


def test_a_date_that_moved_meanwhile_is_a_moved_date(client, scenario):
    first = scenario.meeting.occurrences.order_by("start").first()
    untick(scenario)
    scenario.worker.run()
    scenario.zoom.change_meeting(
        scenario.number, occurrence_id=first.zoom_id, start_time="+4d 09:00"
    )
    reconnect(scenario)
    moved = Occurrence.objects.get(public_id=first.public_id)
    assert moved.start != first.start
    assert (moved.state, moved.sequence > first.sequence) == ("moved", True)
    assert RegistrationDate.objects.filter(occurrence=moved).count() == len(PEOPLE)


def test_a_single_meeting_comes_back(client, connect_site, zoom_worker):
    scenario = connect_site()
    scenario.worker = zoom_worker
    save_choices(scenario, lambda site_settings: setattr(site_settings, "join_policy", "public"))
    post(client, scenario.url)
    process_due()
    row = Registration.objects.get()
    before = calendar_events(client, row)
    untick(scenario)
    scenario.worker.run()
    reconnect(scenario)
    assert calendar_events(client, row) == before
    assert client.get(tokens.join_path(row)).headers.get("Location") != tokens.status_path(row)


def test_purged_dates_go_with_the_last_registration(client, scenario):
    """And only meetings that somebody is registered for leave anything behind."""
    scenario.zoom.create_meeting("borealis-0", topic="Nobody", start_time="+5d 10:00")
    untick(scenario)
    scenario.worker.run()
    numbers = set(PurgedOccurrence.objects.values_list("meeting_zoom_id", flat=True))
    assert numbers == {str(scenario.number)}
    retention.delete_outdated(timezone.now())
    assert PurgedOccurrence.objects.exists()
    Registration.objects.all().delete()
    retention.delete_outdated(timezone.now())
    assert not PurgedOccurrence.objects.exists()
