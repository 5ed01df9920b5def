"""Whether pages show the blocks that their editors placed: pages are rendered to find out.

The reference index knows which page holds a block. Whether the template of the page prints it, only
the rendered page tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation
from wagtail.models import Page

from ..frontend.block_index import blocks_on
from ..frontend.cache.fingerprint import fingerprint
from ..frontend.served_page import recording_rendered
from ..utils.error_reports import exc_info_of
from ..utils.logging import get_logger

logger = get_logger("blocks")

MAX_PAGES = 5
"""Pages of one Site that are rendered for the panel and the command."""
CACHE_SECONDS = 300


def pages_without_blocks(pages: Iterable[Page]) -> list[Page]:
    """Those of the first live pages that do not show each of their Zoom blocks."""
    live = [page for page in pages if page.live][:MAX_PAGES]
    return [page for page in live if not _shows_its_blocks(page)]


def _shows_its_blocks(page: Page) -> bool:
    published = page.last_published_at.timestamp() if page.last_published_at else 0
    key = f"wagtail_zoom:page:{page.pk}:{published}:{fingerprint()}"
    result = cache.get(key)
    if result is None:
        result = _render(page.specific)
        cache.set(key, result, CACHE_SECONDS)
    return bool(result)


def _render(page: Page) -> bool:
    """Render a page as in Wagtail's preview. True also where nothing can be said: a middleware of
    the project has answered, or the page fails."""
    placed = {id(block.value) for block in blocks_on(page)}
    serve_preview, is_served = page.serve_preview, []

    def serve(request: HttpRequest, mode_name: str) -> HttpResponse:
        try:
            with transaction.atomic():
                response: Any = serve_preview(request, mode_name)
                if hasattr(response, "render"):
                    response = response.render()
            is_served.append(response.status_code == 200)
        except Exception as error:  # whatever a project's page raises
            logger.warning("Page %s cannot be rendered.", page.pk, exc_info=exc_info_of(error))
        return HttpResponse()

    page.serve_preview = serve
    with _restored(), recording_rendered() as rendered:
        page.make_preview_request(preview_mode=page.default_preview_mode)
    return is_served != [True] or placed <= rendered


@contextmanager
def _restored() -> Iterator[None]:
    """The request that renders the page continues as before: middleware sets language and zone."""
    urlconf = get_urlconf()
    try:
        with (
            translation.override(translation.get_language()),
            timezone.override(timezone.get_current_timezone()),
        ):
            yield
    finally:
        set_urlconf(urlconf)
