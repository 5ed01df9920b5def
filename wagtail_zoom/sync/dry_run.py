"""What a reconcile run would change, without changing it (``zoom_sync --dry-run``, S26).

Reads the same listings and details at the same rate; writes no synced row, logs no change, and
starts no run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..client import Priority, ZoomClient, client_for_reading
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected, ZoomScopeMissing
from ..mapping.meetings import MappedMeeting, map_meeting
from ..mapping.parsing import InvalidItem, parse_id
from ..mapping.recordings import map_recording
from ..models import Host, Kind, Meeting, Occurrence, Recording, ZoomAccount, fetch_scope
from .staleness import is_due, stored_meetings
from .steps import Step, plan_steps, today
from .upsert import UpsertBatch, UpsertResult

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
MISSING, UNREADABLE = "missing", "unreadable"
MAX_WAIT_SECONDS = 60.0
"""Seconds to wait for the account's share of the rate: a dry run cannot be resumed."""


@dataclass(frozen=True)
class Difference:
    """One object, and what a reconcile run would do with it."""

    kind: str
    change: str
    key: str
    title: str = ""


def find_differences(account: ZoomAccount) -> Iterator[Difference]:
    """All objects in the scope of the account's Sites, as the next reconcile run would see them.

    ``missing`` is what the listing no longer holds: a run waits for a second sighting, and for the
    owner when there are many (S12, S13).

    Raises:
        ZoomError: Zoom cannot be reached, or the authorisation is lost.
    """
    scope = fetch_scope(account)
    for step in plan_steps(scope, full=False):
        host = Host.objects.filter(pk=step.host).first()
        if host is None:
            continue
        client = client_for_reading(
            account,
            host.zoom_id,
            Priority.RECONCILE,
            kind=step.kind,
            max_wait=MAX_WAIT_SECONDS,
        )
        try:
            if step.kind == Kind.RECORDING:
                yield from _recording_differences(account, client, step, host)
            else:
                yield from _meeting_differences(account, client, step, host)
        except (ZoomScopeMissing, ZoomNotFound, ZoomRejected) as error:
            # This host only: a run leaves its rows as they are.
            yield Difference(step.kind, UNREADABLE, host.zoom_id, type(error).__name__)


def _meeting_differences(
    account: ZoomAccount, client: ZoomClient, step: Step, host: Host
) -> Iterator[Difference]:
    listed: set[str] = set()
    is_available = True
    for page in client.meetings(host.zoom_id, step.kind):
        is_available = is_available and page.available
        items: dict[str, dict[str, Any]] = {}
        for item in page.items:
            try:
                items[parse_id(item.get("id"))] = item
            except InvalidItem:
                yield Difference(step.kind, UNREADABLE, "")
        listed |= items.keys()
        stored, now = stored_meetings(account, items), timezone.now()
        due = [number for number, item in items.items() if is_due(stored.get(number), item, now)]
        for number in items.keys() - set(due):
            yield Difference(step.kind, UNCHANGED, number, stored[number].topic)
        yield from _detail_differences(account, client, step, host, due)
    if is_available:
        rows = Meeting.objects.filter(account=account, host=host, kind=step.kind)
        for row in rows.filter(removed_at=None, expired_at=None).only("zoom_id", "topic"):
            if row.zoom_id not in listed:
                yield Difference(step.kind, MISSING, row.zoom_id, row.topic)


def _detail_differences(
    account: ZoomAccount, client: ZoomClient, step: Step, host: Host, due: list[str]
) -> Iterator[Difference]:
    for number, answer in client.meeting_details((number, step.kind) for number in due):
        try:
            if isinstance(answer, ZoomError):
                raise InvalidItem
            meeting = map_meeting(answer)
        except InvalidItem:
            yield Difference(step.kind, UNREADABLE, number)
            continue
        fields = {**meeting.fields, "host_id": host.pk}
        change = _classify(account, Meeting, "zoom_id", number, fields)
        if change == UNCHANGED and _occurrences_differ(account, meeting):
            change = CHANGED
        yield Difference(step.kind, change, number, str(meeting.fields["topic"]))


def _occurrences_differ(account: ZoomAccount, meeting: MappedMeeting) -> bool:
    rows = Occurrence.objects.filter(account=account, meeting__zoom_id=meeting.zoom_id)
    is_cancelled = {
        (row.zoom_id, row.start): row.state == Occurrence.State.CANCELLED for row in rows
    }
    return any(
        (occurrence.zoom_id, occurrence.start) not in is_cancelled
        or is_cancelled[occurrence.zoom_id, occurrence.start] != occurrence.deleted
        for occurrence in meeting.occurrences
    )


def _recording_differences(
    account: ZoomAccount, client: ZoomClient, step: Step, host: Host
) -> Iterator[Difference]:
    listed: set[str] = set()
    first, last = step.window(today())
    for page in client.recordings(host.zoom_id, first, last):
        for item in page.items:
            try:
                recording = map_recording(item)
            except InvalidItem:
                yield Difference(step.kind, UNREADABLE, "")
                continue
            listed.add(recording.uuid)
            fields = {**recording.fields, "host_id": host.pk}
            change = _classify(account, Recording, "uuid", recording.uuid, fields)
            topic = str(recording.fields.get("topic", ""))
            yield Difference(step.kind, change, recording.uuid, topic)
    rows = Recording.objects.filter(
        account=account, host=host, start__date__gte=first, start__date__lte=last
    )
    for row in rows.filter(removed_at=None, trashed_at=None, expired_at=None):
        if row.uuid not in listed:
            yield Difference(step.kind, MISSING, row.uuid, row.topic)


def _classify(account: ZoomAccount, model: Any, key: str, natural_key: str, fields: Any) -> str:
    batch = UpsertBatch(
        model, account, key, {natural_key: fields}, UpsertResult(), timezone.now(), 0, {}
    )
    batch.read()
    batch.classify()
    if batch.result.created:
        return NEW
    return CHANGED if batch.result.changed else UNCHANGED


def count_differences(differences: Iterable[Difference]) -> dict[str, dict[str, int]]:
    """``{kind: {change: how many}}``."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for difference in differences:
        counts[difference.kind][difference.change] += 1
    return counts
