"""Calendar files: one date, one meeting with all its dates, everything a Site shows."""

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
from ..queries import Dates, asked_for, dates
from ..text import title_for
from ..views import site_and_gate
from ..visibility import Audience, Surface
from .ical import calendar

MOST = 1000
LOOK_BACK = timedelta(days=30)


def _answer(body: bytes, name: str, *, subscribed: bool) -> HttpResponse:
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    kind = "inline" if subscribed else "attachment"
    response["Content-Disposition"] = f'{kind}; filename="{name}.ics"'
    response["X-Robots-Tag"] = "noindex"
    # The same for everybody; short, because calendars are how people learn of a new time.
    patch_cache_control(response, public=True, max_age=300)
    return response


@login_not_required
@require_safe
def date(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/date/<id>.ics``: one date, to be added to a calendar."""
    site, gate = site_and_gate(request)
    ident = links.resolve(site.pk, token)
    rows = gate.occurrences(Audience.VISITOR, Surface.FEED)
    row = rows.filter(public_id=ident).first() if ident else None
    if row is None:
        raise Http404
    return _answer(calendar(gate, [row]), row.start.strftime("%Y-%m-%d"), subscribed=False)


@login_not_required
@require_safe
def series(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/calendar/series/<id>.ics``: all dates of a meeting, to be subscribed to."""
    site, gate = site_and_gate(request)
    ident = links.resolve(site.pk, token)
    item = site.zoom_items.filter(public_id=ident).first() if ident else None
    if item is None or item.kind == Kind.RECORDING:
        raise Http404
    rows = gate.occurrences(Audience.VISITOR, Surface.FEED).filter(
        meeting__kind=item.kind, meeting__zoom_id=item.key, account=item.account_id
    )
    shown = list(rows.order_by("start", "pk")[:MOST])
    if not shown:
        raise Http404
    name = item.title or title_for(gate.choice, shown[0].meeting.topic)
    return _answer(calendar(gate, shown, name), "series", subscribed=True)


@login_not_required
@require_safe
def everything(request: HttpRequest) -> HttpResponse:
    """``zoom/calendar/all.ics``: what the Site shows from a month ago on.

    ``?kind=``, ``?host=`` and ``?tag=`` narrow it as the options of a list do.
    """
    site, gate = site_and_gate(request)
    if gate.choice is None or not gate.choice.shows_data:
        raise Http404
    kind = request.GET.get("kind", "")
    wanted = Dates(
        narrowed=asked_for(gate, request.GET.getlist("host")[:10], request.GET.getlist("tag")[:10]),
        kind=kind if kind in (Kind.MEETING, Kind.WEBINAR) else "",
        period="range",
    )
    rows = dates(gate, wanted, Surface.FEED).filter(end__gte=timezone.now() - LOOK_BACK)
    name = site.site_name or gate.choice.organiser or _("Dates")
    return _answer(calendar(gate, rows[:MOST], name), "dates", subscribed=True)
