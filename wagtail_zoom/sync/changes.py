"""What changed, as lines of each Site's activity log, written during the upsert.

It cannot be found out later: the database holds the present only. ``data`` holds topics and times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..models import (
    SUMMARY,
    Activity,
    FetchScope,
    Kind,
    Meeting,
    Recording,
    Summary,
    WebhookEvent,
    ZoomAccount,
)
from .items import ItemsByKey
from .occurrences import OccurrenceChange
from .upsert import UpsertResult

CATEGORY = "sync"
KINDS_BY_MODEL: dict[type, str] = {Recording: Kind.RECORDING.value, Summary: SUMMARY}
"""Kind of a row; meetings have their own."""
MAX_LINES = 50
"""Of one batch: a larger number is summarised in one line."""


def log_meetings(
    account: ZoomAccount,
    scope: FetchScope,
    stored: dict[str, Meeting],
    upserted: UpsertResult,
    occurrence_changes: list[OccurrenceChange],
    site_items: ItemsByKey,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    """New, renamed and otherwise changed meetings; moved and cancelled occurrences."""
    lines: list[tuple[Meeting, str, dict[str, Any]]] = []
    by_pk = {row.pk: row for row in stored.values()}
    for key in upserted.created:
        if key in stored:
            row = stored[key]
            lines.append((row, "meeting_new", {"start": _isoformat(row.start)}))
            lines += _dropped_link(row, {})
    for key in upserted.changed:
        if key in stored:
            lines += _change_lines(stored[key], upserted.before.get(key, {}))
            lines += _dropped_link(stored[key], upserted.before.get(key, {}))
    for change in occurrence_changes:
        meeting = by_pk.get(change.occurrence.meeting_id)
        if meeting is None or meeting.zoom_id in upserted.created:
            continue
        if change.code in ("moved", "cancelled", "restored"):
            data = {
                "start": _isoformat(change.occurrence.start),
                "before": _isoformat(change.old_start),
            }
            lines.append((meeting, f"date_{change.code}", data))
    _write(account, scope, lines, site_items, events)


def _change_lines(
    row: Meeting, before: dict[str, Any]
) -> list[tuple[Meeting, str, dict[str, Any]]]:
    if before.get("topic", row.topic) != row.topic:
        return [(row, "meeting_renamed", {"before": before["topic"]})]
    reported_elsewhere = {"start", "duration", "uuid", "cut_digest", "unknown_link_host"}
    changed = [name for name, value in before.items() if value != _comparable_value(row, name)]
    return [(row, "meeting_changed", {})] if set(changed) - reported_elsewhere else []


def _dropped_link(row: Any, before: dict[str, Any]) -> list[tuple[Any, str, dict[str, Any]]]:
    """Once, when Zoom gives a link that leads elsewhere: it is not stored, so nobody can use it."""
    host = row.unknown_link_host
    is_new = bool(host) and before.get("unknown_link_host") != host
    return [(row, "link_dropped", {"host": host})] if is_new else []


def _comparable_value(row: Any, name: str) -> Any:
    value = getattr(row, name)
    return bool(value) if type(value).__name__ == "Secret" else value


def log_recordings(
    account: ZoomAccount,
    scope: FetchScope,
    stored: dict[str, Recording],
    upserted: UpsertResult,
    site_items: ItemsByKey,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    """New and renamed recordings."""
    lines: list[tuple[Any, str, dict[str, Any]]] = []
    for key in upserted.created:
        if key in stored:
            lines.append((stored[key], "recording_new", {"start": _isoformat(stored[key].start)}))
            lines += _dropped_link(stored[key], {})
    for key in upserted.changed:
        before = upserted.before.get(key, {})
        if key in stored and before.get("topic", stored[key].topic) != stored[key].topic:
            lines.append((stored[key], "recording_renamed", {"before": before["topic"]}))
        if key in stored:
            lines += _dropped_link(stored[key], before)
    _write(account, scope, lines, site_items, events)


def log_summaries(
    account: ZoomAccount,
    scope: FetchScope,
    stored: dict[str, Summary],
    upserted: UpsertResult,
    site_items: ItemsByKey,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    """New summaries, and those whose text Zoom has changed."""
    lines: list[tuple[Any, str, dict[str, Any]]] = []
    for key in upserted.created:
        lines.append((stored[key], "summary_new", {"start": _isoformat(stored[key].start)}))
    for key in upserted.changed:
        before = upserted.before.get(key, {})
        if before.get("text", stored[key].text) != stored[key].text:
            lines.append((stored[key], "summary_changed", {}))
    _write(account, scope, lines, site_items, events)


def log_removed(account: ZoomAccount, scope: FetchScope, rows: Iterable[Any], code: str) -> None:
    """Meetings, recordings and summaries that were deleted, trashed or cancelled as a whole."""
    _write(account, scope, [(row, code, {}) for row in rows], {}, {})


def _write(
    account: ZoomAccount,
    scope: FetchScope,
    lines: list[tuple[Any, str, dict[str, Any]]],
    site_items: ItemsByKey,
    events: Mapping[str, WebhookEvent | None],
) -> None:
    if len(lines) > MAX_LINES:
        hosts = {row.host_id for row, _code, _data in lines}
        kind = KINDS_BY_MODEL.get(type(lines[0][0]), Kind.MEETING)
        sites = {site for host in hosts for site in scope.sites(kind, host)}
        Activity.log(sites, CATEGORY, "many_changed", data={"count": len(lines)}, account=account)
        return
    activities: list[Activity] = []
    for row, code, data in lines:
        if isinstance(row, Meeting) and row.is_never_shown:
            continue
        kind = KINDS_BY_MODEL.get(type(row)) or row.kind
        key = row.zoom_id if isinstance(row, Meeting) else row.uuid
        sites, event = scope.sites(kind, row.host_id), events.get(key)
        activities += Activity.lines(
            sites, "event" if event else CATEGORY, code,
            data={"topic": row.topic, "kind": kind, "zone": row.timezone, **data},
            account=account, event=event,
            items={site: site_items[site, key] for site in sites if (site, key) in site_items},
        )  # fmt: skip
    if activities:
        Activity.objects.bulk_create(activities)


def _isoformat(value: Any) -> str:
    return value.isoformat() if value else ""
