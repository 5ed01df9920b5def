"""The rules of the zones that a calendar file uses, so that its readers need no list of their own.

Made for the years of the file, from the zone data of this machine. ``icalendar`` can write these
too, but as a list of all changes of clocks from 1970 on, which many readers do not understand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Onset:
    """One change of clocks; ``wall`` is what they showed at that moment before it."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def kind(self) -> tuple[timedelta, timedelta, str]:
        return self.before, self.after, self.name


def add_zones(calendar: Calendar) -> None:
    """Put the rules of all zones that the events name before the events."""
    used: dict[str, tuple[int, int]] = {}
    for event in calendar.walk("VEVENT"):
        for name in ("dtstart", "dtend"):
            value = event.get(name)
            if value is not None and "TZID" in value.params:
                year, zone = value.dt.year, str(value.params["TZID"])
                first, last = used.get(zone, (year, year))
                used[zone] = min(first, year), max(last, year)
    calendar.subcomponents[:0] = [
        _component(zone, first, last) for zone, (first, last) in sorted(used.items())
    ]


def _component(name: str, first: int, last: int) -> Timezone:
    zone = ZoneInfo(name)
    found = onsets(name, first - 1, last + 1)
    made = Timezone()
    made.add("tzid", name)
    kinds = {each.kind: [one for one in found if one.kind == each.kind] for each in found}
    rules = {kind: _rule(rows, last - first + 3) for kind, rows in kinds.items()}
    if len(kinds) == 2 and all(rules.values()):
        for kind, rows in kinds.items():
            made.add_component(_observance(rows[0], rules[kind]))
        return made
    start = datetime(first - 1, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = start.utcoffset() or timedelta()
    # A file of a zone without changes should not differ from year to year.
    wall = start.replace(tzinfo=None) if found else datetime(1970, 1, 1)
    for each in (Onset(wall, offset, offset, start.tzname() or name), *found):
        made.add_component(_observance(each, None))
    return made


def _observance(onset: Onset, rule: dict[str, object] | None) -> TimezoneStandard:
    made = TimezoneDaylight() if onset.after > onset.before else TimezoneStandard()
    made.add("dtstart", onset.wall)
    made.add("tzoffsetfrom", onset.before)
    made.add("tzoffsetto", onset.after)
    made.add("tzname", onset.name)
    if rule:
        made.add("rrule", rule)
    return made


def _rule(rows: list[Onset], years: int) -> dict[str, object] | None:
    """A rule such as "the last Sunday in March", if it is true of every year; else None.

    The last week is tried first: it is what most rules mean.
    """
    first = rows[0].wall
    same = {(each.wall.month, each.wall.weekday(), each.wall.time()) for each in rows}
    if len(rows) != years or len(same) != 1:
        return None
    for place in (-1, 1, 2, 3, 4):
        if all(_is_at(each.wall, place) for each in rows):
            return {"freq": "yearly", "bymonth": first.month, "byday": _day(place, first)}
    return None


def _is_at(wall: datetime, place: int) -> bool:
    if place == -1:
        return (wall + 7 * DAY).month != wall.month
    return (wall.day - 1) // 7 + 1 == place


def _day(place: int, wall: datetime) -> str:
    return f"{place}{_DAYS[wall.weekday()]}"


@lru_cache(maxsize=256)
def onsets(name: str, first: int, last: int) -> tuple[Onset, ...]:
    """All changes of clocks in these years (UTC), in order."""
    zone = ZoneInfo(name)
    found = []
    moment, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while moment < end:
        follow = moment + DAY
        if _offset(zone, moment) != _offset(zone, follow):
            at = _change(zone, moment, follow)
            before = _offset(zone, at - timedelta(seconds=1))
            local = at.astimezone(zone)
            found.append(
                Onset(
                    (at + before).replace(tzinfo=None),
                    before,
                    _offset(zone, at),
                    local.tzname() or name,
                )
            )
        moment = follow
    return tuple(found)


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _change(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """The first second of the new offset."""
    old = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds() // 2))
        if _offset(zone, middle) == old:
            low = middle
        else:
            high = middle
    return high
