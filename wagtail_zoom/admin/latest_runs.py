"""The latest runs of accounts and removals of the app, for one Site or all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, Subquery

from ..models import Activity, SyncRun, ZoomAccount

MAX_IDS = 500
"""With more Sites or accounts than this, queries read all rows instead of naming ids."""
CONNECTION_CODES = (
    "connected",
    "connected_invited",
    "disconnected",
    "disconnected_kept",
    "deauthorized",
)


def open_runs(account_ids: set[int]) -> dict[int, SyncRun]:
    """The running or queued run of each account."""
    states = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
    account_filter = {"account__in": account_ids} if len(account_ids) < MAX_IDS else {}
    rows = SyncRun.objects.filter(state__in=states, **account_filter).order_by(
        "state", "-requested_at"
    )
    return {run.account_id: run for run in rows if run.account_id in account_ids}


def last_runs(account_ids: set[int]) -> dict[int, SyncRun]:
    """The last finished or failed run of each account; cancelled ones do not count."""
    finished = (SyncRun.State.DONE, SyncRun.State.FAILED)
    runs = SyncRun.objects.filter(account=OuterRef("pk"), state__in=finished)
    latest = runs.order_by("-requested_at", "-pk").values("pk")[:1]
    account_filter = {"pk__in": account_ids} if len(account_ids) < MAX_IDS else {}
    rows = ZoomAccount.objects.filter(**account_filter).annotate(last=Subquery(latest))
    rows = rows.filter(last__isnull=False)
    keys = [last for pk, last in rows.values_list("pk", "last") if pk in account_ids]
    return {run.account_id: run for run in SyncRun.objects.filter(pk__in=keys)}


def app_removals(site_filter: dict[str, Any]) -> dict[int, datetime]:
    """When the app was removed in Zoom, for Sites not connected since."""
    rows = Activity.objects.filter(category="connection", code__in=CONNECTION_CODES, **site_filter)
    latest: dict[int, tuple[datetime, str]] = {}
    for row in rows.values("site", "code").annotate(last_at=Max("created_at")):
        entry = (row["last_at"], row["code"])
        latest[row["site"]] = max(latest.get(row["site"], entry), entry)
    return {
        site_id: last_at for site_id, (last_at, code) in latest.items() if code == "deauthorized"
    }
