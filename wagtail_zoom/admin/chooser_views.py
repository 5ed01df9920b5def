"""The chooser of Site items with access control: Wagtail's choosers show every row to every user.

Owners may choose all items of Sites whose Zoom settings they may change. Editors may choose
published items of Sites whose pages they edit. In the editor of a page only items of that page's
Site are listed.
"""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.urls import Resolver404, get_script_prefix, resolve, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy
from wagtail.admin.forms.choosers import BaseFilterForm, SearchFilterMixin
from wagtail.admin.ui.tables import Column
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.widgets.chooser import BaseChooser
from wagtail.log_actions import get_active_log_context
from wagtail.models import Page, Site
from wagtail.permission_policies.pages import PagePermissionPolicy

from ..frontend import page_tree
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Kind, Occurrence, SiteItem
from ..permissions import sites_for
from . import formatting

EDIT_PERMISSIONS = {"add_page", "change_page", "publish_page"}


def edited_sites(user: Any) -> list[Site]:
    """Sites with pages that this user may edit."""
    permissions = PagePermissionPolicy().get_cached_permissions_for_user(user)
    paths = {row.page.path for row in permissions if row.permission.codename in EDIT_PERMISSIONS}
    sites = list(Site.objects.select_related("root_page"))
    roots_by_site = page_tree.root_paths(sites)
    return [
        site
        for site in sites
        if any(
            path.startswith(root) or root.startswith(path)
            for path in paths
            for root in roots_by_site[site.pk]
        )
    ]


def choosable_items(user: Any) -> QuerySet[SiteItem]:
    """Items that this user may choose: all of owned Sites, published ones of edited Sites."""
    owned_ids = list(sites_for(user).values_list("pk", flat=True))
    condition = Q(site__in=owned_ids)
    if not user.is_superuser:
        for site in edited_sites(user):
            if site.pk not in owned_ids:
                condition |= Q(site=site) & _published(site)
    return SiteItem.objects.filter(condition)


def _published(site: Site) -> Q:
    visibility = SiteVisibility.for_site(site)
    meetings = visibility.meetings(Audience.VISITOR, Channel.PAGE)
    recordings = visibility.recordings(Audience.VISITOR, Channel.PAGE)
    key, account = OuterRef("key"), OuterRef("account")
    meeting = meetings.filter(kind=OuterRef("kind"), zoom_id=key, account=account)
    recording = recordings.filter(uuid=key, account=account)
    return Q(Exists(meeting)) | Q(Exists(recording), kind=Kind.RECORDING)


def site_of_edited_page(request: Any) -> Site | None:
    """The Site of the page in whose editor the chooser was opened, from the referrer.

    It only narrows what the user may choose anyway. None without a referrer or with another URL:
    then the list has a column for the Site.
    """
    prefix = get_script_prefix().rstrip("/")
    with contextlib.suppress(Resolver404, ValueError):
        path = urlsplit(request.headers.get("referer", "")).path
        match = resolve(path.removeprefix(prefix))
        argument_names = {
            "wagtailadmin_pages:edit": "page_id",
            "wagtailadmin_pages:add": "parent_page_id",
        }
        key = match.kwargs.get(argument_names.get(match.view_name, ""))
        page = Page.objects.filter(pk=key).first() if key else None
        return page.get_site() if page else None
    return None


