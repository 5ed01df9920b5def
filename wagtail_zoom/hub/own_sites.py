"""The Sites of the hub's own installation, where ``wagtail_zoom`` is installed as well.

They use the same Zoom app: its one event URL is the hub's, and a Zoom user can be connected with
one website only. Only this module knows their models.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps

from ..conf import settings
from ..utils.webhook_requests import SignedEvent


def is_installed() -> bool:
    """Whether this installation has Sites of its own."""
    return apps.is_installed("wagtail_zoom")


def store_event(event: SignedEvent) -> None:
    """Store an event for the installation's own Sites.

    Raises:
        WebhookRefused: it could not be stored.
    """
    if is_installed():
        from ..webhooks import store_event as store

        store(event)


def connected_site(account_zoom_id: str, user_zoom_id: str) -> str:
    """Name of a Site of this installation that is connected with this Zoom user; else empty."""
    grant = _grant(account_zoom_id, user_zoom_id)
    if grant is None:
        return ""
    site_settings = grant.site_settings.select_related("site").first()
    if site_settings is None:
        return ""
    return str(site_settings.site.site_name or site_settings.site.hostname)[:100]


def end_connection(account_zoom_id: str, user_zoom_id: str) -> None:
    """Another website has this Zoom user now: the owners of its Sites are told so."""
    from ..models import GrantReason, GrantState
    from ..oauth import grant_state

    grant = _grant(account_zoom_id, user_zoom_id)
    if grant is not None:
        grant_state.transition(grant, GrantState.NEEDS_RECONNECT, GrantReason.INVALID_GRANT)


def _grant(account_zoom_id: str, user_zoom_id: str) -> Any:
    if not is_installed():
        return None
    from ..models import Grant

    return Grant.objects.usable().filter(
        client_id=settings.client_id,
        account__zoom_id=account_zoom_id,
        zoom_user_id=user_zoom_id,
    ).first()  # fmt: skip


def connect_receivers() -> None:
    """A Site of this installation takes a user over from a deployment as well."""
    if is_installed():
        from ..signals import account_connected

        account_connected.connect(_on_account_connected, dispatch_uid="wagtail_zoom_hub.connected")


def _on_account_connected(sender: Any, site: Any, account: Any, **kwargs: Any) -> None:
    from ..models import ZoomSettings
    from .bindings import end_moved
    from .models import Binding

    grant = ZoomSettings.for_site(site).grant
    if grant is not None:
        key = Binding.key_of(account.zoom_id, grant.zoom_user_id)
        end_moved(Binding.objects.filter(active_key=key))
