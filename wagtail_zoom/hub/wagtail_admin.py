"""The list of deployments in Wagtail's admin, where Wagtail is installed beside the hub.

Read-only, apart from *Send again*: a deployment is added with ``manage.py zoom_hub``, which prints
its secrets once. No secret, token or content of an event is shown here.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, OrderBy, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusTagColumn, Table
from wagtail.admin.ui.tables import TitleColumn as WagtailTitleColumn
from wagtail.admin.views.generic import IndexView, InspectView, PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from ..utils.error_reports import hide_people
from . import delivery, routing, status
from .models import Binding, Delivery, Deployment
from .status import DeploymentCounts

MAX_ROWS = 50
"""Connections and deliveries that the page of a deployment lists."""
INSPECTED_FIELDS = [
    "url", "client_id", "redirect_uri", "webhook_url", "contact_email", "created_at",
    "last_delivered_at", "failing_since",
]  # fmt: skip
READING = ["view", "change"]
"""Permissions with which the list is shown; sending again needs ``change``."""


def state_label(row: DeploymentCounts) -> str:
    """The state of a deployment, in a word or two."""
    if row.deployment.failing_since is not None:
        return _("Not reachable")
    if row.dead_count:
        return _("Events given up")
    if not row.account_count:
        return _("Not connected")
    return _("OK")


class TitleColumn(WagtailTitleColumn):
    """Name and address of a deployment."""

    cell_template_name = "wagtail_zoom_hub/admin/title_cell.html"


class DeploymentFilters(WagtailFilterSet):
    """By state."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        method="filter_state",
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
        choices=[
            ("failing", gettext_lazy("Not reachable")),
            ("dead", gettext_lazy("Events given up")),
            ("unconnected", gettext_lazy("Not connected")),
        ],
    )

    class Meta:
        model = Deployment
        fields: list[str] = []

    def filter_state(
        self, rows: QuerySet[Deployment], name: str, value: str
    ) -> QuerySet[Deployment]:
        if value == "failing":
            return rows.exclude(failing_since=None)
        if value == "dead":
            dead = Delivery.objects.filter(state=Delivery.State.DEAD)
            return rows.filter(pk__in=dead.values("deployment"))
        return rows.exclude(pk__in=Binding.objects.active().values("deployment"))


class ReportsNothingMixin(View):
    """Error reports contain neither forms nor variables of these views."""

    @method_decorator(hide_people)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)


