"""The state of a Site in words: which one it is, one sentence for it, and one thing to do.

Panel, fleet view, homepage and ``zoom_doctor`` all say what is said here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import GrantState, SyncRun
from . import wording
from .facts import Facts


class State(Enum):
    """From the worst to the best: the order of urgency in every list."""

    QUARANTINED = "quarantined"
    NEEDS_RECONNECT = "needs_reconnect"
    REVOKED = "revoked"
    CONFIRM = "confirm"
    WORKER_DOWN = "worker_down"
    MISSING = "missing"
    WITHHELD = "withheld"
    LATE = "late"
    NO_EVENTS = "no_events"
    DEGRADED = "degraded"
    THROTTLED = "throttled"
    PAUSED = "paused"
    CHOOSE = "choose"
    IMPORTING = "importing"
    SYNCING = "syncing"
    SIGNUPS_FAILED = "signups_failed"
    INVITED = "invited"
    ARCHIVED = "archived"
    NOT_CONNECTED = "not_connected"
    GOOD = "good"

    @property
    def rank(self) -> int:
        return list(State).index(self)


@dataclass(frozen=True)
class Action:
    """A button: ``post`` sends the owner's form to the address, else it is a link."""

    label: str
    url: str
    post: bool = True
    filled: bool = False


@dataclass(frozen=True)
class Status:
    """A state, worded. ``tone`` is info, warning or critical; empty needs no banner."""

    state: State
    tone: str
    title: str
    text: str
    actions: list[Action] = field(default_factory=list)

    @property
    def needs_owner(self) -> bool:
        """Somebody must act, or it stays as it is."""
        return self.state in NEEDS_OWNER


NEEDS_OWNER = {
    State.QUARANTINED,
    State.NEEDS_RECONNECT,
    State.REVOKED,
    State.CONFIRM,
    State.MISSING,
    State.WITHHELD,
    State.SIGNUPS_FAILED,
    State.CHOOSE,
}
TROUBLE = NEEDS_OWNER | {State.WORKER_DOWN, State.LATE, State.NO_EVENTS, State.DEGRADED}
"""States for which ``zoom_doctor`` ends with an error."""


def classify(facts: Facts) -> State:
    """Which state it is: the worst that holds."""
    choice, grant, account = facts.choice, facts.grant, facts.account
    if account is None:
        if facts.invitation:
            return State.INVITED
        return State.REVOKED if facts.removed_at else State.NOT_CONNECTED
    if grant is None:
        return State.INVITED if facts.invitation else State.ARCHIVED
    holds: list[tuple[bool, State]] = [
        (account.is_quarantined, State.QUARANTINED),
        (facts.needs_reconnect, State.NEEDS_RECONNECT),
        (grant.state == GrantState.REVOKED, State.REVOKED),
        (choice.needs_confirmation, State.CONFIRM),
        (facts.worker_down, State.WORKER_DOWN),
        (bool(facts.missing), State.MISSING),
        (facts.withheld > 0, State.WITHHELD),
        (bool(facts.signups.get("failed")), State.SIGNUPS_FAILED),
        (grant.state == GrantState.DEGRADED, State.DEGRADED),
        (facts.throttled, State.THROTTLED),
        (choice.paused_at is not None, State.PAUSED),
        (choice.configured_at is None, State.CHOOSE),
        (_is_open(facts, SyncRun.Mode.BACKFILL), State.IMPORTING),
        (_is_open(facts, SyncRun.Mode.RECONCILE), State.SYNCING),
        (facts.is_late, State.LATE),
        (facts.events_missing, State.NO_EVENTS),
    ]
    return min((state for held, state in holds if held), key=_urgency, default=State.GOOD)


def _urgency(state: State) -> int:
    return state.rank


def _is_open(facts: Facts, mode: str) -> bool:
    return facts.open_run is not None and facts.open_run.mode == mode


def describe(facts: Facts) -> Status:
    """The state with its sentence and its action."""
    state = classify(facts)
    worded = _WORDS.get(state)
    return worded(facts) if worded else Status(state, "", short(facts, state), "")


def url(name: str, facts: Facts) -> str:
    """Address of one of the Site's views in the admin."""
    return reverse(f"wagtail_zoom_admin:{name}", args=[facts.site.pk])


def connect_url(facts: Facts) -> str:
    return reverse("wagtail_zoom:oauth_connect", args=[facts.site.pk])


def _quarantined(facts: Facts) -> Status:
    return Status(
        State.QUARANTINED,
        "warning",
        _("This is a copy of another site. Zoom is switched off here."),
        _(
            "If this copy talked to Zoom, the real site would lose its connection. "
            "It sends no mail and takes no sign-ups."
        ),
        [Action(_("This is now the real site…"), url("adopt", facts), post=False)],
    )


