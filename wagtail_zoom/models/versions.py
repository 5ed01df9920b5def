"""Versions of the data that pages show: a host's, and those of a whole account.

They are part of the keys of cached HTML (``frontend.cache``). So they must change in the
transaction that changes the rows, and a value must never recur: not after a rollback or a restored
backup.

A page depends on the versions of the hosts that its Site shows, so that a change of another host's
meeting leaves its cached HTML valid. What concerns all hosts gives the account a new version.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from django.db import connections, models, router, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from ..signals import mirror_changed
from .accounts import ZoomAccount, version_step
from .curation import SiteItem
from .mirror import Host, Meeting
from .recordings import Recording
from .summaries import Summary

DATES, RECORDINGS = "dates", "recordings"
"""The kinds of data with a version: meetings with their dates, and what remains of them: recordings
with their transcripts, and summaries. The names of columns of ``HostVersion``."""
ALL_DATA = (DATES, RECORDINGS)
M = TypeVar("M", bound=models.Model)
VERSION_BITS = 48
"""Random versions: two are equal once in 2^48, and the sum of 32,000 hosts fits into a column."""
_ROW_COLUMNS = ("meeting_id", "recording_id", "meeting_summary_id")
MAX_ROWS = 2000
"""For more rows the whole account gets a new version: looking up their hosts takes longer."""


class HostVersion(models.Model):
    """The version of what pages show of one host. Random numbers: only equality has a meaning."""

    host = models.OneToOneField(
        Host, on_delete=models.CASCADE, primary_key=True, related_name="version"
    )
    dates = models.PositiveBigIntegerField(default=0)
    recordings = models.PositiveBigIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("data version")
        verbose_name_plural = _("data versions")

    def __str__(self) -> str:
        return f"{self.host_id}"


def bump_data_version(*accounts: int | None) -> None:
    """Give these accounts (primary keys) a new version, for all of their hosts.

    Call it as the last statement of the transaction, so that the row is locked only briefly.
    """
    account_ids = sorted({pk for pk in accounts if pk})
    if account_ids:
        now, step = version_step()
        rows = ZoomAccount.objects.filter(pk__in=account_ids)
        rows.update(data_version=Greatest(F("data_version"), Value(now)) + step)


def bump_data_version_of_sites(sites: Iterable[int]) -> None:
    """Give the accounts of these Sites a new version."""
    from .settings import ZoomSettings

    rows = ZoomSettings.objects.filter(site__in=list(sites)).exclude(account=None)
    bump_data_version(*rows.values_list("account", flat=True).distinct())


def bump_hosts(hosts: Iterable[int | None], *kinds: str) -> None:
    """Give these hosts (primary keys) a new version of these kinds of data, by default of all.

    One statement, which locks the rows in the same order everywhere.
    """
    columns = kinds or ALL_DATA
    rows = [
        HostVersion(host_id=pk, **{name: secrets.randbits(VERSION_BITS) for name in columns})
        for pk in sorted({pk for pk in hosts if pk})
    ]
    features = connections[router.db_for_write(HostVersion)].features
    has_target = features.supports_update_conflicts_with_target
    HostVersion.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=columns,
        unique_fields=["host"] if has_target else None,
    )


def bump_rows(
    account: int,
    meetings: Collection[int] = (),
    recordings: Collection[int] = (),
    summaries: Collection[int] = (),
    former_hosts: Iterable[int | None] = (),
) -> None:
    """Give the hosts of these rows (primary keys) a new version: pages of other hosts stay cached.

    A meeting decides whether its recordings and summaries are visible, whoever is their host.
    Where a row is deleted, its host is unknown: the account gets a new version.

    Args:
        former_hosts: who hosted some of these rows before.
    """
    requested = len(meetings) + len(recordings) + len(summaries)
    if requested > MAX_ROWS:
        bump_data_version(account)
        return
    hosts: set[int | None] = set(former_hosts)
    kinds: set[str] = set()
    count = 0
    queries = [
        *_hosts_of(Meeting, DATES, "pk", meetings),
        *_hosts_of(Recording, "", "meeting", meetings),  # guard: recordings-follow-their-meeting
        *_hosts_of(Summary, "", "meeting", meetings),
        *_hosts_of(Recording, RECORDINGS, "pk", recordings),
        *_hosts_of(Summary, RECORDINGS, "pk", summaries),
    ]
    if not queries:
        return
    for kind, host in queries[0].union(*queries[1:], all=True):
        hosts.add(host)
        kinds.add(kind or RECORDINGS)
        count += bool(kind)
    if count < requested:
        bump_data_version(account)
        return
    bump_hosts(hosts, *sorted(kinds))


def bump_items(items: Iterable[SiteItem]) -> None:
    """Give the hosts of these items' rows a new version; the account, where an item has no row."""
    by_account: dict[int, list[SiteItem]] = {}
    for item in items:
        by_account.setdefault(item.account_id, []).append(item)
    for account, rows in by_account.items():
        linked = [{getattr(item, name) for item in rows} - {None} for name in _ROW_COLUMNS]
        if all(any(getattr(item, name) for name in _ROW_COLUMNS) for item in rows):
            bump_rows(account, *linked)
        else:
            bump_data_version(account)


def _hosts_of(
    model: type[models.Model], kind: str, column: str, pks: Collection[int]
) -> list[QuerySet[Any, tuple[str, int | None]]]:
    """A query for the host of each row with ``kind``, or nothing without rows."""
    if not pks:
        return []
    rows = model._default_manager.filter(**{f"{column}__in": pks}).order_by()
    marked = rows.annotate(data_kind=Value(kind, output_field=models.CharField(max_length=10)))
    return [marked.values_list("data_kind", "host")]


def with_host_versions(rows: QuerySet[M]) -> QuerySet[M]:
    """Adds to Zoom settings, as ``dates_version`` and ``recordings_version``, what changes with the
    version of any host that the Site shows: their sum."""
    from .settings import ExposedHost

    exposed = ExposedHost.objects.filter(settings=OuterRef("pk")).order_by().values("settings")
    sums = {
        f"{kind}_version": exposed.annotate(total=Sum(f"host__version__{kind}")).values("total")
        for kind in ALL_DATA
    }
    versions = {name: Coalesce(Subquery(total), 0) for name, total in sums.items()}
    annotated: QuerySet[M] = rows.annotate(**versions)
    return annotated


def publish_changes(
    account: ZoomAccount,
    meetings: Collection[int] = (),
    recordings: Collection[int] = (),
    summaries: Collection[int] = (),
    former_hosts: Iterable[int | None] = (),
) -> None:
    """Give the rows' hosts new versions, and send ``mirror_changed`` after the commit.

    Call it in the transaction that changed the rows with these primary keys. A second new version
    does no harm.

    Args:
        former_hosts: who hosted some of these rows before.
    """
    if meetings or recordings or summaries:
        bump_rows(account.pk, meetings, recordings, summaries, former_hosts)
        send_mirror_changed(account, meetings, recordings, summaries)


def send_mirror_changed(
    account: ZoomAccount,
    meetings: Collection[int],
    recordings: Collection[int],
    summaries: Collection[int] = (),
) -> None:
    """Send the signal after the commit."""
    ids = {
        "meetings": set(meetings),
        "recordings": set(recordings),
        "summaries": set(summaries),
    }
    transaction.on_commit(lambda: mirror_changed.send_robust(ZoomAccount, account=account, **ids))
