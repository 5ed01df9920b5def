"""Caches the rendered HTML of blocks in Django's cache until something that it shows changes.

The key covers everything that the HTML depends on: the Site's settings and what its grant covers,
the versions of the data of the account and of the hosts that the Site shows, page, block, value and
language. All of that is read from the database once for a page, so processes do not need to notify
each other. An entry expires at the next time at which the page may look different (``expiry``).
Requests whose output depends on anything outside the key bypass the cache: previews, searches,
paths that are not the page's own.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from django.core.cache import InvalidCacheBackendError, caches
from django.template.loader import render_to_string
from django.urls import get_script_prefix, get_urlconf
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from wagtail.models import Page

from ...conf import settings
from ...models import ZoomSettings
from ...models.versions import ALL_DATA, DATES, with_host_versions
from ...utils.logging import get_logger
from ...utils.urls import split_url
from ..context import RequestContext, stale_since, visibility_for
from ..pagination import BlockParams
from . import fingerprint
from .expiry import ExpiryQuery, next_expiry, next_quarter_hour

logger = get_logger("cache")

MAX_HTML_LENGTH = 500_000
"""Longer HTML is not cached: memcached accepts no more than a megabyte."""
RETRY_SECONDS = 30
"""How long a failed cache is not used, so that requests do not wait for it each time."""
Entry = tuple[float, float, str]
"""When it was rendered, when it expires (both in seconds since 1970), HTML."""

_retry_at: dict[str, float] = {}


@dataclass
class BlockCache:
    """The cached HTML of one page's blocks, for one request."""

    key_base: str
    """The key parts that all blocks of the page share, as text."""
    versions: Mapping[str, Any]
    """The version of each kind of data of the Site's hosts."""
    site_settings: ZoomSettings
    page: Page
    now: datetime
    entries: dict[str, Any] = field(default_factory=dict)
    digests: dict[int, tuple[Any, str]] = field(default_factory=dict)
    """Block values and their digests by ``id``. The reference prevents reuse of an id."""
    keys: dict[int, str] = field(default_factory=dict)
    """Keys of the blocks of the page's own streams, by the ``id`` of their values."""
    loaded: bool = False
    expires_at: datetime | None = None
    """When cached HTML of this Site expires, once it is known."""
    used_until: datetime | None = None
    """When the first of the cached blocks that are on the page expires."""

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> BlockCache | None:
        """The cache of the context's page; None where nothing is cached."""
        page, request = context.get("page"), context.get("request")
        if request is None or not isinstance(page, Page) or context.get("zoom_sample"):
            return None
        request_context = RequestContext.from_context(context)
        block_cache: BlockCache | None = request_context.memoize(
            ("block cache", page.pk), lambda: cls._make(page, context)
        )
        return block_cache

    @classmethod
    def _make(cls, page: Page, context: Mapping[str, Any]) -> BlockCache | None:
        request = context["request"]
        if not settings.block_cache or getattr(request, "is_preview", False):
            return None
        if request.method not in ("GET", "HEAD"):
            return None
        url = page.get_url(request) or ""
        if not url or unquote(split_url(url).path) != request.path:
            return None
        visibility = visibility_for(context)
        if (
            visibility is None
            or visibility.site_settings is None
            or not visibility.site_settings.shows_data
        ):
            return None
        now = timezone.now()
        key_parts = [
            *site_key_parts(visibility.site_settings),
            stale_since(visibility.site_settings, now),
            *(page.pk, url, page.title, page.live_revision_id, page.last_published_at),
        ]
        versions = host_versions(visibility.site_settings)
        return cls(as_json(key_parts), versions, visibility.site_settings, page, now)

    def key(self, block: Any, value: Any, name: str, request: Any) -> str:
        """The cache key of a block; empty when the block is not cached."""
        vary = block.cache_vary(value, BlockParams.from_request(request, name))
        template = block.get_template(value)
        if vary is None or not fingerprint.template_source(template):
            return ""
        if id(value) not in self.digests:
            text = as_json(block.get_prep_value(value))
            self.digests[id(value)] = (value, hashlib.sha256(text.encode()).hexdigest())
        block_type = f"{type(block).__module__}.{type(block).__qualname__}"
        key_parts = [
            block_type,
            template,
            fingerprint.template_digest(template),
            name,
            vary,
            [self.versions[kind] for kind in block.zoom_data(value)],
            self.digests[id(value)][1],
        ]
        digest = salted_hmac(
            "wagtail_zoom.frontend.cache", self.key_base + as_json(key_parts), algorithm="sha256"
        )
        return f"wagtail_zoom:html:{digest.hexdigest()}"

    def get(self, key: str, context: Mapping[str, Any]) -> str | None:
        """The cached HTML, if any. The first call loads all blocks of the page's own streams."""
        if not self.loaded:
            self.loaded = True
            self._load(context)
        if key not in self.entries:
            self.entries.update({key: None, **call_cache("get_many", [key])})
        html = self._fresh_html(key)
        if html is not None:
            self._use_until(self.entries[key][1])
        return html

    def has(self, value: Any) -> bool:
        """Whether the HTML of a block of the page's own streams is cached."""
        return self._fresh_html(self.keys.get(id(value), "")) is not None

    def _fresh_html(self, key: str) -> str | None:
        entry, now = self.entries.get(key), timezone.now().timestamp()
        if isinstance(entry, tuple) and len(entry) == 3 and entry[0] <= now < entry[1]:
            return str(entry[2])
        return None

    def _use_until(self, end: float) -> None:
        expires_at = datetime.fromtimestamp(end, UTC)
        self.used_until = min(self.used_until or expires_at, expires_at)

    def expiry_query(self) -> ExpiryQuery | None:
        """Annotations for the next query that compute ``expires_at``; None when it is known."""
        return ExpiryQuery(self.site_settings, self.now) if self.expires_at is None else None

    def _load(self, context: Mapping[str, Any]) -> None:
        request_context, request = RequestContext.from_context(context), context["request"]
        for placed in request_context.blocks(self.page):
            if getattr(placed.block, "is_cacheable", False):
                name = request_context.name(context, placed.value)
                self.keys[id(placed.value)] = self.key(placed.block, placed.value, name, request)
        keys = [key for key in self.keys.values() if key]
        if keys:
            self.entries.update({**dict.fromkeys(keys), **call_cache("get_many", keys)})

    def set(self, key: str, html: str, until: datetime | None) -> None:
        """Cache HTML until the next expiry; ``until`` is an earlier limit of the block."""
        if len(html) > MAX_HTML_LENGTH:  # guard: cached-html-limit
            return
        if self.expires_at is None:
            self.expires_at = next_expiry(self.site_settings, self.now)
        end = min(
            [self.expires_at, *([until] if until else []), next_quarter_hour(self.now)]
        ).timestamp()
        entry: Entry = (self.now.timestamp(), end, html)
        self.entries[key] = entry
        self._use_until(end)
        seconds = math.ceil(end - timezone.now().timestamp())
        if seconds > 0:
            call_cache("set", key, entry, seconds)


