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
from ..frontend.presenters import date_views, film_views
from ..frontend.queries import Dates, Films, Narrowed, asked_for, dates, films
from ..frontend.visibility import Exposure, Surface

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

    def narrowed(self, gate: Exposure) -> Narrowed:
        """As the options of a list block do."""
        return asked_for(gate, self.host, self.tag)

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
    gate = _gate(request)
    wanted = Dates(asked.narrowed(gate), asked.kind, asked.period, search=asked.search)
    count, rows = asked.cut(dates(gate, wanted, Surface.API))
    views = date_views(gate, rows, films=True)
    return {"count": count, "items": [serializers.date(view) for view in views]}


@router.get(
    "/recordings/",
    response=RecordingList,
    url_name="zoom_recordings",
    operation_id="zoom_recordings_list",
    summary="List published recordings of the Site whose host is asked",
)
def list_recordings(request: HttpRequest, asked: Query[AskedRecordings]) -> dict[str, Any]:
    """Published recordings, through the gate that pages ask."""
    gate = _gate(request)
    wanted = Films(asked.narrowed(gate), search=asked.search)
    count, rows = asked.cut(films(gate, wanted, Surface.API))
    return {"count": count, "items": [serializers.film(view) for view in film_views(gate, rows)]}


def _gate(request: HttpRequest) -> Exposure:
    site = Site.find_for_request(request)
    return Exposure.for_site(site) if site else Exposure(None)