class ItemFilterForm(SearchFilterMixin, BaseFilterForm):
    """Search in titles, without a search index."""

    def filter(self, objects: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        self.search_query = self.cleaned_data.get("q")
        if self.search_query:
            self.is_searching = True
            query = self.search_query.strip()
            objects = objects.filter(Q(title__icontains=query) | Q(last_title__icontains=query))
        return objects


class ChooserAccessMixin:
    """Limits every view of the chooser to rows that the user may choose."""

    request: Any
    filter_form_class = ItemFilterForm
    results_template_name = "wagtail_zoom/admin/choose_results.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not sites_for(request.user).exists() and not edited_sites(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    @cached_property
    def editor_site(self) -> Site | None:
        return site_of_edited_page(self.request)

    def choosable(self) -> QuerySet[SiteItem]:
        """What the user may choose; in the editor of a page, only items of the page's Site."""
        rows = choosable_items(self.request.user)
        return rows.filter(site=self.editor_site) if self.editor_site else rows

    def get_object_list(self) -> QuerySet[SiteItem]:
        # Items of data that was switched off are kept for the titles, but cannot be chosen.
        has_data = Q(meeting__isnull=False) | Q(recording__isnull=False)
        upcoming = Occurrence.objects.filter(meeting=OuterRef("meeting"), end__gte=timezone.now())
        upcoming = (
            upcoming.exclude(state=Occurrence.State.CANCELLED).order_by("start").values("start")
        )
        starts_at = Coalesce(Subquery(upcoming[:1]), "meeting__start", "recording__start")
        items = (
            self.choosable().filter(has_data).select_related("site").annotate(starts_at=starts_at)
        )
        wants_recordings = self.request.GET.get("kind") == Kind.RECORDING
        return (
            items.filter(kind=Kind.RECORDING)
            if wants_recordings
            else items.exclude(kind=Kind.RECORDING)
        )

    def get_object(self, pk: Any) -> SiteItem:
        return get_object_or_404(self.choosable(), pk=pk)

    def get_objects(self, pks: Any) -> QuerySet[SiteItem]:
        return self.choosable().filter(pk__in=pks)  # guard: chooser-returns-own-rows

    def can_create(self) -> bool:
        return False

    @property
    def columns(self) -> list[Column]:
        columns = super().columns  # type: ignore[misc]
        columns = [
            *columns,
            Column("kind", label=gettext("What"), accessor="get_kind_display"),
            Column("when", label=gettext("When"), accessor=_when_text),
        ]
        if self.editor_site is None:
            site_column = Column(
                "site", label=gettext("Site"), accessor=lambda item: str(item.site)
            )
            columns.append(site_column)
        return columns


def _when_text(item: Any) -> str:
    """The next occurrence or the start, because topics are not unique."""
    return (
        formatting.relative_date_time(item.starts_at)
        if item.starts_at
        else gettext("No fixed date")
    )


class ItemChooserViewSet(ChooserViewSet):
    """The views of the chooser."""

    model = SiteItem
    icon = "date"
    choose_one_text = gettext_lazy("Choose")
    choose_another_text = gettext_lazy("Choose another one")
    page_title = gettext_lazy("Choose from Zoom")
    ordering = ["-created_at", "pk"]
    preserve_url_parameters = ["multiple", "kind"]
    register_widget = False

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        limited_class = type(view_class.__name__, (ChooserAccessMixin, view_class), {})
        return super().construct_view(limited_class, **kwargs)

    def get_urlpatterns(self) -> list[Any]:
        """Without the view that creates a row: items come from Zoom."""
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]


item_chooser = ItemChooserViewSet("wagtail_zoom_items", url_prefix="zoom/items/choose")


class ItemChooser(BaseChooser):
    """The form widget. It shows the title of a stored id only to users who may choose the item."""

    model = SiteItem
    icon = "date"
    choose_one_text = gettext_lazy("Choose a meeting or series")
    choose_another_text = gettext_lazy("Choose another one")
    chooser_modal_url_name = "wagtail_zoom_items:choose"
    show_edit_link = False
    kind = "meeting"

    def get_chooser_modal_url(self) -> str:
        return f"{reverse(self.chooser_modal_url_name)}?kind={self.kind}"

    def get_value_data_from_instance(self, instance: SiteItem) -> dict[str, Any]:
        user = get_active_log_context().user
        allowed = user is not None and choosable_items(user).filter(pk=instance.pk).exists()
        title = (
            str(instance) if allowed else gettext("(not available on your site)")
        )  # guard: chooser-hides-foreign-title
        return {"id": instance.pk, "edit_url": None, "title": title}


class RecordingChooser(ItemChooser):
    """The same for recordings."""

    icon = "media"
    choose_one_text = gettext_lazy("Choose a recording")
    kind = "recording"
