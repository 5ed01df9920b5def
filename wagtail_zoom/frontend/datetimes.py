"""Formats dates and times in the time zone of the Zoom event, with the name of the zone.

Used for pages, calendars, structured data and emails. Zoom sends instants in UTC; local times
follow from the IANA zone, so daylight saving time is correct.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as django_format
from django.utils.formats import get_format
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _


def get_zone(name: str) -> tzinfo:
    """The zone of this name; the installation's default when it is empty or unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return timezone.get_default_timezone()


def in_zone(value: datetime, name: str) -> datetime:
    """The same instant in the local time of that zone."""
    return value.astimezone(get_zone(name))


def zone_city(name: str) -> str:
    """The zone without its abbreviation, such as "Berlin time"."""
    zone = str(get_zone(name))
    place = zone.rpartition("/")[2].replace("_", " ")
    if place in ("UTC", "GMT", "Universal", "Zulu"):
        return place
    return _("%(city)s time") % {"city": place}


def zone_label(value: datetime, name: str) -> str:
    """The zone and its abbreviation on that day, such as "Berlin time (CET)"."""
    place, short = zone_city(name), in_zone(value, name).tzname() or ""
    if not short or short == place:
        return place
    if short[0] in "+-":
        short = f"UTC{short}"
    return f"{place} ({short})"


def format_date(value: datetime, pattern: str) -> str:
    """Django's format in the active language, cached because lists repeat the same days."""
    if _ZONE_LETTERS & set(pattern):
        return django_format(value, pattern)
    # Naive, because equal instants in two zones have different local times.
    return _format_cached(value.replace(tzinfo=None), pattern, get_language() or "")


_ZONE_LETTERS = frozenset("ceIOrTUZ")
"""Format characters of Django that need the time zone."""


@lru_cache(maxsize=4096)
def _format_cached(value: datetime, pattern: str, language: str) -> str:
    return django_format(value, pattern)


def clear_formats(**kwargs: Any) -> None:
    """Receiver of ``file_changed``: a translation catalogue may have changed in development."""
    _format_cached.cache_clear()
    _length_cached.cache_clear()


def hour_cycle() -> int:
    """12 or 24, by the active language; the project's ``FORMAT_MODULE_PATH`` takes precedence."""
    code = (get_language() or "").lower()
    if code in ("en-gb", "en-ie") and not settings.FORMAT_MODULE_PATH:
        return 24
    pattern = str(get_format("TIME_FORMAT"))
    return 12 if set(pattern) & set("PgaA") else 24


def format_time(value: datetime) -> str:
    """The time of day of a local datetime: "18:30" or "6:30 PM"."""
    return format_date(value, "g:i A" if hour_cycle() == 12 else "H:i")


def full_day(value: datetime) -> str:
    """ "Thursday 26 November 2026" """
    # Translators: a date format in Django's letters, with weekday and year.
    return format_date(value, pgettext("date format", "l j F Y"))


def day(value: datetime, now: datetime | None = None) -> str:
    """ "Thursday 26 November", with the year when it is not the current one."""
    if value.year != (now or timezone.now()).astimezone(value.tzinfo).year:
        return full_day(value)
    # Translators: a date format in Django's letters, with weekday, without the year.
    return format_date(value, pgettext("date format", "l j F"))


def plain_day(value: datetime) -> str:
    """ "26 November 2026" """
    # Translators: a date format in Django's letters, without weekday, with the year.
    return format_date(value, pgettext("date format", "j F Y"))


def short_day(value: datetime) -> str:
    """ "26 November" """
    # Translators: a date format in Django's letters, only day and month.
    return format_date(value, pgettext("date format", "j F"))


def month(value: datetime) -> str:
    """ "November 2026" """
    # Translators: a date format in Django's letters, only month and year.
    return format_date(value, pgettext("date format", "F Y"))


