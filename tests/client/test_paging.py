"""Listings that are read ahead of whoever works on them: the same rows, no slot for nothing."""

from __future__ import annotations

import pytest

from wagtail_zoom.client import Priority, client_for, paging
from wagtail_zoom.models import RateBudget

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = 7


@pytest.fixture
def host(account, zoom_app):
    found = next(user["id"] for user in zoom_app.users("aurora") if user["key"] == "aurora-2")
    zoom_app.bulk("aurora-2", meetings=PAGES * 10 - 5)
    RateBudget.objects.all().delete()
    zoom_app.forget_calls()
    return found


@pytest.fixture
def reserved(monkeypatch):
    """How many slots were taken at once, each time."""
    reserve, found = paging.budget.reserve, []

    def noted(*args, **kwargs):
        found.append(kwargs.get("calls", 1))
        return reserve(*args, **kwargs)

    monkeypatch.setattr(paging.budget, "reserve", noted)
    return found


def numbers(account, host, *, ahead):
    client = client_for(account, host, Priority.RECONCILE)
    pages = list(client.meetings(host, "meeting", page_size=10, ahead=ahead))
    return [item["id"] for page in pages for item in page.items]


def test_reading_ahead_finds_what_reading_does(account, host, zoom_app, reserved):
    """S18: what is reserved for several pages at once is what they need."""
    found = numbers(account, host, ahead=True)
    calls = len(zoom_app.calls("path=/v2/users/"))
    assert calls >= PAGES and len(found) == len(set(found)) >= PAGES * 10 - 5
    assert sum(reserved) == RateBudget.objects.get().day_count == calls
    assert len(reserved) < calls and max(reserved) == paging.MOST_SLOTS
    assert found == numbers(account, host, ahead=False)


def test_who_works_slowly_reserves_one_slot_at_a_time(
    account, host, zoom_app, reserved, monkeypatch
):
    monkeypatch.setattr(paging, "QUICK", 0)
    assert numbers(account, host, ahead=True)
    assert reserved == [1] * len(zoom_app.calls("path=/v2/users/"))


def test_a_token_refused_in_the_middle_costs_no_page(account, host, zoom_app):
    whole = numbers(account, host, ahead=False)
    client = client_for(account, host, Priority.RECONCILE)
    found = []
    for place, page in enumerate(client.meetings(host, "meeting", page_size=10, ahead=True)):
        found += [item["id"] for item in page.items]
        if place == 2:
            zoom_app.fault("status", status=401, code=124, path="/meetings$", count=1)
    assert found == whole
    assert 401 in [call["status"] for call in zoom_app.calls("path=/v2/users/")]
