"""A strict Content-Security-Policy on every public page, which the blocks must comply with."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PUBLIC = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'self'; "
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add the header. Wagtail's admin has inline scripts, so it gets only ``form-action``, which
    browsers apply to the redirects of a form, too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's error pages have inline styles.
        if response.status_code >= 500:
            return response
        policy = "" if request.path.startswith("/admin/") else PUBLIC
        response.headers.setdefault("Content-Security-Policy", f"{policy}form-action 'self'")
        return response

    return middleware
