"""What a comparison would do, without doing it (``zoom_sync --dry-run``, S26).

Reads the same listings and details in the same pace; writes no row of the mirror, logs no change,
and starts no run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..client import Priority, ZoomClient, client_for
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected, ZoomScopeMissing
from ..mapping.meetings import MappedMeeting, map_meeting
from ..mapping.parsing import BadItem, identifier
from ..mapping.recordings import map_recording
from ..models import Host, Kind, Meeting, Occurrence, Recording, ZoomAccount, fetch_scope
from .staleness import is_due, known
from .steps import Unit, today, units
from .upsert import Page, Upserted

NEW, CHANGED, SAME, MISSING, UNREAD = "new", "changed", "unchanged", "missing", "unreadable"
PATIENCE = 60.0
"""Seconds to wait for the account's share of the rate: a rehearsal cannot be taken up again."""


@dataclass(frozen=True)
class Difference:
    """One thing, and what a comparison would make of it."""

    kind: str
    what: str
    key: str
    title: str = ""


def rehearse(account: ZoomAccount) -> Iterator[Difference]:
    """Everything that the account's Sites want, as the next comparison would find it.

    ``missing`` is what the listing no longer holds: the comparison waits for a second sighting, and
    for the owner when it is much (S12, S13).

    Raises:
        ZoomError: Zoom is away, or the permission is lost.
    """
    scope = fetch_scope(account)
    for unit in units(scope, full=False):
        host = Host.objects.filter(pk=unit.host).first()
        if host is None:
            continue
        client = client_for(account, host.zoom_id, Priority.RECONCILE, patience=PATIENCE)
        try:
            if unit.kind == Kind.RECORDING:
                yield from _recordings(account, client, unit, host)
            else:
                yield from _meetings(account, client, unit, host)
        except (ZoomScopeMissing, ZoomNotFound, ZoomRejected) as error:
            # This host alone: a comparison leaves its rows as they are.
            yield Difference(unit.kind, UNREAD, host.zoom_id, type(error).__name__)


def _meetings(
    account: ZoomAccount, client: ZoomClient, unit: Unit, host: Host
) -> Iterator[Difference]:
    listed: set[str] = set()
    lists = True
    for page in client.meetings(host.zoom_id, unit.kind):
        lists = lists and page.lists
        numbers: dict[str, dict[str, Any]] = {}
        for item in page.items:
            try:
                numbers[identifier(item.get("id"))] = item
            except BadItem:
                yield Difference(unit.kind, UNREAD, "")
        listed |= numbers.keys()
        stored, now = known(account, numbers), timezone.now()
        due = [number for number, item in numbers.items() if is_due(stored.get(number), item, now)]
        for number in numbers.keys() - set(due):
            yield Difference(unit.kind, SAME, number, stored[number].topic)
        yield from _details(account, client, unit, host, due)
    if lists:
        rows = Meeting.objects.filter(account=account, host=host, kind=unit.kind)
        for row in rows.filter(removed_at=None, expired_at=None).only("zoom_id", "topic"):
            if row.zoom_id not in listed:
                yield Difference(unit.kind, MISSING, row.zoom_id, row.topic)


def _details(
    account: ZoomAccount, client: ZoomClient, unit: Unit, host: Host, due: list[str]
) -> Iterator[Difference]:
    for number, answer in client.meeting_details((number, unit.kind) for number in due):
        try:
            if isinstance(answer, ZoomError):
                raise BadItem
            one = map_meeting(answer)
        except BadItem:
            yield Difference(unit.kind, UNREAD, number)
            continue
        fields = {**one.fields, "host_id": host.pk}
        found = _judge(account, Meeting, "zoom_id", number, fields)
        if found == SAME and _dates_differ(account, one):
            found = CHANGED
        yield Difference(unit.kind, found, number, str(one.fields["topic"]))


def _dates_differ(account: ZoomAccount, one: MappedMeeting) -> bool:
    rows = Occurrence.objects.filter(account=account, meeting__zoom_id=one.zoom_id)
    there = {(row.zoom_id, row.start): row for row in rows}
    return any(
        (date.zoom_id, date.start) not in there
        or (there[date.zoom_id, date.start].state == Occurrence.State.CANCELLED) != date.deleted
        for date in one.dates
    )


def _recordings(
    account: ZoomAccount, client: ZoomClient, unit: Unit, host: Host
) -> Iterator[Difference]:
    listed: set[str] = set()
    first, last = unit.window(today())
    for page in client.recordings(host.zoom_id, first, last):
        for item in page.items:
            try:
                one = map_recording(item)
            except BadItem:
                yield Difference(unit.kind, UNREAD, "")
                continue
            listed.add(one.uuid)
            fields = {**one.fields, "host_id": host.pk}
            found = _judge(account, Recording, "uuid", one.uuid, fields)
            yield Difference(unit.kind, found, one.uuid, str(one.fields.get("topic", "")))
    rows = Recording.objects.filter(
        account=account, host=host, start__date__gte=first, start__date__lte=last
    )
    for row in rows.filter(removed_at=None, trashed_at=None, expired_at=None):
        if row.uuid not in listed:
            yield Difference(unit.kind, MISSING, row.uuid, row.topic)


def _judge(account: ZoomAccount, model: Any, key: str, natural: str, fields: Any) -> str:
    page = Page(model, account, key, {natural: fields}, Upserted(), timezone.now(), 0, {})
    page.read()
    page.judge()
    if page.result.created:
        return NEW
    return CHANGED if page.result.changed else SAME


def count(found: Iterable[Difference]) -> dict[str, dict[str, int]]:
    """``{kind: {what: how many}}``."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in found:
        counts[one.kind][one.what] += 1
    return counts
