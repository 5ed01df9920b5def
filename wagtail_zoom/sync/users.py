"""The directory of Zoom users, from which owners tick hosts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..client import Priority, client_for
from ..exceptions import ZoomError
from ..mapping.parsing import BadItem
from ..mapping.users import map_user
from ..models import ExposedHost, Grant, Host, Kind, WebhookEvent, ZoomAccount, touch
from .upsert import upsert

COUNTED_HOSTS = 20
"""Hosts whose totals are asked for ahead of a choice: the ticked ones, at most so many."""


def refresh_directory(account: ZoomAccount) -> int:
    """Read the users of the account, or the connecting people alone; how many hosts there are.

    An account-level grant sees everybody. Users that are gone are marked, never deleted: what
    they hosted may still be shown.

    Raises:
        ZoomError: Zoom is away or no grant is usable.
    """
    begun = timezone.now()
    grants = list(Grant.objects.filter(account=account).usable())
    if any(grant.account_level for grant in grants):
        client = client_for(account, priority=Priority.RECONCILE)
        for page in client.users():
            _store(account, _mapped(page.items), begun)
        missing = Host.objects.filter(account=account, fetched_at__lt=begun, missing_since=None)
        missing.update(missing_since=begun)
    else:
        for grant in grants:
            found = client_for(account, grant.zoom_user_id, grant=grant).me()
            _store(account, _mapped([found]), begun)
    ZoomAccount.objects.filter(pk=account.pk).update(directory_at=begun)
    count_ahead(account)
    unpark(account)
    return Host.objects.filter(account=account, missing_since=None).count()


def _store(account: ZoomAccount, rows: list[tuple[str, dict]], begun: datetime) -> None:
    """Names of hosts stand on pages."""
    with transaction.atomic():
        if upsert(Host, account, "zoom_id", rows, fetched_at=begun).written:
            touch(account.pk)


def _mapped(items: list[dict]) -> list[tuple[str, dict]]:
    rows = []
    for item in items:
        with contextlib.suppress(BadItem):
            rows.append(map_user(item))
    return rows


def count_ahead(account: ZoomAccount) -> None:
    """How much there is of each kind for the ticked hosts, before anything is fetched."""
    ticked = ExposedHost.objects.filter(
        host__account=account, settings__grant__isnull=False, settings__needs_confirmation=False
    ).values("host")
    count_hosts(account, Host.objects.filter(pk__in=ticked)[:COUNTED_HOSTS])


def count_hosts(account: ZoomAccount, hosts: Iterable[Host]) -> None:
    """What Zoom has of each kind for these hosts: a number from one listing call each."""
    for host in hosts:
        totals = dict(host.totals)
        for kind in (Kind.MEETING, Kind.WEBINAR, Kind.RECORDING):
            with contextlib.suppress(ZoomError):
                total = _total(account, host, kind)
                if total is not None:
                    totals[kind.value] = total
        if totals != host.totals:
            Host.objects.filter(pk=host.pk).update(totals=totals)


def _total(account: ZoomAccount, host: Host, kind: Kind) -> int | None:
    client = client_for(account, host.zoom_id, Priority.RECONCILE)
    if kind.value in client.grant.missing_kinds:
        return None
    if kind is Kind.RECORDING:
        today = timezone.now().date()
        start = today - timedelta(days=30)
        pages = client.recordings(host.zoom_id, start, today, page_size=1)
    else:
        pages = client.meetings(host.zoom_id, kind, page_size=1)
    return next(iter(pages)).total


def unpark(account: ZoomAccount) -> None:
    """Messages that came before the account was connected are worked off now."""
    WebhookEvent.objects.filter(
        account_zoom_id=account.zoom_id, state=WebhookEvent.State.PARKED
    ).update(state=WebhookEvent.State.PENDING, run_after=timezone.now())
