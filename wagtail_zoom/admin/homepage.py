"""The panel on the admin's homepage: only what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component
from wagtail.models import Site

from ..models import GrantState, Kind, Registration, SiteItem, ZoomSettings
from ..permissions import sites_for
from . import formatting, links, status_rules
from .site_status import SiteStatus, get_site_statuses

MAX_SITES = 20
"""Users with more Sites than this get a link to the overview instead."""


@dataclass(frozen=True)
class HomepageRow:
    """A text, a detail, a button."""

    text: str
    detail: str
    url: str
    label: str


class ZoomHomePanel(Component):
    """Shown among the homepage's panels. Reads a fixed number of rows for each Site."""

    name = "zoom"
    template_name = "wagtail_zoom/admin/home.html"
    order = 150

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context = super().get_context_data(parent_context)
        return context | {"rows": self.rows()}

    def rows(self) -> list[HomepageRow]:
        own_sites = sites_for(self.request.user)
        connected_sites = own_sites.filter(
            pk__in=ZoomSettings.objects.filter(account__isnull=False).values("site")
        )
        sites = list(
            connected_sites.select_related("root_page").order_by("hostname")[: MAX_SITES + 1]
        )
        rows: list[HomepageRow] = []
        if len(sites) <= MAX_SITES:
            rows += [row for status in get_site_statuses(sites) for row in _problem_rows(status)]
        rows += _recording_rows(connected_sites) + _registration_rows(connected_sites)
        if self.request.user.is_superuser and len(sites) > MAX_SITES:
            rows += _overview_rows()
        return rows


def _problem_rows(site_status: SiteStatus) -> list[HomepageRow]:
    message = status_rules.describe(site_status)
    if not message.tone or message.tone == "info":
        return []
    url = links.panel_url(site_status)
    return [HomepageRow(message.title, site_status.site.hostname, url, _("Look at it"))]


def _recording_rows(sites: Any) -> list[HomepageRow]:
    waiting = SiteItem.objects.filter(
        site__in=sites,
        kind=Kind.RECORDING,
        visibility=SiteItem.Visibility.AUTO,
        recording__removed_at=None,
        recording__is_ready=True,
        recording__trashed_at=None,
    )
    by_site = waiting.order_by().values("site", "site__hostname")
    rows = []
    for row in by_site.annotate(n=Count("pk"), newest=Max("recording__start"))[:MAX_SITES]:
        n = row["n"]
        text = ngettext(
            "%(n)d new recording waits for your review",
            "%(n)d new recordings wait for your review",
            n,
        ) % {"n": n}
        newest = _("newest from %(day)s") % {"day": formatting.day(row["newest"])}
        url = f"{reverse('wagtail_zoom_recordings:index')}?site={row['site']}&state=new"
        rows.append(HomepageRow(text, f"{row['site__hostname']}, {newest}", url, _("Review")))
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
            ngettext(
                "%(n)d sign-up has not reached Zoom", "%(n)d sign-ups have not reached Zoom", n
            )
            if failed
            else ngettext(
                "%(n)d person waits for your answer", "%(n)d people wait for your answer", n
            )
        )
        url = f"{reverse('wagtail_zoom_registrations:index')}?site={row['site']}"
        label = _("Look at it") if failed else _("Answer")
        rows.append(
            HomepageRow(
                text % {"n": n}, row["site__hostname"], f"{url}&state={row['state']}", label
            )
        )
    return rows


def _overview_rows() -> list[HomepageRow]:
    needing_reconnect = ZoomSettings.objects.filter(grant__state=GrantState.NEEDS_RECONNECT)
    n = needing_reconnect.count()
    if not n:
        return []
    from .views.overview import owners_needed_text

    detail = _("of %(n)d") % {"n": Site.objects.count()}
    return [
        HomepageRow(
            owners_needed_text(n), detail, reverse("wagtail_zoom_admin:overview"), _("Look at them")
        )
    ]
