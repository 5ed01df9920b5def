"""Kinds and hosts on the settings tab, with totals in Zoom and what would be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import GrantState, Host, Kind
from . import formatting, links
from .forms import available_hosts, former_hosts
from .permissions import parse_pk
from .preview import ExposurePreview
from .site_status import SiteStatus

MAX_HOSTS = 50
"""Unselected hosts that are listed; the others are found by search."""


@dataclass(frozen=True)
class KindRow:
    """A switch with its description and counts. ``kind`` identifies the row for the script."""

    field: Any
    kind: str
    title: str
    text: str
    count_text: str
    warning: str = ""


def kind_rows(site_status: SiteStatus, form: Any) -> list[KindRow]:
    """The four switches, with counts for the stored settings."""
    missing_kinds = list(site_status.grant.missing_kinds or []) if site_status.grant else []
    texts = count_texts(site_status.preview)
    recordings_text = (
        _("Cloud recordings. Each one waits for your review first.")
        if site_status.site_settings.review_recordings
        else _("Cloud recordings. They are published automatically.")
    )
    kinds = [
        ("meeting", _("Meetings"), _("Ordinary Zoom meetings with a date.")),
        ("webinar", _("Webinars"), _("Zoom webinars and their dates.")),
        ("recording", _("Recordings"), recordings_text),
        (
            "registration",
            _("Registration"),
            _("Visitors can register on your pages. Names and addresses go to Zoom."),
        ),
    ]
    not_allowed = _("Zoom has not allowed it yet.")
    return [
        KindRow(
            form[SWITCHES[kind]],
            kind,
            title,
            text,
            texts[kind],
            not_allowed if kind in missing_kinds else "",
        )
        for kind, title, text in kinds
    ]


SWITCHES = {
    "meeting": "show_meetings",
    "webinar": "show_webinars",
    "recording": "show_recordings",
    "registration": "show_registration",
}


def count_texts(preview: ExposurePreview) -> dict[str, str]:
    """Text next to each kind: how much Zoom has, and how much of it would be shown."""
    texts = {kind.value: _count_text(preview, kind) for kind in Kind}
    n = preview.registration_count
    texts["registration"] = ngettext(
        "%(n)d meeting with registration", "%(n)d meetings with registration", n
    ) % {"n": n}
    return texts


def _count_text(preview: ExposurePreview, kind: Kind) -> str:
    total = preview.zoom_totals.get(kind.value)
    parts = []
    if total is not None:
        is_month = kind == Kind.RECORDING and not preview.is_imported(kind)
        text = _("%(n)d in Zoom in the last month") if is_month else _("%(n)d in Zoom")
        parts.append(text % {"n": total})
    if kind in preview.site_settings.kinds:
        n = preview.shown_counts.get(kind.value, 0)
        if preview.is_imported(kind) or n:
            count_label = (
                formatting.recording_count(n)
                if kind == Kind.RECORDING
                else formatting.date_count(n)
            )
            parts.append(_("%(what)s would show") % {"what": count_label})
        elif total is not None:
            parts.append(_("not fetched yet"))
    return ", ".join(parts)


def preview_text(preview: ExposurePreview) -> str:
    """Summary next to the save button."""
    site_settings = preview.site_settings
    if not preview.host_ids:
        return _("No host is ticked, so visitors would see nothing.")
    if not site_settings.kinds:
        return _(
            "Meetings, webinars and recordings are all switched off, so visitors would see nothing."
        )
    counts = preview.shown_counts
    shown = [
        formatting.date_count(counts[kind])
        if kind == Kind.MEETING
        else ngettext("%(n)d webinar date", "%(n)d webinar dates", counts[kind])
        % {"n": counts[kind]}
        for kind in (Kind.MEETING, Kind.WEBINAR)
        if counts.get(kind)
    ]
    if counts.get(Kind.RECORDING):
        shown.append(formatting.recording_count(counts[Kind.RECORDING]))
    if preview.is_partial:
        pending_text = _("What is new is counted when it has been fetched.")
        if not shown:
            return _("What visitors would see is counted when it has been fetched.")
        return (
            _("Visitors would see %(what)s.") % {"what": formatting.join_list(shown)}
            + f" {pending_text}"
        )
    what = formatting.join_list(shown) or _("nothing")
    return _("Visitors would see %(what)s.") % {"what": what}


@dataclass(frozen=True)
class HostRow:
    """One host with its checkbox."""

    host: Host
    is_selected: bool
    note: str
    date_text: str
    totals: dict[str, int]


def hosts_context(site_status: SiteStatus, form: Any) -> dict[str, Any]:
    """The selected hosts and the first of the others."""
    values = (parse_pk(str(value)) for value in form["hosts"].value() or [])
    selected_ids = {pk for pk in values if pk is not None}
    selected_hosts = site_status.selected_hosts
    if {host.pk for host in selected_hosts} != selected_ids:
        selected_hosts = list(
            available_hosts(site_status.site_settings).filter(pk__in=selected_ids)
        )
    other_hosts = search_hosts(site_status, "", selected_ids)
    return {
        "selected_hosts": [_host_row(site_status, host, True) for host in selected_hosts],
        "other_hosts": other_hosts,
        "host_counts": host_counts(site_status, len(selected_hosts)),
        "search_url": links.view_url("hosts", site_status),
        "errors": form.errors.get("hosts"),
    }


def _lost_text(site_status: SiteStatus) -> str:
    """Which of the hosts that were ticked before a reconnection are not ticked, and why."""
    account = site_status.account
    if account is None or site_status.site_settings.configured_at is not None:
        return ""
    n = former_hosts(site_status.site_settings).count()
    if not n:
        return ""
    if account.directory_at is None:
        text = ngettext(
            "%(n)d host that was ticked before is still being read from Zoom.",
            "%(n)d hosts that were ticked before are still being read from Zoom.",
            n,
        )
    else:
        text = ngettext(
            "%(n)d host that was ticked before is not in this account any more.",
            "%(n)d hosts that were ticked before are not in this account any more.",
            n,
        )
    return text % {"n": n}


def host_counts(site_status: SiteStatus, selected: int) -> dict[str, Any]:
    """How many hosts there are and are selected; ``waiting`` until they are read from Zoom."""
    count = site_status.available_host_count
    grant, account = site_status.grant, site_status.account
    is_connected = grant is not None and grant.state == GrantState.CONNECTED
    return {
        "count": count,
        "summary": ngettext(
            "%(ticked)d of %(n)d host is ticked. New hosts in Zoom are never ticked automatically.",
            "%(ticked)d of %(n)d hosts are ticked. New hosts in Zoom are never ticked "
            "automatically.",
            count,
        )
        % {"ticked": selected, "n": count},
        "lost": _lost_text(site_status),
        "waiting": bool(is_connected and account is not None and account.directory_at is None),
    }


def search_hosts(site_status: SiteStatus, query: str, excluded_ids: set[int]) -> list[HostRow]:
    """Hosts by name, without those already listed; at most ``MAX_HOSTS``."""
    rows = available_hosts(site_status.site_settings).exclude(pk__in=excluded_ids)
    if query:
        rows = rows.filter(display_name__icontains=query)
    # Ticked ones that the form does not hold yet: of before a reconnection, read a moment ago.
    chosen = site_status.stored_host_ids if site_status.site_settings.configured_at is None else ()
    return [_host_row(site_status, host, host.pk in chosen) for host in rows[:MAX_HOSTS]]


def _host_row(site_status: SiteStatus, host: Host, is_selected: bool) -> HostRow:
    totals = {
        kind: int(n or 0)
        for kind, n in (host.totals or {}).items()
        if site_status.is_allowed(kind)  # guard: host-totals-of-allowed-kinds
    }
    notes = []
    if site_status.grant is not None and site_status.grant.zoom_user_id == host.zoom_id:
        notes.append(_("Used for this connection."))
    notes.append(_("Licensed") if host.is_licensed else _("Without a licence"))
    if host.status and host.status != "active":
        notes.append(_("Not active in Zoom"))
    count = totals.get("meeting", 0) + totals.get("webinar", 0)
    date_text = ""
    if totals:
        date_text = formatting.date_count(count) if count else _("No dates")
    return HostRow(host, is_selected, " ".join(notes), date_text, totals)
