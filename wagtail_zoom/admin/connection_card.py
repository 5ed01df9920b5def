"""What the first tab shows: the card with its facts, numbers, health, pause and leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import GrantState, Plan
from ..oauth import notifications
from . import disconnect_dialog, formatting, health_checks, links, progress, states
from .site_state import Action, State
from .site_status import Facts


@dataclass(frozen=True)
class Card:
    """The quiet card: icon, state in words, a line with times, buttons."""

    icon: str
    tone: str
    title: str
    text: str
    actions: list[Action]


@dataclass(frozen=True)
class Number:
    """A number with a word, linked to the list behind it."""

    n: int
    word: str
    url: str


def context(facts: Facts) -> dict[str, Any]:
    """Template context of the whole tab."""
    more = {
        "poll_url": links.url("live", facts),
        "meanwhile": states.classify(facts) in STOPPED,
        "pause": _pause(facts),
    }
    return live(facts) | beside(facts) | more | disconnect_dialog.context(facts)


def beside(facts: Facts) -> dict[str, Any]:
    """What stands beside the card and is fetched again with it."""
    recordings = reverse("wagtail_zoom_recordings:index")
    return {
        "numbers": numbers(facts),
        "health": health_checks.lines(facts),
        "inbox_url": f"{recordings}?site={facts.site.pk}&state=new",
    }


def live(facts: Facts) -> dict[str, Any]:
    """The part that is fetched again while a run is under way."""
    state = states.classify(facts)
    run = facts.open_run if facts.grant is not None else None
    watching = run is not None and state in (State.IMPORTING, State.SYNCING)
    return {
        "facts": facts,
        "card": None if watching else card(facts, state),
        "progress": progress.of(run, facts.now) if watching and run else None,
        "rows": [] if watching else rows(facts),
        "stop_url": links.url("stop", facts),
        "visitors_url": links.url("visitors", facts),
        "importing": state == State.IMPORTING,
    }


STOPPED = {
    State.NEEDS_RECONNECT: "bad",
    State.REVOKED: "bad",
    State.ARCHIVED: "warn",
    State.QUARANTINED: "warn",
    State.WORKER_DOWN: "warn",
}
"""States in which nothing is read, with the tone of the card."""


def card(facts: Facts, state: State) -> Card:
    """The state as the card says it; the banner above says what must be done."""
    activity = Action(_("Show the activity"), links.activity_url(facts), post=False)
    if state in STOPPED:
        read = _last_read(facts)
        title = _("Stopped. Last read: %(time)s") % {"time": read} if read else _("Stopped")
        return Card("warning", STOPPED[state], title, _mailed(facts), [])
    if state == State.CHOOSE:
        text = _("Choose what to show. Nothing is fetched before.")
        return Card("success", "good", _("Connected"), text, [])
    if state == State.CONFIRM:
        return Card("help", "warn", _("Waiting for your yes"), "", [])
    if state == State.PAUSED:
        return Card("time", "work", _("Paused"), _checked(facts), [])
    if state in (State.DEGRADED, State.THROTTLED):
        return Card("time", "warn", _("Waiting for Zoom"), _checked(facts), [])
    if state == State.WITHHELD:
        return Card("help", "warn", _("Waiting for your answer"), _checked(facts), [activity])
    if state == State.LATE:
        return Card("time", "warn", _("Not up to date"), _checked(facts), [activity])
    if state == State.NO_EVENTS:
        return Card("success", "good", _("Up to date"), _checked(facts, ahead=True), [activity])
    text = _checked(facts, ahead=True, told=True)
    if state == State.MISSING:
        names = formatting.listing(formatting.kind_name(name) for name in facts.missing)
        title = _("Up to date, except %(kinds)s") % {"kinds": names}
        return Card("warning", "warn", title, text, [activity])
    sync = Action(_("Sync now"), links.url("sync", facts), filled=True)
    return Card("success", "good", _("Up to date"), text, [sync, activity])


def _last_read(facts: Facts) -> str:
    grant, account = facts.grant, facts.account
    at = (grant.last_ok_at if grant else None) or (account.reconciled_at if account else None)
    return formatting.moment(at, facts.now) if at else ""


def _mailed(facts: Facts) -> str:
    times = facts.grant.notices if facts.grant and facts.needs_reconnect else []
    address = notifications.owner_address(facts.choice)
    if not times or not address:
        return ""
    days = dict.fromkeys(formatting.short_day(datetime.fromisoformat(text)) for text in times)
    known = {"address": address, "days": formatting.listing(days)}
    return _("We mailed %(address)s on %(days)s.") % known


def _checked(facts: Facts, *, ahead: bool = False, told: bool = False) -> str:
    """When it was compared last; ``ahead``: and when next; ``told``: how fast changes arrive."""
    account = facts.account
    if account is None or account.reconciled_at is None:
        return _("Nothing has been fetched yet.")
    parts = [
        _("Checked at %(time)s, %(age)s ago.")
        % {
            "time": formatting.moment(account.reconciled_at, facts.now),
            "age": formatting.age(account.reconciled_at, facts.now),
        }
    ]
    if ahead and account.next_reconcile_at and account.next_reconcile_at > facts.now:
        parts.append(
            _("Next check at %(time)s.")
            % {"time": formatting.moment(account.next_reconcile_at, facts.now)}
        )
    if told and account.plan == Plan.FREE:
        parts.append(_("We look every 15 minutes."))
    elif told:
        parts.append(_("Changes in Zoom arrive within seconds."))
    return " ".join(parts)


@dataclass(frozen=True)
class Row:
    """A fact of the card."""

    name: str
    value: str
    more: str = ""
    warning: str = ""
    url: str = ""


def rows(facts: Facts) -> list[Row]:
    """What is known about the connection."""
    grant, account = facts.grant, facts.account
    if account is None:
        return []
    found = [
        Row(
            _("Zoom account"),
            account.name or _("without a name"),
            _("number %(number)s") % {"number": account.number} if account.number else "",
        )
    ]
    if grant is not None:
        found += [_covers(facts), _connected_by(facts)]
    address = notifications.owner_address(facts.choice)
    found.append(Row(_("Mail about problems goes to"), address or _("nobody yet")))
    if grant is not None:
        found.append(_allowed(facts))
    used = formatting.pages(len(facts.pages)) if facts.pages else _("no page yet")
    found.append(Row(_("Used on"), used, url=links.url("visitors", facts)))
    return found


def _covers(facts: Facts) -> Row:
    grant, account = facts.grant, facts.account
    if grant is None or account is None:
        return Row(_("Covers"), "")
    if not grant.account_level:
        only = _("only %(person)s") % {"person": grant.user_name or _("the person who connected")}
        return Row(_("Covers"), only, _plan(facts))
    value = _("the whole account, %(hosts)s") % {"hosts": formatting.hosts(facts.offered)}
    return Row(_("Covers"), value, _plan(facts))


def _connected_by(facts: Facts) -> Row:
    grant = facts.grant
    user = grant.connected_by if grant else None
    names = [grant.user_name if grant else "", user.get_full_name() if user else ""]
    who = next((name for name in names if name), user.get_username() if user else _("unknown"))
    day = formatting.day(facts.choice.linked_at or (grant.connected_at if grant else facts.now))
    return Row(_("Connected by"), f"{who}, {day}")


def _plan(facts: Facts) -> str:
    account = facts.account
    if account is None or account.plan == Plan.UNKNOWN:
        return ""
    known = {"plan": account.get_plan_display()}
    if account.plan_stated:
        return _("Zoom plan: %(plan)s, as you said") % known
    return _("Zoom plan: %(plan)s, as it looks") % known


def _allowed(facts: Facts) -> Row:
    lacking = list(facts.grant.missing_kinds or []) if facts.grant else []
    kinds = ("meeting", "webinar", "registration", "recording")
    allowed = [formatting.kind_name(name) for name in kinds if name not in lacking]
    not_allowed = formatting.listing(formatting.kind_name(name) for name in lacking)
    warning = _("not %(kinds)s") % {"kinds": not_allowed} if lacking else ""
    return Row(_("Allowed in Zoom"), formatting.listing(allowed) or _("nothing"), warning=warning)


def numbers(facts: Facts) -> list[Number]:
    """What visitors see at this moment, in numbers."""
    if facts.account is None or not facts.choice.shows_data:
        return []
    meetings = f"{reverse('wagtail_zoom_meetings:index')}?site={facts.site.pk}&visitors=yes"
    films = f"{reverse('wagtail_zoom_recordings:index')}?site={facts.site.pk}&state=published"
    dates, webinars = (facts.dates_by_kind.get(kind, 0) for kind in ("meeting", "webinar"))
    found = []
    if facts.choice.show_meetings or not facts.choice.kinds:
        found.append(Number(dates, ngettext("upcoming date", "upcoming dates", dates), meetings))
    if facts.choice.show_webinars:
        word = ngettext("webinar date", "webinar dates", webinars)
        found.append(Number(webinars, word, f"{meetings}&kind=webinar"))
    if facts.choice.show_recordings:
        n = facts.recordings_shown
        found.append(Number(n, ngettext("recording", "recordings", n), films))
    if facts.choice.show_registration:
        found.append(Number(facts.taking_signups, _("with registration"), meetings))
    waiting = facts.signups.get("waiting", 0)
    if waiting:
        word = ngettext("sign-up waiting", "sign-ups waiting", waiting)
        found.append(Number(waiting, word, links.signups_url(facts)))
    return found


def _pause(facts: Facts) -> Action | None:
    grant = facts.grant
    if grant is None or grant.state == GrantState.REVOKED or facts.choice.configured_at is None:
        return None
    if facts.choice.paused_at:
        return Action(capfirst(_("go on")), links.url("resume", facts))
    return Action(_("Pause"), links.url("pause", facts))
