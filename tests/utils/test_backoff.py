"""When to try again after failures."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from wagtail_zoom.utils import backoff

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TABLE = (5, 30, 60)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 5), (1, 5), (2, 30), (3, 60), (4, 60), (1000, 60)]
)
def test_waits_grow_and_the_last_one_repeats(failures, seconds):
    assert backoff.retry_at(TABLE, failures) == NOW + timedelta(seconds=seconds)


def test_not_before_the_other_side_allows_it():
    later, earlier = NOW + timedelta(seconds=20), NOW + timedelta(seconds=1)
    assert backoff.retry_at(TABLE, 1, not_before=later) == later
    assert backoff.retry_at(TABLE, 1, not_before=earlier) == NOW + timedelta(seconds=5)


def test_jitter_spreads_the_waits_within_the_table():
    times = {backoff.retry_at(TABLE, 3, jitter=True) for _n in range(50)}
    assert len(times) > 10
    assert NOW + timedelta(seconds=1) <= min(times) <= max(times) <= NOW + timedelta(seconds=60)
