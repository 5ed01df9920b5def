"""A sign-up while the disk is full: the person is told, with the entries, and nothing is half."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.full_disk import full_disk
from wagtail_zoom.models import Registration, RegistrationDate
from wagtail_zoom.registration import tokens

from .conftest import SAME, hurry, post, work
from .test_delivery import at_zoom, row

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_saved_is_said_and_kept_in_the_form(client, connected):
    case = connected()
    with full_disk() as refused:
        answers = [post(client, case.url, {"email": f"p{n}@example.org"}) for n in range(30)]
    assert refused
    saved = [answer for answer in answers if answer.status_code == 303]
    told = [answer for answer in answers if answer.status_code == 503]
    assert len(saved) + len(told) == 30
    assert told
    assert Registration.objects.count() == len(saved)
    assert RegistrationDate.objects.count() == len(saved)
    page = told[-1].content.decode()
    assert 'value="p29@example.org"' in page
    assert "could not be saved" in page
    assert told[-1]["Retry-After"]
    for number in range(30):
        assert post(client, case.url, {"email": f"p{number}@example.org"}).status_code == 303
    hurry()
    Registration.objects.update(lease_until=None, lease_owner="")
    work()
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    assert sorted(one["email"] for one in at_zoom(case)) == sorted(
        f"p{number}@example.org" for number in range(30)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", [1, 2, 3, 4, 6, 8, 11])
def test_wherever_it_strikes_the_person_counts_once(client, connected, place):
    """Full at the n-th statement that writes, and from then on: before or after Zoom has it."""
    case = connected()
    left = [place]

    def full(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            left[0] -= 1
            if left[0] <= 0:
                raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        answer = post(client, case.url)
    assert answer.status_code == (303 if Registration.objects.exists() else 503)
    if answer.status_code == 503:
        assert at_zoom(case) == []
        assert not RegistrationDate.objects.exists()
        assert post(client, case.url).status_code == 303
    Registration.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    hurry()
    work()
    assert (row().state, row().task) == ("approved", "")
    assert len(at_zoom(case)) == 1


def test_decisions_of_a_person_that_cannot_be_saved_are_said_too(client, connected):
    case = connected()
    post(client, case.url)
    path = tokens.status_path(row())

    def full(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        answer = client.post(f"{path}cancel/", headers=SAME)
    assert answer.status_code == 503
    assert "could not be saved" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert row().state == "approved"
    assert client.post(f"{path}cancel/", headers=SAME).status_code in (302, 303)
    assert row().state == "cancelled"


def test_a_database_that_is_away_is_said_without_it(client, connected):
    case = connected()

    def away(execute, sql, params, many, context):
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(away):
        answer = post(client, case.url)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert post(client, case.url).status_code == 303
