"""The states of a Site, and the message and actions of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum


class SiteState(Enum):
    """From worst to best, then Sites that are not connected: the order of every list.

    First those in which nothing works, then those in which visitors may read something untrue, then
    those in which a part is missing, then those that pass automatically.
    """

    QUARANTINED = "quarantined"
    NEEDS_RECONNECT = "needs_reconnect"
    REVOKED = "revoked"
    WORKER_DOWN = "worker_down"
    CONFIRM = "confirm"
    WITHHELD = "withheld"
    MISSING = "missing"
    REGISTRATIONS_FAILED = "registrations_failed"
    LATE = "late"
    NO_EVENTS = "no_events"
    DEGRADED = "degraded"
    THROTTLED = "throttled"
    PAUSED = "paused"
    CHOOSE = "choose"
    IMPORTING = "importing"
    SYNCING = "syncing"
    INVITED = "invited"
    ARCHIVED = "archived"
    GOOD = "good"
    NOT_CONNECTED = "not_connected"

    @property
    def rank(self) -> int:
        return list(SiteState).index(self)


@dataclass(frozen=True)
class StatusAction:
    """A button: ``post`` posts a form to the URL, otherwise it is a link."""

    label: str
    url: str
    post: bool = True
    primary: bool = False


@dataclass(frozen=True)
class StatusMessage:
    """The message of a state. ``tone`` is info, warning or critical; empty means no banner."""

    state: SiteState
    tone: str
    title: str
    text: str
    actions: list[StatusAction] = field(default_factory=list)

    def without_primary(self) -> StatusMessage:
        """The same with outlined buttons, for a place where another button is the filled one."""
        return replace(self, actions=[replace(row, primary=False) for row in self.actions])


TONES = ("critical", "warning", "info")


def worst_tone(messages: list[StatusMessage]) -> str:
    """The most serious tone among these messages; empty without any."""
    tones = {message.tone for message in messages}
    return next((tone for tone in TONES if tone in tones), "")


NEEDS_OWNER = {
    SiteState.QUARANTINED,
    SiteState.NEEDS_RECONNECT,
    SiteState.REVOKED,
    SiteState.CONFIRM,
    SiteState.MISSING,
    SiteState.WITHHELD,
    SiteState.REGISTRATIONS_FAILED,
    SiteState.CHOOSE,
}
PROBLEM_STATES = NEEDS_OWNER | {
    SiteState.WORKER_DOWN,
    SiteState.LATE,
    SiteState.NO_EVENTS,
    SiteState.DEGRADED,
}
"""States for which ``zoom_doctor`` ends with an error."""
