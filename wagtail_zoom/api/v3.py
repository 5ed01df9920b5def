"""Endpoints for Wagtail's API v3 (Wagtail 8): the same answers as under v2, with an OpenAPI schema.

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

MOST = 50
router = Router(tags=["zoom"], auth=None)
"""Public and read-only: the gate lets through what every visitor may see."""


class Action(Schema):
    """The one thing to do now."""

    label: str
    url: str


class Places(Schema):
    """Where sign-ups are counted."""

    left: int
    total: int


class DateSchema(Schema):
    """One date of a meeting or webinar. Addresses are paths on the Site's host."""

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
    places: Places | None
    action: Action | None
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
    """A page of dates, in the envelope of Wagtail's own lists."""

    count: int
    items: list[DateSchema]


class RecordingList(Schema):
    """A page of recordings."""

    count: int
    items: list[RecordingSchema]


class Asked(Schema):
    """What both lists can be asked for."""

    limit: int = Field(20, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=100_000)
    host: list[str] = Field([], max_length=10)
    tag: list[str] = Field([], max_length=10)
    search: str = Field("", max_length=100)

    def narrowed(self, visibility: SiteVisibility) -> Filters:
        """As the options of a list block do."""
        return visitor_filters(visibility, self.host, self.tag)

    def cut(self, rows: Any) -> tuple[int, list[Any]]:
        """How many there are, and those of the page asked for."""
        return rows.count(), list(rows[self.offset : self.offset + self.limit])


class AskedDates(Asked):
    """Parameters of the list of dates."""

    kind: Literal["", "meeting", "webinar"] = ""
    period: Literal["upcoming", "past", "live"] = "upcoming"


class AskedRecordings(Asked):
    """Parameters of the list of recordings."""


@router.get(
    "/dates/",
    response=DateList,
    url_name="zoom_dates",
    operation_id="zoom_dates_list",
    summary="List dates of the Site whose host is asked",
)
def list_dates(request: HttpRequest, asked: Query[AskedDates]) -> dict[str, Any]:
    """Dates of meetings and webinars, through the gate that pages ask."""
    visibility = _visibility(request)
    wanted = OccurrenceQuery(
        asked.narrowed(visibility), asked.kind, asked.period, search=asked.search
    )
    count, rows = asked.cut(occurrences_of(visibility, wanted, Channel.API))
    views = occurrence_views(visibility, rows, recordings=True)
    return {"count": count, "items": [serializers.occurrence(view) for view in views]}


@router.get(
    "/recordings/",
    response=RecordingList,
    url_name="zoom_recordings",
    operation_id="zoom_recordings_list",
    summary="List published recordings of the Site whose host is asked",
)
def list_recordings(request: HttpRequest, asked: Query[AskedRecordings]) -> dict[str, Any]:
    """Published recordings, through the gate that pages ask."""
    visibility = _visibility(request)
    wanted = RecordingQuery(asked.narrowed(visibility), search=asked.search)
    count, rows = asked.cut(recordings_of(visibility, wanted, Channel.API))
    return {
        "count": count,
        "items": [serializers.recording(view) for view in recording_views(visibility, rows)],
    }


def _visibility(request: HttpRequest) -> SiteVisibility:
    site = Site.find_for_request(request)
    return SiteVisibility.for_site(site) if site else SiteVisibility(None)
