"""Each change is made once at Zoom, whatever happens on the way, and none is lost."""

import random
import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from wagtail_zoom.client import SiteClient
from wagtail_zoom.models import ExposedHost, Grant, MeetingChange
from wagtail_zoom.scheduling import delivery, error_policy, outbox, service
from wagtail_zoom.scheduling.recurrence import Frequency, RecurrenceRule, weekday_of

from .conftest import START, process_due, stored_dates, stored_meeting

pytestmark = pytest.mark.django_db

DAY_AFTER = START + timedelta(days=1)


class Killed(BaseException):
    """Simulates ``kill -9``: no exception handler runs."""


def killable(function, rng):
    """``function``, but the process may die before or after it."""

    def run(*args, **kwargs):
        if rng.random() < 0.15:
            raise Killed
        result = function(*args, **kwargs)
        if rng.random() < 0.15:
            raise Killed
        return result

    return run


def test_a_new_meeting_is_stored_without_its_event(connected):
    change = connected.schedule(registration="automatic", agenda="Bring a book.", show=True)
    assert change.state == "waiting" and not connected.at_zoom()
    process_due()
    change.refresh_from_db()
    [doc] = connected.at_zoom()
    assert (change.state, change.meeting_zoom_id) == ("done", str(doc["id"]))
    assert (change.error_class, change.next_try_at, bool(change.payload)) == ("", None, False)
    meeting = stored_meeting(change)
    assert (meeting.topic, meeting.start, meeting.approval_type) == ("Open evening", START, 0)
    assert change.meeting == meeting and meeting.agenda == "Bring a book."
    assert meeting.site_items.get().visibility == "published"


def test_one_attempt_within_the_request(connected):
    change = connected.schedule(seconds=5)
    assert change.state == "done" and len(connected.at_zoom()) == 1
    assert not change.is_leased


def test_a_slow_answer_leaves_it_to_the_worker(connected):
    """Zoom creates it after the request has stopped waiting."""
    connected.zoom.fault("slow", method="POST", path="/users/", seconds=1, count=1)
    change = connected.schedule(seconds=0.4)
    assert (change.state, change.error_class) == ("waiting", "unreachable")
    for _ in range(300):
        if connected.at_zoom():
            break
        threading.Event().wait(0.1)
    process_due()
    change.refresh_from_db()
    assert change.state == "done"
    assert len(connected.at_zoom()) == 1 == len(connected.calls("POST"))


def test_our_own_event_changes_nothing_twice(connected, zoom_deliver):
    change = connected.schedule()
    process_due()
    change.refresh_from_db()
    before = stored_meeting(change)
    assert "meeting.created" in zoom_deliver()
    after = stored_meeting(change)
    assert (after.pk, after.content_hash) == (before.pk, before.content_hash)
    assert len(stored_dates(after)) == 1 == after.site_items.count()
    assert len(connected.at_zoom()) == 1 == len(connected.calls("POST"))


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
@pytest.mark.parametrize("returned", [True, False])
def test_a_lost_answer_creates_no_second_meeting(connected, kind, returned):
    connected.zoom.options(custom_keys_returned=returned)
    connected.zoom.fault("cut_after", method="POST", path="/users/", count=1)
    change = connected.schedule(kind=kind)
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("waiting", "unreachable")
    assert change.next_try_at > timezone.now() + timedelta(seconds=15)
    process_due()
    change.refresh_from_db()
    assert change.state == "done" and stored_meeting(change).topic == "Open evening"
    assert len(connected.at_zoom()) == 1 == len(connected.calls("POST"))


def test_it_is_looked_for_twice_before_it_is_sent_again(connected):
    connected.zoom.fault("cut_before", method="POST", path="/users/", count=1)
    change = connected.schedule()
    process_due()
    process_due()
    change.refresh_from_db()
    assert (change.error_class, change.lookups) == ("looking", 1)
    assert change.next_try_at > timezone.now() + timedelta(seconds=50)
    assert not connected.at_zoom()
    process_due()
    change.refresh_from_db()
    assert change.state == "done" and len(connected.at_zoom()) == 1


