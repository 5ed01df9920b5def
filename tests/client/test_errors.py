"""Every answer of Zoom's is data or one of our errors (W24, O15, O17, S20, S21, X29, X30)."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from django.utils import timezone

from wagtail_zoom.client import client_for
from wagtail_zoom.client.responses import data, next_midnight, retry_after
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
from wagtail_zoom.oauth.http import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(account):
    return client_for(account)


@pytest.fixture
def number(zoom_app):
    return str(zoom_app.meetings("aurora")[0]["id"])


TABLE = [
    (404, 3001, ZoomNotFound),
    (404, 1001, ZoomNotFound),
    (404, 0, ZoomNotFound),
    (400, 3001, ZoomNotFound),
    (400, 300, ZoomRejected),
    (400, 3000, ZoomRejected),
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


@pytest.mark.parametrize(("status", "code", "error"), TABLE)
def test_w24_the_table(client, zoom_app, status, code, error):
    zoom_app.fault("status", status=status, code=code, message="CANARY", path="/v2/users/me")
    with pytest.raises(error) as caught:
        client.me()
    assert type(caught.value) is error
    assert caught.value.code == code
    assert "CANARY" not in str(caught.value)
    assert len(zoom_app.calls("path=/v2/users/me")) == 1
    ended = isinstance(caught.value, ZoomAuthError)
    assert (Grant.objects.get().state == "connected") is not ended


@pytest.mark.parametrize("status", [400, 404, 500])
@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"code": "x"}', '{"code": true}', "null"])
def test_error_bodies_of_any_shape(client, zoom_app, status, body):
    wanted = {400: ZoomRejected, 404: ZoomNotFound, 500: ZoomTransient}
    zoom_app.fault("status", status=status, body=body, path="/v2/users/me")
    with pytest.raises(wanted[status]) as caught:
        client.me()
    assert caught.value.code is None


@pytest.mark.parametrize("kind", ["broken_json", "wrong_type", "gzip_bomb", "huge_body"])
def test_x30_answers_that_are_none(client, zoom_app, settings, kind):
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
    assert not caught.value.ambiguous  # a read may be repeated
    assert client.me()["id"]


@pytest.mark.parametrize("kind", ["cut_after", "truncate", "status"])
def test_s21_a_write_without_an_answer_is_ambiguous(client, zoom_app, kind):
    thing = next(one for one in zoom_app.meetings("aurora") if one["topic"] == "With registration")
    facts = {"status": 503} if kind == "status" else {}
    zoom_app.fault(kind, path="/registrants$", method="POST", **facts)
    with pytest.raises(ZoomTransient) as caught:
        client.add_registrant(
            str(thing["id"]), "meeting", {"email": "ana@example.org", "first_name": "Ana"}
        )
    assert caught.value.ambiguous
    assert len(zoom_app.calls("method=POST&path=/registrants")) == 1  # never repeated


def test_s21_a_write_that_was_never_sent_is_not(client, zoom_app, settings, number):
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
def test_s20_both_kinds_of_429(client, zoom_app, account, headers, message, daily):
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
    # Everybody honours it: no second call.
    with pytest.raises(ZoomRateLimited):
        client_for(account).me()
    assert len(zoom_app.calls("path=/v2/users/me")) == 1
    assert Grant.objects.get().failures == 0


def test_s20_the_stated_time_counts(client, zoom_app):
    at = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    headers = {"X-RateLimit-Type": "Daily-limit", "Retry-After": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    zoom_app.fault("status", status=429, code=429, headers=headers, path="/v2/users/me")
    with pytest.raises(ZoomRateLimited) as caught:
        client.me()
    assert caught.value.retry_at == at


def test_a_registrants_own_limit_is_not_the_accounts(client, zoom_app, number):
    text = "You have exceeded the daily rate limit of (3) for registrant (a@example.org)."
    zoom_app.fault("status", status=429, code=429, message=text, path="/registrants$")
    with pytest.raises(ZoomRateLimited) as caught:
        client.add_registrant(number, "meeting", {})
    assert caught.value.personal
    assert ZoomAccount.objects.get().throttled_until is None


@pytest.mark.parametrize(
    ("value", "wanted"),
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
def test_retry_after_in_any_form(value, wanted):
    found = retry_after(value)
    if wanted is None:
        assert found is None
    else:
        assert abs(found - timezone.now() - wanted) < timedelta(seconds=2)


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


def test_x29_deep_and_huge_numbers():
    for text in ("[" * 100_000, '{"id": ' + "9" * 5000 + "}", '{"id": 1e999999}'):
        from wagtail_zoom.oauth.http import _parse

        answer = Answer(200, {}, _parse(text.encode()))
        if text.startswith('{"id": 1e'):
            assert data(answer, "id")["id"] == float("inf")
        else:
            with pytest.raises(ZoomProtocolError):
                data(answer, "id")


def test_rejected_fields_are_named_without_their_values(client, zoom_app):
    body = {"code": 300, "message": "x", "errors": [{"field": "email", "message": "a@b is bad"}, 7]}
    zoom_app.fault("status", status=400, body=json.dumps(body), path="/v2/users/me")
    with pytest.raises(ZoomRejected) as caught:
        client.me()
    assert caught.value.fields == ("email",)
    assert "a@b" not in str(caught.value)


def test_several_transient_failures_degrade_the_grant_and_a_success_mends_it(client, zoom_app):
    zoom_app.fault("status", status=503, path="/v2/users/me", count=3)
    for _ in range(3):
        with pytest.raises(ZoomTransient):
            client.me()
    assert Grant.objects.get().state == "degraded"
    client.me()
    assert Grant.objects.get().state == "connected"


def test_next_midnight_is_utc():
    assert next_midnight().astimezone(UTC).time() == datetime.min.time()


def test_webinars_without_the_plan_are_none(client, zoom_app, account):
    host = account.grants.get().zoom_user_id
    for status in (200, 400):
        zoom_app.options(webinar_plan_status=status)
        assert [page.items for page in client.meetings(host, "webinar")] == [[]]
    zoom_app.fault("status", status=403, code=0, path="/webinars$")
    with pytest.raises(ZoomRejected):
        list(client.meetings(host, "webinar"))


def test_s10_uuids_with_slashes_reach_zoom_whole(client, zoom_app):
    for one in zoom_app.recordings("aurora"):
        if one["topic"].startswith("Slash"):
            assert client.recording(one["id"])["uuid"] == one["id"]
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


def test_s5_a_server_that_always_names_the_same_page_is_an_error(client, zoom_app, account):
    host = account.grants.get().zoom_user_id
    page = '{"meetings": [], "next_page_token": "again"}'
    zoom_app.fault("status", status=200, body=page, path="/meetings$")
    with pytest.raises(ZoomProtocolError):
        list(client.meetings(host, "meeting"))
    assert len(zoom_app.calls("path=/meetings")) == 2


@pytest.mark.parametrize("items", ["7", "{}", '"text"', "null"])
def test_a_list_that_is_none(client, zoom_app, account, items):
    host = account.grants.get().zoom_user_id
    zoom_app.fault("status", status=200, body=f'{{"meetings": {items}}}', path="/meetings$")
    with pytest.raises(ZoomProtocolError):
        list(client.meetings(host, "meeting"))


def test_details_in_parallel_tell_each_ones_fate(client, zoom_app):
    known = [str(one["id"]) for one in zoom_app.meetings("aurora") if one["state"] != "deleted"]
    wanted = [(number, "meeting") for number in (*known, "999999999")]
    found = dict(client.meeting_details(wanted))
    assert isinstance(found["999999999"], ZoomNotFound)
    assert sum(isinstance(answer, dict) for answer in found.values()) >= len(known) - 1


def test_reads_on_their_way_are_handed_out_when_the_list_of_wanted_ones_breaks_off(
    client, zoom_app, settings
):
    """What names them is a listing, which may fail between two pages."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 2}
    known = [str(one["id"]) for one in zoom_app.meetings("aurora") if one["state"] != "deleted"]

    def wanted():
        yield from ((number, "meeting") for number in known[:2])
        raise ZoomTransient("The next page does not come.")

    found = []
    with pytest.raises(ZoomTransient, match="next page"):
        for name, answer in client.meeting_details(wanted()):
            assert isinstance(answer, dict)
            found.append(name)
    assert found == known[:2]


def test_more_is_asked_for_before_the_last_answers_are_waited_for(client, zoom_app, settings):
    """Else each page of a listing would end with a pause of one call's length."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "PARALLEL_READS": 1}
    known = [str(one["id"]) for one in zoom_app.meetings("aurora") if one["state"] != "deleted"]
    said = []

    def wanted():
        for number in known[:3]:
            said.append(number)
            yield number, "meeting"

    for at, _read in enumerate(client.meeting_details(wanted())):
        assert said == known[: min(3, at + 2)]
