"""Determines the state of a Site and its message.

Used by the panel, the overview, the homepage and ``zoom_doctor``.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from ..models import GrantState, SyncRun
from .messages import connecting, running
from .site_state import SiteState, StatusMessage
from .site_status import SiteStatus


def classify(site_status: SiteStatus) -> SiteState:
    """The worst state that applies."""
    site_settings, grant, account = (
        site_status.site_settings,
        site_status.grant,
        site_status.account,
    )
    if account is None:
        if site_status.invitation:
            return SiteState.INVITED
        return SiteState.REVOKED if site_status.app_removed_at else SiteState.NOT_CONNECTED
    if grant is None:
        return SiteState.INVITED if site_status.invitation else SiteState.ARCHIVED
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
        (site_status.is_late, SiteState.LATE),
        (site_status.events_missing, SiteState.NO_EVENTS),
    ]
    return min((state for applies, state in rules if applies), key=_rank, default=SiteState.GOOD)


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


def describe(site_status: SiteStatus) -> StatusMessage:
    """The state with its message and actions."""
    state = classify(site_status)
    message_for = _MESSAGES.get(state)
    return (
        message_for(site_status)
        if message_for
        else StatusMessage(state, "", short_label(site_status, state), "")
    )


def short_label(site_status: SiteStatus, state: SiteState) -> str:
    """The state in two or three words, for lists."""
    labels = {
        SiteState.QUARANTINED: _("Copy, switched off"),
        SiteState.NEEDS_RECONNECT: _("Owner must reconnect"),
        SiteState.REVOKED: _("Ended in Zoom"),
        SiteState.CONFIRM: _("Owner must confirm"),
        SiteState.WORKER_DOWN: _("Worker is not running"),
        SiteState.MISSING: _("Permission missing"),
        SiteState.WITHHELD: _("Removals held back"),
        SiteState.REGISTRATIONS_FAILED: _("Sign-ups failed"),
        SiteState.LATE: _("Not up to date"),
        SiteState.NO_EVENTS: _("No messages from Zoom"),
        SiteState.DEGRADED: _("Zoom is not answering"),
        SiteState.THROTTLED: _("Zoom is limiting us"),
        SiteState.PAUSED: _("Paused"),
        SiteState.CHOOSE: _("Nothing chosen yet"),
        SiteState.IMPORTING: _("First import"),
        SiteState.SYNCING: _("Checking"),
        SiteState.INVITED: _("Invited"),
        SiteState.ARCHIVED: _("Archive"),
        SiteState.NOT_CONNECTED: _("Not connected"),
        SiteState.GOOD: _("Up to date"),
    }
    return labels[state]
