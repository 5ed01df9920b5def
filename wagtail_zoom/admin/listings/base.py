"""Base of the lists: one Site at a time, rows made ready page by page, exports that are text."""

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
from .. import links, site_status

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a cell of a CSV file."""
EXPORT_CHUNK = 500


def as_text(value: Any) -> Any:
    """A value for a CSV cell that no spreadsheet takes for a formula."""
    text = force_str(value, strings_only=True)
    if isinstance(text, str) and text.startswith(FORMULA):  # guard: export-without-formulas
        return f"'{text}"
    return text


def chosen_site(request: HttpRequest) -> Site:
    """The Site a list is about: the one asked for, else the address's, else a connected one.

    Only Sites whose Zoom settings this user may change exist here.
    """
    mine = sites_for(request.user).select_related("root_page")
    asked = request.GET.get("site", "")
    if asked:
        if not asked.isdigit():
            raise Http404
        return get_object_or_404(mine, pk=int(asked))
    here = Site.find_for_request(request)
    linked = mine.filter(pk__in=ZoomSettings.objects.filter(account__isnull=False).values("site"))
    found = (
        (linked.filter(pk=here.pk).first() if here else None)
        or linked.order_by("hostname").first()
        or mine.order_by("hostname").first()
    )
    if found is None:
        raise Http404
    return found


class SiteIndexView(IndexView):
    """A list of one Site's rows. Subclasses say which rows, columns and filters."""

    template_name = "wagtail_zoom/admin/listing.html"
    results_template_name = "wagtail_zoom/admin/listing_results.html"
    paginate_by = 20
    bulk_type = ""
    """Type of the bulk actions' rows; empty without bulk actions."""
    empty_sentence = ""
    search_placeholder: Any = ""
    default_filters: dict[str, str] = {}
    """Filters that hold as long as nothing else is asked for."""
    export_times: tuple[str, ...] = ()
    """Exported fields that are moments: a workbook, whose cells know no zone, names it above."""
    search_backend_name = None
    any_permission_required = ["change"]

    @cached_property
    def site(self) -> Site:
        return chosen_site(self.request)

    @cached_property
    def facts(self) -> site_status.Facts:
        """What is known about the Site, for the gate and for empty lists."""
        return site_status.of(self.site)

    def get_base_queryset(self) -> QuerySet[Any]:
        return super().get_base_queryset().filter(site=self.site)

    def get_search_form(self) -> SearchForm:
        data = self.request.GET if self.search_kwarg in self.request.GET else None
        return SearchForm(data, placeholder=self.search_placeholder)

    def get_filterset_kwargs(self) -> dict[str, Any]:
        known = super().get_filterset_kwargs()
        data = known["data"].copy()
        for name, value in self.default_filters.items():
            data.setdefault(name, value)
        return known | {"data": data}

    @property
    def is_narrowed(self) -> bool:
        """The person asked for something, beyond the filters that hold by themselves."""
        if self.is_searching:
            return True
        changed = self.filters.form.changed_data if self.is_filtering else []
        return any(
            name not in self.default_filters or self.request.GET.get(name) for name in changed
        )

    def count_name(self, n: int) -> str:
        """What the rows are called below the list."""
        return ngettext("entry", "entries", n)

    def decorate(self, rows: list[Any]) -> list[Any]:
        """Add what the columns of these rows need, in a fixed number of queries."""
        return rows

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, rows, more = super().paginate_queryset(queryset, page_size)
        page.object_list = self.decorate(list(rows))
        paginator.verbose_name = self.count_name(1)
        paginator.verbose_name_plural = self.count_name(paginator.count)
        return paginator, page, page.object_list, more

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> Any:
        return super().as_spreadsheet(Decorated(queryset, self.decorate), spreadsheet_format)

    def stream_csv(self, queryset: Any) -> Iterator[Any]:
        return as_asked(super().stream_csv(queryset))

    def get_heading(self, queryset: Any, field: str) -> str:
        heading = force_str(self.export_headings.get(field, field))
        if field in self.export_times and self.request.GET.get("export") == self.FORMAT_XLSX:
            return f"{heading} ({timezone.get_current_timezone_name()})"
        return heading

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        if isinstance(value, datetime):
            # As the list shows it. Wagtail writes UTC, and in a workbook nothing says so.
            value = timezone.localtime(value)
            return value.replace(tzinfo=None) if export_format == self.FORMAT_XLSX else value
        value = super().preprocess_field_value(field, value, export_format)
        return as_text(value) if export_format == self.FORMAT_CSV else value

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
        context["empty"] = self.empty()
        context["panel_url"] = links.panel_url(self.facts)
        return context

    def intro(self) -> dict[str, Any]:
        """``{"strong", "text", "url", "link"}`` above the list, or nothing."""
        return {}

    def empty(self) -> dict[str, Any]:
        """``{"text", "url", "link"}``: why there is nothing here, and where to go."""
        if self.facts.account is None:
            url = links.panel_url(self.facts)
            return {
                "text": _("Zoom is not connected."),
                "url": url,
                "link": _("Connect Zoom"),
            }
        if self.is_narrowed:
            url = f"{self.index_url}?site={self.site.pk}"
            return {"text": _("No match."), "url": url, "link": _("Clear the filters")}
        if self.default_filters:
            everything = "&".join(f"{name}=" for name in self.default_filters)
            if self.get_base_queryset().exists():
                url = f"{self.index_url}?site={self.site.pk}&{everything}"
                return {"text": self.nothing_by_default(), "url": url, "link": _("Show all")}
        return {"text": self.empty_sentence}

    def nothing_by_default(self) -> str:
        """There is something, but the filters that hold by themselves leave it out."""
        return _("No match.")


class Decorated:
    """A queryset for export: rows are made ready in chunks, so that memory stays small."""

    def __init__(self, rows: QuerySet[Any], decorate: Any) -> None:
        self.rows, self.decorate, self.model = rows, decorate, rows.model

    def __iter__(self) -> Iterator[Any]:
        for chunk in _chunks(self.rows.iterator(chunk_size=EXPORT_CHUNK)):
            yield from self.decorate(chunk)


def as_asked(lines: Iterator[Any]) -> Iterator[Any]:
    """Lines of a file in the language and zone of now, also when they are made afterwards."""
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
