"""The health lines of the panel: bad ones first, each good one with a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Plan
from . import formatting, links
from .messages import running
from .site_state import Action
from .site_status import Facts


@dataclass(frozen=True)
class Line:
    """One line: an icon with a word, a sentence, and for a bad line one thing to do."""

    good: bool
    title: str
    text: str
    action: Action | None = None


def lines(facts: Facts) -> list[Line]:
    """What can be told about a connected Site, worst first."""
    if facts.account is None:
        return []
    found = [_events(facts), _worker(facts), _compared(facts), _signups(facts), _pages(facts)]
    return sorted((line for line in found if line), key=lambda line: line.good)


def _events(facts: Facts) -> Line | None:
    account = facts.account
    if account is None or facts.grant is None:
        return None
    if facts.events_missing:
        status = running.no_events(facts)
        return Line(False, status.title, status.text, status.actions[0])
    if account.plan == Plan.FREE:
        return Line(
            True,
            _("We look every 15 minutes"),
            _("The free plan of Zoom does not tell us about changes by itself."),
        )
    if account.last_event_at is None:
        return Line(
            True,
            _("Zoom tells us about changes"),
            _("No message has come yet. That is normal while nothing changes."),
        )
    text = _("Last message %(age)s ago, %(n)d today.") % {
        "age": formatting.age(account.last_event_at, facts.now),
        "n": facts.events_today,
    }
    return Line(True, _("Zoom tells us about changes"), text)


def _worker(facts: Facts) -> Line:
    if facts.worker_down:
        status = running.worker_down(facts)
        return Line(False, status.title, status.text, status.actions[0])
    age = formatting.age(facts.beat_at or facts.now, facts.now)
    return Line(
        True,
        _("The background worker is running"),
        _("Last sign of life %(age)s ago.") % {"age": age},
    )


def _compared(facts: Facts) -> Line | None:
    account, run = facts.account, facts.last_run
    if account is None or facts.grant is None or run is None:
        return None
    if facts.run_broke_off:
        return Line(
            False,
            _("The last check broke off"),
            _("We go on by ourselves."),
            Action(_("Sync now"), links.url("sync", facts)),
        )
    new = sum(int(kind.get("created") or 0) for kind in run.counts.values())
    some = ngettext("%(n)d was new", "%(n)d were new", new) % {"n": new}
    text = _("At %(time)s. %(seen)s, %(new)s.") % {
        "time": formatting.moment(run.finished_at or run.requested_at, facts.now),
        "seen": capfirst(formatting.compared(run.counts)),
        "new": some if new else _("none was new"),
    }
    return Line(True, _("Everything has been compared with Zoom"), text)


def _signups(facts: Facts) -> Line | None:
    if not facts.choice.show_registration:
        return None
    if facts.signups.get("failed"):
        status = running.signups_failed(facts)
        return Line(False, status.title.rstrip("."), status.text, status.actions[0])
    waiting = facts.signups.get("waiting", 0)
    if waiting:
        return Line(
            True,
            _("%(signups)s on the way to Zoom") % {"signups": formatting.signups(waiting)},
            _("They are saved here and are sent by themselves."),
        )
    return Line(True, _("All sign-ups have reached Zoom"), "")


def _pages(facts: Facts) -> Line:
    from django.urls import reverse

    if not facts.pages:
        root = facts.site.root_page_id
        return Line(
            False,
            _("No page shows Zoom yet"),
            _("Add a list, a calendar or a form to any page."),
            Action(_("Choose a page"), reverse("wagtailadmin_explore", args=[root]), post=False),
        )
    return Line(
        True,
        _("Pages use it"),
        _("%(pages)s of this site.") % {"pages": formatting.pages(len(facts.pages))},
    )
