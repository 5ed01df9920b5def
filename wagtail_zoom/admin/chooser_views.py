"""The chooser of Site items with access control: Wagtail's choosers show every row to every user.

``item_access`` says what a user may choose. In the editor of a page only items of that page's Site
are listed.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy, ngettext
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.ui.tables import Column
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.widgets.chooser import BaseChooser
from wagtail.models import Site

from ..frontend.visibility import SiteVisibility
from ..models import MEETING_KINDS, Kind, SiteItem, ZoomSettings
from ..utils.error_reports import hide_people
from . import links
from .chooser_list import (
    Entry,
    Section,
    meeting_entries,
    recording_entries,
    search_words,
    set_cells,
    titles_only,
)
from .choosers import editor_media
from .item_access import ItemAccess, current_access, site_of_edited_page, title_for_user
from .listings.columns import CellColumn
from .permissions import parse_pk
from .scheduling.chooser import ScheduleAndChooseView, SchedulingTabMixin
from .views.editor import BlockCheckView

MAX_SITES = 20
"""With more Sites, and without a page whose Site is known, the chooser reads titles only."""


class ItemFilterForm(BaseFilterForm):
    """Search in titles, hosts and tags, and filters. It filters the entries of the list."""

    filter_names: frozenset[str] = frozenset()
    """Names of the fields, apart from the search, that leave entries out."""

    q = forms.CharField(label=gettext_lazy("Search titles, hosts and tags"), required=False)
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[("", gettext_lazy("All, next date first")), ("over", gettext_lazy("Only over"))],
        required=False,
        widget=forms.Select(attrs={"data-chooser-modal-search-filter": True}),
    )
    visitors = forms.ChoiceField(
        label=gettext_lazy("Visitors"),
        choices=[
            ("", gettext_lazy("All")),
            ("yes", gettext_lazy("Shown")),
            ("no", gettext_lazy("Not shown")),
        ],
        required=False,
        widget=forms.Select(attrs={"data-chooser-modal-search-filter": True}),
    )

    registration = forms.ChoiceField(
        label=gettext_lazy("Registration"),
        choices=[("", gettext_lazy("All")), ("yes", gettext_lazy("Takes registrations"))],
        required=False,
        widget=forms.Select(attrs={"data-chooser-modal-search-filter": True}),
    )

    def filter(self, objects: list[Entry]) -> list[Entry]:
        self.search_query = self.cleaned_data.get("q")
        words = search_words(self.search_query or "")
        when, visitors = self.cleaned_data.get("when"), self.cleaned_data.get("visitors")
        registration = self.cleaned_data.get("registration")
        self.filter_names = frozenset(
            name for name in ("when", "visitors", "registration") if self.cleaned_data.get(name)
        )
        self.is_searching = bool(words or self.filter_names)
        return [
            entry
            for entry in objects
            if entry.matches(words)
            and (not when or entry.section == Section.OVER)
            and (not visitors or entry.is_visible == (visitors == "yes"))
            and (not registration or entry.takes_registration is not False)
        ]


class ChooserAccessMixin(SchedulingTabMixin):
    """Limits every view of the chooser to rows that the user may choose."""

    request: Any
    filter_form_class = ItemFilterForm
    results_template_name = "wagtail_zoom/admin/choose_results.html"

    @method_decorator(hide_people)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.access = ItemAccess(request.user)
        if not self.access.site_ids:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def editor_site(self) -> Site | None:
        return site_of_edited_page(self.request)

    def get_filter_form(self) -> ItemFilterForm:
        form: ItemFilterForm = super().get_filter_form()
        if self.lists_recordings:
            del form.fields["registration"]
        return form

    @property
    def lists_recordings(self) -> bool:
        return bool(self.request.GET.get("kind") == Kind.RECORDING)

    def choosable(self) -> QuerySet[SiteItem]:
        """What the user may choose; in the editor of a page, only items of the page's Site."""
        rows = self.access.items()
        return rows.filter(site=self.editor_site) if self.editor_site else rows

    def get_object_list(self) -> QuerySet[SiteItem]:
        # Items without a row that their Site may use now are kept for the titles, but not offered.
        if self.has_many_sites:
            # Linked to some row: leaving cuts the links. Nothing of the rows is read.
            has_data = Q(meeting__isnull=False) | Q(recording__isnull=False)
        else:
            has_data = Q(pk__in=[])
            for visibility in self.visibilities:
                has_data |= Q(pk__in=visibility.items().values("pk"))
        items = self.choosable().filter(has_data)
        kinds = [Kind.RECORDING] if self.lists_recordings else MEETING_KINDS
        return items.filter(kind__in=kinds)

    def get_results_page(self, request: Any) -> Any:
        """One page of the list. All entries are read, and sorted and searched in Python."""
        items = self.get_object_list()
        if self.has_many_sites:
            entries = titles_only(items)
        else:
            read = recording_entries if self.lists_recordings else meeting_entries
            entries = read(items, self.visibilities, self.host_sites)
        self.total = len(entries)
        if self.filter_form.is_valid():
            entries = self.filter_form.filter(entries)
        self.paginator = self.paginator_class(entries, per_page=self.per_page)
        try:
            page = self.paginator.page(request.GET.get("p", 1))
        except InvalidPage as error:
            raise Http404 from error
        by_pk = {entry.pk: entry for entry in page.object_list}
        rows = SiteItem.objects.select_related("site", "decided_by").in_bulk(list(by_pk))
        page.object_list = [rows[pk] for pk in by_pk if pk in rows]
        visibilities = [] if self.has_many_sites else self.visibilities
        set_cells(page.object_list, by_pk, visibilities, request.user)
        return page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        entries, size = self.paginator.object_list, self.paginator.per_page
        context["page_links"] = [
            (number, "" if number == self.paginator.ELLIPSIS else entries[(number - 1) * size])
            for number in (context["elided_page_range"] if entries else ())
        ]
        context["count_text"] = self._count_text(len(entries))
        context["no_results_text"] = "" if entries else self._no_results_text()
        context["can_show_all"] = not entries and self.total > 0
        return context

    def _no_results_text(self) -> str:
        words, filter_names = self.filter_form.search_query, self.filter_form.filter_names
        if not self.total:
            return gettext("There are no results.")
        if words and filter_names:
            text = gettext("Nothing matches “%(words)s” and the filters above.")
            return text % {"words": words}
        if words:
            return gettext("Nothing matches “%(words)s”.") % {"words": words}
        if filter_names == {"registration"}:
            return gettext(
                "No meeting takes registrations. Turn on registration for one in Zoom, or choose "
                "“All” above to see the others."
            )
        return gettext("Nothing matches the filters above.")

    def _count_text(self, count: int) -> str:
        if self.lists_recordings:
            text = ngettext(
                "%(n)d of %(total)d recording, newest first.",
                "%(n)d of %(total)d recordings, newest first.",
                self.total,
            )
        else:
            text = ngettext(
                "%(n)d of %(total)d meeting, next date first.",
                "%(n)d of %(total)d meetings, next date first.",
                self.total,
            )
        return text % {"n": count, "total": self.total}

    @cached_property
    def visibilities(self) -> list[SiteVisibility]:
        """Of the Sites whose items are offered, ``MAX_SITES`` and one more."""
        rows = ZoomSettings.objects.select_related("grant").exclude(account=None)
        if self.editor_site is not None:
            rows = rows.filter(site=self.editor_site)
        elif not self.request.user.is_superuser:
            rows = rows.filter(site__in=self.access.site_ids)
        return [SiteVisibility(row) for row in rows[: MAX_SITES + 1]]

    @property
    def host_sites(self) -> set[int]:
        """Sites whose hosts' names the user may read: visitors do, or the user owns the Site."""
        sites = set()
        for visibility in self.visibilities:
            row = visibility.site_settings
            if row is None:
                continue
            is_owned = row.site_id in self.access.owned_ids
            if row.show_host_names or is_owned:  # guard: chooser-hides-host-names
                sites.add(row.site_id)
        return sites

    @property
    def has_many_sites(self) -> bool:
        return len(self.visibilities) > MAX_SITES

    def get_object(self, pk: Any) -> SiteItem:
        return get_object_or_404(self.choosable(), pk=parse_pk(str(pk)))

    def get_objects(self, pks: Any) -> QuerySet[SiteItem]:
        numbers = [number for pk in pks if (number := parse_pk(str(pk))) is not None]
        return self.choosable().filter(pk__in=numbers)  # guard: chooser-returns-own-rows

    @property
    def title_column(self) -> Column:
        column: Column = super().title_column
        column.accessor = "display_title"
        column.cell_template_name = "wagtail_zoom/admin/cells/choose_title.html"
        return column

    def get_display_title(self, instance: SiteItem) -> str:
        return instance.display_title

    @property
    def columns(self) -> list[Column]:
        columns = super().columns
        if not self.has_many_sites:
            when = gettext("Recorded") if self.lists_recordings else gettext("Next date")
            columns = [
                *columns,
                CellColumn("when", label=when, accessor="when_cell"),
                CellColumn("host", label=gettext("Host"), accessor="host_cell"),
                CellColumn("visitors", label=gettext("Visitors"), accessor="visitors_cell"),
            ]
        if self.editor_site is None:
            site_column = Column(
                "site", label=gettext("Site"), accessor=lambda item: str(item.site)
            )
            columns.append(site_column)
        return columns


