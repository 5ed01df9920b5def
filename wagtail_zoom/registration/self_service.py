"""Pages of a registered person: status, confirm, cancel, resend, calendar file, join link.

The token in the URL is enough to use them, as with any link in an email. There is no cookie.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ..conf import settings
from ..frontend import views
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Occurrence, Registration, ZoomSettings
from ..models.mirror import CLOSED_STATES, OVERRUN
from ..utils.error_reports import hide_people
from . import inline, ratelimit, service, tokens
from .calendars import FILE_NAME, calendar_of
from .context import availability_for
from .decorators import anonymous_view
from .status import StatusPage, first_name, resend_notice, status_page_of


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
            "resend_notice": resend_notice(row) if "sent" in request.GET else "",
            "has_changed": "changed" in request.GET and status.can_confirm,
            "page_title": _page_title(status, template),
        }
        return render(request, f"wagtail_zoom/registration/{template}.html", context)


def _page_title(status: StatusPage, template: str) -> str:
    if template != "cancel":
        return status.heading
    if status.can_cancel:
        return _("Cancel your registration?")
    return _("There is nothing to cancel")


def _redirect_to_status(row: Registration, query: str = "") -> HttpResponse:
    response = HttpResponseRedirect(tokens.status_path(row) + query)
    response.status_code = 303
    return response


def _attempt_now(pk: int) -> None:
    """One short call to Zoom, so that the next page usually shows the outcome."""
    rows = Registration.objects.select_related("account", "meeting", "site")
    inline.attempt(rows.get(pk=pk), settings.registration_seconds)


@login_not_required
@require_safe
@anonymous_view("same-origin")
def status_page(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/registration/<token>/``: the status."""
    return _render(request, _get_registration(request, token), "status")


@login_not_required
@require_POST
@anonymous_view("same-origin")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Double opt-in. A POST, because email scanners follow links."""
    row = _get_registration(request, token)
    if (
        row.state == Registration.State.UNCONFIRMED
        and availability_for(row).is_open  # guard: closed-registration-not-confirmed
    ):
        if not service.confirm(row.pk, request.POST.get("entries", "")):
            return _redirect_to_status(row, "?changed")
        _attempt_now(row.pk)
    return _redirect_to_status(row)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@anonymous_view("same-origin")
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Asks first, then cancels."""
    row = _get_registration(request, token)
    if request.method != "POST":
        return _render(request, row, "cancel")
    if service.cancel(row.pk):
        _attempt_now(row.pk)
    return _redirect_to_status(row)


@login_not_required
@require_POST
@anonymous_view("same-origin")
def resend(request: HttpRequest, token: str) -> HttpResponse:
    """Sends the email again, at most a few times an hour."""
    row = _get_registration(request, token)
    wait = ratelimit.seconds_to_wait("address", "resend", row.pk)  # guard: resend-rate-limit
    if not wait:
        service.resend(row.pk)
    return _redirect_to_status(row, "?sent")


@login_not_required
@require_safe
@anonymous_view("no-referrer")
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The person's dates, with the personal join link."""
    row = _get_registration(request, token)
    if row.state != Registration.State.APPROVED:
        raise Http404
    with translation.override(row.locale or get_language()):
        body = calendar_of([row], ZoomSettings.for_site(row.site))
    if not body:
        raise Http404
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


@login_not_required
@require_safe
@hide_people
def join(request: HttpRequest, token: str) -> HttpResponseBase:
    """``zoom/join/<token>/``: a visitor's link to a date, or a registrant's personal link.

    Only the personal link needs no login: ``visitor_join`` checks the other one itself.
    """
    response = views.visitor_join(request, token) or _personal_join(request, token)
    if response is None:
        raise Http404
    return response


def _personal_join(request: HttpRequest, token: str) -> HttpResponse | None:
    """Join the running or next occurrence that the person chose; None: an unknown token."""
    row = tokens.find_for_request(request, token)
    if row is None:
        return None
    if row.state != Registration.State.APPROVED or row.meeting_id is None:
        return views.private_response(_redirect_to_status(row))
    visibility = SiteVisibility.for_site(row.site)
    occurrence = _current_occurrence(row, visibility)
    if occurrence is None:
        return views.private_response(_redirect_to_status(row))
    with translation.override(row.locale or get_language()):
        personal_link = row.join_url if row.join_url else None
        return views.join_response(
            request,
            visibility,
            occurrence,
            Audience.REGISTRANT,
            personal_link,
            tokens.calendar_path(row),
        )


def _current_occurrence(row: Registration, visibility: SiteVisibility) -> Occurrence | None:
    rows = visibility.occurrences(Audience.REGISTRANT, Channel.PAGE).filter(meeting=row.meeting_id)
    chosen = list(row.dates.values_list("occurrence_id", flat=True))
    if chosen:
        rows = rows.filter(pk__in=[pk for pk in chosen if pk])
    now = timezone.now()
    upcoming = rows.filter(end__gte=now - OVERRUN)
    not_ended = upcoming.exclude(state__in=CLOSED_STATES)
    possible = [row for row in not_ended.order_by("start", "pk")[:3] if row.may_be_running(now)]
    # One that may be running beyond its planned end gives way to one whose time has come.
    begun = [row for row in possible if row.end >= now and row.start <= now]
    live = [row for row in possible if row.is_live(now)]
    return (
        next(iter([*live, *begun, *possible]), None)
        or upcoming.order_by("start", "pk").first()
        or rows.order_by("-start", "-pk").first()
    )
