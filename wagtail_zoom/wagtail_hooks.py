"""Registers the views, menus and actions of ``admin/`` with Wagtail."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting

from .admin import log_actions
from .models import ZoomSettings

register_setting(ZoomSettings, icon="media")
hooks.register("register_log_actions", log_actions.register)


@hooks.register("register_admin_urls", order=-10)
def register_admin_urls() -> list[Any]:
    """Before Wagtail's own settings view, so that our panel takes over its URL."""
    from .admin import urls
    from .admin.views.panel import PanelView

    return [
        path("settings/wagtail_zoom/zoomsettings/<int:pk>/", PanelView.as_view()),
        path("zoom/", include(urls)),
    ]


@hooks.register("register_admin_viewset")
def register_viewsets() -> list[Any]:
    """The menu with its listings, and the chooser."""
    from .admin.chooser_views import item_chooser
    from .admin.viewsets import ZoomViewSetGroup

    return [ZoomViewSetGroup(), item_chooser]


@hooks.register("register_reports_menu_item")
def register_overview() -> Any:
    """Reports → Zoom sites, for superusers."""
    from wagtail.admin.menu import MenuItem

    class OverviewMenuItem(MenuItem):
        def is_shown(self, request: Any) -> bool:
            return bool(request.user.is_superuser)

    return OverviewMenuItem(
        _("Zoom sites"), reverse("wagtail_zoom_admin:overview"), icon_name="globe", order=950
    )


@hooks.register("construct_homepage_panels")
def add_homepage_panel(request: Any, panels: list[Any]) -> None:
    """Open tasks of this user, if any."""
    from .admin.homepage import ZoomHomePanel

    panels.append(ZoomHomePanel(request))


def _register_bulk_actions() -> None:
    from .admin.listings import bulk_items, bulk_registrations, bulk_sites

    for action in (*bulk_items.ACTIONS, *bulk_registrations.ACTIONS, *bulk_sites.ACTIONS):
        hooks.register("register_bulk_action", action)


_register_bulk_actions()
