"""Times as visitors read them: in the zone of the Zoom event, named beside the time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone


def zone_of(name: str) -> ZoneInfo:
    """The zone that Zoom named; the site's when there is none or it is not a zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return timezone.get_default_timezone()


def in_zone(moment: datetime, name: str) -> datetime:
    """The same instant on the clock of that zone."""
    return moment.astimezone(zone_of(name))


def zone_label(moment: datetime, name: str) -> str:
    """The zone and its abbreviation on that day, such as "Europe/Berlin (CET)"."""
    local = in_zone(moment, name)
    place, short = str(local.tzinfo).replace("_", " "), local.tzname() or ""
    return place if short in ("", place) else f"{place} ({short})"
