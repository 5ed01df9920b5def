"""Reports → Zoom sites: the overview of all Sites, for superusers only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.models import Site

from .. import overview
from ..listings.base import escape_formula, in_current_locale
from ..listings.columns import Cell, CellColumn


class SuperuserRequiredMixin:
    """Other users get 403."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class MailColumn(Column):
    """A button to email the owner."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/mail.html"


class OverviewFilters(WagtailFilterSet):
    """State and email. The rows are computed, so the view applies the filters itself."""

    group = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=lambda: list(overview.group_names().items()),
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )
    mailed = django_filters.ChoiceFilter(
        label=gettext_lazy("Mail to the owner"),
        choices=[
            ("yes", gettext_lazy("Mailed about it")),
            ("no", gettext_lazy("Should be mailed")),
        ],
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = Site
        fields: list[str] = []


class OverviewView(SuperuserRequiredMixin, ReportView):
    """All Sites, worst state first. States are computed, so sorting happens in Python."""

    template_name = "wagtail_zoom/admin/overview.html"
    results_template_name = "wagtail_zoom/admin/overview_results.html"
    index_url_name = "wagtail_zoom_admin:overview"
    index_results_url_name = "wagtail_zoom_admin:overview_results"
    page_title = gettext_lazy("Zoom sites")
    header_icon = "globe"
    paginate_by = 20
    is_searchable = True
    filterset_class = OverviewFilters
    list_export = ["site", "state_label", "note", "checked", "visitors", "owner", "mailed"]
    export_filename = "zoom-sites"

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomsite"),
            TitleColumn(
                "site",
                label=_("Site"),
                accessor="site.hostname",
                get_url=lambda row: row.panel_url,
                get_title_id=lambda row: f"zoomsite_{row.pk}_title",
            ),
            CellColumn("state", label=_("State"), accessor=_state_cell),
            CellColumn("checked", label=_("Last checked"), accessor=lambda row: Cell(row.checked)),
            CellColumn(
                "visitors", label=_("What visitors see"), accessor=lambda row: Cell(row.visitors)
            ),
            CellColumn("owner", label=_("Owner"), accessor=lambda r: Cell(r.owner, r.mailed)),
            MailColumn("mail", label=_("Actions"), accessor="can_mail"),
        ]

    @cached_property
    def all_summaries(self) -> list[overview.SiteSummary]:
        return overview.site_summaries()

    def get_queryset(self) -> list[overview.SiteSummary]:
        query = self.search_query.strip().casefold() if self.search_query else ""
        filters = self.filters
        values = filters.form.cleaned_data if filters and filters.is_valid() else {}
        group, mailed = values.get("group"), values.get("mailed")
        return [
            row
            for row in self.all_summaries
            if (not group or row.group == group)
            and (mailed != "yes" or row.was_mailed)
            and (mailed != "no" or (row.can_mail and not row.was_mailed))
            and (not query or query in f"{row.hostname} {row.owner}".casefold())
        ]

    def get_filtered_queryset(self) -> list[overview.SiteSummary]:
        return self.get_queryset()

    def decorate_paginated_queryset(self, object_list: list[overview.SiteSummary]) -> list[Any]:
        """Full rows for an export, which has no pagination."""
        return overview.rows_for_summaries(object_list) if self.is_export else object_list

    def get_table(self, object_list: list[overview.SiteSummary]) -> Any:
        """Full rows for the current page only."""
        return super().get_table(overview.rows_for_summaries(object_list))

    def get_search_form(self) -> SearchForm:
        data = self.request.GET if self.search_kwarg in self.request.GET else None
        return SearchForm(data, placeholder=_("Search sites and owners"))

    def get_heading(self, queryset: Any, field: str) -> str:
        headings = {
            "site": _("Site"),
            "state_label": _("State"),
            "note": _("Why"),
            "checked": _("Last checked"),
            "visitors": _("What visitors see"),
            "owner": _("Owner"),
            "mailed": _("Mailed"),
        }
        return headings[field]

    def stream_csv(self, queryset: Any) -> Iterator[Any]:
        return in_current_locale(super().stream_csv(queryset))

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        value = super().preprocess_field_value(field, value, export_format)
        return escape_formula(str(value)) if export_format == self.FORMAT_CSV else str(value)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        counts: dict[str, int] = {}
        for row in self.all_summaries:
            counts[row.group] = counts.get(row.group, 0) + 1
        context["groups"] = [
            {"count": counts[name], "label": label, "url": f"{self.index_url}?group={name}"}
            for name, label in overview.group_names().items()
            if counts.get(name)
        ]
        context["has_filters"] = bool(self.is_searching or self.is_filtering)
        return context


class MailOwnerView(SuperuserRequiredMixin, View):
    """Email one owner."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, site_pk: int) -> HttpResponse:
        row = overview.site_rows(Site.objects.filter(pk=get_object_or_404(Site, pk=site_pk).pk))[0]
        if row.state not in overview.MAILABLE_STATES:
            raise Http404
        if overview.mail_owner(row, request.user):
            messages.success(request, _("The mail is on its way."))
        else:
            messages.error(request, _("The mail could not be sent."))
        return redirect(reverse("wagtail_zoom_admin:overview"))


def _state_cell(row: overview.SiteRow) -> Cell:
    icon, tone = row.icon_and_tone
    return Cell(row.state_label, row.note, icon=icon, tone=tone)


def owners_needed_text(n: int) -> str:
    """For the homepage."""
    return ngettext("%(n)d site needs its owner", "%(n)d sites need their owner", n) % {"n": n}
