"""Why single rows of a list are not shown, from what the list has read already: no query here."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from ..frontend import visibility_reasons
from ..models import ExposedHost, SiteItem, ZoomSettings
from .site_status import Facts


def ticked(choice: ZoomSettings) -> set[int]:
    """Primary keys of the ticked hosts: one query for a whole list."""
    return set(ExposedHost.objects.filter(settings=choice.pk).values_list("host", flat=True))


def meeting(known: Facts, item: SiteItem, hosts: set[int]) -> str:
    """The first rule that keeps a meeting off the pages."""
    return _explain(known, item.meeting, item, hosts)


def recording(known: Facts, item: SiteItem, hosts: set[int]) -> str:
    """The first rule that keeps a recording off the pages."""
    return _explain(known, item.recording, item, hosts)


def _explain(known: Facts, thing: Any, item: SiteItem, hosts: set[int]) -> str:
    found = visibility_reasons.explain(known.choice, thing, item=item, ticked=hosts)
    return found or _("It is not shown at present.")