class ItemChooserViewSet(ChooserViewSet):
    """The views of the chooser."""

    create_view_class = ScheduleAndChooseView
    search_tab_label = gettext_lazy("Choose")
    creation_tab_label = gettext_lazy("Schedule new")
    create_action_label = gettext_lazy("Schedule and choose")
    model = SiteItem
    icon = "date"
    choose_one_text = gettext_lazy("Choose")
    choose_another_text = gettext_lazy("Choose another one")
    page_title = gettext_lazy("Choose from Zoom")
    per_page = 20
    preserve_url_parameters = ["multiple", "kind"]
    register_widget = False

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        limited_class = type(view_class.__name__, (ChooserAccessMixin, view_class), {})
        return super().construct_view(limited_class, **kwargs)

    def get_urlpatterns(self) -> list[Any]:
        """With notes about blocks."""
        return [*super().get_urlpatterns(), path("check/", BlockCheckView.as_view(), name="check")]


item_chooser = ItemChooserViewSet("wagtail_zoom_items", url_prefix="zoom/items/choose")


class ItemChooser(BaseChooser):
    """The form widget. It shows the title of a stored id only to users who may choose the item."""

    model = SiteItem
    icon = "date"
    choose_one_text = gettext_lazy("Choose a meeting or series")
    choose_another_text = gettext_lazy("Choose another one")
    chooser_modal_url_name = "wagtail_zoom_items:choose"
    link_to_chosen_text = gettext_lazy("Open the meeting")
    kind = "meeting"

    def get_chooser_modal_url(self) -> str:
        return f"{reverse(self.chooser_modal_url_name)}?kind={self.kind}"

    def get_value_data_from_instance(self, instance: SiteItem) -> dict[str, Any]:
        access = current_access()
        title = title_for_user(instance)
        is_owned = access is not None and instance.site_id in access.owned_ids
        edit_url = links.item_url(instance) if is_owned else None
        return {"id": instance.pk, "edit_url": edit_url, "title": title}

    @cached_property
    def media(self) -> forms.Media:
        media: forms.Media = super().media + editor_media()
        return media


class RegistrationItemChooser(ItemChooser):
    """The same for a registration form: meetings that take no registrations are filtered out."""

    def get_chooser_modal_url(self) -> str:
        return f"{super().get_chooser_modal_url()}&registration=yes"


class RecordingChooser(ItemChooser):
    """The same for recordings."""

    icon = "media"
    choose_one_text = gettext_lazy("Choose a recording")
    link_to_chosen_text = gettext_lazy("Open the recording")
    kind = "recording"
