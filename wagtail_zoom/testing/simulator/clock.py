"""The simulator's clock: real time plus an offset, or frozen; tests can move it."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"^([+-]?\d+(?:\.\d+)?)\s*([smhdw])$")
_DAY_AND_TIME = re.compile(r"^([+-]\d+)d[ T](\d{1,2}):(\d{2})$")


def stamp(time_value: datetime | float) -> str:
    """Format a time as Zoom does: UTC, whole seconds, ``Z``."""
    if not isinstance(time_value, datetime):
        time_value = datetime.fromtimestamp(time_value, UTC)
    return time_value.astimezone(UTC).strftime(FORMAT)


def parse(text: str) -> datetime:
    """Parse a time in Zoom's format (any ISO format with an offset is accepted)."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def epoch(text: str) -> int:
    """Return epoch seconds of a time in Zoom's format."""
    return int(parse(text).timestamp())


def seconds(span: str | float) -> float:
    """Parse a duration: a number of seconds, or ``90m``, ``-2h``, ``3d``."""
    if isinstance(span, int | float):
        return float(span)
    match = _SPAN.match(span.strip())
    if match is None:
        return float(span)
    return float(match[1]) * _UNITS[match[2]]


def local(day: date, hour: int, minute: int, zone: str) -> datetime:
    """Return the UTC time of a wall-clock time in a time zone."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(
        UTC
    )


def when(text: str, zone: str, now: datetime) -> datetime:
    """Parse a time of seed data or of the control API.

    ISO with offset or ``Z``; ISO without (wall clock of ``zone``); ``+3d 18:30`` (that many
    days from today, wall clock of ``zone``); ``+90m`` or ``-2h`` (from now).
    """
    text = text.strip()
    if match := _DAY_AND_TIME.match(text):
        day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=int(match[1]))
        return local(day, int(match[2]), int(match[3]), zone)
    if _SPAN.match(text):
        return (now + timedelta(seconds=seconds(text))).replace(microsecond=0)
    result = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if result.tzinfo is None:
        result = result.replace(tzinfo=ZoneInfo(zone))
    return result.astimezone(UTC)


class Clock:
    """Simulated time. Runs as fast as real time unless frozen."""

    def __init__(self, offset: float = 0.0, frozen: float | None = None) -> None:
        self.offset = offset
        self.frozen = frozen

    def time(self) -> float:
        """Return simulated epoch seconds."""
        return self.frozen if self.frozen is not None else time.time() + self.offset

    def now(self) -> datetime:
        """Return the simulated time in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def stamp(self) -> str:
        """Return the simulated time in Zoom's format."""
        return stamp(self.time())

    def advance(self, span: float) -> None:
        """Move forward (or back, when negative) by this number of seconds."""
        if self.frozen is not None:
            self.frozen += span
        else:
            self.offset += span

    def set(self, target: datetime) -> None:
        """Set the simulated time."""
        self.advance(target.timestamp() - self.time())

    def freeze(self, on: bool) -> None:
        """Stop the clock, or let it run again from where it stopped."""
        if on and self.frozen is None:
            self.frozen = self.time()
        elif not on and self.frozen is not None:
            self.offset = self.frozen - time.time()
            self.frozen = None

    def dump(self) -> dict[str, float | None]:
        """Return the state to store for a restart."""
        return {"offset": self.offset, "frozen": self.frozen}
