"""Which grant a call is made with."""

from __future__ import annotations

from ..exceptions import ZoomAuthError, ZoomQuarantined
from ..models import Grant, GrantReason, GrantState, ZoomAccount
from .api import ZoomClient
from .ratelimit import Priority

PATIENCE = {
    Priority.BACKFILL: 5.0,
    Priority.RECONCILE: 5.0,
    Priority.EVENT: 10.0,
    Priority.REGISTRATION: 2.0,
}
"""Seconds that work in the background waits for its turn before it goes to the end of the queue."""


def client_for(
    account: ZoomAccount,
    host_zoom_id: str | None = None,
    priority: Priority = Priority.RECONCILE,
    *,
    grant: Grant | None = None,
    patience: float | None = None,
    within: float | None = None,
    renew: bool = True,
) -> ZoomClient:
    """A client for this account with any healthy grant that covers the host.

    Account-level grants come first, then the one used last with success. ``patience`` and
    ``within`` (for a whole call) are in seconds; a web request passes both, a patience of 0, and
    no ``renew``: it does not wait for another token (``RenewalDue``).

    Raises:
        ZoomQuarantined: this database is a copy of another installation.
        ZoomAuthError: there is no usable grant.
    """
    if account.is_quarantined:
        raise ZoomQuarantined("This installation is a copy; nothing is sent to Zoom.")
    rows = Grant.objects.filter(account=account).select_related("account").usable()
    if host_zoom_id:
        rows = rows.covering(host_zoom_id)
    if grant is not None:
        rows = rows.filter(pk=grant.pk)
    best = rows.order_by("-account_level", "-last_ok_at", "pk")
    # A grant in good health goes before one that Zoom does not answer for at present.
    found = best.filter(state=GrantState.CONNECTED).first() or best.first()
    if found is None:
        raise ZoomAuthError(_reason(account), "No usable permission for this account.")
    return ZoomClient(
        found,
        priority=priority,
        patience=PATIENCE[priority] if patience is None else patience,
        within=within,
        renew=renew,
    )


def _reason(account: ZoomAccount) -> str:
    last = Grant.objects.filter(account=account).order_by("-state_since").first()
    return last.reason if last and last.reason else GrantReason.DISCONNECTED
