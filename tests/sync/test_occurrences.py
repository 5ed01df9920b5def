"""Occurrences keep their identity when Zoom moves, renames, cancels and restores them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.default_site import default_site
from tests.examples import examples
from wagtail_zoom.mapping.meetings import MappedOccurrence
from wagtail_zoom.models import Meeting, Occurrence, Registration, ZoomAccount
from wagtail_zoom.sync.occurrences import RegistrantsNeeded, apply_occurrences

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


def series(meeting, days, hour=18, zone="UTC", prefix="", **values):
    """Zoom's answer: a date on each of these days at this hour of the zone, ids by instant."""
    meeting.timezone = zone
    starts = [
        datetime(2026, 11, 1, hour, tzinfo=ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=n)
        for n in days
    ]
    starts = [start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for start in starts]
    return [
        MappedOccurrence(f"{prefix}{int(start.timestamp()) * 1000}", start, 60, **values)
        for start in starts
    ]


def survivors(meeting, before, answer, **options):
    """Public ids before and after an answer: those of the dates that take place, in order."""
    apply(meeting, *before, now=options.get("first_now", NOW))
    first = [row.public_id for row in rows()]
    codes = apply_occurrences(
        {meeting.pk: (meeting, answer)},
        now=options.get("now", NOW),
        former_zones={meeting.pk: options["former_zone"]} if "former_zone" in options else None,
    )
    again = apply_occurrences({meeting.pk: (meeting, answer)}, now=options.get("now", NOW))
    assert again == []
    taking_place = [row for row in rows() if row.state != Occurrence.State.CANCELLED]
    assert sorted(row.start for row in taking_place if row.end > options.get("now", NOW)) == [
        item.start
        for item in sorted(answer, key=lambda item: item.start)
        if item.start + timedelta(minutes=60) > options.get("now", NOW) and not item.deleted
    ]
    return first, [row.public_id for row in taking_place], [change.code for change in codes]


