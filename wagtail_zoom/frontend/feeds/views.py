"""Calendar files: one occurrence, all occurrences of a meeting, all occurrences of a Site."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ...models import Kind
from .. import links
from ..queries import OccurrenceQuery, occurrences_of, visitor_filters
from ..text import title_for
from ..views import site_and_visibility
from ..visibility import Audience, Channel
from .ical import calendar

MAX_OCCURRENCES = 1000
LOOK_BACK = timedelta(days=30)


def _calendar_response(body: bytes, name: str, *, subscribed: bool) -> HttpResponse:
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    disposition = "inline" if subscribed else "attachment"
    response["Content-Disposition"] = f'{disposition}; filename="{name}.ics"'
    response["X-Robots-Tag"] = "noindex"
    # The same for all visitors. Short, so that calendars get a new time soon.
    patch_cache_control(response, public=True, max_age=300)
    return response


@login_not_required
@require_safe
def occurrence_calendar(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/date/<id>.ics``: one occurrence, to be added to a calendar."""
    site, visibility = site_and_visibility(request)
    public_id = links.unsign_id(site.pk, token)
    rows = visibility.occurrences(Audience.VISITOR, Channel.FEED)
    row = rows.filter(public_id=public_id).first() if public_id else None
    if row is None:
        raise Http404
    return _calendar_response(
        calendar(visibility, [row]), row.start.strftime("%Y-%m-%d"), subscribed=False
    )


@login_not_required
@require_safe
def series_calendar(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/series/<id>.ics``: all occurrences of a meeting, for subscribing."""
    site, visibility = site_and_visibility(request)
    public_id = links.unsign_id(site.pk, token)
    item = site.zoom_items.filter(public_id=public_id).first() if public_id else None
    if item is None or item.kind == Kind.RECORDING:
        raise Http404
    rows = visibility.occurrences(Audience.VISITOR, Channel.FEED).filter(
        meeting__kind=item.kind, meeting__zoom_id=item.key, account=item.account_id
    )
    occurrences = list(rows.order_by("start", "pk")[:MAX_OCCURRENCES])
    if not occurrences:
        raise Http404
    name = item.title or title_for(visibility.site_settings, occurrences[0].meeting.topic)
    return _calendar_response(calendar(visibility, occurrences, name), "series", subscribed=True)


@login_not_required
@require_safe
def site_calendar(request: HttpRequest) -> HttpResponse:
    """``zoom/calendar/all.ics``: all occurrences of the Site that ended after a month ago.

    ``?kind=``, ``?host=`` and ``?tag=`` filter them like the options of a list.
    """
    site, visibility = site_and_visibility(request)
    if visibility.site_settings is None or not visibility.site_settings.shows_data:
        raise Http404
    kind = request.GET.get("kind", "")
    query = OccurrenceQuery(
        filters=visitor_filters(
            visibility, request.GET.getlist("host")[:10], request.GET.getlist("tag")[:10]
        ),
        kind=kind if kind in (Kind.MEETING, Kind.WEBINAR) else "",
        period="range",
    )
    rows = occurrences_of(visibility, query, Channel.FEED).filter(
        end__gte=timezone.now() - LOOK_BACK
    )
    name = site.site_name or visibility.site_settings.organiser or _("Dates")
    return _calendar_response(
        calendar(visibility, rows[:MAX_OCCURRENCES], name), "dates", subscribed=True
    )