def _needs_reconnect(facts: Facts) -> Status:
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
            "time": wording.moment(grant.state_since, facts.now),
            "age": wording.age(grant.state_since, facts.now),
            "reason": facts.reason,
            "shown": wording.shown(facts.dates_shown, facts.recordings_shown),
        },
        [
            Action(_("Reconnect Zoom"), connect_url(facts), filled=True),
            Action(_("Invite your Zoom administrator"), url("invite", facts)),
        ],
    )


def _revoked(facts: Facts) -> Status:
    since = facts.removed_at or (facts.grant.state_since if facts.grant else facts.now)
    return Status(
        State.REVOKED,
        "critical",
        _("Zoom has ended the connection."),
        _(
            "The app was removed in Zoom (%(time)s). What came from it is no longer on your "
            "pages. Your titles, summaries and images are kept."
        )
        % {"time": wording.moment(since, facts.now)},
        [Action(_("Connect Zoom"), connect_url(facts), filled=True)],
    )


def _confirm(facts: Facts) -> Status:
    person = (facts.grant.user_name if facts.grant else "") or _("Somebody")
    return Status(
        State.CONFIRM,
        "warning",
        _("%(person)s connected %(account)s. Is this right?")
        % {"person": person, "account": facts.account},
        _("Nothing is fetched until you say so."),
        [
            Action(_("Yes, go on"), url("confirm", facts), filled=True),
            Action(_("No, disconnect"), url("disconnect", facts), post=False),
        ],
    )


def worker_down(facts: Facts) -> Status:
    waiting = facts.signups.get("waiting", 0)
    if facts.beat_at is None:
        text = _("It has never run, so nothing has been fetched. Your web host can start it.")
    elif waiting:
        text = _(
            "Since %(time)s nothing has been fetched, and %(signups)s wait here safely. "
            "Your web host can start it again."
        ) % {
            "time": wording.moment(facts.beat_at, facts.now),
            "signups": wording.signups(waiting),
        }
    else:
        text = _("Since %(time)s nothing has been fetched. Your web host can start it again.") % {
            "time": wording.moment(facts.beat_at, facts.now)
        }
    title = _("The background worker is not running.")
    return Status(State.WORKER_DOWN, "warning", title, text, [tell_host(facts, title)])


def tell_host(facts: Facts, subject: str) -> Action:
    """A mail of the owner's own to whoever runs the installation."""
    from urllib.parse import quote

    body = _("Please start the background worker (manage.py qcluster) for %(site)s.") % {
        "site": facts.site.hostname
    }
    address = f"mailto:?subject={quote(subject)}&body={quote(body)}"
    return Action(_("Tell your web host"), address, post=False)


def _missing(facts: Facts) -> Status:
    names = wording.listing(wording.kind_name(name) for name in facts.missing)
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
            Action(_("Give the permission in Zoom"), connect_url(facts), filled=True),
            Action(_("Go on without"), f"{panel_url(facts)}#tab-choices", post=False),
        ],
    )


def panel_url(facts: Facts) -> str:
    """Address of the Site's panel."""
    return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", facts.site.pk])


def _withheld(facts: Facts) -> Status:
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
            Action(_("Yes, remove them"), url("approve_removals", facts)),
            Action(_("Look again"), url("sync", facts)),
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
        [Action(_("Look at it"), f"{signups_url(facts)}&state=failed", post=False)],
    )


def signups_url(facts: Facts) -> str:
    return f"{reverse('wagtail_zoom_registrations:index')}?site={facts.site.pk}"


def _late(facts: Facts) -> Status:
    read = facts.account.reconciled_at if facts.account else None
    text = (
        _("Your pages show what we read at %(time)s. We go on by ourselves.")
        % {"time": wording.moment(read, facts.now)}
        if read
        else _("The first import broke off. We go on by ourselves.")
    )
    return Status(
        State.LATE,
        "warning",
        _("The last check of Zoom broke off."),
        text,
        [Action(_("Try now"), url("sync", facts))],
    )


def no_events(facts: Facts) -> Status:
    last = facts.account.last_event_at if facts.account else None
    text = (
        _("The last message came at %(time)s.") % {"time": wording.moment(last, facts.now)}
        if last
        else _("No message has come yet.")
    )
    more = _("Until it works again we look from time to time, so changes may show a little later.")
    return Status(
        State.NO_EVENTS,
        "warning",
        _("Zoom does not tell us about changes."),
        f"{text} {more}",
        [Action(_("Look now"), url("sync", facts))],
    )


