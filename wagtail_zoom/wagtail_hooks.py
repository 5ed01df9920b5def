"""Registers the views, menus and actions of ``admin/`` with Wagtail."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting

from .admin import comparisons, item_access, log_actions
from .frontend import served_page
from .frontend.cache import headers
from .models import ZoomSettings

register_setting(ZoomSettings, icon="media")
# Innermost: a page that its view restrictions hide is not being served.
hooks.register("on_serve_page", served_page.remember, order=1000)
hooks.register("on_serve_page", headers.limit_lifetime, order=1000)
hooks.register("register_log_actions", log_actions.register)
hooks.register("construct_main_menu", item_access.start_admin_page)
for name in ("page", "snippet"):
    hooks.register(f"before_edit_{name}", item_access.start_editing)
    hooks.register(f"before_create_{name}", item_access.start_adding)
comparisons.register()


@hooks.register("register_admin_urls", order=-10)
def register_admin_urls() -> list[Any]:
    """Before Wagtail's own settings view, so that our panel takes over its URL.

    Wagtail finds the model whatever the case of its name in the URL; so does the panel.
    """
    from .admin import urls
    from .admin.views.panel import PanelView

    return [
        path("settings/wagtail_zoom/<slug:model_name>/<int:pk>/", PanelView.as_view()),
        path("zoom/", include(urls)),
    ]


@hooks.register("after_publish_page")
def warn_after_publishing(request: Any, page: Any) -> None:
    """What visitors would not see of the blocks of a page that has just been published."""
    from .admin.views.editor import warn_after_publishing

    warn_after_publishing(request, page)


@hooks.register("after_unpublish_page")
def tell_what_stays(request: Any, page: Any) -> None:
    """The meetings that were scheduled for a page stay in Zoom."""
    from .admin.scheduling.pages import tell_what_stays

    tell_what_stays(request, page)


@hooks.register("before_delete_page")
def tell_before_deleting(request: Any, page: Any) -> None:
    """The same for a page that is deleted."""
    from .admin.scheduling.pages import tell_before_deleting

    tell_before_deleting(request, page)


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


@hooks.register("construct_settings_menu")
def name_settings_item(request: Any, items: list[Any]) -> None:
    """The entry under "Settings" has another name than the menu "Zoom"."""
    for item in items:
        if getattr(item, "model", None) is ZoomSettings:
            item.label = _("Zoom connection")


@hooks.register("construct_homepage_panels")
def add_homepage_panel(request: Any, panels: list[Any]) -> None:
    """First run and open tasks of this user, if any; for superusers also the installation."""
    from .admin.homepage import ChecklistHomePanel, InstallationHomePanel, ZoomHomePanel

    panels += [ChecklistHomePanel(request), ZoomHomePanel(request)]
    if request.user.is_superuser:
        panels.append(InstallationHomePanel())


def _register_bulk_actions() -> None:
    from .admin.listings import bulk_items, bulk_registrations, bulk_sites

    for action in (*bulk_items.ACTIONS, *bulk_registrations.ACTIONS, *bulk_sites.ACTIONS):
        hooks.register("register_bulk_action", action)


_register_bulk_actions()
