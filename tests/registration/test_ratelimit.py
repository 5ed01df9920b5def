"""The visitor's network behind proxies, and what a limit counts."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from tests.concurrency import restore_test_database, run_concurrently
from wagtail_zoom.models import LimitCounter
from wagtail_zoom.registration import ratelimit
from wagtail_zoom.sync import retention
from wagtail_zoom.utils.ratelimit import network_of

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def network(rf, settings, remote, forwarded="", trusted=()):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "TRUSTED_PROXIES": list(trusted)}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return network_of(rf.get("/", REMOTE_ADDR=remote, headers=headers))


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", "", (), "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", (), "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", ("10.0.0.0/8",), "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", ("10.0.0.0/8",), "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, nonsense", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:5123", ("10.0.0.1",), "198.51.100.7"),
        ("10.0.0.1", "[2001:db8:1:2:3::9]:443", ("10.0.0.1",), "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", "", (), "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", (), "203.0.113.9"),
        ("", "198.51.100.7", (), "unknown"),
        ("", "198.51.100.7", ("unix",), "198.51.100.7"),
    ],
)
def test_network(rf, settings, remote, forwarded, trusted, expected):
    """X-Forwarded-For counts only as far as trusted proxies wrote it."""
    assert network(rf, settings, remote, forwarded, trusted) == expected


CACHES = {
    "locmem": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "file": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache"},
    "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
    "none": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "broken": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "missing"},
}


@pytest.fixture(params=[*CACHES, pytest.param("redis", marks=pytest.mark.services)])
def any_cache(request, settings, tmp_path):
    """Each of Django's caches, one that fails, and none. All counts are equal with each."""
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS}
    if request.param == "redis":
        pytest.importorskip("redis")
    cache = {**CACHES, "redis": redis}[request.param]
    if request.param == "file":
        cache = {**cache, "LOCATION": str(tmp_path / "cache")}
    settings.CACHES = {"default": cache}
    return request.param


REDIS = "redis://127.0.0.1:6379/9"


def limit(settings, name, times, seconds):
    given = settings.WAGTAIL_ZOOM.get("REGISTRATION_LIMITS", {})
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "REGISTRATION_LIMITS": {**given, name: (times, seconds)},
    }


@pytest.mark.django_db
def test_keys_are_counted_separately(any_cache):
    for _n in range(5):
        assert ratelimit.seconds_to_wait("address", 1, "a") == 0
    assert 0 < ratelimit.seconds_to_wait("address", 1, "a") <= 3600
    assert ratelimit.seconds_to_wait("address", 1, "b") == 0


@pytest.mark.django_db
def test_a_count_lasts_as_long_as_its_window(any_cache, settings):
    """Some caches forget a number 300 seconds after it was incremented, whatever was asked."""
    limit(settings, "network", 2, 3600)
    with time_machine.travel(NOON, tick=False) as clock:
        assert [ratelimit.seconds_to_wait("network", "n") for _n in range(3)] == [0, 0, 3600]
        clock.shift(600)
        assert ratelimit.seconds_to_wait("network", "n") == 3000
        clock.shift(2999)
        assert ratelimit.seconds_to_wait("network", "n") == 1
        clock.shift(1)
        assert [ratelimit.seconds_to_wait("network", "n") for _n in range(3)] == [0, 0, 3600]


@pytest.mark.django_db
@pytest.mark.parametrize("step", [299, 700, 1700, 3500])
def test_no_hour_has_more_than_the_limit_of_an_address(settings, step):
    """Also across the border of two windows."""
    limit(settings, "address", 3, 3600)
    allowed = []
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(4 * 3600 // step + 4):
            if not ratelimit.seconds_to_wait("address", "a"):
                allowed.append(number * step)
            clock.shift(step)
    for first in allowed:
        assert len([second for second in allowed if first <= second < first + 3600]) <= 3
    assert len(allowed) >= 4, "the limit ends again"


@pytest.mark.django_db
def test_a_clock_that_was_wrong_refuses_no_user(settings):
    limit(settings, "network", 1, 600)
    with time_machine.travel(NOON + timedelta(days=400), tick=False):
        assert [ratelimit.seconds_to_wait("network", "n") for _n in range(2)] == [0, 600]
    with time_machine.travel(NOON, tick=False):
        assert ratelimit.seconds_to_wait("network", "n") == 0


@pytest.mark.django_db
def test_expired_counters_are_deleted(settings):
    limit(settings, "network", 1, 600)
    ratelimit.seconds_to_wait("network", "n")
    retention.delete_outdated(timezone.now())
    assert LimitCounter.objects.count() == 1
    retention.delete_outdated(timezone.now() + timedelta(seconds=601))
    assert LimitCounter.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["network", "address"])
def test_processes_and_threads_count_together(tmp_path, settings, name):
    """None is lost and none is counted twice: exactly as many pass as are allowed."""
    limit(settings, name, 20, 3600)

    def work():
        return [ratelimit.seconds_to_wait(name, "n") == 0 for _n in range(5)]

    try:
        results = run_concurrently(work, tmp_path, processes=3, threads=3)
        assert all(isinstance(batch, list) for batch in results), results
        assert LimitCounter.objects.get().count == 20
    finally:
        restore_test_database()
    assert sum(passed for batch in results for passed in batch) == 20


@pytest.mark.django_db
def test_no_user_is_refused_when_nothing_can_be_counted(settings, caplog):
    limit(settings, "network", 1, 3600)

    def fail(execute, sql, params, many, context):
        raise OperationalError("disk full")

    with connection.execute_wrapper(fail):
        assert [ratelimit.seconds_to_wait("network", "n") for _n in range(3)] == [0, 0, 0]
    assert "cannot be counted" in caplog.text
