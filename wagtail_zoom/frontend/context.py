"""What all our blocks on one page share while it renders: Site, gate, results, block names."""

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
from .block_index import Placed, blocks_on, short_name
from .visibility import Exposure


@dataclass
class Shared:
    """Kept on the request, so that fifty blocks ask once and not fifty times.

    What holds words is kept for each language: a template may speak another one in one place.
    """

    gates: dict[tuple[int, str | None], Exposure | None] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)
    placed: dict[int, list[Placed]] = field(default_factory=dict)
    names: dict[int, dict[int, str]] = field(default_factory=dict)
    pins: dict[int, str] = field(default_factory=dict)
    count: int = 0
    has_assets: bool = False

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Shared:
        """That of the context's request; a fresh one without a request."""
        request = context.get("request")
        if request is None:
            return cls()
        found: Shared = request.__dict__.setdefault("_wagtail_zoom", cls())
        return found

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gave the first time for this key, in this language."""
        key = (get_language(), key)
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def blocks(self, page: Page) -> list[Placed]:
        """Our blocks in the page's own streams; looked for once."""
        if page.pk not in self.placed:
            self.placed[page.pk] = blocks_on(page)
        return self.placed[page.pk]

    @contextmanager
    def pinned(self, value: Any, name: str) -> Iterator[None]:
        """While a block renders, its counted name stays what it is."""
        self.pins[id(value)] = name
        try:
            yield
        finally:
            del self.pins[id(value)]

    def name(self, context: Mapping[str, Any], value: Any) -> str:
        """A short name of this very block, the same on every visit: prefix of its parameters.

        Taken from the id that the editor's stream keeps; blocks outside of the page's own
        streams are counted instead.
        """
        page = context.get("page")
        if isinstance(page, Page):
            if page.pk not in self.names:
                found = self.blocks(page)
                self.names[page.pk] = {id(each.value): short_name(each.ident) for each in found}
            if id(value) in self.names[page.pk]:
                return self.names[page.pk][id(value)]
        if id(value) in self.pins:
            return self.pins[id(value)]
        self.count += 1
        return f"wz-{self.count}"


def gate(context: Mapping[str, Any]) -> Exposure | None:
    """The gate of the page's Site; None without a page, so that nothing is shown then."""
    page, request = context.get("page"), context.get("request")
    if not isinstance(page, Page):
        return None
    kept, key = Shared.of(context).gates, (page.pk, get_language())
    if key not in kept:
        site = _site(page, request)
        kept[key] = Exposure.for_site(site) if site else None
    return kept[key]


def _site(page: Page, request: Any) -> Site | None:
    """Among Sites that share the page's root the one asked for, else the page's own."""
    asked = Site.find_for_request(request) if request is not None else None
    if asked is not None:
        # Wagtail's own order: the page belongs to the first root that it stands below.
        roots = Site.get_site_root_paths()
        own = next((each for each in roots if page.url_path.startswith(each.root_path)), None)
        mine = {each.root_path for each in roots if each.site_id == asked.pk}
        if own is not None and own.root_path in mine:
            return asked
    return page.get_site()


def stale_since(choice: ZoomSettings, now: datetime | None = None) -> datetime | None:
    """Since when dates may have changed at Zoom without our hearing of it; None when up to date.

    Visitors are told on lists of coming dates, in the event's zone.
    """
    now = now or timezone.now()
    grant, account = choice.grant, choice.account
    if account is None:
        return None
    times = [account.last_event_at, account.reconciled_at, grant.last_ok_at if grant else None]
    last = max((each for each in times if each), default=None)
    if choice.archived_at or choice.paused_at:
        stopped = choice.archived_at or choice.paused_at
        return min(last, stopped) if last else stopped
    broken = grant is None or grant.state in (GrantState.NEEDS_RECONNECT, GrantState.REVOKED)
    if broken or account.is_quarantined:
        return last
    patience = timedelta(hours=2 * settings.reconcile_hours)
    return last if last and last < now - patience else None
