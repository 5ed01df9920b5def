"""When an owner chooses anew or leaves: what the Site showed goes from the front-end cache at once.

Which rows a page held is not known any more, so every page of the Site that may hold something of
Zoom's is purged, with all the addresses that its blocks can have (``every_variant``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from wagtail.contrib.frontend_cache.utils import get_backends, purge_urls_from_cache
from wagtail.models import Site

from .models import ZoomSettings
from .placements import blocks_on, pages_with_blocks, short_name
from .purging import MOST_URLS, addresses
from .showing.paging import query


def site_urls(site: Site) -> list[str]:
    """The addresses of all pages of a Site that hold one of our blocks; pages first, capped."""
    plain: list[str] = []
    more: list[str] = []
    for page, _through_snippet in pages_with_blocks(site):
        plain += (bases := list(addresses(site, page)))
        more += [
            f"{base}{text}"
            for each in blocks_on(page)
            for text in _queries(each.block, each.value, short_name(each.ident))
            for base in bases
        ]
    return list(dict.fromkeys([*plain, *more]))[:MOST_URLS]


def _queries(block: Any, value: Any, name: str) -> Iterator[str]:
    for values in block.every_variant(value):
        yield query(name, values)


def purge_site(site: Site) -> list[str]:
    """Purge all of it. Returns the addresses."""
    if not get_backends():
        return []
    urls = site_urls(site)
    if urls:
        purge_urls_from_cache(urls)
    return urls


def on_choice(instance: ZoomSettings, **kwargs: Any) -> None:
    """Receiver of ``post_save``: after the commit, when the hosts are stored too."""
    if get_backends():
        transaction.on_commit(lambda: purge_site(instance.site), robust=True)


def on_leave(site: Site, **kwargs: Any) -> None:
    """Receiver of ``account_disconnected``: also when the app was removed in Zoom."""
    purge_site(site)
