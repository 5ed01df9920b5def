"""After a change of the encryption key the same sign-up is still the same one (O25)."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import moderation
from wagtail_zoom.registration.service import register

from .conftest import make_meeting, post, url_of

pytestmark = pytest.mark.django_db


def change_key(settings):
    """As an operator does: the new key in front, rotate, the old key out."""
    old = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"]
    new = [Fernet.generate_key().decode()]
    for keys in ([*new, *old], new):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": keys}
        if keys != new:
            call_command("zoom_rotate_keys", verbosity=0)


def columns():
    return set(Registration.objects.values_list("idempotency_key", "email_index"))


def test_o25_a_person_is_known_after_the_old_key_is_gone(client, place, meeting, settings):
    url = url_of(place, meeting)
    post(client, url)
    before = columns()
    change_key(settings)
    assert not before & columns()
    post(client, url, {"email": "MIKA@example.org"})
    assert Registration.objects.count() == 1


def test_o25_so_are_the_dates_that_were_chosen(client, place, settings):
    meeting = make_meeting(place, dates=(1, 2, 3), registration_type=3)
    first, second, third = (str(one.public_id) for one in meeting.occurrences.order_by("start"))
    url = url_of(place, meeting)
    post(client, url, {"dates": [first, second]})
    post(client, url, {"dates": [second, third]})
    # A date that is gone by then is still part of what was chosen.
    meeting.occurrences.filter(public_id=third).delete()
    before = {key for key, _index in columns()}
    change_key(settings)
    assert not before & {key for key, _index in columns()}
    post(client, url, {"dates": [second, first]})
    assert Registration.objects.count() == 2
    post(client, url, {"dates": [first]})
    assert Registration.objects.count() == 3


def test_o25_so_is_a_projects_own_key(place, meeting, settings):
    facts = {"site": place.site, "meeting": meeting, "first_name": "M", "last_name": "T"}
    made = register(**facts, email="mika@example.org", key="order-7")
    change_key(settings)
    assert register(**facts, email="other@example.org", key="order-7").pk == made.pk
    assert "order-7" not in str(list(Registration.objects.values()))


def test_o25_a_row_of_before_learns_what_it_is(client, place, settings):
    """Rows that were written before the identity was kept."""
    meeting = make_meeting(place, dates=(1, 2), registration_type=3)
    url = url_of(place, meeting)
    chosen = {"dates": [str(meeting.occurrences.first().public_id)]}
    post(client, url, chosen)
    Registration.objects.update(identity="")
    change_key(settings)
    post(client, url, chosen)
    made = Registration.objects.get()
    assert "mika@example.org" in made.identity.reveal()


def test_a_corrected_address_is_who_signs_up_again(client, place, meeting, django_user_model):
    """The owner mended a slip of the pen: the person is known by the address that is right, and
    whoever has the other one is somebody else."""
    user = django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")
    url = url_of(place, meeting)
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
