"""Stores mapped objects in the local copy and publishes what changed.

Runs, events and single reads all use it: upsert, occurrences, items of the Sites, links between
recordings and occurrences, activity, signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

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
    Summary,
    SummaryReview,
    Transcript,
    WebhookEvent,
    ZoomAccount,
    bump_data_version,
    bump_hosts,
)
from ..models.summaries import text_digest
from ..models.versions import publish_changes
from ..signals import occurrences_moved
from ..utils.secret_text import KnownValues
from ..utils.text import without_secrets
from . import changes, items, purged_occurrences
from .occurrences import apply_occurrences
from .upsert import UpsertResult, upsert

R = TypeVar("R", Recording, Summary)
RECORDING_MATCH_WINDOW = timedelta(hours=3)
"""How far a recording may begin from its occurrence and still belong to it."""


@dataclass
class WriteResult:
    """Counts of a batch, and which rows changed: their changes are published."""

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
    still_registered: Mapping[str, bool] = field(default_factory=dict)
    """By meeting number: whether Zoom still lists the registrants, where that was looked up."""


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
    """Store details of meetings and webinars; those that no Site needs are left out.

    Raises:
        RegistrantsNeeded: see ``registrant_lookup.store_meetings``, which looks them up.
    """
    hosts = hosts_by_zoom_id(account, (meeting.host_zoom_id for meeting in mapped))
    in_scope = {
        meeting.zoom_id: meeting
        for meeting in mapped
        if meeting.host_zoom_id in hosts
        and scope.includes(  # guard: meeting-stored-in-scope
            meeting.fields["kind"], hosts[meeting.host_zoom_id].pk
        )
    }
    result = WriteResult(seen=len(mapped))
    if not in_scope:
        return result
    rows = [
        (key, _meeting_fields(meeting, hosts[meeting.host_zoom_id]))
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
        restored = purged_occurrences.restore(
            account, scope, [stored[key] for key in upserted.created]
        )
        occurrence_changes = apply_occurrences(
            {row.pk: (row, in_scope[key].occurrences) for key, row in stored.items()},
            now=context.fetched_at,
            former_zones={
                stored[key].pk: before["timezone"]
                for key, before in upserted.before.items()
                if key in stored and "timezone" in before
            },
            still_registered=context.still_registered,
        )
        purged_occurrences.link_dates(account, restored)
        moved = [change.occurrence for change in occurrence_changes if change.code == "moved"]
        if moved:
            occurrences_moved.send(ZoomAccount, account=account, occurrences=moved)
        _set_counts(result, upserted)
        result.meetings = {stored[key].pk for key in upserted.written}
        result.meetings |= {change.occurrence.meeting_id for change in occurrence_changes}
        result.recordings = _link_earlier_recordings(account, upserted.created)
        _link_earlier_summaries(account, upserted.created)
        known_values = {
            key: in_scope[key].known_values | _room_of(hosts[in_scope[key].host_zoom_id])
            for key in upserted.secrets_changed
            if key in stored
        }
        result.recordings |= cut_earlier_texts(account, known_values)
        _cut_host_names(
            (hosts[in_scope[key].host_zoom_id], known_values[key]) for key in known_values
        )
        rekeyed = [stored[key].pk for key in known_values if key in upserted.before]
        if rekeyed:
            # Their questions are read, and cut, again.
            Meeting.objects.filter(pk__in=rekeyed).update(questions_at=None)
        site_items = items.ensure_meetings(account, scope, list(stored.values()))
        if not context.quiet:
            changes.log_meetings(
                account, scope, stored, upserted, occurrence_changes, site_items, context.events
            )
        former_hosts = [before["host_id"] for before in upserted.before.values()]
        publish_changes(
            account,
            result.meetings,
            result.recordings,
            former_hosts=former_hosts,  # guard: transferred-meeting-leaves
        )
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
        and scope.includes(  # guard: recording-stored-in-scope
            Kind.RECORDING, hosts[recording.host_zoom_id].pk
        )
    }
    result = WriteResult(seen=len(mapped))
    if not in_scope:
        return result
    known_values = _known_values_of_meetings(account, in_scope.values())
    rows = [
        (key, _recording_fields(recording, hosts[recording.host_zoom_id], known_values))
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
        link_to_meetings(account, list(written.values()))
        _set_counts(result, upserted)
        result.recordings = {row.pk for row in written.values()}
        if trashed_pks:
            # Out of the trash with the same content: visible again, although nothing was written.
            restored = Recording.objects.filter(pk__in=trashed_pks, trashed_at=None)
            result.recordings |= set(restored.values_list("pk", flat=True))
        site_items = items.ensure_recordings(account, scope, list(stored.values()))
        if not context.quiet:
            changes.log_recordings(account, scope, written, upserted, site_items, context.events)
        former_hosts = [before["host_id"] for before in upserted.before.values()]
        publish_changes(
            account,
            recordings=result.recordings,
            former_hosts=former_hosts,  # guard: transferred-recording-leaves
        )
    return result


def _room_of(host: Host) -> KnownValues:
    return KnownValues.of(numbers=[host.pmi])


def _meeting_fields(meeting: MappedMeeting, host: Host) -> dict[str, Any]:
    """The columns, with what only the host's row tells: the number of the personal room."""
    fields = {**meeting.without(_room_of(host)), "host_id": host.pk}
    if host.pmi and host.pmi == meeting.zoom_id:
        fields["uses_personal_room"] = True  # guard: personal-number-is-personal-room
    return fields


