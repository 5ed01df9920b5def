"""Why visitors do not see something. Rows of a list: from what the list has loaded, no query."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..frontend import visibility_reasons
from ..frontend.visibility import ItemRow, SiteVisibility
from ..models import ExposedHost, SiteItem, ZoomSettings
from .site_status import SiteStatus


def exposed_host_ids(site_settings: ZoomSettings) -> set[int]:
    """Primary keys of the selected hosts: one query for a whole list."""
    return set(ExposedHost.objects.filter(settings=site_settings.pk).values_list("host", flat=True))


def row_reason(site_status: SiteStatus, row: ItemRow, item: SiteItem, host_ids: set[int]) -> str:
    """The first rule that hides the row of an item."""
    reason = visibility_reasons.explain(
        site_status.site_settings, row, item=item, exposed_hosts=host_ids
    )
    return reason or _("It is not shown at present.")


def hidden_reason(item: SiteItem, visibility: SiteVisibility | None = None) -> str:
    """Why visitors do not see an item; empty if they do."""
    visibility = visibility or SiteVisibility.for_site(item.site)
    row = visibility.row_of(item)
    if row is None:
        return _("It is not available to this site now.")
    return str(visibility.why_hidden(row) or "")
