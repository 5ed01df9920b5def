"""The directory of Zoom users, from which owners select hosts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..client import Priority, client_for
from ..exceptions import ZoomError
from ..mapping.parsing import InvalidItem
from ..mapping.users import map_user
from ..models import ExposedHost, Grant, Host, Kind, WebhookEvent, ZoomAccount, bump_data_version
from .upsert import upsert

COUNTED_HOSTS = 20
"""At most this many selected hosts are counted before the import."""


def refresh_directory(account: ZoomAccount) -> int:
    """Read the users of the account; returns the number of hosts.

    An account-level grant sees all users, any other only its own. Users that are gone are marked,
    never deleted: their meetings may still be shown.

    Raises:
        ZoomError: Zoom cannot be reached or no grant is usable.
    """
    started = timezone.now()
    grants = list(Grant.objects.filter(account=account).usable())
    if any(grant.account_level for grant in grants):
        client = client_for(account, priority=Priority.RECONCILE)
        for page in client.users():
            _store(account, _map_users(page.items), started)
        missing = Host.objects.filter(account=account, fetched_at__lt=started, missing_since=None)
        missing.update(missing_since=started)
    else:
        for grant in grants:
            payload = client_for(account, grant.zoom_user_id, grant=grant).me()
            _store(account, _map_users([payload]), started)
    ZoomAccount.objects.filter(pk=account.pk).update(directory_at=started)
    count_selected_hosts(account)
    unpark(account)
    return Host.objects.filter(account=account, missing_since=None).count()


def _store(account: ZoomAccount, rows: list[tuple[str, dict]], started: datetime) -> None:
    """Bump the data version when something changed: pages show the names of hosts."""
    with transaction.atomic():
        if upsert(Host, account, "zoom_id", rows, fetched_at=started).written:
            bump_data_version(account.pk)


def _map_users(items: list[dict]) -> list[tuple[str, dict]]:
    rows = []
    for item in items:
        with contextlib.suppress(InvalidItem):
            rows.append(map_user(item))
    return rows


def count_selected_hosts(account: ZoomAccount) -> None:
    """Count each kind for the selected hosts, before anything is fetched."""
    selected = ExposedHost.objects.filter(
        host__account=account, settings__grant__isnull=False, settings__needs_confirmation=False
    ).values("host")
    count_hosts(account, Host.objects.filter(pk__in=selected)[:COUNTED_HOSTS])


def count_hosts(account: ZoomAccount, hosts: Iterable[Host]) -> None:
    """Count what Zoom has of each kind for these hosts, with one listing call each."""
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
    """Process the events that were received before the account was connected."""
    WebhookEvent.objects.filter(
        account_zoom_id=account.zoom_id, state=WebhookEvent.State.PARKED
    ).update(state=WebhookEvent.State.PENDING, run_after=timezone.now())
