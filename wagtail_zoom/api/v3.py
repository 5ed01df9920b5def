"""Endpoints for Wagtail's API v3 (Wagtail 8): the data of v2, with an OpenAPI schema.

In the project, before ``api.urls`` is used: ``api.add_router("/zoom/", router)``.
"""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field
from wagtail.models import Site

from ..frontend import serializers
from ..frontend.presenters import occurrence_views, recording_views
from ..frontend.queries import (
    Filters,
    OccurrenceQuery,
    RecordingQuery,
    occurrences_of,
    recordings_of,
    visitor_filters,
)
from ..frontend.visibility import Channel, SiteVisibility

MAX_LIMIT = 50
router = Router(tags=["zoom"], auth=None)
"""Public and read-only: only data that all visitors may see."""


class ActionSchema(Schema):
    """The current call to action."""

    label: str
    url: str


class PlacesSchema(Schema):
    """Places of a meeting whose registrations are counted."""

    left: int
    total: int


class DateSchema(Schema):
    """One date of a meeting or webinar. URLs are paths on the Site's hostname."""

    title: str
    kind: Literal["meeting", "webinar"]
    start: str
    end: str
    timezone: str
    minutes: int
    state: str
    previous_start: str | None
    host: str
    summary: str
    places: PlacesSchema | None
    action: ActionSchema | None
    url: str | None
    calendar: str | None
    recording: str | None


class RecordingSchema(Schema):
    """One published recording."""

    title: str
    start: str
    timezone: str
    minutes: int
    host: str
    summary: str
    url: str
    until: str | None
    transcript: str | None


class DateList(Schema):
    """A page of dates, in the format of Wagtail's own lists."""

    count: int
    items: list[DateSchema]


class RecordingList(Schema):
    """A page of recordings."""

    count: int
    items: list[RecordingSchema]


class ListParams(Schema):
    """Query parameters of both lists."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=100_000)
    host: list[str] = Field([], max_length=10)
    tag: list[str] = Field([], max_length=10)
    search: str = Field("", max_length=100)

    def filters(self, visibility: SiteVisibility) -> Filters:
        """The same filters as in a list block."""
        return visitor_filters(visibility, self.host, self.tag)

    def paginate(self, rows: Any) -> tuple[int, list[Any]]:
        """Total number of rows, and the rows of the requested page."""
        return rows.count(), list(rows[self.offset : self.offset + self.limit])


class DateListParams(ListParams):
    """Parameters of the list of dates."""

    kind: Literal["", "meeting", "webinar"] = ""
    period: Literal["upcoming", "past", "live"] = "upcoming"


class RecordingListParams(ListParams):
    """Parameters of the list of recordings."""


@router.get(
    "/dates/",
    response=DateList,
    url_name="zoom_dates",
    operation_id="zoom_dates_list",
    summary="List dates of the requested Site",
)
def list_dates(request: HttpRequest, params: Query[DateListParams]) -> dict[str, Any]:
    """Dates of meetings and webinars, with the same visibility rules as pages."""
    visibility = _visibility(request)
    query = OccurrenceQuery(
        params.filters(visibility), params.kind, params.period, search=params.search
    )
    count, rows = params.paginate(occurrences_of(visibility, query, Channel.API))
    views = occurrence_views(visibility, rows, recordings=True)
    return {"count": count, "items": [serializers.occurrence(view) for view in views]}


@router.get(
    "/recordings/",
    response=RecordingList,
    url_name="zoom_recordings",
    operation_id="zoom_recordings_list",
    summary="List published recordings of the requested Site",
)
def list_recordings(request: HttpRequest, params: Query[RecordingListParams]) -> dict[str, Any]:
    """Published recordings, with the same visibility rules as pages."""
    visibility = _visibility(request)
    query = RecordingQuery(params.filters(visibility), search=params.search)
    count, rows = params.paginate(recordings_of(visibility, query, Channel.API))
    return {
        "count": count,
        "items": [serializers.recording(view) for view in recording_views(visibility, rows)],
    }


def _visibility(request: HttpRequest) -> SiteVisibility:
    site = Site.find_for_request(request)
    return SiteVisibility.for_site(site) if site else SiteVisibility(None)
