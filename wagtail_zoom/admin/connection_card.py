"""The connection tab: status card, numbers, health checks, pause and disconnect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import SUMMARY, GrantState, Plan
from ..oauth import notifications
from . import (
    attendance,
    disconnect_dialog,
    formatting,
    health_checks,
    links,
    progress,
    status_rules,
)
from .site_state import SiteState, StatusAction
from .site_status import SiteStatus


@dataclass(frozen=True)
class ConnectionCard:
    """The status card: icon, state, a line with times, buttons."""

    icon: str
    tone: str
    title: str
    text: str
    actions: list[StatusAction]


@dataclass(frozen=True)
class CardNumber:
    """A number with a label, linked to its list."""

    count: int
    label: str
    url: str


def context(site_status: SiteStatus) -> dict[str, Any]:
    """Template context of the whole tab."""
    states = status_rules.applicable_states(site_status)
    tab = {
        "poll_url": links.view_url("live", site_status),
        "is_stopped": not STOPPED_TONES.keys().isdisjoint(states),
        "pause": _pause_action(site_status),
        "another_account_url": _another_account_url(site_status),
    }
    return (
        card_context(site_status)
        | summary_context(site_status)
        | tab
        | disconnect_dialog.context(site_status)
    )


def summary_context(site_status: SiteStatus) -> dict[str, Any]:
    """Context of the parts next to the card, which are reloaded with it."""
    recordings_url = reverse("wagtail_zoom_recordings:index")
    return {
        "card_numbers": card_numbers(site_status),
        "has_public_page": site_status.has_public_page,
        "choose_page_url": links.view_url("choose_page", site_status),
        "health_checks": health_checks.run_checks(site_status),
        "review_url": f"{recordings_url}?site={site_status.site.pk}&state=new",
        "review_summaries_url": (
            f"{reverse('wagtail_zoom_summaries:index')}?site={site_status.site.pk}&state=new"
        ),
    }


def card_context(site_status: SiteStatus) -> dict[str, Any]:
    """Context of the card, which is reloaded during a run."""
    states = status_rules.applicable_states(site_status)
    run = site_status.open_run if site_status.grant is not None else None
    is_running = not {SiteState.IMPORTING, SiteState.SYNCING}.isdisjoint(states)
    show_progress = run is not None and is_running and STOPPED_TONES.keys().isdisjoint(states)
    return {
        "site_status": site_status,
        "card": None if show_progress else build_card(site_status),
        "progress": progress.progress_of(run, site_status.now) if show_progress and run else None,
        "card_rows": [] if show_progress else card_rows(site_status),
        "stop_url": links.view_url("stop", site_status),
        "visitors_url": links.view_url("visitors", site_status),
        "importing": SiteState.IMPORTING in states,
    }


STOPPED_TONES = {
    SiteState.NEEDS_RECONNECT: "bad",
    SiteState.REVOKED: "bad",
    SiteState.ARCHIVED: "warn",
    SiteState.QUARANTINED: "warn",
    SiteState.WORKER_DOWN: "warn",
}
"""States in which nothing is synced, with the tone of the card."""


def build_card(site_status: SiteStatus) -> ConnectionCard:
    """The card. What is wrong and what to do about it stands in the block above it."""
    states = status_rules.applicable_states(site_status)
    stopped = next((state for state in states if state in STOPPED_TONES), None)
    if stopped:
        last_read = _last_read(site_status)
        title = (
            _("Stopped. Last read: %(time)s") % {"time": last_read} if last_read else _("Stopped")
        )
        return ConnectionCard(
            "warning", STOPPED_TONES[stopped], title, _notified_text(site_status), []
        )
    if SiteState.CHOOSE in states:
        text = _("Choose what to show. Until then nothing is imported.")
        return ConnectionCard("success", "good", _("Connected"), text, [])
    if SiteState.CONFIRM in states:
        return ConnectionCard("help", "warn", _("Waiting for your confirmation"), "", [])
    activity = StatusAction(_("Show the activity"), links.activity_url(site_status), post=False)
    if SiteState.PAUSED in states:
        return ConnectionCard("time", "work", _("Paused"), _checked_text(site_status), [activity])
    is_good = states == [SiteState.GOOD]
    sync = StatusAction(_("Sync now"), links.view_url("sync", site_status), primary=is_good)
    actions = [sync, activity]
    text = _checked_text(site_status)
    if SiteState.DEGRADED in states or SiteState.THROTTLED in states:
        return ConnectionCard("time", "warn", _("Waiting for Zoom"), text, actions)
    if SiteState.LATE in states:
        return ConnectionCard("time", "warn", _("Not up to date"), text, actions)
    text = _checked_text(site_status, show_next=True, show_delay=SiteState.NO_EVENTS not in states)
    missing = [formatting.kind_name(name) for name in site_status.missing_kinds]
    if site_status.withheld_removals:
        n = site_status.missing_items or site_status.withheld_removals
        missing.append(ngettext("%(n)d item in question", "%(n)d items in question", n) % {"n": n})
    if missing:
        text = f"{text} {_('Missing: %(things)s.') % {'things': formatting.join_list(missing)}}"
        return ConnectionCard("warning", "warn", _("Partly up to date"), text, actions)
    if not site_status.site_settings.kinds or not site_status.selected_hosts:
        return ConnectionCard("view", "work", _("Connected. Nothing is shown."), text, actions)
    return ConnectionCard("success", "good", _("Up to date"), text, actions)


def _last_read(site_status: SiteStatus) -> str:
    grant, account = site_status.grant, site_status.account
    grant_ok_at = grant.last_ok_at if grant else None
    read_at = grant_ok_at or (account.reconciled_at if account else None)
    return formatting.date_time(read_at, site_status.now) if read_at else ""


def _notified_text(site_status: SiteStatus) -> str:
    times = (
        site_status.grant.reminders_sent
        if site_status.grant and site_status.needs_reconnect
        else []
    )
    email = notifications.owner_email(site_status.site_settings)
    if not times or not email:
        return ""
    days = dict.fromkeys(formatting.short_day(datetime.fromisoformat(text)) for text in times)
    params = {"address": email, "days": formatting.join_list(days)}
    return _("%(address)s was emailed on %(days)s.") % params


def _checked_text(
    site_status: SiteStatus, *, show_next: bool = False, show_delay: bool = False
) -> str:
    """Time of the last reconciliation, on request with the next one and the delay of changes."""
    account = site_status.account
    if account is None or account.reconciled_at is None:
        return _("Nothing has been imported yet.")
    parts = [
        _("Checked at %(time)s, %(age)s ago.")
        % {
            "time": formatting.date_time(account.reconciled_at, site_status.now),
            "age": formatting.age(account.reconciled_at, site_status.now),
        }
    ]
    if show_next and account.next_reconcile_at and account.next_reconcile_at > site_status.now:
        parts.append(
            _("Next check at %(time)s.")
            % {"time": formatting.date_time(account.next_reconcile_at, site_status.now)}
        )
    if show_delay and account.plan == Plan.FREE:
        parts.append(_("Zoom is checked every 15 minutes."))
    elif show_delay:
        parts.append(_("Changes in Zoom arrive within seconds."))
    return " ".join(parts)


@dataclass(frozen=True)
class CardRow:
    """A labelled value of the card."""

    name: str
    value: str
    note: str = ""
    warning: str = ""
    url: str = ""


def card_rows(site_status: SiteStatus) -> list[CardRow]:
    """The values that describe the connection."""
    grant, account = site_status.grant, site_status.account
    if account is None:
        return []
    rows = [
        CardRow(
            _("Zoom account"),
            account.name or _("without a name"),
            _("number %(number)s") % {"number": account.number} if account.number else "",
        )
    ]
    if grant is not None:
        rows += [_coverage_row(site_status), _connected_by_row(site_status)]
    email = notifications.owner_email(site_status.site_settings)
    rows.append(CardRow(_("Email about problems goes to"), email or _("nobody yet")))
    if grant is not None:
        rows.append(_permissions_row(site_status))
    if latest := attendance.latest_date(site_status):
        url = links.registrations_url(site_status)
        rows.append(CardRow(_("Who attended"), latest.text, latest.note, latest.warning, url))
    n = len(site_status.public_pages)
    used_on = formatting.page_count(n) if n else _("no published page yet")
    rows.append(CardRow(_("Used on"), used_on, url=links.view_url("visitors", site_status)))
    return rows


def _coverage_row(site_status: SiteStatus) -> CardRow:
    grant, account = site_status.grant, site_status.account
    if grant is None or account is None:
        return CardRow(_("Covers"), "")
    if not grant.account_level:
        value = _("only %(person)s") % {"person": grant.user_name or _("the person who connected")}
        return CardRow(_("Covers"), value, _plan_text(site_status))
    value = _("the whole account, %(hosts)s") % {
        "hosts": formatting.host_count(site_status.available_host_count)
    }
    return CardRow(_("Covers"), value, _plan_text(site_status))


def _connected_by_row(site_status: SiteStatus) -> CardRow:
    grant = site_status.grant
    user = grant.connected_by if grant else None
    full_names = [grant.user_name if grant else "", user.get_full_name() if user else ""]
    name = next(
        (name for name in full_names if name), user.get_username() if user else _("unknown")
    )
    day = formatting.day(
        site_status.site_settings.linked_at or (grant.connected_at if grant else site_status.now)
    )
    return CardRow(_("Connected by"), f"{name}, {day}")


def _plan_text(site_status: SiteStatus) -> str:
    account = site_status.account
    if account is None or account.plan == Plan.UNKNOWN:
        return ""
    params = {"plan": account.get_plan_display()}
    if account.plan_stated:
        return _("Zoom plan: %(plan)s, as you said") % params
    return _("Zoom plan: %(plan)s, as it looks") % params


def _permissions_row(site_status: SiteStatus) -> CardRow:
    missing_kinds = list(site_status.grant.missing_kinds or []) if site_status.grant else []
    if not site_status.site_settings.show_summaries:
        # Optional: not asked for where nobody wants it.
        missing_kinds = [name for name in missing_kinds if name != SUMMARY]
    kinds = ("meeting", "webinar", "registration", "recording")
    allowed = [formatting.kind_name(name) for name in kinds if name not in missing_kinds]
    not_allowed = formatting.join_list(formatting.kind_name(name) for name in missing_kinds)
    warning = _("not %(kinds)s") % {"kinds": not_allowed} if missing_kinds else ""
    return CardRow(
        _("Allowed in Zoom"), formatting.join_list(allowed) or _("nothing"), warning=warning
    )


def card_numbers(site_status: SiteStatus) -> list[CardNumber]:
    """Counts of what visitors see now, or could see while no published page has a block."""
    if site_status.account is None or not site_status.site_settings.shows_data:
        return []
    meetings_url = f"{links.meetings_url_of(site_status.site.pk)}&visitors=yes"
    recordings_url = (
        f"{reverse('wagtail_zoom_recordings:index')}?site={site_status.site.pk}&state=published"
    )
    meeting_count, webinar_count = (
        site_status.occurrences_by_kind.get(kind, 0) for kind in ("meeting", "webinar")
    )
    numbers = []
    if site_status.site_settings.show_meetings or not site_status.site_settings.kinds:
        numbers.append(
            CardNumber(
                meeting_count,
                ngettext("upcoming date", "upcoming dates", meeting_count),
                meetings_url,
            )
        )
    if site_status.site_settings.show_webinars:
        label = ngettext("webinar date", "webinar dates", webinar_count)
        numbers.append(CardNumber(webinar_count, label, f"{meetings_url}&kind=webinar"))
    if site_status.site_settings.show_recordings:
        n = site_status.recordings_shown
        numbers.append(CardNumber(n, ngettext("recording", "recordings", n), recordings_url))
    if site_status.site_settings.show_registration:
        numbers.append(
            CardNumber(site_status.meetings_with_registration, _("with registration"), meetings_url)
        )
    waiting_count = site_status.registration_counts.get("waiting", 0)
    if waiting_count:
        label = ngettext("registration waiting", "registrations waiting", waiting_count)
        numbers.append(CardNumber(waiting_count, label, links.registrations_url(site_status)))
    return numbers


def _another_account_url(site_status: SiteStatus) -> str:
    """Where a connected Site chooses another Zoom account; empty where that is not the question."""
    grant, account = site_status.grant, site_status.account
    if grant is None or account is None or account.is_quarantined:
        return ""
    return links.connect_url(site_status)


def _pause_action(site_status: SiteStatus) -> StatusAction | None:
    grant = site_status.grant
    if (
        grant is None
        or grant.state == GrantState.REVOKED
        or site_status.site_settings.configured_at is None
    ):
        return None
    if site_status.site_settings.paused_at:
        return StatusAction(_("Resume syncing"), links.view_url("resume", site_status))
    return StatusAction(_("Pause"), links.view_url("pause", site_status))
