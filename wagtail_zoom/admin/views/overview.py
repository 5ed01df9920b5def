"""Reports → Zoom sites: the fleet, for superusers only."""

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
from ..listings.base import as_asked, as_text
from ..listings.columns import Cell, CellColumn


class SuperuserMixin:
    """Everybody else gets 403."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class MailColumn(Column):
    """A button to write to the owner."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/mail.html"


class FleetFilters(WagtailFilterSet):
    """State and mail. The rows are computed, so the view itself applies what is chosen."""

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


class FleetView(SuperuserMixin, ReportView):
    """All Sites × state, sorted by pain. States are computed, so the order is made in Python."""

    template_name = "wagtail_zoom/admin/fleet.html"
    results_template_name = "wagtail_zoom/admin/fleet_results.html"
    index_url_name = "wagtail_zoom_admin:fleet"
    index_results_url_name = "wagtail_zoom_admin:fleet_results"
    page_title = gettext_lazy("Zoom sites")
    header_icon = "globe"
    paginate_by = 20
    is_searchable = True
    filterset_class = FleetFilters
    list_export = ["site", "word", "note", "checked", "visitors", "owner", "mailed"]
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
            CellColumn("state", label=_("State"), accessor=_state),
            CellColumn("checked", label=_("Last checked"), accessor=lambda row: Cell(row.checked)),
            CellColumn(
                "visitors", label=_("What visitors see"), accessor=lambda row: Cell(row.visitors)
            ),
            CellColumn("owner", label=_("Owner"), accessor=lambda r: Cell(r.owner, r.mailed)),
            MailColumn("mail", label=_("Actions"), accessor="can_mail"),
        ]

    @cached_property
    def all_briefs(self) -> list[overview.Brief]:
        return overview.briefs()

    def get_queryset(self) -> list[overview.Brief]:
        words = self.search_query.strip().casefold() if self.search_query else ""
        known = self.filters
        chosen = known.form.cleaned_data if known and known.is_valid() else {}
        group, mailed = chosen.get("group"), chosen.get("mailed")
        return [
            row
            for row in self.all_briefs
            if (not group or row.group == group)
            and (mailed != "yes" or row.was_mailed)
            and (mailed != "no" or (row.can_mail and not row.was_mailed))
            and (not words or words in f"{row.hostname} {row.owner}".casefold())
        ]

    def get_filtered_queryset(self) -> list[overview.Brief]:
        return self.get_queryset()

    def decorate_paginated_queryset(self, object_list: list[overview.Brief]) -> list[Any]:
        """For an export, which has no pages."""
        return overview.rows_of(object_list) if self.is_export else object_list

    def get_table(self, object_list: list[overview.Brief]) -> Any:
        """Only what is on this page is read in full."""
        return super().get_table(overview.rows_of(object_list))

    def get_search_form(self) -> SearchForm:
        data = self.request.GET if self.search_kwarg in self.request.GET else None
        return SearchForm(data, placeholder=_("Search sites and owners"))

    def get_heading(self, queryset: Any, field: str) -> str:
        headings = {
            "site": _("Site"),
            "word": _("State"),
            "note": _("Why"),
            "checked": _("Last checked"),
            "visitors": _("What visitors see"),
            "owner": _("Owner"),
            "mailed": _("Mailed"),
        }
        return headings[field]

    def stream_csv(self, queryset: Any) -> Iterator[Any]:
        return as_asked(super().stream_csv(queryset))

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        value = super().preprocess_field_value(field, value, export_format)
        return as_text(str(value)) if export_format == self.FORMAT_CSV else str(value)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        counts: dict[str, int] = {}
        for row in self.all_briefs:
            counts[row.group] = counts.get(row.group, 0) + 1
        context["groups"] = [
            {"n": counts[name], "word": word, "url": f"{self.index_url}?group={name}"}
            for name, word in overview.group_names().items()
            if counts.get(name)
        ]
        context["is_chosen"] = bool(self.is_searching or self.is_filtering)
        return context


class MailOwnerView(SuperuserMixin, View):
    """Write to one owner now."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, site_pk: int) -> HttpResponse:
        row = overview.rows(Site.objects.filter(pk=get_object_or_404(Site, pk=site_pk).pk))[0]
        if row.state not in overview.MAILED:
            raise Http404
        if overview.write(row, request.user):
            messages.success(request, _("The mail is on its way."))
        else:
            messages.error(request, _("The mail could not be sent."))
        return redirect(reverse("wagtail_zoom_admin:fleet"))


def _state(row: overview.Row) -> Cell:
    icon, tone = row.look
    return Cell(row.word, row.note, icon=icon, tone=tone)


def sentence(n: int) -> str:
    """For the homepage."""
    return ngettext("%(n)d site needs its owner", "%(n)d sites need their owner", n) % {"n": n}
