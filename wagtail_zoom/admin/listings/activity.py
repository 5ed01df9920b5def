"""The activity list of a Site, with the payload of events and "Replay" for failed ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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

from ...frontend.visibility import SiteVisibility
from ...models import Activity, GrantState, WebhookEvent, ZoomSettings
from .. import activity, formatting, links, payload
from ..permissions import OwnerAccessMixin, visible_to
from ..site_state import StatusAction
from ..site_status import SiteStatus
from .base import RadioFilter, SiteIndexView
from .columns import Cell, CellColumn

WEEK = "7"
OUTCOME_ICONS = {
    Activity.Outcome.GOOD: ("success", "good"),
    Activity.Outcome.WAITING: ("time", "work"),
    Activity.Outcome.FAILED: ("warning", "bad"),
    Activity.Outcome.INFO: ("info-circle", "plain"),
}


class ActivityFilters(WagtailFilterSet):
    """Age, category and outcome."""

    when = RadioFilter(
        label=gettext_lazy("When"),
        choices=[
            ("1", gettext_lazy("Last 24 hours")),
            (WEEK, gettext_lazy("Last 7 days")),
            ("30", gettext_lazy("Last 30 days")),
        ],
        method="by_age",
    )
    category = RadioFilter(
        label=gettext_lazy("What about"),
        choices=activity.CATEGORIES,
    )
    outcome = RadioFilter(
        label=gettext_lazy("Outcome"),
        choices=Activity.Outcome.choices,
    )

    class Meta:
        model = Activity
        fields: list[str] = []

    def by_age(self, rows: QuerySet[Activity], name: str, value: str) -> QuerySet[Activity]:
        return rows.filter(created_at__gte=timezone.now() - timedelta(days=int(value)))


class ActivityTextColumn(Column):
    """The text, its detail, and a disclosure with the payload."""

    cell_template_name = "wagtail_zoom/admin/cells/sentence.html"


class ReplayColumn(Column):
    """A button to replay a failed event."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/replay.html"


