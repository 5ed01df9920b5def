"""Summaries of meetings: read where a Site shows them, withdrawn with Zoom, deleted when unused.

An event about a summary causes a read, as for recordings. What no event announced, a run reads for
the instances of the last days; once a day, of the last month.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..client import Priority, ZoomClient, client_for_reading
from ..exceptions import ZoomNotFound, ZoomRejected, ZoomScopeMissing
from ..mapping.parsing import InvalidItem, parse_datetime
from ..mapping.summaries import MappedSummary, map_summary
from ..models import (
    SUMMARY,
    FetchScope,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Summary,
    SyncRun,
    ZoomAccount,
    fetch_scope,
    reset_reviews,
)
from ..models.mirror import UNDATED_TYPES
from ..models.versions import bump_rows, publish_changes
from ..oauth.scopes import LIST_PAST_INSTANCES, has_scope
from ..utils.secret_text import KnownValues
from . import changes, items
from .persist import WriteContext, link_to_meetings
from .refetch import RefetchTarget
from .upsert import upsert

RECENT_DAYS = 2
"""Each run reads the summaries of the instances of so many days."""
MONTH_DAYS = 30
"""Once a day of so many."""
MONTH_EVERY = timedelta(hours=20)
TRASH_DAYS = 30
"""How long a summary that was withdrawn may come back; then its text is deleted here."""
GONE_EVENTS = ("meeting.summary_trashed", "meeting.summary_deleted")


# Events


def refetch(target: RefetchTarget) -> bool:
    """Read a summary and store the answer; returns whether any Site needs it.

    Raises:
        ZoomError: Zoom cannot be reached, or refuses for another reason than absence and plan.
    """
    account = target.account
    scope = fetch_scope(account)
    row = Summary.objects.filter(account=account, uuid=target.key).first()
    host_zoom_id = target.host_zoom_id or (row.host_zoom_id if row else "")
    host = Host.objects.filter(account=account, zoom_id=host_zoom_id).first()
    if host is None or not scope.includes(SUMMARY, host.pk):
        return False
    client = client_for_reading(account, host_zoom_id, Priority.EVENT, kind=SUMMARY)
    started = timezone.now()
    try:
        payload = client.meeting_summary(target.key)
    except ZoomNotFound:
        event = target.event.event if target.event else ""
        if event in GONE_EVENTS:
            # Confirmed by Zoom: nothing counts that was read before, whatever its clock says.
            _withdraw(account, [target.key], started, deleted=event == GONE_EVENTS[1])
        elif row is not None:
            _mark_missing(row, started, run=0)
        return True
    except ZoomRejected:
        _record_refusal(account, refused=True)
        return True
    _record_refusal(account, refused=False)
    mapped = map_summary(payload, host_zoom_id=host_zoom_id, read_at=started)
    context = WriteContext(started, events={mapped.uuid: target.event})
    return _store(account, fetch_scope(account), mapped, context)


def withdraw(
    account: ZoomAccount, uuids: list[str], happened_at: datetime, *, deleted: bool
) -> None:
    """Zoom reports that summaries were trashed or deleted: nobody sees them from now on.

    An event that is older than what was read since changes nothing.
    """
    rows = Summary.objects.filter(account=account, uuid__in=uuids)
    current = rows.exclude(fetched_at__gt=happened_at)  # guard: late-summary-trash-ignored
    stamp = min(happened_at, timezone.now())
    _withdraw(account, list(current.values_list("uuid", flat=True)), stamp, deleted=deleted)


@transaction.atomic
def _withdraw(account: ZoomAccount, uuids: list[str], stamp: datetime, *, deleted: bool) -> None:
    """Take summaries back: published ones wait for review should they return.

    Deleted ones lose their text at once, those in the trash later (``TRASH_DAYS``).
    """
    rows = Summary.objects.filter(account=account, uuid__in=uuids, removed_at=None)
    if not deleted:
        rows = rows.filter(trashed_at=None)
    withdrawn = list(rows.select_related("host", "meeting"))
    if not withdrawn:
        return
    gone = [row for row in withdrawn if not row.is_withdrawn]
    pks = {row.pk for row in withdrawn}
    values: dict[str, Any] = {"trashed_at": stamp}
    if deleted:
        values = {"removed_at": stamp, "text": "", "content_hash": ""}
    Summary.objects.filter(pk__in=pks).update(**values, provider_ts=stamp, missing_since=None)
    site_items = SiteItem.objects.filter(
        account=account, kind=SUMMARY, key__in=[row.uuid for row in withdrawn]
    )
    published = reset_reviews(site_items, delete_texts=deleted)
    changes.log_removed(account, fetch_scope(account), gone, "summary_gone")
    if published:
        publish_changes(account, summaries=pks)


def _mark_missing(row: Summary, seen_at: datetime, *, run: int) -> None:
    """Zoom does not have it, and no event said so: withdrawn when a later run misses it again."""
    rows = Summary.objects.filter(pk=row.pk, fetched_at__lt=seen_at)
    if row.is_withdrawn:
        return
    if row.missing_since is None:
        rows.update(missing_since=seen_at, missed_run=run)
    elif run and row.missed_run != run:  # guard: missing-summary-needs-two-runs
        _withdraw(row.account, [row.uuid], seen_at, deleted=False)


def _record_refusal(account: ZoomAccount, *, refused: bool) -> None:
    """Zoom has no summaries for this account's plan or settings; the panel says so."""
    if refused:
        ZoomAccount.objects.filter(pk=account.pk).update(summaries_refused_at=timezone.now())
    else:
        rows = ZoomAccount.objects.filter(pk=account.pk, summaries_refused_at__isnull=False)
        rows.update(summaries_refused_at=None)


