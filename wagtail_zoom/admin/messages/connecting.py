"""The connection as the owner meets it: invited, confirmed, chosen, broken, ended."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .. import formatting, links
from ..site_state import Action, State, Status
from ..site_status import Facts


def choose(facts: Facts) -> Status:
    return Status(
        State.CHOOSE,
        "info",
        _("Zoom is connected as %(account)s. Now choose what to show.")
        % {"account": facts.account},
        _("Nothing is on your pages yet, and nothing is fetched before you save."),
    )


def invited(facts: Facts) -> Status:
    row = facts.invitation
    assert row is not None  # noqa: S101 - classify() has seen it
    return Status(
        State.INVITED,
        "info",
        _("Waiting for your Zoom administrator."),
        _("You made the link on %(day)s. It works once, until %(until)s.")
        % {"day": formatting.day(row.created_at), "until": formatting.day(row.expires_at)},
        [
            Action(_("Make a new link"), links.url("invite", facts)),
            Action(_("Take the link back"), links.url("uninvite", facts)),
        ],
    )


def confirm(facts: Facts) -> Status:
    person = (facts.grant.user_name if facts.grant else "") or _("Somebody")
    return Status(
        State.CONFIRM,
        "warning",
        _("%(person)s connected %(account)s. Is this right?")
        % {"person": person, "account": facts.account},
        _("Nothing is fetched until you say so."),
        [
            Action(_("Yes, go on"), links.url("confirm", facts), filled=True),
            Action(_("No, disconnect"), links.url("disconnect", facts), post=False),
        ],
    )


def needs_reconnect(facts: Facts) -> Status:
    grant = facts.grant
    assert grant is not None  # noqa: S101 - classify() has seen it
    return Status(
        State.NEEDS_RECONNECT,
        "critical",
        _("Zoom needs you: please connect again."),
        _(
            "Since %(time)s (%(age)s) Zoom lets us read nothing, because %(reason)s. Visitors "
            "still see %(shown)s as they were then. New sign-ups are saved and sent once you are "
            "back."
        )
        % {
            "time": formatting.moment(grant.state_since, facts.now),
            "age": formatting.age(grant.state_since, facts.now),
            "reason": facts.reason,
            "shown": formatting.shown(facts.dates_shown, facts.recordings_shown),
        },
        [
            Action(_("Reconnect Zoom"), links.connect_url(facts), filled=True),
            Action(_("Invite your Zoom administrator"), links.url("invite", facts)),
        ],
    )


def missing(facts: Facts) -> Status:
    names = formatting.listing(formatting.kind_name(name) for name in facts.missing)
    title = _("%(kinds)s: one more permission is needed.") % {"kinds": capfirst(names)}
    return Status(
        State.MISSING,
        "warning",
        title,
        _(
            "Zoom has not allowed this site to use %(kinds)s. Everything else works as before. "
            "What you already published stays where it is."
        )
        % {"kinds": names},
        [
            Action(_("Give the permission in Zoom"), links.connect_url(facts), filled=True),
            Action(_("Go on without"), f"{links.panel_url(facts)}#tab-choices", post=False),
        ],
    )


def revoked(facts: Facts) -> Status:
    since = facts.removed_at or (facts.grant.state_since if facts.grant else facts.now)
    return Status(
        State.REVOKED,
        "critical",
        _("Zoom has ended the connection."),
        _(
            "The app was removed in Zoom (%(time)s). What came from it is no longer on your "
            "pages. Your titles, summaries and images are kept."
        )
        % {"time": formatting.moment(since, facts.now)},
        [Action(_("Connect Zoom"), links.connect_url(facts), filled=True)],
    )


def archived(facts: Facts) -> Status:
    since = facts.choice.archived_at or facts.now
    return Status(
        State.ARCHIVED,
        "info",
        _("Disconnected on %(day)s. Your pages keep an archive.") % {"day": formatting.day(since)},
        _("Visitors see %(shown)s as they were then. Sign-up forms are closed.")
        % {"shown": formatting.shown(facts.dates_shown, facts.recordings_shown)},
        [
            Action(_("Connect Zoom"), links.connect_url(facts), filled=True),
            Action(_("Remove the archive…"), links.url("disconnect", facts), post=False),
        ],
    )


def quarantined(facts: Facts) -> Status:
    return Status(
        State.QUARANTINED,
        "warning",
        _("This is a copy of another site. Zoom is switched off here."),
        _(
            "If this copy talked to Zoom, the real site would lose its connection. "
            "It sends no mail and takes no sign-ups."
        ),
        [Action(_("This is now the real site…"), links.url("adopt", facts), post=False)],
    )
