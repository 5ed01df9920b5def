"""schema.org as JSON-LD, for search engines: the same facts as on the page, nothing more.

It goes into a script element of a data type, which no Content Security Policy blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from ...models import ZoomSettings
from .. import links
from ..related import COVER
from ..view_models import DateView, FilmView
from .ical import absolute

_STATUS = {
    "cancelled": "https://schema.org/EventCancelled",
    "moved": "https://schema.org/EventRescheduled",
}
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def event(view: DateView, choice: ZoomSettings, page: str = "") -> dict[str, Any]:
    """One date as ``Event``. ``page`` is where it is shown, when it has no page of its own."""
    origin = links.site_origin(choice)
    url = absolute(origin, view.url or page)
    made: dict[str, Any] = {
        "@type": "Event",
        "name": view.title,
        "startDate": view.when.start.isoformat(),
        "endDate": view.when.end.isoformat(),
        "eventStatus": _STATUS.get(view.state.code, "https://schema.org/EventScheduled"),
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": url or origin},
        "organizer": {"@type": "Organization", "name": organiser(choice), "url": origin},
    }
    if view.when.previous and view.state.code != "cancelled":
        made["eventStatus"] = _STATUS["moved"]
        made["previousStartDate"] = view.when.previous.isoformat()
    if view.host:
        made["performer"] = {"@type": "Person", "name": view.host}
    if view.summary:
        made["description"] = " ".join(strip_tags(str(view.summary)).split())[:500]
    if url:
        made["url"] = url
    return made


def video(view: FilmView, choice: ZoomSettings) -> dict[str, Any]:
    """One recording as ``VideoObject``."""
    origin = links.site_origin(choice)
    made: dict[str, Any] = {
        "@type": "VideoObject",
        "name": view.title,
        "description": " ".join(strip_tags(str(view.summary)).split())[:500] or view.title,
        "uploadDate": view.when.start.isoformat(),
        "url": absolute(origin, view.url),
    }
    if view.cover.image:
        made["thumbnailUrl"] = absolute(origin, view.cover.image.get_rendition(COVER).url)
    if view.minutes:
        made["duration"] = f"PT{view.minutes}M"
    if view.until:
        made["expires"] = view.until.isoformat()
    return made


def organiser(choice: ZoomSettings) -> str:
    """Who stands behind the dates: the owner's words, else the Site's name."""
    return choice.organiser or choice.site.site_name or choice.site.hostname


def events(views: Iterable[DateView], choice: ZoomSettings | None, page: str) -> SafeString:
    """The element for dates that are not over."""
    if choice is None:
        return mark_safe("")
    return script(event(view, choice, page) for view in views if not view.is_past)


def videos(views: Iterable[FilmView], choice: ZoomSettings | None) -> SafeString:
    """The element for recordings."""
    return script(video(view, choice) for view in views) if choice else mark_safe("")


def script(things: Iterable[dict[str, Any]]) -> SafeString:
    """The element with all of them; nothing for nothing. Cannot be closed from within."""
    found = list(things)
    if not found:
        return mark_safe("")
    text = json.dumps({"@context": "https://schema.org", "@graph": found}, ensure_ascii=False)
    safe = text.translate(_ESCAPES)
    return mark_safe(  # noqa: S308  (no "<" is left in it)
        f'<script type="application/ld+json">{safe}</script>'
    )
