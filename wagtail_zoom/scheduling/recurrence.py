"""How a meeting repeats: the rule, Zoom's ``recurrence`` for it, and the rule in words.

Zoom makes the dates of a series from its rule; they are read back and never computed here.
Source: Zoom's API reference, "Create a meeting".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext

from ..mapping.parsing import parse_datetime, parse_int

MAX_DATES = 60
LAST_WEEK = -1
DAYS_OF_WEEK = (2, 3, 4, 5, 6, 7, 1)
"""Zoom's numbers of the days from Monday to Sunday."""


class Frequency(StrEnum):
    """How often a meeting takes place."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


ZOOM_TYPES = {Frequency.DAILY: 1, Frequency.WEEKLY: 2, Frequency.MONTHLY: 3}
MAX_INTERVALS = {Frequency.DAILY: 90, Frequency.WEEKLY: 12, Frequency.MONTHLY: 3}
"""Zoom's largest ``repeat_interval``: days, weeks, months."""


class UnknownRule(ValueError):
    """Zoom has a rule that cannot be edited here."""


@dataclass(frozen=True)
class RecurrenceRule:
    """How a meeting repeats. A rule that repeats ends after ``count`` dates or with ``until``."""

    frequency: Frequency = Frequency.NEVER
    interval: int = 1
    """Every so many days, weeks or months."""
    weekdays: frozenset[int] = frozenset()
    """Weekly: Zoom's numbers of the days, 1 (Sunday) to 7 (Saturday)."""
    month_day: int | None = None
    """Monthly, by the day of the month."""
    month_week: int | None = None
    """Monthly, by the first to fourth or the last (-1) ``month_weekday`` of the month."""
    month_weekday: int | None = None
    count: int | None = None
    until: date | None = None
    """The last day on which it may take place, in the time zone of the meeting."""

    def clean(self, first_day: date) -> None:
        """Check everything that Zoom would refuse.

        Raises:
            ValidationError: with a sentence for each field.
        """
        if self.frequency is Frequency.NEVER:
            return
        errors = {**self._interval_errors(), **self._day_errors(), **self._end_errors(first_day)}
        if errors:
            raise ValidationError(errors)

    def _interval_errors(self) -> dict[str, str]:
        highest = MAX_INTERVALS[self.frequency]
        if 1 <= self.interval <= highest:
            return {}
        texts: dict[Frequency, str] = {
            Frequency.DAILY: gettext("Enter a number of days from 1 to %(highest)s."),
            Frequency.WEEKLY: gettext("Enter a number of weeks from 1 to %(highest)s."),
            Frequency.MONTHLY: gettext("Enter a number of months from 1 to %(highest)s."),
        }
        return {"interval": texts[self.frequency] % {"highest": highest}}

    def _day_errors(self) -> dict[str, str]:
        if self.frequency is Frequency.WEEKLY:
            if not self.weekdays or not self.weekdays <= set(DAYS_OF_WEEK):
                return {"weekdays": gettext("Select at least one day of the week.")}
        elif self.frequency is Frequency.MONTHLY:
            if self.month_day is None and self.month_week is None:
                return {"month_day": gettext("Select a day of the month.")}
            if self.month_day is not None and self.month_week is not None:
                text = gettext("Select either a day of the month or a weekday, not both.")
                return {"month_day": text}
            if self.month_day is not None and not 1 <= self.month_day <= 31:
                return {"month_day": gettext("Enter a day of the month from 1 to 31.")}
            if self.month_week is not None and (
                self.month_week not in MONTHLY_TEXTS or self.month_weekday not in DAYS_OF_WEEK
            ):
                return {"month_weekday": gettext("Select which weekday of the month it is.")}
        return {}

    def _end_errors(self, first_day: date) -> dict[str, str]:
        if (self.count is None) == (self.until is None):
            return {"count": gettext("Enter either a number of dates or a last day.")}
        if self.count is not None and not 1 <= self.count <= MAX_DATES:
            text = gettext("Enter a number of dates from 1 to %(highest)s.")
            return {"count": text % {"highest": MAX_DATES}}
        if self.until is not None and self.until < first_day:
            return {"until": gettext("The last day is before the first date.")}
        return {}

    def includes(self, day: date) -> bool:
        """Whether a first date can be on this day: it is one of the weekdays or days of a month."""
        if self.frequency is Frequency.WEEKLY:
            return weekday_of(day) in self.weekdays
        if self.frequency is not Frequency.MONTHLY:
            return True
        if self.month_week is None:
            return day.day == self.month_day
        is_in_week = (
            (day + timedelta(days=7)).month != day.month
            if self.month_week == LAST_WEEK
            else (day.day - 1) // 7 + 1 == self.month_week
        )
        return is_in_week and weekday_of(day) == self.month_weekday

    def to_zoom(self, zone: ZoneInfo) -> dict[str, Any] | None:
        """Zoom's ``recurrence`` of a meeting in this time zone; None if it does not repeat."""
        if self.frequency is Frequency.NEVER:
            return None
        rule: dict[str, Any] = {
            "type": ZOOM_TYPES[self.frequency],
            "repeat_interval": self.interval,
        }
        if self.frequency is Frequency.WEEKLY:
            rule["weekly_days"] = ",".join(str(day) for day in sorted(self.weekdays))
        elif self.frequency is Frequency.MONTHLY and self.month_week is not None:
            rule["monthly_week"] = self.month_week
            rule["monthly_week_day"] = self.month_weekday
        elif self.frequency is Frequency.MONTHLY:
            rule["monthly_day"] = self.month_day
        if self.until is not None:
            # The later one, where the clock shows the end of this day twice.
            end = datetime.combine(self.until, time(23, 59, 59), zone).replace(fold=1)
            rule["end_date_time"] = f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        else:
            rule["end_times"] = self.count
        return rule

    @classmethod
    def from_zoom(
        cls, recurrence: dict[str, Any] | None, zone: ZoneInfo, first_day: date
    ) -> RecurrenceRule:
        """The rule of a meeting at Zoom.

        Args:
            first_day: of the first date, in the zone: Zoom takes the days from it if it has none.

        Raises:
            UnknownRule: it is none of the rules that Zoom documents.
        """
        if not recurrence:
            return cls()
        frequencies = {number: name for name, number in ZOOM_TYPES.items()}
        frequency = frequencies.get(parse_int(recurrence.get("type")) or 0)
        if frequency is None:
            raise UnknownRule("The type of the rule is not known.")
        end = parse_datetime(recurrence.get("end_date_time"))
        days = _days_from_zoom(frequency, recurrence, first_day)
        rule = cls(
            frequency=frequency,
            interval=parse_int(recurrence.get("repeat_interval")) or 1,
            count=None if end else parse_int(recurrence.get("end_times")) or None,
            until=end.astimezone(zone).date() if end else None,
            **days,
        )
        try:
            rule.clean(date.min)
        except ValidationError as error:
            raise UnknownRule("The rule is not one that Zoom documents.") from error
        return rule

    def __str__(self) -> str:
        """The rule in words, in the active language: one sentence, and one about its end."""
        if self.frequency is Frequency.NEVER:
            return gettext("It does not repeat.")
        return f"{self._repetition()} {self._end()}"

    def _repetition(self) -> str:
        if self.frequency is Frequency.DAILY:
            text = ngettext("Every day.", "Every %(count)s days.", self.interval)
            return text % {"count": self.interval}
        if self.frequency is Frequency.WEEKLY:
            days = [weekday_name(day) for day in DAYS_OF_WEEK if day in self.weekdays]
            text = ngettext(
                "Every week on %(days)s.", "Every %(count)s weeks on %(days)s.", self.interval
            )
            return text % {"count": self.interval, "days": get_text_list(days, gettext("and"))}
        if self.month_week is not None and self.month_weekday is not None:
            text = MONTHLY_TEXTS[self.month_week](self.interval)
            return text % {"count": self.interval, "weekday": weekday_name(self.month_weekday)}
        text = ngettext(
            "Every month on day %(day)s.",
            "Every %(count)s months on day %(day)s.",
            self.interval,
        )
        return text % {"count": self.interval, "day": self.month_day}

    def _end(self) -> str:
        if self.until is not None:
            day = date_format(self.until, "DATE_FORMAT")
            return gettext("The last day is %(date)s.") % {"date": day}
        number = self.count or 0
        text = ngettext("There is one date.", "There are %(count)s dates.", number)
        return text % {"count": number}

    def preview_dates(self, first_day: date, limit: int = MAX_DATES + 1) -> list[date]:
        """About which days Zoom will make, at most ``limit``: it decides itself, for example about
        months without a day 31."""
        if self.frequency is Frequency.NEVER:
            return [first_day]
        frequencies: dict[Frequency, Any] = {
            Frequency.DAILY: rrule.DAILY,
            Frequency.WEEKLY: rrule.WEEKLY,
            Frequency.MONTHLY: rrule.MONTHLY,
        }
        options: dict[str, Any] = {"interval": self.interval, "count": self.count}
        if self.frequency is Frequency.WEEKLY:
            options["byweekday"] = [(day + 5) % 7 for day in self.weekdays]
        elif self.frequency is Frequency.MONTHLY and self.month_week is not None:
            weekday = rrule.weekday(((self.month_weekday or 1) + 5) % 7)
            options["byweekday"] = weekday(self.month_week)
        elif self.frequency is Frequency.MONTHLY:
            options["bymonthday"] = self.month_day
        if self.until is not None:
            options["until"] = datetime.combine(self.until, time.max)
        rows = rrule.rrule(
            frequencies[self.frequency],
            dtstart=datetime.combine(first_day, time()),
            wkst=rrule.SU,
            **options,
        )
        return [row.date() for row in islice(rows, limit)]


