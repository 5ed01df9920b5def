"""Puts mapped things into the mirror and tells everybody who depends on them.

The one way in for runs, messages and single reads: upsert, dates, items of the Sites, links
between recordings and dates, activity, signal.
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
    touch,
)
from ..signals import mirror_changed
from . import changes, items
from .occurrences import apply_dates
from .upsert import Upserted, upsert

WINDOW = timedelta(hours=3)
"""How far a recording may begin from its date and still belong to it."""


@dataclass
class Stored:
    """What became of a batch, and which rows changed (for the signal)."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    meetings: set[int] = field(default_factory=set)
    recordings: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Occasion:
    """Why something is stored: by which run or message, and whether it is worth a log line."""

    fetched_at: datetime
    run: int = 0
    quiet: bool = False
    """A first import writes one summary instead of a line for each thing."""
    events: Mapping[str, WebhookEvent | None] = field(default_factory=dict)
    """The message that led to it, by natural key."""


def hosts_of(account: ZoomAccount, zoom_ids: Iterable[str]) -> dict[str, Host]:
    """Host rows by Zoom id."""
    rows = Host.objects.filter(account=account, zoom_id__in=set(zoom_ids))
    return {row.zoom_id: row for row in rows}


def store_meetings(
    account: ZoomAccount, scope: FetchScope, mapped: Sequence[MappedMeeting], occasion: Occasion
) -> Stored:
    """Store detail reads of meetings and webinars; what no Site wants is left out."""
    hosts = hosts_of(account, (one.host_zoom_id for one in mapped))
    wanted = {
        one.zoom_id: one
        for one in mapped
        if one.host_zoom_id in hosts and scope.wants(one.fields["kind"], hosts[one.host_zoom_id].pk)
    }
    result = Stored(seen=len(mapped))
    if not wanted:
        return result
    rows = [
        (key, {**one.fields, "host_id": hosts[one.host_zoom_id].pk}) for key, one in wanted.items()
    ]
    stamps = {"detail_at": occasion.fetched_at, "expired_at": None}
    with transaction.atomic():
        done = upsert(
            Meeting, account, "zoom_id", rows,
            fetched_at=occasion.fetched_at, run=occasion.run, stamps=stamps,
        )  # fmt: skip
        fresh = {*done.written, *done.unchanged}
        ours = Meeting.objects.filter(
            account=account, zoom_id__in=fresh, fetched_at=occasion.fetched_at
        )
        stored = {row.zoom_id: row for row in ours}
        done.only(stored)
        dates = apply_dates(
            {row.pk: (row, wanted[key].dates) for key, row in stored.items()},
            now=occasion.fetched_at,
        )
        _count(result, done)
        result.meetings = {stored[key].pk for key in done.written}
        result.meetings |= {change.occurrence.meeting_id for change in dates}
        result.recordings = _films_of(account, done.created)
        known = items.ensure_meetings(account, scope, list(stored.values()))
        if not occasion.quiet:
            changes.log_meetings(account, scope, stored, done, dates, known, occasion.events)
        if result.meetings:
            touch(account.pk)
    return result


def store_recordings(
    account: ZoomAccount, scope: FetchScope, mapped: Sequence[MappedRecording], occasion: Occasion
) -> Stored:
    """Store recordings; what no Site wants is left out."""
    hosts = hosts_of(account, (one.host_zoom_id for one in mapped))
    wanted = {
        one.uuid: one
        for one in mapped
        if one.host_zoom_id in hosts and scope.wants(Kind.RECORDING, hosts[one.host_zoom_id].pk)
    }
    result = Stored(seen=len(mapped))
    if not wanted:
        return result
    rows = [
        (key, {**one.fields, "host_id": hosts[one.host_zoom_id].pk}) for key, one in wanted.items()
    ]
    stamps = {"trashed_at": None, "expired_at": None}
    with transaction.atomic():
        trashed = Recording.objects.filter(
            account=account, uuid__in=list(wanted), trashed_at__isnull=False
        )
        hidden = set(trashed.values_list("pk", flat=True))
        done = upsert(
            Recording, account, "uuid", rows,
            fetched_at=occasion.fetched_at, run=occasion.run, stamps=stamps,
        )  # fmt: skip
        seen = Recording.objects.filter(
            account=account,
            uuid__in=[*done.written, *done.unchanged],
            fetched_at=occasion.fetched_at,
        )
        everything = {row.uuid: row for row in seen}
        done.only(everything)
        stored = {key: everything[key] for key in done.written}
        _attach(account, list(stored.values()))
        _count(result, done)
        result.recordings = {row.pk for row in stored.values()}
        if hidden:
            # Out of the trash with the same content: visible again all the same.
            back = Recording.objects.filter(pk__in=hidden, trashed_at=None)
            result.recordings |= set(back.values_list("pk", flat=True))
        known = items.ensure_recordings(account, scope, list(everything.values()))
        if not occasion.quiet:
            changes.log_recordings(account, scope, stored, done, known, occasion.events)
        if result.recordings:
            touch(account.pk)
    return result


def _count(result: Stored, done: Upserted) -> None:
    result.created, result.changed = len(done.created), len(done.changed)
    result.unchanged = len(done.unchanged)


def _films_of(account: ZoomAccount, numbers: Sequence[str]) -> set[int]:
    """Recordings that were here before their meeting was: what it is decides about them too."""
    if not numbers:
        return set()
    rows = list(
        Recording.objects.filter(account=account, meeting=None, meeting_zoom_id__in=numbers)
    )
    if rows:
        _attach(account, rows)
    return {row.pk for row in rows}


def _attach(account: ZoomAccount, rows: list[Recording]) -> None:
    """Find meeting and date of each recording: by number and time; the link may stay empty."""
    numbers = {row.meeting_zoom_id for row in rows if row.meeting_zoom_id}
    found = {
        meeting.zoom_id: meeting
        for meeting in Meeting.objects.filter(account=account, zoom_id__in=numbers)
    }
    dates: dict[int, list[Occurrence]] = {}
    for date in Occurrence.objects.filter(meeting__in=found.values()):
        dates.setdefault(date.meeting_id, []).append(date)
    for row in rows:
        meeting = found.get(row.meeting_zoom_id)
        row.meeting = meeting
        near = [
            date
            for date in dates.get(meeting.pk if meeting else 0, [])
            if date.start - WINDOW <= row.start <= date.end + WINDOW
        ]
        row.occurrence = min(near, key=lambda date: abs(date.start - row.start), default=None)
    Recording.objects.bulk_update(
        [row for row in rows if row.meeting_id], ["meeting", "occurrence"], batch_size=200
    )


def announce(account: ZoomAccount, stored: Iterable[Stored]) -> None:
    """Tell the project and the caches what changed, after the commit; nothing when nothing did.

    Gives a new version (``touch``), so call it in the transaction that changed the rows. What
    ``store_meetings`` and ``store_recordings`` have written has one already; another does no harm.
    """
    meetings: set[int] = set()
    recordings: set[int] = set()
    for one in stored:
        meetings |= one.meetings
        recordings |= one.recordings
    if not meetings and not recordings:
        return
    touch(account.pk)
    _send(account, meetings, recordings)


def _send(account: ZoomAccount, meetings: set[int], recordings: set[int]) -> None:
    facts: dict[str, Any] = {"account": account, "meetings": meetings, "recordings": recordings}
    transaction.on_commit(lambda: mirror_changed.send_robust(ZoomAccount, **facts))
