"""Registers what ``admin/`` offers with Wagtail; nothing else."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting

from .models import ZoomSettings

register_setting(ZoomSettings, icon="media")


@hooks.register("register_admin_urls", order=-10)
def register_admin_urls() -> list[Any]:
    """Before Wagtail's own settings view, so that our panel answers at its address."""
    from .admin import urls
    from .admin.views.panel import PanelView

    return [
        path("settings/wagtail_zoom/zoomsettings/<int:pk>/", PanelView.as_view()),
        path("zoom/", include(urls)),
    ]


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Entries in Wagtail's audit log; they are never purged, so they hold no personal data."""
    for name, label, message in (
        ("connect", _("Connect Zoom"), _("Zoom connected")),
        ("disconnect", _("Disconnect Zoom"), _("Zoom disconnected")),
        ("exposure", _("Change what Zoom shows"), _("Changed what visitors see from Zoom")),
        ("adopt", _("Wake a copied installation"), _("Zoom switched on in this installation")),
        ("registrants", _("Look at sign-ups"), _("Looked at people's sign-ups")),
        ("export", _("Export sign-ups"), _("Exported people's sign-ups")),
        ("publish", _("Show to visitors"), _("Shown to visitors")),
        ("hide", _("Hide from visitors"), _("Hidden from visitors")),
    ):
        actions.register_action(f"wagtail_zoom.{name}", label, message)
