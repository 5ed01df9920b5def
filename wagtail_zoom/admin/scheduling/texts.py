"""Sentences about a meeting that is scheduled or changed: when it takes place, and its values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...frontend.datetimes import zone_city
from ...scheduling import Frequency, MeetingValues
from ...scheduling.recurrence import MAX_DATES
from .. import formatting

REGISTRATION_LABELS: dict[str, Any] = {
    "none": gettext_lazy("No registration"),
    "automatic": gettext_lazy("Automatic: everyone who registers gets a link"),
    "approval": gettext_lazy("With approval: you approve each person first"),
}
RECORDING_LABELS: dict[str, Any] = {
    "none": gettext_lazy("Do not record automatically"),
    "cloud": gettext_lazy("Record to the Zoom cloud"),
    "local": gettext_lazy("Record on the host’s computer"),
}
FIELD_LABELS: dict[str, Any] = {
    "topic": gettext_lazy("Topic"),
    "agenda": gettext_lazy("Description"),
    "start": gettext_lazy("Start"),
    "duration": gettext_lazy("Duration"),
    "zone": gettext_lazy("Time zone"),
    "rule": gettext_lazy("Repeats"),
    "registration": gettext_lazy("Registration"),
    "waiting_room": gettext_lazy("Waiting room"),
    "recording": gettext_lazy("Recording"),
}


def value_text(values: MeetingValues, name: str) -> str:
    """One value as people read it."""
    value = getattr(values, name)
    if name == "start":
        return start_text(values) if value else _("no fixed date")
    if name == "duration":
        return formatting.duration(value)
    if name == "zone":
        return zone_city(value)
    if name == "rule":
        return _("a rule that can be changed only in Zoom") if value is None else str(value)
    if name == "waiting_room":
        return {True: _("on"), False: _("off")}.get(value, "–")
    if name == "registration":
        return str(REGISTRATION_LABELS.get(value or "", "–"))
    if name == "recording":
        return str(RECORDING_LABELS.get(value or "", "–"))
    return str(value) or "–"


def start_text(values: MeetingValues) -> str:
    """``Tue 2 March 2027, 18:30 (Berlin time)``, in the time zone of the meeting."""
    if values.start is None:
        return ""
    with timezone.override(values.zone):
        when = _("%(day)s, %(time)s") % {
            "day": formatting.day(values.start),
            "time": formatting.time_of_day(values.start),
        }
        return formatting.with_zone(when)


def when_texts(values: MeetingValues) -> list[str]:
    """When it takes place, in whole sentences: the rule, the dates, and what clocks do."""
    if values.start is None or values.rule is None:
        return []
    if values.rule.frequency is Frequency.NEVER:
        end = values.start + timedelta(minutes=values.duration)
        with timezone.override(values.zone):
            return [
                _("%(day)s, %(start)s to %(end)s (%(zone)s).")
                % {
                    "day": formatting.day(values.start),
                    "start": formatting.time_of_day(values.start),
                    "end": formatting.time_of_day(end),
                    "zone": zone_city(values.zone),
                }
            ]
    local = values.start.astimezone(ZoneInfo(values.zone))
    days = values.rule.preview_dates(local.date())
    if not days:
        return [str(values.rule), _("This rule makes no date.")]
    numbers = {
        "n": len(days),
        "time": _hour(local),
        "zone": zone_city(values.zone),
        "first": formatting.day(days[0]),
        "last": formatting.day(days[-1]),
    }
    if len(days) > MAX_DATES:
        text = _("This rule makes more than %(most)s dates. Zoom allows %(most)s.")
        return [str(values.rule), text % {"most": MAX_DATES}]
    if len(days) == 1:
        dates = _("One date: %(first)s at %(time)s (%(zone)s).") % numbers
    else:
        dates = ngettext(
            "%(n)d date at %(time)s (%(zone)s), from %(first)s to %(last)s.",
            "%(n)d dates at %(time)s (%(zone)s), from %(first)s to %(last)s.",
            len(days),
        ) % numbers  # fmt: skip
    return [str(values.rule), dates, *_clock_texts(days, local, values.zone), *_month_texts(values)]


def _hour(local: datetime) -> str:
    with timezone.override(local.tzinfo):
        return formatting.time_of_day(local)


def _clock_texts(days: list[Any], local: datetime, zone_name: str) -> list[str]:
    """The first change of clocks within the series."""
    zone, time = ZoneInfo(zone_name), local.time()

    def offset(day: Any) -> Any:
        return datetime.combine(day, time, zone).utcoffset()

    for before, after in zip(days, days[1:], strict=False):
        if offset(before) == offset(after):
            continue
        day = before
        while offset(day) == offset(before):
            day += timedelta(days=1)
        text = _("Clocks change on %(day)s. The meeting stays at %(time)s, %(zone)s.")
        return [
            text % {"day": formatting.day(day), "time": _hour(local), "zone": zone_city(zone_name)}
        ]
    return []


def _month_texts(values: MeetingValues) -> list[str]:
    day = values.rule.month_day if values.rule else None
    if day is None or day <= 28:
        return []
    text = _("Not every month has a day %(day)d. Zoom decides what happens in the others.")
    return [text % {"day": day}]
