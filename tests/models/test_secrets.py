"""Secrets at rest: masked, bound to their row, rotated, unreadable in a dump."""

import pickle

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection
from django.template import Context, Template

from wagtail_zoom.models import Grant, Meeting, Secret, ZoomAccount
from wagtail_zoom.utils.crypto import DecryptionError, blind_index, blind_indexes, decrypt, encrypt
from wagtail_zoom.utils.queue import enqueue

pytestmark = pytest.mark.django_db
CANARY = "canary-5c7f-token"


@pytest.fixture
def account():
    return ZoomAccount.objects.create(zoom_id="acc")


@pytest.fixture
def grant(account):
    return Grant.objects.create(
        client_id="client", account=account, zoom_user_id="user", access_token=CANARY
    )


def stored(model, column, pk):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table} WHERE id = %s", [pk])  # noqa: S608
        return cursor.fetchone()[0]


def test_round_trip_is_encrypted(grant):
    """O24: the column contains no clear text; the attribute returns it."""
    assert CANARY not in stored(Grant, "access_token", grant.pk)
    assert Grant.objects.get(pk=grant.pk).access_token.reveal() == CANARY


def test_empty_secret_is_stored_empty(grant):
    assert stored(Grant, "refresh_token", grant.pk) == ""
    assert not Grant.objects.get(pk=grant.pk).refresh_token


def test_printing_shows_nothing(grant):
    """O26: repr, str, format and a template mask the value; the template cannot reveal it."""
    fresh = Grant.objects.get(pk=grant.pk)
    page = Template("{{ g.access_token }}|{{ g.access_token.reveal }}|{{ g }}")
    texts = [repr(fresh.access_token), f"{fresh.access_token}", page.render(Context({"g": fresh}))]
    texts += [repr(Secret(value=CANARY)), f"{Secret(value=CANARY)}"]
    assert all(CANARY not in text for text in texts)


def test_a_secret_cannot_be_pickled(grant):
    """X21: a secret cannot be put into the task queue."""
    with pytest.raises(TypeError):
        pickle.dumps(grant.access_token)


def test_dumpdata_holds_ciphertext(grant):
    """X20: serialised rows show no token."""
    assert CANARY not in serializers.serialize("json", Grant.objects.all())


def test_swapped_ciphertext_is_refused(grant, account):
    """O24: a ciphertext copied into another row cannot be read there."""
    other = Grant.objects.create(client_id="client", account=account, zoom_user_id="other")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Grant._meta.db_table} SET access_token = %s WHERE id = %s",  # noqa: S608
            [stored(Grant, "access_token", grant.pk), other.pk],
        )
    other = Grant.objects.get(pk=other.pk)
    assert not other.access_token.readable
    with pytest.raises(DecryptionError):
        other.access_token.reveal()


def test_bulk_create_and_bulk_update_encrypt(account):
    """Bulk writes encrypt like save()."""
    meeting = Meeting(account=account, kind="meeting", zoom_id="1", host_zoom_id="h")
    meeting.join_url = "https://zoom.us/j/1?pwd=canary"
    Meeting.objects.bulk_create([meeting])
    meeting = Meeting.objects.get(zoom_id="1")
    assert meeting.join_url.reveal() == "https://zoom.us/j/1?pwd=canary"
    meeting.join_url = "https://zoom.us/j/1?pwd=second"
    Meeting.objects.bulk_update([meeting], ["join_url"])
    assert "second" not in stored(Meeting, "join_url", meeting.pk)
    assert Meeting.objects.get(zoom_id="1").join_url.reveal().endswith("second")


def test_plain_text_cannot_be_written_around_the_instance(grant):
    """A queryset update with clear text is refused."""
    with pytest.raises(ValueError, match="through its model instance"):
        Grant.objects.filter(pk=grant.pk).update(access_token=CANARY)


def test_rotation_reads_with_the_old_key(settings):
    """O24: the first key encrypts, all decrypt; without the old key nothing is returned."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [old]}
    token = encrypt("text", "here")
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [new, old]}
    assert decrypt(token, "here") == "text"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [new]}
    with pytest.raises(DecryptionError):
        decrypt(token, "here")


def test_blind_index_is_keyed_and_looked_up_with_every_key(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [old]}
    old_index = blind_index("mika@example.org", "email")
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [new, old]}
    assert blind_index("mika@example.org", "email") != old_index
    assert old_index in blind_indexes("mika@example.org", "email")


def test_secret_compares_by_what_it_holds():
    assert Secret(token="a") == Secret(token="a")
    assert Secret(token="a") != Secret(token="b")


@pytest.mark.parametrize("value", [{"token": "t"}, ["t"], "x" * 65, None, 1.5, b"t"])
def test_x21_only_ids_go_into_the_queue(value):
    with pytest.raises(TypeError, match="Only ids"):
        enqueue("process_events", value)
