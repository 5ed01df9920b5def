"""A strict Content-Security-Policy on every public page, which the blocks must comply with."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PUBLIC = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'self'; "
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add the header outside Wagtail's admin.

    Browsers apply ``form-action`` to redirects too, so the invitation page allows Zoom: its
    button redirects to the consent page.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's error pages have inline styles.
        if request.path.startswith("/admin/") or response.status_code >= 500:
            return response
        zoom = settings.WAGTAIL_ZOOM["OAUTH_URL"]
        leads_to_zoom = request.path.startswith("/zoom/invite/")
        targets = f"'self' {zoom}" if leads_to_zoom else "'self'"
        response.headers.setdefault("Content-Security-Policy", f"{PUBLIC}form-action {targets}")
        return response

    return middleware
