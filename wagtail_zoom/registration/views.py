"""``zoom/register/<signed link>/``: receives the form of a (cached) page of a Site.

The response is the same for every email address, known or not. The status is sent by email only
(X25, X26).
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import check_for_language, get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ..conf import settings
from ..exceptions import ZoomConfigurationError, ZoomError
from ..frontend import form_links, links, restrictions
from ..frontend.form_links import FormLink
from ..models import GrantState, Registration
from ..utils import leases
from ..utils.logging import get_logger
from ..utils.ratelimit import network_of
from . import inline, outbox, ratelimit, service, tokens
from .context import ONE, SEVERAL, FormContext, OfferedDate, form_context_of
from .csrf import Origin, classify_origin, is_confirmed, sign_confirmation
from .decorators import DATABASE_ERRORS, RETRY_AFTER, anonymous_view
from .error_policy import CLOSED_ERRORS, INVALID_ANSWERS, VISITOR_MESSAGES
from .form import CONFIRMATION, ELAPSED_MS, HONEYPOT, RegistrationForm, make_form

logger = get_logger("registration")

MIN_FILL_MS = 1200
"""No person fills in a form faster than this. Our script counts the time."""
SHORT_DELAY = timedelta(minutes=1)
"""A rate limit up to this long is not shown to visitors."""
HOLD_UNTIL_START = timedelta(minutes=15)
"""A registration that is held back is sent to Zoom so long before its first date at the latest."""
MAX_DATES = 6
"""Dates that the page after a registration names; of more it tells the number."""
ID_LENGTH = 8
"""Characters of a date's public id in the link to that page."""
HIDDEN_INPUTS = (HONEYPOT, ELAPSED_MS, CONFIRMATION)


@require_http_methods(["GET", "HEAD", "POST"])
@anonymous_view("same-origin")
def register(request: HttpRequest, signed_link: str) -> HttpResponse:
    """The form on its own page (GET), or a registration (POST)."""
    form_link = form_links.unsign(signed_link)
    form_context = _form_context(request, form_link)
    with translation.override(_language(form_link)):
        if form_link is None or form_context is None:
            return _message_page(request, 404, _("This form is no longer valid."))
        refusal = _refusal(request, form_context, form_link)
        if refusal is not None:  # guard: form-follows-its-page
            return refusal
        if request.method != "POST":
            return _form_page(request, signed_link, form_context)
        return _handle_post(request, signed_link, form_context)


@require_safe
@anonymous_view("same-origin")
def received(request: HttpRequest, signed_link: str) -> HttpResponse:
    """The page after every registration. Its content does not depend on the person."""
    form_link = form_links.unsign(signed_link)
    form_context = _form_context(request, form_link)
    with translation.override(_language(form_link)):
        if form_link is None or form_context is None:
            return _message_page(request, 404, _("This form is no longer valid."))
        refusal = _refusal(request, form_context, form_link)
        if refusal is not None:  # guard: received-page-follows-its-page
            return refusal
        double_opt_in = bool(
            form_context.site_settings and form_context.site_settings.double_opt_in
        )
        late = "late" in request.GET or _is_zoom_unavailable(form_context)
        dates, further_dates = _chosen_dates(form_link, form_context)
        context = {
            "form_context": form_context,
            "dates": dates,
            "further_dates": further_dates,
            "late": late and not double_opt_in,
            "double_opt_in": double_opt_in,
            "page_title": _("We have saved your registration")
            if late and not double_opt_in
            else _("Check your email"),
        }
        return render(request, "wagtail_zoom/registration/received.html", context)


def _chosen_dates(form_link: FormLink, form_context: FormContext) -> tuple[list[OfferedDate], int]:
    """The first dates that the visitor has chosen, or without a choice all that the form offers;
    and how many follow."""
    dates = form_context.offered_dates
    chosen = form_link.options.get("chosen")
    if not chosen:
        return dates[:MAX_DATES], len(dates[MAX_DATES:])
    shown = [date for date in dates if date.public_id[:ID_LENGTH] in chosen]
    return shown, form_link.options["count"] - len(chosen)


