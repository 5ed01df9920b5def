"""Configuration of the installation's app in the Zoom Marketplace, for ``zoom_app_config``.

Scopes come from the registry in ``scopes``, events from the table in ``sync.handlers``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import reverse

from ..conf import settings
from .scopes import SCOPES, SUMMARY_SCOPES, Scope


@dataclass(frozen=True)
class AppUrls:
    """The URLs to enter in the Marketplace."""

    redirect_urls: tuple[str, ...]
    """The first one is the app's; all are in its allow list."""
    event_url: str
    """The one event notification endpoint."""
    start_url: str = ""
    """Where an owner starts from the Marketplace listing; a hub without Sites has none."""


def app_urls(hub: str = "") -> AppUrls:
    """The URLs of this installation's app, or of the app of a hub elsewhere.

    Args:
        hub: where that hub is mounted, such as ``https://hub.example.org/zoom/hub``: the
            ``OAUTH_URL`` of its deployments.
    """
    if hub:
        return AppUrls((f"{hub}/callback/",), f"{hub}/webhook/")
    own, start = _url("wagtail_zoom:oauth_callback"), _url("wagtail_zoom:start")
    if apps.is_installed("wagtail_zoom.hub"):
        redirect_urls = (_url("wagtail_zoom_hub:callback"), own)
        return AppUrls(redirect_urls, _url("wagtail_zoom_hub:webhook"), start)
    return AppUrls((own,), _url("wagtail_zoom:webhook"), start)


def _url(name: str) -> str:
    return f"{settings.base_url}{reverse(name)}"


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
    name: str,
    events: Iterable[str],
    *,
    admin: bool,
    kinds: Iterable[str] = (),
    urls: AppUrls | None = None,
) -> dict[str, Any]:
    """The app's manifest as a file in Zoom's format (Zoom: app manifest), for the Marketplace.

    A call of Zoom's API has it inside ``{"manifest": …}``.

    Args:
        events: names of the webhook events to subscribe to (``sync.handlers.subscriptions``).
        urls: by default those of this installation.
    """
    urls = urls or app_urls()
    scopes = [
        {"scope": scope_name(scope, admin=admin, classic=False), "optional": scope.optional}
        for scope in required_scopes(admin=admin, kinds=kinds)
    ]
    return {
        "display_information": {"display_name": name},
        "oauth_information": {
            "usage": "ADMIN_MANAGEMENT" if admin else "USER_OPERATION",
            "development_redirect_uri": urls.redirect_urls[0],
            "production_redirect_uri": urls.redirect_urls[0],
            "oauth_allow_list": list(urls.redirect_urls),
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
                        "development_webhook_url": urls.event_url,
                        "production_webhook_url": urls.event_url,
                        "event_types": list(events),
                    }
                ],
            },
        },
    }
