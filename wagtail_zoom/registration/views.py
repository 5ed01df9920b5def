"""``zoom/register/<ref>/``: takes a form that stands on a (cached) page of a Site.

Whoever signs up gets the same answer, whatever is known about the address: how things stand goes
by mail only (X25, X26).
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
from ..frontend.form_links import Ref
from ..models import Grant, GrantState, Registration
from ..utils.logging import get_logger
from . import inline, outbox, ratelimit, service, tokens
from .context import Offer, offer_of
from .csrf import Origin, confirmation, is_confirmed, origin_of
from .decorators import SOON, UNSAVED, anonymous
from .error_policy import ANSWERS
from .form import CONFIRM, ELAPSED, TRAP, RegistrationForm, make_form

logger = get_logger("registration")

FASTEST_MS = 1200
"""Faster than this, counted by our script, nobody fills in a form."""
SHORT = timedelta(minutes=1)
"""A pause that nobody needs to hear of."""
HIDDEN = (TRAP, ELAPSED, CONFIRM)


@require_http_methods(["GET", "HEAD", "POST"])
@anonymous("same-origin")
def register(request: HttpRequest, ref: str) -> HttpResponse:
    """The form on a page of its own (GET), or a sign-up (POST)."""
    found = form_links.read(ref)
    offer = _offer(request, found)
    with translation.override(_language(found)):
        if found is None or offer is None:
            return _sentence(request, 404, _("This form is no longer valid."))
        if request.method != "POST":
            return _show(request, ref, offer)
        return _take(request, ref, offer)


@require_safe
@anonymous("same-origin")
def received(request: HttpRequest, ref: str) -> HttpResponse:
    """Where every sign-up leads. Says nothing that depends on the person."""
    found = form_links.read(ref)
    offer = _offer(request, found)
    with translation.override(_language(found)):
        if offer is None:
            return _sentence(request, 404, _("This form is no longer valid."))
        context = {
            "offer": offer,
            "late": "late" in request.GET or _is_out(offer),
            "double_opt_in": bool(offer.choice and offer.choice.double_opt_in),
            "page_title": _("Look into your mailbox"),
        }
        return render(request, "wagtail_zoom/registration/received.html", context)


def _offer(request: HttpRequest, found: Ref | None) -> Offer | None:
    """What the reference stands for, on a host where its Site is at home."""
    if found is None or not tokens.is_at_home(request, found.site_id):
        return None
    return offer_of(found)


def _language(found: Ref | None) -> str | None:
    wanted = found.locale if found else ""
    return wanted if wanted and check_for_language(wanted) else get_language()


def _is_out(offer: Offer) -> bool:
    """Whether Zoom is known not to answer for this account just now."""
    account = offer.meeting.account if offer.meeting else None
    if account is None:
        return False
    if account.throttled_until and account.throttled_until > timezone.now() + SHORT:
        return True
    return not Grant.objects.filter(account=account, state=GrantState.CONNECTED).exists()


def _sentence(request: HttpRequest, status: int, text: str, **context: Any) -> HttpResponse:
    context = {"sentence": text, "page_title": text, **context}
    return render(request, "wagtail_zoom/registration/sentence.html", context, status=status)


def _show(
    request: HttpRequest,
    ref: str,
    offer: Offer,
    form: RegistrationForm | None = None,
    *,
    status: int = 200,
    notice: str = "",
) -> HttpResponse:
    """The page with the form, as it stands on the Site's page, or its sentence."""
    shown = offer.availability.is_open
    context = {
        "offer": offer,
        "form": (form or make_form(offer)) if shown else None,
        "action": reverse("wagtail_zoom:register", args=[ref]),
        "notice": notice,
        "h": 1,
        "page_title": _("Register for %(title)s") % {"title": offer.title}
        if offer.title
        else _("Register"),
    }
    return render(request, "wagtail_zoom/registration/register.html", context, status=status)


def _take(request: HttpRequest, ref: str, offer: Offer) -> HttpResponse:
    """Judge a posted form from cheap to dear, then save it and try Zoom once."""
    began = time.monotonic()
    refused = _refuse(request, offer)
    if refused is not None:
        return refused
    if not offer.availability.is_open:  # guard: closed-registration-refused
        return _show(request, ref, offer, status=409)
    form = make_form(offer, request.POST)
    wait = ratelimit.exceeded("network", ratelimit.network_of(request))  # guard: network-rate-limit
    if wait:
        return _busy(request, ref, offer, form, wait)
    if request.POST.get(TRAP):  # guard: honeypot
        # A robot filled in what no person sees: it is told that all is well.
        return _thanks(ref)
    if form.is_valid() and _needs_confirmation(request, ref):
        return _ask(request, ref, offer)
    if not form.is_valid() or not _is_human(request, form):
        return _show(request, ref, offer, form, status=422)
    if offer.meeting is None:
        return _show(request, ref, offer, status=409)
    wait = ratelimit.exceeded("meeting", offer.site.pk, offer.meeting.pk) or ratelimit.exceeded(
        "site", offer.site.pk
    )
    if wait:
        return _busy(request, ref, offer, form, wait)
    address = tokens.normalise(form.cleaned_data["email"])
    if ratelimit.exceeded("address", offer.meeting.pk, address):  # guard: address-rate-limit
        # The same answer as ever: else it would tell that the address was used before.
        return _as_ever(ref, offer, began)
    return _save(request, ref, offer, form, began)


