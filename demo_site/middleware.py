"""A strict Content-Security-Policy on every public page: what the blocks must get along with."""

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

    Browsers apply ``form-action`` to redirects too, so the page of an invitation names Zoom: its
    button leads to the consent page.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's own page about an error has its styles inline.
        if request.path.startswith("/admin/") or response.status_code >= 500:
            return response
        zoom = settings.WAGTAIL_ZOOM["OAUTH_URL"]
        leads_to_zoom = request.path.startswith("/zoom/invite/")
        targets = f"'self' {zoom}" if leads_to_zoom else "'self'"
        response.headers.setdefault("Content-Security-Policy", f"{PUBLIC}form-action {targets}")
        return response

    return middleware
