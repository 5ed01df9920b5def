"""What may happen while a Site is connected."""

from __future__ import annotations

from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import formatting, links
from ..site_state import Action, State, Status
from ..site_status import Facts


def worker_down(facts: Facts) -> Status:
    waiting = facts.signups.get("waiting", 0)
    if facts.beat_at is None:
        text = _("It has never run, so nothing has been fetched. Your web host can start it.")
    elif waiting:
        text = ngettext(
            "Since %(time)s nothing has been fetched, and %(n)d sign-up waits here safely. "
            "Your web host can start it again.",
            "Since %(time)s nothing has been fetched, and %(n)d sign-ups wait here safely. "
            "Your web host can start it again.",
            waiting,
        ) % {"time": formatting.moment(facts.beat_at, facts.now), "n": waiting}
    else:
        text = _("Since %(time)s nothing has been fetched. Your web host can start it again.") % {
            "time": formatting.moment(facts.beat_at, facts.now)
        }
    title = _("The background worker is not running.")
    return Status(State.WORKER_DOWN, "warning", title, text, [tell_host(facts, title)])


def tell_host(facts: Facts, subject: str) -> Action:
    """A mail of the owner's own to whoever runs the installation."""
    body = _("Please start the background worker (manage.py qcluster) for %(site)s.") % {
        "site": facts.site.hostname
    }
    return Action(_("Tell your web host"), mail_to_host(subject, body), post=False)


def mail_to_host(subject: str, body: str) -> str:
    """Opens the owner's own mail program; they know whom to write to."""
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


def withheld(facts: Facts) -> Status:
    n = facts.withheld
    return Status(
        State.WITHHELD,
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
            Action(_("Yes, remove them"), links.url("approve_removals", facts)),
            Action(_("Look again"), links.url("sync", facts)),
        ],
    )


def signups_failed(facts: Facts) -> Status:
    """A line of the health list, no banner: the connection is well."""
    n = facts.signups.get("failed", 0)
    return Status(
        State.SIGNUPS_FAILED,
        "",
        ngettext("%(n)d sign-up has not reached Zoom.", "%(n)d sign-ups have not reached Zoom.", n)
        % {"n": n},
        _("Zoom did not accept what was entered. Nothing is lost."),
        [Action(_("Look at it"), f"{links.signups_url(facts)}&state=failed", post=False)],
    )


def late(facts: Facts) -> Status:
    read = facts.account.reconciled_at if facts.account else None
    text = (
        _("Your pages show what we read at %(time)s. We go on by ourselves.")
        % {"time": formatting.moment(read, facts.now)}
        if read
        else _("The first import broke off. We go on by ourselves.")
    )
    return Status(
        State.LATE,
        "warning",
        _("The last check of Zoom broke off."),
        text,
        [Action(_("Try now"), links.url("sync", facts))],
    )


def no_events(facts: Facts) -> Status:
    last = facts.account.last_event_at if facts.account else None
    text = (
        _("The last message came at %(time)s.") % {"time": formatting.moment(last, facts.now)}
        if last
        else _("No message has come yet.")
    )
    more = _("Until it works again we look from time to time, so changes may show a little later.")
    return Status(
        State.NO_EVENTS,
        "warning",
        _("Zoom does not tell us about changes."),
        f"{text} {more}",
        [Action(_("Look now"), links.url("sync", facts))],
    )


def degraded(facts: Facts) -> Status:
    grant = facts.grant
    assert grant is not None  # noqa: S101 - classify() has seen it
    parts = [_("We have tried since %(since)s.") % {"since": formatting.moment(grant.state_since)}]
    if grant.retry_at and grant.retry_at > facts.now:
        parts.append(_("We try again at %(time)s.") % {"time": formatting.moment(grant.retry_at)})
    if grant.last_ok_at:
        parts.append(
            _("Your pages show what we read at %(time)s.")
            % {"time": formatting.moment(grant.last_ok_at)}
        )
    return Status(
        State.DEGRADED,
        "info",
        _("Zoom is not answering."),
        " ".join(parts),
        [Action(_("Try now"), links.url("sync", facts))],
    )


def throttled(facts: Facts) -> Status:
    until = facts.account.throttled_until if facts.account else None
    return Status(
        State.THROTTLED,
        "info",
        _("Zoom asks us to slow down."),
        _(
            "We go on by ourselves at %(time)s. Sign-ups come first, so nobody waits for them. "
            "You do not need to do anything."
        )
        % {"time": formatting.moment(until or facts.now, facts.now)},
        [Action(_("Show the activity"), links.activity_url(facts), post=False)],
    )


def paused(facts: Facts) -> Status:
    since = facts.choice.paused_at or facts.now
    return Status(
        State.PAUSED,
        "info",
        _("Paused since %(day)s.") % {"day": formatting.day(since)},
        _("Visitors see %(shown)s as they were then. Nothing new is fetched, and sign-ups go on.")
        % {"shown": formatting.shown(facts.dates_shown, facts.recordings_shown)},
        [Action(_("Go on"), links.url("resume", facts), filled=True)],
    )