# Storing


def _store(
    account: ZoomAccount, scope: FetchScope, mapped: MappedSummary, context: WriteContext
) -> bool:
    """Store one summary; False when no Site needs it, or its meeting is never shown."""
    host = Host.objects.filter(account=account, zoom_id=mapped.host_zoom_id).first()
    if host is None or not scope.includes(SUMMARY, host.pk):  # guard: summary-stored-in-scope
        return False
    number = mapped.fields["meeting_zoom_id"]
    meeting = Meeting.objects.filter(account=account, zoom_id=number).select_related("host").first()
    recording = Recording.objects.filter(account=account, uuid=mapped.uuid).first()
    is_known_meeting = meeting is not None and not meeting.is_never_shown
    is_private = meeting is not None and meeting.is_never_shown
    is_room = bool(host.pmi) and host.pmi == number
    if is_private or is_room or not (is_known_meeting or recording is not None):
        return False  # guard: private-summary-not-stored
    known_values = KnownValues.of(numbers=[host.pmi, number])
    for source in (meeting, recording):
        known_values |= source.known_values if source is not None else KnownValues()
    fields = {**mapped.without(known_values), "host_id": host.pk}
    with transaction.atomic():
        result = upsert(
            Summary, account, "uuid", [(mapped.uuid, fields)],
            fetched_at=context.fetched_at, run=context.run, stamps={"trashed_at": None},
        )  # fmt: skip
        current = Summary.objects.filter(
            account=account,
            uuid__in=[*result.written, *result.unchanged],
            fetched_at=context.fetched_at,
        )
        stored = {row.uuid: row for row in current}
        result.keep_only(stored)
        written = [stored[key] for key in result.written]
        link_to_meetings(account, written)
        site_items = items.ensure_summaries(account, scope, list(stored.values()))
        former_hosts = [before["host_id"] for before in result.before.values()]
        bump_rows(account.pk, summaries=[row.pk for row in written], former_hosts=former_hosts)
        if not context.quiet:
            changes.log_summaries(account, scope, stored, result, site_items, context.events)
    return True


# Runs


@dataclass
class SummaryProgress:
    """How far a run has come; stored in its cursor."""

    days: int
    """Instances of so many days are read."""
    after: int = 0
    """Primary key of the last meeting whose summaries were read."""
    is_complete: bool = False

    def dump(self) -> list[int]:
        """As stored in the cursor."""
        return [self.days, self.after, int(self.is_complete)]

    @classmethod
    def load(cls, run: SyncRun, account: ZoomAccount) -> SummaryProgress:
        """The stored progress, or that of a run that begins."""
        stored: list[int] | None = run.cursor.get("summaries")
        if stored:
            return cls(stored[0], stored[1], bool(stored[2]))
        is_due = account.summaries_at is None or account.summaries_at < timezone.now() - MONTH_EVERY
        is_due = is_due or run.mode == SyncRun.Mode.BACKFILL
        return cls(MONTH_DAYS if is_due else RECENT_DAYS)


def refresh_due(
    account: ZoomAccount,
    scope: FetchScope,
    run: SyncRun,
    progress: SummaryProgress,
    *,
    until: float,
) -> None:
    """Read the summaries of the last days until ``until`` (monotonic clock); moves ``progress``.

    Raises:
        ZoomError: the error concerns the whole account.
    """
    delete_unneeded(account, scope)
    reader = SummaryReader(account, scope, run, timezone.now() - timedelta(days=progress.days))
    for meeting in reader.meetings(progress.after):
        try:
            reader.read_meeting(meeting)
        except ZoomScopeMissing:
            break  # noted with the grant, and the panel says so
        progress.after = meeting.pk
        if time.monotonic() > until:
            return
    else:
        reader.read_recordings()
        if progress.days == MONTH_DAYS:
            ZoomAccount.objects.filter(pk=account.pk).update(summaries_at=timezone.now())
    progress.is_complete = True


