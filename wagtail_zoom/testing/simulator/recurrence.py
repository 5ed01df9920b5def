"""Computes the occurrences of a recurring meeting in its time zone.

The wall-clock time stays the same over a DST change, so the UTC times of one series differ.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .clock import parse, stamp
from .errors import ControlError

MAX_OCCURRENCES = 60
"""Maximum of ``end_times``. Zoom documents 50 for meetings; the longer list is the harder test."""


def _sunday_first(day: date) -> int:
    """Return Zoom's weekday number: 1 is Sunday, 7 Saturday."""
    return day.isoweekday() % 7 + 1


def _daily(start: date, step: int) -> Iterator[date]:
    day = start
    while True:
        yield day
        day += timedelta(days=step)


def _weekly(start: date, step: int, days: str) -> Iterator[date]:
    weekdays = sorted(int(part) for part in days.split(",") if part) or [_sunday_first(start)]
    sunday = start - timedelta(days=_sunday_first(start) - 1)
    while True:
        for number in weekdays:
            day = sunday + timedelta(days=number - 1)
            if day >= start:
                yield day
        sunday += timedelta(weeks=step)


def _month_day(year: int, month: int, rule: dict[str, Any], start: date) -> date | None:
    last = calendar.monthrange(year, month)[1]
    if rule.get("monthly_week"):
        weekday = rule.get("monthly_week_day") or _sunday_first(start)
        days = [
            date(year, month, number)
            for number in range(1, last + 1)
            if _sunday_first(date(year, month, number)) == weekday
        ]
        week = int(rule["monthly_week"])
        return days[-1] if week == -1 else days[week - 1]
    number = rule.get("monthly_day") or start.day
    return date(year, month, number) if number <= last else None


def _monthly(start: date, step: int, rule: dict[str, Any]) -> Iterator[date]:
    months = start.year * 12 + start.month - 1
    while True:
        day = _month_day(months // 12, months % 12 + 1, rule, start)
        if day is not None and day >= start:
            yield day
        months += step


def _days(start: date, rule: dict[str, Any]) -> Iterator[date]:
    step = max(1, int(rule.get("repeat_interval") or 1))
    kind = rule.get("type")
    if kind == 1:
        return _daily(start, step)
    if kind == 2:
        return _weekly(start, step, str(rule.get("weekly_days") or ""))
    if kind == 3:
        return _monthly(start, step, rule)
    raise ControlError("recurrence.type must be 1 (daily), 2 (weekly) or 3 (monthly)")


def expand(start: datetime, zone: str, duration: int, rule: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the occurrences of a series: id (epoch ms as text), UTC start, minutes, status."""
    info = ZoneInfo(zone)
    first = start.astimezone(info)
    limit = min(int(rule.get("end_times") or MAX_OCCURRENCES), MAX_OCCURRENCES)
    until = parse(rule["end_date_time"]) if rule.get("end_date_time") else None
    result: list[dict[str, Any]] = []
    for day in _days(first.date(), rule):
        wall = datetime(day.year, day.month, day.day, first.hour, first.minute, tzinfo=info)
        start_utc = wall.astimezone(UTC)
        if (until is not None and start_utc > until) or len(result) >= limit:
            break
        result.append(
            {
                "occurrence_id": str(int(start_utc.timestamp()) * 1000),
                "start_time": stamp(start_utc),
                "duration": duration,
                "status": "available",
            }
        )
    return result