def _form_context(request: HttpRequest, form_link: FormLink | None) -> FormContext | None:
    """The context of a form link, if the hostname belongs to its Site."""
    if form_link is None or not links.is_hostname_of_site(request, form_link.site_id):
        return None
    return form_context_of(form_link)


def _refusal(
    request: HttpRequest, form_context: FormContext, form_link: FormLink
) -> HttpResponse | None:
    """The answer for somebody who may not see the page that offers the form. After the login or the
    password the form is on its own page."""
    access = restrictions.check(request, form_context.site, form_link.offered_by)
    return access.refusal(request)


def _language(form_link: FormLink | None) -> str | None:
    locale = form_link.locale if form_link else ""
    return locale if locale and check_for_language(locale) else get_language()


def _is_zoom_unavailable(form_context: FormContext) -> bool:
    """Whether it is known that Zoom does not answer for this account at present."""
    account = form_context.meeting.account if form_context.meeting else None
    if account is None:
        return False
    if account.throttled_until and account.throttled_until > timezone.now() + SHORT_DELAY:
        return True
    grant = form_context.site_settings.grant if form_context.site_settings else None
    return grant is None or grant.state != GrantState.CONNECTED


def _message_page(request: HttpRequest, status: int, text: str, **context: Any) -> HttpResponse:
    context = {"sentence": text, "page_title": text, **context}
    return render(request, "wagtail_zoom/registration/sentence.html", context, status=status)


def _form_page(
    request: HttpRequest,
    signed_link: str,
    form_context: FormContext,
    form: RegistrationForm | None = None,
    *,
    status: int = 200,
    notice: str = "",
) -> HttpResponse:
    """The page with the form or, if registration is not open, with the message."""
    is_open = form_context.availability.is_open
    context = {
        "form_context": form_context,
        "form": (form or make_form(form_context)) if is_open else None,
        "action": reverse("wagtail_zoom:register", args=[signed_link]),
        "notice": notice,
        "h": 1,
        "page_title": form_context.heading or _("Registration"),
    }
    return render(request, "wagtail_zoom/registration/register.html", context, status=status)


def _handle_post(request: HttpRequest, signed_link: str, form_context: FormContext) -> HttpResponse:
    """Check a posted form, cheap checks first. Then save it and make one attempt at Zoom."""
    began = time.monotonic()
    rejection = _reject_request(request, form_context)
    if rejection is not None:
        return rejection
    if not form_context.availability.is_open:  # guard: closed-registration-refused
        return _form_page(request, signed_link, form_context, status=409)
    form = make_form(form_context, request.POST)
    network = network_of(request)
    wait = ratelimit.seconds_to_wait("network", network)  # guard: network-rate-limit
    if wait:
        return _rate_limited_page(request, signed_link, form_context, form, wait)
    if form.is_valid() and _needs_confirmation(request, signed_link):
        return _confirmation_page(request, signed_link, form_context)
    if not form.is_valid() or not _check_captcha(request, form):
        return _form_page(request, signed_link, form_context, form, status=422)
    site, meeting = form_context.site, form_context.meeting
    if meeting is None:
        return _form_page(request, signed_link, form_context, status=409)
    wait = ratelimit.seconds_to_wait("meeting", site.pk, meeting.pk)  # guard: meeting-rate-limit
    if not wait:
        wait = ratelimit.seconds_to_wait("site", site.pk)  # guard: site-rate-limit
    if wait:
        return _rate_limited_page(request, signed_link, form_context, form, wait)
    return _save(request, signed_link, form_context, form, began)


def _reject_request(request: HttpRequest, form_context: FormContext) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        return _message_page(
            request, 411, _("This form cannot be read."), back=form_context.page_url
        )
    if int(length[:15]) > settings.registration_max_bytes:  # guard: form-size-limit
        return _message_page(request, 413, _("This form is too large."), back=form_context.page_url)
    if classify_origin(request) is Origin.FOREIGN:  # guard: foreign-origin-refused
        text = _("This form was sent from another website.")
        return _message_page(request, 403, text, back=form_context.page_url)
    try:
        request.POST  # noqa: B018 - reading it parses the body
    except (RequestDataTooBig, TooManyFieldsSent):
        return _message_page(request, 413, _("This form is too large."), back=form_context.page_url)
    return None


