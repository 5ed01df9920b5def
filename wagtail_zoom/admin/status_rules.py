"""Determines the state of a Site and its message.

Used by the panel, the overview, the homepage and ``zoom_doctor``.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import GrantState, SyncRun
from .messages import connecting, running
from .site_state import SiteState, StatusMessage
from .site_status import SiteStatus

IMPLIED: dict[SiteState, set[SiteState]] = {
    SiteState.QUARANTINED: set(SiteState),
    SiteState.NEEDS_RECONNECT: {
        SiteState.MISSING,
        SiteState.LATE,
        SiteState.NO_EVENTS,
        SiteState.DEGRADED,
        SiteState.THROTTLED,
    },
    SiteState.REVOKED: set(SiteState),
    SiteState.CONFIRM: {SiteState.CHOOSE},
    SiteState.WORKER_DOWN: {SiteState.LATE, SiteState.NO_EVENTS},
    SiteState.DEGRADED: {SiteState.LATE},
}
"""Less severe states that follow from a state or cannot be known in it: not reported beside it."""


def applicable_states(site_status: SiteStatus) -> list[SiteState]:
    """All states of a Site that do not follow from a worse one, worst first; never empty."""
    site_settings, grant, account = (
        site_status.site_settings,
        site_status.grant,
        site_status.account,
    )
    if account is None:
        if site_status.invitation:
            return [SiteState.INVITED]
        return [SiteState.REVOKED if site_status.app_removed_at else SiteState.NOT_CONNECTED]
    if grant is None:
        return [SiteState.INVITED if site_status.invitation else SiteState.ARCHIVED]
    rules: list[tuple[bool, SiteState]] = [
        (account.is_quarantined, SiteState.QUARANTINED),
        (site_status.needs_reconnect, SiteState.NEEDS_RECONNECT),
        (grant.state == GrantState.REVOKED, SiteState.REVOKED),
        (site_settings.needs_confirmation, SiteState.CONFIRM),
        (site_status.worker_down, SiteState.WORKER_DOWN),
        (bool(site_status.missing_kinds), SiteState.MISSING),
        (site_status.withheld_removals > 0, SiteState.WITHHELD),
        (bool(site_status.registration_counts.get("failed")), SiteState.REGISTRATIONS_FAILED),
        (grant.state == GrantState.DEGRADED, SiteState.DEGRADED),
        (site_status.is_throttled, SiteState.THROTTLED),
        (site_settings.paused_at is not None, SiteState.PAUSED),
        (site_settings.configured_at is None, SiteState.CHOOSE),
        (_has_open_run(site_status, SyncRun.Mode.BACKFILL), SiteState.IMPORTING),
        (_has_open_run(site_status, SyncRun.Mode.RECONCILE), SiteState.SYNCING),
        (site_status.is_late and not site_status.is_idle, SiteState.LATE),
        (site_status.events_missing and not site_status.is_idle, SiteState.NO_EVENTS),
    ]
    states: list[SiteState] = []
    for state in sorted((state for applies, state in rules if applies), key=_rank):
        if not any(state in IMPLIED.get(worse, set()) for worse in states):
            states.append(state)
    return states or [SiteState.GOOD]


def classify(site_status: SiteStatus) -> SiteState:
    """The worst state that applies."""
    return applicable_states(site_status)[0]


def own_state(site_status: SiteStatus) -> SiteState:
    """The worst state of the Site itself: a stopped worker is the installation's problem."""
    states = applicable_states(site_status)
    return next((row for row in states if row is not SiteState.WORKER_DOWN), SiteState.GOOD)


def _rank(state: SiteState) -> int:
    return state.rank


def _has_open_run(site_status: SiteStatus, mode: str) -> bool:
    return site_status.open_run is not None and site_status.open_run.mode == mode


_MESSAGES: dict[SiteState, Callable[[SiteStatus], StatusMessage]] = {
    SiteState.QUARANTINED: connecting.quarantined,
    SiteState.NEEDS_RECONNECT: connecting.needs_reconnect,
    SiteState.REVOKED: connecting.revoked,
    SiteState.CONFIRM: connecting.confirm,
    SiteState.WORKER_DOWN: running.worker_down,
    SiteState.MISSING: connecting.missing,
    SiteState.WITHHELD: running.withheld,
    SiteState.REGISTRATIONS_FAILED: running.registrations_failed,
    SiteState.LATE: running.late,
    SiteState.NO_EVENTS: running.no_events,
    SiteState.DEGRADED: running.degraded,
    SiteState.THROTTLED: running.throttled,
    SiteState.PAUSED: running.paused,
    SiteState.CHOOSE: connecting.choose,
    SiteState.INVITED: connecting.invited,
    SiteState.ARCHIVED: connecting.archived,
}


def describe(site_status: SiteStatus, state: SiteState | None = None) -> StatusMessage:
    """The message and actions of a state, of the worst one by default."""
    state = state or classify(site_status)
    message_for = _MESSAGES.get(state)
    return (
        message_for(site_status)
        if message_for
        else StatusMessage(state, "", short_label(site_status, state), "")
    )


def problems(site_status: SiteStatus) -> list[StatusMessage]:
    """The messages of all states that the owner is told about, worst first.

    Only the first has a filled button. What to do next when nothing is wrong is no problem among
    others: it is told alone.
    """
    rows = [describe(site_status, state) for state in applicable_states(site_status)]
    rows = [row for row in rows if row.tone]
    if len(rows) > 1:
        rows = [row for row in rows if row.state is not SiteState.CHOOSE]
    return [row if index == 0 else row.without_primary() for index, row in enumerate(rows)]


SHORT_LABELS: dict[SiteState, Promise] = {
    SiteState.QUARANTINED: gettext_lazy("Copy, turned off"),
    SiteState.NEEDS_RECONNECT: gettext_lazy("Owner must reconnect"),
    SiteState.REVOKED: gettext_lazy("Removed in Zoom"),
    SiteState.CONFIRM: gettext_lazy("Owner must confirm"),
    SiteState.WORKER_DOWN: gettext_lazy("Worker is not running"),
    SiteState.MISSING: gettext_lazy("Permission missing"),
    SiteState.WITHHELD: gettext_lazy("Items no longer in Zoom"),
    SiteState.REGISTRATIONS_FAILED: gettext_lazy("Registrations failed"),
    SiteState.LATE: gettext_lazy("Not up to date"),
    SiteState.NO_EVENTS: gettext_lazy("Zoom does not report changes"),
    SiteState.DEGRADED: gettext_lazy("Zoom is not answering"),
    SiteState.THROTTLED: gettext_lazy("Zoom is limiting requests"),
    SiteState.PAUSED: gettext_lazy("Paused"),
    SiteState.CHOOSE: gettext_lazy("Nothing chosen yet"),
    SiteState.IMPORTING: gettext_lazy("First import"),
    SiteState.SYNCING: gettext_lazy("Syncing"),
    SiteState.INVITED: gettext_lazy("Invited"),
    SiteState.ARCHIVED: gettext_lazy("Archive"),
    SiteState.NOT_CONNECTED: gettext_lazy("Not connected"),
    SiteState.GOOD: gettext_lazy("Up to date"),
}


def short_label(site_status: SiteStatus, state: SiteState) -> str:
    """The state in two or three words, for lists."""
    if state is SiteState.GOOD and site_status.worker_down:
        return _("Not synced now")
    return str(SHORT_LABELS[state])
