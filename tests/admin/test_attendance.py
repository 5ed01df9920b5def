"""Who came, as owners read it: list, filter, export, page of a person, panel, activity."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from wagtail_zoom.admin import attendance as texts
from wagtail_zoom.models import (
    Activity,
    Attendance,
    AttendanceReading,
    Registration,
    ZoomSettings,
)
from wagtail_zoom.oauth.scopes import ATTENDANCE_SCOPES, SCOPES
from wagtail_zoom.registration import forget
from wagtail_zoom.testing import factories
from wagtail_zoom.utils.emails import email_index

pytestmark = pytest.mark.django_db
NAMES = ("Ada", "Bea", "Cem")


def switch_on(tenant):
    site_settings = ZoomSettings.objects.get(site=tenant.site)
    site_settings.record_attendance = True
    site_settings.save()
    scopes = " ".join(f"{scope.name}:admin" for scope in (*SCOPES, *ATTENDANCE_SCOPES))
    type(site_settings.grant).objects.filter(pk=site_settings.grant_id).update(scope=scopes)


def make_reading(tenant, **values):
    """A date of an hour ago."""
    meeting = tenant.registration.meeting
    now = timezone.now()
    values = {
        "kind": meeting.kind, "start": now - timedelta(hours=2), "ended_at": now,
        "state": "final", "read_at": now, "people": 5, **values,
    }  # fmt: skip
    return AttendanceReading.objects.create(
        account=meeting.account, occurrence_public_id=uuid4(), meeting_zoom_id=meeting.zoom_id,
        host_zoom_id=meeting.host_zoom_id, **values,
    )  # fmt: skip


def make_attendance(tenant, reading, name, came, minutes=None):
    registration = Registration.objects.filter(site=tenant.site, locale=name).first()
    if registration is None:
        registration = factories.make_registration(
            tenant.site, tenant.registration.meeting, f"{name.lower()}@example.org",
            first_name=name, locale=name,
        )  # fmt: skip
    arrival = reading.start + timedelta(minutes=3) if came else None
    return Attendance.objects.create(
        reading=reading, registration=registration, came=came, minutes=minutes,
        first_arrival=arrival,
    )  # fmt: skip


@pytest.fixture
def recorded(aurora):
    """Ada came for 42 minutes, Bea did not, of Cem it is not known; one registration has no date
    that is over."""
    switch_on(aurora)
    reading = make_reading(aurora, state="provisional", next_try_at=timezone.now())
    for name, came, minutes in zip(NAMES, (True, False, None), (42, None, None), strict=True):
        make_attendance(aurora, reading, name, came, minutes)
    return aurora


def list_url(tenant, **params):
    query = "&".join(f"{name}={value}" for name, value in params.items())
    return f"{reverse('wagtail_zoom_registrations:index')}?site={tenant.site.pk}&{query}"


def rows_of(response):
    return list(response.context["object_list"])


def shown_names(response):
    return {row.row_name.split()[0] for row in rows_of(response)} & set(NAMES)


def test_the_list_says_who_came(as_aurora, recorded):
    response = as_aurora.get(list_url(recorded))
    labels = {row.row_name.split()[0]: row.attendance.label for row in rows_of(response)}
    assert {name: labels[name] for name in NAMES} == {
        "Ada": "Attended", "Bea": "Did not attend", "Cem": "Not known yet",
    }  # fmt: skip
    text = response.content.decode()
    assert "42 minutes" in text and "list is read at" in text


@pytest.mark.parametrize(
    ("value", "names"), [("came", {"Ada"}), ("absent", {"Bea"}), ("unknown", {"Cem"})]
)
def test_the_list_is_filtered(as_aurora, recorded, value, names):
    response = as_aurora.get(list_url(recorded, attendance=value))
    assert shown_names(response) == names
    assert len(rows_of(response)) == 1


def test_without_the_switch_there_is_no_column_and_no_filter(as_aurora, aurora):
    text = as_aurora.get(list_url(aurora, attendance="came")).content.decode()
    assert "Attendance" not in text and "Did not attend" not in text


def test_what_was_recorded_stays_readable_after_switching_off(as_aurora, recorded):
    site_settings = ZoomSettings.objects.get(site=recorded.site)
    site_settings.record_attendance = False
    site_settings.save()
    assert "42 minutes" in as_aurora.get(list_url(recorded)).content.decode()


def test_another_site_sees_nothing_of_it(as_aurora, recorded, borealis):
    switch_on(borealis)
    assert "42 minutes" not in as_aurora.get(list_url(borealis)).content.decode()
    row = Attendance.objects.filter(came=True).get().registration
    Registration.objects.filter(pk=row.pk).update(site=borealis.site)
    url = reverse("wagtail_zoom_registrations:view", args=[row.pk])
    assert as_aurora.get(url).status_code == 404


def test_the_export_has_minutes_and_arrival(as_aurora, recorded):
    response = as_aurora.get(list_url(recorded, export="csv"))
    text = b"".join(response.streaming_content).decode()
    lines = {line["Person"].split()[0]: line for line in csv.DictReader(io.StringIO(text))}
    ada = lines["Ada"]
    assert (ada["Attendance"], ada["Minutes"]) == ("Attended", "42") and ada["First arrival"]
    assert (lines["Bea"]["Attendance"], lines["Bea"]["Minutes"]) == ("Did not attend", "")
    assert (lines["Cem"]["Attendance"], lines["Cem"]["First arrival"]) == ("Not known yet", "")


def test_the_workbook_has_the_columns(as_aurora, recorded):
    response = as_aurora.get(list_url(recorded, export="xlsx"))
    assert response.status_code == 200


def test_the_page_of_a_registration(as_aurora, recorded):
    row = Attendance.objects.get(came=True).registration
    url = reverse("wagtail_zoom_registrations:view", args=[row.pk])
    text = as_aurora.get(url).content.decode()
    assert "Attended, 42 minutes" in text and "First arrival:" in text


def test_several_dates_of_one_registration(as_aurora, recorded):
    other = make_reading(recorded)
    make_attendance(recorded, other, "Ada", False)
    response = as_aurora.get(list_url(recorded))
    assert "1 of 2 dates" in response.content.decode()
    assert shown_names(as_aurora.get(list_url(recorded, attendance="came"))) == {"Ada"}
    assert shown_names(as_aurora.get(list_url(recorded, attendance="absent"))) == {"Bea"}


def panel_text(client, tenant):
    url = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", tenant.site.pk])
    return client.get(url).content.decode()


def test_the_panel_has_a_line(as_aurora, recorded):
    text = panel_text(as_aurora, recorded)
    assert "3 registered here, 1 attended" in text
    assert "About 5 people attended in total." in text


def test_the_panel_says_when_nothing_is_known_yet(as_aurora, aurora):
    assert "Who attended" not in panel_text(as_aurora, aurora)
    switch_on(aurora)
    assert "No date has ended since it was switched on." in panel_text(as_aurora, aurora)
    reading = make_reading(aurora, state="waiting", read_at=None, people=None)
    make_attendance(aurora, reading, "Ada", None)
    assert "1 registered here; attendance is not known yet" in panel_text(as_aurora, aurora)


def test_the_panel_says_that_the_permission_is_missing(as_aurora, recorded):
    grant = ZoomSettings.objects.get(site=recorded.site).grant
    type(grant).objects.filter(pk=grant.pk).update(scope="meeting:read:meeting:admin")
    assert "Zoom has not allowed this site to read who attended." in panel_text(as_aurora, recorded)


@pytest.mark.parametrize("error", sorted(texts.REASONS))
def test_every_reason_is_a_sentence(as_aurora, recorded, error):
    AttendanceReading.objects.update(error_class=error)
    text = as_aurora.get(list_url(recorded)).content.decode()
    assert str(texts.REASONS[error]) in text
    assert str(texts.REASONS[error]).endswith(".")


def test_the_activity_says_it(as_aurora, aurora):
    data = {"topic": "Tides", "start": timezone.now().isoformat(), "registered": 10, "came": 7}
    Activity.log([aurora.site.pk], "registration", "attendance_recorded", data=data)
    failed = {**data, "reason": "plan"}
    Activity.log([aurora.site.pk], "registration", "attendance_unavailable", data=failed)
    url = f"{reverse('wagtail_zoom_activity:index')}?site={aurora.site.pk}"
    text = as_aurora.get(url).content.decode()
    assert "10 registered here, 7 attended." in text
    assert "The attendance of" in text and "paid plan" in text


def test_a_person_gets_it_with_everything_that_is_stored(recorded):
    Registration.objects.filter(locale="Ada").update(email_index=email_index("ada@example.org"))
    [entry] = forget.export("ada@example.org", recorded.site)
    [date] = entry["attendance"]
    assert (date["came"], date["minutes"]) == (True, 42) and date["first_arrival"]
    assert json.dumps(entry)
    forget.forget("ada@example.org", recorded.site, at_zoom=False)
    assert not Attendance.objects.filter(came=True).exists()


def test_the_owner_switches_it_on_in_the_panel(as_aurora, aurora):
    assert 'name="record_attendance"' in panel_text(as_aurora, aurora)
