"""Calls that create, change and delete meetings and webinars, over HTTP against the simulator."""

import pytest
from django.utils import timezone

from tests.contract.checker import check
from wagtail_zoom.client import SiteClient, client_for_reading
from wagtail_zoom.client.responses import next_midnight
from wagtail_zoom.exceptions import (
    ZoomNotFound,
    ZoomProtocolError,
    ZoomRateLimited,
    ZoomRejected,
    ZoomScopeMissing,
    ZoomTransient,
)
from wagtail_zoom.models import Grant, ZoomAccount

pytestmark = pytest.mark.django_db

KINDS = ["meeting", "webinar"]
WEEKLY = {"type": 2, "repeat_interval": 1, "end_times": 3}


@pytest.fixture
def client(account, zoom_app):
    zoom_app.change_account("aurora", webinars=True)
    zoom_app.options(record_exchanges=True)
    yield SiteClient(client_for_reading(account).grant)
    exchanges = zoom_app.call("GET", "exchanges")["exchanges"]
    exchanges = [row for row in exchanges if row["path"].startswith("/v2/")]
    assert exchanges and [text for row in exchanges for text in check(row)] == []


@pytest.fixture
def host(account):
    return account.grants.get().zoom_user_id


def body(kind="meeting", **fields):
    year = timezone.now().year + 1
    start = f"{year}-06-09T18:00:00"
    dated = {"topic": "T", "type": 5 if kind == "webinar" else 2, "start_time": start}
    return {**dated, "duration": 45, "timezone": "Europe/Berlin", **fields}


def series(kind="meeting"):
    return body(kind, type=9 if kind == "webinar" else 8, recurrence=WEEKLY)


def scheduled(zoom_app, topic):
    return [row for row in zoom_app.meetings("aurora") if row["topic"] == topic]


@pytest.mark.parametrize("kind", KINDS)
def test_created_changed_and_deleted(client, zoom_app, host, kind):
    doc = client.create_meeting(host, kind, body(kind))
    number = str(doc["id"])
    assert doc["topic"] == "T" and doc["start_time"].endswith("-06-09T16:00:00Z")
    assert doc["creation_source"] == "open_api"
    assert client.update_meeting(number, kind, {"topic": "New"}) is None
    changed = client.meeting(number, kind)
    assert (changed["topic"], changed["start_time"]) == ("New", doc["start_time"])
    assert client.delete_meeting(number, kind) is None
    with pytest.raises(ZoomNotFound):
        client.meeting(number, kind)
    with pytest.raises(ZoomNotFound) as caught:
        client.delete_meeting(number, kind)
    assert caught.value.code == 3001


@pytest.mark.parametrize("kind", KINDS)
def test_one_occurrence(client, host, kind):
    doc = client.create_meeting(host, kind, series(kind))
    number = str(doc["id"])
    first, second, third = (date["occurrence_id"] for date in doc["occurrences"])
    client.update_meeting(number, kind, {"duration": 90}, first)
    client.delete_meeting(number, kind, second)
    dates = client.meeting(number, kind)["occurrences"]
    assert [(date["duration"], date["status"]) for date in dates] == [
        (90, "available"), (45, "deleted"), (45, "available"),
    ]  # fmt: skip
    with pytest.raises(ZoomRejected) as caught:
        client.update_meeting(number, kind, {"topic": "Of one date"}, third)
    assert caught.value.fields == ("topic",)


@pytest.mark.parametrize(
    ("kind", "options", "query"),
    [
        ("meeting", {}, {"cancel_meeting_reminder=false", "schedule_for_reminder=false"}),
        ("meeting", {"notify_host": True, "notify_registrants": True},
         {"cancel_meeting_reminder=true", "schedule_for_reminder=true"}),
        ("webinar", {}, {"cancel_webinar_reminder=false"}),
        ("webinar", {"notify_registrants": True}, {"cancel_webinar_reminder=true"}),
    ],
)  # fmt: skip
def test_whom_zoom_writes_about_a_deletion(client, zoom_app, host, kind, options, query):
    number = str(client.create_meeting(host, kind, body(kind))["id"])
    client.delete_meeting(number, kind, **options)
    [call] = zoom_app.calls("method=DELETE")
    assert set(call["query"].split("&")) == query


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["cut_after", "truncate", "status"])
def test_a_lost_answer_to_a_creation_is_ambiguous_and_never_retried(
    client, zoom_app, host, kind, fault
):
    options = {"status": 503} if fault == "status" else {}
    zoom_app.fault(fault, path=f"/{kind}s$", method="POST", **options)
    with pytest.raises(ZoomTransient) as caught:
        client.create_meeting(host, kind, body(kind, topic="Lost"))
    assert caught.value.ambiguous
    assert len(zoom_app.calls("method=POST")) == 1
    assert len(scheduled(zoom_app, "Lost")) == (0 if fault == "status" else 1)


