"""Our share of Zoom's rate limit, shared by all processes (S18-S20)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.concurrency import restore_test_database, run_concurrently
from wagtail_zoom.client import ratelimit
from wagtail_zoom.client.ratelimit import HEAVY, LIGHT, MEDIUM, Priority, reserve
from wagtail_zoom.exceptions import ZoomRateLimited
from wagtail_zoom.models import RateBudget, ZoomAccount

pytestmark = pytest.mark.django_db


class FakeTime:
    """A clock that only advances by ``sleep``."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def time_ns(self):
        return int(self.now * 1_000_000) * 1000

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    fake = FakeTime()
    monkeypatch.setattr(ratelimit, "time", fake)
    return fake


@pytest.fixture
def account(db):
    return ZoomAccount.objects.create(zoom_id="acc", plan="pro")


def max_per_second(times):
    """Largest number of calls within one second."""
    times = sorted(times)
    return max(sum(1 for time in times if start <= time < start + 0.99999) for start in times)


@pytest.mark.parametrize("label", [LIGHT, MEDIUM, HEAVY])
@pytest.mark.parametrize("plan", ["unknown", "free", "pro", "business"])
def test_s18_background_work_keeps_its_share_in_every_second(account, clock, plan, label):
    ZoomAccount.objects.update(plan=plan)
    share = ratelimit.RATES[plan][label] * 0.5
    times = []
    for index in range(60):
        calls = index % 4 + 1
        waits = reserve(account, label, Priority.BACKFILL, calls=calls, max_wait=1e9)
        times += [clock.now + wait for wait in waits]
        clock.now += 0.05
    assert max_per_second(times) <= max(1, share)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.7, 1.0])
def test_s18_urgent_work_stays_within_the_plan(account, clock, settings, share):
    """Whatever our share is, borrowed calls stay within the plan."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RATE_SHARE": share}
    times = []
    for _place in range(100):
        for priority in (Priority.BACKFILL, Priority.EVENT, Priority.REGISTRATION):
            try:
                waits = reserve(account, LIGHT, priority, max_wait=0.2)
            except ZoomRateLimited:
                continue
            times += [clock.now + wait for wait in waits]
        clock.now += 0.03
    assert len(times) > 20
    assert max_per_second(times) <= ratelimit.RATES["pro"][LIGHT]


@pytest.mark.django_db(transaction=True)
def test_s18_many_processes_get_different_slots(tmp_path):
    account = ZoomAccount.objects.create(zoom_id="acc", plan="business")

    def work():
        import time

        slot_times = []
        for _ in range(5):
            waits = reserve(account, LIGHT, Priority.BACKFILL, max_wait=1e9)
            slot_times += [time.time() + wait for wait in waits]
        return slot_times

    try:
        results = run_concurrently(work, tmp_path, processes=4, threads=2)
        assert all(isinstance(batch, list) for batch in results), results
        row = RateBudget.objects.get()
    finally:
        restore_test_database()
    times = [slot_time for batch in results for slot_time in batch]
    assert len(times) == row.day_count == 40
    # Our share is 40 a second: the 40 slots are a fortieth of a second apart.
    assert max(times) - min(times) >= 39 / 40 * 0.95


def test_s19_a_registration_goes_before_a_backfill(account, clock):
    for _ in range(14):
        reserve(account, LIGHT, Priority.BACKFILL, max_wait=1e9)
    with pytest.raises(ZoomRateLimited):
        reserve(account, LIGHT, Priority.BACKFILL)
    assert reserve(account, LIGHT, Priority.REGISTRATION) == [0.0]
    # The borrowed slot delays background work.
    clock.now += 1.0
    with pytest.raises(ZoomRateLimited):
        reserve(account, LIGHT, Priority.BACKFILL)


def test_no_slot_is_reserved_when_the_wait_is_too_long(account, clock):
    reserve(account, LIGHT, Priority.BACKFILL, calls=100, max_wait=0)
    before = RateBudget.objects.get().slot
    with pytest.raises(ZoomRateLimited) as caught:
        reserve(account, LIGHT, Priority.BACKFILL, max_wait=0.01)
    assert caught.value.retry_at > timezone.now()
    assert RateBudget.objects.get().slot == before


def test_accounts_and_labels_have_their_own_budget(account, clock):
    other = ZoomAccount.objects.create(zoom_id="other", plan="pro")
    reserve(account, LIGHT, Priority.BACKFILL, calls=50)
    assert reserve(other, LIGHT, Priority.BACKFILL) == [0.0]
    assert reserve(account, MEDIUM, Priority.BACKFILL) == [0.0]


def test_the_daily_share_leaves_the_rest_to_registrations(account, clock):
    ZoomAccount.objects.update(plan="free")
    reserve(account, LIGHT, Priority.BACKFILL)
    half = ratelimit.DAILY_LIMITS["free"][LIGHT] // 2
    RateBudget.objects.update(day_count=half, slot=0)
    with pytest.raises(ZoomRateLimited) as caught:
        reserve(account, LIGHT, Priority.RECONCILE)
    assert caught.value.daily
    assert caught.value.retry_at == ratelimit.next_midnight()
    reserve(account, LIGHT, Priority.REGISTRATION)
    assert RateBudget.objects.get(label=LIGHT).day_count == half + 1
    RateBudget.objects.update(day_count=2 * half, slot=0)
    with pytest.raises(ZoomRateLimited):
        reserve(account, LIGHT, Priority.REGISTRATION)
    # A new day begins at 00:00 UTC.
    RateBudget.objects.update(day=datetime.now(UTC).date() - timedelta(days=1))
    reserve(account, LIGHT, Priority.RECONCILE)
    row = RateBudget.objects.get(label=LIGHT)
    assert (row.day, row.day_count) == (datetime.now(UTC).date(), 1)


def test_s20_a_pause_is_honoured_and_never_shortened(account, clock):
    later = timezone.now() + timedelta(hours=3)
    ratelimit.pause_account(account, ZoomRateLimited("x", retry_at=later, daily=True))
    ratelimit.pause_account(
        account, ZoomRateLimited("x", retry_at=timezone.now() + timedelta(seconds=2))
    )
    row = ZoomAccount.objects.get()
    assert (row.throttled_until, row.throttle_daily) == (later, True)
    for priority in (Priority.BACKFILL, Priority.EVENT):
        with pytest.raises(ZoomRateLimited) as caught:
            reserve(account, LIGHT, priority, max_wait=1e9)
        assert caught.value.retry_at == later
    assert not RateBudget.objects.exists()
    reserve(account, LIGHT, Priority.REGISTRATION)  # allowed: another limit may apply to them
    ZoomAccount.objects.update(throttle_daily=False)
    with pytest.raises(ZoomRateLimited):
        reserve(account, LIGHT, Priority.REGISTRATION)
