"""Application config: connects signal receivers when Django starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig, apps
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

Connection = tuple[Signal, Callable[..., Any], Any]
"""A signal, its receiver, and the sender (None: any)."""


class WagtailZoomConfig(AppConfig):
    """Registers the system checks and connects all receivers of the package."""

    name = "wagtail_zoom"
    label = "wagtail_zoom"
    verbose_name = _("Zoom")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect every entry of ``connections()``; nothing here touches the database."""
        from . import checks  # noqa: F401 - registers the system checks
        from .frontend import served_page

        served_page.remember_previews()
        for signal, receiver, sender in self.connections():
            signal.connect(receiver, sender=sender, dispatch_uid=uid_of(receiver, sender))

    def connections(self) -> list[Connection]:
        """All signal receivers of the package, in one place."""
        from django.core.signals import request_finished, request_started, setting_changed
        from django.db.models.signals import post_delete, post_migrate, post_save
        from django.utils.autoreload import file_changed
        from wagtail.models import PageViewRestriction as restriction

        from .admin import item_access
        from .frontend import datetimes, served_page
        from .frontend.cache import fingerprint, invalidation, purge
        from .oauth import disconnect
        from .registration import events, retention
        from .signals import (
            account_disconnected,
            mirror_changed,
            occurrences_moved,
            registration_event,
        )
        from .utils import queue

        zoom_settings = self.get_model("ZoomSettings")
        return [
            (post_migrate, queue.ensure_schedule, self),  # guard: wire-schedule
            *([] if not apps.is_installed("django_q") else self._worker_connections()),
            (registration_event, events.on_registration_event, None),  # guard: wire-registrations
            (occurrences_moved, events.on_occurrences_moved, None),  # guard: wire-moved-dates
            (mirror_changed, purge.on_mirror_changed, None),  # guard: wire-change-purge
            (account_disconnected, purge.on_disconnected, None),  # guard: wire-disconnect-purge
            (post_save, purge.on_settings_saved, zoom_settings),  # guard: wire-settings-purge
            (post_save, purge.on_restriction_changed, restriction),  # guard: wire-restriction-purge
            (post_delete, purge.on_restriction_changed, restriction),  # guard: wire-opened-purge
            (post_save, retention.on_settings_saved, zoom_settings),  # guard: wire-retention
            (
                post_delete,
                disconnect.on_settings_deleted,
                zoom_settings,
            ),  # guard: wire-deleted-site
            *invalidation.signal_connections(),  # guard: wire-block-cache
            (request_started, served_page.forget, None),  # guard: wire-served-page-start
            (request_finished, served_page.forget, None),  # guard: wire-served-page-end
            (file_changed, fingerprint.clear_fingerprint, None),
            (setting_changed, fingerprint.clear_fingerprint, None),
            (file_changed, datetimes.clear_formats, None),
            (request_finished, item_access.end_request, None),  # guard: wire-admin-user
        ]

    def _worker_connections(self) -> list[Connection]:
        from django_q.signals import post_spawn

        from .utils import queue

        return [(post_spawn, queue.on_worker_start, None)]


def uid_of(receiver: Callable[..., Any], sender: Any) -> str:
    """``dispatch_uid`` of a connection: connecting twice connects once."""
    return f"{receiver.__module__}.{receiver.__qualname__}:{getattr(sender, '__name__', '')}"
