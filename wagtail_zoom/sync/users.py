"""The directory of Zoom users, from which owners select hosts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..client import Priority, client_for_reading
from ..exceptions import ZoomError
from ..frontend import disconnected
from ..mapping.parsing import InvalidItem
from ..mapping.users import map_user
from ..models import (
    ExposedHost,
    Grant,
    Host,
    Kind,
    Meeting,
    Recording,
    WebhookEvent,
    ZoomAccount,
    bump_data_version,
    bump_hosts,
)
from ..utils.secret_text import KnownValues
from ..utils.text import without_secrets
from .upsert import upsert

MAX_COMPARED_MEETINGS = 500
"""Meetings of a host whose passcodes are looked for in the host's name: the newest."""
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
        client = client_for_reading(account, priority=Priority.RECONCILE)
        for page in client.users():
            store_hosts(account, _map_users(page.items), started)
        missing = Host.objects.filter(account=account, fetched_at__lt=started, missing_since=None)
        missing.update(missing_since=started)
    else:
        for grant in grants:
            payload = client_for_reading(account, grant.zoom_user_id, grant=grant).me()
            store_hosts(account, _map_users([payload]), started)
    ZoomAccount.objects.filter(pk=account.pk).update(directory_at=started)
    disconnected.restore_hosts(account)
    unpark(account)
    return Host.objects.filter(account=account, missing_since=None).count()


def store_hosts(
    account: ZoomAccount, rows: list[tuple[str, dict[str, Any]]], started: datetime
) -> None:
    """Store users, and what their personal rooms mean for what was stored before.

    Gives changed hosts a new version: pages show the names of hosts.
    """
    for zoom_id, fields in rows:
        fields["display_name"] = _without_passcodes(account, zoom_id, fields["display_name"])
    with transaction.atomic():
        written = upsert(Host, account, "zoom_id", rows, fetched_at=started).written
        if not written:
            return
        hosts = Host.objects.filter(account=account, zoom_id__in=written)
        in_rooms = {"account": account, "host__in": hosts.exclude(pmi="")}
        Recording.objects.filter(
            **in_rooms, meeting_zoom_id=F("host__pmi"), is_unscheduled=False
        ).update(is_unscheduled=True)
        rooms = Meeting.objects.filter(**in_rooms, zoom_id=F("host__pmi"), uses_personal_room=False)
        if rooms.update(uses_personal_room=True):
            # Recordings in these rooms may be of any host.
            bump_data_version(account.pk)
        bump_hosts(hosts.values_list("pk", flat=True))


def _without_passcodes(account: ZoomAccount, zoom_id: str, name: str) -> str:
    """A name as visitors see it. Names rarely have digits, so few ask for the passcodes."""
    if not any(character.isdigit() for character in name):
        return name
    known_values = KnownValues()
    rows = Meeting.objects.filter(account=account, host_zoom_id=zoom_id).select_related("host")
    for meeting in rows.order_by("-pk")[:MAX_COMPARED_MEETINGS]:
        known_values |= meeting.known_values
    return without_secrets(name, known_values).strip()


def _map_users(items: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
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
    client = client_for_reading(account, host.zoom_id, Priority.RECONCILE, kind=kind)
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
