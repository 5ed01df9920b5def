"""Caches calendar files in Django's cache, with the same keys as the HTML of blocks.

A key stands for everything that a file depends on, so it is the file's ETag too: whoever has this
version is answered without reading a row. Without ``BLOCK_CACHE`` files are rendered each time, and
the ETag is a digest of the content.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.crypto import salted_hmac

from ...conf import settings
from ...models import ZoomSettings, public_day
from ...models.versions import DATES
from .html import as_json, call_cache, host_versions, site_key_parts

SECONDS = 24 * 3600
"""How long an unchanged file is cached. The day is part of the key: items expire with days."""
MAX_PACKED_LENGTH = 1_000_000
"""Bytes of a cached file after compression: Memcached stores no more. Room for the largest file."""


@dataclass(frozen=True)
class CachedFile:
    """A file with its validators."""

    body: bytes
    name: str
    etag: str
    rendered_at: int
    """Seconds since 1970: no older version was rendered later."""


def file_key(site_settings: ZoomSettings, *subject: Any) -> str:
    """The key of a file of a Site; empty without ``BLOCK_CACHE``."""
    if not settings.block_cache:
        return ""
    dates = host_versions(site_settings)[DATES]
    text = as_json([*site_key_parts(site_settings), dates, public_day(), *subject])
    return salted_hmac("wagtail_zoom.frontend.cache.files", text, algorithm="sha256").hexdigest()


def etag_of(key: str) -> str:
    """The ETag of the file with this key. Weak: two releases of a library may write other bytes."""
    return f'W/"{key[:32]}"'


def cached_file(key: str, render: Callable[[], tuple[bytes, str]]) -> CachedFile:
    """The file of a key, from the cache or newly rendered as ``(body, name)``."""
    cache_key = f"wagtail_zoom:file:{key}"
    entry = call_cache("get_many", [cache_key]).get(cache_key) if key else None
    if isinstance(entry, tuple) and len(entry) == 3:
        packed, name, rendered_at = entry
        return CachedFile(zlib.decompress(packed), name, etag_of(key), rendered_at)
    rendered_at = int(time.time())
    body, name = render()
    if key:
        packed = zlib.compress(body)
        if len(packed) <= MAX_PACKED_LENGTH:
            call_cache("set", cache_key, (packed, name, rendered_at), SECONDS)
    etag = etag_of(key or hashlib.sha256(body).hexdigest())
    return CachedFile(body, name, etag, rendered_at)
