"""What the installation's app in the Zoom Marketplace has to be told, from one place.

Feeds ``zoom_app_config``. Scopes come from the registry in ``scopes``; the names of the events are
Zoom's (Zoom: webhook reference).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from .scopes import REGISTRATION, SCOPES, Scope

_CHANGES = _("to follow new, moved, renamed and cancelled dates at once")
_LIVE = _("to show that it is live, and that it is over")
_SIGNUPS = _("to follow sign-ups that Zoom or the host decides on")

EVENTS: tuple[tuple[str, str, Any], ...] = (
    ("meeting.created", "meeting", _CHANGES),
    ("meeting.updated", "meeting", _CHANGES),
    ("meeting.deleted", "meeting", _CHANGES),
    ("meeting.permanently_deleted", "meeting", _CHANGES),
    ("meeting.recovered", "meeting", _CHANGES),
    ("meeting.converted_to_webinar", "meeting", _CHANGES),
    ("meeting.started", "meeting", _LIVE),
    ("meeting.ended", "meeting", _LIVE),
    ("meeting.registration_created", REGISTRATION, _SIGNUPS),
    ("meeting.registration_approved", REGISTRATION, _SIGNUPS),
    ("meeting.registration_cancelled", REGISTRATION, _SIGNUPS),
    ("meeting.registration_denied", REGISTRATION, _SIGNUPS),
    ("webinar.created", "webinar", _CHANGES),
    ("webinar.updated", "webinar", _CHANGES),
    ("webinar.deleted", "webinar", _CHANGES),
    ("webinar.permanently_deleted", "webinar", _CHANGES),
    ("webinar.recovered", "webinar", _CHANGES),
    ("webinar.converted_to_meeting", "webinar", _CHANGES),
    ("webinar.started", "webinar", _LIVE),
    ("webinar.ended", "webinar", _LIVE),
    ("webinar.registration_created", REGISTRATION, _SIGNUPS),
    ("webinar.registration_approved", REGISTRATION, _SIGNUPS),
    ("webinar.registration_cancelled", REGISTRATION, _SIGNUPS),
    ("webinar.registration_denied", REGISTRATION, _SIGNUPS),
    ("recording.completed", "recording", _("to offer a recording as soon as it is ready")),
    ("recording.transcript_completed", "recording", _("to offer the transcript")),
    ("recording.renamed", "recording", _CHANGES),
    ("recording.trashed", "recording", _("to take a recording off the pages at once")),
    ("recording.deleted", "recording", _("to take a recording off the pages at once")),
    ("recording.recovered", "recording", _("to bring a recording back")),
    ("recording.batch_trashed", "recording", _("to take recordings off the pages at once")),
    ("recording.batch_deleted", "recording", _("to take recordings off the pages at once")),
    ("recording.batch_recovered", "recording", _("to bring recordings back")),
    ("user.created", "directory", _("to offer new hosts for choice")),
    ("user.updated", "directory", _("to keep the names of hosts")),
    ("user.activated", "directory", _("to offer new hosts for choice")),
    ("user.deactivated", "directory", _("to say that a host is gone")),
    ("user.deleted", "directory", _("to say that a host is gone")),
    ("user.disassociated", "directory", _("to say that a host is gone")),
)
"""Subscriptions: name, feature and reason. ``app_deauthorized`` comes without one."""


def redirect_url() -> str:
    """The one OAuth redirect URL."""
    return f"{settings.base_url}{reverse('wagtail_zoom:oauth_callback')}"


def event_url() -> str:
    """The one event notification endpoint."""
    return f"{settings.base_url}{reverse('wagtail_zoom:webhook')}"


def start_url() -> str:
    """The link of the listing with which an owner begins."""
    return f"{settings.base_url}{reverse('wagtail_zoom:start')}"


def name_trouble(name: str) -> str:
    """What the Marketplace would refuse about an app's name, as a sentence; else nothing.

    "Zoom" may only say what it works with (Zoom: app icon and app name).
    """
    if not name.strip() or len(name) > 50:
        return "The name of an app has 1 to 50 characters."
    if name.strip().lower().startswith("zoom"):
        return "The name of an app must not begin with Zoom; write 'Something for Zoom'."
    return ""


def scope_name(scope: Scope, *, admin: bool, classic: bool) -> str:
    """As the Marketplace lists it for this kind of app."""
    return f"{scope.classic if classic else scope.name}{':admin' if admin else ''}"


def wanted_scopes(*, admin: bool, kinds: Iterable[str] = ()) -> list[Scope]:
    """The scopes of an account-level (``admin``) or a personal app, for some features or all."""
    chosen = {*kinds, "directory"} if kinds else None
    return [
        scope
        for scope in SCOPES
        if (admin or not scope.admin_only) and (chosen is None or scope.feature in chosen)
    ]


def wanted_events(*, admin: bool, kinds: Iterable[str] = ()) -> list[tuple[str, str, Any]]:
    """The subscriptions; a personal app hears nothing of other users."""
    chosen = {*kinds, "directory"} if kinds else None
    return [
        row
        for row in EVENTS
        if (admin or row[1] != "directory") and (chosen is None or row[1] in chosen)
    ]


def manifest(name: str, *, admin: bool, kinds: Iterable[str] = ()) -> dict[str, Any]:
    """The app's manifest in Zoom's format (Zoom: app manifest), to upload in the Marketplace."""
    names = [
        {"scope": scope_name(scope, admin=admin, classic=False), "optional": scope.optional}
        for scope in wanted_scopes(admin=admin, kinds=kinds)
    ]
    return {
        "manifest": {
            "display_information": {"display_name": name},
            "oauth_information": {
                "usage": "ADMIN_OPERATION" if admin else "USER_OPERATION",
                "development_redirect_uri": redirect_url(),
                "production_redirect_uri": redirect_url(),
                "oauth_allow_list": [redirect_url()],
                "strict_mode": True,
                "subdomain_strict_mode": False,
                "scopes": names,
            },
            "features": {
                "products": ["ZOOM_MEETING"],
                "development_home_uri": "",
                "production_home_uri": "",
                "in_client_feature": {"zoom_app_api": {"enable": False}},
                "zoom_client_support": {"mobile": {"enable": False}, "pwa_client": False},
                "event_subscription": {
                    "enable": True,
                    "events": [
                        {
                            "subscription_name": "wagtail-zoom",
                            "event_webhook_url": event_url(),
                            "event_types": [
                                row[0] for row in wanted_events(admin=admin, kinds=kinds)
                            ],
                        }
                    ],
                },
            },
        }
    }
