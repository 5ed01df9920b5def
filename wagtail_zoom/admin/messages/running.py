"""Messages for states of a connected Site."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...conf import settings
from .. import formatting, links
from ..site_state import SiteState, StatusAction, StatusMessage
from ..site_status import SiteStatus
from .connecting import visitors_see


def worker_down(site_status: SiteStatus) -> StatusMessage:
    waiting_count = site_status.registration_counts.get("waiting", 0)
    if site_status.heartbeat_at is None:
        parts = [_("It has never run, so nothing has been imported.")]
    else:
        since = formatting.date_time(site_status.heartbeat_at, site_status.now)
        parts = [_("Since %(time)s nothing has been imported.") % {"time": since}]
    if waiting_count:
        parts.append(
            ngettext(
                "%(n)d registration is saved and waiting.",
                "%(n)d registrations are saved and waiting.",
                waiting_count,
            )
            % {"n": waiting_count}
        )
    title = _("The background worker is not running.")
    body = _("Please start the background worker (manage.py qcluster) for %(site)s.") % {
        "site": site_status.site.hostname
    }
    actions = email_operator(title, body)
    if not actions:
        parts.append(_("Ask your site operator to start it."))
    return StatusMessage(SiteState.WORKER_DOWN, "critical", title, " ".join(parts), actions)


def email_operator(subject: str, body: str) -> list[StatusAction]:
    """A button that writes to ``OPERATOR_EMAIL``; none without that setting."""
    if not settings.operator_email:
        return []
    url = f"mailto:{quote(settings.operator_email)}?subject={quote(subject)}&body={quote(body)}"
    return [StatusAction(_("Email your site operator"), url, post=False)]


def not_for_this_site() -> str:
    """Why an owner may not decide what concerns the whole Zoom account."""
    return _(
        "Other sites use this Zoom account, too, and your connection covers one person of it only. "
        "A site whose connection covers the whole account decides this, or your site operator."
    )


def withheld(site_status: SiteStatus) -> StatusMessage:
    n = site_status.missing_items or site_status.withheld_removals
    counts = site_status.last_run.counts if site_status.last_run else {}
    has_meetings = any(counts.get(kind, {}).get("withheld") for kind in ("meeting", "webinar"))
    listing = "wagtail_zoom_meetings" if has_meetings else "wagtail_zoom_recordings"
    url = f"{reverse(f'{listing}:index')}?site={site_status.site.pk}&missing=yes"
    texts = [
        _(
            "They are not removed from your pages yet, because so many at once is often a mistake. "
            "Visitors can see dates that do not take place."
        )
    ]
    actions = [
        StatusAction(_("Show them"), url, post=False, primary=True),
        StatusAction(_("Check Zoom again"), links.view_url("sync", site_status)),
    ]
    if site_status.decides_for_account:
        remove_url = links.view_url("approve_removals", site_status)
        actions.append(StatusAction(_("Remove them"), remove_url))
    else:
        texts.append(not_for_this_site())
    return StatusMessage(
        SiteState.WITHHELD,
        "warning",
        ngettext("%(n)d item is no longer in Zoom.", "%(n)d items are no longer in Zoom.", n)
        % {"n": n},
        " ".join(texts),
        actions,
    )


def registrations_failed(site_status: SiteStatus) -> StatusMessage:
    n = site_status.registration_counts.get("failed", 0)
    return StatusMessage(
        SiteState.REGISTRATIONS_FAILED,
        "warning",
        ngettext("%(n)d registration failed.", "%(n)d registrations failed.", n) % {"n": n},
        _("Zoom did not accept what was entered. Nothing is lost."),
        [
            StatusAction(
                _("Show registrations"),
                f"{links.registrations_url(site_status)}&state=failed",
                post=False,
            )
        ],
    )


def late(site_status: SiteStatus) -> StatusMessage:
    read_at = site_status.account.reconciled_at if site_status.account else None
    text = (
        _("Your pages show what was read at %(time)s. The next try starts automatically.")
        % {"time": formatting.date_time(read_at, site_status.now)}
        if read_at
        else _("The first import was interrupted. The next try starts automatically.")
    )
    return StatusMessage(
        SiteState.LATE,
        "warning",
        _("The last sync with Zoom failed."),
        text,
        [StatusAction(_("Sync now"), links.view_url("sync", site_status))],
    )


def no_events(site_status: SiteStatus) -> StatusMessage:
    last_event_at = site_status.account.last_event_at if site_status.account else None
    text = (
        _("The last webhook event came on %(time)s.")
        % {"time": formatting.date_time(last_event_at, site_status.now)}
        if last_event_at
        else _("No webhook event has come yet.")
    )
    consequence = _("Until it works again, changes appear after the next sync.")
    return StatusMessage(
        SiteState.NO_EVENTS,
        "warning",
        _("Zoom does not report changes."),
        f"{text} {consequence}",
        [StatusAction(_("Sync now"), links.view_url("sync", site_status))],
    )


def degraded(site_status: SiteStatus) -> StatusMessage:
    grant = site_status.grant
    assert grant is not None  # noqa: S101 - guaranteed by classify()
    parts = [_("Tried since %(since)s.") % {"since": formatting.date_time(grant.state_since)}]
    if grant.retry_at and grant.retry_at > site_status.now and not site_status.worker_down:
        parts.append(
            _("The next try is at %(time)s.") % {"time": formatting.date_time(grant.retry_at)}
        )
    if grant.last_ok_at:
        parts.append(
            _("Your pages show what was read at %(time)s.")
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
    if site_status.worker_down:
        text = _("Syncing resumes when the background worker runs.")
    else:
        text = _("Syncing resumes automatically at %(time)s. Registrations are sent first.") % {
            "time": formatting.date_time(until or site_status.now, site_status.now)
        }
    return StatusMessage(SiteState.THROTTLED, "info", _("Zoom is limiting requests."), text)


def paused(site_status: SiteStatus) -> StatusMessage:
    since = site_status.site_settings.paused_at or site_status.now
    return StatusMessage(
        SiteState.PAUSED,
        "info",
        _("Paused since %(day)s.") % {"day": formatting.day(since)},
        f"{visitors_see(site_status)} {_('Registrations continue.')}",
        [StatusAction(_("Resume syncing"), links.view_url("resume", site_status), primary=True)],
    )
