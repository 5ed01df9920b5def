"""The health checks of the panel, failed ones first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import GrantState, Plan
from . import formatting, links, page_check
from .messages import running
from .site_state import StatusAction
from .site_status import WORKER_LATE, WORKER_TIMEOUT, SiteStatus


class Health(Enum):
    """Result of a check, in the order of the list."""

    FAILED = "failed"
    WAITING = "waiting"
    """It passes automatically."""
    UNKNOWN = "unknown"
    """Nothing checks it at the moment."""
    GOOD = "good"

    @property
    def label(self) -> str:
        """What stands beside a check without an action."""
        return str(_LABELS[self])


_LABELS = {
    Health.FAILED: "",
    Health.WAITING: gettext_lazy("Nothing to do"),
    Health.UNKNOWN: gettext_lazy("Not known"),
    Health.GOOD: gettext_lazy("Good"),
}


@dataclass(frozen=True)
class HealthCheck:
    """The result of one check, with an action where somebody can do something."""

    health: Health
    title: str
    text: str
    action: StatusAction | None = None


def run_checks(site_status: SiteStatus) -> list[HealthCheck]:
    """All checks that apply to a connected Site, failed ones first."""
    if site_status.account is None:
        return []
    checks = [
        _zoom_check(site_status),
        _worker_check(site_status),
        _events_check(site_status),
        _reconciliation_check(site_status),
        _registrations_check(site_status),
        _pages_check(site_status),
    ]
    order = list(Health)
    return sorted((check for check in checks if check), key=lambda check: order.index(check.health))


def _zoom_check(site_status: SiteStatus) -> HealthCheck | None:
    """Whether Zoom answers this Site's requests."""
    grant, account = site_status.grant, site_status.account
    if grant is None or account is None or account.is_quarantined:
        return None
    now = site_status.now
    if site_status.needs_reconnect or grant.state == GrantState.REVOKED:
        action = StatusAction(_("Reconnect Zoom"), links.connect_url(site_status))
        since = formatting.date_time(grant.state_since, now)
        return HealthCheck(
            Health.FAILED,
            _("Zoom refuses this site"),
            _("Since %(time)s, because %(reason)s.")
            % {"time": since, "reason": site_status.reconnect_reason}
            if site_status.needs_reconnect
            else _("Since %(time)s.") % {"time": since},
            action,
        )
    if grant.state == GrantState.DEGRADED:
        return HealthCheck(
            Health.FAILED,
            _("Zoom does not answer"),
            _("Tried since %(since)s.") % {"since": formatting.date_time(grant.state_since, now)},
            StatusAction(_("Try now"), links.view_url("sync", site_status)),
        )
    if site_status.is_throttled and account.throttled_until and not site_status.worker_down:
        until = formatting.date_time(account.throttled_until, now)
        return HealthCheck(
            Health.WAITING, _("Zoom answers slowly"), _("Resumes at %(time)s.") % {"time": until}
        )
    if grant.last_ok_at is None:
        return HealthCheck(Health.UNKNOWN, _("Zoom has not been asked yet"), "")
    last_ok_at = formatting.date_time(grant.last_ok_at, now)
    if site_status.worker_down:
        return HealthCheck(
            Health.UNKNOWN,
            _("Zoom has not been asked since %(time)s") % {"time": last_ok_at},
            _("The background worker does that."),
        )
    text = _("Last answer %(age)s ago.") % {"age": formatting.age(grant.last_ok_at, now)}
    return HealthCheck(Health.GOOD, _("Zoom answers"), text)


def _events_check(site_status: SiteStatus) -> HealthCheck | None:
    account, grant = site_status.account, site_status.grant
    if account is None or grant is None or site_status.needs_reconnect:
        return None
    if site_status.events_missing:
        message = running.no_events(site_status)
        return HealthCheck(
            Health.FAILED, message.title.rstrip("."), message.text, message.actions[0]
        )
    if account.plan == Plan.FREE:
        return HealthCheck(
            Health.UNKNOWN if site_status.worker_down else Health.GOOD,
            _("Zoom is checked every 15 minutes"),
            _("Zoom's free plan does not report changes."),
        )
    if account.last_event_at is None:
        return HealthCheck(
            Health.UNKNOWN,
            _("Zoom has not reported a change yet"),
            _("That is normal while nothing changes."),
        )
    text = _("Last webhook event %(age)s ago, %(n)d today.") % {
        "age": formatting.age(account.last_event_at, site_status.now),
        "n": site_status.events_today,
    }
    health = Health.UNKNOWN if grant.state == GrantState.DEGRADED else Health.GOOD
    return HealthCheck(health, _("Zoom reports changes"), text)


def _worker_check(site_status: SiteStatus) -> HealthCheck:
    if site_status.worker_down:
        message = running.worker_down(site_status)
        action = message.actions[0] if message.actions else None
        return HealthCheck(Health.FAILED, message.title.rstrip("."), message.text, action)
    return HealthCheck(*worker_seen(site_status.heartbeat_at, site_status.now))