@dataclass
class SummaryReader:
    """Reads the summaries of the instances of an account since a time."""

    account: ZoomAccount
    scope: FetchScope
    run: SyncRun
    since: datetime
    refused_hosts: set[int] = field(default_factory=set)
    """Hosts whose plan has no summaries."""

    def meetings(self, after: int) -> Iterator[Meeting]:
        """Meetings with an instance since then, in a fixed order."""
        ended = Occurrence.objects.filter(
            meeting=OuterRef("pk"), start__lte=timezone.now(), end__gte=self.since
        )
        rows = Meeting.objects.filter(
            Q(Exists(ended)) | Q(zoom_type__in=UNDATED_TYPES),
            account=self.account,
            kind=Kind.MEETING,
            host__in=self.scope.hosts(SUMMARY),
            removed_at=None,
            is_private=False,
            uses_personal_room=False,
            pk__gt=after,
        )
        yield from rows.select_related("host").order_by("pk")

    def read_meeting(self, meeting: Meeting) -> None:
        """Read the summary of each instance.

        Raises:
            ZoomScopeMissing: Zoom has not allowed it.
            ZoomError: the error concerns the whole account.
        """
        if meeting.host is None or meeting.host_id in self.refused_hosts:
            return
        client = self._client(meeting.host)
        uuids = self._known_uuids(meeting)
        if has_scope(client.grant.scopes, LIST_PAST_INSTANCES):
            try:
                instances = client.past_instances(meeting.zoom_id, meeting.kind)
                uuids |= {
                    str(instance.get("uuid") or "")
                    for instance in instances
                    if (started := parse_datetime(instance.get("start_time"))) is None
                    or started >= self.since
                }
            except (ZoomNotFound, ZoomRejected, ZoomScopeMissing):
                pass
        for uuid in sorted(uuids - {""}):
            self._read(client, uuid, meeting.host)

    def read_recordings(self) -> None:
        """Read the summaries of recorded instances whose meeting is not stored here."""
        rows = Recording.objects.filter(
            account=self.account, meeting=None, start__gte=self.since, removed_at=None,
            host__in=self.scope.hosts(SUMMARY),
        )  # fmt: skip
        for recording in rows.select_related("host").order_by("pk"):
            if recording.host is not None and recording.host_id not in self.refused_hosts:
                self._read(self._client(recording.host), recording.uuid, recording.host)

    def _client(self, host: Host) -> ZoomClient:
        return client_for_reading(self.account, host.zoom_id, Priority.RECONCILE, kind=SUMMARY)

    def _known_uuids(self, meeting: Meeting) -> set[str]:
        """Of instances that are known without a list of them."""
        recent = {"account": self.account, "meeting_zoom_id": meeting.zoom_id}
        recordings = Recording.objects.filter(**recent, start__gte=self.since)
        summaries = Summary.objects.filter(**recent, start__gte=self.since)
        return {
            meeting.uuid,
            *recordings.values_list("uuid", flat=True),
            *summaries.values_list("uuid", flat=True),
        }

    def _read(self, client: ZoomClient, uuid: str, host: Host) -> None:
        started = timezone.now()
        try:
            payload = client.meeting_summary(uuid)
            mapped = map_summary(payload, host_zoom_id=host.zoom_id, read_at=started)
        except ZoomNotFound:
            row = Summary.objects.filter(account=self.account, uuid=uuid).first()
            if row is not None:
                _mark_missing(row, started, run=self.run.pk)
            return
        except ZoomRejected:
            _record_refusal(self.account, refused=True)
            self.refused_hosts.add(host.pk)
            return
        except InvalidItem:
            return
        _record_refusal(self.account, refused=False)
        _store(self.account, self.scope, mapped, WriteContext(started, run=self.run.pk))


# Leaving


def delete_unneeded(account: ZoomAccount, scope: FetchScope) -> int:
    """Delete summaries that no Site shows any more, and what Sites have reviewed that show them no
    longer: when they come back, they wait for review. Returns how many rows were deleted."""
    retained = scope.retained_hosts(SUMMARY)
    rows = Summary.objects.filter(account=account).filter(Q(host=None) | ~Q(host__in=retained))
    pks = set(rows.values_list("pk", flat=True))
    with transaction.atomic():
        Summary.objects.filter(pk__in=pks).delete()
        published = reset_reviews(_unneeded_items(account, scope), delete_texts=True)
    if published:
        publish_changes(account, summaries=pks or {0})
    return len(pks)


def _unneeded_items(account: ZoomAccount, scope: FetchScope) -> Any:
    """Items with a decision or a text of Sites that may not keep the summary."""
    has_review = Q(visibility=SiteItem.Visibility.PUBLISHED) | Q(review__isnull=False)
    rows = SiteItem.objects.filter(has_review, account=account, kind=SUMMARY)
    retained = scope.retain.get(SUMMARY, {})
    pks = [
        pk
        for pk, site, host in rows.values_list("pk", "site", "meeting_summary__host")
        if site not in retained.get(host or 0, set())  # guard: left-summary-needs-review
    ]
    return SiteItem.objects.filter(pk__in=pks)


def outdated(now: datetime) -> Any:
    """Summaries that have been in Zoom's trash for so long that they do not come back."""
    return Summary.objects.filter(trashed_at__lt=now - timedelta(days=TRASH_DAYS))
