"""Application config of the hub."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WagtailZoomHubConfig(AppConfig):
    """Registers the system checks, and the schedule after ``migrate``."""

    name = "wagtail_zoom.hub"
    label = "wagtail_zoom_hub"
    verbose_name = _("Zoom hub")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the signal receivers; nothing here touches the database."""
        from django.db.models.signals import post_migrate

        from . import checks, own_sites  # noqa: F401 - registers the system checks

        post_migrate.connect(_on_migrate, sender=self, dispatch_uid="wagtail_zoom_hub.schedule")
        own_sites.connect_receivers()


def _on_migrate(**kwargs: Any) -> None:
    from ..utils.queue import MinuteSchedule, ensure_schedule

    model = ("wagtail_zoom_hub", "Deployment")
    schedule = MinuteSchedule("wagtail-zoom hub tick", "wagtail_zoom.hub.tasks.tick", model)
    ensure_schedule(schedule, **kwargs)
