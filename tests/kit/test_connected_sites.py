"""A Site that is restored instead of connected is the same."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from tests.connected_sites import MAX_AGE, _all_rows
from tests.sync.conftest import admin_user, connect, site  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def connect_again(connect, connected_sites, zoom_app, zoom_worker):  # noqa: F811
    """``connect_again("aurora-0")``: from the same start; returns rows, calls and tasks."""
    changes = list(connected_sites.control.changes)
    zoom_app.take_snapshot("start")

    def run(person, **values):
        zoom_app.restore_snapshot("start")
        connected_sites.control.changes[:] = changes
        cache.clear()
        zoom_worker.ran.clear()
        savepoint = transaction.savepoint()
        connect(person, **values)
        rows = _all_rows()
        transaction.savepoint_rollback(savepoint)
        calls = [(call["time"], call["path"]) for call in zoom_app.calls()]
        return rows, calls, list(zoom_worker.ran)

    return run


def test_rows_calls_and_tasks_are_the_same(connect_again):
    first = connect_again("aurora-0")
    assert len(first[1]) > 20 and "sync_slice" in first[2]
    assert connect_again("aurora-0") == first


def test_another_person_or_other_settings_are_connected_really(connect_again):
    first = connect_again("aurora-0")
    assert connect_again("aurora-1")[1] != first[1]
    assert connect_again("aurora-0", kinds=("meetings",))[1] != first[1]


def test_a_patched_function_is_called(connect_again, monkeypatch):
    first = connect_again("aurora-0")
    monkeypatch.setattr("wagtail_zoom.sync.clock_skew.CHECK_INTERVAL", 7.0)
    assert connect_again("aurora-0")[1] != first[1]


@pytest.mark.full_import
def test_the_mark_connects_really(connect_again):
    assert connect_again("aurora-0")[1] != connect_again("aurora-0")[1]


def test_after_a_while_it_is_connected_again(connect_again):
    first = connect_again("aurora-0")
    with time_machine.travel(timezone.now() + timedelta(seconds=MAX_AGE + 1)):
        assert connect_again("aurora-0")[1] != first[1]