def _needs_confirmation(request: HttpRequest, signed_link: str) -> bool:
    """The origin is unknown, or the form was filled in as no person does.

    A person confirms with one more click, and no entry is lost. A browser may have filled in the
    hidden field for a person, so what fills it in is not thanked without being saved.
    """
    if request.POST.get(HONEYPOT):  # guard: honeypot
        return True
    if is_confirmed(signed_link, request.POST.get(CONFIRMATION, "")[:200]):
        return False
    elapsed = request.POST.get(ELAPSED_MS, "")[:10]
    is_too_fast = elapsed.isascii() and elapsed.isdigit() and int(elapsed) < MIN_FILL_MS
    return (
        is_too_fast  # guard: fast-form-confirmed
        or classify_origin(request) is Origin.UNKNOWN  # guard: unknown-origin-confirmed
    )


def _confirmation_page(
    request: HttpRequest, signed_link: str, form_context: FormContext
) -> HttpResponse:
    pairs = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in HIDDEN_INPUTS
        for value in values
    ]
    context = {
        "form_context": form_context,
        "pairs": pairs,
        "action": reverse("wagtail_zoom:register", args=[signed_link]),
        "confirm_name": CONFIRMATION,
        "confirm_value": sign_confirmation(signed_link),
        "page_title": _("Please confirm"),
    }
    return render(request, "wagtail_zoom/registration/confirm.html", context)


def _check_captcha(request: HttpRequest, form: RegistrationForm) -> bool:
    """The project's captcha, if there is one."""
    if not settings.registration_captcha:
        return True
    try:
        import_string(settings.registration_captcha)(request, form)
    except ValidationError as error:
        form.add_error(None, error)
    return form.is_valid()


