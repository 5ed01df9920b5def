"""Times as people read them: in the zone of the Zoom event, which is named beside the time.

The one formatter for pages, calendars, structured data and mails. Instants are Zoom's, in UTC;
what a clock on the wall shows follows from the IANA zone, so daylight saving is always right.
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


def zone_of(name: str) -> tzinfo:
    """The zone that Zoom named; the installation's when there is none or it is not a zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return timezone.get_default_timezone()


def in_zone(moment: datetime, name: str) -> datetime:
    """The same instant on the clock of that zone."""
    return moment.astimezone(zone_of(name))


def zone_place(name: str) -> str:
    """The zone in words without its abbreviation, such as "Berlin time"."""
    zone = str(zone_of(name))
    place = zone.rpartition("/")[2].replace("_", " ")
    if place in ("UTC", "GMT", "Universal", "Zulu"):
        return place
    return _("%(city)s time") % {"city": place}


def zone_label(moment: datetime, name: str) -> str:
    """The zone and its abbreviation on that day, such as "Berlin time (CET)"."""
    place, short = zone_place(name), in_zone(moment, name).tzname() or ""
    if not short or short == place:
        return place
    if short[0] in "+-":
        short = f"UTC{short}"
    return f"{place} ({short})"


def format_date(moment: datetime, pattern: str) -> str:
    """As Django formats it in the active language. Lists say the same days again and again."""
    if _OF_ZONE & set(pattern):
        return django_format(moment, pattern)
    # Moments that are equal on two clocks are told apart by what the clock shows.
    return _formatted(moment.replace(tzinfo=None), pattern, get_language() or "")


_OF_ZONE = frozenset("ceIOrTUZ")
"""Letters of Django's patterns that need more than what the clock shows."""


@lru_cache(maxsize=4096)
def _formatted(shown: datetime, pattern: str, language: str) -> str:
    return django_format(shown, pattern)


def forget(**kwargs: Any) -> None:
    """A file was changed while the development server runs: maybe a catalogue."""
    _formatted.cache_clear()
    _length.cache_clear()


def hour_cycle() -> int:
    """12 or 24, as the active language has it; Django's formats of the project win."""
    code = (get_language() or "").lower()
    if code in ("en-gb", "en-ie") and not settings.FORMAT_MODULE_PATH:
        return 24
    pattern = str(get_format("TIME_FORMAT"))
    return 12 if set(pattern) & set("PgaA") else 24


def clock(moment: datetime) -> str:
    """The time of day of a local datetime: "18:30" or "6:30 PM"."""
    return format_date(moment, "g:i A" if hour_cycle() == 12 else "H:i")


def full_day(moment: datetime) -> str:
    """ "Thursday 26 November 2026" """
    # Translators: a date format in Django's letters, with weekday and year.
    return format_date(moment, pgettext("date format", "l j F Y"))


def day(moment: datetime, now: datetime | None = None) -> str:
    """ "Thursday 26 November", with the year when it is another one than now."""
    if moment.year != (now or timezone.now()).astimezone(moment.tzinfo).year:
        return full_day(moment)
    # Translators: a date format in Django's letters, with weekday, without the year.
    return format_date(moment, pgettext("date format", "l j F"))


def plain_day(moment: datetime) -> str:
    """ "26 November 2026" """
    # Translators: a date format in Django's letters, without weekday, with the year.
    return format_date(moment, pgettext("date format", "j F Y"))


def short_day(moment: datetime) -> str:
    """ "26 November" """
    # Translators: a date format in Django's letters, only day and month.
    return format_date(moment, pgettext("date format", "j F"))


def month(moment: datetime) -> str:
    """ "November 2026" """
    # Translators: a date format in Django's letters, only month and year.
    return format_date(moment, pgettext("date format", "F Y"))


def day_and_clock(moment: datetime) -> str:
    """ "Sunday 22 November at 09:40" """
    return _("%(day)s at %(time)s") % {"day": day(moment), "time": clock(moment)}


def length(minutes: int) -> str:
    """A duration in words: "90 minutes", "2 hours", "1 hour 5 minutes".

    A number and its unit stay on one line: narrow columns break between the two parts only.
    """
    return _length(minutes, get_language() or "")


@lru_cache(maxsize=1024)
def _length(minutes: int, language: str) -> str:
    hours, rest = divmod(minutes, 60) if minutes > 90 else (0, minutes)
    parts = []
    if hours:
        parts.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    if rest or not hours:
        parts.append(ngettext("%(count)d minute", "%(count)d minutes", rest) % {"count": rest})
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


@dataclass(frozen=True)
class When:
    """One stretch of time on the clock of its zone, with every form that templates need."""

    start: datetime
    end: datetime
    zone_name: str = ""
    previous: datetime | None = None
    """Where it was before it moved; on the same clock."""

    @classmethod
    def of(
        cls, start: datetime, end: datetime, zone_name: str, previous: datetime | None = None
    ) -> When:
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
        return clock(self.start)

    @property
    def ends(self) -> str:
        """The end's time of day; with its day when that is another one."""
        if self.end.date() == self.start.date():
            return clock(self.end)
        return f"{day(self.end)}, {clock(self.end)}"

    @property
    def was(self) -> str:
        """Where it was before: "Tuesday 24 November, 19:00", or nothing."""
        return f"{day(self.previous)}, {clock(self.previous)}" if self.previous else ""

    @property
    def zone(self) -> str:
        """ "Berlin time (CET)" """
        return zone_label(self.start, self.zone_name)

    @property
    def place(self) -> str:
        """ "Berlin time" """
        return zone_place(self.zone_name)

    @property
    def iso_day(self) -> str:
        return self.start.date().isoformat()

    @property
    def iso_start(self) -> str:
        """For ``<time datetime>``: the offset makes it an instant."""
        return self.start.isoformat(timespec="minutes")

    @property
    def iso_end(self) -> str:
        return self.end.isoformat(timespec="minutes")

    @property
    def hour_cycle(self) -> int:
        """For the script, so that its times look like ours."""
        return hour_cycle()

    @property
    def is_today(self) -> bool:
        return self.start.date() == timezone.now().astimezone(self.start.tzinfo).date()
