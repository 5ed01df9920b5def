"""The lists of both APIs: which rows they have, and the rows of one page as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..frontend import serializers
from ..frontend.presenters import occurrence_views, recording_views, summary_views
from ..frontend.queries import (
    Filters,
    ListQuery,
    OccurrenceQuery,
    RecordingQuery,
    occurrences_of,
    recordings_of,
    summaries_of,
)
from ..frontend.visibility import Channel, SiteVisibility

MAX_LIMIT = 50


class ApiList:
    """A list with the visibility rules of pages."""

    def rows(self, visibility: SiteVisibility, filters: Filters, search: str) -> Any:
        """The ordered queryset."""
        raise NotImplementedError

    def items(self, visibility: SiteVisibility, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Rows, serialized."""
        raise NotImplementedError


class DatesApi(ApiList):
    """Dates of meetings and webinars."""

    def __init__(self, kind: str = "", period: str = "upcoming") -> None:
        self.kind, self.period = kind, period

    def rows(self, visibility: SiteVisibility, filters: Filters, search: str) -> Any:
        query = OccurrenceQuery(filters, self.kind, self.period, search=search)
        return occurrences_of(visibility, query, Channel.API)

    def items(self, visibility: SiteVisibility, rows: Sequence[Any]) -> list[dict[str, Any]]:
        views = occurrence_views(visibility, rows, recordings=True)
        return serializers.occurrences(visibility, views)


class RecordingsApi(ApiList):
    """Published recordings."""

    def rows(self, visibility: SiteVisibility, filters: Filters, search: str) -> Any:
        return recordings_of(visibility, RecordingQuery(filters, search=search), Channel.API)

    def items(self, visibility: SiteVisibility, rows: Sequence[Any]) -> list[dict[str, Any]]:
        return serializers.recordings(visibility, recording_views(visibility, rows))


class SummariesApi(ApiList):
    """Summaries that a person of the Site has reviewed and published."""

    def rows(self, visibility: SiteVisibility, filters: Filters, search: str) -> Any:
        return summaries_of(visibility, ListQuery(filters, search=search), Channel.API)

    def items(self, visibility: SiteVisibility, rows: Sequence[Any]) -> list[dict[str, Any]]:
        return serializers.summaries(visibility, summary_views(visibility, rows, whole=True))
