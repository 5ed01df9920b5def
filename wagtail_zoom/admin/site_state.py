"""What a state of a Site is: its name, its words, and the buttons that go with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """From the worst to the best, then who does not take part: the order in every list."""

    QUARANTINED = "quarantined"
    NEEDS_RECONNECT = "needs_reconnect"
    REVOKED = "revoked"
    CONFIRM = "confirm"
    WORKER_DOWN = "worker_down"
    MISSING = "missing"
    WITHHELD = "withheld"
    LATE = "late"
    NO_EVENTS = "no_events"
    DEGRADED = "degraded"
    THROTTLED = "throttled"
    PAUSED = "paused"
    CHOOSE = "choose"
    IMPORTING = "importing"
    SYNCING = "syncing"
    SIGNUPS_FAILED = "signups_failed"
    INVITED = "invited"
    ARCHIVED = "archived"
    GOOD = "good"
    NOT_CONNECTED = "not_connected"

    @property
    def rank(self) -> int:
        return list(State).index(self)


@dataclass(frozen=True)
class Action:
    """A button: ``post`` sends the owner's form to the address, else it is a link."""

    label: str
    url: str
    post: bool = True
    filled: bool = False


@dataclass(frozen=True)
class Status:
    """A state, worded. ``tone`` is info, warning or critical; empty needs no banner."""

    state: State
    tone: str
    title: str
    text: str
    actions: list[Action] = field(default_factory=list)


NEEDS_OWNER = {
    State.QUARANTINED,
    State.NEEDS_RECONNECT,
    State.REVOKED,
    State.CONFIRM,
    State.MISSING,
    State.WITHHELD,
    State.SIGNUPS_FAILED,
    State.CHOOSE,
}
TROUBLE = NEEDS_OWNER | {State.WORKER_DOWN, State.LATE, State.NO_EVENTS, State.DEGRADED}
"""States for which ``zoom_doctor`` ends with an error."""
