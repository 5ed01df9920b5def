"""Application config."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WagtailZoomConfig(AppConfig):
    """Registers system checks and the one schedule of the worker."""

    name = "wagtail_zoom"
    label = "wagtail_zoom"
    verbose_name = _("Zoom")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import what registers itself; nothing here touches the database."""
        from django.db.models.signals import post_migrate

        from . import checks, notices, purging, touching  # noqa: F401 - checks register themselves
        from .registration import wiring
        from .schedule import ensure_schedule
        from .signals import mirror_changed
        from .sync import hooks

        post_migrate.connect(ensure_schedule, sender=self, dispatch_uid="wagtail_zoom.schedule")
        mirror_changed.connect(purging.on_change, dispatch_uid="wagtail_zoom.purging")
        wiring.connect()
        touching.connect()
        hooks.on_tick(purging.sweep)
        hooks.on_tick(notices.send_due_notices)
