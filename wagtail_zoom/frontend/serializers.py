"""View models as plain data for headless sites. No URL leads to Zoom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..models import ZoomSettings
from . import links
from .availability import Availability
from .feeds.ical import absolute_url
from .view_models import OccurrenceView, RecordingView, SummaryView
from .visibility import SiteVisibility


def occurrence(view: OccurrenceView, site_settings: ZoomSettings | None) -> dict[str, Any]:
    """One occurrence. URLs are absolute, on the Site's own hostname."""
    return {
        "id": view.public_id,
        "title": view.title,
        "kind": view.kind,
        "start": view.when.start.isoformat(),
        "end": view.when.end.isoformat() if view.when.has_end else None,
        "timezone": view.when.zone_name,
        "minutes": view.minutes,
        "state": view.state.code or "scheduled",
        "previous_start": view.when.previous.isoformat() if view.when.previous else None,
        "host": view.host,
        "summary": str(view.summary),
        "registration": registration(view.registration),
        "places": {"left": view.places[0], "total": view.places[1]} if view.places else None,
        "action": {
            "label": str(view.action.label),
            "url": _absolute(view.action.url, site_settings),
        }
        if view.action
        else None,
        "url": _absolute(view.url, site_settings),
        "calendar": _absolute(view.calendar_url, site_settings),
        "recording": _absolute(view.recording.url, site_settings) if view.recording else None,
        "meeting_summary": _absolute(view.meeting_summary_url, site_settings),
    }


def occurrences(
    visibility: SiteVisibility, views: Iterable[OccurrenceView]
) -> list[dict[str, Any]]:
    """Occurrences in the given order."""
    return [occurrence(view, visibility.site_settings) for view in views]


def recordings(visibility: SiteVisibility, views: Iterable[RecordingView]) -> list[Any]:
    """Recordings in the given order."""
    return [recording(view, visibility.site_settings) for view in views]


def registration(availability: Availability) -> dict[str, Any]:
    """Whether registration is open: a ``RegistrationState``, and the sentence for visitors."""
    return {"state": str(availability.code), "sentence": str(availability.sentence)}


def recording(view: RecordingView, site_settings: ZoomSettings | None) -> dict[str, Any]:
    """One recording. URLs are absolute, on the Site's own hostname."""
    return {
        "id": view.public_id,
        "title": view.title,
        "start": view.when.start.isoformat(),
        "timezone": view.when.zone_name,
        "minutes": view.minutes,
        "host": view.host,
        "summary": str(view.summary),
        "url": _absolute(view.url, site_settings),
        "until": view.until.isoformat() if view.until else None,
        "transcript": _absolute(view.transcript_url, site_settings),
        "meeting_summary": _absolute(view.meeting_summary_url, site_settings),
    }


def summaries(visibility: SiteVisibility, views: Iterable[SummaryView]) -> list[Any]:
    """Summaries of meetings in the given order, with all of their text."""
    return [summary(view, visibility.site_settings) for view in views]


def summary(view: SummaryView, site_settings: ZoomSettings | None) -> dict[str, Any]:
    """One reviewed summary. ``html`` is safe; ``text`` is the same without markup."""
    return {
        "id": view.public_id,
        "title": view.title,
        "start": view.when.start.isoformat(),
        "timezone": view.when.zone_name,
        "host": view.host,
        "text": view.text,
        "html": str(view.html),
        "url": _absolute(view.url, site_settings),
    }


def _absolute(path: str, site_settings: ZoomSettings | None) -> str | None:
    origin = links.site_origin(site_settings) if site_settings else ""
    return absolute_url(origin, path) or None
