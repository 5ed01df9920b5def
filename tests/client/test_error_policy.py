"""One answer to a failed call, for registrations, changes of meetings and attendance lists."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from wagtail_zoom.client.error_policy import COMMON_MESSAGES, Affects
from wagtail_zoom.exceptions import (
    ZoomAuthError,
    ZoomConfigurationError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomQuarantined,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
    ZoomWriteRefused,
    may_have_taken_effect,
)
from wagtail_zoom.models.outbox import CONNECTION_DELAY
from wagtail_zoom.registration import error_policy as registrations
from wagtail_zoom.scheduling import error_policy as changes
from wagtail_zoom.sync import attendance

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
SOON, MIDNIGHT = NOW + timedelta(seconds=3), datetime(2026, 11, 5, tzinfo=UTC)
POLICIES = {
    "registrations": registrations.POLICY,
    "changes": changes.POLICY,
    "attendance": attendance.POLICY,
}
WAITS = [
    (ZoomRateLimited(retry_at=SOON), "busy", SOON, Affects.ACCOUNT),
    (ZoomRateLimited(), "busy", NOW + timedelta(minutes=1), Affects.ACCOUNT),
    (ZoomRateLimited(retry_at=MIDNIGHT, daily=True), "daily_limit", MIDNIGHT, Affects.ACCOUNT),
    (ZoomScopeMissing(("a:scope",)), "scope", NOW + CONNECTION_DELAY, Affects.SITE),
    (ZoomAuthError("invalid_grant"), "connection", NOW + CONNECTION_DELAY, Affects.SITE),
    (ZoomQuarantined(), "quarantined", NOW + CONNECTION_DELAY, Affects.ACCOUNT),
    (ZoomConfigurationError(), "quarantined", NOW + CONNECTION_DELAY, Affects.ACCOUNT),
    (ZoomWriteRefused("left"), "left", NOW + CONNECTION_DELAY, Affects.ROW),
]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(("error", "expected", "retry_at", "affects"), WAITS)
def test_waiting_is_no_failure(name, error, expected, retry_at, affects):
    outcome = POLICIES[name].classify(error, 3)
    assert (outcome.error, outcome.retry_at, outcome.affects) == (expected, retry_at, affects)
    assert not outcome.counts_as_failure


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("error", [ZoomTransient(status=503), ZoomProtocolError()])
def test_no_answer_is_tried_again_less_and_less_often(name, error):
    outcomes = [POLICIES[name].classify(error, failures) for failures in (0, 1, 50)]
    assert {outcome.error for outcome in outcomes} == {"unreachable"}
    assert all(outcome.counts_as_failure for outcome in outcomes)
    waits = [outcome.retry_at - NOW for outcome in outcomes]
    assert waits == sorted(set(waits)) and waits[-1] == timedelta(hours=1)


def test_no_answer_is_not_tried_before_the_time_that_zoom_names():
    later = NOW + timedelta(hours=5)
    outcome = registrations.classify(ZoomTransient(retry_at=later), 0)
    assert outcome.retry_at == later


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ZoomNotFound(code=3001), {"registrations": "gone", "changes": "gone"}),
        (ZoomNotFound(code=300), {"registrations": "gone", "changes": "gone"}),
        (ZoomNotFound(code=1001), {"registrations": "gone", "changes": "no_host"}),
        (ZoomRejected(code=300), {"registrations": "answers", "changes": "fields"}),
        (ZoomRejected(code=300, without_registration=True), {"registrations": "gone"}),
        (ZoomRejected(code=200), {"registrations": "unlicensed", "changes": "plan"}),
        (ZoomRejected(code=12702), {"attendance": "old"}),
        (ZoomRejected(code=987), {"registrations": "refused", "changes": "refused"}),
        (RuntimeError(), dict.fromkeys(POLICIES, "unreadable")),
    ],
)
def test_refusals_are_final(error, expected):
    for name, text in expected.items():
        outcome = POLICIES[name].classify(error, 0)
        assert (outcome.error, outcome.retry_at) == (text, None), name


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ZoomRejected(code=200), "plan"),
        (ZoomRejected(code=987), "refused"),
        (ZoomNotFound(code=3001), "refused"),
    ],
)
def test_lists_that_zoom_refuses_are_read_again_tomorrow(error, expected):
    outcome = attendance.POLICY.classify(error, 0)
    assert (outcome.error, outcome.retry_at) == (expected, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("name", "expected"), [("registrations", "personal_limit"), ("changes", "host_limit")]
)
def test_limit_of_one_person_waits_for_midnight_and_concerns_no_other(name, expected):
    outcome = POLICIES[name].classify(ZoomRateLimited(retry_at=SOON, personal=True), 0)
    assert (outcome.error, outcome.retry_at) == (expected, MIDNIGHT)
    assert outcome.affects == Affects.ROW


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ZoomTransient(ambiguous=True), True),
        (ZoomTransient(), False),
        (ZoomProtocolError(), True),
        (ZoomRateLimited(), False),
        (ZoomRejected(code=300), False),
        (ZoomAuthError("invalid_grant"), False),
        (ZoomConfigurationError(), False),
    ],
)
def test_what_may_have_taken_effect(error, expected):
    assert may_have_taken_effect(error) is expected


@pytest.mark.parametrize(
    ("policy", "messages"),
    [(registrations.POLICY, registrations.OWNER_MESSAGES), (changes.POLICY, changes.MESSAGES)],
)
def test_each_error_has_a_message(policy, messages):
    names = {*policy.errors_by_code.values(), policy.personal_limit, *COMMON_MESSAGES}
    assert names <= messages.keys()
