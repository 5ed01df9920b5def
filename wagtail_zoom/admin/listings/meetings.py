"""The list of meetings and webinars of a Site."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import django_filters
from django import forms
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn

from ...exposure import Audience, Surface
from ...models import Kind, Meeting, Occurrence, Registration, SiteItem
from .. import why, wording
from .base import SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn
from .items import count_usage, decided, missing_kind, used_on

ALIVE = ("waiting", "pending", "approved")
UPCOMING = "upcoming"


class MeetingFilters(WagtailFilterSet):
    """When, what visitors see, kind, host."""

    when = django_filters.ChoiceFilter(
        label=gettext_lazy("When"),
        choices=[("upcoming", gettext_lazy("Upcoming")), ("past", gettext_lazy("Over"))],
        method="by_time",
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    visitors = django_filters.ChoiceFilter(
        label=gettext_lazy("Visitors see it"),
        choices=[("yes", gettext_lazy("Shown")), ("no", gettext_lazy("Not shown"))],
        method="by_visitors",
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Kind"),
        choices=[("meeting", gettext_lazy("Meetings")), ("webinar", gettext_lazy("Webinars"))],
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = SiteItem
        fields: list[str] = []

    def by_time(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        ahead = Occurrence.objects.filter(meeting=OuterRef("meeting"), end__gte=timezone.now())
        undated = Q(meeting__zoom_type__in=(3, 6))
        if value == UPCOMING:
            return rows.filter(Exists(ahead) | undated)
        return rows.filter(~Exists(ahead) & ~undated)

    def by_visitors(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        gate = self.request.wagtail_zoom_gate
        shown = gate.meetings(Audience.VISITOR, Surface.PAGE).order_by().values("pk")
        return rows.filter(meeting__in=shown) if value == "yes" else rows.exclude(meeting__in=shown)


class MeetingsView(SiteIndexView):
    """One line for each meeting, webinar or series, the next date first."""

    page_title = gettext_lazy("Meetings")
    filterset_class = MeetingFilters
    search_fields = ["title", "last_title", "meeting__host__display_name"]
    bulk_type = "zoomitem"
    empty_sentence = gettext_lazy("Nothing from Zoom yet.")
    list_export = [
        "row_title",
        "row_start",
        "row_host",
        "row_kind",
        "row_registration",
        "row_used",
        "row_state",
        "row_reason",
    ]

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_title": _("Title"),
            "row_start": _("When"),
            "row_host": _("Host"),
            "row_kind": _("Kind"),
            "row_registration": _("Registration"),
            "row_used": _("Used on"),
            "row_state": _("Visitors see it"),
            "row_reason": _("Why not"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomitem"),
            ItemTitleColumn(
                "title",
                label=_("Title"),
                accessor=str,
                get_url=lambda item: reverse("wagtail_zoom_meetings:edit", args=[item.pk]),
            ),
            CellColumn("when", label=_("When"), accessor=_when, classname="wza-when"),
            CellColumn("host", label=_("Host"), accessor=lambda item: Cell(item.row_host)),
            CellColumn("registration", label=_("Registration"), accessor=_registration),
            CellColumn("used", label=_("Used on"), accessor=used_on),
            CellColumn("visitors", label=_("Visitors see it"), accessor=_visitors),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_gate = self.facts.gate
        rows = super().get_base_queryset()
        rows = rows.filter(kind__in=(Kind.MEETING, Kind.WEBINAR), meeting__isnull=False)
        rows = rows.filter(account=self.facts.choice.account_id)
        return rows.select_related("meeting__host", "decided_by").defer(
            "meeting__join_url", "meeting__passcode"
        )

    def get_filterset_kwargs(self) -> dict[str, Any]:
        """Upcoming, as long as nothing else was asked for."""
        known = super().get_filterset_kwargs()
        data = known["data"].copy()
        data.setdefault("when", UPCOMING)
        return known | {"data": data}

    def order_queryset(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        dates = Occurrence.objects.filter(meeting=OuterRef("meeting")).order_by()
        if self.request.GET.get("when", UPCOMING) == UPCOMING:
            dates = dates.filter(end__gte=timezone.now())
            first = dates.values("meeting").annotate(at=Min("start")).values("at")
            rows = queryset.annotate(row_at=Subquery(first))
            return rows.order_by(F("row_at").asc(nulls_last=True), "pk")
        last = dates.values("meeting").annotate(at=Max("start")).values("at")
        rows = queryset.annotate(row_at=Subquery(last))
        return rows.order_by(F("row_at").desc(nulls_last=True), "pk")

    def decorate(self, rows: list[Any]) -> list[Any]:
        keys = [item.meeting_id for item in rows]
        now, dates = timezone.now(), defaultdict(list)
        found = Occurrence.objects.filter(meeting__in=keys, end__gte=now).order_by("start")
        for date in found:
            dates[date.meeting_id].append(date)
        shown = set(
            self.facts.gate.meetings(Audience.VISITOR, Surface.PAGE)
            .filter(pk__in=keys)
            .values_list("pk", flat=True)
        )
        people = dict(
            Registration.objects.filter(site=self.site, meeting__in=keys, state__in=ALIVE)
            .values_list("meeting")
            .annotate(n=Count("pk"))
        )
        ticked = why.ticked(self.facts.choice)
        count_usage(rows)
        for item in rows:
            _prepare(item, dates[item.meeting_id], people.get(item.meeting_id, 0))
            item.row_shown = item.meeting_id in shown
            item.row_state = _state(item)
            item.row_reason = "" if item.row_shown else why.meeting(self.facts, item, ticked)
        return rows

    def empty(self) -> dict[str, Any]:
        nothing = None
        if self.facts.account and not {Kind.MEETING, Kind.WEBINAR} & self.facts.choice.kinds:
            nothing = missing_kind(self, Kind.MEETING)
        return nothing or super().empty()


def _prepare(item: Any, dates: list[Occurrence], people: int) -> None:
    meeting: Meeting = item.meeting
    item.row_title, item.row_kind = str(item), meeting.get_kind_display()
    item.row_host = str(meeting.host) if meeting.host else ""
    item.row_dates, item.row_people = dates, people
    item.row_start = dates[0].start if dates else item.row_at
    item.row_used = getattr(item, "used", 0)
    item.row_registration = _taken(meeting, people) if meeting.takes_registration else ""


def _taken(meeting: Meeting, people: int) -> str:
    n = max(people, meeting.registrant_count or 0)
    if meeting.capacity:
        return _("%(n)d of %(capacity)d") % {"n": n, "capacity": meeting.capacity}
    return str(n)


def _when(item: Any) -> Cell:
    if item.row_start is None:
        return Cell(_("No fixed date"))
    dates = item.row_dates
    notes = []
    if item.kind == Kind.WEBINAR:
        notes.append(_("webinar"))
    if dates and dates[0].state == Occurrence.State.MOVED and dates[0].previous_start:
        before = _before(dates[0])
        notes.append(_("moved, was %(before)s") % {"before": before})
    if len(dates) > 1:
        left = ngettext("%(n)d date left", "%(n)d dates left", len(dates))
        notes.append(left % {"n": len(dates)})
    elif dates and dates[0].duration:
        notes.append(wording.minutes(dates[0].duration))
    return Cell(wording.stamp(item.row_start), ", ".join(notes))


def _before(date: Occurrence) -> str:
    """The former time; with its day only when that has changed, too."""
    old, new = timezone.localtime(date.previous_start), timezone.localtime(date.start)
    same = old.date() == new.date()
    return wording.clock(old) if same else wording.moment(old)


def _registration(item: Any) -> Cell:
    if not item.meeting.takes_registration:
        return Cell(_("Not needed"))
    url = f"{reverse('wagtail_zoom_registrations:index')}?site={item.site_id}&meeting={item.key}"
    return Cell(item.row_registration, url=url if item.row_people else "")


def _state(item: Any) -> str:
    dates = item.row_dates
    if dates and all(date.state == Occurrence.State.CANCELLED for date in dates):
        return _("Cancelled")
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return _("Hidden")
    if not dates and item.meeting.has_fixed_time:
        return _("Over")
    return _("Shown") if item.row_shown else _("Not shown")


def _visitors(item: Any) -> Cell:
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return Cell(item.row_state, decided(item), tag="plain")
    return Cell(item.row_state, item.row_reason, tag="primary" if item.row_shown else "plain")