def _recording_fields(
    recording: MappedRecording, host: Host, known_values: Mapping[str, KnownValues]
) -> dict[str, Any]:
    number = recording.fields["meeting_zoom_id"]
    fields = recording.without(known_values.get(number, KnownValues()) | _room_of(host))
    fields["host_id"] = host.pk
    if host.pmi and host.pmi == number:
        fields["is_unscheduled"] = True  # guard: personal-number-needs-decision
    return fields


def _known_values_of_meetings(
    account: ZoomAccount, recordings: Iterable[MappedRecording]
) -> dict[str, KnownValues]:
    """What opens the meetings of some recordings, by number."""
    numbers = {recording.fields["meeting_zoom_id"] for recording in recordings} - {""}
    rows = Meeting.objects.filter(account=account, zoom_id__in=numbers).select_related("host")
    return {row.zoom_id: row.known_values for row in rows}


def cut_earlier_texts(account: ZoomAccount, known_values: Mapping[str, KnownValues]) -> set[int]:
    """Cut what opens these meetings (by number) from topics and transcripts stored before.

    Returns the recordings that changed.
    """
    rows = Recording.objects.filter(account=account, meeting_zoom_id__in=list(known_values))
    changed: set[int] = set()
    for pk, number, topic in rows.values_list("pk", "meeting_zoom_id", "topic"):
        shown = without_secrets(topic, known_values[number]).strip()
        if shown != topic:
            rows.filter(pk=pk).update(topic=shown)
            changed.add(pk)
    texts = Transcript.objects.filter(recording__in=rows).exclude(text="")
    for pk, recording, number, text in texts.values_list(
        "pk", "recording", "recording__meeting_zoom_id", "text"
    ):
        shown = without_secrets(text, known_values[number])
        if shown != text:
            Transcript.objects.filter(pk=pk).update(text=shown)
            changed.add(recording)
    _cut_earlier_summaries(account, known_values)
    return changed


def _cut_earlier_summaries(account: ZoomAccount, known_values: Mapping[str, KnownValues]) -> None:
    """Also from what owners reviewed: the passcode may have become one since."""
    rows = Summary.objects.filter(account=account, meeting_zoom_id__in=list(known_values))
    for summary in rows.exclude(text=""):
        values = known_values[summary.meeting_zoom_id]
        text, topic = without_secrets(summary.text, values), without_secrets(summary.topic, values)
        if (text, topic) != (summary.text, summary.topic):
            rows.filter(pk=summary.pk).update(text=text, topic=topic.strip())
            # What a person has decided on was this version, though something is cut from it now.
            versions = SummaryReview.objects.filter(
                item__meeting_summary=summary.pk, zoom_version=summary.version
            )
            versions.update(zoom_version=text_digest(text))
    reviews = SummaryReview.objects.filter(item__meeting_summary__in=rows.values("pk"))
    for review in reviews.select_related("item__meeting_summary"):
        row = review.item.meeting_summary
        values = known_values[row.meeting_zoom_id] if row else KnownValues()
        shown = without_secrets(review.text, values)
        if shown != review.text:
            review.set_text(shown)
            review.save(update_fields=["text", "plain_text"])
            bump_data_version(account.pk)


def _cut_host_names(pairs: Iterable[tuple[Host, KnownValues]]) -> None:
    """Hosts are read before their meetings, so their names were stored without knowing these."""
    for host, known_values in pairs:
        name = without_secrets(host.display_name, known_values).strip()
        if name != host.display_name:
            host.display_name = name
            Host.objects.filter(pk=host.pk).update(display_name=name)
            bump_hosts([host.pk])


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
        link_to_meetings(account, rows)
    return {row.pk for row in rows}


def _link_earlier_summaries(account: ZoomAccount, numbers: Sequence[str]) -> None:
    rows = Summary.objects.filter(account=account, meeting=None, meeting_zoom_id__in=numbers)
    link_to_meetings(account, list(rows) if numbers else [])


def link_to_meetings(account: ZoomAccount, rows: list[R]) -> None:
    """Set meeting and occurrence of recordings or summaries, by number and time; both may stay
    empty."""
    if not rows:
        return
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
    type(rows[0])._default_manager.bulk_update(
        [row for row in rows if row.meeting_id], ["meeting", "occurrence"], batch_size=200
    )
