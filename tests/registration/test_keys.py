"""After a change of the encryption key an existing registration is still found (O25)."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import moderation
from wagtail_zoom.registration.service import register

from .conftest import form_url, make_meeting, post

pytestmark = pytest.mark.django_db


def change_key(settings):
    """As an operator does: add the new key in front, rotate, remove the old key."""
    old = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"]
    new = [Fernet.generate_key().decode()]
    for keys in ([*new, *old], new):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": keys}
        if keys != new:
            call_command("zoom_rotate_keys", verbosity=0)


def columns():
    return set(Registration.objects.values_list("idempotency_key", "email_index"))


def test_o25_person_is_recognised_with_a_new_key(client, tenant, meeting, settings):
    url = form_url(tenant, meeting)
    post(client, url)
    before = columns()
    change_key(settings)
    assert not before & columns()
    post(client, url, {"email": "MIKA@example.org"})
    assert Registration.objects.count() == 1


def test_o25_chosen_dates_are_recognised_with_a_new_key(client, tenant, settings):
    meeting = make_meeting(tenant, dates=(1, 2, 3), registration_type=3)
    first, second, third = (
        str(occurrence.public_id) for occurrence in meeting.occurrences.order_by("start")
    )
    url = form_url(tenant, meeting)
    post(client, url, {"dates": [first, second]})
    post(client, url, {"dates": [second, third]})
    # A deleted occurrence is still one of the chosen dates.
    meeting.occurrences.filter(public_id=third).delete()
    before = {key for key, _index in columns()}
    change_key(settings)
    assert not before & {key for key, _index in columns()}
    post(client, url, {"dates": [second, first]})
    assert Registration.objects.count() == 2
    post(client, url, {"dates": [first]})
    assert Registration.objects.count() == 3


def test_o25_project_key_is_recognised_with_a_new_key(tenant, meeting, settings):
    values = {"site": tenant.site, "meeting": meeting, "first_name": "M", "last_name": "T"}
    registration = register(**values, email="mika@example.org", key="order-7")
    change_key(settings)
    assert register(**values, email="other@example.org", key="order-7").pk == registration.pk
    assert "order-7" not in str(list(Registration.objects.values()))


def test_o25_row_without_identity_gets_one(client, tenant, settings):
    """Rows from before the identity was stored."""
    meeting = make_meeting(tenant, dates=(1, 2), registration_type=3)
    url = form_url(tenant, meeting)
    chosen = {"dates": [str(meeting.occurrences.first().public_id)]}
    post(client, url, chosen)
    Registration.objects.update(identity="")
    change_key(settings)
    post(client, url, chosen)
    registration = Registration.objects.get()
    assert "mika@example.org" in registration.identity.reveal()


def test_corrected_email_identifies_the_person(client, tenant, meeting, django_user_model):
    """The owner corrects a typo: the corrected email identifies the person, not the old one."""
    user = django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")
    url = form_url(tenant, meeting)
    post(client, url, {"email": "mikka@example.org"})
    Registration.objects.update(state="failed", task="")
    row = Registration.objects.get()
    right = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
    form = moderation.edit_form(row, right)
    assert form.is_valid()
    moderation.save_edit(row, form, user)
    post(client, url)
    assert Registration.objects.count() == 1
    post(client, url, {"email": "mikka@example.org"})
    assert Registration.objects.count() == 2
