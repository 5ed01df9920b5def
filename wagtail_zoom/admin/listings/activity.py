"""The activity list of a Site, with the message behind a line and "Replay" for a failed one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column
from wagtail.log_actions import log

from ...models import Activity, ExposedHost, WebhookEvent, ZoomSettings
from .. import activity, formatting, links, payload
from ..permissions import RowGuard, visible_to
from ..site_state import Action
from .base import SiteIndexView
from .columns import Cell, CellColumn

WEEK = "7"
LOOKS = {
    Activity.Outcome.GOOD: ("success", "good"),
    Activity.Outcome.WAITING: ("time", "work"),
    Activity.Outcome.FAILED: ("warning", "bad"),
    Activity.Outcome.INFO: ("info-circle", "plain"),
}


class ActivityFilters(WagtailFilterSet):
    """When, what about, and how it went."""

    when = django_filters.ChoiceFilter(
        label=gettext_lazy("When"),
        choices=[
            ("1", gettext_lazy("Last 24 hours")),
            (WEEK, gettext_lazy("Last 7 days")),
            ("30", gettext_lazy("Last 30 days")),
        ],
        method="by_age",
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    category = django_filters.ChoiceFilter(
        label=gettext_lazy("What about"),
        choices=activity.CATEGORIES,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    outcome = django_filters.ChoiceFilter(
        label=gettext_lazy("Outcome"),
        choices=Activity.Outcome.choices,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = Activity
        fields: list[str] = []

    def by_age(self, rows: QuerySet[Activity], name: str, value: str) -> QuerySet[Activity]:
        return rows.filter(at__gte=timezone.now() - timedelta(days=int(value)))


class SentenceColumn(Column):
    """The sentence, its detail, and what Zoom sent behind a disclosure."""

    cell_template_name = "wagtail_zoom/admin/cells/sentence.html"


class ReplayColumn(Column):
    """A button for what failed."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/replay.html"


class ActivityView(SiteIndexView):
    """Newest first."""

    page_title = gettext_lazy("Activity")
    filterset_class = ActivityFilters
    search_fields = ["data"]
    empty_sentence = gettext_lazy("Nothing has happened yet.")
    search_placeholder = gettext_lazy("Search the activity")
    default_filters = {"when": WEEK}
    list_export = ["at", "row_sentence", "row_detail", "row_outcome"]
    export_times = ("at",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "at": _("When"),
            "row_sentence": _("What happened"),
            "row_detail": _("Detail"),
            "row_outcome": _("Outcome"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            CellColumn("when", label=_("When"), accessor=_when, classname="wza-when"),
            SentenceColumn("what", label=_("What happened"), accessor="row_worded"),
            CellColumn("outcome", label=_("Outcome"), accessor=_outcome),
            ReplayColumn("replay", label=_("Actions"), accessor="row_replay"),
        ]

    def get_base_queryset(self) -> QuerySet[Activity]:
        return super().get_base_queryset().select_related("user", "event", "item")

    def nothing_by_default(self) -> str:
        return _("Nothing has happened in the last 7 days.")

    def order_queryset(self, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        return queryset.order_by("-at", "-pk")

    def search_queryset(self, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        if not self.is_searching:
            return queryset
        words = self.search_query.strip()
        found = Q(code__icontains=words) | Q(row_text__icontains=words)
        found |= Q(item__title__icontains=words) | Q(item__last_title__icontains=words)
        return queryset.annotate(row_text=Cast("data", CharField())).filter(found)

    def intro(self) -> dict[str, Any]:
        dead = Activity.objects.filter(site=self.site, event__state=WebhookEvent.State.DEAD)
        n = dead.exclude(event__payload={}).values("event").distinct().count()
        if not n or self.facts.grant is None:
            return {}
        text = ngettext(
            "%(n)d message of Zoom’s could not be handled.",
            "%(n)d messages of Zoom’s could not be handled.",
            n,
        ) % {"n": n}
        again = Action(_("Replay all of them"), links.url("replay", self.facts))
        return {"strong": text, "text": _("Nothing is lost."), "action": again}

    def decorate(self, rows: list[Any]) -> list[Any]:
        dead = WebhookEvent.State.DEAD
        hosts = _hosts(self.facts.choice)
        for row in rows:
            sees = payload.may_see(row, hosts)
            row.row_worded = activity.worded(row)
            row.row_raw = payload.raw(row) if sees else ""
            row.row_sentence = strip_tags(str(row.row_worded.text))
            row.row_detail = row.row_worded.detail
            row.row_outcome = row.get_outcome_display()
            can = row.event is not None and row.event.state == dead and row.event.payload
            row.row_replay = reverse("wagtail_zoom_activity:replay", args=[row.pk]) if can else ""
        return rows


class ReplayView(RowGuard, View):
    """Handle the message behind a line again. Harmless: messages only cause reads."""

    model = Activity
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        from ...sync import inbox

        rows = visible_to(request.user, Activity.objects.select_related("event", "site"))
        row = get_object_or_404(rows, pk=pk)
        if row.event is None or row.event.state != WebhookEvent.State.DEAD:
            raise Http404
        inbox.replay(row.event)
        Activity.log([row.site_id], "event", "replayed", user=request.user, event=row.event)
        choice = ZoomSettings.objects.filter(site=row.site_id).first()
        if choice is not None:
            log(instance=choice, action="wagtail_zoom.replay", user=request.user)
        messages.success(request, _("We handle it again now."))
        return redirect(f"{reverse('wagtail_zoom_activity:index')}?site={row.site_id}")


def _hosts(choice: ZoomSettings) -> set[str]:
    """Zoom's ids of the hosts that this Site has ticked and that its own grant covers."""
    ticked = ExposedHost.objects.filter(settings=choice.pk, host__account=choice.account_id)
    known = ticked.values_list("host__zoom_id", flat=True)
    grant = choice.grant
    return {zoom_id for zoom_id in known if grant is not None and grant.covers(zoom_id)}


def _when(row: Any) -> Cell:
    return Cell(formatting.stamp(row.at), _("%(age)s ago") % {"age": formatting.age(row.at)})


def _outcome(row: Any) -> Cell:
    icon, tone = LOOKS[row.outcome]
    return Cell(row.row_outcome, icon=icon, tone=tone)
