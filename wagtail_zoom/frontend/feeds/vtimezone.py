"""Builds VTIMEZONE components for the zones of a calendar file, so that readers need no zone data.

They cover the years of the file and are computed from the zone data of this machine.
``icalendar`` can write them too, but its changes to summer time are an hour late (7.3), and it
lists them as RDATE, which Outlook ignores ([MS-STANOICAL] 2.2.47): it reads yearly rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)
Observance = TimezoneDaylight | TimezoneStandard
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Onset:
    """One clock change; ``wall`` is its local time by the offset before it."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def kind(self) -> tuple[timedelta, timedelta, str]:
        return self.before, self.after, self.name


def add_zones(calendar: Calendar) -> None:
    """Insert a VTIMEZONE for each zone of the events before the events."""
    used: dict[str, tuple[int, int]] = {}
    for event in calendar.walk("VEVENT"):
        for name in ("dtstart", "dtend"):
            value = event.get(name)
            if value is not None and "TZID" in value.params:
                year, zone = value.dt.year, str(value.params["TZID"])
                first, last = used.get(zone, (year, year))
                used[zone] = min(first, year), max(last, year)
    calendar.subcomponents[:0] = [
        _timezone(zone, first, last) for zone, (first, last) in sorted(used.items())
    ]


def _timezone(name: str, first: int, last: int) -> Timezone:
    zone = ZoneInfo(name)
    changes = onsets(name, first - 1, last + 1)
    component = Timezone()
    component.add("tzid", name)
    kinds = {
        onset.kind: [other for other in changes if other.kind == onset.kind] for onset in changes
    }
    rules = {kind: _rule(same_kind, last - first + 3) for kind, same_kind in kinds.items()}
    if len(kinds) == 2 and all(rules.values()):
        for kind, same_kind in kinds.items():
            component.add_component(_observance(same_kind[0], rules[kind]))
        return component
    start = datetime(first - 1, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = start.utcoffset() or timedelta()
    # For a zone without changes the component is the same each year.
    wall = start.replace(tzinfo=None) if changes else datetime(1970, 1, 1)
    for onset in (Onset(wall, offset, offset, start.tzname() or name), *changes):
        component.add_component(_observance(onset, None))
    return component


def _observance(onset: Onset, rule: dict[str, object] | None) -> Observance:
    component: Observance = TimezoneDaylight() if onset.after > onset.before else TimezoneStandard()
    component.add("dtstart", onset.wall)
    component.add("tzoffsetfrom", onset.before)
    component.add("tzoffsetto", onset.after)
    component.add("tzname", onset.name)
    if rule:
        component.add("rrule", rule)
    return component


def _rule(changes: list[Onset], years: int) -> dict[str, object] | None:
    """A rule such as "the last Sunday in March" that fits every year, otherwise None.

    The last week is tried first, as most rules use it.
    """
    first = changes[0].wall
    same = {(onset.wall.month, onset.wall.weekday(), onset.wall.time()) for onset in changes}
    if len(changes) != years or len(same) != 1:
        return None
    for nth in (-1, 1, 2, 3, 4):
        if all(_is_nth_weekday(onset.wall, nth) for onset in changes):
            return {"freq": "yearly", "bymonth": first.month, "byday": _byday(nth, first)}
    return None


def _is_nth_weekday(wall: datetime, nth: int) -> bool:
    if nth == -1:
        return (wall + 7 * DAY).month != wall.month
    return (wall.day - 1) // 7 + 1 == nth


def _byday(nth: int, wall: datetime) -> str:
    return f"{nth}{_WEEKDAYS[wall.weekday()]}"


@lru_cache(maxsize=256)
def onsets(name: str, first: int, last: int) -> tuple[Onset, ...]:
    """All clock changes in these years (UTC), in order."""
    zone = ZoneInfo(name)
    changes = []
    instant, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while instant < end:
        next_day = instant + DAY
        if _offset(zone, instant) != _offset(zone, next_day):
            change = _find_onset(zone, instant, next_day)
            before = _offset(zone, change - timedelta(seconds=1))
            local = change.astimezone(zone)
            changes.append(
                Onset(
                    (change + before).replace(tzinfo=None),
                    before,
                    _offset(zone, change),
                    local.tzname() or name,
                )
            )
        instant = next_day
    return tuple(changes)


def _offset(zone: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _find_onset(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """The first second of the new offset."""
    old_offset = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds() // 2))
        if _offset(zone, middle) == old_offset:
            low = middle
        else:
            high = middle
    return high
