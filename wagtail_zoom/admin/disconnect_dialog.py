"""The dialog before a Site disconnects: its pages, what is deleted, who has registered."""

from __future__ import annotations

from typing import Any

from ..models import Registration
from . import data_loss, links, usage
from .site_status import SiteStatus

ACTIVE_STATES = ("unconfirmed", "waiting", "pending", "approved")
MAX_PAGES = 5


def context(site_status: SiteStatus) -> dict[str, Any]:
    """Template context of the dialog in the panel and of the page without JavaScript."""
    registrations = Registration.objects.filter(
        site=site_status.site, state__in=ACTIVE_STATES, dates__start__gte=site_status.now
    )
    return {
        "pages": usage.with_block_names(site_status.pages[:MAX_PAGES]),
        "page_count": len(site_status.pages),
        "more_pages": max(0, len(site_status.pages) - MAX_PAGES),
        "loss": data_loss.loss_of_disconnect(
            site_status.site_settings, site_status.stored_host_ids
        ),
        "registration_count": registrations.values("pk").distinct().count(),
        "is_archive": site_status.grant is None,
        "disconnect_url": links.view_url("disconnect", site_status),
    }
