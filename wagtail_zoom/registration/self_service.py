"""Pages of a registered person: status, confirm, cancel, resend, calendar file, join link.

The token in the URL is enough to use them, as with any link in an email. There is no cookie.
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
from ..frontend.queries import ENDED_STATES, MAX_OVERRUN
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Occurrence, Registration, ZoomSettings
from . import inline, ratelimit, service, tokens
from .calendars import calendar_of
from .decorators import anonymous_view
from .status import first_name, status_page_of


def _get_registration(request: HttpRequest, token: str) -> Registration:
    row = tokens.find_for_request(request, token)
    if row is None:
        raise Http404
    return row


def _render(request: HttpRequest, row: Registration, template: str) -> HttpResponse:
    site_settings = ZoomSettings.for_site(row.site)
    with translation.override(row.locale or get_language()):
        status = status_page_of(row, site_settings)
        context = {
            "row": row,
            "status": status,
            "name": first_name(row),
            "base": tokens.status_path(row),
            "sent": "sent" in request.GET,
            "page_title": status.heading,
        }
        return render(request, f"wagtail_zoom/registration/{template}.html", context)


def _redirect_to_status(row: Registration, query: str = "") -> HttpResponse:
    response = HttpResponseRedirect(tokens.status_path(row) + query)
    response.status_code = 303
    return response


def _attempt_now(pk: int) -> None:
    """One short call to Zoom, so that the next page usually shows the outcome."""
    rows = Registration.objects.select_related("account", "meeting", "site")
    inline.attempt(rows.get(pk=pk), settings.registration_seconds)


@require_safe
@anonymous_view("no-referrer")
def status_page(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/registration/<token>/``: the status."""
    return _render(request, _get_registration(request, token), "status")


@require_POST
@anonymous_view("no-referrer")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Double opt-in. A POST, because email scanners follow links."""
    row = _get_registration(request, token)
    if row.state == Registration.State.UNCONFIRMED:
        service.confirm(row.pk)
        _attempt_now(row.pk)
    return _redirect_to_status(row)


@require_http_methods(["GET", "HEAD", "POST"])
@anonymous_view("no-referrer")
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Asks first, then cancels."""
    row = _get_registration(request, token)
    if request.method != "POST":
        return _render(request, row, "cancel")
    if service.cancel(row.pk):
        _attempt_now(row.pk)
    return _redirect_to_status(row)


@require_POST
@anonymous_view("no-referrer")
def resend(request: HttpRequest, token: str) -> HttpResponse:
    """Sends the email again, at most a few times an hour."""
    row = _get_registration(request, token)
    if not ratelimit.seconds_to_wait("address", "resend", row.pk):
        service.resend(row.pk)
    return _redirect_to_status(row, "?sent")


@require_safe
@anonymous_view("no-referrer")
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The person's dates, with the personal join link."""
    row = _get_registration(request, token)
    if row.state != Registration.State.APPROVED:
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
    return views.private_response(response)


def _personal_join(request: HttpRequest, token: str) -> HttpResponse | None:
    """Join the running or next occurrence that the person chose; None: an unknown token."""
    row = tokens.find_for_request(request, token)
    if row is None:
        return None
    if row.state != Registration.State.APPROVED or row.meeting_id is None:
        return _redirect_to_status(row)
    visibility = SiteVisibility.for_site(row.site)
    occurrence = _current_occurrence(row, visibility)
    if occurrence is None:
        return _redirect_to_status(row)
    with translation.override(row.locale or get_language()):
        personal_link = row.join_url if row.join_url else None
        return views.join_response(
            request, visibility, occurrence, Audience.REGISTRANT, personal_link
        )


def _current_occurrence(row: Registration, visibility: SiteVisibility) -> Occurrence | None:
    rows = visibility.occurrences(Audience.REGISTRANT, Channel.PAGE).filter(meeting=row.meeting_id)
    chosen = list(row.dates.values_list("occurrence_id", flat=True))
    if chosen:
        rows = rows.filter(pk__in=[pk for pk in chosen if pk])
    upcoming = rows.filter(end__gte=timezone.now() - MAX_OVERRUN)
    not_ended = upcoming.exclude(state=Occurrence.State.CANCELLED).exclude(state__in=ENDED_STATES)
    return (
        not_ended.order_by("start", "pk").first()
        or upcoming.order_by("start", "pk").first()
        or rows.order_by("-start", "-pk").first()
    )