def _refuse(request: HttpRequest, offer: Offer) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        return _sentence(request, 411, _("This form cannot be read."), back=offer.page_url)
    if int(length[:15]) > settings.registration_max_bytes:  # guard: form-size-limit
        return _sentence(request, 413, _("This form is too large."), back=offer.page_url)
    if origin_of(request) is Origin.FOREIGN:  # guard: foreign-origin-refused
        text = _("This form was sent from another website.")
        return _sentence(request, 403, text, back=offer.page_url)
    try:
        request.POST  # noqa: B018 - reading it parses the body
    except (RequestDataTooBig, TooManyFieldsSent):
        return _sentence(request, 413, _("This form is too large."), back=offer.page_url)
    return None


def _needs_confirmation(request: HttpRequest, ref: str) -> bool:
    """The browser does not say where the form comes from, or it was filled in at a robot's pace:
    a person presses once more, nothing is lost."""
    if is_confirmed(ref, request.POST.get(CONFIRM, "")[:200]):
        return False
    elapsed = request.POST.get(ELAPSED, "")[:10]
    hasty = elapsed.isascii() and elapsed.isdigit() and int(elapsed) < FASTEST_MS
    return (
        hasty  # guard: fast-form-confirmed
        or origin_of(request) is Origin.UNKNOWN  # guard: unknown-origin-confirmed
    )


def _ask(request: HttpRequest, ref: str, offer: Offer) -> HttpResponse:
    pairs = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in HIDDEN
        for value in values
    ]
    context = {
        "offer": offer,
        "pairs": pairs,
        "action": reverse("wagtail_zoom:register", args=[ref]),
        "confirm_name": CONFIRM,
        "confirm_value": confirmation(ref),
        "page_title": _("Please confirm"),
    }
    return render(request, "wagtail_zoom/registration/confirm.html", context)


def _is_human(request: HttpRequest, form: RegistrationForm) -> bool:
    """The project's captcha, if there is one."""
    if not settings.registration_captcha:
        return True
    try:
        import_string(settings.registration_captcha)(request, form)
    except ValidationError as error:
        form.add_error(None, error)
    return form.is_valid()


def _busy(
    request: HttpRequest, ref: str, offer: Offer, form: RegistrationForm, wait: int
) -> HttpResponse:
    notice = _(
        "Very many registrations are coming in from your network or for this meeting. Nothing is "
        "lost: your entries are still here. Please press the button again in a few minutes."
    )
    response = _show(request, ref, offer, form, status=429, notice=notice)
    response["Retry-After"] = str(wait)
    return response


def _unsaved(
    request: HttpRequest, ref: str, offer: Offer, form: RegistrationForm, error: Exception
) -> HttpResponse:
    logger.error("A sign-up could not be saved (%s).", type(error).__name__)
    notice = _(
        "Your registration could not be saved just now. Your entries are still here. Please press "
        "the button again in a few minutes."
    )
    response = _show(request, ref, offer, form, status=503, notice=notice)
    response["Retry-After"] = SOON
    return response


def _thanks(ref: str, late: bool = False) -> HttpResponse:
    target = reverse("wagtail_zoom:register_received", args=[ref])
    response = HttpResponseRedirect(f"{target}?late" if late else target)
    response.status_code = 303
    return response


def _as_ever(ref: str, offer: Offer, began: float) -> HttpResponse:
    """What a sign-up is answered, in the time that it takes."""
    if offer.choice and offer.choice.double_opt_in:
        return _thanks(ref)
    nobody = Registration(site=offer.site, meeting=offer.meeting)
    if offer.meeting is not None:
        nobody.account = offer.meeting.account
    return _thanks(ref, late=not inline.like_the_others(nobody, inline.left(began)))


def _save(
    request: HttpRequest, ref: str, offer: Offer, form: RegistrationForm, began: float
) -> HttpResponse:
    now = timezone.now()
    double = bool(offer.choice and offer.choice.double_opt_in)
    entry = service.entry_of(form, now if "consent" in form.fields else None)
    lease = "" if double else outbox.new_lease()
    try:
        row = service.save(offer, entry, confirmed=not double, lease=lease)
    except UNSAVED as error:  # guard: unsaved-registration-reported
        return _unsaved(request, ref, offer, form, error)
    if double:
        # Nobody is sent to Zoom here, whoever it is: the time of the answer tells nothing.
        outbox.wake()
        return _thanks(ref)
    mine = row.lease_owner == lease
    answered = inline.attempt(row, inline.left(began), lease if mine else "")
    if row.error_class == ANSWERS:
        return _ask_anew(request, ref, offer, row, now, began)
    inline.read_questions_later(row)
    return _thanks(ref, late=not answered)


def _ask_anew(
    request: HttpRequest,
    ref: str,
    offer: Offer,
    row: Registration,
    since: datetime,
    began: float,
) -> HttpResponse:
    """Zoom did not accept the answers. If it asks something else by now, the person sees that at
    once, with the entries; if not, the worker finds out what there is to say."""
    try:
        inline.refresh_questions(row, inline.left(began))
    except (ZoomError, ZoomConfigurationError, *UNSAVED) as error:
        logger.info("The questions could not be read (%s).", type(error).__name__)
        return _thanks(ref)
    again = make_form(offer, request.POST)
    if again.is_valid():
        service.correct(row.pk, again.answers())
        return _thanks(ref)
    service.take_back(row, since)
    return _show(request, ref, offer, again, status=422)
