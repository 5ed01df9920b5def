"""The guard in front of every admin view: nobody reaches what belongs to another Site.

Wagtail's generic views and choosers ask for a right on the model, not on the row (Wagtail issues
13314, 14272). So views of ours are never used bare: a viewset mixes the guard into each view
class it constructs, and views of one Site start at ``SiteMixin``.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import Site

from ..permissions import OwnerPolicy, may_change, sites_for


def visible_to(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a ``site`` of which this user may change the Zoom settings."""
    return rows.filter(site__in=sites_for(user))  # guard: admin-rows-limited-to-own-sites


def owns_any(user: Any) -> bool:
    """Whether this user may change the Zoom settings of any Site; asked once for a request.

    The menu alone asks five times. The answer hangs on the user object, which lives as long as
    the request.
    """
    if not hasattr(user, "_wagtail_zoom_owns_any"):
        user._wagtail_zoom_owns_any = sites_for(user).exists()
    return bool(user._wagtail_zoom_owns_any)


def policy_of(model: type[Any]) -> Any:
    """Wagtail's permission policy of one of its own models, on every supported version."""
    try:
        from wagtail.permissions import policy_registry
    except ImportError:  # Wagtail 7.4 has no registry; images are the only model we ask about.
        from wagtail.images.permissions import permission_policy

        return permission_policy
    return policy_registry.get_by_type(model)


def site_or_404(request: HttpRequest, pk: int) -> Site:
    """The Site of an address; 404 for everybody who may not change its Zoom settings."""
    site = get_object_or_404(Site.objects.select_related("root_page"), pk=pk)
    if not may_change(request.user, site):  # guard: admin-site-right
        raise Http404
    request.user._wagtail_zoom_owns_any = True  # the menu need not ask again
    return site


class SiteMixin:
    """For views under ``zoom/<site_pk>/``: finds the Site, or there is nothing here."""

    request: HttpRequest
    site: Site

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.site = site_or_404(request, kwargs.pop("site_pk"))
        self.kwargs = kwargs
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class RowGuard:
    """Mixed in front of generic views: rows of other Sites do not exist for them."""

    permission_policy: OwnerPolicy
    model: Any
    request: HttpRequest

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not owns_any(request.user):
            raise Http404
        if "pk" in kwargs:
            rows = visible_to(request.user, self.guarded_rows())
            get_object_or_404(rows, pk=kwargs["pk"])
        super().setup(request, *args, **kwargs)  # type: ignore[misc]

    def guarded_rows(self) -> QuerySet[Any]:
        """All rows that this view is about at all."""
        return self.model._default_manager.all()

    def get_base_queryset(self) -> QuerySet[Any]:
        rows = super().get_base_queryset()  # type: ignore[misc]
        return visible_to(self.request.user, rows)

    def get_base_object_queryset(self) -> QuerySet[Any]:
        rows = super().get_base_object_queryset()  # type: ignore[misc]
        return visible_to(self.request.user, rows)


class OwnerViewSet(ModelViewSet):
    """Base of our viewsets: every view class, present and future, gets the guard."""

    guard: type[RowGuard] = RowGuard
    policy: OwnerPolicy
    add_to_reference_index = False
    copy_view_enabled = False
    form_fields: list[str] = []
    views: tuple[str, ...] = ("index", "index_results")
    """Names of the URL patterns that are offered; the others do not exist."""

    def construct_view(self, view_class: type[Any], **kwargs: Any) -> Any:
        members = {"permission_policy": self.policy}
        bases = (view_class,) if issubclass(view_class, RowGuard) else (self.guard, view_class)
        guarded = type(view_class.__name__, bases, members)
        return super().construct_view(guarded, **kwargs)

    def get_urlpatterns(self) -> list[Any]:
        return [pattern for pattern in super().get_urlpatterns() if pattern.name in self.views]

    def register_permissions(self) -> None:
        """There is one right only; it is offered in the group form by the settings."""

    def register_admin_url_finder(self) -> None:
        """Models with several viewsets register their own."""

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """Addresses of views that are not offered are unknown to the others, too."""
        found = super().get_common_view_kwargs(**kwargs)
        if "permission_policy" in found:
            # Wagtail 7.4 hands the model's own policy to each view, which would go before ours.
            found["permission_policy"] = self.policy
        for name in ("add", "edit", "delete", "history", "usage", "inspect", "copy"):
            if name not in self.views:
                found.pop(f"{name}_url_name", None)
        return found

    @property
    def menu_item_class(self) -> type[Any]:
        from wagtail.admin.menu import MenuItem

        class OwnerMenuItem(MenuItem):
            """Shown to owners only."""

            def is_shown(self, request: HttpRequest) -> bool:
                return owns_any(request.user)

        return OwnerMenuItem
