"""The dates of a meeting on its page in the admin; each can be hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View

from ...frontend.visibility import Audience, Channel, SiteVisibility
from ...models import MEETING_KINDS, HiddenDate, Meeting, Occurrence, SiteItem
from .. import curation, formatting, links
from ..permissions import OwnerAccessMixin, visible_to

MAX_DATES = 60
"""As many as Zoom lists of a series."""


@dataclass(frozen=True)
class DateRow:
    """One date: when, its state, and whether the owner hides it."""

    public_id: str
    when: str
    note: str
    is_hidden: bool
    is_changeable: bool
    """Whether it is one date of several, and takes place."""


def date_rows(item: SiteItem, upcoming: list[Occurrence], user: Any) -> list[DateRow]:
    """The dates to come of a meeting."""
    hidden_rows = HiddenDate.objects.filter(item=item).select_related("hidden_by")
    hidden = {row.public_id: row for row in hidden_rows}
    return [
        DateRow(
            str(occurrence.public_id),
            formatting.date_time(occurrence.start),
            _note(occurrence, hidden.get(occurrence.public_id), user),
            occurrence.public_id in hidden,
            bool(occurrence.zoom_id) and occurrence.state != Occurrence.State.CANCELLED,
        )
        for occurrence in upcoming
    ]


def _note(occurrence: Occurrence, hidden: HiddenDate | None, user: Any) -> str:
    if hidden is not None:
        day = formatting.short_day(hidden.hidden_at)
        if hidden.hidden_by is None:
            return _("Hidden, %(day)s") % {"day": day}
        if hidden.hidden_by == user:
            return _("Hidden by you, %(day)s") % {"day": day}
        name = formatting.user_name(hidden.hidden_by)
        return _("Hidden by %(who)s, %(day)s") % {"who": name, "day": day}
    if occurrence.state in (Occurrence.State.CANCELLED, Occurrence.State.MOVED):
        return str(occurrence.get_state_display())
    return ""


def upcoming_occurrences(meeting: Meeting) -> list[Occurrence]:
    """The dates to come, including cancelled ones."""
    rows = Occurrence.objects.filter(meeting=meeting, end__gte=timezone.now())
    return list(rows.order_by("start", "pk")[:MAX_DATES])


def shown_text(visibility: SiteVisibility, meeting: Meeting) -> str:
    """How many of the dates to come visitors see."""
    rows = Occurrence.objects.filter(meeting=meeting, end__gte=timezone.now())
    shown = visibility.occurrences(Audience.VISITOR, Channel.PAGE).filter(pk__in=rows.values("pk"))
    n, total = shown.count(), rows.count()
    return ngettext(
        "Visitors see %(n)d of %(total)d date.", "Visitors see %(n)d of %(total)d dates.", total
    ) % {"n": n, "total": total}


class DateVisibilityView(OwnerAccessMixin, View):
    """Hide or show one date."""

    model = SiteItem
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        items = visible_to(request.user, SiteItem.objects.filter(kind__in=MEETING_KINDS))
        item = get_object_or_404(items.select_related("site"), pk=pk)
        visibility = SiteVisibility.for_site(item.site)
        meeting = visibility.row_of(item)
        if not isinstance(meeting, Meeting):
            raise Http404
        hide = "hide" in request.POST
        try:
            public_id = UUID(request.POST.get("hide") or request.POST.get("show") or "")
        except ValueError:
            raise Http404 from None
        occurrence = get_object_or_404(Occurrence, meeting=meeting, public_id=public_id)
        curation.set_date_visibility(item, occurrence, request.user, hide=hide)
        text = _("Saved. %(what)s") % {"what": shown_text(visibility, meeting)}
        messages.success(request, text)
        return redirect(links.item_url(item))

    def back_url(self) -> str:
        return reverse("wagtail_zoom_meetings:edit", args=[self.kwargs["pk"]])
