"""Whoever asks is told what is stored about them, or is forgotten (issue 5, privacy)."""

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


def address(name, world):
    return reverse(f"wagtail_zoom_registrations:{name}", args=[world.registration.pk])


@pytest.fixture
def person(aurora, borealis):
    """The same person on two Sites of different owners; nothing has reached Zoom yet."""
    Registration.objects.update(email_index=tokens.email_index(EMAIL))
    return aurora


def test_what_is_stored_is_handed_out(as_aurora, person):
    assert "If the person asks" in as_aurora.get(address("view", person)).content.decode()
    answer = as_aurora.post(address("hand_out", person))
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    (found,) = json.loads(answer.content)
    assert found["site"] == "aurora.example"
    assert ["email", EMAIL] in [list(pair) for pair in found["answers"].items()]
    assert Activity.objects.filter(code="person_exported", user=person.owner).exists()
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.registrants").exists()


def test_forgotten_after_a_question_and_on_this_site_only(as_aurora, person):
    question = as_aurora.get(address("forget", person)).content.decode()
    assert EMAIL in question and "cannot be undone" in question
    assert Registration.objects.count() == 2
    answer = as_aurora.post(address("forget", person))
    assert answer.status_code == 302
    assert [row.site.hostname for row in Registration.objects.all()] == ["borealis.example"]
    assert Activity.objects.filter(code="person_forgotten", user=person.owner).exists()
    assert "visitor" not in str(list(Activity.objects.values("data"))).lower()


def test_what_could_not_be_told_is_said(as_aurora, person, settings):
    """Zoom does not answer, and a part of the project fails: deleted here, and said."""

    def broken(**kwargs):
        raise OSError

    Registration.objects.filter(site=person.site).update(zoom_registrant_id="r", state="approved")
    person_forgotten.connect(broken)
    try:
        answer = as_aurora.post(address("forget", person))
    finally:
        person_forgotten.disconnect(broken)
    said = " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert "Zoom could not be told" in said and "Other parts" in said
    assert not Registration.objects.filter(site=person.site).exists()


def test_an_address_that_no_key_opens(as_aurora, person):
    Registration.objects.filter(pk=person.registration.pk).update(email="")
    other = Registration.objects.exclude(pk=person.registration.pk).get()
    row = Registration.objects.get(pk=person.registration.pk)
    row.email = other.email  # a ciphertext of another row
    Registration.objects.filter(pk=row.pk).update(email=row.email)
    assert "If the person asks" not in as_aurora.get(address("view", person)).content.decode()
    assert as_aurora.post(address("forget", person)).status_code == 302
    assert Registration.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", ["hand_out", "forget"])
def test_nobody_reaches_the_people_of_another_site(as_aurora, person, borealis, name):
    assert as_aurora.post(address(name, borealis)).status_code == 404
    assert Registration.objects.count() == 2