def _rate_limited_page(
    request: HttpRequest,
    signed_link: str,
    form_context: FormContext,
    form: RegistrationForm,
    wait: int,
) -> HttpResponse:
    minutes = math.ceil(wait / 60)
    notice = ngettext(
        "You are not registered yet: very many registrations are coming in from your network or "
        "for this meeting. Your entries are still here. Please press the button again in "
        "%(minutes)d minute.",
        "You are not registered yet: very many registrations are coming in from your network or "
        "for this meeting. Your entries are still here. Please press the button again in "
        "%(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    response = _form_page(request, signed_link, form_context, form, status=429, notice=notice)
    response["Retry-After"] = str(wait)
    return response


def _not_saved_page(
    request: HttpRequest,
    signed_link: str,
    form_context: FormContext,
    form: RegistrationForm,
    error: Exception,
) -> HttpResponse:
    logger.error("A registration could not be saved (%s).", type(error).__name__)
    notice = _(
        "Your registration could not be saved just now. Your entries are still here. Please press "
        "the button again in a few minutes."
    )
    response = _form_page(request, signed_link, form_context, form, status=503, notice=notice)
    response["Retry-After"] = RETRY_AFTER
    return response


def _received_url(
    signed_link: str, form_context: FormContext, submission: service.Submission
) -> str:
    """The page after a registration. It names the dates that the visitor has just chosen."""
    chosen = submission.dates if form_context.mode in (ONE, SEVERAL) else ()
    form_link = form_links.unsign(signed_link)
    if form_link is not None and len(chosen) not in (0, len(form_context.dates)):
        ids = [str(date.public_id)[:ID_LENGTH] for date in chosen[:MAX_DATES]]
        options = {**form_link.options, "chosen": ids, "count": len(chosen)}
        signed_link = replace(form_link, options=options).sign()
    return reverse("wagtail_zoom:register_received", args=[signed_link])


def _redirect_to_received(url: str, late: bool = False) -> HttpResponse:
    response = HttpResponseRedirect(f"{url}?late" if late else url)
    response.status_code = 303
    return response


def _save(
    request: HttpRequest,
    signed_link: str,
    form_context: FormContext,
    form: RegistrationForm,
    began: float,
) -> HttpResponse:
    now = timezone.now()
    double_opt_in = bool(form_context.site_settings and form_context.site_settings.double_opt_in)
    submission = service.submission_of(form, now if "consent" in form.fields else None)
    received_url = _received_url(signed_link, form_context, submission)
    lease = "" if double_opt_in else leases.new_owner()
    try:
        row = service.save(form_context, submission, confirmed=not double_opt_in, lease=lease)
    except DATABASE_ERRORS as error:  # guard: unsaved-registration-reported
        return _not_saved_page(request, signed_link, form_context, form, error)
    if double_opt_in:
        # No call to Zoom for any email address: the response time reveals nothing.
        outbox.wake_worker()
        return _redirect_to_received(received_url)
    own_lease = lease if row.lease_owner == lease else ""
    mailbox = tokens.mailbox_of(submission.email)  # guard: registrations-counted-by-mailbox
    wait = ratelimit.seconds_to_wait("address", "registrations", mailbox)  # guard: email-rate-limit
    if wait:
        # Saved like any other. The response and its time do not reveal that it is sent later.
        until = _hold_until(submission, form_context, now, wait)
        service.hold_back(row.pk, own_lease, since=now, until=until)
        zoom_answered = inline.constant_time_noop(row, inline.seconds_left(began))
        return _redirect_to_received(received_url, late=not zoom_answered)
    zoom_answered = inline.attempt(row, inline.seconds_left(began), own_lease, may_withdraw=True)
    is_sent = row.task == Registration.Task.ADD
    if is_sent and row.error_class in CLOSED_ERRORS:  # guard: refusal-not-thanked
        return _refused_page(request, signed_link, row, now)
    if row.error_class == INVALID_ANSWERS:
        seconds = inline.seconds_left(began)
        new_form = _ask_new_questions(request, form_context, row, seconds)
        if new_form is None:
            return _redirect_to_received(received_url)
        service.withdraw(row, now)
        return _form_page(request, signed_link, form_context, new_form, status=422)
    inline.enqueue_old_questions(row)
    return _redirect_to_received(received_url, late=not zoom_answered)


def _hold_until(
    submission: service.Submission, form_context: FormContext, now: datetime, wait: int
) -> datetime:
    """When a registration that is held back is sent: in time for its first date."""
    starts = [date.start for date in submission.dates or form_context.dates]
    times = [now + timedelta(seconds=wait), *(start - HOLD_UNTIL_START for start in starts)]
    return max(now, min(times))


def _refused_page(
    request: HttpRequest, signed_link: str, row: Registration, since: datetime
) -> HttpResponse:
    """Zoom takes no more registrations for this meeting. Nothing is stored, and nobody is thanked.

    The next visitor finds the form closed.
    """
    service.withdraw(row, since)
    reason = VISITOR_MESSAGES[row.error_class]
    notice = _("You are not registered. %(reason)s") % {"reason": reason}
    form_context = _form_context(request, form_links.unsign(signed_link))
    if form_context is None:
        return _message_page(request, 409, notice)
    form = make_form(form_context, request.POST)
    return _form_page(request, signed_link, form_context, form, status=409, notice=notice)


def _ask_new_questions(
    request: HttpRequest, form_context: FormContext, row: Registration, seconds: float
) -> RegistrationForm | None:
    """Zoom did not accept the answers. If its questions have changed, the form with the new ones.

    Otherwise the worker retries and records the final error.
    """
    try:
        inline.refresh_questions(row, seconds)
    except (ZoomError, ZoomConfigurationError, *DATABASE_ERRORS) as error:
        logger.info("The questions could not be read (%s).", type(error).__name__)
        return None
    new_form = make_form(form_context, request.POST)
    if not new_form.is_valid():
        return new_form
    service.replace_answers(row.pk, new_form.answers())
    return None