def test_trying_again_by_hand_does_not_shorten_the_lookup(connected):
    """Two lookups are always a minute apart, whoever is impatient."""
    connected.zoom.fault("cut_before", method="POST", path="/users/", count=1)
    change = connected.schedule()
    process_due()
    process_due()
    service.retry(change, seconds=1)
    change.refresh_from_db()
    assert (change.state, change.lookups) == ("waiting", 0)
    assert change.next_try_at > timezone.now() + timedelta(seconds=15)
    process_due()
    change.refresh_from_db()
    assert change.lookups == 1 and not connected.at_zoom()
    process_due()
    assert len(connected.at_zoom()) == 1


def test_what_is_gone_already_counts_as_cancelled(connected):
    change = connected.schedule()
    process_due()
    change.refresh_from_db()
    connected.zoom.delete_meeting(int(change.meeting_zoom_id))
    whole = service.cancel(site=connected.site, meeting=stored_meeting(change), key="all")
    process_due()
    whole.refresh_from_db()
    assert whole.state == "done" and stored_meeting(change).removed_at is not None


def test_an_equal_meeting_of_another_origin_is_not_taken(connected):
    """One that was there before, and one that another row has created."""
    connected.zoom.options(custom_keys_returned=False)
    first = connected.schedule("first")
    process_due()
    connected.zoom.fault("cut_before", method="POST", path="/users/", count=1)
    second = connected.schedule("second")
    for _ in range(3):
        process_due()
    for change in (first, second):
        change.refresh_from_db()
        assert change.state == "done"
    assert first.meeting_zoom_id != second.meeting_zoom_id
    assert len(connected.at_zoom()) == 2


@pytest.mark.parametrize(
    ("rule", "first_day"),
    [
        (RecurrenceRule(Frequency.DAILY, count=3), 0),
        (RecurrenceRule(Frequency.WEEKLY, weekdays=frozenset({weekday_of(START)}), count=3), 0),
        # The first date is on a later day than the start.
        (RecurrenceRule(Frequency.WEEKLY, weekdays=frozenset({weekday_of(DAY_AFTER)}), count=3), 1),
        (RecurrenceRule(Frequency.MONTHLY, month_day=DAY_AFTER.day, count=2), 1),
    ],
)
def test_a_lost_series_is_known_by_its_first_date(connected, rule, first_day):
    """Without the key: not by its topic alone, which a series at another hour may have, too."""
    connected.zoom.options(custom_keys_returned=False)
    connected.zoom.fault("cut_after", method="POST", path="/users/", count=2)
    other = connected.schedule("other", rule=rule, start=START + timedelta(hours=3))
    change = connected.schedule(rule=rule)
    for _ in range(2):
        process_due()
    other.refresh_from_db()
    change.refresh_from_db()
    assert (change.state, other.state) == ("done", "done")
    assert stored_dates(stored_meeting(change))[0].start == START + timedelta(days=first_day)
    later = START + timedelta(days=first_day, hours=3)
    assert stored_dates(stored_meeting(other))[0].start == later
    assert len(connected.at_zoom()) == 2 == len(connected.calls("POST"))


def test_an_equal_series_on_other_days_is_not_taken(connected):
    """Its own was never created; another row of the same topic has lost its answer."""
    connected.zoom.options(custom_keys_returned=False)
    connected.zoom.fault("cut_after", method="POST", path="/users/", count=1)
    rule = RecurrenceRule(Frequency.DAILY, count=3)
    other = connected.schedule("other", rule=rule, start=START + timedelta(days=7))
    process_due()
    other.refresh_from_db()
    MeetingChange.objects.filter(pk=other.pk).update(state="given_up")
    connected.zoom.fault("cut_before", method="POST", path="/users/", count=1)
    change = connected.schedule(rule=rule)
    for _ in range(3):
        process_due()
    change.refresh_from_db()
    assert change.state == "done" and len(connected.at_zoom()) == 2
    assert stored_meeting(change).start == START


