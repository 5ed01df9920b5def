"""Views of an authorisation: not cached, not framed, and not in error reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.cache import never_cache

from .error_reports import hide_people

View = Callable[..., HttpResponse]


def private_page(referrer_policy: str) -> Callable[[View], View]:
    """No caching, no framing, no opener, and the given referrer policy.

    A page with a form needs ``same-origin``: with ``no-referrer`` a browser posts it with
    ``Origin: null``, which Django's CSRF protection refuses.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            response["Referrer-Policy"] = referrer_policy
            response["Cross-Origin-Opener-Policy"] = "same-origin"  # guard: oauth-no-opener
            response.headers.setdefault("X-Frame-Options", "DENY")
            return response

        return never_cache(hide_people(wrapper))

    return decorate


def public_page(referrer_policy: str) -> Callable[[View], View]:
    """A private page without a required login and without a transaction around calls to Zoom."""

    def decorate(view: View) -> View:
        page = private_page(referrer_policy)(view)
        return login_not_required(transaction.non_atomic_requests(page))

    return decorate


def take_parameters(request: HttpRequest, *names: str) -> list[str]:
    """Read these parameters and remove the query from the request.

    Error reports print ``request.GET`` and ``request.META``; state, code and ticket are in neither.
    """
    values = [request.GET.get(name, "") for name in names]
    request.GET = QueryDict()  # guard: oauth-query-not-reported
    for name in ("QUERY_STRING", "REQUEST_URI", "RAW_URI"):
        if name in request.META:
            request.META[name] = ""
    return values
