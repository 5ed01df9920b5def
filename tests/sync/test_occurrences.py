"""Dates keep their identity when Zoom moves, renames, cancels and restores them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wagtail_zoom.mapping.meetings import MappedDate
from wagtail_zoom.models import Meeting, Occurrence, ZoomAccount
from wagtail_zoom.sync.occurrences import apply_dates

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
S = Occurrence.State


def day(n, hour=18):
    return NOW.replace(hour=hour) + timedelta(days=n)


@pytest.fixture
def meeting():
    account = ZoomAccount.objects.create(zoom_id="acc")
    return Meeting.objects.create(account=account, kind="meeting", zoom_id="1", host_zoom_id="h")


def apply(meeting, *dates, now=NOW):
    mapped = [date if isinstance(date, MappedDate) else MappedDate(*date) for date in dates]
    return [change.code for change in apply_dates({meeting.pk: (meeting, mapped)}, now=now)]


def rows():
    return list(Occurrence.objects.order_by("start"))


def test_second_time_nothing_happens(meeting):
    """S8."""
    assert apply(meeting, ("a", day(1), 60), ("b", day(8), 60)) == ["created", "created"]
    assert apply(meeting, ("a", day(1), 60), ("b", day(8), 60)) == []
    assert [row.sequence for row in rows()] == [0, 0]


def test_moved_date_keeps_identity_and_old_start(meeting):
    apply(meeting, ("a", day(1), 60))
    before = rows()[0]
    assert apply(meeting, ("a", day(2), 60)) == ["moved"]
    after = rows()[0]
    assert (after.public_id, after.state, after.previous_start) == (
        before.public_id,
        S.MOVED,
        day(1),
    )
    assert (after.sequence, after.end) == (1, day(2) + timedelta(minutes=60))


def test_moved_date_with_a_new_id_is_paired(meeting):
    """Whether Zoom keeps the occurrence id is unverified: one gone and one new is a move."""
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    identity = Occurrence.objects.get(zoom_id="b").public_id
    assert apply(meeting, ("a", day(1), 60), ("b2", day(9), 60)) == ["moved"]
    moved = Occurrence.objects.get(public_id=identity)
    assert (moved.zoom_id, moved.state, moved.start) == ("b2", S.MOVED, day(9))


def test_several_gone_and_new_are_not_guessed(meeting):
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    codes = apply(meeting, ("c", day(2), 60), ("d", day(9), 60))
    assert sorted(codes) == ["cancelled", "cancelled", "created", "created"]


def test_deleted_and_restored(meeting):
    apply(meeting, ("a", day(1), 60))
    assert apply(meeting, ("a", day(1), 60, True)) == ["cancelled"]
    assert rows()[0].state == S.CANCELLED
    assert apply(meeting, ("a", day(1), 60, True)) == []
    assert apply(meeting, ("a", day(1), 60)) == ["restored"]
    assert rows()[0].state == S.SCHEDULED


def test_a_date_cancelled_before_we_knew_it_is_not_shown(meeting):
    assert apply(meeting, ("a", day(1), 60, True)) == []
    assert rows() == []


def test_past_dates_that_zoom_no_longer_lists_stay(meeting):
    """DESIGN 4.1: of something already over, absence means nothing."""
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    assert apply(meeting, ("b", day(8), 60), now=day(3)) == []
    assert [row.state for row in rows()] == [S.SCHEDULED, S.SCHEDULED]


def test_number_used_again_is_no_move(meeting):
    """A single meeting set to a new evening after it was over has no "Was:"."""
    apply(meeting, ("", day(1), 60))
    assert apply(meeting, ("", day(20), 60), now=day(5)) == ["moved"]
    assert (rows()[0].state, rows()[0].previous_start) == (S.SCHEDULED, None)


def test_length_changes_count_for_calendars(meeting):
    apply(meeting, ("a", day(1), 60))
    assert apply(meeting, ("a", day(1), 90)) == ["resized"]
    assert (rows()[0].sequence, rows()[0].duration, rows()[0].state) == (1, 90, S.SCHEDULED)


def test_many_meetings_cost_three_statements(meeting, django_assert_max_num_queries):
    others = [
        Meeting.objects.create(
            account=meeting.account, kind="meeting", zoom_id=f"m{n}", host_zoom_id="h"
        )
        for n in range(20)
    ]
    wanted = {m.pk: (m, [MappedDate("a", day(1), 60)]) for m in others}
    apply_dates(wanted, now=NOW)
    wanted = {m.pk: (m, [MappedDate("a", day(2), 60), MappedDate("b", day(3), 60)]) for m in others}
    with django_assert_max_num_queries(5):  # one read, two writes, savepoint and its release
        apply_dates(wanted, now=NOW)
    assert Occurrence.objects.filter(state=S.MOVED).count() == 20


answers = st.lists(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.tuples(st.integers(1, 20), st.booleans()),
        max_size=4,
    ),
    min_size=1,
    max_size=5,
)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(answers)
def test_whatever_came_before_the_last_answer_is_the_truth(meeting, history):
    """S3, W14: after any history the dates of the last answer, and only they, stand."""
    Occurrence.objects.all().delete()
    for answer in history:
        dates = [MappedDate(key, day(n), 60, gone) for key, (n, gone) in answer.items()]
        apply(meeting, *dates)
        apply(meeting, *dates)
    alive = {row.zoom_id: row.start for row in rows() if row.state != S.CANCELLED}
    truth = {key: day(n) for key, (n, gone) in history[-1].items() if not gone}
    assert alive == truth
