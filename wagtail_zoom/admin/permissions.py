"""Access control of the admin views: no user reaches data of another Site.

Wagtail's generic views and choosers check a permission on the model, not on the row (Wagtail
issues 13314, 14272). So a viewset adds ``OwnerAccessMixin`` to each view class that it constructs,
and views of one Site use ``SiteMixin``.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import Site

from ..models import ZoomSettings
from ..permissions import OwnerPolicy, may_change, sites_for
from ..utils.error_reports import hide_people
from .after_login import PostOnlyMixin

WagtailView: Any = object
"""Base of mixins that come before one of Wagtail's views, which have no types."""


def parse_pk(text: str) -> int | None:
    """A primary key from a URL; None for anything that no column could hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def visible_to(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a ``site`` of which this user may change the Zoom settings."""
    return rows.filter(site__in=sites_for(user))  # guard: admin-rows-limited-to-own-sites


def owns_any(user: Any) -> bool:
    """Whether this user may change the Zoom settings of any Site: one query for a request.

    The menu alone calls it five times. The result is cached on the user object, which lives as
    long as the request.
    """
    if not hasattr(user, "_wagtail_zoom_owns_any"):
        user._wagtail_zoom_owns_any = sites_for(user).exists()
    return bool(user._wagtail_zoom_owns_any)


def shows_summaries(user: Any) -> bool:
    """Whether any Site of this user has summaries switched on: one query for a request."""
    if not hasattr(user, "_wagtail_zoom_shows_summaries"):
        rows = ZoomSettings.objects.filter(site__in=sites_for(user), show_summaries=True)
        user._wagtail_zoom_shows_summaries = rows.exists()
    return bool(user._wagtail_zoom_shows_summaries)


def permission_policy_of(model: type[Any]) -> Any:
    """Wagtail's permission policy of one of its own models, on every supported version."""
    try:
        from wagtail.permissions import policy_registry
    except ImportError:  # Wagtail 7.4 has no registry; it is only used for images.
        from wagtail.images.permissions import permission_policy

        return permission_policy
    return policy_registry.get_by_type(model)


def site_or_404(request: HttpRequest, pk: int) -> Site:
    """The Site of a URL; 404 for users who may not change its Zoom settings."""
    site = get_object_or_404(Site.objects.select_related("root_page"), pk=pk)
    if not may_change(request.user, site):  # guard: admin-site-permission
        raise Http404
    user: Any = request.user
    user._wagtail_zoom_owns_any = True  # saves the menu a query
    return site


class SiteMixin(PostOnlyMixin):
    """For views under ``zoom/<site_pk>/``: loads the Site or responds with 404."""

    site: Site

    @method_decorator(hide_people)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.site = self.get_site(request, kwargs.pop("site_pk"))
        self.kwargs = kwargs
        return super().dispatch(request, *args, **kwargs)

    def get_site(self, request: HttpRequest, pk: int) -> Site:
        """The Site, or 404 for users who may not use this view."""
        return site_or_404(request, pk)

    def back_url(self) -> str:
        return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", self.site.pk])


class OwnerAccessMixin(PostOnlyMixin, WagtailView):
    """Limits a generic view to rows of the user's own Sites."""

    permission_policy: OwnerPolicy
    model: Any
    request: HttpRequest

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not owns_any(request.user):
            raise Http404
        if "pk" in kwargs:
            rows = visible_to(request.user, self.accessible_rows())
            get_object_or_404(rows, pk=kwargs["pk"])
        super().setup(request, *args, **kwargs)

    @method_decorator(hide_people)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def accessible_rows(self) -> QuerySet[Any]:
        """All rows of this view, before the check of the Site."""
        return self.model._default_manager.all()

    def get_base_queryset(self) -> QuerySet[Any]:
        rows = super().get_base_queryset()
        return visible_to(self.request.user, rows)

    def get_base_object_queryset(self) -> QuerySet[Any]:
        rows = super().get_base_object_queryset()
        return visible_to(self.request.user, rows)


class OwnerMenuItem(MenuItem):
    """Shown to owners only."""

    def is_shown(self, request: HttpRequest) -> bool:
        return owns_any(request.user)


class OwnerViewSet(ModelViewSet):
    """Base of our viewsets: every view class gets the access mixin."""

    access_mixin: type[OwnerAccessMixin] = OwnerAccessMixin
    policy: OwnerPolicy
    add_to_reference_index = False
    copy_view_enabled = False
    form_fields: list[str] = []
    views: tuple[str, ...] = ("index", "index_results")
    """Names of the URL patterns that exist."""

    def construct_view(self, view_class: type[Any], **kwargs: Any) -> Any:
        members = {"permission_policy": self.policy}
        bases = (
            (view_class,)
            if issubclass(view_class, OwnerAccessMixin)  # guard: every-list-view-limited
            else (self.access_mixin, view_class)
        )
        limited_class = type(view_class.__name__, bases, members)
        return super().construct_view(limited_class, **kwargs)

    def get_urlpatterns(self) -> list[Any]:
        return [pattern for pattern in super().get_urlpatterns() if pattern.name in self.views]

    def register_permissions(self) -> None:
        """The only permission is registered by the settings model."""

    def register_admin_url_finder(self) -> None:
        """Models with several viewsets register their own."""

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """Leave out the URL names of views that do not exist."""
        view_kwargs = super().get_common_view_kwargs(**kwargs)
        if "permission_policy" in view_kwargs:
            # Wagtail 7.4 passes the model's own policy, which would override ours.
            view_kwargs["permission_policy"] = self.policy
        for name in ("add", "edit", "delete", "history", "usage", "inspect", "copy"):
            if name not in self.views:
                view_kwargs.pop(f"{name}_url_name", None)
        return view_kwargs

    menu_item_class = OwnerMenuItem