def test_looking_for_one_reads_none_that_other_rows_have_created(connected):
    """A programme of many is not read one by one for each that was not answered."""
    for number in range(5):
        connected.schedule(f"other {number}", topic=f"Other {number}")
    process_due()
    connected.zoom.fault("cut_after", method="POST", path="/users/", count=1)
    change = connected.schedule()
    process_due()
    connected.zoom.clear_calls()
    process_due()
    change.refresh_from_db()
    assert change.state == "done"
    paths = [call["path"] for call in connected.calls("GET")]
    details = [path for path in paths if "/meetings/" in path]
    # Once to recognise it, once to store it.
    assert details == [f"/v2/meetings/{change.meeting_zoom_id}"] * 2


def test_updates_of_a_meeting_go_in_their_order(connected):
    """A first one that failed does not overwrite a later one when it is tried again."""
    connected.schedule()
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    connected.zoom.fault("status", status=503, method="PATCH", count=1)
    values = {"site": connected.site, "meeting": meeting}
    first = service.change(key="1", topic="First", **values)
    process_due()
    second = service.change(key="2", topic="Second", seconds=5, **values)
    assert (second.state, second.error_class) == ("waiting", "earlier")
    cancelled = service.cancel(key="3", seconds=5, **values)
    assert cancelled.state == "done", "cancelling waits for nothing"
    connected.zoom.recover_meeting(int(meeting.zoom_id))
    MeetingChange.objects.filter(pk=first.pk).update(next_try_at=timezone.now())
    assert outbox.run(delivery.process, seconds=5) == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("done", "done")
    assert connected.zoom.meeting(int(meeting.zoom_id))["topic"] == "Second"


def test_a_failed_update_does_not_delay_the_next(connected):
    connected.schedule()
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    connected.zoom.fault("status", status=400, code=300, method="PATCH", count=1)
    values = {"site": connected.site, "meeting": meeting}
    service.change(key="1", topic="First", **values)
    process_due()
    assert service.change(key="2", topic="Second", seconds=5, **values).state == "done"


@pytest.mark.parametrize("show", [True, False])
def test_its_visibility_is_set_after_a_failed_read(connected, show):
    connected.zoom.fault("status", status=503, method="GET", path="/v2/meetings/")
    change = connected.schedule(show=show)
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("waiting", "copy")
    assert change.created_zoom_id and change.maybe_sent_at is None
    connected.zoom.clear_faults()
    process_due()
    change.refresh_from_db()
    assert change.state == "done" and len(connected.at_zoom()) == 1
    item = stored_meeting(change).site_items.get()
    assert item.visibility == ("published" if show else "hidden")


def test_a_refused_change_can_be_edited_even_after_a_lost_answer(connected):
    connected.schedule()
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    connected.zoom.fault("cut_before", method="PATCH", count=1)
    change = service.change(site=connected.site, meeting=meeting, key="c", topic="Wrong")
    process_due()
    connected.zoom.fault("status", status=400, code=300, method="PATCH", count=1)
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("failed", "fields")
    service.edit(change, topic="Right")
    process_due()
    change.refresh_from_db()
    assert change.state == "done" and len(connected.at_zoom("Right")) == 1


def test_a_process_that_lost_its_lease_sends_and_records_nothing(connected, monkeypatch):
    """It stood still, and another process has done the work."""
    change = connected.schedule()
    lease = outbox.claim(change.pk)
    stale = MeetingChange.objects.select_related("account", "site").get(pk=change.pk)
    MeetingChange.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    process_due()
    delivery.attempt(stale, lease)
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("done", "")
    assert len(connected.at_zoom()) == 1 == len(connected.calls("POST"))
    monkeypatch.setattr(delivery, "_send", lambda row, client: False)
    delivery.attempt(stale, lease)
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("done", "")


