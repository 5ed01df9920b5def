"""Formats times, ages and counts, in the reader's language and time zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import get_text_list
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext, npgettext_lazy, pgettext

from ..frontend import datetimes
from ..models import Kind

AGE_UNITS: dict[str, Any] = {
    "year": npgettext_lazy("age", "%(num)d year", "%(num)d years", "num"),
    "month": npgettext_lazy("age", "%(num)d month", "%(num)d months", "num"),
    "week": npgettext_lazy("age", "%(num)d week", "%(num)d weeks", "num"),
    "day": npgettext_lazy("age", "%(num)d day", "%(num)d days", "num"),
    "hour": npgettext_lazy("age", "%(num)d hour", "%(num)d hours", "num"),
    "minute": npgettext_lazy("age", "%(num)d minute", "%(num)d minutes", "num"),
}
"""As they stand after "for" and before "ago": German needs another case than Django's own."""

_in_email: ContextVar[bool] = ContextVar("in_email", default=False)


@contextmanager
def times_with_day_and_zone() -> Iterator[None]:
    """For texts that are read elsewhere and later: an email names day and zone of each time."""
    token = _in_email.set(True)
    try:
        yield
    finally:
        _in_email.reset(token)


def day(value: date | datetime) -> str:
    """``Fri 20 November 2026``."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    # Translators: a date with its weekday, in Django's format letters.
    return date_format(value, pgettext("date format", "D j F Y"))


def short_day(value: date | datetime) -> str:
    """``20 November``, with the year when it is another one; for notes."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    if value.year != timezone.localdate().year:
        return day(value)
    # Translators: a date without its year, in Django's format letters.
    return date_format(value, pgettext("date format", "j F"))


def time_of_day(value: datetime) -> str:
    """``14:03``."""
    # Translators: a time of day, in Django's format letters.
    return date_format(timezone.localtime(value), pgettext("time format", "H:i"))


def date_time(value: datetime, now: datetime | None = None) -> str:
    """``14:03`` when it is today, otherwise ``Fri 20 November 2026, 11:04``."""
    local = timezone.localtime(value)
    if _in_email.get():
        return datetimes.day_and_time(local)
    if local.date() == timezone.localtime(now or timezone.now()).date():
        return time_of_day(value)
    return _("%(day)s, %(time)s") % {"day": day(value), "time": time_of_day(value)}


def relative_date_time(value: datetime) -> str:
    """A time in a list: ``Today, 14:03``, ``Fri 20 November 2026, 11:04``."""
    days = (timezone.localdate() - timezone.localtime(value).date()).days
    if days == 0:
        return _("Today, %(time)s") % {"time": time_of_day(value)}
    if days == 1:
        return _("Yesterday, %(time)s") % {"time": time_of_day(value)}
    return date_time(value)


def time_zone_note() -> str:
    """``All times are Berlin time.``: the time zone of the admin user."""
    return _("All times are %(zone)s.") % {"zone": _own_zone()}


def with_zone(time: str) -> str:
    """``Today, 14:03 (Berlin time)``: a time with the time zone of the admin user."""
    return _("%(time)s (%(zone)s)") % {"time": time, "zone": _own_zone()}


def _own_zone() -> str:
    return datetimes.zone_city(timezone.get_current_timezone_name())


def age(value: datetime, now: datetime | None = None) -> str:
    """``less than a minute``, ``3 minutes`` (rounded), ``2 hours``: within "… ago" or "for …"."""
    now = now or timezone.now()
    seconds = max(0, int((now - value).total_seconds()))
    if seconds < 60:
        return pgettext("age", "less than a minute")
    if (minutes := round(seconds / 60)) < 60:
        text = npgettext("age", "%(num)d minute", "%(num)d minutes", minutes)
        return text % {"num": minutes}
    return timesince(value, now, time_strings=AGE_UNITS, depth=1).replace("\xa0", " ")


def duration(value: int) -> str:
    """``58 min`` or ``1 h 02 min``."""
    hours, rest = divmod(max(0, value), 60)
    if hours and not rest:
        return _("%(hours)d h") % {"hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": rest}
    return _("%(minutes)d min") % {"minutes": rest}


def date_count(n: int) -> str:
    return ngettext("%(n)d date", "%(n)d dates", n) % {"n": n}


def recording_count(n: int) -> str:
    return ngettext("%(n)d recording", "%(n)d recordings", n) % {"n": n}


def page_count(n: int) -> str:
    return ngettext("%(n)d page", "%(n)d pages", n) % {"n": n}


def host_count(n: int) -> str:
    return ngettext("%(n)d host", "%(n)d hosts", n) % {"n": n}


def registration_count(n: int) -> str:
    return ngettext("%(n)s registration", "%(n)s registrations", n) % {"n": number(n)}


def event_count(n: int) -> str:
    return ngettext("%(n)s webhook event", "%(n)s webhook events", n) % {"n": number(n)}


def number(n: int) -> str:
    """``4,310``, grouped as the language does."""
    return number_format(n, use_l10n=True, force_grouping=True)


def shown_counts(dates_shown: int, recordings_shown: int) -> str:
    """What visitors see, inside a sentence: ``14 dates and 9 recordings``."""
    parts = []
    if dates_shown or not recordings_shown:
        parts.append(date_count(dates_shown))
    if recordings_shown:
        parts.append(recording_count(recordings_shown))
    return join_list(parts)


def user_name(user: Any) -> str:
    """The full name of a user of the admin, otherwise the username."""
    return str(user.get_full_name() or user.get_username())


def join_list(parts: Iterable[object]) -> str:
    """``meetings, webinars and recordings``."""
    return get_text_list([str(part) for part in parts], _("and"))


def reconciled_counts(counts: dict[str, dict[str, int]]) -> str:
    """What a reconciliation has seen: ``14 meetings and 9 recordings``."""

    def seen_count(kind: str) -> int:
        return int((counts.get(kind) or {}).get("seen") or 0)

    parts = [kind_count(kind, seen_count(kind)) for kind in Kind if kind in counts]
    return join_list(parts) or _("nothing")


def kind_count(kind: str, n: int) -> str:
    """``1 meeting``, ``2 webinars``, ``3 recordings``."""
    if kind == Kind.MEETING:
        return ngettext("%(n)d meeting", "%(n)d meetings", n) % {"n": n}
    if kind == Kind.WEBINAR:
        return ngettext("%(n)d webinar", "%(n)d webinars", n) % {"n": n}
    return recording_count(n)


def short_date_time(value: datetime) -> str:
    """``28 November, 09:00``: for notes in narrow columns."""
    return _("%(day)s, %(time)s") % {"day": short_day(value), "time": time_of_day(value)}


def kind_name(name: str) -> str:
    """The plural of a kind of data, or of the feature ``registration``, inside a sentence."""
    names = {
        "meeting": _("meetings"),
        "webinar": _("webinars"),
        "recording": _("recordings"),
        "registration": _("registration"),
        "summary": _("summaries"),
        "attendance": _("who attended"),
    }
    return names.get(name, name)
