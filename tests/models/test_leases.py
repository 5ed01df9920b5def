"""Leases: one of many owners works on a row, and a killed one delays it only for a while."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from tests.concurrency import restore_test_database, run_concurrently
from wagtail_zoom.models import Heartbeat, ZoomAccount
from wagtail_zoom.testing.factories import make_account
from wagtail_zoom.utils import leases

MINUTE = timedelta(minutes=1)


@pytest.fixture
def rows(db):
    """One row that nobody works on."""
    return ZoomAccount.objects.filter(pk=make_account().pk)


def test_one_owner_at_a_time(rows):
    owner = leases.acquire(rows, MINUTE)
    assert owner and rows.get().lease_owner == owner and rows.get().is_leased
    assert leases.acquire(rows, MINUTE) == ""
    assert rows.get().lease_owner == owner
    assert not rows.filter(leases.is_free(timezone.now())).exists()


@pytest.mark.django_db(transaction=True)
def test_one_of_many_owners(tmp_path):
    rows = ZoomAccount.objects.filter(pk=make_account().pk)
    try:
        owners = run_concurrently(
            partial(leases.acquire, rows, MINUTE), tmp_path, processes=2, threads=4
        )
        assert len(owners) == 8
        assert [owner for owner in owners if owner] == [rows.get().lease_owner]
    finally:
        restore_test_database()


def test_the_lease_of_a_killed_owner_expires(rows):
    killed = leases.acquire(rows, MINUTE)
    with time_machine.travel(timezone.now() + 2 * MINUTE, tick=False):
        assert not rows.get().is_leased
        owner = leases.acquire(rows, MINUTE)
        assert owner not in ("", killed)
        assert not leases.extend(rows, killed, MINUTE)
        assert not leases.release(rows, killed, name="Too late")
        row = rows.get()
        assert row.lease_owner == owner and row.name != "Too late"


def test_an_owner_extends_its_lease(rows):
    owner = leases.acquire(rows, MINUTE)
    with time_machine.travel(timezone.now() + MINUTE / 2, tick=False):
        assert leases.extend(rows, owner, MINUTE)
        assert rows.get().lease_until == timezone.now() + MINUTE


def test_values_are_set_with_the_lease(rows):
    """Only by the process that acquires or holds it."""
    owner = leases.acquire(rows, MINUTE, number="1")
    assert leases.acquire(rows, MINUTE, number="2") == ""
    assert rows.get().number == "1"
    assert leases.release(rows, owner, number="3")
    row = rows.get()
    assert (row.number, row.lease_owner, row.lease_until) == ("3", "", None)
    assert leases.acquire(rows, MINUTE)


def test_the_free_ones_of_many_rows(db):
    for name in ("first", "second", "third"):
        Heartbeat.beat(name)
    rows = Heartbeat.objects.all()
    taken = leases.acquire(rows.filter(name="second"), MINUTE)
    owner = leases.acquire(rows, MINUTE)
    assert set(rows.filter(lease_owner=owner).values_list("name", flat=True)) == {"first", "third"}
    leases.release(rows, owner)
    assert set(rows.exclude(lease_owner="").values_list("lease_owner", flat=True)) == {taken}


def test_a_row_that_is_not_saved_yet(db):
    row, owner = make_account(), leases.new_owner()
    row.set_lease(owner, MINUTE)
    assert row.is_leased and row.lease_owner == owner
    row.save()
    assert leases.acquire(ZoomAccount.objects.filter(pk=row.pk), MINUTE) == ""
