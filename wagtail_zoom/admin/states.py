"""The state of a Site in words: which one it is, one sentence for it, and one thing to do.

Panel, fleet view, homepage and ``zoom_doctor`` all say what is said here.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from ..models import GrantState, SyncRun
from .messages import connecting, running
from .site_state import State, Status
from .site_status import Facts


def classify(facts: Facts) -> State:
    """Which state it is: the worst that holds."""
    choice, grant, account = facts.choice, facts.grant, facts.account
    if account is None:
        if facts.invitation:
            return State.INVITED
        return State.REVOKED if facts.removed_at else State.NOT_CONNECTED
    if grant is None:
        return State.INVITED if facts.invitation else State.ARCHIVED
    holds: list[tuple[bool, State]] = [
        (account.is_quarantined, State.QUARANTINED),
        (facts.needs_reconnect, State.NEEDS_RECONNECT),
        (grant.state == GrantState.REVOKED, State.REVOKED),
        (choice.needs_confirmation, State.CONFIRM),
        (facts.worker_down, State.WORKER_DOWN),
        (bool(facts.missing), State.MISSING),
        (facts.withheld > 0, State.WITHHELD),
        (bool(facts.signups.get("failed")), State.SIGNUPS_FAILED),
        (grant.state == GrantState.DEGRADED, State.DEGRADED),
        (facts.throttled, State.THROTTLED),
        (choice.paused_at is not None, State.PAUSED),
        (choice.configured_at is None, State.CHOOSE),
        (_is_open(facts, SyncRun.Mode.BACKFILL), State.IMPORTING),
        (_is_open(facts, SyncRun.Mode.RECONCILE), State.SYNCING),
        (facts.is_late, State.LATE),
        (facts.events_missing, State.NO_EVENTS),
    ]
    return min((state for held, state in holds if held), key=_urgency, default=State.GOOD)


def _urgency(state: State) -> int:
    return state.rank


def _is_open(facts: Facts, mode: str) -> bool:
    return facts.open_run is not None and facts.open_run.mode == mode


_WORDS: dict[State, Callable[[Facts], Status]] = {
    State.QUARANTINED: connecting.quarantined,
    State.NEEDS_RECONNECT: connecting.needs_reconnect,
    State.REVOKED: connecting.revoked,
    State.CONFIRM: connecting.confirm,
    State.WORKER_DOWN: running.worker_down,
    State.MISSING: connecting.missing,
    State.WITHHELD: running.withheld,
    State.SIGNUPS_FAILED: running.signups_failed,
    State.LATE: running.late,
    State.NO_EVENTS: running.no_events,
    State.DEGRADED: running.degraded,
    State.THROTTLED: running.throttled,
    State.PAUSED: running.paused,
    State.CHOOSE: connecting.choose,
    State.INVITED: connecting.invited,
    State.ARCHIVED: connecting.archived,
}


def describe(facts: Facts) -> Status:
    """The state with its sentence and its action."""
    state = classify(facts)
    worded = _WORDS.get(state)
    return worded(facts) if worded else Status(state, "", short(facts, state), "")


def short(facts: Facts, state: State) -> str:
    """The state in two or three words, for lists."""
    words = {
        State.QUARANTINED: _("Copy, switched off"),
        State.NEEDS_RECONNECT: _("Owner must reconnect"),
        State.REVOKED: _("Ended in Zoom"),
        State.CONFIRM: _("Owner must confirm"),
        State.WORKER_DOWN: _("Worker is not running"),
        State.MISSING: _("Permission missing"),
        State.WITHHELD: _("Removals held back"),
        State.SIGNUPS_FAILED: _("Sign-ups failed"),
        State.LATE: _("Not up to date"),
        State.NO_EVENTS: _("No messages from Zoom"),
        State.DEGRADED: _("Zoom is not answering"),
        State.THROTTLED: _("Zoom is limiting us"),
        State.PAUSED: _("Paused"),
        State.CHOOSE: _("Nothing chosen yet"),
        State.IMPORTING: _("First import"),
        State.SYNCING: _("Checking"),
        State.INVITED: _("Invited"),
        State.ARCHIVED: _("Archive"),
        State.NOT_CONNECTED: _("Not connected"),
        State.GOOD: _("Up to date"),
    }
    return words[state]
