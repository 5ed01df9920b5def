"""What changed, as lines of each Site's activity log, written when the upsert sees it.

It cannot be told later: the mirror keeps only the present. ``data`` holds topics and times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..models import Activity, FetchScope, Kind, Meeting, Recording, WebhookEvent, ZoomAccount
from .items import Known, is_unshowable
from .occurrences import DateChange
from .upsert import Upserted

CATEGORY = "sync"
MOST_LINES = 50
"""Of one batch: above it one summary line stands for all."""


def log_meetings(
    account: ZoomAccount,
    scope: FetchScope,
    stored: dict[str, Meeting],
    done: Upserted,
    dates: list[DateChange],
    known: Known,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    """New, renamed and otherwise changed meetings; moved and cancelled dates."""
    lines: list[tuple[Meeting, str, dict[str, Any]]] = []
    by_pk = {row.pk: row for row in stored.values()}
    for key in done.created:
        if key in stored:
            row = stored[key]
            lines.append((row, "meeting_new", {"start": _iso(row.start)}))
    for key in done.changed:
        if key in stored:
            lines += _changed(stored[key], done.before.get(key, {}))
    for change in dates:
        row = by_pk.get(change.occurrence.meeting_id)
        fresh = row is not None and row.zoom_id in done.created
        if row is not None and not fresh and change.code in ("moved", "cancelled", "restored"):
            data = {"start": _iso(change.occurrence.start), "before": _iso(change.old_start)}
            lines.append((row, f"date_{change.code}", data))
    _write(account, scope, lines, known, events)


def _changed(row: Meeting, before: dict[str, Any]) -> list[tuple[Meeting, str, dict[str, Any]]]:
    if before.get("topic", row.topic) != row.topic:
        return [(row, "meeting_renamed", {"before": before["topic"]})]
    moved = {"start", "duration", "uuid"}
    other = [name for name, value in before.items() if value != _plain(row, name)]
    return [(row, "meeting_changed", {})] if set(other) - moved else []


def _plain(row: Any, name: str) -> Any:
    value = getattr(row, name)
    return bool(value) if type(value).__name__ == "Secret" else value


def log_recordings(
    account: ZoomAccount,
    scope: FetchScope,
    stored: dict[str, Recording],
    done: Upserted,
    known: Known,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    """New and renamed recordings."""
    lines: list[tuple[Any, str, dict[str, Any]]] = []
    for key in done.created:
        if key in stored:
            lines.append((stored[key], "recording_new", {"start": _iso(stored[key].start)}))
    for key in done.changed:
        before = done.before.get(key, {})
        if key in stored and before.get("topic", stored[key].topic) != stored[key].topic:
            lines.append((stored[key], "recording_renamed", {"before": before["topic"]}))
    _write(account, scope, lines, known, events)


def log_gone(
    account: ZoomAccount,
    scope: FetchScope,
    rows: list[Any],
    code: str,
) -> None:
    """Things that were deleted, trashed or cancelled as a whole."""
    _write(account, scope, [(row, code, {}) for row in rows], {}, {})


def _write(
    account: ZoomAccount,
    scope: FetchScope,
    lines: list[tuple[Any, str, dict[str, Any]]],
    known: Known,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    if len(lines) > MOST_LINES:
        hosts = {row.host_id for row, _code, _data in lines}
        kind = Kind.RECORDING if isinstance(lines[0][0], Recording) else Kind.MEETING
        sites = {site for host in hosts for site in scope.sites(kind, host)}
        Activity.log(sites, CATEGORY, "many_changed", data={"count": len(lines)}, account=account)
        return
    written: list[Activity] = []
    for row, code, data in lines:
        if isinstance(row, Meeting) and is_unshowable(row):
            continue
        kind = Kind.RECORDING if isinstance(row, Recording) else row.kind
        key = row.uuid if isinstance(row, Recording) else row.zoom_id
        sites, event = scope.sites(kind, row.host_id), events.get(key)
        written += Activity.lines(
            sites, "event" if event else CATEGORY, code,
            data={"topic": row.topic, "kind": kind, "zone": row.timezone, **data},
            account=account, event=event,
            items={site: known[site, key] for site in sites if (site, key) in known},
        )  # fmt: skip
    if written:
        Activity.objects.bulk_create(written)


def _iso(value: Any) -> str:
    return value.isoformat() if value else ""
