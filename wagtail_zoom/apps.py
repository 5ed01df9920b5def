"""Application config."""

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class WagtailZoomConfig(AppConfig):
    """Registers system checks and the one schedule of the worker."""

    name = "wagtail_zoom"
    label = "wagtail_zoom"
    verbose_name = _("Zoom")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import what registers itself; nothing here touches the database."""
        from django.db.models.signals import post_migrate, post_save

        from . import checks, notices, purging, takeback  # noqa: F401 - register themselves
        from .keeping import touching
        from .registration import wiring
        from .schedule import ensure_schedule, on_worker_start
        from .signals import account_disconnected, mirror_changed
        from .sync import hooks

        post_migrate.connect(ensure_schedule, sender=self, dispatch_uid="wagtail_zoom.schedule")
        if apps.is_installed("django_q"):
            from django_q.signals import post_spawn

            post_spawn.connect(on_worker_start, dispatch_uid="wagtail_zoom.schedule")
        mirror_changed.connect(purging.on_change, dispatch_uid="wagtail_zoom.purging")
        post_save.connect(
            takeback.on_choice,
            sender=self.get_model("ZoomSettings"),
            dispatch_uid="wagtail_zoom.takeback",
        )
        account_disconnected.connect(takeback.on_leave, dispatch_uid="wagtail_zoom.takeback")
        wiring.connect()
        touching.connect()
        hooks.on_tick(purging.sweep)
        hooks.on_tick(notices.send_due_notices)
