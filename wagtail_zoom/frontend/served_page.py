"""The page that Wagtail serves in this request, for blocks that are rendered without a context.

``{{ page.body }}`` passes no context to the blocks, so they know neither page nor request. The page
that Wagtail has routed is remembered, after its view restrictions, until the request ends. Nothing
is guessed from a hostname: where no page is served, a block shows nothing and says so in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from wagtail.models import Page, PreviewableMixin

from ..utils.logging import get_logger

logger = get_logger("blocks")

Serve = Callable[..., HttpResponse]
_served: ContextVar[tuple[Page, HttpRequest] | None] = ContextVar("zoom_served_page", default=None)
_rendered: ContextVar[set[int] | None] = ContextVar("zoom_rendered_blocks", default=None)
_reported: set[str] = set()


def remember(serve_page: Serve) -> Serve:
    """For Wagtail's hook ``on_serve_page``. The response is rendered after it has returned."""

    @wraps(serve_page)
    def wrapped(page: Page, request: HttpRequest, args: Any, kwargs: Any) -> HttpResponse:
        _served.set((page, request))
        return serve_page(page, request, args, kwargs)

    return wrapped


def forget(**kwargs: Any) -> None:
    """Receiver of ``request_started`` and ``request_finished``: a thread serves many requests."""
    _served.set(None)  # guard: served-page-ends-with-request


def remember_previews() -> None:
    """Remember the page of a preview while it is rendered.

    Wagtail has no hook for previews, so the method that makes them is wrapped, once.
    """
    original = PreviewableMixin.make_preview_request
    if getattr(original, "remembers_page", False):
        return

    @wraps(original)
    def make_preview_request(self: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        serve_preview = self.serve_preview

        def remembering(request: HttpRequest, mode_name: str) -> HttpResponse:
            _served.set((self, request) if isinstance(self, Page) else None)
            response: HttpResponse = serve_preview(request, mode_name)
            return response

        token = _served.set(None)
        self.serve_preview = remembering
        try:
            response: HttpResponse = original(self, *args, **kwargs)
            return response
        finally:
            del self.serve_preview
            _served.reset(token)

    make_preview_request.remembers_page = True  # type: ignore[attr-defined]  # a mark
    PreviewableMixin.make_preview_request = make_preview_request


def complete_context(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """The context of a block, with the served page and its request where they are missing.

    A context has no page with ``include_block … only``, and another object of this name where a
    project paginates something.
    """
    completed, served = dict(context or {}), _served.get()
    if served is not None:
        page, request = served
        if not isinstance(completed.get("page"), Page):
            completed["page"] = page
        if completed.get("request") is None:
            completed["request"] = request
    return completed


def record_rendered(block: Any, value: Any, context: Mapping[str, Any]) -> None:
    """A block is rendered in this completed context.

    Without a page it shows nothing, which the log says once in each process and for each type.
    """
    if isinstance(context.get("page"), Page):
        rendered = _rendered.get()
        if rendered is not None:
            rendered.add(id(value))
    elif not context.get("zoom_sample") and type(block).__name__ not in _reported:
        _reported.add(type(block).__name__)
        logger.warning(
            "A %s was rendered outside of a page, so it shows nothing: its template passed no "
            "page, and Wagtail serves none in this request.",
            type(block).__name__,
        )


@contextmanager
def recording_rendered() -> Iterator[set[int]]:
    """Collects the ``id`` of the value of each block that is rendered with a page."""
    rendered: set[int] = set()
    token = _rendered.set(rendered)
    try:
        yield rendered
    finally:
        _rendered.reset(token)
