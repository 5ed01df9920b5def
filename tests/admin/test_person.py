"""Export and deletion of all data about one person."""

from __future__ import annotations

import json

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from wagtail.models import ModelLogEntry

from wagtail_zoom.models import Activity, Registration
from wagtail_zoom.registration import tokens
from wagtail_zoom.signals import person_forgotten

pytestmark = pytest.mark.django_db
EMAIL = "visitor@aurora.example"


def person_url(name, tenant):
    return reverse(f"wagtail_zoom_registrations:{name}", args=[tenant.registration.pk])


@pytest.fixture
def person(aurora, borealis):
    """The same person on two Sites of different owners; no registration was submitted to Zoom."""
    Registration.objects.update(email_index=tokens.email_index(EMAIL))
    return aurora


def test_stored_data_is_exported(as_aurora, person):
    assert "Data requests" in as_aurora.get(person_url("view", person)).content.decode()
    response = as_aurora.post(person_url("export", person))
    assert "attachment" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    (entry,) = json.loads(response.content)
    assert entry["site"] == "aurora.example"
    assert ["email", EMAIL] in [list(pair) for pair in entry["answers"].items()]
    assert Activity.objects.filter(code="person_exported", user=person.owner).exists()
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.registrants").exists()


def test_a_person_is_deleted_after_confirmation_on_this_site_only(as_aurora, person):
    question = as_aurora.get(person_url("forget", person)).content.decode()
    assert EMAIL in question and "cannot be undone" in question
    assert Registration.objects.count() == 2
    response = as_aurora.post(person_url("forget", person))
    assert response.status_code == 302
    assert [row.site.hostname for row in Registration.objects.all()] == ["borealis.example"]
    assert Activity.objects.filter(code="person_forgotten", user=person.owner).exists()
    assert "visitor" not in str(list(Activity.objects.values("data"))).lower()


def test_failed_notifications_are_reported(as_aurora, person, settings):
    """Zoom does not answer, and a signal receiver fails: the data is deleted, with a warning."""

    def broken(**kwargs):
        raise OSError

    Registration.objects.filter(site=person.site).update(zoom_registrant_id="r", state="approved")
    person_forgotten.connect(broken)
    try:
        response = as_aurora.post(person_url("forget", person))
    finally:
        person_forgotten.disconnect(broken)
    text = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "Zoom could not be notified" in text and "Other parts" in text
    assert not Registration.objects.filter(site=person.site).exists()


def test_an_email_that_cannot_be_decrypted(as_aurora, person):
    Registration.objects.filter(pk=person.registration.pk).update(email="")
    other = Registration.objects.exclude(pk=person.registration.pk).get()
    row = Registration.objects.get(pk=person.registration.pk)
    row.email = other.email  # a ciphertext of another row
    Registration.objects.filter(pk=row.pk).update(email=row.email)
    assert "Data requests" not in as_aurora.get(person_url("view", person)).content.decode()
    assert as_aurora.post(person_url("forget", person)).status_code == 302
    assert Registration.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", ["export", "forget"])
def test_persons_of_another_site_give_404(as_aurora, person, borealis, name):
    assert as_aurora.post(person_url(name, borealis)).status_code == 404
    assert Registration.objects.count() == 2