def test_a_date_of_a_former_rule_is_not_called_cancelled(connected):
    """The dates were made anew in Zoom; the series still takes place on that day."""
    connected.schedule(rule=RecurrenceRule(Frequency.DAILY, count=3))
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    date = stored_dates(meeting)[1]
    again = {"type": 1, "repeat_interval": 1, "end_times": 3}
    number = int(meeting.zoom_id)
    connected.zoom.change_meeting(number, recurrence=again, renew_dates=True)
    change = service.cancel(site=connected.site, meeting=meeting, key="c", occurrence=date)
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("failed", "gone")
    statuses = {row["status"] for row in connected.zoom.meeting(number)["occurrences"]}
    assert statuses == {"available"}


def test_a_date_cancelled_in_zoom_counts_as_cancelled(connected):
    connected.schedule(rule=RecurrenceRule(Frequency.DAILY, count=3))
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    date = stored_dates(meeting)[1]
    connected.zoom.delete_meeting(int(meeting.zoom_id), date.zoom_id)
    change = service.cancel(site=connected.site, meeting=meeting, key="c", occurrence=date)
    process_due()
    change.refresh_from_db()
    assert change.state == "done"


def test_a_lost_answer_to_a_new_rule_does_not_make_the_dates_twice(connected):
    connected.schedule(rule=RecurrenceRule(Frequency.DAILY, count=3))
    process_due()
    meeting = stored_meeting(MeetingChange.objects.get())
    connected.zoom.fault("cut_after", method="PATCH", count=1)
    rule = RecurrenceRule(Frequency.DAILY, count=4)
    change = service.change(site=connected.site, meeting=meeting, key="c", rule=rule)
    process_due()
    ids = [
        row["occurrence_id"] for row in connected.zoom.meeting(int(meeting.zoom_id))["occurrences"]
    ]
    process_due()
    change.refresh_from_db()
    stored = connected.zoom.meeting(int(meeting.zoom_id))["occurrences"]
    assert change.state == "done" and [row["occurrence_id"] for row in stored] == ids
    assert len(ids) == 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_points(connected, monkeypatch, seed):
    rng = random.Random(seed)
    for number in range(10):
        connected.schedule(f"k{number}", topic=f"Talk {number}")
    with monkeypatch.context() as patch:
        for name in ("create_meeting", "meetings"):
            patch.setattr(SiteClient, name, killable(getattr(SiteClient, name), rng))
        for name in ("_claim_number", "_update_copy", "_record_success"):
            patch.setattr(delivery, name, killable(getattr(delivery, name), rng))
        for _life in range(200):
            try:
                process_due()
            except Killed:
                past = timezone.now() - timedelta(seconds=1)
                MeetingChange.objects.exclude(lease_until=None).update(lease_until=past)
            if not MeetingChange.objects.filter(state="waiting").exists():
                break
    assert set(MeetingChange.objects.values_list("state", flat=True)) == {"done"}
    numbers = set(MeetingChange.objects.values_list("meeting_zoom_id", flat=True))
    at_zoom = [doc for n in range(10) for doc in connected.at_zoom(f"Talk {n}")]
    assert len(at_zoom) == len(numbers) == 10
    assert {str(doc["id"]) for doc in at_zoom} == numbers


def test_only_one_worker_gets_a_row(connected):
    change = connected.schedule()
    lease = outbox.claim(change.pk)
    assert lease and outbox.claim(change.pk) == ""
    delivery.process(change.pk, lease)
    assert outbox.claim(change.pk) == "" and len(connected.at_zoom()) == 1


