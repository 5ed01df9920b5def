"""Creates a client with the grant to use: the only place that chooses one for a call.

Reading (sync) may use any usable grant of the account that covers the host. Changing something at
Zoom is done for a Site, and only with the grant that this Site is linked to now: see
``models/write_access.py``.
"""

from __future__ import annotations

from django.utils import timezone

from ..exceptions import ZoomAuthError, ZoomQuarantined, ZoomTransient, ZoomWriteRefused
from ..models import Grant, GrantReason, GrantState, Refusal, WriteAccess, ZoomAccount
from ..oauth import tokens
from .api import SiteClient, ZoomClient
from .ratelimit import Priority

MAX_WAIT = {
    Priority.BACKFILL: 5.0,
    Priority.RECONCILE: 5.0,
    Priority.EVENT: 10.0,
    Priority.REGISTRATION: 2.0,
}
"""Seconds that background work waits for a slot before it returns to the end of the queue."""


def client_for_reading(
    account: ZoomAccount,
    host_zoom_id: str | None = None,
    priority: Priority = Priority.RECONCILE,
    *,
    kind: str = "",
    grant: Grant | None = None,
    max_wait: float | None = None,
) -> ZoomClient:
    """A client that reads, with a usable grant of this account that covers the host.

    Grants that Zoom allowed to read this kind (or ``registration``) come first, of these the
    connected ones, then account-level ones, then the one with the latest success.

    Raises:
        ZoomQuarantined: this database is a copy of another installation.
        ZoomAuthError: there is no usable grant.
    """
    _refuse_copy(account)
    grants = Grant.objects.filter(account=account).select_related("account").usable()
    if host_zoom_id:
        grants = grants.covering(host_zoom_id)
    if grant is not None:
        grants = grants.filter(pk=grant.pk)
    preferred = sorted(
        grants.order_by("-account_level", "-last_ok_at", "pk"),
        key=lambda row: (
            kind in row.missing_kinds,  # guard: grant-allowed-for-kind
            row.state != GrantState.CONNECTED,
        ),
    )
    chosen = next(iter(preferred), None)
    if chosen is None:  # guard: read-needs-usable-grant
        raise ZoomAuthError(_reason(account), "No usable permission for this account.")
    return ZoomClient(
        chosen, priority=priority, max_wait=MAX_WAIT[priority] if max_wait is None else max_wait
    )


def client_for_site(
    site_id: int,
    account: ZoomAccount,
    host_zoom_id: str,
    kind: str,
    *,
    even_if_hidden: bool = False,
    max_wait: float | None = None,
    deadline: float | None = None,
    allow_refresh: bool = True,
) -> SiteClient:
    """A client that may change a meeting of this account, host and kind for a Site.

    ``max_wait`` and ``deadline`` (for a whole call) are in seconds. A web request uses
    ``client_for_request``.

    Args:
        even_if_hidden: see ``WriteAccess.refusal``.

    Raises:
        ZoomQuarantined: this database is a copy of another installation.
        ZoomAuthError: the Site's grant cannot be used.
        ZoomWriteRefused: the Site may not change it now.
    """
    _refuse_copy(account)
    access = WriteAccess.of(site_id)
    refusal = access.refusal(account.pk, host_zoom_id, kind, even_if_hidden=even_if_hidden)
    grant = access.site_settings.grant if access.site_settings else None
    if refusal is Refusal.CONNECTION and grant is not None:
        raise ZoomAuthError(grant.reason, "The permission of this site cannot be used.")
    if refusal is not None or grant is None:
        raise ZoomWriteRefused(refusal or Refusal.LEFT)
    return SiteClient(
        grant,
        priority=Priority.REGISTRATION,
        max_wait=MAX_WAIT[Priority.REGISTRATION] if max_wait is None else max_wait,
        deadline=deadline,
        allow_refresh=allow_refresh,
    )


def client_for_request(
    site_id: int,
    account: ZoomAccount,
    host_zoom_id: str,
    kind: str,
    seconds: float,
    *,
    even_if_hidden: bool = False,
    allow_refresh: bool = False,
) -> SiteClient:
    """As ``client_for_site``, for a web request: calls of at most ``seconds``, or none.

    Args:
        allow_refresh: refresh an expired token, for an owner who waits for the response.

    Raises:
        ZoomTransient: Zoom was not answering a moment ago.
        RefreshRequired: the token has expired. A refresh must not be interrupted, so the worker
            does it.
        ZoomError: as ``client_for_site``.
    """
    client = client_for_site(
        site_id,
        account,
        host_zoom_id,
        kind,
        even_if_hidden=even_if_hidden,
        max_wait=0,
        deadline=seconds,
        allow_refresh=allow_refresh,
    )
    retry_at = client.grant.retry_at
    if retry_at and retry_at > timezone.now():
        raise ZoomTransient("Zoom was not answering a moment ago.", retry_at=retry_at)
    if not allow_refresh and not tokens.is_fresh(client.grant):
        raise tokens.RefreshRequired
    return client


def _refuse_copy(account: ZoomAccount) -> None:
    if account.is_quarantined:
        raise ZoomQuarantined("This installation is a copy; nothing is sent to Zoom.")


def _reason(account: ZoomAccount) -> str:
    rows = Grant.objects.filter(account=account)  # guard: reason-of-own-grant
    latest = rows.order_by("-state_since").first()
    return latest.reason if latest and latest.reason else GrantReason.DISCONNECTED
