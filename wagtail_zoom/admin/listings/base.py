"""Base of the lists: one Site at a time, rows made ready page by page, exports that are text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.encoding import force_str
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.views.generic import IndexView
from wagtail.models import Site

from ...models import ZoomSettings
from ...permissions import sites_for
from .. import addresses, facts

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a cell of a CSV file."""
EXPORT_CHUNK = 500


def as_text(value: Any) -> Any:
    """A value for a CSV cell that no spreadsheet takes for a formula."""
    text = force_str(value, strings_only=True)
    if isinstance(text, str) and text.startswith(FORMULA):
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
    search_backend_name = None
    any_permission_required = ["change"]

    @cached_property
    def site(self) -> Site:
        return chosen_site(self.request)

    @cached_property
    def facts(self) -> facts.Facts:
        """What is known about the Site, for the gate and for empty lists."""
        return facts.of(self.site)

    def get_base_queryset(self) -> QuerySet[Any]:
        return super().get_base_queryset().filter(site=self.site)

    def decorate(self, rows: list[Any]) -> list[Any]:
        """Add what the columns of these rows need, in a fixed number of queries."""
        return rows

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, rows, more = super().paginate_queryset(queryset, page_size)
        page.object_list = self.decorate(list(rows))
        paginator.verbose_name, paginator.verbose_name_plural = _("entry"), _("entries")
        return paginator, page, page.object_list, more

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> Any:
        return super().as_spreadsheet(Decorated(queryset, self.decorate), spreadsheet_format)

    def get_heading(self, queryset: Any, field: str) -> str:
        return force_str(self.export_headings.get(field, field))

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
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
        context["intro"] = self.intro()
        context["empty"] = self.empty()
        context["panel_url"] = addresses.panel_url(self.facts)
        return context

    def intro(self) -> dict[str, Any]:
        """``{"strong", "text", "url", "link"}`` above the list, or nothing."""
        return {}

    def empty(self) -> dict[str, Any]:
        """``{"text", "url", "link"}``: why there is nothing here, and where to go."""
        if self.facts.account is None:
            url = addresses.panel_url(self.facts)
            return {
                "text": _("Zoom is not connected."),
                "url": url,
                "link": _("Connect Zoom"),
            }
        if self.is_searching or self.is_filtering:
            url = f"{self.index_url}?site={self.site.pk}"
            return {"text": _("No match."), "url": url, "link": _("Clear the filters")}
        return {"text": self.empty_sentence}


class Decorated:
    """A queryset for export: rows are made ready in chunks, so that memory stays small."""

    def __init__(self, rows: QuerySet[Any], decorate: Any) -> None:
        self.rows, self.decorate, self.model = rows, decorate, rows.model

    def __iter__(self) -> Iterator[Any]:
        for chunk in _chunks(self.rows.iterator(chunk_size=EXPORT_CHUNK)):
            yield from self.decorate(chunk)


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == EXPORT_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
