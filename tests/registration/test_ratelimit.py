"""The visitor's network behind proxies, and what a limit counts."""

import pytest

from wagtail_zoom.registration import ratelimit


def network(rf, settings, remote, forwarded="", trusted=()):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "TRUSTED_PROXIES": list(trusted)}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return ratelimit.network_of(rf.get("/", REMOTE_ADDR=remote, headers=headers))


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


def test_keys_are_counted_separately():
    for _n in range(5):
        assert ratelimit.seconds_to_wait("address", 1, "a") == 0
    assert 0 < ratelimit.seconds_to_wait("address", 1, "a") <= 3600
    assert ratelimit.seconds_to_wait("address", 1, "b") == 0


def test_no_limit_without_cache(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "no_such_table",
        }
    }
    assert ratelimit.seconds_to_wait("address", 1, "a") == 0
