"""Calendar files: one occurrence, all occurrences of a meeting, all occurrences of a Site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from ...models import MEETING_KINDS, Kind, ZoomSettings
from .. import links, restrictions
from ..cache.files import cached_file, etag_of, file_key
from ..queries import OccurrenceQuery, known_filters, occurrences_of
from ..text import shown_title
from ..views import site_and_visibility
from ..visibility import Audience, Channel
from .ical import calendar, calendar_name

MAX_OCCURRENCES = 500
"""In one file: rendering them takes less than a second."""
LOOK_BACK = timedelta(days=30)


Rendered = tuple[bytes, str]
"""A calendar file and the name under which it is saved."""


def _calendar_response(
    request: HttpRequest,
    site_settings: ZoomSettings | None,
    subject: tuple[Any, ...],
    render: Callable[[ZoomSettings], Rendered],
    *,
    subscribed: bool,
) -> HttpResponse:
    """The file, or 304 for a client that has it already. ``subject``: what it is about."""
    if site_settings is None:
        raise Http404
    if not site_settings.shows_data:  # guard: calendar-of-shown-sites
        raise Http404
    key = file_key(site_settings, *subject)
    response: HttpResponse | None = None
    if key and request.headers.get("If-None-Match", "*").strip() != "*":
        # Before anything is rendered or read from the cache.
        response = get_conditional_response(request, etag=etag_of(key))
    if response is not None:
        response["ETag"] = etag_of(key)
    else:
        file = cached_file(key, lambda: render(site_settings))
        complete = HttpResponse(file.body, content_type="text/calendar; charset=utf-8")
        disposition = "inline" if subscribed else "attachment"
        complete["Content-Disposition"] = f'{disposition}; filename="{file.name}.ics"'
        complete["ETag"], complete["Last-Modified"] = file.etag, http_date(file.rendered_at)
        conditional = get_conditional_response(request, file.etag, file.rendered_at, complete)
        response = conditional or complete
    response["X-Robots-Tag"] = "noindex"
    # The same for all visitors. Short, so that calendars get a new time soon.
    patch_cache_control(response, public=True, max_age=300)
    return response


@require_safe
@restrictions.follows_root_page
def occurrence_calendar(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/date/<id>.ics``: one occurrence, to be added to a calendar."""
    site, visibility = site_and_visibility(request)
    public_id = links.unsign_id(site.pk, token)
    if public_id is None:
        raise Http404

    def render(site_settings: ZoomSettings) -> Rendered:
        rows = visibility.occurrences(Audience.VISITOR, Channel.FEED)
        row = rows.filter(public_id=public_id).first()
        if row is None:
            raise Http404
        return calendar(visibility, [row]), row.start.strftime("%Y-%m-%d")

    subject = ("date", public_id)
    return _calendar_response(request, visibility.site_settings, subject, render, subscribed=False)


@require_safe
@restrictions.follows_root_page
def series_calendar(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/series/<id>.ics``: all occurrences of a meeting, for subscribing."""
    site, visibility = site_and_visibility(request)
    public_id = links.unsign_id(site.pk, token)
    if public_id is None:
        raise Http404

    def render(site_settings: ZoomSettings) -> Rendered:
        item = site.zoom_items.filter(public_id=public_id).filter(kind__in=MEETING_KINDS).first()
        if item is None:
            raise Http404
        rows = visibility.occurrences(Audience.VISITOR, Channel.FEED).filter(
            meeting__kind=item.kind, meeting__zoom_id=item.key, account=item.account_id
        )
        occurrences = list(rows.order_by("start", "pk")[:MAX_OCCURRENCES])
        if not occurrences:
            raise Http404
        name = shown_title(site_settings, item.title, occurrences[0].meeting.topic)
        return calendar(visibility, occurrences, name), "series"

    subject = ("series", public_id)
    return _calendar_response(request, visibility.site_settings, subject, render, subscribed=True)


@require_safe
@restrictions.follows_root_page
def site_calendar(request: HttpRequest) -> HttpResponse:
    """``zoom/calendar/all.ics``: all occurrences of the Site that ended after a month ago.

    ``?kind=``, ``?host=`` and ``?tag=`` filter them like the options of a list, by one host and
    one tag: each combination is a file of its own in the cache.
    """
    _site, visibility = site_and_visibility(request)
    requested_kind = request.GET.get("kind", "")
    kind = requested_kind if requested_kind in (Kind.MEETING, Kind.WEBINAR) else ""
    filters = known_filters(
        visibility, request.GET.getlist("host")[:1], request.GET.getlist("tag")[:1]
    )

    def render(site_settings: ZoomSettings) -> Rendered:
        query = OccurrenceQuery(filters=filters, kind=kind, period="range")
        rows = occurrences_of(visibility, query, Channel.FEED).filter(
            end__gte=timezone.now() - LOOK_BACK
        )
        name = calendar_name(site_settings)
        return calendar(visibility, rows[:MAX_OCCURRENCES], name), "dates"

    subject = ("all", kind, filters.hosts, filters.tags, filters.picked)
    return _calendar_response(request, visibility.site_settings, subject, render, subscribed=True)