WEEKS = [1, 8, 15, 22]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"hour": 19}, id="an hour later"),
        pytest.param({"hour": 9}, id="in the morning"),
        pytest.param({"days": [2, 9, 16, 23]}, id="on another day of the week"),
        pytest.param({"days": [n - 3 for n in [4, 11, 18, 25]], "hour": 20}, id="the same days"),
        pytest.param({"prefix": "9"}, id="the same instants with other ids"),
        pytest.param({"zone": "America/New_York"}, id="the same hour in another zone"),
        pytest.param({"zone": "Asia/Tokyo", "hour": 8}, id="another hour in another zone"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_series_that_changes_as_a_whole_keeps_its_dates(meeting, zone, change):
    before = series(meeting, WEEKS, zone=zone)
    change = {"days": WEEKS, "zone": zone, **change}
    answer = series(meeting, change.pop("days"), **change)
    first, after, codes = survivors(meeting, before, answer, former_zone=zone)
    assert after == first and not {"created", "cancelled"} & set(codes)


def test_a_change_of_clocks_between_the_dates(meeting):
    """In New York the clocks change on 7 March: in UTC the dates move by different amounts."""
    days = [112, 119, 126, 133]
    before = series(meeting, days, zone="America/New_York")
    answer = series(meeting, days, zone="Europe/Berlin")
    first, after, _codes = survivors(meeting, before, answer, former_zone="America/New_York")
    assert after == first


def test_moved_and_made_longer_or_shorter(meeting):
    before = series(meeting, WEEKS)
    first, after, _codes = survivors(meeting, before, series(meeting, [*WEEKS, 29, 36], hour=19))
    assert after[:4] == first and len(after) == 6
    _first, after, _codes = survivors(meeting, [], series(meeting, WEEKS[:2], hour=20))
    assert after == first[:2]


def test_moved_alone_and_then_with_the_series(meeting):
    """A new rule forgets that one date had moved: it is on its day again."""
    before = series(meeting, WEEKS)
    apply(meeting, *before)
    identities = [row.public_id for row in rows()]
    alone = [*before[:1], MappedOccurrence(before[1].zoom_id, day(11, 12), 60), *before[2:]]
    assert apply(meeting, *alone) == ["moved"]
    _first, after, codes = survivors(meeting, [], series(meeting, WEEKS, hour=19))
    assert after == identities and set(codes) == {"moved"}


def test_cancelled_alone_and_then_moved_with_the_series(meeting):
    before = series(meeting, WEEKS)
    cancelled = MappedOccurrence(before[2].zoom_id, before[2].start, 60, True)
    apply(meeting, *before)
    identities = [row.public_id for row in rows()]
    apply(meeting, *before[:2], cancelled, before[3])
    _first, after, codes = survivors(meeting, [], series(meeting, WEEKS, hour=19))
    assert after == identities and "created" not in codes


def test_the_former_dates_are_listed_as_deleted(meeting):
    """Zoom may list what it has replaced as deleted beside what is new."""
    before = series(meeting, WEEKS)
    deleted = series(meeting, WEEKS, deleted=True)
    first, after, codes = survivors(meeting, before, [*deleted, *series(meeting, WEEKS, hour=19)])
    assert after == first and set(codes) == {"moved"}


def test_what_is_over_stays_as_it_took_place(meeting):
    """Zoom lists past dates at the hour of the new rule."""
    now = day(10, 12)
    first, after, codes = survivors(
        meeting, series(meeting, WEEKS), series(meeting, WEEKS, hour=19), now=now
    )
    assert after == first and codes == ["moved", "moved"]
    assert [row.start.hour for row in rows()] == [18, 18, 19, 19]


def test_what_the_answer_has_no_room_for_has_not_vanished(meeting):
    days = list(range(1, 71))
    answer = series(meeting, days)
    apply(meeting, *answer[:60])
    apply(meeting, *answer)
    assert apply(meeting, *answer[:60]) == []
    assert apply(meeting, *answer[:50]) == ["cancelled"] * 20


def test_new_dates_months_later_are_not_those_of_before(meeting):
    apply(meeting, *series(meeting, [1, 8, 15]))
    codes = apply(meeting, *series(meeting, [141, 148, 155]))
    assert sorted(codes) == ["cancelled"] * 3 + ["created"] * 3


def test_a_date_that_is_skipped_is_not_the_one_that_is_added(meeting):
    apply(meeting, *series(meeting, WEEKS))
    assert apply(meeting, *series(meeting, [8, 15, 22, 29])) == ["cancelled", "created"]


def test_the_same_order_where_nothing_else_fits(meeting):
    """The tenth of each month becomes a Tuesday: every date moves by other days."""
    before = series(meeting, [9, 39, 70, 101])
    first, after, codes = survivors(meeting, before, series(meeting, [11, 40, 74, 99]))
    assert after == first and codes == ["moved"] * 4


@pytest.mark.parametrize("listed", [True, False])
def test_the_same_order_only_while_zoom_lists_the_registrants(meeting, listed):
    apply(meeting, *series(meeting, [9, 39, 70, 101]))
    Registration.objects.create(
        site=default_site(), account=meeting.account, meeting=meeting, meeting_zoom_id="1",
        state="approved", email_index="", idempotency_key="k",
    )  # fmt: skip
    mapped = {meeting.pk: (meeting, series(meeting, [11, 40, 74, 99]))}
    with pytest.raises(RegistrantsNeeded) as needed:
        apply_occurrences(mapped, now=NOW)
    assert needed.value.meetings == [meeting]
    changes = apply_occurrences(mapped, now=NOW, still_registered={"1": listed})
    assert {change.code for change in changes} == (
        {"moved"} if listed else {"cancelled", "created"}
    )


def test_single_and_series(meeting):
    apply(meeting, ("", day(1), 60))
    identity = rows()[0].public_id
    assert sorted(apply(meeting, *series(meeting, WEEKS))) == ["created"] * 3 + ["renamed"]
    assert rows()[0].public_id == identity and rows()[0].sequence == 0
    assert sorted(apply(meeting, ("", day(1), 60))) == ["cancelled"] * 3 + ["renamed"]
    assert (rows()[0].public_id, rows()[0].state) == (identity, Occurrence.State.SCHEDULED)
    assert apply(meeting, *series(meeting, WEEKS, hour=19))[:1] == ["moved"]
    assert rows()[0].public_id == identity


def test_what_takes_place_now_is_not_cancelled(meeting):
    apply(meeting, *series(meeting, WEEKS))
    Occurrence.objects.filter(start=day(1)).update(state=Occurrence.State.LIVE)
    now = day(1, 18) + timedelta(minutes=10)
    codes = apply(meeting, *series(meeting, WEEKS[1:]), now=now)
    assert codes == [] and rows()[0].state == Occurrence.State.LIVE


def test_one_date_moved_as_captured_from_zoom(meeting):
    """The id is the first planned start, and stays when one date moves (parsons PR 1500)."""
    before = series(meeting, WEEKS)
    moved = MappedOccurrence(before[1].zoom_id, before[1].start + timedelta(hours=1), 60)
    first, after, codes = survivors(meeting, before, [before[0], moved, *before[2:]])
    assert after == first and codes == ["moved"]


@pytest.mark.parametrize("duration", [0])
def test_without_a_duration_an_hour_is_expected(meeting, duration):
    apply(meeting, ("a", day(1), duration))
    assert (rows()[0].duration, rows()[0].end) == (0, day(1) + timedelta(hours=1))


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
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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
