"""Why rows of a list are not visible, from data the list has already loaded: no query here."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from ..frontend import visibility_reasons
from ..models import ExposedHost, SiteItem, ZoomSettings
from .site_status import SiteStatus


def exposed_host_ids(site_settings: ZoomSettings) -> set[int]:
    """Primary keys of the selected hosts: one query for a whole list."""
    return set(ExposedHost.objects.filter(settings=site_settings.pk).values_list("host", flat=True))


def meeting_reason(site_status: SiteStatus, item: SiteItem, host_ids: set[int]) -> str:
    """The first rule that hides a meeting."""
    return _explain(site_status, item.meeting, item, host_ids)


def recording_reason(site_status: SiteStatus, item: SiteItem, host_ids: set[int]) -> str:
    """The first rule that hides a recording."""
    return _explain(site_status, item.recording, item, host_ids)


def _explain(site_status: SiteStatus, obj: Any, item: SiteItem, host_ids: set[int]) -> str:
    reason = visibility_reasons.explain(
        site_status.site_settings, obj, item=item, exposed_hosts=host_ids
    )
    return reason or _("It is not shown at present.")
