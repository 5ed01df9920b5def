"""Reads many meetings anew at once, because messages said that they changed.

What they share is asked once: the scope, the hosts, the stored rows, the permission. Answers are
stored as they come, a handful at a time; what goes wrong with one concerns this one alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils import timezone

from ..client import Priority, ZoomClient, client_for
from ..conf import settings
from ..exceptions import ZoomError, ZoomNotFound, ZoomRejected
from ..mapping.meetings import MappedMeeting, map_meeting
from ..models import FetchScope, Host, Kind, Meeting, ZoomAccount, fetch_scope, touch
from . import questions
from .persist import Occasion, announce, hosts_of, store_meetings
from .refetch import Target, absent

OTHER_KIND = 3000
"""Zoom: the number of a meeting is a webinar's."""
INVALID_WEBINAR = 300
PORTIONS = 3
"""In which many answers are stored: each portion costs a dozen statements."""
CONVERTED = (OTHER_KIND, INVALID_WEBINAR)
KINDS = (Kind.MEETING, Kind.WEBINAR)
Verdict = bool | Exception
"""Whether any Site wants it at all, or what went wrong."""


def meetings(account: ZoomAccount, targets: Sequence[Target]) -> dict[str, Verdict]:
    """Read meetings and webinars and store what Zoom says now; a verdict for each, by number."""
    if not targets:
        return {}
    wanted = {target.key: target for target in targets}
    try:
        return _Rereads(account, wanted).run()
    except Exception as error:
        # What is asked for all of them at once went wrong, so it concerns all of them.
        return dict.fromkeys(wanted, error)


class _Rereads:
    def __init__(self, account: ZoomAccount, wanted: dict[str, Target]) -> None:
        self.account = account
        self.wanted = wanted
        self.scope = fetch_scope(account)
        rows = Meeting.objects.filter(
            account=account,  # guard: message-limited-to-account
            zoom_id__in=list(wanted),
        )
        self.rows = {row.zoom_id: row for row in rows}
        self.hosts = hosts_of(account, [self._host(key) for key in wanted])
        self.found: dict[str, Verdict] = {}

    def run(self) -> dict[str, Verdict]:
        groups: dict[str, list[str]] = defaultdict(list)
        for key in self.wanted:
            host = self._host(key)
            if _is_wanted(self.scope, self.hosts.get(host), *KINDS):
                groups[host].append(key)
            else:
                self.found[key] = False
        for client, keys in self._clients(groups):
            self._group(client, keys)
        return self.found

    def _host(self, key: str) -> str:
        """As the message says; the stored row's host counts where there is none."""
        row = self.rows.get(key)
        return self.wanted[key].host_zoom_id or (row.host_zoom_id if row else "")

    def _kind(self, key: str) -> str:
        row = self.rows.get(key)
        return row.kind if row else self.wanted[key].kind

    def _clients(self, groups: dict[str, list[str]]) -> Iterator[tuple[ZoomClient, list[str]]]:
        """Hosts that one permission covers are read in one stream."""
        clients: dict[int, ZoomClient] = {}
        keys: dict[int, list[str]] = defaultdict(list)
        for host, some in groups.items():
            try:
                client = client_for(self.account, host, Priority.EVENT)
            except ZoomError as error:
                self.found |= dict.fromkeys(some, error)
                continue
            clients.setdefault(client.grant.pk, client)
            keys[client.grant.pk] += some
        for pk, client in clients.items():
            yield client, keys[pk]

    def _group(self, client: ZoomClient, keys: list[str]) -> None:
        begun = timezone.now()
        details = self._details(client, keys)
        try:
            handful = max(settings.parallel_reads, len(keys) // PORTIONS)
            while mapped := list(islice(details, handful)):
                self._store(mapped, begun)
        except Exception as error:
            # The rate, the permission, or a mistake of ours: what has no verdict waits.
            for key in keys:
                self.found.setdefault(key, error)

    def _details(self, client: ZoomClient, keys: list[str]) -> Iterator[MappedMeeting]:
        for key, answer in client.meeting_details((key, self._kind(key)) for key in keys):
            try:
                if isinstance(answer, ZoomRejected) and answer.code in CONVERTED:
                    # Converted at Zoom: the same number is now of the other kind.
                    other = Kind.MEETING if self._kind(key) == Kind.WEBINAR else Kind.WEBINAR
                    answer = client.meeting(key, other)
                if isinstance(answer, ZoomError):
                    raise answer
                mapped = map_meeting(answer)
            except ZoomNotFound:
                self._absent(key)
            except Exception as error:
                self.found[key] = error
            else:
                yield mapped

    def _absent(self, key: str) -> None:
        try:
            if key in self.rows:
                absent(self.wanted[key], self.scope, self.rows[key])
            self.found[key] = True
        except Exception as error:
            self.found[key] = error

    def _store(self, mapped: list[MappedMeeting], begun: datetime) -> None:
        """Store a handful; if that fails, one by one, so that only the culprit fails."""
        try:
            self._store_all(mapped, begun)
        except Exception as error:
            if len(mapped) == 1:
                self.found[mapped[0].zoom_id] = error
                return
            for one in mapped:
                self._store([one], begun)

    def _store_all(self, mapped: list[MappedMeeting], begun: datetime) -> None:
        scope = fetch_scope(self.account)  # an owner may have let go while Zoom was answering
        events = {one.zoom_id: self.wanted[one.zoom_id].event for one in mapped}
        done = store_meetings(self.account, scope, mapped, Occasion(begun, events=events))
        announce(self.account, [done])
        rows = Meeting.objects.filter(account=self.account, zoom_id__in=list(events))
        stored = {row.zoom_id: row for row in rows}
        hosts = self.hosts | hosts_of(
            self.account, {one.host_zoom_id for one in mapped} - set(self.hosts)
        )
        for one in mapped:
            row = stored.get(one.zoom_id)
            self.found[one.zoom_id] = True
            if row is None:
                continue
            if not _is_wanted(scope, hosts.get(one.host_zoom_id), one.fields["kind"]):
                # It went to a host, or became a kind, that nobody shows: nothing of it is kept.
                with transaction.atomic():
                    row.delete()
                    touch(self.account.pk)
                continue
            questions.refresh_quietly(self.account, row)


def _is_wanted(scope: FetchScope, host: Host | None, *kinds: str) -> bool:
    return host is not None and any(scope.wants(kind, host.pk) for kind in kinds)
