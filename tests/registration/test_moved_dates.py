"""A date that moves stays the same date, for everybody who has registered for it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone
from icalendar import Calendar

from wagtail_zoom.frontend import links
from wagtail_zoom.models import Occurrence, Registration
from wagtail_zoom.registration import tokens
from wagtail_zoom.registration.dates import dates_of
from wagtail_zoom.registration.events import on_occurrences_moved

from .conftest import make_all_due, post, process_due

pytestmark = pytest.mark.django_db
WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 4}
HOUR = timedelta(hours=1)


def zoom_time(value):
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def series(client, connect_site, zoom_deliver):
    """A weekly series, somebody approved for its second date, and what she sees."""

    def run(*, chosen=1, **values):
        values = {"recurrence": WEEKLY, "start_time": "+2d 18:00", **values}
        kind = values.pop("registration_type", 3)
        scenario = connect_site("borealis-0", settings={"registration_type": kind}, **values)
        scenario.rows = list(scenario.meeting.occurrences.order_by("start"))
        scenario.date = scenario.rows[chosen]
        data = {2: str(scenario.date.public_id), 3: [str(scenario.date.public_id)]}.get(kind)
        post(client, scenario.url, {"dates": data} if data else {})
        process_due()
        make_all_due()
        process_due()
        scenario.registration = Registration.objects.get()
        assert scenario.registration.state == "approved"
        mail.outbox.clear()

        def change(**fields):
            scenario.zoom.change_meeting(scenario.number, **fields)
            zoom_deliver()
            process_due()

        scenario.change = change
        scenario.start = scenario.rows[0].start
        return scenario

    return run


def person_sees(client, scenario):
    """The status page, the page of the personal link, and the personal calendar file."""
    row = Registration.objects.get()
    status_path = tokens.status_path(row)
    ics = client.get(f"{status_path}calendar.ics")
    events = list(Calendar.from_ical(ics.content).walk("VEVENT"))
    return (
        client.get(status_path).content.decode(),
        client.get(tokens.join_path(row)).content.decode(),
        events,
    )


def upcoming():
    return list(Occurrence.objects.filter(meeting__topic="Heat pumps").order_by("start", "pk"))


def assert_moved(client, scenario, expected_start):
    """Every date is there once, and hers is the same date at its new time."""
    rows = upcoming()
    assert [row.public_id for row in rows] == [row.public_id for row in scenario.rows]
    assert {row.state for row in rows} == {"moved"}
    moved = Occurrence.objects.get(public_id=scenario.date.public_id)
    assert (moved.start, moved.previous_start) == (expected_start, scenario.date.start)
    assert moved.sequence > scenario.date.sequence
    status, join, events = person_sees(client, scenario)
    assert "New time" in status and "cancelled" not in status.lower().replace("cancel my", "")
    assert "This meeting has moved" in join
    hers = [event for event in events if str(event["UID"]).startswith(str(moved.public_id))]
    assert len(hers) == 1 and hers[0]["STATUS"] == "CONFIRMED"
    assert hers[0]["DTSTART"].dt == expected_start
    assert int(hers[0]["SEQUENCE"]) > scenario.date.sequence
    assert links.unsign_id(scenario.tenant.site.pk, tokens.join_path(scenario.registration)) is None
    return events


@pytest.mark.parametrize("registration_type", [1, 2, 3])
def test_a_series_moved_by_an_hour_keeps_its_dates(client, series, registration_type):
    """She reads the new time everywhere, and gets one email for each time it moves."""
    scenario = series(registration_type=registration_type)
    scenario.change(start_time=zoom_time(scenario.start + HOUR))
    events = assert_moved(client, scenario, scenario.date.start + HOUR)
    assert len(events) == (4 if registration_type == 1 else 1)
    scenario.change(topic="Heat pumps in winter")
    make_all_due()
    process_due()
    (message,) = mail.outbox
    assert message.subject == "New time: Heat pumps" and message.to == ["mika@example.org"]
    moved = next(
        date
        for date in dates_of(Registration.objects.get())
        if date.occurrence.public_id == scenario.date.public_id
    )
    assert moved.text in message.body and f"(was: {moved.when.was})" in moved.text
    assert tokens.status_url(scenario.registration, scenario.tenant.site_settings) in message.body
    scenario.change(start_time=zoom_time(scenario.start + 2 * HOUR))
    assert len(mail.outbox) == 2


def test_a_person_of_another_date_is_not_told(client, series):
    scenario = series()
    other = scenario.rows[2]
    scenario.change(occurrence_id=other.zoom_id, start_time=zoom_time(other.start + HOUR))
    assert Occurrence.objects.get(pk=other.pk).state == "moved"
    assert mail.outbox == []
    scenario.change(
        occurrence_id=scenario.date.zoom_id, start_time=zoom_time(scenario.date.start + HOUR)
    )
    assert [message.subject for message in mail.outbox] == ["New time: Heat pumps"]


def test_zone_changed(client, series):
    """The same wall clock in another zone: every date at another instant, with another id."""
    scenario = series(timezone="Europe/Berlin", start_time="+2d 18:00")
    scenario.change(timezone="America/New_York")
    moved = Occurrence.objects.get(public_id=scenario.date.public_id)
    assert moved.start.astimezone(ZoneInfo("America/New_York")).hour == 18
    assert_moved(client, scenario, moved.start)


def test_single_meeting_becomes_a_series_and_back(client, connect_site, zoom_deliver):
    scenario = connect_site("borealis-0", start_time="+2d 18:00")
    (single,) = upcoming()
    post(client, scenario.url)
    process_due()
    mail.outbox.clear()
    scenario.zoom.change_meeting(scenario.number, type=8, recurrence=WEEKLY)
    zoom_deliver()
    process_due()
    first, *others = upcoming()
    assert (first.public_id, first.start, first.state) == (
        single.public_id,
        single.start,
        "scheduled",
    )
    assert first.zoom_id and len(others) == 3
    scenario.zoom.change_meeting(scenario.number, type=2)
    zoom_deliver()
    process_due()
    rows = upcoming()
    assert (rows[0].public_id, rows[0].zoom_id, rows[0].state) == (
        single.public_id,
        "",
        "scheduled",
    )
    assert {row.state for row in rows[1:]} == {"cancelled"}
    status = client.get(tokens.status_path(Registration.objects.get())).content.decode()
    assert "See you on" in status
    assert mail.outbox == []


def test_the_personal_link_leads_to_zoom_at_the_new_time(client, series, zoom_deliver):
    scenario = series(chosen=0, start_time="+40m")
    start = timezone.now() + timedelta(minutes=5)
    scenario.change(start_time=zoom_time(start))
    response = client.get(tokens.join_path(scenario.registration))
    assert response.status_code == 302


def test_what_is_sent_to_zoom_later_names_the_dates_as_they_are_called_now(client, series):
    scenario = series()
    scenario.change(start_time=zoom_time(scenario.start + HOUR))
    client.post(f"{tokens.status_path(scenario.registration)}cancel/")
    process_due()
    (person,) = scenario.zoom.registrants(scenario.number)
    assert person["status"] == "cancelled"
    calls = [call for call in scenario.zoom.calls() if call["path"].endswith("/status")]
    moved = Occurrence.objects.get(public_id=scenario.date.public_id)
    assert f"occurrence_id={moved.zoom_id}" in str(calls)


MONTHLY = {"type": 3, "repeat_interval": 1, "end_times": 4}


def monthly(client, series):
    """On the tenth of each month; ``change_rule()``: on its second Tuesday."""
    first = (timezone.now().replace(day=1) + timedelta(days=40)).replace(day=1, hour=18, minute=0)
    rule = {**MONTHLY, "monthly_day": 10}
    scenario = series(start_time=zoom_time(first), timezone="UTC", recurrence=rule)
    rule = {**MONTHLY, "monthly_week": 2, "monthly_week_day": 3}
    scenario.change_rule = lambda: scenario.change(start_time=zoom_time(first), recurrence=rule)
    scenario.zoom.clear_calls()
    return scenario


def registrant_lists(scenario):
    return [call for call in scenario.zoom.calls() if call["path"].endswith("/registrants")]


def test_the_same_order_while_zoom_lists_the_registrants(client, series):
    scenario = monthly(client, series)
    scenario.change_rule()
    assert registrant_lists(scenario)
    old = Occurrence.objects.filter(pk__in=[row.pk for row in scenario.rows])
    assert old.exclude(state="cancelled").count() == 4 == len(upcoming())
    assert [message.subject for message in mail.outbox] == ["New time: Heat pumps"]


def test_autumn_dates_that_are_cancelled_are_not_spring_dates(client, series):
    scenario = series()
    scenario.change(start_time=zoom_time(scenario.start + timedelta(days=140)))
    old = Occurrence.objects.filter(pk__in=[row.pk for row in scenario.rows])
    assert set(old.values_list("state", flat=True)) == {"cancelled"}
    assert Occurrence.objects.filter(meeting=scenario.meeting, state="scheduled").count() == 4
    assert mail.outbox == []


@pytest.mark.parametrize("connected", [True, False])
def test_a_disconnected_site_sends_no_email(tenant, meeting, connected):
    row = Registration.objects.create(
        site=tenant.site, account=tenant.account, meeting=meeting, state="approved",
        meeting_zoom_id=meeting.zoom_id, email="mika@example.org", email_index="x",
        idempotency_key="k",
    )  # fmt: skip
    if not connected:
        tenant.site_settings.grant = None
        tenant.site_settings.save()
    moved = list(meeting.occurrences.all())
    on_occurrences_moved(tenant.account, moved)
    row.refresh_from_db()
    assert row.mail_due == ("moved" if connected else "")