@pytest.mark.parametrize(
    ("fault", "error", "final"),
    [
        ({"status": 429, "code": 429, "message": "Too many per second."}, "busy", False),
        ({"status": 429, "code": 429, "message": "maximum daily rate limit"}, "daily_limit", False),
        (
            {"status": 429, "code": 429, "message": "daily rate limit of Meeting Create/Update"},
            "host_limit",
            False,
        ),
        ({"status": 503}, "unreachable", False),
        (
            {"status": 400, "code": 4711, "message": "scopes:[meeting:write:meeting]"},
            "scope",
            False,
        ),
        ({"status": 400, "code": 300, "message": "Validation Failed."}, "fields", True),
        ({"status": 400, "code": 200, "message": "Only for Paid users."}, "plan", True),
        ({"status": 400, "code": 3161, "message": "Not allowed to host."}, "not_allowed", True),
        ({"status": 404, "code": 1001, "message": "User does not exist."}, "no_host", True),
        ({"status": 400, "code": 9999, "message": "Something new."}, "refused", True),
    ],
)
def test_every_failure_has_a_sentence_and_a_way_on(connected, fault, error, final):
    connected.zoom.fault("status", method="POST", path="/users/", count=1, **fault)
    change = connected.schedule()
    process_due()
    change.refresh_from_db()
    assert change.error_class == error and str(error_policy.MESSAGES[error])
    assert change.state == ("failed" if final else "waiting")
    assert bool(change.payload) and (change.next_try_at is None) is final
    type(connected.account).objects.update(throttled_until=None)
    Grant.objects.update(retry_at=None)
    service.retry(change)
    for _ in range(3):
        process_due()
    change.refresh_from_db()
    assert change.state == "done" and len(connected.at_zoom()) == 1


def test_the_permission_is_checked_before_each_call(connected):
    change = connected.schedule()
    exposed = ExposedHost.objects.filter(host=connected.host)
    rows = list(exposed)
    exposed.delete()
    process_due()
    change.refresh_from_db()
    assert (change.state, change.error_class) == ("waiting", "not_shown")
    assert not connected.calls("POST")
    ExposedHost.objects.bulk_create(rows)
    assert outbox.resume(connected.account.pk) == 1
    process_due()
    assert len(connected.at_zoom()) == 1


def test_a_series_keeps_its_rule_and_its_hour(connected):
    """Over a change of clocks in New York."""
    zone = ZoneInfo("America/New_York")
    day = START.astimezone(zone).date()
    rule = RecurrenceRule(Frequency.WEEKLY, weekdays=frozenset({weekday_of(day)}), count=40)
    change = connected.schedule(rule=rule, zone=zone.key)
    process_due()
    change.refresh_from_db()
    doc = connected.zoom.meeting(int(change.meeting_zoom_id))
    again = RecurrenceRule.from_zoom(doc["recurrence"], zone, day)
    assert again == rule and str(again) == str(rule)
    dates = stored_dates(stored_meeting(change))
    assert len(dates) == 40
    assert len({date.start.astimezone(zone).time() for date in dates}) == 1
    assert len({date.start.time() for date in dates}) == 2


def test_a_change_sends_only_what_was_given(connected):
    series = RecurrenceRule(Frequency.DAILY, count=4)
    first = connected.schedule(rule=series)
    process_due()
    first.refresh_from_db()
    meeting = stored_meeting(first)
    ids = [date.zoom_id for date in stored_dates(meeting)]
    change = service.change(site=connected.site, meeting=meeting, key="c", topic="Closed evening")
    process_due()
    change.refresh_from_db()
    assert change.state == "done"
    meeting.refresh_from_db()
    assert meeting.topic == "Closed evening"
    assert [date.zoom_id for date in stored_dates(meeting)] == ids


def test_one_date_is_moved_and_another_cancelled_and_then_all(connected):
    first = connected.schedule(rule=RecurrenceRule(Frequency.DAILY, count=3))
    process_due()
    first.refresh_from_db()
    meeting = stored_meeting(first)
    moved, cancelled, _last = stored_dates(meeting)
    start = moved.start + timedelta(hours=2)
    service.change(site=connected.site, meeting=meeting, key="move", occurrence=moved, start=start)
    service.cancel(site=connected.site, meeting=meeting, key="date", occurrence=cancelled)
    process_due()
    moved.refresh_from_db()
    cancelled.refresh_from_db()
    assert moved.start == start and cancelled.state == "cancelled"
    connected.zoom.fault("cut_after", method="DELETE", count=1)
    whole = service.cancel(site=connected.site, meeting=meeting, key="all")
    process_due()
    process_due()
    whole.refresh_from_db()
    meeting.refresh_from_db()
    assert whole.state == "done" and meeting.removed_at is not None
    assert set(MeetingChange.objects.values_list("state", flat=True)) == {"done"}
