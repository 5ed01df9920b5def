"""Endpoints for Wagtail's API v2: dates and recordings of the Site whose host is asked.

In the project: ``api_router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)``. They go
through the same gate as the pages, and no answer holds a link to Zoom.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet
from wagtail.api.v2.utils import BadRequestError
from wagtail.models import Site

from ..frontend import serializers
from ..frontend.presenters import date_views, film_views
from ..frontend.queries import Dates, Films, Narrowed, asked_for, dates, films
from ..frontend.visibility import Exposure, Surface
from ..models import Kind

MOST = 50
PERIODS = ("upcoming", "past", "live")


class ZoomAPIViewSet(ViewSet):
    """What both endpoints share: Site, paging, the shape of the answer."""

    renderer_classes = [JSONRenderer, BrowsableAPIRenderer]
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    known = frozenset({"limit", "offset", "host", "tag", "format"})

    @classmethod
    def get_urlpatterns(cls) -> list[Any]:
        return [path("", cls.as_view({"get": "listing"}), name="listing")]

    @classmethod
    def get_model_listing_urlpath(cls, model: Any, namespace: str = "") -> None:
        return None

    @classmethod
    def get_object_detail_urlpath(cls, model: Any, pk: Any, namespace: str = "") -> None:
        return None

    def listing(self, request: HttpRequest) -> Response:
        """``{"meta": {"total_count": …}, "items": […]}``, as Wagtail's own endpoints."""
        unknown = sorted(set(request.GET) - self.known)
        if unknown:
            return self._bad("query parameter is not an operation: " + ", ".join(unknown))
        site = Site.find_for_request(request)
        gate = Exposure.for_site(site) if site else Exposure(None)
        try:
            limit, offset = self._number("limit", 20, MOST), self._number("offset", 0, 100_000)
            rows = self.rows(gate)
        except BadRequestError as error:
            return self._bad(str(error))
        items = self.items(gate, list(rows[offset : offset + limit]))
        return Response({"meta": {"total_count": rows.count()}, "items": items})

    def rows(self, gate: Exposure) -> Any:
        """The query for the parameters of the request."""
        raise NotImplementedError

    def items(self, gate: Exposure, rows: list[Any]) -> list[dict[str, Any]]:
        """Rows as plain data."""
        raise NotImplementedError

    def narrowed(self, gate: Exposure) -> Narrowed:
        given = self.request.GET
        return asked_for(gate, given.getlist("host")[:10], given.getlist("tag")[:10])

    def _number(self, name: str, default: int, most: int) -> int:
        text = self.request.GET.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 8) or int(text) > most:
            raise BadRequestError(f"{name} must be a whole number of at most {most}")
        return int(text)

    @staticmethod
    def _bad(message: str) -> Response:
        return Response({"message": message}, status=400)


class ZoomDatesAPIViewSet(ZoomAPIViewSet):
    """Dates of meetings and webinars. Parameters: kind, period, search, host,
    tag, limit, offset."""

    known = ZoomAPIViewSet.known | {"kind", "period", "search"}

    def rows(self, gate: Exposure) -> Any:
        kind, period = self.request.GET.get("kind", ""), self.request.GET.get("period", "upcoming")
        if kind not in ("", Kind.MEETING, Kind.WEBINAR) or period not in PERIODS:
            raise BadRequestError("kind is meeting or webinar; period is upcoming, past or live")
        words = self.request.GET.get("search", "")[:100]
        return dates(gate, Dates(self.narrowed(gate), kind, period, search=words), Surface.API)

    def items(self, gate: Exposure, rows: list[Any]) -> list[dict[str, Any]]:
        return [serializers.date(view) for view in date_views(gate, rows, films=True)]


class ZoomRecordingsAPIViewSet(ZoomAPIViewSet):
    """Published recordings. Parameters: search, host, tag, limit, offset."""

    known = ZoomAPIViewSet.known | {"search"}

    def rows(self, gate: Exposure) -> Any:
        words = self.request.GET.get("search", "")[:100]
        return films(gate, Films(self.narrowed(gate), search=words), Surface.API)

    def items(self, gate: Exposure, rows: list[Any]) -> list[dict[str, Any]]:
        return [serializers.film(view) for view in film_views(gate, rows)]
