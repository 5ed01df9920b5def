"""schema.org data as JSON-LD for search engines, with the same content as the page.

It is in a script element of a data type, which no Content Security Policy blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from ...models import ZoomSettings
from .. import links
from ..related import CARD_IMAGE_SPEC
from ..view_models import OccurrenceView, RecordingView
from .ical import absolute_url

_STATUS = {
    "cancelled": "https://schema.org/EventCancelled",
    "moved": "https://schema.org/EventRescheduled",
}
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def event(view: OccurrenceView, site_settings: ZoomSettings, page_path: str = "") -> dict[str, Any]:
    """One occurrence as ``Event``. ``page_path`` is used if it has no detail page."""
    origin = links.site_origin(site_settings)
    url = absolute_url(origin, view.url or page_path)
    data: dict[str, Any] = {
        "@type": "Event",
        "name": view.title,
        "startDate": view.when.start.isoformat(),
        "endDate": view.when.end.isoformat(),
        "eventStatus": _STATUS.get(view.state.code, "https://schema.org/EventScheduled"),
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": url or origin},
        "organizer": {"@type": "Organization", "name": organiser(site_settings), "url": origin},
    }
    if view.when.previous and view.state.code != "cancelled":
        data["eventStatus"] = _STATUS["moved"]
        data["previousStartDate"] = view.when.previous.isoformat()
    if view.host:
        data["performer"] = {"@type": "Person", "name": view.host}
    if view.summary:
        data["description"] = " ".join(strip_tags(str(view.summary)).split())[:500]
    if url:
        data["url"] = url
    return data


def video(view: RecordingView, site_settings: ZoomSettings) -> dict[str, Any]:
    """One recording as ``VideoObject``."""
    origin = links.site_origin(site_settings)
    data: dict[str, Any] = {
        "@type": "VideoObject",
        "name": view.title,
        "description": " ".join(strip_tags(str(view.summary)).split())[:500] or view.title,
        "uploadDate": view.when.start.isoformat(),
        "url": absolute_url(origin, view.url),
    }
    if view.cover.image:
        data["thumbnailUrl"] = absolute_url(
            origin, view.cover.image.get_rendition(CARD_IMAGE_SPEC).url
        )
    if view.minutes:
        data["duration"] = f"PT{view.minutes}M"
    if view.until:
        data["expires"] = view.until.isoformat()
    return data


def organiser(site_settings: ZoomSettings) -> str:
    """The organiser's name: from the settings, otherwise the Site's name or hostname."""
    return site_settings.organiser or site_settings.site.site_name or site_settings.site.hostname


def events(
    views: Iterable[OccurrenceView], site_settings: ZoomSettings | None, page: str
) -> SafeString:
    """The script element for occurrences that are not over."""
    if site_settings is None:
        return mark_safe("")
    return json_ld_script(event(view, site_settings, page) for view in views if not view.is_past)


def videos(views: Iterable[RecordingView], site_settings: ZoomSettings | None) -> SafeString:
    """The script element for recordings."""
    return (
        json_ld_script(video(view, site_settings) for view in views)
        if site_settings
        else mark_safe("")
    )


def json_ld_script(objects: Iterable[dict[str, Any]]) -> SafeString:
    """The script element with these objects; empty without any. "<" is escaped in it."""
    graph = list(objects)
    if not graph:
        return mark_safe("")
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False)
    safe = text.translate(_ESCAPES)
    return mark_safe(  # noqa: S308  ("<" is escaped)
        f'<script type="application/ld+json">{safe}</script>'
    )
