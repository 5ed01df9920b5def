"""When the clock alone will next change what a Site shows: no row changes then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Subquery

from ...models import Occurrence, Recording, ZoomSettings
from ..queries import OVERRUN

DAY_PARTS = timedelta(minutes=15)
"""Somewhere on Earth a day begins at each full quarter of an hour, and with it "today", a year, a
last day. It is also how long anything is kept at most."""


def next_turn(choice: ZoomSettings, now: datetime) -> datetime:
    """The first moment after ``now`` at which anything of this Site may look different.

    A start, an end, an opening door, the end of a live date that overruns, a recording's last
    moment, the next quarter of an hour. One query of a few look-ups in an index, each of which
    ends at that quarter: what comes later is not looked for.
    """
    turns = Turns(choice, now)
    row = ZoomSettings.objects.filter(pk=choice.pk).annotate(**turns.asked).values(*turns.asked)
    return turns.first(row.first() or {})


class Turns:
    """The question for the next turn, for any query that goes to the database anyway."""

    def __init__(self, choice: ZoomSettings, now: datetime) -> None:
        self.last = quarter_after(now)
        door = timedelta(minutes=choice.join_minutes)
        dates = Occurrence.objects.filter(
            account=choice.account_id, meeting__host__exposed_on__settings=choice.pk
        )
        shown: dict[str, tuple[QuerySet[Any], str, timedelta]] = {
            "turn_start": (dates, "start", timedelta()),
            "turn_end": (dates, "end", timedelta()),
            "turn_door": (dates, "start", -door),
            "turn_overrun": (dates.filter(state=Occurrence.State.LIVE), "end", OVERRUN),
        }
        if choice.recording_days:
            films = Recording.objects.filter(
                account=choice.account_id, host__exposed_on__settings=choice.pk
            )
            shown["turn_film"] = (films, "start", timedelta(days=choice.recording_days))
        self._shifts = {name: shift for name, (_rows, _column, shift) in shown.items()}
        self.asked = {name: _first(*each, now, self.last) for name, each in shown.items()}
        """Annotations that depend on no row."""

    def first(self, found: Mapping[str, Any]) -> datetime:
        """The next turn, from the values of ``asked``."""
        turns = [found[name] + shift for name, shift in self._shifts.items() if found.get(name)]
        return min([*turns, self.last])


def _first(
    rows: QuerySet[Any], column: str, shift: timedelta, now: datetime, last: datetime
) -> Subquery:
    near = {f"{column}__gt": now - shift, f"{column}__lt": last - shift}
    ahead = rows.filter(**near).order_by(column)
    return Subquery(ahead.values(found=F(column))[:1])


def quarter_after(now: datetime) -> datetime:
    """The next full quarter of an hour."""
    begun = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return begun + DAY_PARTS
