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
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn

from ...frontend.visibility import Audience, Surface
from ...models import Kind, Meeting, Occurrence, Registration, SiteItem
from .. import formatting, links, reasons
from .base import SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn
from .items import (
    ItemFilters,
    count_usage,
    decided,
    importing,
    missing_kind,
    ticked_hosts,
    used_on,
)

ALIVE = ("waiting", "pending", "approved")
UPCOMING = "upcoming"


class MeetingFilters(ItemFilters):
    """When, what visitors see, kind, host, use."""

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

    host = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Host"),
        field_name="meeting__host",
        queryset=ticked_hosts,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

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
    search_placeholder = gettext_lazy("Search titles and hosts")
    default_filters = {"when": UPCOMING}
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
    export_times = ("row_start",)

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
        self.request.wagtail_zoom_choice = self.facts.choice
        rows = super().get_base_queryset()
        rows = rows.filter(kind__in=(Kind.MEETING, Kind.WEBINAR), meeting__isnull=False)
        rows = rows.filter(account=self.facts.choice.account_id)
        return rows.select_related("meeting__host", "decided_by").defer(
            "meeting__join_url", "meeting__passcode"
        )

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
        ticked = reasons.ticked(self.facts.choice)
        count_usage(rows)
        for item in rows:
            _prepare(item, dates[item.meeting_id], people.get(item.meeting_id, 0))
            item.row_shown = item.meeting_id in shown
            item.row_state = _state(item)
            item.row_note = decided(item, self.request.user)
            item.row_reason = "" if item.row_shown else reasons.meeting(self.facts, item, ticked)
        return rows

    def count_name(self, n: int) -> str:
        return ngettext("meeting", "meetings", n)

    def nothing_by_default(self) -> str:
        n = self.get_base_queryset().count()
        return ngettext(
            "No date to come. %(n)d meeting is over.",
            "No date to come. %(n)d meetings are over.",
            n,
        ) % {"n": n}

    def empty(self) -> dict[str, Any]:
        if self.facts.account is None or self.is_narrowed:
            return super().empty()
        if not {Kind.MEETING, Kind.WEBINAR} & self.facts.choice.kinds:
            return missing_kind(self, Kind.MEETING)
        if self.get_base_queryset().exists():
            return super().empty()
        return importing(self) or self._nothing()

    def _nothing(self) -> dict[str, Any]:
        """Everything was read, and there is nothing for what was chosen."""
        if self.facts.account is None or self.facts.account.reconciled_at is None:
            return super().empty()
        url = f"{links.panel_url(self.facts)}#tab-choices"
        text = _("The hosts that you have ticked have no meeting in Zoom.")
        return {"text": text, "url": url, "link": _("What to show")}


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
        notes.append(formatting.minutes(dates[0].duration))
    return Cell(formatting.stamp(item.row_start), ", ".join(notes))


def _before(date: Occurrence) -> str:
    """The former time; with its day only when that has changed, too."""
    old, new = timezone.localtime(date.previous_start), timezone.localtime(date.start)
    same = old.date() == new.date()
    return formatting.clock(old) if same else formatting.moment(old)


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
        return Cell(item.row_state, item.row_note, tag="plain")
    note = item.row_reason
    if item.row_dates and item.row_state == _("Cancelled"):
        last = max(date.end for date in item.row_dates)
        note = _("until %(time)s") % {"time": formatting.short_moment(last)}
    tone = "primary" if item.row_state == _("Shown") else "plain"
    return Cell(item.row_state, note, tag=tone)
