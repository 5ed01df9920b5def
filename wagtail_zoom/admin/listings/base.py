"""Base of the lists: one Site at a time, rows decorated page by page, safe exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import django_filters
from django import forms
from django.contrib import messages
from django.db.models import OrderBy, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.views.generic import IndexView
from wagtail.admin.views.mixins import SpreadsheetExportMixin
from wagtail.models import Site

from ...models import ZoomSettings
from ...permissions import sites_for
from ...utils.text import without_null
from .. import formatting, links
from ..permissions import parse_pk
from ..site_status import SiteStatus, get_site_status

FORMULA = re.compile('(^|[;\t\r\n])([ "\u00a0\u200b\ufeff]*)(?=[=+@\uff1d\uff0b\uff0d\uff20-])')
"""Where a spreadsheet would run a cell of a CSV file: at its start, or after a separator, because
in many countries spreadsheets split a file at semicolons, and then drop a quotation mark before the
cell. Full-width signs count in East Asia."""
EXPORT_CHUNK = 2000
MAX_WORKBOOK_ROWS = 5000
"""A workbook with more rows is refused: it is made whole, in the request. CSV is streamed."""
MAX_SITE_OPTIONS = 50
"""Users with more other Sites than this enter a part of the hostname instead of selecting it."""


def escape_formula(value: Any) -> Any:
    """A value for a CSV cell that no spreadsheet runs as a formula."""
    text = force_str(value, strings_only=True)
    if not isinstance(text, str):
        return text
    text = FORMULA.sub(r"\1\2'", text)  # guard: export-without-formulas
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


def requested_site(request: HttpRequest) -> Site:
    """The Site of a list: the requested one, otherwise that of the URL, otherwise a connected one.

    Only Sites whose Zoom settings this user may change.
    """
    own_sites = sites_for(request.user).select_related("root_page")
    hostname = without_null(request.GET.get("hostname", "").strip()[:255])
    if hostname:
        matches = own_sites.filter(hostname__icontains=hostname).order_by("hostname")
        site = matches.filter(hostname__iexact=hostname).first() or matches.first()
        if site is not None:
            return site
        messages.warning(request, _("No site is called “%(hostname)s”.") % {"hostname": hostname})
    site_param = request.GET.get("site", "")
    if site_param:
        site_pk = parse_pk(site_param)
        if site_pk is None:
            raise Http404
        return get_object_or_404(own_sites, pk=site_pk)
    current = Site.find_for_request(request)
    connected = own_sites.filter(
        pk__in=ZoomSettings.objects.filter(account__isnull=False).values("site")
    )
    site = (
        (connected.filter(pk=current.pk).first() if current else None)
        or connected.order_by("hostname").first()
        or own_sites.order_by("hostname").first()
    )
    if site is None:
        raise Http404
    return site


class RadioFilter(django_filters.ChoiceFilter):
    """A filter with radio buttons; the first of them is "All"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.RadioSelect, empty_label=gettext_lazy("All"), **kwargs)


