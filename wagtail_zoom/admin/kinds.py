"""Kinds and hosts on the choices tab, with what Zoom has and what would show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Host, Meeting, ZoomSettings
from . import addresses, wording
from .facts import Facts
from .forms import offered_hosts, ticked_hosts

SHOWN_HOSTS = 50
"""Unticked hosts that are listed at once; the others are found by search."""


@dataclass(frozen=True)
class KindLine:
    """A switch with its sentence and its counts. ``kind`` is the key in ``Host.totals``."""

    field: Any
    kind: str
    title: str
    text: str
    side: str
    warning: str = ""


def lines(facts: Facts, form: Any) -> list[KindLine]:
    """The four switches."""
    totals = _totals(facts.choice)
    missing = list(facts.grant.missing_kinds or []) if facts.grant else []
    shown = {
        "meeting": facts.dates_by_kind.get("meeting", 0),
        "webinar": facts.dates_by_kind.get("webinar", 0),
        "recording": facts.recordings_shown,
    }
    words = [
        (
            "show_meetings",
            "meeting",
            _("Meetings"),
            _("Ordinary Zoom meetings with a date."),
        ),
        ("show_webinars", "webinar", _("Webinars"), _("Zoom webinars and their dates.")),
        (
            "show_recordings",
            "recording",
            _("Recordings"),
            _("Cloud recordings. Each one waits for your review first."),
        ),
    ]
    found = []
    for name, kind, title, text in words:
        found.append(
            KindLine(
                form[name],
                kind,
                title,
                text,
                _side(totals.get(kind), shown[kind], facts.choice),
                _("Zoom has not allowed it yet.") if kind in missing else "",
            )
        )
    asking = Meeting.objects.filter(
        account=facts.choice.account_id,
        host__exposed_on__settings=facts.choice.pk,
        removed_at=None,
        approval_type__in=(0, 1),
    ).count()
    found.append(
        KindLine(
            form["show_registration"],
            "",
            _("Registration"),
            _("Visitors can sign up on your pages. Names and addresses go to Zoom."),
            ngettext("%(n)d meeting asks for it", "%(n)d meetings ask for it", asking)
            % {"n": asking},
            _("Zoom has not allowed it yet.") if "registration" in missing else "",
        )
    )
    return found


def _side(total: int | None, shown: int, choice: ZoomSettings) -> str:
    in_zoom = "" if total is None else _("%(n)d in Zoom") % {"n": total}
    if choice.configured_at is None:
        return in_zoom
    now = _("%(n)d shown") % {"n": shown}
    return f"{in_zoom}, {now}" if in_zoom else now


def _totals(choice: ZoomSettings) -> dict[str, int]:
    """What Zoom says it has for the ticked hosts, by kind; kinds it was not asked for lack."""
    sums: dict[str, int] = {}
    for totals in Host.objects.filter(pk__in=ticked_hosts(choice)).values_list("totals", flat=True):
        for kind, n in (totals or {}).items():
            sums[kind] = sums.get(kind, 0) + int(n or 0)
    return sums


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
    offered = offered_hosts(facts.choice)
    ticked = list(offered.filter(pk__in=chosen))
    others = found_hosts(facts, "", chosen)
    count = offered.count()
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
        "search_url": addresses.url("hosts", facts),
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
        side = wording.dates(dates) if dates else _("No dates")
    return HostLine(host, ticked, " ".join(notes), side, totals)