def _degraded(facts: Facts) -> Status:
    grant = facts.grant
    assert grant is not None  # noqa: S101 - classify() has seen it
    parts = [_("We have tried since %(since)s.") % {"since": wording.moment(grant.state_since)}]
    if grant.retry_at and grant.retry_at > facts.now:
        parts.append(_("We try again at %(time)s.") % {"time": wording.moment(grant.retry_at)})
    if grant.last_ok_at:
        parts.append(
            _("Your pages show what we read at %(time)s.")
            % {"time": wording.moment(grant.last_ok_at)}
        )
    return Status(
        State.DEGRADED,
        "info",
        _("Zoom is not answering."),
        " ".join(parts),
        [Action(_("Try now"), url("sync", facts))],
    )


def _throttled(facts: Facts) -> Status:
    until = facts.account.throttled_until if facts.account else None
    return Status(
        State.THROTTLED,
        "info",
        _("Zoom asks us to slow down."),
        _(
            "We go on by ourselves at %(time)s. Sign-ups come first, so nobody waits for them. "
            "You do not need to do anything."
        )
        % {"time": wording.moment(until or facts.now, facts.now)},
        [Action(_("Show the activity"), activity_url(facts), post=False)],
    )


def activity_url(facts: Facts) -> str:
    return f"{reverse('wagtail_zoom_activity:index')}?site={facts.site.pk}"


def _paused(facts: Facts) -> Status:
    since = facts.choice.paused_at or facts.now
    return Status(
        State.PAUSED,
        "info",
        _("Paused since %(day)s.") % {"day": wording.day(since)},
        _("Visitors see %(shown)s as they were then. Nothing new is fetched, and sign-ups go on.")
        % {"shown": wording.shown(facts.dates_shown, facts.recordings_shown)},
        [Action(_("Go on"), url("resume", facts), filled=True)],
    )


def _choose(facts: Facts) -> Status:
    return Status(
        State.CHOOSE,
        "info",
        _("Zoom is connected as %(account)s. Now choose what to show.")
        % {"account": facts.account},
        _("Nothing is on your pages yet, and nothing is fetched before you save."),
    )


def _invited(facts: Facts) -> Status:
    row = facts.invitation
    assert row is not None  # noqa: S101 - classify() has seen it
    return Status(
        State.INVITED,
        "info",
        _("Waiting for your Zoom administrator."),
        _("You made the link on %(day)s. It works once, until %(until)s.")
        % {"day": wording.day(row.created_at), "until": wording.day(row.expires_at)},
        [
            Action(_("Make a new link"), url("invite", facts)),
            Action(_("Take the link back"), url("uninvite", facts)),
        ],
    )


def _archived(facts: Facts) -> Status:
    since = facts.choice.archived_at or facts.now
    return Status(
        State.ARCHIVED,
        "info",
        _("Disconnected on %(day)s. Your pages keep an archive.") % {"day": wording.day(since)},
        _("Visitors see %(shown)s as they were then. Sign-up forms are closed.")
        % {"shown": wording.shown(facts.dates_shown, facts.recordings_shown)},
        [
            Action(_("Connect Zoom"), connect_url(facts), filled=True),
            Action(_("Remove the archive…"), url("disconnect", facts), post=False),
        ],
    )


_WORDS: dict[State, Callable[[Facts], Status]] = {
    State.QUARANTINED: _quarantined,
    State.NEEDS_RECONNECT: _needs_reconnect,
    State.REVOKED: _revoked,
    State.CONFIRM: _confirm,
    State.WORKER_DOWN: worker_down,
    State.MISSING: _missing,
    State.WITHHELD: _withheld,
    State.SIGNUPS_FAILED: signups_failed,
    State.LATE: _late,
    State.NO_EVENTS: no_events,
    State.DEGRADED: _degraded,
    State.THROTTLED: _throttled,
    State.PAUSED: _paused,
    State.CHOOSE: _choose,
    State.INVITED: _invited,
    State.ARCHIVED: _archived,
}


def short(facts: Facts, state: State) -> str:
    """The state in two or three words, for lists."""
    words = {
        State.QUARANTINED: _("Copy, switched off"),
        State.NEEDS_RECONNECT: _("Owner must reconnect"),
        State.REVOKED: _("Ended in Zoom"),
        State.CONFIRM: _("Owner must confirm"),
        State.WORKER_DOWN: _("Worker is not running"),
        State.MISSING: _("Permission missing"),
        State.WITHHELD: _("Removals held back"),
        State.SIGNUPS_FAILED: _("Sign-ups failed"),
        State.LATE: _("Not up to date"),
        State.NO_EVENTS: _("No messages from Zoom"),
        State.DEGRADED: _("Zoom is not answering"),
        State.THROTTLED: _("Zoom is limiting us"),
        State.PAUSED: _("Paused"),
        State.CHOOSE: _("Nothing chosen yet"),
        State.IMPORTING: _("First import"),
        State.SYNCING: _("Checking"),
        State.INVITED: _("Invited"),
        State.ARCHIVED: _("Archive"),
        State.NOT_CONNECTED: _("Not connected"),
        State.GOOD: _("Up to date"),
    }
    return words[state]
