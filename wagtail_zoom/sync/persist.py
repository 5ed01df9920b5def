"""Stores mapped objects in the local copy and publishes what changed.

Runs, events and single reads all use it: upsert, occurrences, items of the Sites, links between
recordings and occurrences, activity, signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ..mapping.meetings import MappedMeeting
from ..mapping.recordings import MappedRecording
from ..models import (
    FetchScope,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    WebhookEvent,
    ZoomAccount,
    bump_data_version,
)
from ..signals import mirror_changed
from . import changes, items
from .occurrences import apply_occurrences
from .upsert import UpsertResult, upsert

RECORDING_MATCH_WINDOW = timedelta(hours=3)
"""How far a recording may begin from its occurrence and still belong to it."""


@dataclass
class WriteResult:
    """Counts of a batch, and which rows changed (for the signal)."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    meetings: set[int] = field(default_factory=set)
    recordings: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class WriteContext:
    """Which run or event causes the write, and whether it is logged."""

    fetched_at: datetime
    run: int = 0
    quiet: bool = False
    """A first import logs one summary instead of a line for each object."""
    events: Mapping[str, WebhookEvent | None] = field(default_factory=dict)
    """The event that caused the write, by natural key."""


def hosts_by_zoom_id(account: ZoomAccount, zoom_ids: Iterable[str]) -> dict[str, Host]:
    """Host rows by Zoom id."""
    rows = Host.objects.filter(account=account, zoom_id__in=set(zoom_ids))
    return {row.zoom_id: row for row in rows}


def store_meetings(
    account: ZoomAccount,
    scope: FetchScope,
    mapped: Sequence[MappedMeeting],
    context: WriteContext,
) -> WriteResult:
    """Store details of meetings and webinars; those that no Site needs are left out."""
    hosts = hosts_by_zoom_id(account, (meeting.host_zoom_id for meeting in mapped))
    in_scope = {
        meeting.zoom_id: meeting
        for meeting in mapped
        if meeting.host_zoom_id in hosts
        and scope.includes(meeting.fields["kind"], hosts[meeting.host_zoom_id].pk)
    }
    result = WriteResult(seen=len(mapped))
    if not in_scope:
        return result
    rows = [
        (key, {**meeting.fields, "host_id": hosts[meeting.host_zoom_id].pk})
        for key, meeting in in_scope.items()
    ]
    stamps = {"detail_at": context.fetched_at, "expired_at": None}
    with transaction.atomic():
        upserted = upsert(
            Meeting, account, "zoom_id", rows,
            fetched_at=context.fetched_at, run=context.run, stamps=stamps,
        )  # fmt: skip
        # Rows that another worker has read later have another ``fetched_at``.
        current = Meeting.objects.filter(
            account=account,
            zoom_id__in={*upserted.written, *upserted.unchanged},
            fetched_at=context.fetched_at,
        )
        stored = {row.zoom_id: row for row in current}
        upserted.keep_only(stored)
        occurrence_changes = apply_occurrences(
            {row.pk: (row, in_scope[key].occurrences) for key, row in stored.items()},
            now=context.fetched_at,
        )
        _set_counts(result, upserted)
        result.meetings = {stored[key].pk for key in upserted.written}
        result.meetings |= {change.occurrence.meeting_id for change in occurrence_changes}
        result.recordings = _link_earlier_recordings(account, upserted.created)
        site_items = items.ensure_meetings(account, scope, list(stored.values()))
        if not context.quiet:
            changes.log_meetings(
                account, scope, stored, upserted, occurrence_changes, site_items, context.events
            )
        if result.meetings:
            bump_data_version(account.pk)
    return result


