"""Registers what ``admin/`` offers with Wagtail; nothing else."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting

from .admin import audit
from .models import ZoomSettings

register_setting(ZoomSettings, icon="media")
hooks.register("register_log_actions", audit.register)


@hooks.register("register_admin_urls", order=-10)
def register_admin_urls() -> list[Any]:
    """Before Wagtail's own settings view, so that our panel answers at its address."""
    from .admin import urls
    from .admin.views.panel import PanelView

    return [
        path("settings/wagtail_zoom/zoomsettings/<int:pk>/", PanelView.as_view()),
        path("zoom/", include(urls)),
    ]


@hooks.register("register_admin_viewset")
def register_viewsets() -> list[Any]:
    """The menu with its lists, and the chooser."""
    from .admin.choosing import item_chooser
    from .admin.viewsets import ZoomViewSetGroup

    return [ZoomViewSetGroup(), item_chooser]


def _register_bulk_actions() -> None:
    from .admin.listings.bulk import ACTIONS

    for action in ACTIONS:
        hooks.register("register_bulk_action", action)


_register_bulk_actions()
