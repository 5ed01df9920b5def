"""Every month of recordings is read in turn, whatever else the worker does (S10)."""

from copy import copy

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.examples import examples
from wagtail_zoom.models import FetchScope, SyncRun, ZoomAccount
from wagtail_zoom.sync import runs
from wagtail_zoom.sync.steps import plan_steps

pytestmark = pytest.mark.django_db


def older_months(run):
    """The months beyond the newest three that this run reads."""
    scope = FetchScope(fetch={"recording": {1: {1}}})
    steps = plan_steps(scope, full=False, rolling=run.cursor["rolling"])
    return {int(step.month) for step in steps} - {0, 1, 2}


class Rollback(Exception):
    """Rolls back the rows of one example."""


@trials(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    months=st.integers(4, 30),
    others=st.lists(st.integers(0, 25), min_size=1, max_size=40),
    broken=st.sets(st.integers(0, 39), max_size=15),
)
def test_every_month_is_read_in_as_many_runs_as_there_are_months(months, others, broken):
    """However many runs of other accounts lie between, and whichever fail early."""
    options = {**django_settings.WAGTAIL_ZOOM, "RECORDING_MONTHS": months}
    with pytest.raises(Rollback), transaction.atomic(), override_settings(WAGTAIL_ZOOM=options):
        account = ZoomAccount.objects.create(zoom_id="own")
        other = ZoomAccount.objects.create(zoom_id="other")
        seen, number = [], 0
        while len(seen) < 2 * (months - 3):
            rows = [SyncRun(account=other, mode=SyncRun.Mode.RECONCILE)] * others[
                number % len(others)
            ]
            SyncRun.objects.bulk_create(copy(row) for row in rows)
            run = SyncRun.objects.create(account=account, mode=SyncRun.Mode.RECONCILE)
            rolling = runs.older_month(run)
            run.cursor = {"rolling": rolling}
            if number not in broken:
                run.cursor["rolled"] = rolling
                seen += older_months(run)
            run.save(update_fields=["cursor"])
            number += 1
        expected = set(range(3, months))
        assert set(seen[: months - 3]) == set(seen[months - 3 :]) == expected
        raise Rollback


def test_every_older_month_of_recordings_is_read(connect, zoom_worker, settings):
    """Two accounts take turns: by the run's number, half of the months would never be read."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "RECORDING_MONTHS": 7}
    account = connect("aurora-0", kinds=("recordings",)).account
    other = ZoomAccount.objects.create(zoom_id="other")
    months = []
    for _ in range(4):
        SyncRun.objects.create(account=other, state=SyncRun.State.DONE, mode=SyncRun.Mode.RECONCILE)
        run = runs.request_run(account, SyncRun.Mode.RECONCILE)
        zoom_worker.run()
        run.refresh_from_db()
        assert run.state == "done", run.error_class
        months.append(run.cursor["step"][1])
    assert sorted(months) == ["0003", "0004", "0005", "0006"]
