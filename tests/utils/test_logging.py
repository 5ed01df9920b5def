"""Logs with IDs, metrics and the health URL for operators; never content."""

import json
import logging
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from wagtail_zoom import tasks
from wagtail_zoom.models import Heartbeat, Registration, SyncRun, WebhookEvent, ZoomAccount
from wagtail_zoom.sync import health
from wagtail_zoom.testing.signing import sign
from wagtail_zoom.utils.logging import JsonFormatter, get_logger, log_context

pytestmark = pytest.mark.django_db
METRICS = []


def receive(name, value, tags):
    METRICS.append((name, value, tags))


def broken(name, value, tags):
    raise RuntimeError("the metrics server is away")


@pytest.fixture(autouse=True)
def _reset():
    cache.clear()
    METRICS.clear()


@pytest.fixture
def metrics(settings):
    def use(name):
        path = f"{__name__}.{name}"
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "METRICS": path}

    return use


def post(client, **changes):
    body = {"event": "meeting.updated", "event_ts": 1, "payload": {"account_id": "acc"}}
    raw = json.dumps({**body, **changes}).encode()
    headers = sign(raw, "simulator-webhook-secret")
    headers.pop("content-type")
    return client.post("/zoom/webhook/", raw, content_type="application/json", headers=headers)


def backdate(model, **values):
    model.objects.update(**{name: timezone.now() - age for name, age in values.items()})


def test_w31_records_contain_ids_and_the_json_no_exception_text(caplog):
    log = get_logger("sync")
    with caplog.at_level("INFO"), log_context(account=3, run=7):
        try:
            raise ValueError("mika@example.org")
        except ValueError:
            log.exception("Run %s failed.", 7)
    log.warning("Outside.")
    inside, outside = caplog.records
    line = json.loads(JsonFormatter().format(inside))
    assert (line["account"], line["run"], line["level"]) == (3, 7, "ERROR")
    assert line["message"] == "Run 7 failed." and line["error"] == "ValueError"
    assert __file__ in line["at"] and "mika" not in json.dumps(line)
    assert "account" not in json.loads(JsonFormatter().format(outside))


def test_w31_the_task_name_is_on_each_record(caplog, metrics, monkeypatch):
    metrics("receive")
    log = get_logger("tasks")
    monkeypatch.setattr(tasks.inbox, "process_events", lambda: log.warning("Here."))
    tasks.process_events()
    assert caplog.records[0].zoom_task == "process_events"
    name, value, tags = METRICS[-1]
    assert name == "task_seconds" and value >= 0
    assert tags == {"task": "process_events", "outcome": "done"}


def test_w31_all_our_loggers_add_ids():
    """A plain logger would write records without the fields that operators filter by."""
    import wagtail_zoom

    root = wagtail_zoom.__path__[0]
    from pathlib import Path

    bare_loggers = [
        str(file)
        for file in Path(root).rglob("*.py")
        if "testing" not in file.parts
        and file.parts[-2:] != ("utils", "logging.py")
        and "getLogger" in file.read_text()
    ]
    assert bare_loggers == []


def test_w31_webhook_events_are_counted_by_outcome(client, metrics):
    metrics("receive")
    post(client)
    client.post("/zoom/webhook/", b"{}", content_type="application/json")
    names = [(name, tags) for name, _value, tags in METRICS]
    assert ("webhooks_received", {}) in names
    assert ("webhooks_refused", {"reason": "headers"}) in names
    assert "webhook_age_seconds" in {name for name, _tags in names}


def test_metrics_that_fail_break_nothing(client, metrics, caplog):
    metrics("broken")
    assert post(client).status_code == 200
    assert WebhookEvent.objects.count() == 1
    assert "The metrics do not work (RuntimeError)" in caplog.text
    metrics("not_there")
    assert post(client, event_ts=2).status_code == 200


def beat():
    Heartbeat.beat("tick")


def get_health(client, **headers):
    cache.clear()
    response = client.get("/zoom/health/", headers=headers)
    return response.status_code, response.json()


def test_health_is_ok_without_a_backlog(client, django_assert_max_num_queries):
    beat()
    with django_assert_max_num_queries(9):
        status, body = get_health(client)
    assert (status, body["status"]) == (200, "ok")
    assert "numbers" not in body
    # A second request within seconds makes no queries.
    with django_assert_max_num_queries(0):
        assert client.get("/zoom/health/").status_code == 200
    assert client.post("/zoom/health/").status_code == 405


def create_event():
    return WebhookEvent.objects.create(
        content_key="k", account_zoom_id="a", event="meeting.updated", lock_key="a:meeting:1"
    )


def test_health_reports_delays(client):
    assert get_health(client) == (
        503,
        {
            "status": "failing", "database": True, "worker": False,
            "events": True, "registrations": True, "sync": True,
        },
    )  # fmt: skip
    beat()
    create_event()
    backdate(WebhookEvent, run_after=timedelta(minutes=6))
    assert get_health(client)[1]["events"] is False
    WebhookEvent.objects.all().delete()
    account = ZoomAccount.objects.create(zoom_id="a")
    SyncRun.objects.create(
        account=account, mode="reconcile", state="running",
        beat_at=timezone.now() - timedelta(minutes=16),
    )  # fmt: skip
    assert get_health(client)[1]["sync"] is False
    SyncRun.objects.all().delete()
    backdate(Heartbeat, beat_at=timedelta(minutes=4))
    assert get_health(client) == (
        503,
        {
            "status": "failing", "database": True, "worker": False,
            "events": True, "registrations": True, "sync": True,
        },
    )  # fmt: skip


def test_health_reports_late_registrations(client, due_registration):
    beat()
    assert get_health(client)[0] == 200
    backdate(Registration, next_try_at=timedelta(minutes=11))
    assert get_health(client)[1]["registrations"] is False


@pytest.fixture
def due_registration(db):
    from tests.default_site import default_site

    account = ZoomAccount.objects.create(zoom_id="a")
    row = Registration(
        site=default_site(), account=account, meeting_zoom_id="1", email_index="x",
        idempotency_key="y", task="add", next_try_at=timezone.now(),
    )  # fmt: skip
    row.email = "mika@example.org"
    row.save()
    return row


def test_health_returns_metrics_with_the_token(client, settings):
    beat()
    create_event()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "HEALTH_TOKEN": "watcher"}
    assert "numbers" not in get_health(client)[1]
    assert "numbers" not in get_health(client, authorization="Bearer other")[1]
    numbers = get_health(client, authorization="Bearer watcher")[1]["numbers"]
    assert (numbers["events_due"], numbers["events_most_per_object"]) == (1, 1)
    assert set(numbers) == set(health.metrics())


def test_health_without_a_database(client, monkeypatch, caplog):
    from django.db import DatabaseError

    def raise_error(*args, **kwargs):
        raise DatabaseError("password=secret")

    monkeypatch.setattr(Heartbeat.objects, "filter", raise_error)
    with caplog.at_level(logging.WARNING):
        assert get_health(client) == (503, {"status": "failing", "database": False})
    assert "secret" not in caplog.text
