"""Base of the lists: one Site at a time, rows decorated page by page, safe exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.forms.search import SearchForm
from wagtail.admin.views.generic import IndexView
from wagtail.models import Site

from ...models import ZoomSettings
from ...permissions import sites_for
from .. import links
from ..site_status import SiteStatus, get_site_status

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a cell of a CSV file."""
EXPORT_CHUNK = 500


def escape_formula(value: Any) -> Any:
    """A value for a CSV cell that no spreadsheet runs as a formula."""
    text = force_str(value, strings_only=True)
    if isinstance(text, str) and text.startswith(FORMULA_STARTS):  # guard: export-without-formulas
        return f"'{text}"
    return text


def requested_site(request: HttpRequest) -> Site:
    """The Site of a list: the requested one, otherwise that of the URL, otherwise a connected one.

    Only Sites whose Zoom settings this user may change.
    """
    own_sites = sites_for(request.user).select_related("root_page")
    site_param = request.GET.get("site", "")
    if site_param:
        if not site_param.isdigit():
            raise Http404
        return get_object_or_404(own_sites, pk=int(site_param))
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


class SiteIndexView(IndexView):
    """A list of one Site's rows. Subclasses define rows, columns and filters."""

    template_name = "wagtail_zoom/admin/listing.html"
    results_template_name = "wagtail_zoom/admin/listing_results.html"
    paginate_by = 20
    bulk_type = ""
    """Type of the bulk actions' rows; empty without bulk actions."""
    empty_text = ""
    search_placeholder: Any = ""
    default_filters: dict[str, str] = {}
    """Filter values used when the URL has none."""
    export_times: tuple[str, ...] = ()
    """Exported datetime fields. Cells of a workbook have no time zone, so its heading names it."""
    search_backend_name = None
    any_permission_required = ["change"]

    @cached_property
    def site(self) -> Site:
        return requested_site(self.request)

    @cached_property
    def site_status(self) -> SiteStatus:
        """The status of the Site, for visibility rules and empty lists."""
        return get_site_status(self.site)

    def get_base_queryset(self) -> QuerySet[Any]:
        return super().get_base_queryset().filter(site=self.site)

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

    def decorate(self, rows: list[Any]) -> list[Any]:
        """Add what the columns of these rows need, in a fixed number of queries."""
        return rows

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, rows, is_paginated = super().paginate_queryset(queryset, page_size)
        page.object_list = self.decorate(list(rows))
        paginator.verbose_name = self.count_name(1)
        paginator.verbose_name_plural = self.count_name(paginator.count)
        return paginator, page, page.object_list, is_paginated

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> Any:
        return super().as_spreadsheet(DecoratedRows(queryset, self.decorate), spreadsheet_format)

    def stream_csv(self, queryset: Any) -> Iterator[Any]:
        return in_current_locale(super().stream_csv(queryset))

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
        context["other_sites"] = list(others.order_by("hostname")[:500])
        context["bulk_type"] = self.bulk_type
        context["bulk_item_type"] = self.bulk_type.upper()
        context["intro"] = self.intro()
        context["empty_message"] = self.empty_message()
        context["panel_url"] = links.panel_url(self.site_status)
        return context

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


class DecoratedRows:
    """A queryset for export: rows are decorated in chunks to limit memory."""

    def __init__(self, rows: QuerySet[Any], decorate: Any) -> None:
        self.rows, self.decorate, self.model = rows, decorate, rows.model

    def __iter__(self) -> Iterator[Any]:
        for chunk in _chunks(self.rows.iterator(chunk_size=EXPORT_CHUNK)):
            yield from self.decorate(chunk)


def in_current_locale(lines: Iterator[Any]) -> Iterator[Any]:
    """Lines of a streamed file in the current language and time zone, although made later."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def line() -> Any:
        with translation.override(language), timezone.override(zone):
            return next(lines, None)

    return iter(line, None)


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == EXPORT_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
