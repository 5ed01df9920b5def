"""Formats dates and times in the time zone of the Zoom event, with the name of the zone.

Used for pages, calendars, structured data and emails. Zoom sends instants in UTC; local times
follow from the IANA zone, so daylight saving time is correct.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as django_format
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from .zone_names import city_of


def get_zone(name: str) -> tzinfo:
    """The zone of this name; the installation's default when it is empty or unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return timezone.get_default_timezone()


YEARS = range(2000, 2201)
"""Years that somebody may ask for. The first and last ones that Python knows are out of range on
the clock of another zone."""


def nearest_day(day: date) -> date:
    """The day itself, or the nearest one in ``YEARS``."""
    return min(max(day, date(YEARS[0], 1, 1)), date(YEARS[-1], 12, 31))  # guard: days-limited


def in_zone(value: datetime, name: str) -> datetime:
    """The same instant in the local time of that zone."""
    return value.astimezone(get_zone(name))


def exists(day: date, zone: tzinfo | None) -> bool:
    """Whether a day is not left out where a country crosses the date line."""
    noon = datetime.combine(day, time(12), zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day


def zone_city(name: str) -> str:
    """The zone without its abbreviation, such as "Berlin time".

    A zone that names no city is "Central European time", "GMT" or "UTC-05:00".
    """
    zone = str(get_zone(name))
    if zone in _REGIONS:
        return str(_REGIONS[zone])
    city = city_of(zone)
    # The other zones without a city have no daylight saving time.
    return _("%(city)s time") % {"city": city} if city else _short_zone(in_zone(_EPOCH, name))


_REGIONS = {
    "CET": gettext_lazy("Central European time"),
    "MET": gettext_lazy("Central European time"),
    "EET": gettext_lazy("Eastern European time"),
    "WET": gettext_lazy("Western European time"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_label(value: datetime, name: str) -> str:
    """The zone and its abbreviation at that time, such as "Berlin time (CET)"."""
    place, short = zone_city(name), _short_zone(in_zone(value, name))
    return place if short == place else f"{place} ({short})"


def _short_zone(value: datetime) -> str:
    """ "CET"; "UTC+05:45" for a zone without an abbreviation."""
    name = value.tzname() or ""
    if name and name[0] not in "+-":
        return name
    minutes = int((value.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}" if minutes else "UTC"


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
    """ "Sunday 22 November at 09:40, Berlin time (CET)": a local time with its zone."""
    return _("%(day)s at %(time)s, %(zone)s") % {
        "day": day(value),
        "time": format_time(value),
        "zone": zone_label(value, str(value.tzinfo)),
    }


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


def _is_repeated(value: datetime) -> bool:
    """Whether this time of day exists twice on its day."""
    return value.replace(fold=0).utcoffset() != value.replace(fold=1).utcoffset()


@dataclass(frozen=True)
class TimeRange:
    """Start and end in the local time of their zone, with the formats that templates need."""

    start: datetime
    end: datetime
    zone_name: str = ""
    previous: datetime | None = None
    """The start before it was moved, in the same zone."""
    has_end: bool = True
    """False where Zoom gives no duration: then ``end`` is only assumed, and not shown."""
    own: TimeRange | None = None
    """The same in the zone of the event, where its clock differs from the one that is shown."""

    @classmethod
    def of(
        cls,
        start: datetime,
        end: datetime,
        zone_name: str,
        previous: datetime | None = None,
        *,
        has_end: bool = True,
    ) -> TimeRange:
        """From instants in any zone."""
        return cls(
            in_zone(start, zone_name),
            in_zone(end, zone_name),
            zone_name,
            in_zone(previous, zone_name) if previous else None,
            has_end,
        )

    def on_clock(self, zone_name: str) -> TimeRange:
        """The same instants in another zone, with ``own`` where its clock differs."""
        shown = TimeRange.of(self.start, self.end, zone_name, self.previous, has_end=self.has_end)
        is_same = (shown.start.utcoffset(), shown.end.utcoffset()) == (
            self.start.utcoffset(),
            self.end.utcoffset(),
        )
        return shown if is_same else replace(shown, own=self)

    @property
    def own_text(self) -> str:
        """ "Friday 27 November, 08:00 to 09:00 Kiritimati time (UTC+14:00)", or empty.

        The day only where it differs.
        """
        own = self.own
        if own is None:
            return ""
        text = own.starts
        if own.has_end:
            text = _("%(start)s to %(end)s") % {"start": text, "end": own.ends}
        if own.start.date() != self.start.date():
            text = f"{own.day}, {text}"
        return f"{text} {own.zone}"

    @property
    def own_start(self) -> str:
        """The same for a small cell: "Fri 08:00 Kiritimati time (UTC+14:00)"."""
        own = self.own
        if own is None:
            return ""
        day = "" if own.start.date() == self.start.date() else f"{own.weekday_short} "
        return f"{day}{own.starts} {own.zone}"

    @property
    def last_date(self) -> date:
        """The last day on which it takes place. Midnight belongs to the day before."""
        if not self.has_end:
            return self.start.date()
        last = (self.end.astimezone(UTC) - timedelta(microseconds=1)).astimezone(self.end.tzinfo)
        return max(self.start.date(), last.date())

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
        return self.has_end and self.end.date() != self.start.date()

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
        """ "Berlin time (CET)"; "Berlin time (CEST, later CET)" when the clocks change."""
        first, last = _short_zone(self.start), _short_zone(self.end)
        if not self.has_end or first == last:
            return zone_label(self.start, self.zone_name)
        # Translators: abbreviations of time zones, when the clocks change during an event.
        shorts = _("%(first)s, later %(last)s") % {"first": first, "last": last}
        return f"{self.zone_city} ({shorts})"

    @property
    def needs_zone(self) -> bool:
        """Whether its times are unclear without ``zone``, where the clocks are put back."""
        ends = [self.end] if self.has_end else []
        offsets = {value.utcoffset() for value in (self.start, *ends)}
        return len(offsets) > 1 or any(map(_is_repeated, (self.start, *ends)))

    @property
    def zone_city(self) -> str:
        """ "Berlin time" """
        return zone_city(self.zone_name)

    @property
    def zone_id(self) -> str:
        """ "Europe/Berlin", for the script."""
        return str(get_zone(self.zone_name))

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
