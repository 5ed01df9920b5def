"""What all public addresses of registration share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponse]


def anonymous(referrer: str) -> Callable[[View], View]:
    """No log-in, no cookie, no cache, no transaction around a call to Zoom.

    Django's own CSRF protection needs a cookie and a token in the page, which a cached page cannot
    have; ``origins`` checks instead where a form comes from.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            add_never_cache_headers(response)
            response["Referrer-Policy"] = referrer
            response["X-Robots-Tag"] = "noindex, nofollow"
            # Nobody puts our buttons under their own page, whatever middleware the project has.
            response.headers.setdefault("X-Frame-Options", "DENY")
            return response

        return csrf_exempt(login_not_required(transaction.non_atomic_requests(guarded)))

    return decorate
