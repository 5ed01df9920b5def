"""Configuration of the installation's app in the Zoom Marketplace, for ``zoom_app_config``.

Scopes come from the registry in ``scopes``, events from the table in ``sync.handlers``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from ..conf import settings
from .scopes import SCOPES, SUMMARY_SCOPES, Scope


def redirect_url() -> str:
    """The one OAuth redirect URL."""
    return f"{settings.base_url}{reverse('wagtail_zoom:oauth_callback')}"


def event_url() -> str:
    """The one event notification endpoint."""
    return f"{settings.base_url}{reverse('wagtail_zoom:webhook')}"


def start_url() -> str:
    """The URL in the Marketplace listing at which an owner starts."""
    return f"{settings.base_url}{reverse('wagtail_zoom:start')}"


def app_name_error(name: str) -> str:
    """Why the Marketplace would refuse this app name; empty when it is valid.

    "Zoom" may only name what the app works with (Zoom: app icon and app name).
    """
    if not name.strip() or len(name) >= 50:
        return "The name of an app has 1 to 49 characters."
    if name.strip().lower().startswith("zoom"):
        return "The name of an app must not begin with Zoom; write 'Something for Zoom'."
    return ""


def scope_name(scope: Scope, *, admin: bool, classic: bool) -> str:
    """Name of the scope as the Marketplace lists it for this type of app."""
    return f"{scope.classic if classic else scope.name}{':admin' if admin else ''}"


def required_scopes(*, admin: bool, kinds: Iterable[str] = ()) -> list[Scope]:
    """Scopes of an account-level (``admin``) or a personal app, for some features or all but
    summaries, which only an app has that names them."""
    features = {*kinds, "directory"} if kinds else None
    return [
        scope
        for scope in (*SCOPES, *(SUMMARY_SCOPES if features else ()))
        if (admin or not scope.admin_only) and (features is None or scope.feature in features)
    ]


def manifest(
    name: str, events: Iterable[str], *, admin: bool, kinds: Iterable[str] = ()
) -> dict[str, Any]:
    """The app's manifest as a file in Zoom's format (Zoom: app manifest), for the Marketplace.

    A call of Zoom's API has it inside ``{"manifest": …}``.

    Args:
        events: names of the webhook events to subscribe to (``sync.handlers.subscriptions``).
    """
    scopes = [
        {"scope": scope_name(scope, admin=admin, classic=False), "optional": scope.optional}
        for scope in required_scopes(admin=admin, kinds=kinds)
    ]
    return {
        "display_information": {"display_name": name},
        "oauth_information": {
            "usage": "ADMIN_MANAGEMENT" if admin else "USER_OPERATION",
            "development_redirect_uri": redirect_url(),
            "production_redirect_uri": redirect_url(),
            "oauth_allow_list": [redirect_url()],
            "strict_mode": True,
            "subdomain_strict_mode": False,
            "scopes": scopes,
        },
        "features": {
            "products": ["ZOOM_MEETING"],
            "development_home_uri": "",
            "production_home_uri": "",
            "in_client_feature": {"zoom_app_api": {"enable": False}},
            "zoom_client_support": {
                "mobile": {"enable": False},
                "pwa_client": {"enable": False},
            },
            "event_subscription": {
                "enable": True,
                "events": [
                    {
                        "subscription_name": "wagtail-zoom",
                        "development_webhook_url": event_url(),
                        "production_webhook_url": event_url(),
                        "event_types": list(events),
                    }
                ],
            },
        },
    }
