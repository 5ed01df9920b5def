"""A person's own pages: status, confirm, cancel, send again, calendar file, the way in.

Whoever holds the token may do all of this, as with any link in a mail; there is no cookie.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ..conf import settings
from ..frontend import views
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import Occurrence, Registration, ZoomSettings
from . import inline, ratelimit, service, tokens
from .calendars import calendar_of
from .decorators import anonymous
from .status import first_name, status_of

State = Registration.State


def _find(request: HttpRequest, token: str) -> Registration:
    row = tokens.find_here(request, token)
    if row is None:
        raise Http404
    return row


def _page(request: HttpRequest, row: Registration, template: str) -> HttpResponse:
    choice = ZoomSettings.for_site(row.site)
    with translation.override(row.locale or get_language()):
        status = status_of(row, choice)
        context = {
            "row": row,
            "status": status,
            "name": first_name(row),
            "base": tokens.status_path(row),
            "sent": "sent" in request.GET,
            "page_title": status.heading,
        }
        return render(request, f"wagtail_zoom/registration/{template}.html", context)


def _back(row: Registration, query: str = "") -> HttpResponse:
    response = HttpResponseRedirect(tokens.status_path(row) + query)
    response.status_code = 303
    return response


def _try(pk: int) -> None:
    """One short call, so that the next page mostly tells the outcome."""
    rows = Registration.objects.select_related("account", "meeting", "site")
    inline.attempt(rows.get(pk=pk), settings.registration_seconds)


@require_safe
@anonymous("no-referrer")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/registration/<token>/``: where things stand."""
    return _page(request, _find(request, token), "status")


@require_POST
@anonymous("no-referrer")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The button of the double opt-in: a link alone would be pressed by mail scanners."""
    row = _find(request, token)
    if row.state == State.UNCONFIRMED:
        service.confirm(row.pk)
        _try(row.pk)
    return _back(row)


@require_http_methods(["GET", "HEAD", "POST"])
@anonymous("no-referrer")
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Asks first, then cancels."""
    row = _find(request, token)
    if request.method != "POST":
        return _page(request, row, "cancel")
    if service.cancel(row.pk):
        _try(row.pk)
    return _back(row)


@require_POST
@anonymous("no-referrer")
def resend(request: HttpRequest, token: str) -> HttpResponse:
    """Sends the mail again, a few times an hour."""
    row = _find(request, token)
    if not ratelimit.exceeded("address", "resend", row.pk):
        service.resend(row.pk)
    return _back(row, "?sent")


@require_safe
@anonymous("no-referrer")
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The person's dates, with the personal way in."""
    row = _find(request, token)
    if row.state != State.APPROVED:
        raise Http404
    with translation.override(row.locale or get_language()):
        body = calendar_of(row, ZoomSettings.for_site(row.site))
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="registration.ics"'
    return response


@login_not_required
@require_safe
def join(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/join/<token>/``: a visitor's link to a date, or a registrant's personal link."""
    response = views.visitor_join(request, token) or _personal_join(request, token)
    if response is None:
        raise Http404
    return views.closed_lips(response)


def _personal_join(request: HttpRequest, token: str) -> HttpResponse | None:
    """The running or next of the dates that the person chose; None: an unknown token."""
    row = tokens.find_here(request, token)
    if row is None:
        return None
    if row.state != State.APPROVED or row.meeting_id is None:
        return _back(row)
    gate = Exposure.for_site(row.site)
    date = _date_now(row, gate)
    if date is None:
        return _back(row)
    with translation.override(row.locale or get_language()):
        personal = row.join_url if row.join_url else None
        return views.answer(request, gate, date, Audience.REGISTRANT, personal)


def _date_now(row: Registration, gate: Exposure) -> Occurrence | None:
    rows = gate.occurrences(Audience.REGISTRANT, Surface.PAGE).filter(meeting=row.meeting_id)
    chosen = list(row.dates.values_list("occurrence_id", flat=True))
    if chosen:
        rows = rows.filter(pk__in=[pk for pk in chosen if pk])
    coming = rows.filter(end__gte=timezone.now() - views.OVERRUN)
    alive = coming.exclude(state=Occurrence.State.CANCELLED).exclude(state__in=views.GONE)
    return (
        alive.order_by("start", "pk").first()
        or coming.order_by("start", "pk").first()
        or rows.order_by("-start", "-pk").first()
    )
