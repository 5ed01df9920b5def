"""The list of recordings of a Site: new ones first, to be published or hidden."""

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

from ...frontend.visibility import Audience, Surface
from ...models import Kind, Recording, SiteItem
from .. import formatting, reasons, site_status
from .base import SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn, ThumbnailColumn
from .items import (
    ItemFilters,
    count_usage,
    decided,
    importing,
    missing_kind,
    ticked_hosts,
    used_on,
)

NEW = Q(visibility=SiteItem.Visibility.AUTO)


MOST_SERIES = 100


def series(request: Any) -> list[tuple[str, str]]:
    """Series with more than one recording on this Site, by Zoom's number."""
    choice = request.wagtail_zoom_choice
    rows = Recording.objects.filter(account=choice.account_id, removed_at=None)
    rows = rows.filter(host__exposed_on__settings=choice.pk).exclude(meeting_zoom_id="")
    found = rows.order_by().values("meeting_zoom_id").annotate(n=Count("pk"), name=Max("topic"))
    many = found.filter(n__gt=1).order_by("name")[:MOST_SERIES]
    return [(row["meeting_zoom_id"], row["name"]) for row in many]


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
        queryset=ticked_hosts,
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
        self.filters["series"].extra["choices"] = series(self.request)

    def by_state(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        over = Q(expires_on__lt=timezone.localdate())
        if value == "over":
            return rows.filter(over)
        wanted = {
            "new": NEW,
            "published": Q(visibility=SiteItem.Visibility.PUBLISHED) & ~over,
            "hidden": Q(visibility=SiteItem.Visibility.HIDDEN),
        }[value]
        return rows.filter(wanted)


class RecordingsView(SiteIndexView):
    """The inbox and everything that has been decided."""

    page_title = gettext_lazy("Recordings")
    filterset_class = RecordingFilters
    search_fields = ["title", "last_title", "recording__host__display_name"]
    bulk_type = "zoomitem"
    search_placeholder = gettext_lazy("Search titles and hosts")
    empty_sentence = gettext_lazy("No recordings yet. They appear here some hours after a meeting.")
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
            CellColumn("recorded", label=_("Recorded"), accessor=_recorded, classname="wza-when"),
            CellColumn("length", label=_("Length"), accessor=_length),
            CellColumn("used", label=_("Used on"), accessor=used_on),
            CellColumn("until", label=_("Shown until"), accessor=_until),
            CellColumn("state", label=_("State"), accessor=_state),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_choice = self.facts.choice
        rows = super().get_base_queryset()
        rows = rows.filter(kind=Kind.RECORDING, recording__isnull=False)
        rows = rows.filter(account=self.facts.choice.account_id, recording__removed_at=None)
        related = ("recording__host", "recording__meeting", "decided_by", "image")
        return rows.select_related(*related).defer(
            "recording__share_url",
            "recording__play_url",
            "recording__passcode",
            "recording__meeting__join_url",
        )

    def order_queryset(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        first = Case(When(NEW, then=Value(0)), default=Value(1), output_field=IntegerField())
        return queryset.order_by(first, "-recording__start", "-pk")

    def decorate(self, rows: list[Any]) -> list[Any]:
        gate = self.facts.gate.recordings(Audience.VISITOR, Surface.PAGE)
        keys = [item.recording_id for item in rows]
        shown = set(gate.filter(pk__in=keys).values_list("pk", flat=True))
        ticked = reasons.ticked(self.facts.choice)
        count_usage(rows)
        for item in rows:
            recording = item.recording
            item.row_title, item.row_start = str(item), recording.start
            item.row_host = str(recording.host) if recording.host else ""
            item.row_minutes, item.row_used = recording.duration, item.used
            item.row_shown = item.recording_id in shown
            item.row_until = _last_day(item, self.facts.choice)
            item.row_note = decided(item, self.request.user)
            item.row_reason = "" if item.row_shown else reasons.recording(self.facts, item, ticked)
            item.row_state = str(_state(item).text)
        return rows

    def count_name(self, n: int) -> str:
        return ngettext("recording", "recordings", n)

    def intro(self) -> dict[str, Any]:
        n = site_status.inbox(self.site).count()
        if not n or self.request.GET.get("state"):
            return {}
        strong = ngettext("%(n)d new recording", "%(n)d new recordings", n) % {"n": n}
        return {
            "strong": strong,
            "text": _("wait for you. Visitors do not see them until you publish them."),
            "url": f"{self.index_url}?site={self.site.pk}&state=new",
            "link": _("Show only the new ones"),
        }

    def empty(self) -> dict[str, Any]:
        if self.request.GET.get("state") == "new":
            return {"text": _("Nothing new. You have looked at everything.")}
        if self.facts.account is None or self.is_narrowed:
            return super().empty()
        return missing_kind(self, Kind.RECORDING) or importing(self) or super().empty()


def _last_day(item: Any, choice: Any) -> date | None:
    """The last day on the pages: chosen for this one, by the Site's rule, or because Zoom ends."""
    days = [item.expires_on, item.recording.deletes_on]
    if choice.recording_days:
        start = timezone.localtime(item.recording.start).date()
        days.append(start + timedelta(days=choice.recording_days))
    return min((day for day in days if day), default=None)


def _recorded(item: Any) -> Cell:
    return Cell(formatting.day(item.row_start), item.row_host)


def _length(item: Any) -> Cell:
    return Cell(formatting.minutes(item.recording.duration))


def _until(item: Any) -> Cell:
    return Cell(formatting.day(item.row_until) if item.row_until else "–")


def _state(item: Any) -> Cell:
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