class DeploymentIndexView(ReportsNothingMixin, IndexView):
    """All deployments; those with a problem first."""

    any_permission_required = READING  # guard: hub-admin-list-permission
    template_name = "wagtail_zoom_hub/admin/index.html"
    results_template_name = "wagtail_zoom_hub/admin/index_results.html"
    page_title = gettext_lazy("Zoom deployments")
    filterset_class = DeploymentFilters
    search_fields = ["name", "url"]
    search_backend_name = None
    default_ordering = "problem"
    list_export: list[str] = []
    paginate_by = 20

    @cached_property
    def columns(self) -> list[Any]:
        return [
            TitleColumn(
                "name", label=_("Deployment"), accessor="deployment.name", sort_key="name",
                get_url=self.get_inspect_url,
            ),
            StatusTagColumn(
                "state", label=_("State"), accessor=state_label,
                primary=lambda row: not (row.deployment.failing_since or row.dead_count),
            ),
            NumberColumn("account_count", label=_("Zoom accounts")),
            DateColumn(
                "last_delivered_at", label=_("Last delivery"), sort_key="last_delivered_at",
                accessor="deployment.last_delivered_at",
            ),
            NumberColumn("backlog", label=_("Waiting")),
            NumberColumn("dead_count", label=_("Given up")),
        ]  # fmt: skip

    def get_base_queryset(self) -> QuerySet[Deployment]:
        return super().get_base_queryset().filter(removed_at=None)

    def order_queryset(self, rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
        if self.ordering == "problem":
            return rows.order_by(F("failing_since").asc(nulls_last=True), "name", "pk")
        is_descending = self.ordering.startswith("-")
        column = F(self.ordering.removeprefix("-"))
        return rows.order_by(OrderBy(column, descending=is_descending, nulls_last=True), "pk")

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, rows, is_paginated = super().paginate_queryset(queryset, page_size)
        page.object_list = status.deployments_with_counts(rows)
        return paginator, page, page.object_list, is_paginated


class DeploymentInspectView(ReportsNothingMixin, InspectView):
    """One deployment: its addresses, connections, and the events that were given up."""

    any_permission_required = READING  # guard: hub-admin-page-permission
    template_name = "wagtail_zoom_hub/admin/inspect.html"

    def get_fields(self) -> list[str]:
        """Never a secret. Without names, Wagtail shows all fields."""
        return INSPECTED_FIELDS  # guard: hub-admin-shows-no-secret

    def get_object(self, queryset: Any = None) -> Deployment:
        rows = Deployment.objects.filter(removed_at=None)
        return get_object_or_404(rows, pk=self.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        [counts] = status.deployments_with_counts(Deployment.objects.filter(pk=self.object.pk))
        connections = Binding.objects.active().filter(deployment=self.object)
        given_up = Delivery.objects.filter(deployment=self.object, state=Delivery.State.DEAD)
        again_count = given_up.filter(delivery.may_send_again()).count() if counts.dead_count else 0
        return {
            **super().get_context_data(**kwargs),
            "counts": counts,
            "connections": _connection_table(connections),
            "given_up": _delivery_table(given_up),
            "again_count": again_count,
            "again_url": reverse(f"{DeploymentViewSet.name}:send_again", args=[self.object.pk]),
            "may_send_again": self.user_has_permission("change"),
            "max_rows": MAX_ROWS,
        }


def _connection_table(rows: QuerySet[Binding]) -> Table:
    return Table(
        [
            Column("account_zoom_id", label=_("Zoom account")),
            Column("user_zoom_id", label=_("Zoom user")),
            Column("level", label=_("Access to"), accessor=_level),
            DateColumn("connected_at", label=_("Connected")),
            DateColumn("refreshed_at", label=_("Last refresh")),
        ],
        list(rows.order_by("-connected_at", "pk")[:MAX_ROWS]),
        caption=_("Connections with Zoom"),
    )


def _level(binding: Binding) -> str:
    return _("the whole account") if binding.account_level else _("this user")


def _delivery_table(rows: QuerySet[Delivery]) -> Table:
    return Table(
        [
            Column("event", label=_("Event")),
            DateColumn("received_at", label=_("Received at")),
            NumberColumn("attempts", label=_("Attempts")),
            Column("outcome", label=_("Last response"), accessor=_outcome),
        ],
        list(rows.defer("body").order_by("-received_at", "-pk")[:MAX_ROWS]),
        caption=_("Events that were given up"),
    )


def _outcome(row: Delivery) -> str:
    return str(row.last_status) if row.last_status else row.error


class SendAgainView(ReportsNothingMixin, PermissionCheckedMixin, View):
    """Try the events of a deployment again that were given up."""

    http_method_names = ["post"]
    permission_required = "change"  # guard: hub-admin-again-permission
    # Named here: without a policy Wagtail's mixin lets everybody in.
    permission_policy = ModelPermissionPolicy(Deployment)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        deployment = get_object_or_404(Deployment, pk=pk, removed_at=None)
        count = delivery.send_again(Delivery.objects.filter(deployment=deployment))
        if count:
            log(deployment, "wagtail_zoom_hub.send_again", user=request.user)
            routing.wake_worker()
            text = ngettext("%(n)s event is sent again.", "%(n)s events are sent again.", count)
            messages.success(request, text % {"n": count})
        else:
            messages.warning(request, _("There is no event that can be sent again."))
        return redirect(f"{DeploymentViewSet.name}:inspect", pk)


class DeploymentViewSet(ModelViewSet):
    """Settings → Zoom deployments."""

    model = Deployment
    name = "wagtail_zoom_deployments"
    url_prefix = "zoom/deployments"
    icon = "site"
    menu_label = gettext_lazy("Zoom deployments")
    add_to_settings_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    index_view_class = DeploymentIndexView
    inspect_view_class = DeploymentInspectView
    form_fields: list[str] = []
    views = ("index", "index_results", "inspect")

    def get_urlpatterns(self) -> list[Any]:
        """Nothing is added, changed or deleted here."""
        patterns = [row for row in super().get_urlpatterns() if row.name in self.views]
        again = self.construct_view(SendAgainView)
        return [*patterns, path("again/<int:pk>/", again, name="send_again")]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        view_kwargs = super().get_common_view_kwargs(**kwargs)
        for name in ("add", "edit", "delete", "history", "usage", "copy"):
            view_kwargs.pop(f"{name}_url_name", None)
        return view_kwargs

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Those that do something."""
        content_type = ContentType.objects.get_for_model(self.model)
        codenames = [f"{name}_deployment" for name in READING]
        return Permission.objects.filter(content_type=content_type, codename__in=codenames)

    def register_admin_url_finder(self) -> None:
        """There is no page to edit a deployment."""