class StreamedExportMixin(SpreadsheetExportMixin):
    """Files have the rows of a list, decorated in chunks: a file begins immediately, and memory
    stays limited."""

    def decorate(self, rows: list[Any]) -> list[Any]:
        """Add what the columns of these rows need, in a fixed number of queries."""
        return rows

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The list. A file has its rows only, so the context of the page is not needed for one."""
        if not self.is_export:
            return super().get(request, *args, **kwargs)
        return self.as_spreadsheet(self.get_queryset(), request.GET["export"])

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> HttpResponse:
        """The file of a queryset or list, or the way back with the reason why there is none."""
        is_list = isinstance(queryset, list)
        is_workbook = spreadsheet_format == self.FORMAT_XLSX
        n = (len(queryset) if is_list else queryset.count()) if is_workbook else 0
        if n > MAX_WORKBOOK_ROWS:
            text = _(
                "An XLSX file has room for %(most)s rows, and these are %(n)s. Download CSV, or "
                "filter the list first."
            )
            limit = formatting.number(MAX_WORKBOOK_ROWS)
            messages.warning(self.request, text % {"most": limit, "n": formatting.number(n)})
            params = self.request.GET.copy()
            del params["export"]
            return redirect(f"{self.request.path}?{params.urlencode()}")
        rows = iter(queryset) if is_list else queryset.iterator(chunk_size=EXPORT_CHUNK)
        return super().as_spreadsheet(self.in_chunks(rows), spreadsheet_format)

    def in_chunks(self, rows: Iterator[Any]) -> Iterator[Any]:
        """The rows of a file with what its columns need."""
        while chunk := list(islice(rows, EXPORT_CHUNK)):
            yield from self.decorate(chunk)

    def stream_csv(self, queryset: Any) -> Iterator[Any]:
        return in_current_locale(super().stream_csv(queryset))


class SiteIndexView(StreamedExportMixin, IndexView):
    """A list of one Site's rows. Subclasses define rows, columns and filters."""

    template_name = "wagtail_zoom/admin/listing.html"
    results_template_name = "wagtail_zoom/admin/listing_results.html"
    paginate_by = 20
    bulk_type = ""
    """Type of the bulk actions' rows; empty without bulk actions."""
    empty_text: str | Promise = ""
    search_placeholder: Any = ""
    quick_filters: tuple[str, ...] = ()
    """Filters whose values are links above the list; all of them are in Wagtail's menu."""
    default_filters: dict[str, str] = {}
    """Filter values used when the URL has none."""
    export_times: tuple[str, ...] = ()
    """Exported datetime fields. Cells of a workbook have no time zone, so its heading names it."""
    sort_expressions: dict[str, Any] = {}
    """By the ``sort_key`` of a column, what its rows are ordered by."""
    search_backend_name = None
    any_permission_required = ["change"]

    @property
    def list_export(self) -> list[str]:
        """The columns of a file: those with a heading."""
        return list(self.export_headings)

    @cached_property
    def site(self) -> Site:
        return requested_site(self.request)

    @cached_property
    def site_status(self) -> SiteStatus:
        """The status of the Site, for visibility rules and empty lists."""
        return get_site_status(self.site)

    def get_base_queryset(self) -> QuerySet[Any]:
        return super().get_base_queryset().filter(site=self.site)

    def order_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the column that the user sorts by; otherwise what needs the owner, or comes, first."""
        rows = self.default_order(queryset)
        ordering = self.ordering or ""
        expression = self.sort_expressions.get(ordering.removeprefix("-"))
        if expression is None:
            return rows
        is_descending = ordering.startswith("-")
        order = OrderBy(expression, descending=is_descending, nulls_last=True)
        return rows.order_by(order, "-pk" if is_descending else "pk")

    def default_order(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The order of the list when the user does not sort it."""
        return queryset

    def get_search_form(self) -> SearchForm:
        data = self.request.GET if self.search_kwarg in self.request.GET else None
        return SearchForm(data, placeholder=self.search_placeholder)

    def get_filterset_kwargs(self) -> dict[str, Any]:
        filterset_kwargs = super().get_filterset_kwargs()
        data = filterset_kwargs["data"].copy()
        for name, value in self.default_filters.items():
            data.setdefault(name, value)
        return filterset_kwargs | {"data": data}

    @property
    def has_user_filters(self) -> bool:
        """Whether the user searched or filtered, beyond the default filters."""
        if self.is_searching:
            return True
        changed = self.filters.form.changed_data if self.is_filtering else []
        return any(
            name not in self.default_filters or self.request.GET.get(name) for name in changed
        )

    def count_name(self, n: int) -> str:
        """The name of the rows, shown below the list."""
        return ngettext("entry", "entries", n)

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, rows, is_paginated = super().paginate_queryset(queryset, page_size)
        page.object_list = self.decorate(list(rows))
        paginator.verbose_name = self.count_name(1)
        paginator.verbose_name_plural = self.count_name(paginator.count)
        return paginator, page, page.object_list, is_paginated

    def get_heading(self, queryset: Any, field: str) -> str:
        heading = force_str(self.export_headings.get(field, field))
        if field in self.export_times and self.request.GET.get("export") == self.FORMAT_XLSX:
            return f"{heading} ({timezone.get_current_timezone_name()})"
        return heading

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        if isinstance(value, datetime):
            # In the time zone of the list. Wagtail writes UTC, which a workbook does not show.
            value = timezone.localtime(value)
            return value.replace(tzinfo=None) if export_format == self.FORMAT_XLSX else value
        value = super().preprocess_field_value(field, value, export_format)
        return escape_formula(value) if export_format == self.FORMAT_CSV else value

    def get_filename(self) -> str:
        return f"zoom-{self.model._meta.model_name}-{self.site.hostname}"

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        others = sites_for(self.request.user).exclude(pk=self.site.pk)
        context["site"] = self.site
        context["other_sites"] = list(others.order_by("hostname")[: MAX_SITE_OPTIONS + 1])
        context["search_sites"] = len(context["other_sites"]) > MAX_SITE_OPTIONS
        context["bulk_type"] = self.bulk_type
        context["bulk_item_type"] = self.bulk_type.upper()
        context["quick_filters"] = self.quick_filter_rows()
        context["intro"] = self.intro()
        context["empty_message"] = self.empty_message()
        context["panel_url"] = links.panel_url(self.site_status)
        return context

    def quick_filter_rows(self) -> list[dict[str, Any]]:
        """``{"label", "options"}`` of each quick filter; an option has a label, a URL and whether
        it is the current one."""
        if self.filters is None:
            return []
        rows = []
        for name in self.quick_filters:
            field, current = self.filters.form[name], self.filters.form.data.get(name, "")
            options = [
                {
                    "label": label,
                    "url": self._filtered_url(name, value),
                    "is_current": value == current,
                }
                for value, label in field.field.choices
            ]
            rows.append({"label": field.label, "options": options})
        return rows

    def _filtered_url(self, name: str, value: str) -> str:
        params = self.request.GET.copy()
        for parameter in (self.page_kwarg, "export", "_w_filter_fragment"):
            params.pop(parameter, None)
        params["site"], params[name] = str(self.site.pk), str(value)
        params.pop("hostname", None)
        return f"{self.index_url}?{params.urlencode()}"

    def intro(self) -> dict[str, Any]:
        """``{"strong", "text", "url", "link"}`` above the list, or empty."""
        return {}

    def empty_message(self) -> dict[str, Any]:
        """``{"text", "url", "link"}``: why the list is empty, and where to go."""
        if self.site_status.account is None:
            url = links.panel_url(self.site_status)
            return {
                "text": _("Zoom is not connected."),
                "url": url,
                "link": _("Connect Zoom"),
            }
        if self.has_user_filters:
            url = f"{self.index_url}?site={self.site.pk}"
            return {"text": _("No match."), "url": url, "link": _("Clear the filters")}
        if self.default_filters:
            empty_params = "&".join(f"{name}=" for name in self.default_filters)
            if self.get_base_queryset().exists():
                url = f"{self.index_url}?site={self.site.pk}&{empty_params}"
                return {"text": self.default_filters_text(), "url": url, "link": _("Show all")}
        return {"text": self.empty_text}

    def default_filters_text(self) -> str:
        """Text when only the default filters hide all rows."""
        return _("No match.")


def in_current_locale(lines: Iterator[Any]) -> Iterator[Any]:
    """Lines of a streamed file in the current language and time zone, although made later."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def line() -> Any:
        with translation.override(language), timezone.override(zone):
            return next(lines, None)

    return iter(line, None)
