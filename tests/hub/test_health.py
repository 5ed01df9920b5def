"""``zoom/hub/health/``: whether the hub's worker runs and events are sent in time."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone

from wagtail_zoom.hub import status, tasks
from wagtail_zoom.hub.models import Delivery, Deployment, JobRun

from .conftest import post_event
from .test_events import bind, event
from .test_events import harbour as harbour

pytestmark = pytest.mark.django_db


def get_health(client, **headers):
    cache.clear()
    response = client.get("/zoom/hub/health/", headers=headers)
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def backdate(model, **ages):
    now = timezone.now()
    model.objects.update(**{name: now - timedelta(minutes=age) for name, age in ages.items()})


def test_worker_that_runs(client, django_assert_max_num_queries):
    tasks.tick()
    cache.clear()
    with django_assert_max_num_queries(8):
        response = client.get("/zoom/hub/health/")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok", "database": True, "worker": True, "deliveries": True,
    }  # fmt: skip
    # A second request within seconds makes no queries.
    with django_assert_max_num_queries(0):
        assert client.get("/zoom/hub/health/").status_code == 200
    assert client.post("/zoom/hub/health/").status_code == 405


def test_worker_that_does_not_run(client):
    expected = {"status": "failing", "database": True, "worker": False, "deliveries": True}
    assert get_health(client) == (503, expected)
    tasks.tick()
    backdate(JobRun, ran_at=4)
    assert get_health(client) == (503, expected)
    # The clock was set back: the heartbeat says nothing.
    backdate(JobRun, ran_at=-60)
    assert get_health(client) == (503, expected)


def test_events_that_are_not_sent(client, harbour):
    tasks.tick()
    bind(harbour)
    post_event(event())
    assert get_health(client)[1]["deliveries"] is True
    backdate(Delivery, run_after=6)
    assert get_health(client)[1]["deliveries"] is False


def test_deployment_that_is_away_or_back_is_no_fault_of_the_hub(client, harbour):
    tasks.tick()
    bind(harbour)
    post_event(event())
    backdate(Delivery, run_after=60)
    Deployment.objects.update(failures=3, failing_since=timezone.now())
    assert get_health(client)[0] == 200
    # What has waited for it is being sent.
    Deployment.objects.update(failures=0, failing_since=None, last_delivered_at=timezone.now())
    assert get_health(client)[0] == 200


def test_numbers_need_the_token(client, settings):
    tasks.tick()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "HEALTH_TOKEN": "watcher"}
    assert "numbers" not in get_health(client)[1]
    assert "numbers" not in get_health(client, authorization="Bearer other")[1]
    numbers = get_health(client, authorization="Bearer watcher")[1]["numbers"]
    assert set(numbers) == set(status.metrics())
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "HEALTH_TOKEN": ""}
    assert "numbers" not in get_health(client, authorization="Bearer ")[1]


def test_database_that_is_away(client, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("password of the database")

    monkeypatch.setattr(status.Deployment.objects, "filter", fail)
    code, body = get_health(client)
    assert (code, body) == (503, {"status": "failing", "database": False})