def store_recordings(
    account: ZoomAccount,
    scope: FetchScope,
    mapped: Sequence[MappedRecording],
    context: WriteContext,
) -> WriteResult:
    """Store recordings; those that no Site needs are left out."""
    hosts = hosts_by_zoom_id(account, (recording.host_zoom_id for recording in mapped))
    in_scope = {
        recording.uuid: recording
        for recording in mapped
        if recording.host_zoom_id in hosts
        and scope.includes(Kind.RECORDING, hosts[recording.host_zoom_id].pk)
    }
    result = WriteResult(seen=len(mapped))
    if not in_scope:
        return result
    rows = [
        (key, {**recording.fields, "host_id": hosts[recording.host_zoom_id].pk})
        for key, recording in in_scope.items()
    ]
    stamps = {"trashed_at": None, "expired_at": None}
    with transaction.atomic():
        trashed = Recording.objects.filter(
            account=account, uuid__in=list(in_scope), trashed_at__isnull=False
        )
        trashed_pks = set(trashed.values_list("pk", flat=True))
        upserted = upsert(
            Recording, account, "uuid", rows,
            fetched_at=context.fetched_at, run=context.run, stamps=stamps,
        )  # fmt: skip
        current = Recording.objects.filter(
            account=account,
            uuid__in=[*upserted.written, *upserted.unchanged],
            fetched_at=context.fetched_at,
        )
        stored = {row.uuid: row for row in current}
        upserted.keep_only(stored)
        written = {key: stored[key] for key in upserted.written}
        _link_to_meetings(account, list(written.values()))
        _set_counts(result, upserted)
        result.recordings = {row.pk for row in written.values()}
        if trashed_pks:
            # Out of the trash with the same content: visible again, although nothing was written.
            restored = Recording.objects.filter(pk__in=trashed_pks, trashed_at=None)
            result.recordings |= set(restored.values_list("pk", flat=True))
        site_items = items.ensure_recordings(account, scope, list(stored.values()))
        if not context.quiet:
            changes.log_recordings(account, scope, written, upserted, site_items, context.events)
        if result.recordings:
            bump_data_version(account.pk)
    return result


def _set_counts(result: WriteResult, upserted: UpsertResult) -> None:
    result.created, result.changed = len(upserted.created), len(upserted.changed)
    result.unchanged = len(upserted.unchanged)


def _link_earlier_recordings(account: ZoomAccount, numbers: Sequence[str]) -> set[int]:
    """Link recordings that were stored before their meeting, whose settings affect them too."""
    if not numbers:
        return set()
    rows = list(
        Recording.objects.filter(account=account, meeting=None, meeting_zoom_id__in=numbers)
    )
    if rows:
        _link_to_meetings(account, rows)
    return {row.pk for row in rows}


def _link_to_meetings(account: ZoomAccount, rows: list[Recording]) -> None:
    """Set meeting and occurrence of each recording, by number and time; both may stay empty."""
    numbers = {row.meeting_zoom_id for row in rows if row.meeting_zoom_id}
    meetings = {
        meeting.zoom_id: meeting
        for meeting in Meeting.objects.filter(account=account, zoom_id__in=numbers)
    }
    occurrences: dict[int, list[Occurrence]] = {}
    for occurrence in Occurrence.objects.filter(meeting__in=meetings.values()):
        occurrences.setdefault(occurrence.meeting_id, []).append(occurrence)
    for row in rows:
        meeting = meetings.get(row.meeting_zoom_id)
        row.meeting = meeting
        candidates = [
            occurrence
            for occurrence in occurrences.get(meeting.pk if meeting else 0, [])
            if occurrence.start - RECORDING_MATCH_WINDOW
            <= row.start
            <= occurrence.end + RECORDING_MATCH_WINDOW
        ]
        row.occurrence = min(
            candidates, key=lambda occurrence: abs(occurrence.start - row.start), default=None
        )
    Recording.objects.bulk_update(
        [row for row in rows if row.meeting_id], ["meeting", "occurrence"], batch_size=200
    )


def publish_changes(account: ZoomAccount, results: Iterable[WriteResult]) -> None:
    """Send ``mirror_changed`` after the commit, and bump the data version; nothing if unchanged.

    Call it in the transaction that changed the rows. ``store_meetings`` and ``store_recordings``
    have already bumped the version; a second time does no harm.
    """
    meetings: set[int] = set()
    recordings: set[int] = set()
    for result in results:
        meetings |= result.meetings
        recordings |= result.recordings
    if not meetings and not recordings:
        return
    bump_data_version(account.pk)
    _send_signal(account, meetings, recordings)


def _send_signal(account: ZoomAccount, meetings: set[int], recordings: set[int]) -> None:
    kwargs: dict[str, Any] = {"account": account, "meetings": meetings, "recordings": recordings}
    transaction.on_commit(lambda: mirror_changed.send_robust(ZoomAccount, **kwargs))
