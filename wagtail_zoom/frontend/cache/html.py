"""Rendered HTML of blocks, kept in Django's cache until something that it shows changes.

The key holds everything that the HTML follows from: the Site's choices and what its grant covers,
the version of the account's data, page, block, value, language. All of that is read from the
database once for a page, so processes need not tell each other anything. An entry ends at the
next moment at which the clock changes what is shown (``turns``). Whatever cannot be named in a
key is rendered anew: previews, searches, paths that are not the page's own.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

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
from ...utils.logging import get_logger
from ..context import Shared, gate, stale_since
from ..pagination import Asked
from . import fingerprint
from .expiry import Turns, next_turn, quarter_after

logger = get_logger("keeping")

MOST_CHARACTERS = 500_000
"""Longer HTML is not kept: memcached takes no more than a megabyte."""
REST_SECONDS = 30
"""For how long a cache that failed is left alone, so that no visitor waits for it each time."""
Entry = tuple[float, float, str]
"""Rendered when, good until when (seconds since 1970), HTML."""

_resting: dict[str, float] = {}


@dataclass
class Keeper:
    """What is kept of one page for one request."""

    base: str
    """Whatever the blocks of the page have in common, as text."""
    choice: ZoomSettings
    page: Page
    now: datetime
    entries: dict[str, Any] = field(default_factory=dict)
    values: dict[int, tuple[Any, str]] = field(default_factory=dict)
    """Digests of values by ``id``; the value is held, so that no other gets its id."""
    keys: dict[int, str] = field(default_factory=dict)
    """Keys of the blocks of the page's own streams, by the ``id`` of their values."""
    loaded: bool = False
    turn: datetime | None = None

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Keeper | None:
        """That of the context's page; None where nothing is kept."""
        page, request = context.get("page"), context.get("request")
        if request is None or not isinstance(page, Page) or context.get("zoom_sample"):
            return None
        shared = Shared.of(context)
        found: Keeper | None = shared.once(("keeper", page.pk), lambda: cls._make(page, context))
        return found

    @classmethod
    def _make(cls, page: Page, context: Mapping[str, Any]) -> Keeper | None:
        request = context["request"]
        if not settings.block_cache or getattr(request, "is_preview", False):
            return None
        if request.method not in ("GET", "HEAD"):
            return None
        url = page.get_url(request) or ""
        if not url or unquote(urlsplit(url).path) != request.path:
            return None
        found = gate(context)
        if found is None or found.choice is None or not found.choice.shows_data:
            return None
        now = timezone.now()
        facts = [
            *_of_site(found.choice, now),
            *(page.pk, url, page.title, page.live_revision_id, page.last_published_at),
            *(get_language(), timezone.get_current_timezone_name()),
            *(get_script_prefix(), get_urlconf(), fingerprint.fingerprint()),
            fingerprint.catalogue(get_language()),
        ]
        return cls(_text(facts), found.choice, page, now)

    def key(self, block: Any, value: Any, name: str, request: Any) -> str:
        """The cache key of a block; empty when it is to be rendered anew."""
        asked = block.kept_for(value, Asked.read(request, name))
        template = block.get_template(value)
        if asked is None or not fingerprint.text_of(template):
            return ""
        if id(value) not in self.values:
            text = _text(block.get_prep_value(value))
            self.values[id(value)] = (value, hashlib.sha256(text.encode()).hexdigest())
        kind = f"{type(block).__module__}.{type(block).__qualname__}"
        facts = [
            kind,
            template,
            fingerprint.digest_of(template),
            name,
            asked,
            self.values[id(value)][1],
        ]
        digest = salted_hmac(
            "wagtail_zoom.frontend.cache", self.base + _text(facts), algorithm="sha256"
        )
        return f"wagtail_zoom:html:{digest.hexdigest()}"

    def read(self, key: str, context: Mapping[str, Any]) -> str | None:
        """The kept HTML; all blocks of the page's own streams are asked for at once."""
        if not self.loaded:
            self.loaded = True
            self._load(context)
        if key not in self.entries:
            self.entries.update({key: None, **_asked_cache("get_many", [key])})
        return self._good(key)

    def has(self, value: Any) -> bool:
        """Whether the HTML of a block of the page's own streams is there already."""
        return self._good(self.keys.get(id(value), "")) is not None

    def _good(self, key: str) -> str | None:
        entry, now = self.entries.get(key), timezone.now().timestamp()
        if isinstance(entry, tuple) and len(entry) == 3 and entry[0] <= now < entry[1]:
            return str(entry[2])
        return None

    def turns(self) -> Turns | None:
        """What the next entry needs to know; for a query that is made anyway."""
        return Turns(self.choice, self.now) if self.turn is None else None

    def _load(self, context: Mapping[str, Any]) -> None:
        shared, request = Shared.of(context), context["request"]
        for each in shared.blocks(self.page):
            if getattr(each.block, "is_kept", False):
                name = shared.name(context, each.value)
                self.keys[id(each.value)] = self.key(each.block, each.value, name, request)
        wanted = [key for key in self.keys.values() if key]
        if wanted:
            self.entries.update({**dict.fromkeys(wanted), **_asked_cache("get_many", wanted)})

    def keep(self, key: str, html: str, until: datetime | None) -> None:
        """Keep what was just rendered until the clock changes it."""
        if len(html) > MOST_CHARACTERS:
            return
        if self.turn is None:
            self.turn = next_turn(self.choice, self.now)
        end = min([self.turn, *([until] if until else []), quarter_after(self.now)]).timestamp()
        entry: Entry = (self.now.timestamp(), end, html)
        self.entries[key] = entry
        seconds = math.ceil(end - timezone.now().timestamp())
        if seconds > 0:
            _asked_cache("set", key, entry, seconds)