MONTHLY_TEXTS: dict[int, Callable[[int], str]] = {
    1: lambda number: ngettext(
        "Every month on the first %(weekday)s.",
        "Every %(count)s months on the first %(weekday)s.",
        number,
    ),
    2: lambda number: ngettext(
        "Every month on the second %(weekday)s.",
        "Every %(count)s months on the second %(weekday)s.",
        number,
    ),
    3: lambda number: ngettext(
        "Every month on the third %(weekday)s.",
        "Every %(count)s months on the third %(weekday)s.",
        number,
    ),
    4: lambda number: ngettext(
        "Every month on the fourth %(weekday)s.",
        "Every %(count)s months on the fourth %(weekday)s.",
        number,
    ),
    LAST_WEEK: lambda number: ngettext(
        "Every month on the last %(weekday)s.",
        "Every %(count)s months on the last %(weekday)s.",
        number,
    ),
}
"""One sentence for each week: the ordinal and the weekday have no fixed order or gender."""


def weekday_name(number: int) -> str:
    """The name of a day by Zoom's number, in the active language."""
    return str(WEEKDAYS[(number + 5) % 7])


def weekday_of(day: date) -> int:
    """Zoom's number of a day's weekday."""
    return day.isoweekday() % 7 + 1


def _days_from_zoom(
    frequency: Frequency, recurrence: dict[str, Any], first_day: date
) -> dict[str, Any]:
    if frequency is Frequency.WEEKLY:
        parts = str(recurrence.get("weekly_days") or weekday_of(first_day)).split(",")
        return {"weekdays": frozenset(parse_int(part.strip()) or 0 for part in parts)}
    if frequency is not Frequency.MONTHLY:
        return {}
    week = parse_int(recurrence.get("monthly_week"))
    if week:
        weekday = parse_int(recurrence.get("monthly_week_day")) or weekday_of(first_day)
        return {"month_week": week, "month_weekday": weekday}
    return {"month_day": parse_int(recurrence.get("monthly_day")) or first_day.day}