def worker_seen(heartbeat_at: datetime | None, now: datetime) -> tuple[Health, str, str]:
    """Health, title and text about a worker that does not count as stopped (yet)."""
    if heartbeat_at is None:
        return Health.UNKNOWN, _("The background worker has not been seen yet"), ""
    text = _("Last seen %(age)s ago.") % {"age": formatting.age(heartbeat_at, now)}
    if now - heartbeat_at <= WORKER_LATE:
        return Health.GOOD, _("The background worker is running"), text
    text = _("Last seen about %(age)s ago.") % {"age": formatting.age(heartbeat_at, now)}
    rule = _(
        "It reports once a minute. Without a report for %(n)d minutes it is considered stopped."
    )
    rule %= {"n": WORKER_TIMEOUT // timedelta(minutes=1)}
    return Health.WAITING, _("The background worker is late"), f"{text} {rule}"


def _reconciliation_check(site_status: SiteStatus) -> HealthCheck | None:
    account, run, grant = site_status.account, site_status.last_run, site_status.grant
    if account is None or grant is None or run is None:
        return None
    is_stopped = site_status.needs_reconnect or site_status.worker_down
    if site_status.last_run_failed:
        return HealthCheck(
            Health.FAILED,
            _("The last sync failed"),
            "" if is_stopped else _("The next try starts automatically."),
            None
            if is_stopped
            else StatusAction(_("Sync now"), links.view_url("sync", site_status)),
        )
    counts = site_status.own_counts(run.counts)
    created = sum(int(kind.get("created") or 0) for kind in counts.values())
    created_text = ngettext("%(n)d was new", "%(n)d were new", created) % {"n": created}
    text = _("At %(time)s. %(seen)s, %(new)s.") % {
        "time": formatting.date_time(run.finished_at or run.requested_at, site_status.now),
        "seen": capfirst(formatting.reconciled_counts(counts)),
        "new": created_text if created else _("none was new"),
    }
    if site_status.withheld_removals:
        message = running.withheld(site_status).without_primary()
        finished_at = formatting.date_time(run.finished_at or run.requested_at, site_status.now)
        return HealthCheck(
            Health.FAILED,
            message.title.rstrip("."),
            _("Found by the sync at %(time)s. Nothing is removed until you decide.")
            % {"time": finished_at},
            message.actions[0],
        )
    is_current = not (is_stopped or site_status.is_late or grant.state == GrantState.DEGRADED)
    if is_current or site_status.is_idle:
        return HealthCheck(Health.GOOD, _("Everything was synced with Zoom"), text)
    return HealthCheck(
        Health.UNKNOWN, _("Nothing was compared with Zoom since the last sync"), text
    )


def _registrations_check(site_status: SiteStatus) -> HealthCheck | None:
    if not site_status.site_settings.show_registration:
        return None
    if site_status.registration_counts.get("failed"):
        message = running.registrations_failed(site_status)
        return HealthCheck(
            Health.FAILED, message.title.rstrip("."), message.text, message.actions[0]
        )
    waiting_count = site_status.registration_counts.get("waiting", 0)
    if waiting_count:
        return HealthCheck(
            Health.WAITING,
            _("%(registrations)s on the way to Zoom")
            % {"registrations": formatting.registration_count(waiting_count)},
            _("They are saved here and are sent automatically."),
        )
    return HealthCheck(Health.GOOD, _("All registrations have reached Zoom"), "")


def _pages_check(site_status: SiteStatus) -> HealthCheck:
    if not site_status.pages:
        return HealthCheck(
            Health.FAILED,
            _("No page shows Zoom yet"),
            _("Add a list, a calendar or a form to any page."),
            StatusAction(
                _("Choose a page"), links.view_url("choose_page", site_status), post=False
            ),
        )
    if not site_status.has_public_page:
        page = site_status.pages[0]
        return HealthCheck(
            Health.FAILED,
            _("No published page shows Zoom yet"),
            _("“%(page)s” has a Zoom block, but is not published.") % {"page": page},
            StatusAction(
                _("Open the page"), reverse("wagtailadmin_pages:edit", args=[page.pk]), post=False
            ),
        )
    if hidden := page_check.pages_without_blocks(site_status.pages):
        title = ngettext(
            "A page does not show its Zoom block",
            "%(n)d pages do not show their Zoom blocks",
            len(hidden),
        )
        text = _("%(pages)s. The page template has to print the field with the block.")
        edit_url = reverse("wagtailadmin_pages:edit", args=[hidden[0].pk])
        return HealthCheck(
            Health.FAILED,
            title % {"n": len(hidden)},
            text % {"pages": formatting.join_list(page.title for page in hidden)},
            StatusAction(_("Edit the page"), edit_url, post=False),
        )
    return HealthCheck(
        Health.GOOD,
        _("Pages use it"),
        _("%(pages)s of this site.")
        % {"pages": formatting.page_count(len(site_status.public_pages))},
    )