def _of_site(choice: ZoomSettings, now: datetime) -> list[Any]:
    """What a Site's HTML follows from, beside the rows behind ``data_version``."""
    grant, account, site = choice.grant, choice.account, choice.site
    made = [getattr(choice, column.attname) for column in choice._meta.concrete_fields]
    made += [site.hostname, site.port, site.site_name, site.root_page_id]
    if grant is not None:
        made += [grant.account_id, grant.account_level, grant.zoom_user_id, grant.missing_kinds]
    if account is not None:
        made += [account.zoom_id, account.created_at, account.data_version, account.is_quarantined]
    return [*made, stale_since(choice, now)]


def _text(facts: Any) -> str:
    return json.dumps(facts, default=str, sort_keys=True, ensure_ascii=False)


def _asked_cache(what: str, *arguments: Any) -> dict[str, Any]:
    """Ask the cache, or do without: a page never fails because its cache did."""
    alias = settings.block_cache
    if _resting.get(alias, 0.0) > time.monotonic():
        return {}
    try:
        return getattr(caches[alias], what)(*arguments) or {}
    except InvalidCacheBackendError:
        reason = "is not in CACHES"
    except Exception as error:  # whatever a cache's driver raises
        reason = f"failed ({type(error).__name__})"
    _resting[alias] = time.monotonic() + REST_SECONDS
    logger.warning(
        "The cache %r %s. Blocks are rendered anew for %s seconds, then it is tried again.",
        alias, reason, REST_SECONDS,
    )  # fmt: skip
    return {}


def assets(context: Mapping[str, Any], template: str) -> SafeString:
    """Stylesheet and script in front of the first block of a page, never kept: they may be new,
    or carry a nonce. Nothing where the page's head or an earlier block has brought them."""
    shared = Shared.of(context)
    if shared.has_assets or "blocks/_assets.html" not in fingerprint.text_of(template):
        shared.has_assets = True
        return mark_safe("")
    shared.has_assets = True
    return render_to_string("wagtail_zoom/blocks/_assets.html", dict(context))
