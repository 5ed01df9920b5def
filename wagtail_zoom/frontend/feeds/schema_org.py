"""schema.org data as JSON-LD for search engines, with the same content as the page.

It is in a script element of a data type, which no Content Security Policy blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe
from wagtail.images.models import SourceImageIOError

from ...models import ZoomSettings
from .. import links
from ..availability import RegistrationState
from ..queries import end_of
from ..related import DATA_IMAGE_SPEC
from ..text import line_of
from ..view_models import CardImage, OccurrenceView, RecordingView
from .ical import absolute_url

_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def event(view: OccurrenceView, site_settings: ZoomSettings, path: str) -> dict[str, Any]:
    """One occurrence as ``Event``. ``path`` is that of the page about it, or of the list."""
    origin = links.site_origin(site_settings)
    url = absolute_url(origin, path)
    data: dict[str, Any] = {
        "@type": "Event",
        "name": view.title,
        "startDate": view.when.start.isoformat(),
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": url or origin},
        "organizer": {"@type": "Organization", "name": organiser(site_settings), "url": origin},
        "description": (line_of(view.summary) or view.with_host)[:500],
        "image": image_url(view.cover, site_settings),
        "offers": _availability(view, origin, url),
        "url": url,
    }
    if view.when.has_end:
        data["endDate"] = view.when.end.isoformat()
    if view.is_cancelled:
        data["eventStatus"] = "https://schema.org/EventCancelled"
    elif view.when.previous:
        data["eventStatus"] = "https://schema.org/EventRescheduled"
        data["previousStartDate"] = view.when.previous.isoformat()
    if view.host:
        data["performer"] = {"@type": "Person", "name": view.host}
    return {name: value for name, value in data.items() if value}


def _availability(view: OccurrenceView, origin: str, url: str) -> dict[str, Any]:
    """The ``Offer`` of a place; empty where visitors cannot get one here.

    A price is named only where anybody can join: who registers may have to pay elsewhere.
    """
    registration = view.registration
    if registration.is_open and view.action is not None:
        return _offered_at(absolute_url(origin, view.action.url), "InStock")
    if registration.code is RegistrationState.FULL:
        return _offered_at(url, "SoldOut")
    if registration.code is RegistrationState.NOT_NEEDED and view.opens_minutes:
        return {**_offered_at(url, "InStock"), "price": 0, "priceCurrency": "USD"}
    return {}


def _offered_at(url: str, state: str) -> dict[str, Any]:
    return {"@type": "Offer", "url": url, "availability": f"https://schema.org/{state}"}


def video(view: RecordingView, site_settings: ZoomSettings) -> dict[str, Any]:
    """One recording as ``VideoObject``."""
    data: dict[str, Any] = {
        "@type": "VideoObject",
        "name": view.title,
        "description": line_of(view.summary)[:500] or view.title,
        "thumbnailUrl": image_url(view.cover, site_settings),
        "uploadDate": view.when.start.isoformat(),
        "url": absolute_url(links.site_origin(site_settings), view.url),
    }
    if view.minutes:
        data["duration"] = f"PT{view.minutes}M"
    if view.until:
        data["expires"] = end_of(view.until).isoformat()
    return data


def image_url(cover: CardImage, site_settings: ZoomSettings) -> str:
    """The absolute URL of the owner's image, otherwise of the drawing that is part of the package;
    empty where static files were collected without it."""
    url = ""
    if cover.image:
        with suppress(SourceImageIOError):  # the file is gone
            url = cover.image.get_rendition(DATA_IMAGE_SPEC).url
    if not url:
        with suppress(ValueError):  # a manifest without it
            url = static("wagtail_zoom/cover.png")
    return absolute_url(links.site_origin(site_settings), url)


def organiser(site_settings: ZoomSettings) -> str:
    """The organiser's name: from the settings, otherwise the Site's name or hostname."""
    return site_settings.organiser or site_settings.site.site_name or site_settings.site.hostname


def events(
    views: Iterable[OccurrenceView], site_settings: ZoomSettings | None, page: str
) -> SafeString:
    """The script element of a list, for occurrences that are not over. ``page``: its path."""
    if site_settings is None:
        return mark_safe("")
    return json_ld_script(
        event(view, site_settings, view.url or page) for view in views if not view.is_past
    )


def page_of_date(
    view: OccurrenceView | None, site_settings: ZoomSettings | None, path: str
) -> SafeString:
    """The script element where one occurrence is the subject, with its recording."""
    if view is None or site_settings is None:
        return mark_safe("")
    recordings = [video(view.recording, site_settings)] if view.recording else []
    return json_ld_script([event(view, site_settings, path), *recordings])


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
