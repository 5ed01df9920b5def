"""Who may use tokens, and which data may be queued or stored (O2, O6, Q3, Q4, S22)."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import transaction

import wagtail_zoom
from wagtail_zoom.utils import queue

ROOT = Path(wagtail_zoom.__file__).parent


def test_o6_tokens_are_used_only_in_oauth():
    """Other packages read no refresh token and get an access token with ``get_token``."""
    allowed = ("oauth/", "models/accounts.py", "migrations/", "testing/")
    for path in ROOT.rglob("*.py"):
        name = str(path.relative_to(ROOT))
        if not name.startswith(allowed):
            match = re.search(r"\.(refresh_token|access_token)\b", path.read_text())
            assert match is None, name


def test_o2_no_form_or_url_accepts_a_grant(db):
    """A Site is connected by a completed OAuth flow, never by the id of a stored grant."""
    from tests.security.test_tenants import admin_patterns
    from wagtail_zoom import urls
    from wagtail_zoom.admin import forms

    for _name, arguments in admin_patterns():
        assert set(arguments) <= {"site_pk", "pk"}
    for pattern in urls.urlpatterns:
        assert not {"grant", "grant_pk", "account_pk"} & set(pattern.pattern.converters)
    text = Path(forms.__file__).read_text()
    assert not re.search(r"[\"'](grant|account)[\"']", text)


@pytest.mark.parametrize("value", [None, 1.5, ["a"], {"a": 1}, b"x", "x" * 65, object()])
def test_q4_only_ids_go_into_the_queue(value):
    with pytest.raises(TypeError):
        queue.enqueue("process_events", value)


@pytest.mark.django_db(transaction=True)
def test_q3_a_task_is_sent_after_the_commit_and_not_before():
    from django_q.models import OrmQ

    with transaction.atomic():
        queue.enqueue("process_events")
        assert OrmQ.objects.count() == 0
    assert OrmQ.objects.count() == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.enqueue("process_events")
        1 / 0  # noqa: B018
    assert OrmQ.objects.count() == 1


def test_q3_an_unavailable_broker_raises_nothing(monkeypatch, caplog):
    """With Redis as with the ORM broker: the sweep finds the pending rows later."""

    def away(*args, **kwargs):
        raise ConnectionError("redis://:canary@host is away")

    monkeypatch.setattr(queue, "async_task", away)
    queue._send("process_events", ())
    assert "ConnectionError" in caplog.text
    assert "canary" not in caplog.text


def test_s22_there_is_no_column_for_forbidden_data():
    forbidden = ("start_url", "zak", "download", "host_email", "host_key", "dial", "pstn", "h323")
    for model in apps.get_app_config("wagtail_zoom").get_models():
        for field in model._meta.get_fields():
            assert not any(word in field.name for word in forbidden), f"{model}.{field.name}"


def test_x33_tasks_of_another_release_are_harmless(site, zoom_worker):
    """Queued by another release, for rows that no longer exist: no error."""
    from wagtail_zoom import tasks

    names = [
        name
        for name, work in vars(tasks).items()
        if inspect.isfunction(work) and work.__module__ == tasks.__name__
        if not name.startswith("_")
    ]
    assert {"tick", "process_events", "sync_slice"} <= set(names)
    for name in names:
        work = getattr(tasks, name)
        work(*[999_999_999 for _ in inspect.signature(work).parameters])
    zoom_worker.run()


RELEASED_TASKS = {
    "tick": 0, "process_events": 0, "sync_slice": 1, "sync_directory": 1, "count_hosts": 3,
    "revoke": 1, "refresh_idle": 0, "purge_account": 1, "deliver_registrations": 0,
    "deliver_meeting_changes": 0, "read_attendance": 0,
    "check_registrants": 1, "read_questions": 1, "apply_registration_retention": 1,
    "link_items": 1, "resume_registrations": 1, "count_registrants": 1,
}  # fmt: skip
"""Each task with the number of ids that a release queues it with. New arguments need defaults; a
removed task stays here for one release."""


def test_x33_tasks_queued_by_the_previous_release_still_run(site, zoom_worker):
    """Queued before a deployment, run after it: with the arguments of the previous release."""
    from wagtail_zoom import tasks

    for name, ids in RELEASED_TASKS.items():
        getattr(tasks, name)(*range(999_999, 999_999 + ids))
    task_names = {name for name, work in vars(tasks).items()
             if inspect.isfunction(work) and work.__module__ == tasks.__name__}  # fmt: skip
    assert task_names - set(RELEASED_TASKS) == set(), "add the new task to RELEASED_TASKS"
    zoom_worker.run()
