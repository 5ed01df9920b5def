"""Registers the list of deployments with Wagtail. Wagtail imports it; the hub itself does not."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_admin_viewset")
def register_viewset() -> Any:
    """Settings → Zoom deployments."""
    from .wagtail_admin import DeploymentViewSet

    return DeploymentViewSet()


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """What Wagtail's audit log says of a deployment."""
    actions.register_action(
        "wagtail_zoom_hub.send_again", _("Send events again"), _("Sent events from Zoom again")
    )
