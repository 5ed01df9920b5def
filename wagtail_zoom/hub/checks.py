"""System checks of the hub."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import NoReverseMatch, reverse

from ..conf import settings
from ..exceptions import ZoomConfigurationError

REQUIRED = ("CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET_TOKENS", "BASE_URL")


@register(Tags.compatibility)
def check_hub(**kwargs: Any) -> list[CheckMessage]:
    """Settings, URLs and queue that the hub needs."""
    return [*_settings(), *_urls(), *_queue(), *_networks()]


def _settings() -> list[CheckMessage]:
    if apps.is_installed("wagtail_zoom"):
        return []  # It reports the same settings.
    missing = [name for name in REQUIRED if not settings.get(name)]
    try:
        settings.encryption_keys  # noqa: B018 - raises
    except ZoomConfigurationError:
        missing.append("ENCRYPTION_KEYS")
    return [
        Error(
            f"WAGTAIL_ZOOM['{name}'] is not set.",
            hint="The hub needs it; see the guide to the hub in the documentation.",
            id="wagtail_zoom_hub.E001",
        )
        for name in missing
    ]


def _urls() -> list[CheckMessage]:
    try:
        reverse("wagtail_zoom_hub:callback")
    except NoReverseMatch:
        return [
            Error(
                "The URLs of the hub are not included.",
                hint='Add to your URLs: path("zoom/hub/", include("wagtail_zoom.hub.urls")), '
                'before path("zoom/", …).',
                id="wagtail_zoom_hub.E002",
            )
        ]
    return []


def _queue() -> list[CheckMessage]:
    if getattr(django_settings, "Q_CLUSTER", None):
        return []
    return [
        Warning(
            "Q_CLUSTER is not set: no event reaches a deployment.",
            hint="Set Q_CLUSTER and run manage.py qcluster.",
            id="wagtail_zoom_hub.W003",
        )
    ]


def _networks() -> list[CheckMessage]:
    return [
        Warning(
            problem,
            hint="Write networks such as '10.0.0.0/8'.",
            id="wagtail_zoom_hub.W004",
        )
        for problem in settings.hub_private_network_problems
    ]
