"""Occurrences keep their identity when Zoom moves, renames, cancels and restores them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wagtail_zoom.mapping.meetings import MappedOccurrence
from wagtail_zoom.models import Meeting, Occurrence, ZoomAccount
from wagtail_zoom.sync.occurrences import apply_occurrences

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def day(days, hour=18):
    return NOW.replace(hour=hour) + timedelta(days=days)


@pytest.fixture
def meeting():
    account = ZoomAccount.objects.create(zoom_id="acc")
    return Meeting.objects.create(account=account, kind="meeting", zoom_id="1", host_zoom_id="h")


def apply(meeting, *occurrences, now=NOW):
    mapped = [
        occurrence if isinstance(occurrence, MappedOccurrence) else MappedOccurrence(*occurrence)
        for occurrence in occurrences
    ]
    return [change.code for change in apply_occurrences({meeting.pk: (meeting, mapped)}, now=now)]


def rows():
    return list(Occurrence.objects.order_by("start"))


def test_an_identical_answer_changes_nothing(meeting):
    """S8."""
    assert apply(meeting, ("a", day(1), 60), ("b", day(8), 60)) == ["created", "created"]
    assert apply(meeting, ("a", day(1), 60), ("b", day(8), 60)) == []
    assert [row.sequence for row in rows()] == [0, 0]


def test_moved_occurrence_keeps_identity_and_old_start(meeting):
    apply(meeting, ("a", day(1), 60))
    before = rows()[0]
    assert apply(meeting, ("a", day(2), 60)) == ["moved"]
    after = rows()[0]
    assert (after.public_id, after.state, after.previous_start) == (
        before.public_id,
        Occurrence.State.MOVED,
        day(1),
    )
    assert (after.sequence, after.end) == (1, day(2) + timedelta(minutes=60))


def test_moved_occurrence_with_a_new_id_is_paired(meeting):
    """Whether Zoom keeps the occurrence id is unverified: one gone and one new is a move."""
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    identity = Occurrence.objects.get(zoom_id="b").public_id
    assert apply(meeting, ("a", day(1), 60), ("b2", day(9), 60)) == ["moved"]
    moved = Occurrence.objects.get(public_id=identity)
    assert (moved.zoom_id, moved.state, moved.start) == ("b2", Occurrence.State.MOVED, day(9))


def test_several_gone_and_new_are_not_paired(meeting):
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    codes = apply(meeting, ("c", day(2), 60), ("d", day(9), 60))
    assert sorted(codes) == ["cancelled", "cancelled", "created", "created"]


def test_deleted_and_restored(meeting):
    apply(meeting, ("a", day(1), 60))
    assert apply(meeting, ("a", day(1), 60, True)) == ["cancelled"]
    assert rows()[0].state == Occurrence.State.CANCELLED
    assert apply(meeting, ("a", day(1), 60, True)) == []
    assert apply(meeting, ("a", day(1), 60)) == ["restored"]
    assert rows()[0].state == Occurrence.State.SCHEDULED


def test_an_occurrence_cancelled_before_its_import_is_not_stored(meeting):
    assert apply(meeting, ("a", day(1), 60, True)) == []
    assert rows() == []


def test_past_occurrences_that_zoom_no_longer_lists_stay(meeting):
    """Absence of something that is already over means nothing."""
    apply(meeting, ("a", day(1), 60), ("b", day(8), 60))
    assert apply(meeting, ("b", day(8), 60), now=day(3)) == []
    assert [row.state for row in rows()] == [Occurrence.State.SCHEDULED, Occurrence.State.SCHEDULED]


def test_a_number_used_again_is_no_move(meeting):
    """A single meeting set to a new date after it was over has no previous start."""
    apply(meeting, ("", day(1), 60))
    assert apply(meeting, ("", day(20), 60), now=day(5)) == ["moved"]
    assert (rows()[0].state, rows()[0].previous_start) == (Occurrence.State.SCHEDULED, None)


def test_duration_changes_count_for_calendars(meeting):
    apply(meeting, ("a", day(1), 60))
    assert apply(meeting, ("a", day(1), 90)) == ["resized"]
    assert (rows()[0].sequence, rows()[0].duration, rows()[0].state) == (
        1,
        90,
        Occurrence.State.SCHEDULED,
    )


def test_many_meetings_cost_three_statements(meeting, django_assert_max_num_queries):
    others = [
        Meeting.objects.create(
            account=meeting.account, kind="meeting", zoom_id=f"m{n}", host_zoom_id="h"
        )
        for n in range(20)
    ]
    mapped = {m.pk: (m, [MappedOccurrence("a", day(1), 60)]) for m in others}
    apply_occurrences(mapped, now=NOW)
    mapped = {
        m.pk: (m, [MappedOccurrence("a", day(2), 60), MappedOccurrence("b", day(3), 60)])
        for m in others
    }
    with django_assert_max_num_queries(5):  # one read, two writes, savepoint and its release
        apply_occurrences(mapped, now=NOW)
    assert Occurrence.objects.filter(state=Occurrence.State.MOVED).count() == 20


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
def test_the_last_answer_decides_after_any_history(meeting, history):
    """S3, W14: after any history exactly the occurrences of the last answer remain."""
    Occurrence.objects.all().delete()
    for answer in history:
        occurrences = [
            MappedOccurrence(key, day(n), 60, deleted) for key, (n, deleted) in answer.items()
        ]
        apply(meeting, *occurrences)
        apply(meeting, *occurrences)
    alive = {row.zoom_id: row.start for row in rows() if row.state != Occurrence.State.CANCELLED}
    expected = {key: day(n) for key, (n, deleted) in history[-1].items() if not deleted}
    assert alive == expected
