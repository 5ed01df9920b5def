"""The latest run of each account and the latest news of each connection, for one Site or all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, Subquery

from ..models import Activity, SyncRun, ZoomAccount

FEW = 500
"""So many Sites or accounts are named in a query; of more all are read."""
LINKING = ("connected", "connected_invited", "disconnected", "disconnected_kept", "deauthorized")


def open_runs(accounts: set[int]) -> dict[int, SyncRun]:
    """The run of each account that is under way or waits."""
    states = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)
    few = {"account__in": accounts} if len(accounts) < FEW else {}
    rows = SyncRun.objects.filter(state__in=states, **few).order_by("state", "-requested_at")
    return {run.account_id: run for run in rows if run.account_id in accounts}


def last_runs(accounts: set[int]) -> dict[int, SyncRun]:
    """The last finished run of each account; stopped ones say nothing."""
    finished = (SyncRun.State.DONE, SyncRun.State.FAILED)
    latest = SyncRun.objects.filter(account=OuterRef("pk"), state__in=finished)
    latest = latest.order_by("-requested_at", "-pk").values("pk")[:1]
    few = {"pk__in": accounts} if len(accounts) < FEW else {}
    rows = ZoomAccount.objects.filter(**few).annotate(last=Subquery(latest))
    rows = rows.filter(last__isnull=False)
    keys = [last for pk, last in rows.values_list("pk", "last") if pk in accounts]
    return {run.account_id: run for run in SyncRun.objects.filter(pk__in=keys)}


def removals(few: dict[str, Any]) -> dict[int, datetime]:
    """When Zoom told Sites that the app was removed there, if nothing was connected since."""
    rows = Activity.objects.filter(category="connection", code__in=LINKING, **few)
    latest: dict[int, tuple[datetime, str]] = {}
    for row in rows.values("site", "code").annotate(at=Max("at")):
        latest[row["site"]] = max(
            latest.get(row["site"], (row["at"], row["code"])), (row["at"], row["code"])
        )
    return {site: at for site, (at, code) in latest.items() if code == "deauthorized"}
