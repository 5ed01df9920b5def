"""Endpoints for Wagtail's API v2: occurrences, recordings and summaries of the Site of the request.

In the project: ``api_router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)``. They use
the same visibility rules as pages. No response contains a link to Zoom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.urls import path
from django.utils.functional import classproperty
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet
from wagtail.api.v2.utils import BadRequestError
from wagtail.models import Site

from ..frontend import restrictions
from ..frontend.api_site import AmbiguousSite, site_of_api_request
from ..frontend.queries import Filters, visitor_filters
from ..frontend.visibility import SiteVisibility
from ..models import Kind, SiteItem
from .lists import MAX_LIMIT, ApiList, DatesApi, RecordingsApi, SummariesApi

PERIODS = ("upcoming", "past", "live")


class _NoModel:
    """No model is a subclass of it."""


class ZoomAPIViewSet(ViewSet):
    """Base of all endpoints: Site, pagination, format of the response."""

    model = _NoModel
    """Wagtail's router asks each endpoint for its model when it looks for the URL of a page or of
    an image. Our endpoints represent none: items are not rows of one table."""
    queryset = SiteItem.objects.none()
    """For permission classes of the project that look for a model."""
    api_list: ApiList
    allowed_params = frozenset({"limit", "offset", "search", "host", "tag", "site", "format"})

    @classproperty
    def renderer_classes(cls) -> Sequence[type[BaseRenderer]]:
        """As Wagtail's own endpoints: HTML only where REST framework's templates are."""
        html = [BrowsableAPIRenderer] if apps.is_installed("rest_framework") else []
        return [JSONRenderer, *html]

    @classmethod
    def get_urlpatterns(cls) -> list[Any]:
        return [path("", cls.as_view({"get": "listing"}), name="listing")]

    @classmethod
    def get_model_listing_urlpath(cls, model: Any, namespace: str = "") -> None:
        return None

    @classmethod
    def get_object_detail_urlpath(cls, model: Any, pk: Any, namespace: str = "") -> None:
        return None

    def perform_authentication(self, request: Request) -> None:
        """Only where the user matters, so that public responses do not depend on a cookie."""

    def check_access(self, request: Request, site: Site) -> None:
        """The API follows the root page of the Site, as Wagtail's own endpoints do. It also refuses
        visitors whom the project's ``LoginRequiredMiddleware`` would refuse: REST framework exempts
        its views from that."""
        access = restrictions.check(request, site, None)
        if access.is_private:
            self.headers["Cache-Control"] = "private, no-store"
        if restrictions.is_login_missing(request):  # guard: api-requires-login
            raise NotAuthenticated
        if access.refused_by is not None:  # guard: api-follows-root-page
            raise PermissionDenied if request.user.is_authenticated else NotAuthenticated

    def listing(self, request: Request) -> Response:
        """``{"meta": {"total_count": …}, "items": […]}``, as in Wagtail's own endpoints."""
        try:
            site = site_of_api_request(request)
        except AmbiguousSite as error:
            return self._bad_request(str(error))
        if site is not None:
            self.check_access(request, site)
        unknown = sorted(set(request.GET) - self.allowed_params)
        if unknown:
            return self._bad_request("query parameter is not an operation: " + ", ".join(unknown))
        visibility = SiteVisibility.for_site(site) if site else SiteVisibility(None)
        try:
            limit, offset = self._number("limit", 20, MAX_LIMIT), self._number("offset", 0, 100_000)
            api_list = self.get_list()
        except BadRequestError as error:
            return self._bad_request(str(error))
        search = request.GET.get("search", "")[:100]
        rows = api_list.rows(visibility, self.filters(visibility), search)
        items = api_list.items(visibility, list(rows[offset : offset + limit]))
        return Response({"meta": {"total_count": rows.count()}, "items": items})

    def get_list(self) -> ApiList:
        """The list for the request parameters."""
        return self.api_list

    def filters(self, visibility: SiteVisibility) -> Filters:
        params = self.request.GET
        return visitor_filters(visibility, params.getlist("host")[:10], params.getlist("tag")[:10])

    def _number(self, name: str, default: int, maximum: int) -> int:
        text = self.request.GET.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 8) or int(text) > maximum:
            raise BadRequestError(f"{name} must be a whole number of at most {maximum}")
        return int(text)

    @staticmethod
    def _bad_request(message: str) -> Response:
        return Response({"message": message}, status=400)


class ZoomDatesAPIViewSet(ZoomAPIViewSet):
    """Occurrences of meetings and webinars. Parameters: kind, period, search, host,
    tag, site, limit, offset."""

    allowed_params = ZoomAPIViewSet.allowed_params | {"kind", "period"}

    def get_list(self) -> DatesApi:
        kind, period = self.request.GET.get("kind", ""), self.request.GET.get("period", "upcoming")
        if kind not in ("", Kind.MEETING, Kind.WEBINAR) or period not in PERIODS:
            raise BadRequestError("kind is meeting or webinar; period is upcoming, past or live")
        return DatesApi(kind, period)


class ZoomRecordingsAPIViewSet(ZoomAPIViewSet):
    """Published recordings. Parameters: search, host, tag, site, limit, offset."""

    api_list = RecordingsApi()


class ZoomSummariesAPIViewSet(ZoomAPIViewSet):
    """Published summaries of meetings. Parameters: search, host, tag, site, limit, offset."""

    api_list = SummariesApi()
