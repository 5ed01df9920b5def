"""``zoom/register/<signed link>/``: receives the form of a (cached) page of a Site.

The response is the same for every email address, known or not. The status is sent by email only
(X25, X26).
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import check_for_language, get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ..conf import settings
from ..exceptions import ZoomConfigurationError, ZoomError
from ..frontend import form_links
from ..frontend.form_links import FormLink
from ..models import Grant, GrantState, Registration
from ..utils.logging import get_logger
from . import inline, outbox, ratelimit, service, tokens
from .context import FormContext, form_context_of
from .csrf import Origin, classify_origin, is_confirmed, sign_confirmation
from .decorators import DATABASE_ERRORS, RETRY_AFTER, anonymous_view
from .error_policy import INVALID_ANSWERS
from .form import CONFIRMATION, ELAPSED_MS, HONEYPOT, RegistrationForm, make_form

logger = get_logger("registration")

MIN_FILL_MS = 1200
"""No person fills in a form faster than this. Our script counts the time."""
SHORT_DELAY = timedelta(minutes=1)
"""A rate limit up to this long is not shown to visitors."""
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
        if form_context is None:
            return _message_page(request, 404, _("This form is no longer valid."))
        context = {
            "form_context": form_context,
            "late": "late" in request.GET or _is_zoom_unavailable(form_context),
            "double_opt_in": bool(
                form_context.site_settings and form_context.site_settings.double_opt_in
            ),
            "page_title": _("Look into your mailbox"),
        }
        return render(request, "wagtail_zoom/registration/received.html", context)


def _form_context(request: HttpRequest, form_link: FormLink | None) -> FormContext | None:
    """The context of a form link, if the hostname belongs to its Site."""
    if form_link is None or not tokens.is_hostname_of_site(request, form_link.site_id):
        return None
    return form_context_of(form_link)


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
    return not Grant.objects.filter(account=account, state=GrantState.CONNECTED).exists()


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
        "page_title": _("Register for %(title)s") % {"title": form_context.title}
        if form_context.title
        else _("Register"),
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
    network = ratelimit.network_of(request)
    wait = ratelimit.seconds_to_wait("network", network)  # guard: network-rate-limit
    if wait:
        return _rate_limited_page(request, signed_link, form_context, form, wait)
    if request.POST.get(HONEYPOT):  # guard: honeypot
        # A bot filled in the hidden field. It gets the usual response.
        return _redirect_to_received(signed_link)
    if form.is_valid() and _needs_confirmation(request, signed_link):
        return _confirmation_page(request, signed_link, form_context)
    if not form.is_valid() or not _check_captcha(request, form):
        return _form_page(request, signed_link, form_context, form, status=422)
    site, meeting = form_context.site, form_context.meeting
    if meeting is None:
        return _form_page(request, signed_link, form_context, status=409)
    wait = ratelimit.seconds_to_wait("meeting", site.pk, meeting.pk)
    wait = wait or ratelimit.seconds_to_wait("site", site.pk)
    if wait:
        return _rate_limited_page(request, signed_link, form_context, form, wait)
    email = tokens.normalise_email(form.cleaned_data["email"])
    if ratelimit.seconds_to_wait("address", meeting.pk, email):  # guard: email-rate-limit
        # The usual response: another one would reveal that the email was used before.
        return _constant_time_answer(signed_link, form_context, began)
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
    """The origin is unknown, or the form was filled in too fast for a person.

    A person confirms with one more click, and no entry is lost.
    """
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
    notice = _(
        "Very many registrations are coming in from your network or for this meeting. Nothing is "
        "lost: your entries are still here. Please press the button again in a few minutes."
    )
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


def _redirect_to_received(signed_link: str, late: bool = False) -> HttpResponse:
    target = reverse("wagtail_zoom:register_received", args=[signed_link])
    response = HttpResponseRedirect(f"{target}?late" if late else target)
    response.status_code = 303
    return response


def _constant_time_answer(
    signed_link: str, form_context: FormContext, began: float
) -> HttpResponse:
    """The response of a registration, after the same time."""
    if form_context.site_settings and form_context.site_settings.double_opt_in:
        return _redirect_to_received(signed_link)
    placeholder = Registration(site=form_context.site, meeting=form_context.meeting)
    if form_context.meeting is not None:
        placeholder.account = form_context.meeting.account
    return _redirect_to_received(
        signed_link, late=not inline.constant_time_noop(placeholder, inline.seconds_left(began))
    )


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
    lease = "" if double_opt_in else outbox.new_lease()
    try:
        row = service.save(form_context, submission, confirmed=not double_opt_in, lease=lease)
    except DATABASE_ERRORS as error:  # guard: unsaved-registration-reported
        return _not_saved_page(request, signed_link, form_context, form, error)
    if double_opt_in:
        # No call to Zoom for any email address: the response time reveals nothing.
        outbox.wake_worker()
        return _redirect_to_received(signed_link)
    is_new = row.lease_owner == lease
    zoom_answered = inline.attempt(row, inline.seconds_left(began), lease if is_new else "")
    if row.error_class == INVALID_ANSWERS:
        return _ask_new_questions(request, signed_link, form_context, row, now, began)
    inline.enqueue_old_questions(row)
    return _redirect_to_received(signed_link, late=not zoom_answered)


def _ask_new_questions(
    request: HttpRequest,
    signed_link: str,
    form_context: FormContext,
    row: Registration,
    since: datetime,
    began: float,
) -> HttpResponse:
    """Zoom did not accept the answers.

    If its questions have changed, show the form with the new questions and the entries. Otherwise
    the worker retries and records the final error.
    """
    try:
        inline.refresh_questions(row, inline.seconds_left(began))
    except (ZoomError, ZoomConfigurationError, *DATABASE_ERRORS) as error:
        logger.info("The questions could not be read (%s).", type(error).__name__)
        return _redirect_to_received(signed_link)
    new_form = make_form(form_context, request.POST)
    if new_form.is_valid():
        service.replace_answers(row.pk, new_form.answers())
        return _redirect_to_received(signed_link)
    service.withdraw(row, since)
    return _form_page(request, signed_link, form_context, new_form, status=422)
