"""The panel on the admin's homepage: only what needs somebody, else nothing."""

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
from . import formatting, links, site_status, states

MANY = 20
"""Somebody with more Sites than this is sent to the fleet view instead."""


@dataclass(frozen=True)
class Row:
    """A sentence, a detail, a button."""

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

    def rows(self) -> list[Row]:
        mine = sites_for(self.request.user)
        linked = mine.filter(
            pk__in=ZoomSettings.objects.filter(account__isnull=False).values("site")
        )
        sites = list(linked.select_related("root_page").order_by("hostname")[: MANY + 1])
        found: list[Row] = []
        if len(sites) <= MANY:
            found += [row for known in site_status.read(sites) for row in _trouble(known)]
        found += _recordings(linked) + _people(linked)
        if self.request.user.is_superuser and len(sites) > MANY:
            found += _fleet()
        return found


def _trouble(known: site_status.Facts) -> list[Row]:
    status = states.describe(known)
    if not status.tone or status.tone == "info":
        return []
    return [Row(status.title, known.site.hostname, links.panel_url(known), _("Look at it"))]


def _recordings(sites: Any) -> list[Row]:
    waiting = SiteItem.objects.filter(
        site__in=sites,
        kind=Kind.RECORDING,
        visibility=SiteItem.Visibility.AUTO,
        recording__removed_at=None,
        recording__is_ready=True,
        recording__trashed_at=None,
    )
    rows = waiting.order_by().values("site", "site__hostname")
    found = []
    for row in rows.annotate(n=Count("pk"), newest=Max("recording__start"))[:MANY]:
        n = row["n"]
        text = ngettext(
            "%(n)d new recording waits for your review",
            "%(n)d new recordings wait for your review",
            n,
        ) % {"n": n}
        newest = _("newest from %(day)s") % {"day": formatting.day(row["newest"])}
        url = f"{reverse('wagtail_zoom_recordings:index')}?site={row['site']}&state=new"
        found.append(Row(text, f"{row['site__hostname']}, {newest}", url, _("Review")))
    return found


def _people(sites: Any) -> list[Row]:
    pending = Registration.objects.filter(Q(state="pending") | Q(state="failed"), site__in=sites)
    rows = pending.order_by().values("site", "site__hostname", "state").annotate(n=Count("pk"))
    found = []
    for row in rows[: 2 * MANY]:
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
        found.append(
            Row(text % {"n": n}, row["site__hostname"], f"{url}&state={row['state']}", label)
        )
    return found


def _fleet() -> list[Row]:
    broken = ZoomSettings.objects.filter(grant__state=GrantState.NEEDS_RECONNECT)
    n = broken.count()
    if not n:
        return []
    from .views.overview import sentence

    detail = _("of %(n)d") % {"n": Site.objects.count()}
    return [Row(sentence(n), detail, reverse("wagtail_zoom_admin:fleet"), _("Look at them"))]