def day_and_time(value: datetime) -> str:
    """ "Sunday 22 November at 09:40" """
    return _("%(day)s at %(time)s") % {"day": day(value), "time": format_time(value)}


def length(minutes: int) -> str:
    """A duration in words: "90 minutes", "2 hours", "1 hour 5 minutes".

    A number and its unit are joined by a no-break space.
    """
    return _length_cached(minutes, get_language() or "")


@lru_cache(maxsize=1024)
def _length_cached(minutes: int, language: str) -> str:
    hours, rest = divmod(minutes, 60) if minutes > 90 else (0, minutes)
    parts = []
    if hours:
        parts.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    if rest or not hours:
        parts.append(ngettext("%(count)d minute", "%(count)d minutes", rest) % {"count": rest})
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


@dataclass(frozen=True)
class TimeRange:
    """Start and end in the local time of their zone, with the formats that templates need."""

    start: datetime
    end: datetime
    zone_name: str = ""
    previous: datetime | None = None
    """The start before it was moved, in the same zone."""

    @classmethod
    def of(
        cls, start: datetime, end: datetime, zone_name: str, previous: datetime | None = None
    ) -> TimeRange:
        """From instants in any zone."""
        return cls(
            in_zone(start, zone_name),
            in_zone(end, zone_name),
            zone_name,
            in_zone(previous, zone_name) if previous else None,
        )

    @property
    def day(self) -> str:
        """ "Thursday 26 November", with the year when it is not this year."""
        return day(self.start)

    @property
    def full_day(self) -> str:
        return full_day(self.start)

    @property
    def plain_day(self) -> str:
        return plain_day(self.start)

    @property
    def short_day(self) -> str:
        return short_day(self.start)

    @property
    def day_only(self) -> str:
        """ "26 November", with the year when it is not this year; beside a weekday."""
        this_year = timezone.now().astimezone(self.start.tzinfo).year
        return short_day(self.start) if self.start.year == this_year else plain_day(self.start)

    @property
    def weekday(self) -> str:
        return format_date(self.start, "l")

    @property
    def weekday_short(self) -> str:
        return format_date(self.start, "D")

    @property
    def number(self) -> int:
        """The day of the month."""
        return self.start.day

    @property
    def month_short(self) -> str:
        """ "Nov", with the year when it is not this year."""
        this_year = timezone.now().astimezone(self.start.tzinfo).year
        return format_date(self.start, "M" if self.start.year == this_year else "M Y")

    @property
    def starts(self) -> str:
        return format_time(self.start)

    @property
    def spans_days(self) -> bool:
        """Whether it ends on another day than it starts; ``ends`` is longer then."""
        return self.end.date() != self.start.date()

    @property
    def ends(self) -> str:
        """The end's time of day, with its day when that is not the day of the start."""
        end_time = format_time(self.end)
        return f"{day(self.end)}, {end_time}" if self.spans_days else end_time

    @property
    def was(self) -> str:
        """The previous start: "Tuesday 24 November, 19:00", or empty."""
        return f"{day(self.previous)}, {format_time(self.previous)}" if self.previous else ""

    @property
    def zone(self) -> str:
        """ "Berlin time (CET)" """
        return zone_label(self.start, self.zone_name)

    @property
    def zone_city(self) -> str:
        """ "Berlin time" """
        return zone_city(self.zone_name)

    @property
    def iso_day(self) -> str:
        return self.start.date().isoformat()

    @property
    def iso_start(self) -> str:
        """For ``<time datetime>``, with the UTC offset."""
        return self.start.isoformat(timespec="minutes")

    @property
    def iso_end(self) -> str:
        return self.end.isoformat(timespec="minutes")

    @property
    def hour_cycle(self) -> int:
        """For the script, which formats times in the same way."""
        return hour_cycle()

    @property
    def is_today(self) -> bool:
        return self.start.date() == timezone.now().astimezone(self.start.tzinfo).date()
