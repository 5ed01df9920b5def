"""``Cache-Control`` of pages with our blocks: it ends when the page changes with time.

Page caches and CDNs take their time to live from it. Otherwise a button to join could appear when
a cache of four hours is over. Browsers ask every time, unless the project says otherwise: whoever
loads a page again sees what has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from wagtail.models import Page

from ...conf import settings
from ..context import RequestContext
from .expiry import next_expiry, next_quarter_hour
from .html import BlockCache

Serve = Callable[..., HttpResponse]
_LIFETIME: Final = re.compile(r"\b(max-age|s-maxage)=(\d+)")


def limit_lifetime(serve_page: Serve) -> Serve:
    """For Wagtail's hook ``on_serve_page``: what the page shows is known once it is rendered."""

    @wraps(serve_page)
    def wrapped(page: Page, request: HttpRequest, args: Any, kwargs: Any) -> HttpResponse:
        response = serve_page(page, request, args, kwargs)

        def patch(rendered: HttpResponse) -> None:
            _patch(rendered, request)

        if hasattr(response, "add_post_render_callback"):
            response.add_post_render_callback(patch)
        else:
            patch(response)
        return response

    return wrapped


def set_lifetime(response: HttpResponse, request: HttpRequest, seconds: int) -> None:
    """Let shared caches store the response for ``seconds``, and browsers ask every time.

    Django's ``UpdateCacheMiddleware`` and that of wagtail-cache know ``max-age`` only, so where one
    is installed, browsers get it too. A visitor with a session gets none at all: an editor sees
    what has just been published.
    """
    if django_settings.SESSION_COOKIE_NAME in request.COOKIES:
        patch_cache_control(response, max_age=0)
    elif any(path.endswith("cache.UpdateCacheMiddleware") for path in django_settings.MIDDLEWARE):
        patch_cache_control(response, max_age=seconds)
    else:
        patch_cache_control(response, max_age=0, s_maxage=seconds)


def _patch(response: HttpResponse, request: HttpRequest) -> None:
    """End ``max-age`` and ``s-maxage`` at the next change. Where the project sent none, they are
    PAGE_MAX_AGE at most."""
    request_context: RequestContext | None = request.__dict__.get("_wagtail_zoom")
    if request_context is None or response.status_code != 200:
        return
    if not any(request_context.visibilities.values()) or request.method not in ("GET", "HEAD"):
        return
    if "no-store" in response.get("Cache-Control", ""):
        return
    if not _LIFETIME.search(response.get("Cache-Control", "")):
        set_lifetime(response, request, settings.page_max_age)
    lifetimes = {
        name.replace("-", "_"): int(seconds)
        for name, seconds in _LIFETIME.findall(response["Cache-Control"])
    }
    if any(lifetimes.values()):
        now = timezone.now()
        limit = max(0, int((_expires_at(request_context, now) - now).total_seconds()))
        for name, seconds in lifetimes.items():
            lifetimes[name] = min(seconds, limit)  # guard: page-expires-at-next-change
        patch_cache_control(response, **lifetimes)


def _expires_at(request_context: RequestContext, now: datetime) -> datetime:
    """When the page may look different. No query where the HTML of a block was in the cache."""
    caches = [value for value in request_context.memo.values() if isinstance(value, BlockCache)]
    ends = [block_cache.used_until for block_cache in caches if block_cache.used_until]
    if ends:
        return min(ends)
    rows = {
        visibility.site_settings.pk: visibility.site_settings
        for visibility in request_context.visibilities.values()
        if visibility is not None and visibility.site_settings is not None
    }
    return min((next_expiry(row, now) for row in rows.values()), default=next_quarter_hour(now))
