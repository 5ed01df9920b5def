"""View models as plain data for headless sites. No URL leads to Zoom."""

from __future__ import annotations

from typing import Any

from .view_models import OccurrenceView, RecordingView


def occurrence(view: OccurrenceView) -> dict[str, Any]:
    """One occurrence. URLs are paths on the Site."""
    return {
        "title": view.title,
        "kind": view.kind,
        "start": view.when.start.isoformat(),
        "end": view.when.end.isoformat(),
        "timezone": view.when.zone_name,
        "minutes": view.minutes,
        "state": view.state.code or "scheduled",
        "previous_start": view.when.previous.isoformat() if view.when.previous else None,
        "host": view.host,
        "summary": str(view.summary),
        "places": {"left": view.places[0], "total": view.places[1]} if view.places else None,
        "action": {"label": str(view.action.label), "url": view.action.url}
        if view.action
        else None,
        "url": view.url or None,
        "calendar": view.calendar_url or None,
        "recording": view.recording.url if view.recording else None,
    }


def recording(view: RecordingView) -> dict[str, Any]:
    """One recording."""
    return {
        "title": view.title,
        "start": view.when.start.isoformat(),
        "timezone": view.when.zone_name,
        "minutes": view.minutes,
        "host": view.host,
        "summary": str(view.summary),
        "url": view.url,
        "until": view.until.isoformat() if view.until else None,
        "transcript": view.transcript_url or None,
    }
