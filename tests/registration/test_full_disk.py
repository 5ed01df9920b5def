"""A registration while the disk is full: the form returns with an error, and no row is partial."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.full_disk import full_disk
from wagtail_zoom.models import Registration, RegistrationDate
from wagtail_zoom.registration import tokens

from .conftest import SAME_ORIGIN, make_all_due, post, process_due
from .test_delivery import get_registration, zoom_registrants

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_unsaved_registration_returns_the_form(client, connect_site):
    scenario = connect_site()
    with full_disk() as refused:
        responses = [post(client, scenario.url, {"email": f"p{n}@example.org"}) for n in range(30)]
    assert refused
    saved = [response for response in responses if response.status_code == 303]
    failed = [response for response in responses if response.status_code == 503]
    assert len(saved) + len(failed) == 30
    assert failed
    assert Registration.objects.count() == len(saved)
    assert RegistrationDate.objects.count() == len(saved)
    page = failed[-1].content.decode()
    assert 'value="p29@example.org"' in page
    assert "could not be saved" in page
    assert failed[-1]["Retry-After"]
    for number in range(30):
        assert post(client, scenario.url, {"email": f"p{number}@example.org"}).status_code == 303
    make_all_due()
    Registration.objects.update(lease_until=None, lease_owner="")
    process_due()
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    assert sorted(registrant["email"] for registrant in zoom_registrants(scenario)) == sorted(
        f"p{number}@example.org" for number in range(30)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 6, 8, 11])
def test_failure_at_any_write_registers_once(client, connect_site, nth):
    """The disk is full from the n-th write on: before or after Zoom has the registration."""
    scenario = connect_site()
    writes_left = [nth]

    def full(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            writes_left[0] -= 1
            if writes_left[0] <= 0:
                raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        response = post(client, scenario.url)
    assert response.status_code == (303 if Registration.objects.exists() else 503)
    if response.status_code == 503:
        assert zoom_registrants(scenario) == []
        assert not RegistrationDate.objects.exists()
        assert post(client, scenario.url).status_code == 303
    Registration.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    make_all_due()
    process_due()
    assert (get_registration().state, get_registration().task) == ("approved", "")
    assert len(zoom_registrants(scenario)) == 1


def test_unsaved_cancellation_is_reported(client, connect_site):
    scenario = connect_site()
    post(client, scenario.url)
    path = tokens.status_path(get_registration())

    def full(execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        response = client.post(f"{path}cancel/", headers=SAME_ORIGIN)
    assert response.status_code == 503
    assert "could not be saved" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert get_registration().state == "approved"
    assert client.post(f"{path}cancel/", headers=SAME_ORIGIN).status_code in (302, 303)
    assert get_registration().state == "cancelled"


def test_unreachable_database_is_reported(client, connect_site):
    scenario = connect_site()

    def away(execute, sql, params, many, context):
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(away):
        response = post(client, scenario.url)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert post(client, scenario.url).status_code == 303
