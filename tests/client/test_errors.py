"""Zoom's responses become data or one of our errors (W24, O15, O17, S20, S21, X29, X30)."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from django.utils import timezone

from wagtail_zoom.client import SiteClient, client_for_reading
from wagtail_zoom.client.responses import next_midnight, parse_response, parse_retry_after
from wagtail_zoom.exceptions import (
    ZoomAuthError,
    ZoomNotFound,
    ZoomProtocolError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from wagtail_zoom.models import Grant, ZoomAccount
from wagtail_zoom.oauth import grant_state
from wagtail_zoom.oauth.http import ZoomResponse

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(account):
    return SiteClient(client_for_reading(account).grant)


@pytest.fixture
def number(zoom_app):
    return str(zoom_app.meetings("aurora")[0]["id"])


ERRORS = [
    (404, 3001, ZoomNotFound),
    (404, 1001, ZoomNotFound),
    (404, 0, ZoomNotFound),
    (404, 2300, ZoomProtocolError),
    (400, 3001, ZoomNotFound),
    (400, 300, ZoomRejected),
    (400, 3000, ZoomRejected),
    (400, 4700, ZoomRejected),  # without a word about scopes
    (400, 200, ZoomRejected),
    (403, 0, ZoomRejected),
    (409, 0, ZoomRejected),
    (400, 4735, ZoomAuthError),
    (400, 4717, ZoomAuthError),
    (500, 0, ZoomTransient),
    (502, 300, ZoomTransient),
    (503, 0, ZoomTransient),
    (200, 300, ZoomRejected),
]


@pytest.mark.parametrize(("status", "code", "error"), ERRORS)
def test_w24_error_responses_are_classified(client, zoom_app, status, code, error):
    zoom_app.fault("status", status=status, code=code, message="CANARY", path="/v2/users/me")
    with pytest.raises(error) as caught:
        client.me()
    assert type(caught.value) is error
    assert caught.value.code == code
    assert "CANARY" not in str(caught.value)
    assert len(zoom_app.calls("path=/v2/users/me")) == 1
    is_auth_error = isinstance(caught.value, ZoomAuthError)
    assert (Grant.objects.get().state == "connected") is not is_auth_error


@pytest.mark.parametrize("status", [400, 404, 500])
@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"code": "x"}', '{"code": true}', "null"])
def test_error_bodies_of_any_shape(client, zoom_app, status, body):
    error_classes = {400: ZoomRejected, 404: ZoomNotFound, 500: ZoomTransient}
    zoom_app.fault("status", status=status, body=body, path="/v2/users/me")
    with pytest.raises(error_classes[status]) as caught:
        client.me()
    assert caught.value.code is None


@pytest.mark.parametrize("kind", ["broken_json", "wrong_type", "gzip_bomb", "huge_body"])
def test_x30_invalid_responses(client, zoom_app, settings, kind):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "MAX_RESPONSE_BYTES": 1 << 20}
    zoom_app.fault(kind, megabytes=4, path="/v2/users/me")
    with pytest.raises(ZoomProtocolError):
        client.me()
    assert Grant.objects.get().state == "connected"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncate"])
def test_broken_connections_are_transient(client, zoom_app, kind):
    zoom_app.fault(kind, path="/v2/users/me", count=1)
    with pytest.raises(ZoomTransient) as caught:
        client.me()
    assert not caught.value.ambiguous  # a read may be retried
    assert client.me()["id"]


@pytest.mark.parametrize("kind", ["cut_after", "truncate", "status"])
def test_s21_a_write_without_a_response_is_ambiguous(client, zoom_app, kind):
    meeting = next(
        row for row in zoom_app.meetings("aurora") if row["topic"] == "With registration"
    )
    options = {"status": 503} if kind == "status" else {}
    zoom_app.fault(kind, path="/registrants$", method="POST", **options)
    with pytest.raises(ZoomTransient) as caught:
        client.add_registrant(
            str(meeting["id"]), "meeting", {"email": "ana@example.org", "first_name": "Ana"}
        )
    assert caught.value.ambiguous
    assert len(zoom_app.calls("method=POST&path=/registrants")) == 1  # never retried


def test_s21_a_write_that_was_never_sent_is_not_ambiguous(client, zoom_app, settings, number):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "API_URL": "http://127.0.0.1:9/v2"}
    Grant.objects.update(api_url="")
    client.grant.refresh_from_db()
    with pytest.raises(ZoomTransient) as caught:
        client.add_registrant(number, "meeting", {})
    assert not caught.value.ambiguous


@pytest.mark.parametrize(
    ("headers", "message", "daily"),
    [
        ({"X-RateLimit-Type": "QPS"}, "", False),
        ({"X-RateLimit-Type": "Daily-limit"}, "", True),
        ({}, "You have reached the maximum per-second rate limit for this API.", False),
        ({}, "You have reached the maximum daily rate limit for this API.", True),
        ({}, "", False),
    ],
)
def test_s20_both_types_of_429(client, zoom_app, account, headers, message, daily):
    zoom_app.fault(
        "status", status=429, code=429, message=message, headers=headers, path="/v2/users/me"
    )
    with pytest.raises(ZoomRateLimited) as caught:
        client.me()
    assert caught.value.daily is daily
    now = timezone.now()
    if daily:
        assert caught.value.retry_at == next_midnight()
    else:
        assert now < caught.value.retry_at < now + timedelta(seconds=3)
    row = ZoomAccount.objects.get()
    assert (row.throttled_until, row.throttle_daily) == (caught.value.retry_at, daily)
    # All clients honour it: no second call.
    with pytest.raises(ZoomRateLimited):
        client_for_reading(account).me()
    assert len(zoom_app.calls("path=/v2/users/me")) == 1
    assert Grant.objects.get().failures == 0


def test_s20_retry_after_is_used(client, zoom_app):
    retry_at = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    headers = {
        "X-RateLimit-Type": "Daily-limit",
        "Retry-After": retry_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    zoom_app.fault("status", status=429, code=429, headers=headers, path="/v2/users/me")
    with pytest.raises(ZoomRateLimited) as caught:
        client.me()
    assert caught.value.retry_at == retry_at


def test_a_registrants_own_limit_is_not_the_accounts(client, zoom_app, number):
    text = "You have exceeded the daily rate limit of (3) for registrant (a@example.org)."
    zoom_app.fault("status", status=429, code=429, message=text, path="/registrants$")
    with pytest.raises(ZoomRateLimited) as caught:
        client.add_registrant(number, "meeting", {})
    assert caught.value.personal
    assert ZoomAccount.objects.get().throttled_until is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("²", None),
        ("2026-13-01T00:00:00Z", None),
        ("9" * 400, timedelta(days=1)),
        ("9999-12-31T23:59:59Z", timedelta(days=1)),
        ("60", timedelta(seconds=60)),
        ("1999-01-01T00:00:00Z", timedelta()),
    ],
)
def test_retry_after_in_any_form(value, expected):
    retry_at = parse_retry_after(value)
    if expected is None:
        assert retry_at is None
    else:
        assert abs(retry_at - timezone.now() - expected) < timedelta(seconds=2)


def test_o17_missing_scopes_are_named_and_the_grant_stays(client, zoom_app):
    zoom_app.fault(
        "status", status=400, code=4711, path="/v2/users/me",
        message="Invalid access token, does not contain scopes:"
        "[webinar:read:webinar:admin, webinar:read:list_webinars:admin].",
    )  # fmt: skip
    with pytest.raises(ZoomScopeMissing) as caught:
        client.me()
    names = ("webinar:read:webinar:admin", "webinar:read:list_webinars:admin")
    assert caught.value.scopes == names
    grant = Grant.objects.get()
    assert (grant.state, grant.missing_kinds) == ("connected", ["webinar"])


@pytest.mark.parametrize(("status", "code"), [(400, 104), (401, 104), (400, 201), (403, 201)])
def test_other_codes_for_a_missing_scope(client, zoom_app, status, code):
    text = "Invalid access token, does not contain scopes:[meeting:read:meeting:admin]."
    zoom_app.fault("status", status=status, code=code, path="/v2/users/me", message=text)
    with pytest.raises(ZoomScopeMissing):
        client.me()


def test_the_same_code_about_something_else_is_no_missing_scope(client, zoom_app):
    zoom_app.fault(
        "status", status=400, code=201, path="/v2/users/me", message="The value is not valid."
    )
    with pytest.raises(ZoomRejected):
        client.me()


@pytest.mark.parametrize("code", [300, 3000])
def test_a_meeting_without_registration_is_no_invalid_answer(client, zoom_app, number, code):
    zoom_app.fault("status", status=400, code=code, path="/registrants$",
                   message="Registration is not required for this meeting.")  # fmt: skip
    with pytest.raises(ZoomRejected) as caught:
        client.add_registrant(number, "meeting", {})
    assert caught.value.without_registration and not caught.value.fields


def test_x29_deep_and_huge_numbers():
    for text in ("[" * 100_000, '{"id": ' + "9" * 5000 + "}", '{"id": 1e999999}'):
        from wagtail_zoom.oauth.http import _parse_json

        response = ZoomResponse(200, {}, _parse_json(text.encode()))
        if text.startswith('{"id": 1e'):
            assert parse_response(response, "id")["id"] == float("inf")
        else:
            with pytest.raises(ZoomProtocolError):
                parse_response(response, "id")


def test_rejected_fields_are_named_without_their_values(client, zoom_app):
    body = {"code": 300, "message": "x", "errors": [{"field": "email", "message": "a@b is bad"}, 7]}
    zoom_app.fault("status", status=400, body=json.dumps(body), path="/v2/users/me")
    with pytest.raises(ZoomRejected) as caught:
        client.me()
    assert caught.value.fields == ("email",)
    assert "a@b" not in str(caught.value)


def test_several_transient_failures_degrade_the_grant_and_a_success_repairs_it(client, zoom_app):
    zoom_app.fault("status", status=503, path="/v2/users/me", count=3)
    for _ in range(3):
        with pytest.raises(ZoomTransient):
            client.me()
    assert Grant.objects.get().state == "degraded"
    client.me()
    assert Grant.objects.get().state == "connected"


def test_failures_at_the_same_time_are_one_failure(client, zoom_app, number):
    """Each of a batch of reads fails, in each of several processes: one moment of trouble."""
    zoom_app.fault("status", status=503, path="/v2/meetings/")
    outcomes = dict(client.meeting_details([(number, "meeting")] * 8))
    assert isinstance(outcomes[number], ZoomTransient)
    grant = Grant.objects.get()
    assert (grant.state, grant.failures) == ("connected", 1)
    began_at = timezone.now() - timedelta(seconds=5)
    for _process in range(20):
        grant_state.record_failure(Grant.objects.get(), ZoomTransient(), began_at)
    grant.refresh_from_db()
    assert (grant.state, grant.failures) == ("connected", 1)
    # Further ones, one after another, degrade it.
    for _ in range(2):
        with pytest.raises(ZoomTransient):
            client.meeting(number, "meeting")
    grant.refresh_from_db()
    assert (grant.state, grant.failures) == ("degraded", 3)
    assert grant.retry_at < timezone.now() + timedelta(seconds=31)


def test_next_midnight_is_utc():
    assert next_midnight().astimezone(UTC).time() == datetime.min.time()


def test_no_webinars_without_the_plan(client, zoom_app, account):
    host = account.grants.get().zoom_user_id
    for status in (200, 400):
        zoom_app.options(webinar_plan_status=status)
        assert [page.items for page in client.meetings(host, "webinar")] == [[]]
    zoom_app.fault("status", status=403, code=0, path="/webinars$")
    with pytest.raises(ZoomRejected):
        list(client.meetings(host, "webinar"))


def test_s10_uuids_with_slashes_reach_zoom_whole(client, zoom_app):
    for recording in zoom_app.recordings("aurora"):
        if recording["topic"].startswith("Slash"):
            assert client.recording(recording["id"])["uuid"] == recording["id"]
    paths = [call["path"] for call in zoom_app.calls("path=/recordings")]
    assert any("%252F" in path for path in paths)
    assert all(unquote(path).count("//") == 0 for path in paths)


def test_paging_ends_with_the_empty_token(client, zoom_app, account):
    host = account.grants.get().zoom_user_id
    zoom_app.bulk(host, meetings=40)
    pages = list(client.meetings(host, "meeting", page_size=30))
    numbers = [item["id"] for page in pages for item in page.items]
    assert len(pages) == 2
    assert len(numbers) == len(set(numbers)) == pages[0].total


def test_s5_a_listing_that_does_not_end_is_an_error(client, zoom_app, account, monkeypatch):
    host = account.grants.get().zoom_user_id
    zoom_app.fault("loop_page_tokens", path="/meetings$")
    with pytest.raises((ZoomProtocolError, ZoomRejected)):
        list(client.meetings(host, "meeting"))
    assert len(zoom_app.calls("path=/meetings")) <= 3


def test_s5_a_server_that_always_returns_the_same_page_is_an_error(client, zoom_app, account):
    host = account.grants.get().zoom_user_id
    page = '{"meetings": [], "next_page_token": "again"}'
    zoom_app.fault("status", status=200, body=page, path="/meetings$")
    with pytest.raises(ZoomProtocolError):
        list(client.meetings(host, "meeting"))
    assert len(zoom_app.calls("path=/meetings")) == 2


@pytest.mark.parametrize("items", ["7", "{}", '"text"', "null"])
def test_a_listing_that_is_not_a_list(client, zoom_app, account, items):
    host = account.grants.get().zoom_user_id
    zoom_app.fault("status", status=200, body=f'{{"meetings": {items}}}', path="/meetings$")
    with pytest.raises(ZoomProtocolError):
        list(client.meetings(host, "meeting"))


def test_parallel_details_return_each_outcome(client, zoom_app):
    numbers = [
        str(meeting["id"])
        for meeting in zoom_app.meetings("aurora")
        if meeting["state"] != "deleted"
    ]
    targets = [(number, "meeting") for number in (*numbers, "999999999")]
    outcomes = dict(client.meeting_details(targets))
    assert isinstance(outcomes["999999999"], ZoomNotFound)
    assert sum(isinstance(outcome, dict) for outcome in outcomes.values()) >= len(numbers) - 1


def test_running_reads_are_returned_when_the_iterable_fails(client, zoom_app, settings):
    """The iterable is a listing, which may fail between two pages."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 2}
    numbers = [
        str(meeting["id"])
        for meeting in zoom_app.meetings("aurora")
        if meeting["state"] != "deleted"
    ]

    def targets():
        yield from ((number, "meeting") for number in numbers[:2])
        raise ZoomTransient("The next page does not come.")

    names = []
    with pytest.raises(ZoomTransient, match="next page"):
        for name, response in client.meeting_details(targets()):
            assert isinstance(response, dict)
            names.append(name)
    assert names == numbers[:2]


def test_the_next_batch_starts_before_the_last_responses_are_awaited(client, zoom_app, settings):
    """Otherwise each page of a listing would end with a pause of one call's length."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 1}
    numbers = [
        str(meeting["id"])
        for meeting in zoom_app.meetings("aurora")
        if meeting["state"] != "deleted"
    ]
    requested = []

    def targets():
        for number in numbers[:3]:
            requested.append(number)
            yield number, "meeting"

    for index, _read in enumerate(client.meeting_details(targets())):
        assert requested == numbers[: min(3, index + 2)]
