"""Messages about connecting, reconnecting and disconnecting."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .. import formatting, links
from ..site_state import SiteState, StatusAction, StatusMessage
from ..site_status import SiteStatus


def choose(site_status: SiteStatus) -> StatusMessage:
    return StatusMessage(
        SiteState.CHOOSE,
        "info",
        _("Zoom is connected as %(account)s. Now choose what to show.")
        % {"account": site_status.account},
        _("Nothing is on your pages yet, and nothing is fetched before you save."),
    )


def invited(site_status: SiteStatus) -> StatusMessage:
    row = site_status.invitation
    assert row is not None  # noqa: S101 - guaranteed by classify()
    return StatusMessage(
        SiteState.INVITED,
        "info",
        _("Waiting for your Zoom administrator."),
        _("You made the link on %(day)s. It works once, until %(until)s.")
        % {"day": formatting.day(row.created_at), "until": formatting.day(row.expires_at)},
        [
            StatusAction(_("Make a new link"), links.view_url("invite", site_status)),
            StatusAction(_("Take the link back"), links.view_url("uninvite", site_status)),
        ],
    )


def confirm(site_status: SiteStatus) -> StatusMessage:
    person = (site_status.grant.user_name if site_status.grant else "") or _("Somebody")
    return StatusMessage(
        SiteState.CONFIRM,
        "warning",
        _("%(person)s connected %(account)s. Is this right?")
        % {"person": person, "account": site_status.account},
        _("Nothing is imported until you confirm."),
        [
            StatusAction(_("Yes, continue"), links.view_url("confirm", site_status), primary=True),
            StatusAction(_("Use another account"), links.connect_url(site_status)),
            StatusAction(
                _("No, disconnect"), links.view_url("disconnect", site_status), post=False
            ),
        ],
    )


def visitors_see(site_status: SiteStatus) -> str:
    """What visitors see while nothing is synced."""
    if not site_status.has_public_page:
        return _("No published page has a Zoom block, so visitors see nothing from Zoom.")
    shown = formatting.shown_counts(site_status.occurrences_shown, site_status.recordings_shown)
    return _("Visitors still see %(shown)s as they were then.") % {"shown": shown}


def needs_reconnect(site_status: SiteStatus) -> StatusMessage:
    grant = site_status.grant
    assert grant is not None  # noqa: S101 - guaranteed by classify()
    return StatusMessage(
        SiteState.NEEDS_RECONNECT,
        "critical",
        _("Reconnect Zoom to keep your pages up to date."),
        " ".join(
            [
                _(
                    "Since %(time)s (%(age)s) this site can't read anything from Zoom, because "
                    "%(reason)s."
                )
                % {
                    "time": formatting.date_time(grant.state_since, site_status.now),
                    "age": formatting.age(grant.state_since, site_status.now),
                    "reason": site_status.reconnect_reason,
                },
                visitors_see(site_status),
                _("New registrations are saved, and sent after you reconnect."),
            ]
        ),
        [
            StatusAction(_("Reconnect Zoom"), links.connect_url(site_status), primary=True),
            StatusAction(
                _("Invite your Zoom administrator"), links.view_url("invite", site_status)
            ),
        ],
    )


def missing(site_status: SiteStatus) -> StatusMessage:
    names = formatting.join_list(formatting.kind_name(name) for name in site_status.missing_kinds)
    title = _("%(kinds)s: one more permission is needed.") % {"kinds": capfirst(names)}
    return StatusMessage(
        SiteState.MISSING,
        "warning",
        title,
        _(
            "Zoom does not allow this site to use %(kinds)s. What is published stays, and nothing "
            "new is imported. Everything else works."
        )
        % {"kinds": names},
        [
            StatusAction(
                _("Grant the permission in Zoom"), links.connect_url(site_status), primary=True
            ),
            StatusAction(
                _("Turn off %(kinds)s") % {"kinds": names},
                links.view_url("turn_off_missing", site_status),
            ),
        ],
    )


def revoked(site_status: SiteStatus) -> StatusMessage:
    since = site_status.app_removed_at or (
        site_status.grant.state_since if site_status.grant else site_status.now
    )
    return StatusMessage(
        SiteState.REVOKED,
        "critical",
        _("The app was removed in Zoom. Your pages show nothing from Zoom."),
        _(
            "Removed: %(time)s. Meetings, recordings and join links are deleted here, as "
            "Zoom requires, and are imported again after you reconnect. Your choices, titles, "
            "summaries and images are kept."
        )
        % {"time": formatting.date_time(since, site_status.now)},
        [
            StatusAction(_("Reconnect Zoom"), links.connect_url(site_status), primary=True),
            StatusAction(
                _("Invite your Zoom administrator"), links.view_url("invite", site_status)
            ),
        ],
    )


def archived(site_status: SiteStatus) -> StatusMessage:
    since = site_status.site_settings.archived_at or site_status.now
    title = _("Disconnected on %(day)s. Your pages keep an archive.")
    text = f"{visitors_see(site_status)} {_('Registration forms are closed.')}"
    if not (site_status.occurrences_shown or site_status.recordings_shown):
        title = _("Disconnected on %(day)s. The archive shows nothing to come and no recording.")
        text = _("Visitors see nothing from Zoom but dates that are over.")
    return StatusMessage(
        SiteState.ARCHIVED,
        "info",
        title % {"day": formatting.day(since)},
        text,
        [
            StatusAction(_("Connect Zoom"), links.connect_url(site_status), primary=True),
            StatusAction(
                _("Remove the archive…"), links.view_url("disconnect", site_status), post=False
            ),
        ],
    )


def quarantined(site_status: SiteStatus) -> StatusMessage:
    return StatusMessage(
        SiteState.QUARANTINED,
        "warning",
        _("This is a copy of another site. Zoom is turned off here."),
        _(
            "If this copy talked to Zoom, the real site would lose its connection. "
            "It sends no email and takes no registrations."
        ),
        [
            StatusAction(
                _("This is now the real site…"), links.view_url("adopt", site_status), post=False
            )
        ],
    )
