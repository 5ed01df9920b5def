"""Maps Zoom's rows of who took part in a meeting, and adds up how long each person stayed.

Zoom gives one row for each join: leaving and coming back makes two, two devices overlap. The rows
hold names and addresses. Nothing here stores them (Zoom: "Get past meeting participants").
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from .parsing import parse_datetime, parse_int, single_line

IN_WAITING_ROOM = "in_waiting_room"
MAX_STAY = timedelta(days=31)
"""Longer stays are cut to this."""


@dataclass(frozen=True)
class Stay:
    """One row: who joined, from when until when. In memory only, and only while a page is read."""

    registrant_id: str
    email: str
    person: str
    """What tells this person from others: an id, the address or else the name; may be empty."""
    joined_at: datetime | None
    left_at: datetime | None


def map_stay(row: dict[str, Any]) -> Stay | None:
    """One row; None for somebody in the waiting room, which is no attendance.

    ``duration`` is in seconds; it counts where the end is missing or before the start.
    """
    if single_line(row.get("status"), 30) == IN_WAITING_ROOM:  # guard: waiting-room-not-attended
        return None
    joined_at, left_at = parse_datetime(row.get("join_time")), parse_datetime(row.get("leave_time"))
    seconds = max(0, parse_int(row.get("duration")) or 0)
    duration = timedelta(seconds=min(seconds, int(MAX_STAY.total_seconds())))
    if joined_at is None and left_at is not None:
        joined_at = left_at - duration
    if joined_at is not None and (left_at is None or left_at < joined_at):
        left_at = joined_at + duration
    if joined_at is not None and left_at is not None:
        left_at = min(left_at, joined_at + MAX_STAY)
    registrant_id = single_line(row.get("registrant_id"), 100)
    email = single_line(row.get("user_email"), 254)
    user_id, name = single_line(row.get("id"), 100), single_line(row.get("name"), 200)
    values = (registrant_id, email.lower(), user_id, name.casefold())
    person = next((f"{kind} {value}" for kind, value in enumerate(values) if value), "")
    return Stay(registrant_id, email, person, joined_at, left_at)


@dataclass
class Presence:
    """When one person was there: disjoint intervals in order, however many rows they come from."""

    starts: list[datetime] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)

    def add(self, start: datetime, end: datetime) -> None:
        """Add one interval; what overlaps or touches it becomes one with it."""
        first, last = bisect_left(self.ends, start), bisect_right(self.starts, end)
        if first < last:
            start, end = min(start, self.starts[first]), max(end, self.ends[last - 1])
        self.starts[first:last], self.ends[first:last] = [start], [end]

    @property
    def seconds(self) -> int:
        """How long, in whole seconds. Two devices at the same time count once."""
        pairs = zip(self.starts, self.ends, strict=True)
        return int(sum((end - start).total_seconds() for start, end in pairs))

    @property
    def minutes(self) -> int:
        """How long, in minutes, rounded."""
        return (self.seconds + 30) // 60

    @property
    def first_arrival(self) -> datetime | None:
        return self.starts[0] if self.starts else None


class PeopleCounter:
    """Counts different people without storing who they are: keyed digests, in memory only.

    The key is made for one reading and forgotten with it.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._digests: set[bytes] = set()
        self._unknown = 0

    def add(self, person: str) -> None:
        """Count somebody; without anything to recognise them by, each row is another person."""
        if person:
            text = person.encode(errors="replace")
            self._digests.add(blake2b(text, digest_size=8, key=self._key).digest())
        else:
            self._unknown += 1

    @property
    def count(self) -> int:
        return len(self._digests) + self._unknown
