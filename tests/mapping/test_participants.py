"""Who took part: rows of Zoom, the union of stays, different people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mapping.test_parsing import ANYTHING
from wagtail_zoom.mapping.participants import PeopleCounter, Presence, map_stay

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
STAYS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 120)), max_size=12)
"""Pairs of (seconds after the start, length in seconds)."""


def time_after(seconds):
    return START + timedelta(seconds=seconds)


def union_by_seconds(stays):
    """The same, counted second by second."""
    return len({second for start, length in stays for second in range(start, start + length)})


def presence_of(stays):
    presence = Presence()
    for start, length in stays:
        presence.add(time_after(start), time_after(start + length))
    return presence


@given(STAYS)
def test_the_union_of_stays_counts_each_second_once(stays):
    presence = presence_of(stays)
    assert presence.seconds == union_by_seconds(stays)
    assert presence.first_arrival == (time_after(min(stays)[0]) if stays else None)


@given(STAYS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(stays, random):
    shuffled = list(stays)
    random.shuffle(shuffled)
    assert presence_of(shuffled) == presence_of(stays)


@given(STAYS)
def test_intervals_stay_disjoint_and_in_order(stays):
    presence = presence_of(stays)
    times = [time for pair in zip(presence.starts, presence.ends, strict=True) for time in pair]
    assert times == sorted(times)
    assert all(end < start for end, start in zip(presence.ends, presence.starts[1:], strict=False))


@given(st.lists(STAYS, max_size=5))
def test_parts_of_a_date_are_joined(parts):
    """Reading all parts one after the other gives the union over all of them."""
    joined = presence_of([stay for part in parts for stay in part])
    assert joined.seconds == union_by_seconds([stay for part in parts for stay in part])
    separate = sum(presence_of(part).seconds for part in parts)
    assert joined.seconds <= separate


@given(STAYS)
def test_adding_a_row_twice_changes_nothing(stays):
    assert presence_of([*stays, *stays]) == presence_of(stays)


def test_two_devices_and_a_pause():
    presence = presence_of([(0, 600), (300, 600), (1800, 60)])
    assert (presence.minutes, presence.first_arrival) == (16, START)


def row(**values):
    return {
        "id": "", "user_id": "1", "name": "N", "user_email": "N@Example.org",
        "join_time": "2026-03-01T18:00:00Z", "leave_time": "2026-03-01T18:10:00Z",
        "duration": 600, "status": "in_meeting", **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, 600),
        ({"leave_time": ""}, 600),
        ({"leave_time": None, "duration": "90"}, 90),
        ({"join_time": ""}, 600),
        ({"leave_time": "2026-03-01T17:00:00Z", "duration": 30}, 30),
        ({"leave_time": "2199-01-01T00:00:00Z"}, 31 * 86400),
        ({"status": ""}, 600),
    ],
)
def test_a_row_becomes_a_stay(values, seconds):
    stay = map_stay(row(**values))
    assert (stay.left_at - stay.joined_at).total_seconds() == seconds


def test_the_waiting_room_is_no_stay():
    assert map_stay(row(status="in_waiting_room")) is None


def test_a_row_without_times_is_a_stay_without_minutes():
    stay = map_stay(row(join_time="", leave_time=""))
    assert (stay.joined_at, stay.left_at) == (None, None)


@given(st.sampled_from(sorted(row())), ANYTHING)
def test_no_value_makes_it_fail(name, value):
    stay = map_stay(row(**{name: value}))
    if stay is not None and stay.joined_at is not None:
        assert stay.joined_at <= stay.left_at
        PeopleCounter().add(stay.person)


def test_people_are_counted_once():
    counter = PeopleCounter()
    for values in (
        {}, {"name": "Other name"}, {"user_email": ""}, {"user_email": "", "name": "n"},
        {"registrant_id": "r1"}, {"registrant_id": "r1", "user_email": "second@example.org"},
        {"user_email": "", "name": ""}, {"user_email": "", "name": ""},
    ):  # fmt: skip
        counter.add(map_stay(row(**values)).person)
    assert counter.count == 5
