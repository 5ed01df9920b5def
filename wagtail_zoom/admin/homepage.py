"""The panels on the admin's homepage: only what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from ..frontend.visibility import SiteVisibility
from ..models import SUMMARY, Invitation, Kind, MeetingChange, Registration, SiteItem, ZoomSettings
from ..permissions import owned_sites
from . import checklist, formatting, latest_runs, links, status_rules
from .checklist import Checklist
from .health_checks import Health
from .installation import InstallationLine, InstallationStatus
from .site_state import SiteState
from .site_status import SiteStatus, get_site_statuses, recordings_to_review, summaries_to_review

MAX_SITES = 20
"""Users with more Sites than this are not shown the state of each."""


@dataclass(frozen=True)
class HomepageRow:
    """A text, a detail, a button."""

    text: str
    detail: str
    url: str
    label: str


class ZoomHomePanel(Component):
    """What waits for an owner. Reads a fixed number of rows for each Site."""

    name = "zoom"
    template_name = "wagtail_zoom/admin/home.html"
    order = 150

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context = super().get_context_data(parent_context)
        return context | {"rows": self.rows()}

    def rows(self) -> list[HomepageRow]:
        own_sites = owned_sites(self.request.user)
        connected_sites = own_sites.filter(
            pk__in=ZoomSettings.objects.filter(account__isnull=False).values("site")
        )
        # A Site whose app was removed in Zoom has no account any more, and its owner must know.
        app_removed = latest_runs.app_removals({"site__in": own_sites})
        named_sites = connected_sites | own_sites.filter(pk__in=list(app_removed))
        sites = list(named_sites.select_related("root_page").order_by("hostname")[: MAX_SITES + 1])
        if len(sites) > MAX_SITES and self.request.user.is_superuser:
            return []
        rows: list[HomepageRow] = []
        if len(sites) <= MAX_SITES:
            rows += [row for status in get_site_statuses(sites) for row in _problem_rows(status)]
        return [
            *rows,
            *_recording_rows(connected_sites),
            *_summary_rows(connected_sites),
            *_registration_rows(connected_sites),
            *_change_rows(connected_sites),
        ]


class ChecklistHomePanel(Component):
    """The first run of an owner's Site; of several Sites one row each.

    A Site of its owner's several counts once something has been connected or somebody is invited:
    not every Site needs Zoom.
    """

    name = "zoom_checklist"
    template_name = "wagtail_zoom/admin/home_checklist.html"
    order = 145

    class Media:
        css = {"all": ["wagtail_zoom/admin/panel.css"]}

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        checklists = self.checklists()
        if len(checklists) == 1:
            site_status = checklists[0].site_status
            return {
                "checklist": checklists[0],
                "hide_url": links.view_url("hide_checklist", site_status),
                "csrf_token": get_token(self.request),
            }
        rows = [
            HomepageRow(
                row.summary,
                row.site_status.site.hostname,
                links.panel_url(row.site_status),
                _("Continue"),
            )
            for row in checklists
        ]
        return {"rows": rows}

    def checklists(self) -> list[Checklist]:
        now = timezone.now()
        finished = ZoomSettings.objects.filter(checklist_ends_at__lte=now).values("site")
        unfinished = owned_sites(self.request.user).exclude(pk__in=finished)
        connected = ZoomSettings.objects.filter(account__isnull=False).values("site")
        invited = Invitation.objects.filter(used_at=None, revoked_at=None, expires_at__gt=now)
        begun = unfinished.filter(Q(pk__in=connected) | Q(pk__in=invited.values("site")))
        sites = list(begun.select_related("root_page").order_by("hostname")[: MAX_SITES + 1])
        if not sites:
            sites = list(unfinished.select_related("root_page")[:2])
            sites = sites if len(sites) == 1 else []
        if not sites or len(sites) > MAX_SITES:
            return []
        return checklist.current(get_site_statuses(sites, now), self.request.user)


class InstallationHomePanel(Component):
    """For superusers: worker, Zoom, backlog and the Sites that wait for their owners.

    With one Site only what is wrong with the installation itself: its owner's tasks are in the
    other panel.
    """

    name = "zoom_installation"
    template_name = "wagtail_zoom/admin/home_installation.html"
    order = 140

    class Media:
        css = {"all": ["wagtail_zoom/admin/panel.css"]}

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        status = InstallationStatus()
        return {
            "lines": self.lines(status),
            "site_count": status.site_count,
            "site_number": formatting.number(status.site_count),
        }

    def lines(self, status: InstallationStatus) -> list[InstallationLine]:
        """Nothing before the first connection, one line when all is well."""
        if not status.connected_sites and not status.has_problem:
            return []
        if status.site_count == 1:
            own = [status.worker, status.zoom, status.backlog]
            is_failing = any(line.health is Health.FAILED for line in own)
            return own if is_failing else []
        return status.lines if status.has_more_to_report else [status.owners]


def _problem_rows(site_status: SiteStatus) -> list[HomepageRow]:
    """Failed registrations have a row of their own."""
    messages = [
        message
        for message in status_rules.problems(site_status)
        if message.tone in ("critical", "warning")
        and message.state is not SiteState.REGISTRATIONS_FAILED
    ]
    url = links.panel_url(site_status)
    return [
        HomepageRow(message.title, site_status.site.hostname, url, _("Show"))
        for message in messages
    ]


def _recording_rows(sites: Any) -> list[HomepageRow]:
    undecided = SiteItem.objects.filter(
        site=OuterRef("site"), kind=Kind.RECORDING, visibility=SiteItem.Visibility.AUTO
    )
    settings_rows = ZoomSettings.objects.filter(Exists(undecided), site__in=sites)
    rows = []
    for site_settings in settings_rows.select_related("site", "grant")[:MAX_SITES]:
        waiting = recordings_to_review(SiteVisibility(site_settings))
        totals = waiting.aggregate(n=Count("pk"), newest=Max("recording__start"))
        n, site = totals["n"], site_settings.site
        if not n:
            continue
        text = ngettext(
            "%(n)d new recording waits for your review",
            "%(n)d new recordings wait for your review",
            n,
        ) % {"n": n}
        newest = _("newest from %(day)s") % {"day": formatting.day(totals["newest"])}
        url = f"{reverse('wagtail_zoom_recordings:index')}?site={site.pk}&state=new"
        rows.append(HomepageRow(text, f"{site.hostname}, {newest}", url, _("Review")))
    return rows


def _summary_rows(sites: Any) -> list[HomepageRow]:
    undecided = SiteItem.objects.filter(
        site=OuterRef("site"), kind=SUMMARY, visibility=SiteItem.Visibility.AUTO
    )
    settings_rows = ZoomSettings.objects.filter(
        Exists(undecided), site__in=sites, show_summaries=True
    )
    rows = []
    for site_settings in settings_rows.select_related("site", "grant")[:MAX_SITES]:
        n, site = summaries_to_review(SiteVisibility(site_settings)).count(), site_settings.site
        if not n:
            continue
        text = ngettext(
            "%(n)d new summary waits for your review", "%(n)d new summaries wait for your review", n
        )
        url = f"{reverse('wagtail_zoom_summaries:index')}?site={site.pk}&state=new"
        rows.append(HomepageRow(text % {"n": n}, site.hostname, url, _("Review")))
    return rows


def _registration_rows(sites: Any) -> list[HomepageRow]:
    unresolved = Registration.objects.filter(Q(state="pending") | Q(state="failed"), site__in=sites)
    by_state = (
        unresolved.order_by().values("site", "site__hostname", "state").annotate(n=Count("pk"))
    )
    rows = []
    for row in by_state[: 2 * MAX_SITES]:
        n, failed = row["n"], row["state"] == "failed"
        text = (
            ngettext("%(n)d registration failed", "%(n)d registrations failed", n)
            if failed
            else ngettext(
                "%(n)d registration needs your approval",
                "%(n)d registrations need your approval",
                n,
            )
        )
        url = f"{reverse('wagtail_zoom_registrations:index')}?site={row['site']}"
        label = _("Show") if failed else _("Answer")
        rows.append(
            HomepageRow(
                text % {"n": n}, row["site__hostname"], f"{url}&state={row['state']}", label
            )
        )
    return rows


def _change_rows(sites: Any) -> list[HomepageRow]:
    failed = MeetingChange.objects.filter(state=MeetingChange.State.FAILED, site__in=sites)
    by_site = failed.order_by().values("site", "site__hostname").annotate(n=Count("pk"))
    return [
        HomepageRow(
            ngettext(
                "%(n)d change of a meeting did not reach Zoom",
                "%(n)d changes of meetings did not reach Zoom",
                row["n"],
            )
            % {"n": row["n"]},
            row["site__hostname"],
            links.meetings_url_of(row["site"]),
            _("Show"),
        )
        for row in by_site[:MAX_SITES]
    ]
