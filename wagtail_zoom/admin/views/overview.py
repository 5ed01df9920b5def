"""Reports → Zoom sites: the overview of all Sites, for superusers only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.models import Site

from ...utils.text import fold
from .. import formatting, overview
from ..installation import START_COMMAND, InstallationStatus
from ..listings.base import RadioFilter, StreamedExportMixin, escape_formula
from ..listings.columns import Cell, CellColumn


class SuperuserRequiredMixin(View):
    """Other users get 403."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class MailColumn(Column):
    """A link to the page that asks before the owner is emailed."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/mail.html"


class OverviewFilters(WagtailFilterSet):
    """State and email. The rows are computed, so the view applies the filters itself."""

    group = RadioFilter(
        label=gettext_lazy("State"),
        choices=lambda: list(overview.group_names().items()),
    )
    mailed = RadioFilter(
        label=gettext_lazy("Email to the owner"),
        choices=[
            ("yes", gettext_lazy("Emailed about it")),
            ("no", gettext_lazy("Should be emailed")),
        ],
    )

    class Meta:
        model = Site
        fields: list[str] = []


class OverviewView(SuperuserRequiredMixin, StreamedExportMixin, ReportView):
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
    list_export = ["site", "state_label", "note", "checked", "kinds_shown", "owner", "mailed"]
    export_filename = "zoom-sites"

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomsite"),
            TitleColumn(
                "site",
                label=_("Site"),
                accessor="title",
                get_url=lambda row: row.panel_url,
                get_title_id=lambda row: f"zoomsite_{row.pk}_title",
            ),
            CellColumn("state", label=_("State"), accessor=_state_cell),
            CellColumn("checked", label=_("Last checked"), accessor=lambda row: Cell(row.checked)),
            CellColumn(
                "visitors",
                label=_("What visitors see"),
                accessor=lambda row: Cell(row.visitors, row.visitors_note),
            ),
            CellColumn("owner", label=_("Owner"), accessor=lambda r: Cell(r.owner, r.mailed)),
            MailColumn("mail", label=_("Actions"), accessor=self._mail_url),
        ]

    def _mail_url(self, row: overview.SiteRow) -> str:
        """Leads back to this list with its search and filters."""
        query = self.request.GET.urlencode()
        return overview.mail_url(row, f"{self.index_url}?{query}" if query else self.index_url)

    @cached_property
    def all_rows(self) -> list[overview.SiteRow]:
        return overview.site_rows()

    @cached_property
    def all_summaries(self) -> list[overview.SiteSummary]:
        if self.is_export:
            return [overview.SiteSummary.from_row(row) for row in self.all_rows]
        return overview.site_summaries()

    def get_queryset(self) -> list[overview.SiteSummary]:
        query = fold((self.search_query or "").strip())
        filters = self.filters
        values = filters.form.cleaned_data if filters and filters.is_valid() else {}
        group, mailed = values.get("group"), values.get("mailed")
        return [
            row
            for row in self.all_summaries
            if (not group or row.group == group)
            and (mailed != "yes" or row.was_mailed)
            and (mailed != "no" or (row.can_mail and not row.was_mailed))
            and row.matches(query)
        ]

    def get_filtered_queryset(self) -> list[overview.SiteSummary]:
        return self.get_queryset()

    def in_chunks(self, rows: Iterator[overview.SiteSummary]) -> Iterator[Any]:
        """Full rows of all summaries at once: a Site more needs no query more."""
        full_rows = {row.pk: row for row in self.all_rows}
        yield from overview.complete_for_file(full_rows[summary.pk] for summary in rows)

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
            "kinds_shown": _("What visitors see"),
            "owner": _("Owner"),
            "mailed": _("Emailed"),
        }
        return headings[field]

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        value = super().preprocess_field_value(field, value, export_format)
        return escape_formula(str(value)) if export_format == self.FORMAT_CSV else str(value)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        counts: dict[str, int] = {}
        for row in self.all_summaries:
            counts[row.group] = counts.get(row.group, 0) + 1
        context["groups"] = [
            {
                "count": formatting.number(counts[name]),
                "label": overview.group_label(name, counts[name]),
                "url": f"{self.index_url}?group={name}",
            }
            for name in overview.GROUPS
            if counts.get(name)
        ]
        status = InstallationStatus()
        context["worker"] = None if status.worker_is_running else status.worker
        context["start_command"] = START_COMMAND
        context["has_filters"] = bool(self.is_searching or self.is_filtering)
        return context


def _state_cell(row: overview.SiteRow) -> Cell:
    icon, tone = row.icon_and_tone
    return Cell(row.state_label, row.note, icon=icon, tone=tone)
