"""Reads many meetings again at once, because events reported changes.

What they share is loaded once: the scope, the hosts, the stored rows, the authorisation. Answers
are stored in small batches as they arrive; an error affects only the meeting it concerns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils import timezone

from ..client import Priority, ZoomClient, client_for_reading
from ..conf import settings
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected
from ..mapping.meetings import MappedMeeting, map_meeting
from ..models import (
    MEETING_KINDS,
    FetchScope,
    Host,
    Kind,
    Meeting,
    ZoomAccount,
    bump_rows,
    fetch_scope,
)
from . import questions
from .persist import WriteContext, hosts_by_zoom_id
from .refetch import RefetchTarget, handle_missing
from .registrant_lookup import store_meetings

NUMBER_IS_WEBINAR = 3000
"""Zoom: the number of a meeting is a webinar's."""
INVALID_WEBINAR = 300
STORE_BATCHES = 3
"""In how many batches many answers are stored: each batch costs a dozen statements."""
CONVERTED_CODES = (NUMBER_IS_WEBINAR, INVALID_WEBINAR)


@dataclass
class RefetchResult:
    """What became of meetings that were read again, by number. What is in neither is not needed."""

    needed: set[str] = field(default_factory=set)
    """Some Site needs them."""
    errors: dict[str, Exception] = field(default_factory=dict)


def refetch_all(account: ZoomAccount, targets: Sequence[RefetchTarget]) -> RefetchResult:
    """Read meetings and webinars and store the answers."""
    if not targets:
        return RefetchResult()
    targets_by_number = {target.key: target for target in targets}
    try:
        return _MeetingRefetch(account, targets_by_number).run()
    except Exception as error:
        # Something that all of them share failed, so all of them failed.
        return RefetchResult(errors=dict.fromkeys(targets_by_number, error))


class _MeetingRefetch:
    def __init__(self, account: ZoomAccount, targets: dict[str, RefetchTarget]) -> None:
        self.account = account
        self.targets = targets
        self.scope = fetch_scope(account)
        rows = Meeting.objects.filter(
            account=account,  # guard: event-limited-to-account
            zoom_id__in=list(targets),
        )
        self.rows = {row.zoom_id: row for row in rows}
        self.hosts = hosts_by_zoom_id(account, [self._host_zoom_id(number) for number in targets])
        self.result = RefetchResult()

    def run(self) -> RefetchResult:
        numbers_by_host: dict[str, list[str]] = defaultdict(list)
        for number in self.targets:
            host_zoom_id = self._host_zoom_id(number)
            host = self.hosts.get(host_zoom_id)
            if _is_wanted(self.scope, host, *MEETING_KINDS):  # guard: refetch-in-scope
                numbers_by_host[host_zoom_id].append(number)
        for client, numbers in self._clients(numbers_by_host):
            self._fetch(client, numbers)
        return self.result

    def _host_zoom_id(self, number: str) -> str:
        """From the event; if it is empty, the host of the stored row."""
        row = self.rows.get(number)
        return self.targets[number].host_zoom_id or (row.host_zoom_id if row else "")

    def _kind(self, number: str) -> str:
        row = self.rows.get(number)
        return row.kind if row else self.targets[number].kind

    def _clients(
        self, numbers_by_host: dict[str, list[str]]
    ) -> Iterator[tuple[ZoomClient, list[str]]]:
        """Hosts that share an authorisation are read in one stream."""
        clients: dict[int, ZoomClient] = {}
        numbers_by_grant: dict[int, list[str]] = defaultdict(list)
        for host_zoom_id, numbers in numbers_by_host.items():
            try:
                client = client_for_reading(
                    self.account, host_zoom_id, Priority.EVENT, kind=self._kind(numbers[0])
                )
            except ZoomError as error:
                self.result.errors |= dict.fromkeys(numbers, error)
                continue
            clients.setdefault(client.grant.pk, client)
            numbers_by_grant[client.grant.pk] += numbers
        for pk, client in clients.items():
            yield client, numbers_by_grant[pk]

    def _fetch(self, client: ZoomClient, numbers: list[str]) -> None:
        started = timezone.now()
        details = self._details(client, numbers)
        try:
            batch_size = max(settings.parallel_reads, len(numbers) // STORE_BATCHES)
            while mapped := list(islice(details, batch_size)):
                self._store(client, mapped, started)
        except Exception as error:
            # Rate limit, authorisation or a bug: everything without an outcome is retried.
            missing = set(numbers) - self.result.needed
            self.result.errors = dict.fromkeys(missing, error) | self.result.errors

    def _details(self, client: ZoomClient, numbers: list[str]) -> Iterator[MappedMeeting]:
        targets = ((number, self._kind(number)) for number in numbers)
        for number, answer in client.meeting_details(targets):
            try:
                if isinstance(answer, ZoomRejected) and answer.code in CONVERTED_CODES:
                    # Converted at Zoom: the same number now belongs to the other kind.
                    other = Kind.MEETING if self._kind(number) == Kind.WEBINAR else Kind.WEBINAR
                    answer = client.meeting(number, other)
                if isinstance(answer, ZoomError):
                    raise answer
                mapped = map_meeting(answer)
            except ZoomNotFound:
                self._handle_missing(number)
            except Exception as error:
                self.result.errors[number] = error
            else:
                yield mapped

    def _handle_missing(self, number: str) -> None:
        try:
            if number in self.rows:
                handle_missing(self.targets[number], self.scope, self.rows[number])
            self.result.needed.add(number)
        except Exception as error:
            self.result.errors[number] = error

    def _store(self, client: ZoomClient, mapped: list[MappedMeeting], started: datetime) -> None:
        """Store a batch; if that fails, one by one, so that only the faulty meeting fails."""
        try:
            self._store_all(client, mapped, started)
        except Exception as error:
            if len(mapped) == 1:
                self.result.errors[mapped[0].zoom_id] = error
                return
            for meeting in mapped:
                self._store(client, [meeting], started)

    def _store_all(
        self, client: ZoomClient, mapped: list[MappedMeeting], started: datetime
    ) -> None:
        scope = fetch_scope(self.account)  # an owner may have disconnected in the meantime
        events = {meeting.zoom_id: self.targets[meeting.zoom_id].event for meeting in mapped}
        context = WriteContext(started, events=events)
        store_meetings(client, self.account, scope, mapped, context)
        rows = Meeting.objects.filter(account=self.account, zoom_id__in=list(events))
        stored = {row.zoom_id: row for row in rows}
        hosts = self.hosts | hosts_by_zoom_id(
            self.account, {meeting.host_zoom_id for meeting in mapped} - set(self.hosts)
        )
        for meeting in mapped:
            row = stored.get(meeting.zoom_id)
            self.result.needed.add(meeting.zoom_id)
            if row is None:
                continue
            if not _is_wanted(scope, hosts.get(meeting.host_zoom_id), meeting.fields["kind"]):
                # Its host or kind has changed to one that no Site shows: delete it.
                with transaction.atomic():
                    bump_rows(self.account.pk, [row.pk])
                    row.delete()
                continue
            questions.refresh_quietly(self.account, row)


def _is_wanted(scope: FetchScope, host: Host | None, *kinds: str) -> bool:
    return host is not None and any(scope.includes(kind, host.pk) for kind in kinds)