class ActivityView(SiteIndexView):
    """Newest first."""

    page_title = gettext_lazy("Activity")
    filterset_class = ActivityFilters
    search_fields = ["data"]
    empty_text = gettext_lazy("Nothing has happened yet.")
    search_placeholder = gettext_lazy("Search the activity")
    default_filters = {"when": WEEK}
    export_times = ("created_at",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "created_at": _("When"),
            "row_activity": _("What happened"),
            "row_detail": _("Detail"),
            "row_outcome": _("Outcome"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            CellColumn("when", label=_("When"), accessor=_when_cell, classname="wza-when"),
            ActivityTextColumn("what", label=_("What happened"), accessor="row_activity_text"),
            CellColumn("outcome", label=_("Outcome"), accessor=_outcome_cell),
            ReplayColumn("replay", label=_("Actions"), accessor="row_replay"),
        ]

    def get_base_queryset(self) -> QuerySet[Activity]:
        return super().get_base_queryset().select_related("user", "event", "item")

    def default_filters_text(self) -> str:
        return _("Nothing has happened in the last 7 days.")

    def order_queryset(self, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        return queryset.order_by("-created_at", "-pk")

    def search_queryset(self, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        if not self.is_searching:
            return queryset
        query = self.search_query.strip()
        condition = Q(code__icontains=query) | Q(row_text__icontains=query)
        condition |= Q(item__title__icontains=query) | Q(item__last_title__icontains=query)
        return queryset.annotate(row_text=Cast("data", CharField())).filter(condition)

    def intro(self) -> dict[str, Any]:
        n = replayable_events(self.site.pk).exclude(payload={}).count()
        if not n or self.site_status.grant is None:
            return {}
        text = ngettext(
            "%(n)d webhook event from Zoom could not be processed.",
            "%(n)d webhook events from Zoom could not be processed.",
            n,
        ) % {"n": n}
        replay_all = StatusAction(
            _("Replay all of them"), links.view_url("replay", self.site_status)
        )
        return {"strong": text, "text": _("Nothing is lost."), "action": replay_all}

    def decorate(self, rows: list[Any]) -> list[Any]:
        account_id = _replayable_account_id(self.site_status)
        host_ids = _visible_host_ids(self.site_status.visibility)
        for row in rows:
            can_view = payload.can_view(row, host_ids)
            row.row_activity_text = activity.activity_text(row)
            row.row_payload = payload.formatted_payload(row) if can_view else ""
            row.row_activity = strip_tags(str(row.row_activity_text.text))
            row.row_detail = row.row_activity_text.detail
            row.row_outcome = row.get_outcome_display()
            event = row.event
            can_replay = event is not None and event.state == WebhookEvent.State.DEAD
            if can_replay and (not event.payload or event.account_zoom_id != account_id):
                can_replay = False
            row.row_replay = (
                reverse("wagtail_zoom_activity:replay", args=[row.pk]) if can_replay else ""
            )
        return rows


def replayable_events(site_id: int) -> QuerySet[WebhookEvent]:
    """Failed events that a Site's owner may replay: those of the account that the Site is connected
    with now, and not before its owner has confirmed it."""
    account = ZoomSettings.objects.filter(
        site=site_id, needs_confirmation=False, grant__isnull=False
    ).exclude(grant__state=GrantState.REVOKED)
    own_ids = Activity.objects.filter(
        site=site_id,  # guard: failed-events-of-own-site
        event__isnull=False,
    ).values("event")
    return WebhookEvent.objects.filter(
        pk__in=own_ids,
        state=WebhookEvent.State.DEAD,
        account_zoom_id__in=account.values("account__zoom_id"),  # guard: replay-of-present-account
    )


class EventReplayView(OwnerAccessMixin, View):
    """Replay one webhook event. This is safe: events only cause reads."""

    model = Activity
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        from ...sync import inbox

        rows = visible_to(request.user, Activity.objects.select_related("event", "site"))
        row = get_object_or_404(rows, pk=pk)
        if row.event is None or row.event.state != WebhookEvent.State.DEAD:
            raise Http404
        if not replayable_events(row.site_id).filter(pk=row.event.pk).exists():
            raise Http404  # guard: replay-needs-connection
        inbox.replay(row.event)
        Activity.log([row.site_id], "event", "replayed", user=request.user, event=row.event)
        site_settings = ZoomSettings.objects.filter(site=row.site_id).first()
        if site_settings is not None:
            log(instance=site_settings, action="wagtail_zoom.replay", user=request.user)
        messages.success(request, _("It is being processed again."))
        return redirect(f"{reverse('wagtail_zoom_activity:index')}?site={row.site_id}")

    def back_url(self) -> str:
        return reverse("wagtail_zoom_activity:index")


def _replayable_account_id(site_status: SiteStatus) -> str:
    """Zoom's id of the account of :func:`replayable_events`; empty without one."""
    grant, account = site_status.grant, site_status.account
    is_usable = grant is not None and grant.state != GrantState.REVOKED
    if account is None or not is_usable or site_status.site_settings.needs_confirmation:
        return ""
    return account.zoom_id


def _visible_host_ids(visibility: SiteVisibility) -> set[str]:
    """Zoom's ids of the hosts whose events this Site may read: none without a connection."""
    site_settings = visibility.site_settings
    if site_settings is None or not site_settings.is_linked:
        return set()
    return set(visibility.usable_hosts().values_list("zoom_id", flat=True))


def _when_cell(row: Any) -> Cell:
    return Cell(
        formatting.relative_date_time(row.created_at),
        _("%(age)s ago") % {"age": formatting.age(row.created_at)},
    )


def _outcome_cell(row: Any) -> Cell:
    icon, tone = OUTCOME_ICONS[row.outcome]
    return Cell(row.row_outcome, icon=icon, tone=tone)
