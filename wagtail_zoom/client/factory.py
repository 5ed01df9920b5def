"""Creates a client with the grant to use for an account."""

from __future__ import annotations

from ..exceptions import ZoomAuthError, ZoomQuarantined
from ..models import Grant, GrantReason, GrantState, ZoomAccount
from .api import ZoomClient
from .ratelimit import Priority

MAX_WAIT = {
    Priority.BACKFILL: 5.0,
    Priority.RECONCILE: 5.0,
    Priority.EVENT: 10.0,
    Priority.REGISTRATION: 2.0,
}
"""Seconds that background work waits for a slot before it returns to the end of the queue."""


def client_for(
    account: ZoomAccount,
    host_zoom_id: str | None = None,
    priority: Priority = Priority.RECONCILE,
    *,
    grant: Grant | None = None,
    max_wait: float | None = None,
    deadline: float | None = None,
    allow_refresh: bool = True,
) -> ZoomClient:
    """A client for this account with a usable grant that covers the host.

    Account-level grants come first, then the one with the latest success. ``max_wait`` and
    ``deadline`` (for a whole call) are in seconds. A web request passes both, with ``max_wait=0``
    and ``allow_refresh=False``: it does not wait for another token (``RefreshRequired``).

    Raises:
        ZoomQuarantined: this database is a copy of another installation.
        ZoomAuthError: there is no usable grant.
    """
    if account.is_quarantined:
        raise ZoomQuarantined("This installation is a copy; nothing is sent to Zoom.")
    grants = Grant.objects.filter(account=account).select_related("account").usable()
    if host_zoom_id:
        grants = grants.covering(host_zoom_id)
    if grant is not None:
        grants = grants.filter(pk=grant.pk)
    preferred = grants.order_by("-account_level", "-last_ok_at", "pk")
    # A connected grant is preferred to a degraded one.
    chosen = preferred.filter(state=GrantState.CONNECTED).first() or preferred.first()
    if chosen is None:
        raise ZoomAuthError(_reason(account), "No usable permission for this account.")
    return ZoomClient(
        chosen,
        priority=priority,
        max_wait=MAX_WAIT[priority] if max_wait is None else max_wait,
        deadline=deadline,
        allow_refresh=allow_refresh,
    )


def _reason(account: ZoomAccount) -> str:
    latest = Grant.objects.filter(account=account).order_by("-state_since").first()
    return latest.reason if latest and latest.reason else GrantReason.DISCONNECTED