def test_a_lost_answer_to_a_change_or_deletion_is_ambiguous(client, zoom_app, host):
    number = str(client.create_meeting(host, "meeting", body())["id"])
    for method, call in (
        ("PATCH", lambda: client.update_meeting(number, "meeting", {"topic": "New"})),
        ("DELETE", lambda: client.delete_meeting(number, "meeting")),
    ):
        zoom_app.fault("cut_after", method=method, path=f"/meetings/{number}$", count=1)
        with pytest.raises(ZoomTransient) as caught:
            call()
        assert caught.value.ambiguous
        assert len(zoom_app.calls(f"method={method}")) == 1
    [doc] = scheduled(zoom_app, "New")
    assert doc["state"] == "deleted"


@pytest.mark.parametrize("answer", ["{}", "[]", '{"topic": "T"}'])
def test_a_created_meeting_has_a_number(client, zoom_app, host, answer):
    zoom_app.fault("status", status=201, body=answer, method="POST", path="/meetings$")
    with pytest.raises(ZoomProtocolError):
        client.create_meeting(host, "meeting", body())


def test_refused_fields_are_named(client, host):
    with pytest.raises(ZoomRejected) as caught:
        client.create_meeting(host, "meeting", body(duration=0, settings={"approval_type": 7}))
    assert caught.value.code == 300
    assert set(caught.value.fields) == {"duration", "settings.approval_type"}


def test_refusals_have_zooms_code(client, zoom_app, host):
    number = str(client.create_meeting(host, "meeting", body())["id"])
    zoom_app.start_meeting(int(number))
    with pytest.raises(ZoomRejected) as caught:
        client.delete_meeting(number, "meeting")
    assert caught.value.code == 3002
    zoom_app.change_account("aurora", webinars=False)
    with pytest.raises(ZoomRejected) as caught:
        client.create_meeting(host, "webinar", body("webinar"))
    assert caught.value.code == 200
    zoom_app.change_user("aurora-0", can_host=False)
    with pytest.raises(ZoomRejected) as caught:
        client.create_meeting(host, "meeting", body())
    assert caught.value.code == 3161
    with pytest.raises(ZoomNotFound) as caught_missing:
        client.create_meeting("nobody@example.org", "meeting", body())
    assert caught_missing.value.code == 1001


def test_the_daily_limit_of_a_host_does_not_stop_the_account(client, zoom_app, host):
    zoom_app.change_account("aurora", daily_limits={"SCHEDULE": 1})
    number = str(client.create_meeting(host, "meeting", body())["id"])
    for call in (
        lambda: client.create_meeting(host, "meeting", body(topic="Too much")),
        lambda: client.update_meeting(number, "meeting", {"topic": "Too much"}),
    ):
        with pytest.raises(ZoomRateLimited) as caught:
            call()
        assert caught.value.daily and caught.value.personal
        assert caught.value.retry_at == next_midnight()
    assert ZoomAccount.objects.get().throttled_until is None
    assert client.meeting(number, "meeting")["topic"] == "T"
    assert scheduled(zoom_app, "Too much") == []


def test_the_accounts_own_daily_limit_stops_the_account(client, zoom_app, host):
    text = "You have reached the maximum daily rate limit for this API."
    zoom_app.fault("status", status=429, code=429, message=text, method="POST", count=1)
    with pytest.raises(ZoomRateLimited) as caught:
        client.create_meeting(host, "meeting", body())
    assert caught.value.daily and not caught.value.personal
    assert ZoomAccount.objects.get().throttled_until == next_midnight()


def test_a_missing_scope_is_named_and_the_grant_stays(client, zoom_app, host):
    scope = "meeting:write:meeting:admin"
    text = f"Invalid access token, does not contain scopes:[{scope}]."
    zoom_app.fault("status", status=400, code=4711, message=text, method="POST")
    with pytest.raises(ZoomScopeMissing) as caught:
        client.create_meeting(host, "meeting", body())
    assert caught.value.scopes == (scope,)
    grant = Grant.objects.get()
    assert (grant.state, grant.missing_kinds) == ("connected", [])


def test_templates(client, zoom_app, host):
    names = [template["name"] for template in client.list_meeting_templates(host)]
    assert names == ["Class", "Workshop with recording"]
    zoom_app.fault("status", status=200, body='{"templates": 7}', path="/meeting_templates$")
    with pytest.raises(ZoomProtocolError):
        client.list_meeting_templates(host)


def test_a_number_from_elsewhere_never_becomes_another_path(client, zoom_app):
    for call in (
        lambda: client.update_meeting("1/registrants", "meeting", {}),
        lambda: client.delete_meeting("../users/me", "meeting"),
    ):
        with pytest.raises(ZoomRejected):
            call()
    assert zoom_app.calls("method=PATCH") == zoom_app.calls("method=DELETE") == []
    client.me()
