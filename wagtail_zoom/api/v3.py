"""Endpoints for Wagtail's API v3 (Wagtail 8): the data of v2, with an OpenAPI schema.

In the project, before ``api.urls`` is used: ``api.add_router("/zoom/", router)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from pydantic import Field
from wagtail.api.v3.auth import AllowAnonymous, BearerTokenAuth

from ..frontend import restrictions
from ..frontend.api_site import AmbiguousSite, site_of_api_request
from ..frontend.availability import RegistrationState
from ..frontend.queries import visitor_filters
from ..frontend.visibility import SiteVisibility
from . import lists
from .lists import MAX_LIMIT

router = Router(tags=["zoom"], auth=[BearerTokenAuth(), AllowAnonymous()])
"""Read-only: what visitors of the Site's root page may see. As in Wagtail's own lists, a token
tells who asks, and a session does not."""


def keep_private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keep responses out of caches where they may be for one client only."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        access = getattr(request, "_wagtail_zoom_access", None)
        return access.protect(response) if access else response

    return wrapped


class ActionSchema(Schema):
    """The current call to action."""

    label: str
    url: str


class RegistrationSchema(Schema):
    """Whether registration for a date is open now."""

    state: RegistrationState
    sentence: str


class PlacesSchema(Schema):
    """Places of a meeting with a limit, where Zoom's count of registrations is known."""

    left: int
    total: int


class DateSchema(Schema):
    """One date of a meeting or webinar. URLs are absolute, on the Site's own hostname."""

    id: str
    title: str
    kind: Literal["meeting", "webinar"]
    start: str
    end: str | None
    timezone: str
    minutes: int
    state: str
    previous_start: str | None
    host: str
    summary: str
    registration: RegistrationSchema
    places: PlacesSchema | None
    action: ActionSchema | None
    url: str | None
    calendar: str | None
    recording: str | None
    meeting_summary: str | None


class RecordingSchema(Schema):
    """One published recording."""

    id: str
    title: str
    start: str
    timezone: str
    minutes: int
    host: str
    summary: str
    url: str
    until: str | None
    transcript: str | None
    meeting_summary: str | None


class SummarySchema(Schema):
    """One reviewed and published summary of a meeting; ``html`` is safe."""

    id: str
    title: str
    start: str
    timezone: str
    host: str
    text: str
    html: str
    url: str


class DateList(Schema):
    """A page of dates, in the format of Wagtail's own lists."""

    count: int
    items: list[DateSchema]


class RecordingList(Schema):
    """A page of recordings."""

    count: int
    items: list[RecordingSchema]


class SummaryList(Schema):
    """A page of summaries."""

    count: int
    items: list[SummarySchema]


class ListParams(Schema):
    """Query parameters of all lists."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=100_000)
    host: list[str] = Field([], max_length=10)
    tag: list[str] = Field([], max_length=10)
    search: str = Field("", max_length=100)
    site: str = Field("", description="Hostname of the Site, with `:port` where several have it")


class DateListParams(ListParams):
    """Parameters of the list of dates."""

    kind: Literal["", "meeting", "webinar"] = ""
    period: Literal["upcoming", "past", "live"] = "upcoming"


@router.get(
    "/dates/",
    response=DateList,
    url_name="zoom_dates",
    operation_id="zoom_dates_list",
    summary="List dates of the requested Site",
)
@decorate_view(keep_private)
def list_dates(request: HttpRequest, params: Query[DateListParams]) -> dict[str, Any]:
    """Dates of meetings and webinars, with the same visibility rules as pages."""
    return _page(request, params, lists.DatesApi(params.kind, params.period))


@router.get(
    "/recordings/",
    response=RecordingList,
    url_name="zoom_recordings",
    operation_id="zoom_recordings_list",
    summary="List published recordings of the requested Site",
)
@decorate_view(keep_private)
def list_recordings(request: HttpRequest, params: Query[ListParams]) -> dict[str, Any]:
    """Published recordings, with the same visibility rules as pages."""
    return _page(request, params, lists.RecordingsApi())


@router.get(
    "/summaries/",
    response=SummaryList,
    url_name="zoom_summaries",
    operation_id="zoom_summaries_list",
    summary="List published summaries of meetings of the requested Site",
)
@decorate_view(keep_private)
def list_summaries(request: HttpRequest, params: Query[ListParams]) -> dict[str, Any]:
    """Summaries that a person of the Site has reviewed and published."""
    return _page(request, params, lists.SummariesApi())


def _page(request: HttpRequest, params: ListParams, api_list: lists.ApiList) -> dict[str, Any]:
    """The requested page of a list, and how many rows it has in all."""
    visibility = _visibility(request)
    filters = visitor_filters(visibility, params.host, params.tag)
    rows = api_list.rows(visibility, filters, params.search)
    page = rows[params.offset : params.offset + params.limit]
    return {"count": rows.count(), "items": api_list.items(visibility, list(page))}


def _visibility(request: HttpRequest) -> SiteVisibility:
    try:
        site = site_of_api_request(request)
    except AmbiguousSite as error:
        raise HttpError(400, str(error)) from None
    if site is None:
        return SiteVisibility(None)
    access = restrictions.check(request, site, None)
    request.__dict__["_wagtail_zoom_access"] = access
    if access.refused_by is not None:  # guard: api-v3-follows-root-page
        raise PermissionDenied
    return SiteVisibility.for_site(site)
