"""Per-request context of the blocks of a page: visibility rules, results, block names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from wagtail.models import Page, Site

from ..conf import settings
from ..models import GrantState, ZoomSettings
from .block_index import PlacedBlock, block_prefix, blocks_on
from .visibility import SiteVisibility


@dataclass
class RequestContext:
    """Stored on the request, so that fifty blocks query once and not fifty times.

    Results with text are stored for each language, because a template may switch it.
    """

    visibilities: dict[tuple[int, str | None], SiteVisibility | None] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)
    placed_blocks: dict[int, list[PlacedBlock]] = field(default_factory=dict)
    names: dict[int, dict[int, str]] = field(default_factory=dict)
    fixed_names: dict[int, str] = field(default_factory=dict)
    count: int = 0
    has_assets: bool = False

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> RequestContext:
        """The one of the context's request; a new one without a request."""
        request = context.get("request")
        if request is None:
            return cls()
        request_context: RequestContext = request.__dict__.setdefault("_wagtail_zoom", cls())
        return request_context

    def memoize(self, key: Any, compute: Callable[[], Any]) -> Any:
        """The first result of ``compute`` for this key in the active language."""
        key = (get_language(), key)
        if key not in self.memo:
            self.memo[key] = compute()
        return self.memo[key]

    def blocks(self, page: Page) -> list[PlacedBlock]:
        """Our blocks in the page's own streams; searched once."""
        if page.pk not in self.placed_blocks:
            self.placed_blocks[page.pk] = blocks_on(page)
        return self.placed_blocks[page.pk]

    @contextmanager
    def fixed_name(self, value: Any, name: str) -> Iterator[None]:
        """Fixes the counted name of a block while it renders."""
        self.fixed_names[id(value)] = name
        try:
            yield
        finally:
            del self.fixed_names[id(value)]

    def name(self, context: Mapping[str, Any], value: Any) -> str:
        """A stable short name of a block: its anchor and the prefix of its parameters.

        Derived from the block's id in the stream. Blocks outside the page's own streams are
        numbered.
        """
        page = context.get("page")
        if isinstance(page, Page):
            if page.pk not in self.names:
                placed_blocks = self.blocks(page)
                self.names[page.pk] = {
                    id(placed.value): block_prefix(placed.block_id) for placed in placed_blocks
                }
            if id(value) in self.names[page.pk]:
                return self.names[page.pk][id(value)]
        if id(value) in self.fixed_names:
            return self.fixed_names[id(value)]
        self.count += 1
        return f"wz-{self.count}"


def visibility_for(context: Mapping[str, Any]) -> SiteVisibility | None:
    """The visibility rules of the page's Site; None without a page: nothing is shown then."""
    page, request = context.get("page"), context.get("request")
    if not isinstance(page, Page):
        return None
    visibilities, key = RequestContext.from_context(context).visibilities, (page.pk, get_language())
    if key not in visibilities:
        site = _site_of_page(page, request)
        visibilities[key] = SiteVisibility.for_site(site, page) if site else None
    return visibilities[key]


def _site_of_page(page: Page, request: Any) -> Site | None:
    """The requested Site if it shares the page's root, otherwise the page's own."""
    requested = Site.find_for_request(request) if request is not None else None
    if requested is not None:
        # As in Wagtail: a page belongs to the first root path that contains it.
        roots = Site.get_site_root_paths()
        page_root = next((root for root in roots if page.url_path.startswith(root.root_path)), None)
        own_paths = {root.root_path for root in roots if root.site_id == requested.pk}
        if page_root is not None and page_root.root_path in own_paths:
            return requested
    return page.get_site()


def stale_since(site_settings: ZoomSettings, now: datetime | None = None) -> datetime | None:
    """Since when occurrences may be out of date; None when they are current.

    Lists of upcoming occurrences show it to visitors, in the event's time zone.
    """
    now = now or timezone.now()
    grant, account = site_settings.grant, site_settings.account
    if account is None:
        return None
    times = [account.last_event_at, account.reconciled_at, grant.last_ok_at if grant else None]
    last_sync = max((time for time in times if time), default=None)
    stopped = site_settings.archived_at or site_settings.paused_at
    if stopped is not None:
        return min(last_sync, stopped) if last_sync else stopped
    broken = grant is None or grant.state in (GrantState.NEEDS_RECONNECT, GrantState.REVOKED)
    if broken or account.is_quarantined:
        return last_sync
    max_age = timedelta(hours=2 * settings.reconcile_hours)
    return last_sync if last_sync and last_sync < now - max_age else None
