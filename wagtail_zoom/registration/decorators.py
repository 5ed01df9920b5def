"""The decorator of all public views of registration."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from ..utils.error_reports import hide_people
from ..utils.logging import get_logger

logger = get_logger("registration")

View = Callable[..., HttpResponse]
DATABASE_ERRORS = (OperationalError, InterfaceError)
"""Errors of a database that is unreachable, locked or full."""
RETRY_AFTER = "120"
"""Seconds after which a client may try again."""


def anonymous_view(referrer: str) -> Callable[[View], View]:
    """No cookie, no cache, no transaction around a call to Zoom, nothing of a person in error
    reports.

    ``referrer`` is the referrer policy: ``same-origin`` for a page. With ``no-referrer`` a browser
    posts its forms, also those of the project's base template, with ``Origin: null``.

    Django's CSRF protection needs a cookie and a token in the page, which a cached page cannot
    have. The ``csrf`` module checks the origin of a form instead.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # As all our pages. A header may name an encoding that decodes no text, such as base64.
            request.encoding = "utf-8"  # guard: form-encoding-fixed
            try:
                response = view(request, *args, **kwargs)
            except DATABASE_ERRORS as error:  # guard: unsaved-decision-reported
                if request.method != "POST":
                    raise
                response = not_saved_response(request, error)
            add_never_cache_headers(response)  # guard: registration-response-not-cached
            response["Referrer-Policy"] = referrer
            response["X-Robots-Tag"] = "noindex, nofollow"
            # Against clickjacking, also without the middleware.
            response.headers.setdefault("X-Frame-Options", "DENY")
            return response

        return csrf_exempt(transaction.non_atomic_requests(hide_people(wrapped)))

    return decorate


def not_saved_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """503: nothing was written, and the page reports it."""
    logger.error("A form could not be saved (%s).", type(error).__name__)
    text = _("This could not be saved just now. Please try again in a few minutes.")
    context = {"sentence": text, "page_title": text}
    try:
        page = "wagtail_zoom/registration/sentence.html"
        response = render(request, page, context, status=503)
    except DATABASE_ERRORS:
        # A project's base template may query the database, too.
        response = HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = RETRY_AFTER
    return response