def site_key_parts(site_settings: ZoomSettings) -> list[Any]:
    """What a Site's pages and files depend on, besides ``host_versions``."""
    grant, account, site = site_settings.grant, site_settings.account, site_settings.site
    parts = [
        getattr(site_settings, column.attname) for column in site_settings._meta.concrete_fields
    ]
    parts += [site.hostname, site.port, site.site_name, site.root_page_id]
    if grant is not None:
        parts += [grant.account_id, grant.account_level, grant.zoom_user_id, grant.missing_kinds]
    if account is not None:
        parts += [account.zoom_id, account.created_at, account.data_version, account.is_quarantined]
    return [
        *parts,
        *(get_language(), timezone.get_current_timezone_name()),
        *(get_script_prefix(), get_urlconf(), fingerprint.fingerprint()),
        fingerprint.translations_digest(get_language()),
    ]


def host_versions(site_settings: ZoomSettings) -> dict[str, Any]:
    """The version of each kind of data of the hosts that a Site shows."""
    if not hasattr(site_settings, f"{DATES}_version"):
        site_settings = with_host_versions(ZoomSettings.objects.all()).get(pk=site_settings.pk)
    return {kind: getattr(site_settings, f"{kind}_version") for kind in ALL_DATA}


def as_json(value: Any) -> str:
    """Parts of a key as text."""
    return json.dumps(value, default=str, sort_keys=True, ensure_ascii=False)


def call_cache(method: str, *arguments: Any) -> dict[str, Any]:
    """Call the cache. When it fails, pages and files are rendered without it."""
    alias = settings.block_cache
    if _retry_at.get(alias, 0.0) > time.monotonic():
        return {}
    try:
        return getattr(caches[alias], method)(*arguments) or {}
    except InvalidCacheBackendError:
        reason = "is not in CACHES"
    except Exception as error:  # any exception of a cache's driver
        reason = f"failed ({type(error).__name__})"
    _retry_at[alias] = time.monotonic() + RETRY_SECONDS
    logger.warning(
        "The cache %r %s. Blocks are rendered without it for %s seconds, then it is tried again.",
        alias, reason, RETRY_SECONDS,
    )  # fmt: skip
    return {}


def render_assets(context: Mapping[str, Any], template: str) -> SafeString:
    """Stylesheet and script tags for the first block of a page. They are never cached, because
    they may change or have a nonce. Empty when the page's head or an earlier block has them."""
    request_context = RequestContext.from_context(context)
    if request_context.has_assets or "blocks/_assets.html" not in fingerprint.template_source(
        template
    ):
        request_context.has_assets = True
        return mark_safe("")
    request_context.has_assets = True
    return render_to_string("wagtail_zoom/blocks/_assets.html", dict(context))
