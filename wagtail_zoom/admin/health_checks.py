"""The health checks of the panel, failed ones first."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Plan
from . import formatting, links
from .messages import running
from .site_state import StatusAction
from .site_status import SiteStatus


@dataclass(frozen=True)
class HealthCheck:
    """The result of one check; a failed one has an action."""

    passed: bool
    title: str
    text: str
    action: StatusAction | None = None


def run_checks(site_status: SiteStatus) -> list[HealthCheck]:
    """All checks that apply to a connected Site, failed ones first."""
    if site_status.account is None:
        return []
    checks = [
        _events_check(site_status),
        _worker_check(site_status),
        _reconciliation_check(site_status),
        _registrations_check(site_status),
        _pages_check(site_status),
    ]
    return sorted((check for check in checks if check), key=lambda check: check.passed)


def _events_check(site_status: SiteStatus) -> HealthCheck | None:
    account = site_status.account
    if account is None or site_status.grant is None:
        return None
    if site_status.events_missing:
        message = running.no_events(site_status)
        return HealthCheck(False, message.title, message.text, message.actions[0])
    if account.plan == Plan.FREE:
        return HealthCheck(
            True,
            _("We look every 15 minutes"),
            _("The free plan of Zoom does not tell us about changes by itself."),
        )
    if account.last_event_at is None:
        return HealthCheck(
            True,
            _("Zoom tells us about changes"),
            _("No message has come yet. That is normal while nothing changes."),
        )
    text = _("Last message %(age)s ago, %(n)d today.") % {
        "age": formatting.age(account.last_event_at, site_status.now),
        "n": site_status.events_today,
    }
    return HealthCheck(True, _("Zoom tells us about changes"), text)


def _worker_check(site_status: SiteStatus) -> HealthCheck:
    if site_status.worker_down:
        message = running.worker_down(site_status)
        return HealthCheck(False, message.title, message.text, message.actions[0])
    age = formatting.age(site_status.heartbeat_at or site_status.now, site_status.now)
    return HealthCheck(
        True,
        _("The background worker is running"),
        _("Last sign of life %(age)s ago.") % {"age": age},
    )


def _reconciliation_check(site_status: SiteStatus) -> HealthCheck | None:
    account, run = site_status.account, site_status.last_run
    if account is None or site_status.grant is None or run is None:
        return None
    if site_status.last_run_failed:
        return HealthCheck(
            False,
            _("The last check broke off"),
            _("We go on by ourselves."),
            StatusAction(_("Sync now"), links.view_url("sync", site_status)),
        )
    created = sum(int(kind.get("created") or 0) for kind in run.counts.values())
    created_text = ngettext("%(n)d was new", "%(n)d were new", created) % {"n": created}
    text = _("At %(time)s. %(seen)s, %(new)s.") % {
        "time": formatting.date_time(run.finished_at or run.requested_at, site_status.now),
        "seen": capfirst(formatting.reconciled_counts(run.counts)),
        "new": created_text if created else _("none was new"),
    }
    return HealthCheck(True, _("Everything has been compared with Zoom"), text)


def _registrations_check(site_status: SiteStatus) -> HealthCheck | None:
    if not site_status.site_settings.show_registration:
        return None
    if site_status.registration_counts.get("failed"):
        message = running.registrations_failed(site_status)
        return HealthCheck(False, message.title.rstrip("."), message.text, message.actions[0])
    waiting_count = site_status.registration_counts.get("waiting", 0)
    if waiting_count:
        return HealthCheck(
            True,
            _("%(signups)s on the way to Zoom")
            % {"signups": formatting.registration_count(waiting_count)},
            _("They are saved here and are sent by themselves."),
        )
    return HealthCheck(True, _("All sign-ups have reached Zoom"), "")


def _pages_check(site_status: SiteStatus) -> HealthCheck:
    from django.urls import reverse

    if not site_status.pages:
        root = site_status.site.root_page_id
        return HealthCheck(
            False,
            _("No page shows Zoom yet"),
            _("Add a list, a calendar or a form to any page."),
            StatusAction(
                _("Choose a page"), reverse("wagtailadmin_explore", args=[root]), post=False
            ),
        )
    return HealthCheck(
        True,
        _("Pages use it"),
        _("%(pages)s of this site.") % {"pages": formatting.page_count(len(site_status.pages))},
    )
