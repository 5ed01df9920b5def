"""What all public addresses of registration share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from ..utils.logging import get_logger

logger = get_logger("registration")

View = Callable[..., HttpResponse]
UNSAVED = (OperationalError, InterfaceError)
"""What a database says that is away, locked or full; anything else is a mistake of ours."""
SOON = "120"
"""Seconds after which to try again."""


def anonymous(referrer: str) -> Callable[[View], View]:
    """No log-in, no cookie, no cache, no transaction around a call to Zoom.

    Django's own CSRF protection needs a cookie and a token in the page, which a cached page cannot
    have; ``origins`` checks instead where a form comes from.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                response = view(request, *args, **kwargs)
            except UNSAVED as error:  # guard: unsaved-decision-reported
                if request.method != "POST":
                    raise
                response = unsaved(request, error)
            add_never_cache_headers(response)  # guard: registration-answer-not-cached
            response["Referrer-Policy"] = referrer
            response["X-Robots-Tag"] = "noindex, nofollow"
            # Nobody puts our buttons under their own page, whatever middleware the project has.
            response.headers.setdefault("X-Frame-Options", "DENY")
            return response

        return csrf_exempt(login_not_required(transaction.non_atomic_requests(guarded)))

    return decorate


def unsaved(request: HttpRequest, error: Exception) -> HttpResponse:
    """Nothing was written, and the person is told so; nobody is left with half a sign-up."""
    logger.error("A form could not be saved (%s).", type(error).__name__)
    text = _("This could not be saved just now. Please try again in a few minutes.")
    context = {"sentence": text, "page_title": text}
    try:
        page = "wagtail_zoom/registration/sentence.html"
        response = render(request, page, context, status=503)
    except UNSAVED:
        # A project's own frame may ask the database, too.
        response = HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = SOON
    return response
