"""Kinds and hosts on the choices tab, with what Zoom has and what would show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Host, Kind
from . import formatting, links
from .forms import offered_hosts
from .preview import Outlook
from .site_status import Facts

SHOWN_HOSTS = 50
"""Unticked hosts that are listed at once; the others are found by search."""


@dataclass(frozen=True)
class KindLine:
    """A switch with its sentence and its counts. ``kind`` names its place for the script."""

    field: Any
    kind: str
    title: str
    text: str
    side: str
    warning: str = ""


def lines(facts: Facts, form: Any) -> list[KindLine]:
    """The four switches, with the counts of what is stored."""
    missing = list(facts.grant.missing_kinds or []) if facts.grant else []
    side = sides(facts.outlook)
    films = (
        _("Cloud recordings. Each one waits for your review first.")
        if facts.choice.review_recordings
        else _("Cloud recordings. They are published by themselves.")
    )
    words = [
        ("meeting", _("Meetings"), _("Ordinary Zoom meetings with a date.")),
        ("webinar", _("Webinars"), _("Zoom webinars and their dates.")),
        ("recording", _("Recordings"), films),
        (
            "registration",
            _("Registration"),
            _("Visitors can sign up on your pages. Names and addresses go to Zoom."),
        ),
    ]
    not_allowed = _("Zoom has not allowed it yet.")
    return [
        KindLine(
            form[SWITCHES[kind]],
            kind,
            title,
            text,
            side[kind],
            not_allowed if kind in missing else "",
        )
        for kind, title, text in words
    ]


SWITCHES = {
    "meeting": "show_meetings",
    "webinar": "show_webinars",
    "recording": "show_recordings",
    "registration": "show_registration",
}


def sides(outlook: Outlook) -> dict[str, str]:
    """What stands beside each kind: how much Zoom has, and how much of it would show."""
    found = {kind.value: _side(outlook, kind) for kind in Kind}
    asking = ngettext("%(n)d meeting asks for it", "%(n)d meetings ask for it", outlook.asking)
    found["registration"] = asking % {"n": outlook.asking}
    return found


def _side(outlook: Outlook, kind: Kind) -> str:
    total = outlook.totals.get(kind.value)
    parts = []
    if total is not None:
        month = kind == Kind.RECORDING and not outlook.is_fetched(kind)
        text = _("%(n)d in Zoom in the last month") if month else _("%(n)d in Zoom")
        parts.append(text % {"n": total})
    if kind in outlook.choice.kinds:
        n = outlook.shows.get(kind.value, 0)
        if outlook.is_fetched(kind) or n:
            counted = formatting.recordings(n) if kind == Kind.RECORDING else formatting.dates(n)
            parts.append(_("%(what)s would show") % {"what": counted})
        elif total is not None:
            parts.append(_("not fetched yet"))
    return ", ".join(parts)


def sentence(outlook: Outlook) -> str:
    """One sentence for all of it, beside the button that saves."""
    choice = outlook.choice
    if not outlook.hosts:
        return _("No host is ticked, so visitors would see nothing.")
    if not choice.kinds:
        return _("No kind is switched on, so visitors would see nothing.")
    counts = outlook.shows
    shown = [
        formatting.dates(counts[kind])
        if kind == Kind.MEETING
        else ngettext("%(n)d webinar date", "%(n)d webinar dates", counts[kind])
        % {"n": counts[kind]}
        for kind in (Kind.MEETING, Kind.WEBINAR)
        if counts.get(kind)
    ]
    if counts.get(Kind.RECORDING):
        shown.append(formatting.recordings(counts[Kind.RECORDING]))
    if outlook.is_partial:
        more = _("What is new is counted when it has been fetched.")
        if not shown:
            return _("What visitors would see is counted when it has been fetched.")
        return _("Visitors would see %(what)s.") % {"what": formatting.listing(shown)} + f" {more}"
    what = formatting.listing(shown) or _("nothing")
    return _("Visitors would see %(what)s.") % {"what": what}


@dataclass(frozen=True)
class HostLine:
    """One host with its box."""

    host: Host
    ticked: bool
    note: str
    side: str
    totals: dict[str, int]


def hosts_context(facts: Facts, form: Any) -> dict[str, Any]:
    """The ticked hosts and the first of the others."""
    chosen = {int(pk) for pk in form["hosts"].value() or [] if str(pk).isdigit()}
    ticked = facts.ticked
    if {host.pk for host in ticked} != chosen:
        ticked = list(offered_hosts(facts.choice).filter(pk__in=chosen))
    others = found_hosts(facts, "", chosen)
    count = facts.offered
    return {
        "ticked": [_line(facts, host, True) for host in ticked],
        "others": others,
        "count": count,
        "summary": ngettext(
            "%(ticked)d of %(n)d host is ticked. New hosts in Zoom are never ticked by themselves.",
            "%(ticked)d of %(n)d hosts are ticked. New hosts in Zoom are never ticked by "
            "themselves.",
            count,
        )
        % {"ticked": len(ticked), "n": count},
        "search_url": links.url("hosts", facts),
        "errors": form.errors.get("hosts"),
    }


def found_hosts(facts: Facts, query: str, without: set[int]) -> list[HostLine]:
    """Hosts by name, without those that stand there already; at most ``SHOWN_HOSTS``."""
    rows = offered_hosts(facts.choice).exclude(pk__in=without)
    if query:
        rows = rows.filter(display_name__icontains=query)
    return [_line(facts, host, False) for host in rows[:SHOWN_HOSTS]]


def _line(facts: Facts, host: Host, ticked: bool) -> HostLine:
    totals = {kind: int(n or 0) for kind, n in (host.totals or {}).items()}
    notes = []
    if facts.grant is not None and facts.grant.zoom_user_id == host.zoom_id:
        notes.append(_("This connection was made with it."))
    notes.append(_("Licensed") if host.is_licensed else _("Without a licence"))
    if host.status and host.status != "active":
        notes.append(_("Not active in Zoom"))
    dates = totals.get("meeting", 0) + totals.get("webinar", 0)
    side = ""
    if totals:
        side = formatting.dates(dates) if dates else _("No dates")
    return HostLine(host, ticked, " ".join(notes), side, totals)
