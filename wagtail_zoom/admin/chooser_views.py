"""The chooser of Site items, guarded: Wagtail's own choosers show every row to everybody.

Owners may choose anything of Sites whose Zoom settings they may change. Editors may choose what
is on the pages already, of Sites on whose pages they work. In the editor of a page only the items
of that page's Site are offered.
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
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import Kind, Occurrence, SiteItem
from ..permissions import sites_for
from . import formatting

EDITS = {"add_page", "change_page", "publish_page"}


def edited_sites(user: Any) -> list[Site]:
    """Sites on whose pages this user has a right of an editor's."""
    rights = PagePermissionPolicy().get_cached_permissions_for_user(user)
    roots = {right.page.path for right in rights if right.permission.codename in EDITS}
    sites = list(Site.objects.select_related("root_page"))
    own = page_tree.roots_of(sites)
    return [
        site
        for site in sites
        if any(
            path.startswith(root) or root.startswith(path)
            for path in roots
            for root in own[site.pk]
        )
    ]


def visible_items(user: Any) -> QuerySet[SiteItem]:
    """Items that this user may choose: all of owned Sites, published ones of edited Sites."""
    owned = list(sites_for(user).values_list("pk", flat=True))
    shown = Q(site__in=owned)
    if not user.is_superuser:
        for site in edited_sites(user):
            if site.pk not in owned:
                shown |= Q(site=site) & _exposed(site)
    return SiteItem.objects.filter(shown)


def _exposed(site: Site) -> Q:
    gate = Exposure.for_site(site)
    meetings = gate.meetings(Audience.VISITOR, Surface.PAGE)
    films = gate.recordings(Audience.VISITOR, Surface.PAGE)
    key, account = OuterRef("key"), OuterRef("account")
    meeting = meetings.filter(kind=OuterRef("kind"), zoom_id=key, account=account)
    film = films.filter(uuid=key, account=account)
    return Q(Exists(meeting)) | Q(Exists(film), kind=Kind.RECORDING)


def edited_site(request: Any) -> Site | None:
    """The Site of the page in whose editor the chooser was opened, by the editor's own address.

    It only narrows what the user may choose anyway. None when the address does not come along or
    is another one: then the list names the Site of each row.
    """
    prefix = get_script_prefix().rstrip("/")
    with contextlib.suppress(Resolver404, ValueError):
        path = urlsplit(request.headers.get("referer", "")).path
        match = resolve(path.removeprefix(prefix))
        name = {"wagtailadmin_pages:edit": "page_id", "wagtailadmin_pages:add": "parent_page_id"}
        key = match.kwargs.get(name.get(match.view_name, ""))
        page = Page.objects.filter(pk=key).first() if key else None
        return page.get_site() if page else None
    return None


class ItemFilterForm(SearchFilterMixin, BaseFilterForm):
    """Search in titles, without a search index."""

    def filter(self, objects: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        self.search_query = self.cleaned_data.get("q")
        if self.search_query:
            self.is_searching = True
            words = self.search_query.strip()
            objects = objects.filter(Q(title__icontains=words) | Q(last_title__icontains=words))
        return objects


class Guard:
    """Mixed into every view of the chooser: only rows that the user may choose exist."""

    request: Any
    filter_form_class = ItemFilterForm
    results_template_name = "wagtail_zoom/admin/choose_results.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not sites_for(request.user).exists() and not edited_sites(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    @cached_property
    def editor_site(self) -> Site | None:
        return edited_site(self.request)

    def choosable(self) -> QuerySet[SiteItem]:
        """What the user may choose; in the editor of a page only what is of the page's Site."""
        rows = visible_items(self.request.user)
        return rows.filter(site=self.editor_site) if self.editor_site else rows

    def get_object_list(self) -> QuerySet[SiteItem]:
        # What was switched off keeps its item, so that its titles come back with it; until then
        # there is nothing to choose.
        there = Q(meeting__isnull=False) | Q(recording__isnull=False)
        coming = Occurrence.objects.filter(meeting=OuterRef("meeting"), end__gte=timezone.now())
        coming = coming.exclude(state=Occurrence.State.CANCELLED).order_by("start").values("start")
        begins = Coalesce(Subquery(coming[:1]), "meeting__start", "recording__start")
        items = self.choosable().filter(there).select_related("site").annotate(begins=begins)
        wants_films = self.request.GET.get("kind") == Kind.RECORDING
        return (
            items.filter(kind=Kind.RECORDING) if wants_films else items.exclude(kind=Kind.RECORDING)
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
            Column("when", label=gettext("When"), accessor=_when),
        ]
        if self.editor_site is None:
            name = Column("site", label=gettext("Site"), accessor=lambda item: str(item.site))
            columns.append(name)
        return columns


def _when(item: Any) -> str:
    """The next date, or when it was: topics are not unique."""
    return formatting.stamp(item.begins) if item.begins else gettext("No fixed date")


class ItemChooserViewSet(ChooserViewSet):
    """Lists, searches and hands out items."""

    model = SiteItem
    icon = "date"
    choose_one_text = gettext_lazy("Choose")
    choose_another_text = gettext_lazy("Choose another one")
    page_title = gettext_lazy("Choose from Zoom")
    ordering = ["-created_at", "pk"]
    preserve_url_parameters = ["multiple", "kind"]
    register_widget = False

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        guarded = type(view_class.__name__, (Guard, view_class), {})
        return super().construct_view(guarded, **kwargs)

    def get_urlpatterns(self) -> list[Any]:
        """All but the view that would create a row: items come from Zoom."""
        return [each for each in super().get_urlpatterns() if each.name != "create"]


item_chooser = ItemChooserViewSet("wagtail_zoom_items", url_prefix="zoom/items/choose")


class ItemChooser(BaseChooser):
    """The form widget. A stored id may be anybody's: its title shows only to who may choose it."""

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
        allowed = user is not None and visible_items(user).filter(pk=instance.pk).exists()
        title = (
            str(instance) if allowed else gettext("(not available on your site)")
        )  # guard: chooser-hides-foreign-title
        return {"id": instance.pk, "edit_url": None, "title": title}


class RecordingChooser(ItemChooser):
    """The same for recordings."""

    icon = "media"
    choose_one_text = gettext_lazy("Choose a recording")
    kind = "recording"
