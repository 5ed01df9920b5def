"""The list of recordings of a Site, new ones first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn

from ...frontend.visibility import Audience, Channel
from ...models import Kind, Recording, SiteItem
from .. import formatting, reasons
from ..site_status import recordings_to_review
from .base import SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn, ThumbnailColumn
from .items import (
    ItemFilters,
    decision_note,
    exposed_hosts,
    import_message,
    missing_kind_message,
    set_page_counts,
    usage_cell,
)

IS_NEW = Q(visibility=SiteItem.Visibility.AUTO)


MAX_SERIES = 100


def series_choices(request: Any) -> list[tuple[str, str]]:
    """Series with more than one recording on this Site, by Zoom's meeting id."""
    site_settings = request.wagtail_zoom_site_settings
    rows = Recording.objects.filter(account=site_settings.account_id, removed_at=None)
    rows = rows.filter(host__exposed_on__settings=site_settings.pk).exclude(meeting_zoom_id="")
    by_meeting = rows.order_by().values("meeting_zoom_id")
    by_meeting = by_meeting.annotate(n=Count("pk"), name=Max("topic"))
    series = by_meeting.filter(n__gt=1).order_by("name")[:MAX_SERIES]
    return [(row["meeting_zoom_id"], row["name"]) for row in series]


class RecordingFilters(ItemFilters):
    """State, host, series, day, use."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=[
            ("new", gettext_lazy("New")),
            ("published", gettext_lazy("Published")),
            ("hidden", gettext_lazy("Hidden")),
            ("over", gettext_lazy("Over")),
        ],
        method="by_state",
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    host = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Host"),
        field_name="recording__host",
        queryset=exposed_hosts,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    series = django_filters.ChoiceFilter(
        label=gettext_lazy("Series"),
        field_name="recording__meeting_zoom_id",
        choices=[],
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    recorded = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Recorded"),
        field_name="recording__start",
        widget=DateRangePickerWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["series"].extra["choices"] = series_choices(self.request)

    def by_state(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        is_over = Q(expires_on__lt=timezone.localdate())
        if value == "over":
            return rows.filter(is_over)
        condition = {
            "new": IS_NEW,
            "published": Q(visibility=SiteItem.Visibility.PUBLISHED) & ~is_over,
            "hidden": Q(visibility=SiteItem.Visibility.HIDDEN),
        }[value]
        return rows.filter(condition)


class RecordingsView(SiteIndexView):
    """All recordings, those to review first."""

    page_title = gettext_lazy("Recordings")
    filterset_class = RecordingFilters
    search_fields = ["title", "last_title", "recording__host__display_name"]
    bulk_type = "zoomitem"
    search_placeholder = gettext_lazy("Search titles and hosts")
    empty_text = gettext_lazy("No recordings yet. They appear here some hours after a meeting.")
    list_export = [
        "row_title",
        "row_start",
        "row_host",
        "row_minutes",
        "row_used",
        "row_until",
        "row_state",
        "row_reason",
    ]
    export_times = ("row_start",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_title": _("Title"),
            "row_start": _("Recorded"),
            "row_host": _("Host"),
            "row_minutes": _("Minutes"),
            "row_used": _("Used on"),
            "row_until": _("Shown until"),
            "row_state": _("State"),
            "row_reason": _("Why not shown"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomitem"),
            ThumbnailColumn("image", label=_("Image")),
            ItemTitleColumn(
                "title",
                label=_("Title"),
                accessor=str,
                get_url=lambda item: reverse("wagtail_zoom_recordings:edit", args=[item.pk]),
            ),
            CellColumn(
                "recorded", label=_("Recorded"), accessor=_recorded_cell, classname="wza-when"
            ),
            CellColumn("length", label=_("Length"), accessor=_length_cell),
            CellColumn("used", label=_("Used on"), accessor=usage_cell),
            CellColumn("until", label=_("Shown until"), accessor=_until_cell),
            CellColumn("state", label=_("State"), accessor=_state_cell),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_site_settings = self.site_status.site_settings
        rows = super().get_base_queryset()
        rows = rows.filter(kind=Kind.RECORDING, recording__isnull=False)
        rows = rows.filter(
            account=self.site_status.site_settings.account_id, recording__removed_at=None
        )
        related = ("recording__host", "recording__meeting", "decided_by", "image")
        return rows.select_related(*related).defer(
            "recording__share_url",
            "recording__play_url",
            "recording__passcode",
            "recording__meeting__join_url",
        )

    def order_queryset(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        first = Case(When(IS_NEW, then=Value(0)), default=Value(1), output_field=IntegerField())
        return queryset.order_by(first, "-recording__start", "-pk")

    def decorate(self, rows: list[Any]) -> list[Any]:
        visible = self.site_status.visibility.recordings(Audience.VISITOR, Channel.PAGE)
        recording_ids = [item.recording_id for item in rows]
        shown = set(visible.filter(pk__in=recording_ids).values_list("pk", flat=True))
        host_ids = reasons.exposed_host_ids(self.site_status.site_settings)
        set_page_counts(rows)
        for item in rows:
            recording = item.recording
            item.row_title, item.row_start = str(item), recording.start
            item.row_host = str(recording.host) if recording.host else ""
            item.row_minutes, item.row_used = recording.duration, item.page_count
            item.row_shown = item.recording_id in shown
            item.row_until = _last_day(item, self.site_status.site_settings)
            item.row_note = decision_note(item, self.request.user)
            item.row_reason = (
                "" if item.row_shown else reasons.recording_reason(self.site_status, item, host_ids)
            )
            item.row_state = str(_state_cell(item).text)
        return rows

    def count_name(self, n: int) -> str:
        return ngettext("recording", "recordings", n)

    def intro(self) -> dict[str, Any]:
        n = recordings_to_review(self.site).count()
        if not n or self.request.GET.get("state"):
            return {}
        strong = ngettext("%(n)d new recording", "%(n)d new recordings", n) % {"n": n}
        return {
            "strong": strong,
            "text": _("wait for you. Visitors do not see them until you publish them."),
            "url": f"{self.index_url}?site={self.site.pk}&state=new",
            "link": _("Show only the new ones"),
        }

    def empty_message(self) -> dict[str, Any]:
        if self.request.GET.get("state") == "new":
            return {"text": _("Nothing new. You have looked at everything.")}
        if self.site_status.account is None or self.has_user_filters:
            return super().empty_message()
        return (
            missing_kind_message(self, Kind.RECORDING)
            or import_message(self)
            or super().empty_message()
        )


def _last_day(item: Any, site_settings: Any) -> date | None:
    """The last day it is shown: its own, by the Site's rule, or when Zoom deletes it."""
    days = [item.expires_on, item.recording.deletes_on]
    if site_settings.recording_days:
        start = timezone.localtime(item.recording.start).date()
        days.append(start + timedelta(days=site_settings.recording_days))
    return min((day for day in days if day), default=None)


def _recorded_cell(item: Any) -> Cell:
    return Cell(formatting.day(item.row_start), item.row_host)


def _length_cell(item: Any) -> Cell:
    return Cell(formatting.duration(item.recording.duration))


def _until_cell(item: Any) -> Cell:
    return Cell(formatting.day(item.row_until) if item.row_until else "–")


def _state_cell(item: Any) -> Cell:
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return Cell(_("Hidden"), getattr(item, "row_note", ""), tag="plain")
    if item.expires_on and item.expires_on < timezone.localdate():
        return Cell(_("Over"), _("taken off by itself"), tag="plain")
    if item.visibility == SiteItem.Visibility.AUTO:
        since = _("since %(day)s") % {"day": formatting.short_day(item.created_at)}
        return Cell(_("New"), since, tag="primary")
    if getattr(item, "row_shown", True):
        return Cell(_("Published"), getattr(item, "row_note", ""), tag="primary")
    return Cell(_("Not shown"), getattr(item, "row_reason", ""), tag="plain")
