"""The list of meetings and webinars of a Site."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn
from wagtail.admin.widgets.button import HeaderButton

from ...frontend.visibility import Audience, Channel
from ...frontend.visibility_reasons import link_reason
from ...models import (
    MEETING_KINDS,
    Kind,
    Meeting,
    MeetingChange,
    Occurrence,
    Registration,
    SiteItem,
)
from ...models.mirror import UNDATED_TYPES
from .. import formatting, links, reasons
from ..scheduling.changes import change_lines
from .base import RadioFilter, SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn
from .items import (
    SHOWN_TITLE,
    HostFilter,
    ItemFilters,
    decision_note,
    import_message,
    missing_kind_message,
    set_page_counts,
    set_rows,
    usage_cell,
)

ACTIVE_STATES = ("waiting", "pending", "approved")
UPCOMING = "upcoming"


class MeetingFilters(ItemFilters):
    """When, what visitors see, kind, host, use."""

    when = RadioFilter(
        label=gettext_lazy("When"),
        choices=[("upcoming", gettext_lazy("Upcoming")), ("past", gettext_lazy("Over"))],
        method="by_time",
    )
    visitors = RadioFilter(
        label=gettext_lazy("Visitors see it"),
        choices=[("yes", gettext_lazy("Shown")), ("no", gettext_lazy("Not shown"))],
        method="by_visitors",
    )
    kind = RadioFilter(
        label=gettext_lazy("Type"),
        choices=[("meeting", gettext_lazy("Meetings")), ("webinar", gettext_lazy("Webinars"))],
    )

    host = HostFilter(
        field_name="meeting__host",
    )

    def by_time(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        upcoming = Occurrence.objects.filter(meeting=OuterRef("meeting"), end__gte=timezone.now())
        undated = Q(meeting__zoom_type__in=UNDATED_TYPES)
        if value == UPCOMING:
            return rows.filter(Exists(upcoming) | undated)
        return rows.filter(~Exists(upcoming) & ~undated)

    def by_visitors(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        visibility = self.request.wagtail_zoom_visibility
        shown = visibility.meetings(Audience.VISITOR, Channel.PAGE).order_by().values("pk")
        return rows.filter(meeting__in=shown) if value == "yes" else rows.exclude(meeting__in=shown)


class MeetingsView(SiteIndexView):
    """One row for each meeting, webinar or series, next occurrence first."""

    page_title = gettext_lazy("Meetings")
    template_name = "wagtail_zoom/admin/meetings.html"
    filterset_class = MeetingFilters
    search_fields = ["title", "last_title", "meeting__host__display_name"]
    bulk_type = "zoomitem"
    empty_text = gettext_lazy("Nothing from Zoom yet.")
    search_placeholder = gettext_lazy("Search titles and hosts")
    quick_filters = ("when", "visitors")
    default_filters = {"when": UPCOMING}
    sort_expressions = {
        "title": SHOWN_TITLE,
        "when": F("row_at"),
        "host": Lower("meeting__host__display_name"),
    }
    export_times = ("row_start",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_title": _("Title"),
            "row_start": _("When"),
            "row_host": _("Host"),
            "row_kind": _("Type"),
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
                accessor="display_title",
                sort_key="title",
                get_url=lambda item: reverse("wagtail_zoom_meetings:edit", args=[item.pk]),
            ),
            CellColumn(
                "when",
                label=_("When"),
                accessor=_when_cell,
                sort_key="when",
                classname="wza-when",
            ),
            CellColumn(
                "host",
                label=_("Host"),
                accessor=lambda item: Cell(item.row_host),
                sort_key="host",
            ),
            CellColumn("registration", label=_("Registration"), accessor=_registration_cell),
            CellColumn("used", label=_("Used on"), accessor=usage_cell),
            CellColumn("visitors", label=_("Visitors see it"), accessor=_visitors_cell),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_visibility = self.site_status.visibility
        rows = self.site_status.visibility.items().filter(kind__in=MEETING_KINDS)
        return rows.select_related("decided_by")

    def default_order(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        occurrences = Occurrence.objects.filter(meeting=OuterRef("meeting")).order_by()
        if self.request.GET.get("when", UPCOMING) == UPCOMING:
            occurrences = occurrences.filter(end__gte=timezone.now())
            first = occurrences.values("meeting").annotate(start_at=Min("start")).values("start_at")
            rows = queryset.annotate(row_at=Subquery(first))
            return rows.order_by(F("row_at").asc(nulls_last=True), "pk")
        last = occurrences.values("meeting").annotate(start_at=Max("start")).values("start_at")
        rows = queryset.annotate(row_at=Subquery(last))
        return rows.order_by(F("row_at").desc(nulls_last=True), "pk")

    def decorate(self, rows: list[Any]) -> list[Any]:
        set_rows(self.site_status.visibility, rows)
        rows = [item for item in rows if item.zoom_row is not None]
        meeting_ids = [item.zoom_row.pk for item in rows]
        occurrences_by_meeting = defaultdict(list)
        upcoming = Occurrence.objects.filter(meeting__in=meeting_ids, end__gte=timezone.now())
        for occurrence in upcoming.order_by("start"):
            occurrences_by_meeting[occurrence.meeting_id].append(occurrence)
        shown = set(
            self.site_status.visibility.meetings(Audience.VISITOR, Channel.PAGE)
            .filter(pk__in=meeting_ids)
            .values_list("pk", flat=True)
        )
        registration_counts = dict(
            Registration.objects.filter(
                site=self.site, meeting__in=meeting_ids, state__in=ACTIVE_STATES
            )
            .values_list("meeting")
            .annotate(n=Count("pk"))
        )
        host_ids = reasons.exposed_host_ids(self.site_status.site_settings)
        set_page_counts(rows)
        for item in rows:
            _set_row_values(
                item,
                occurrences_by_meeting[item.zoom_row.pk],
                registration_counts.get(item.zoom_row.pk, 0),
            )
            item.row_shown = item.zoom_row.pk in shown
            item.row_state = _state_label(item)
            item.row_note = decision_note(item, self.request.user)
            item.row_reason = (
                link_reason(item.zoom_row)
                if item.row_shown
                else reasons.row_reason(self.site_status, item.zoom_row, item, host_ids)
            )
        return rows

    @cached_property
    def header_buttons(self) -> list[Any]:
        url = reverse("wagtail_zoom_admin:schedule", args=[self.site.pk])
        return [HeaderButton(_("Schedule a meeting"), url=url, icon_name="plus")]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(*args, **kwargs) | {
            "changes": change_lines(MeetingChange.objects.filter(site=self.site)),
        }

    def count_name(self, n: int) -> str:
        return ngettext("meeting", "meetings", n)

    def default_filters_text(self) -> str:
        n = self.get_base_queryset().count()
        return ngettext(
            "No date to come. %(n)d meeting is over.",
            "No date to come. %(n)d meetings are over.",
            n,
        ) % {"n": n}

    def empty_message(self) -> dict[str, Any]:
        if self.site_status.account is None or self.has_user_filters:
            return super().empty_message()
        if not {Kind.MEETING, Kind.WEBINAR} & self.site_status.site_settings.kinds:
            return missing_kind_message(self, Kind.MEETING)
        if self.get_base_queryset().exists():
            return super().empty_message()
        return import_message(self) or self._no_meetings_message()

    def _no_meetings_message(self) -> dict[str, Any]:
        """The import is complete, and the selected hosts have no meetings."""
        if self.site_status.account is None or self.site_status.account.reconciled_at is None:
            return super().empty_message()
        url = f"{links.panel_url(self.site_status)}#tab-choices"
        text = _("The hosts that you have ticked have no meeting in Zoom.")
        return {"text": text, "url": url, "link": _("What to show")}


def _set_row_values(item: Any, occurrences: list[Occurrence], registration_count: int) -> None:
    meeting: Meeting = item.zoom_row
    item.row_title, item.row_kind = item.display_title, meeting.get_kind_display()
    item.row_host = str(meeting.host) if meeting.host else ""
    item.row_occurrences = occurrences
    item.row_registration_count = registration_count
    item.row_start = occurrences[0].start if occurrences else item.row_at
    item.row_used = getattr(item, "page_count", 0)
    item.row_registration = (
        _registration_text(meeting, registration_count) if meeting.takes_registration else ""
    )


def _registration_text(meeting: Meeting, registration_count: int) -> str:
    is_counted, capacity = meeting.registrant_count is not None, meeting.capacity
    n = max(registration_count, meeting.registrant_count or 0)
    if not capacity:
        return str(n) if is_counted else _("%(n)d here") % {"n": n}
    text = _("%(n)d of %(capacity)d") if is_counted else _("%(n)d here, limit %(capacity)d")
    return text % {"n": n, "capacity": capacity}


def _when_cell(item: Any) -> Cell:
    if item.row_start is None:
        return Cell(_("No fixed date"))
    occurrences = item.row_occurrences
    notes = []
    if item.kind == Kind.WEBINAR:
        notes.append(_("webinar"))
    if (
        occurrences
        and occurrences[0].state == Occurrence.State.MOVED
        and occurrences[0].previous_start
    ):
        before = _previous_time(occurrences[0])
        notes.append(_("moved, was %(before)s") % {"before": before})
    if len(occurrences) > 1:
        remaining = ngettext("%(n)d date left", "%(n)d dates left", len(occurrences))
        notes.append(remaining % {"n": len(occurrences)})
    elif occurrences and occurrences[0].duration:
        notes.append(formatting.duration(occurrences[0].duration))
    return Cell(formatting.relative_date_time(item.row_start), ", ".join(notes))


def _previous_time(occurrence: Occurrence) -> str:
    """The previous time, with its day only if the day changed too."""
    old, new = (
        timezone.localtime(value) for value in (occurrence.previous_start, occurrence.start)
    )
    is_same_day = old.date() == new.date()
    return formatting.time_of_day(old) if is_same_day else formatting.date_time(old)


def _registration_cell(item: Any) -> Cell:
    if not item.zoom_row.takes_registration:
        return Cell(_("Not needed"))
    url = f"{reverse('wagtail_zoom_registrations:index')}?site={item.site_id}&meeting={item.key}"
    return Cell(item.row_registration, url=url if item.row_registration_count else "")


def _state_label(item: Any) -> str:
    occurrences = item.row_occurrences
    if occurrences and all(row.state == Occurrence.State.CANCELLED for row in occurrences):
        return _("Cancelled")
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return _("Hidden")
    if not occurrences and item.zoom_row.has_fixed_time:
        return _("Over")
    return _("Shown") if item.row_shown else _("Not shown")


def _visitors_cell(item: Any) -> Cell:
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return Cell(item.row_state, item.row_note, tag="plain")
    note = item.row_reason
    if item.row_occurrences and item.row_state == _("Cancelled"):
        last = max(occurrence.end for occurrence in item.row_occurrences)
        note = _("until %(time)s") % {"time": formatting.short_date_time(last)}
    tone = "primary" if item.row_state == _("Shown") else "plain"
    return Cell(item.row_state, note, tag=tone)
