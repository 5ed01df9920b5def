"""Messages for states of a connected Site."""

from __future__ import annotations

from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import formatting, links
from ..site_state import SiteState, StatusAction, StatusMessage
from ..site_status import SiteStatus


def worker_down(site_status: SiteStatus) -> StatusMessage:
    waiting_count = site_status.registration_counts.get("waiting", 0)
    if site_status.heartbeat_at is None:
        text = _("It has never run, so nothing has been fetched. Your web host can start it.")
    elif waiting_count:
        text = ngettext(
            "Since %(time)s nothing has been fetched, and %(n)d sign-up waits here safely. "
            "Your web host can start it again.",
            "Since %(time)s nothing has been fetched, and %(n)d sign-ups wait here safely. "
            "Your web host can start it again.",
            waiting_count,
        ) % {
            "time": formatting.date_time(site_status.heartbeat_at, site_status.now),
            "n": waiting_count,
        }
    else:
        text = _("Since %(time)s nothing has been fetched. Your web host can start it again.") % {
            "time": formatting.date_time(site_status.heartbeat_at, site_status.now)
        }
    title = _("The background worker is not running.")
    return StatusMessage(
        SiteState.WORKER_DOWN, "warning", title, text, [contact_operator(site_status, title)]
    )


def contact_operator(site_status: SiteStatus, subject: str) -> StatusAction:
    """Lets the owner email the operator of the installation."""
    body = _("Please start the background worker (manage.py qcluster) for %(site)s.") % {
        "site": site_status.site.hostname
    }
    return StatusAction(_("Tell your web host"), operator_mailto(subject, body), post=False)


def operator_mailto(subject: str, body: str) -> str:
    """Opens the owner's email program; the owner enters the recipient."""
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


def withheld(site_status: SiteStatus) -> StatusMessage:
    n = site_status.withheld_removals
    return StatusMessage(
        SiteState.WITHHELD,
        "warning",
        _("Much has gone from Zoom at once. We kept it."),
        ngettext(
            "%(n)d thing on your list is no longer in Zoom. If you deleted it there, say so, "
            "and it goes from your pages.",
            "%(n)d things on your list are no longer in Zoom. If you deleted them there, say so, "
            "and they go from your pages.",
            n,
        )
        % {"n": n},
        [
            StatusAction(_("Yes, remove them"), links.view_url("approve_removals", site_status)),
            StatusAction(_("Look again"), links.view_url("sync", site_status)),
        ],
    )


def registrations_failed(site_status: SiteStatus) -> StatusMessage:
    """Shown in the health checks without a banner: the connection works."""
    n = site_status.registration_counts.get("failed", 0)
    return StatusMessage(
        SiteState.REGISTRATIONS_FAILED,
        "",
        ngettext("%(n)d sign-up has not reached Zoom.", "%(n)d sign-ups have not reached Zoom.", n)
        % {"n": n},
        _("Zoom did not accept what was entered. Nothing is lost."),
        [
            StatusAction(
                _("Look at it"), f"{links.registrations_url(site_status)}&state=failed", post=False
            )
        ],
    )


def late(site_status: SiteStatus) -> StatusMessage:
    read_at = site_status.account.reconciled_at if site_status.account else None
    text = (
        _("Your pages show what we read at %(time)s. We go on by ourselves.")
        % {"time": formatting.date_time(read_at, site_status.now)}
        if read_at
        else _("The first import broke off. We go on by ourselves.")
    )
    return StatusMessage(
        SiteState.LATE,
        "warning",
        _("The last check of Zoom broke off."),
        text,
        [StatusAction(_("Try now"), links.view_url("sync", site_status))],
    )


def no_events(site_status: SiteStatus) -> StatusMessage:
    last_event_at = site_status.account.last_event_at if site_status.account else None
    text = (
        _("The last message came at %(time)s.")
        % {"time": formatting.date_time(last_event_at, site_status.now)}
        if last_event_at
        else _("No message has come yet.")
    )
    consequence = _(
        "Until it works again we look from time to time, so changes may show a little later."
    )
    return StatusMessage(
        SiteState.NO_EVENTS,
        "warning",
        _("Zoom does not tell us about changes."),
        f"{text} {consequence}",
        [StatusAction(_("Look now"), links.view_url("sync", site_status))],
    )


def degraded(site_status: SiteStatus) -> StatusMessage:
    grant = site_status.grant
    assert grant is not None  # noqa: S101 - guaranteed by classify()
    parts = [
        _("We have tried since %(since)s.") % {"since": formatting.date_time(grant.state_since)}
    ]
    if grant.retry_at and grant.retry_at > site_status.now:
        parts.append(
            _("We try again at %(time)s.") % {"time": formatting.date_time(grant.retry_at)}
        )
    if grant.last_ok_at:
        parts.append(
            _("Your pages show what we read at %(time)s.")
            % {"time": formatting.date_time(grant.last_ok_at)}
        )
    return StatusMessage(
        SiteState.DEGRADED,
        "info",
        _("Zoom is not answering."),
        " ".join(parts),
        [StatusAction(_("Try now"), links.view_url("sync", site_status))],
    )


def throttled(site_status: SiteStatus) -> StatusMessage:
    until = site_status.account.throttled_until if site_status.account else None
    return StatusMessage(
        SiteState.THROTTLED,
        "info",
        _("Zoom asks us to slow down."),
        _(
            "We go on by ourselves at %(time)s. Sign-ups come first, so nobody waits for them. "
            "You do not need to do anything."
        )
        % {"time": formatting.date_time(until or site_status.now, site_status.now)},
        [StatusAction(_("Show the activity"), links.activity_url(site_status), post=False)],
    )


def paused(site_status: SiteStatus) -> StatusMessage:
    since = site_status.site_settings.paused_at or site_status.now
    return StatusMessage(
        SiteState.PAUSED,
        "info",
        _("Paused since %(day)s.") % {"day": formatting.day(since)},
        _("Visitors see %(shown)s as they were then. Nothing new is fetched, and sign-ups go on.")
        % {
            "shown": formatting.shown_counts(
                site_status.occurrences_shown, site_status.recordings_shown
            )
        },
        [StatusAction(_("Go on"), links.view_url("resume", site_status), primary=True)],
    )
