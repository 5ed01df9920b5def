"""Prefetched listings: the same rows, and no unused slots."""

from __future__ import annotations

import pytest

from wagtail_zoom.client import Priority, client_for_reading, paging
from wagtail_zoom.models import RateBudget

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = 7


@pytest.fixture
def host(account, zoom_app):
    host_id = next(user["id"] for user in zoom_app.users("aurora") if user["key"] == "aurora-2")
    zoom_app.bulk("aurora-2", meetings=PAGES * 10 - 5)
    RateBudget.objects.all().delete()
    zoom_app.clear_calls()
    return host_id


@pytest.fixture
def reserved(monkeypatch):
    """Number of slots in each reservation."""
    reserve, counts = paging.ratelimit.reserve, []

    def record(*args, **kwargs):
        counts.append(kwargs.get("calls", 1))
        return reserve(*args, **kwargs)

    monkeypatch.setattr(paging.ratelimit, "reserve", record)
    return counts


def numbers(account, host, *, prefetch):
    client = client_for_reading(account, host, Priority.RECONCILE)
    pages = list(client.meetings(host, "meeting", page_size=10, prefetch=prefetch))
    return [item["id"] for page in pages for item in page.items]


def test_prefetching_returns_the_same_rows(account, host, zoom_app, reserved):
    """S18: the slots reserved for several pages are all used."""
    prefetched = numbers(account, host, prefetch=True)
    calls = len(zoom_app.calls("path=/v2/users/"))
    assert calls >= PAGES and len(prefetched) == len(set(prefetched)) >= PAGES * 10 - 5
    assert sum(reserved) == RateBudget.objects.get().day_count == calls
    assert len(reserved) < calls and max(reserved) == paging.MAX_RESERVED_SLOTS
    assert prefetched == numbers(account, host, prefetch=False)


def test_a_page_size_that_zoom_cuts_loses_no_row(account, host, zoom_app):
    zoom_app.bulk("aurora-2", meetings=300)
    client = client_for_reading(account, host, Priority.RECONCILE)
    pages = list(client.meetings(host, "meeting", page_size=5000))
    assert [len(page.items) for page in pages] == [300, pages[0].total - 300]
    assert pages[0].total > 300 + PAGES


def test_a_slow_caller_reserves_one_slot_at_a_time(account, host, zoom_app, reserved, monkeypatch):
    monkeypatch.setattr(paging, "FAST_PAGE_SECONDS", 0)
    assert numbers(account, host, prefetch=True)
    assert reserved == [1] * len(zoom_app.calls("path=/v2/users/"))


def test_a_token_refused_in_the_middle_loses_no_page(account, host, zoom_app):
    expected = numbers(account, host, prefetch=False)
    client = client_for_reading(account, host, Priority.RECONCILE)
    prefetched = []
    for index, page in enumerate(client.meetings(host, "meeting", page_size=10, prefetch=True)):
        prefetched += [item["id"] for item in page.items]
        if index == 2:
            zoom_app.fault("status", status=401, code=124, path="/meetings$", count=1)
    assert prefetched == expected
    assert 401 in [call["status"] for call in zoom_app.calls("path=/v2/users/")]
