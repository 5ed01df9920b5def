"""Where our blocks are used: on one page (its streams) and on any page (the reference index).

Used for parameter names, for the detail page of a meeting and for purging.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.utils.translation import get_language
from wagtail.blocks import Block
from wagtail.blocks.list_block import ListValue
from wagtail.blocks.stream_block import StreamValue
from wagtail.blocks.struct_block import StructValue
from wagtail.fields import StreamField
from wagtail.models import Page, ReferenceIndex, Site, get_page_models

from ..models import BlockUsage, SiteItem
from . import page_tree

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class PlacedBlock:
    """One of our blocks in a stream."""

    block_id: str
    block: Block
    value: Any


def block_prefix(block_id: str) -> str:
    """A block's anchor and parameter prefix, from its id in the stream."""
    return f"wz-{hashlib.sha256(block_id.encode()).hexdigest()[:6]}"


def _anchor(path: str) -> str:
    """The anchor of the block at a content path of the reference index; empty for a field."""
    parts = path.split(".")
    last = max((index for index, part in enumerate(parts) if _UUID.fullmatch(part)), default=0)
    return f"#{block_prefix('.'.join(parts[last:]))}" if last else ""


def blocks_on(page: Page) -> list[PlacedBlock]:
    """Our blocks in the page's own streams, however deeply nested. Reads no other table."""
    placed_blocks: list[PlacedBlock] = []
    for field in page._meta.get_fields():
        if isinstance(field, StreamField):
            value = getattr(page, field.name)
            placed_blocks.extend(_walk_blocks(field.stream_block, value, field.name))
    return placed_blocks


def _walk_blocks(block: Block, value: Any, block_id: str) -> Iterator[PlacedBlock]:
    if getattr(block, "zoom_usage", None):
        yield PlacedBlock(block_id, block, value)
    elif isinstance(value, StreamValue):
        for child in value:
            yield from _walk_blocks(child.block, child.value, child.id or block_id)
    elif isinstance(value, StructValue):
        for name, bound in value.bound_blocks.items():
            yield from _walk_blocks(bound.block, bound.value, f"{block_id}.{name}")
    elif isinstance(value, ListValue):
        for bound in value.bound_blocks:
            yield from _walk_blocks(bound.block, bound.value, bound.id or block_id)


DETAIL_USAGES = (BlockUsage.REGISTRATION, BlockUsage.MEETING)
"""Block usages that make a page the detail page of a meeting; the form first."""


def has_detail_page() -> Exists:
    """For a query of items: whether any page references the item, to save useless look-ups."""
    types = ContentType.objects.get_for_models(SiteItem, Page)
    return Exists(
        ReferenceIndex.objects.filter(
            base_content_type=types[Page],
            to_content_type=types[SiteItem],
            to_object_id=Cast(OuterRef("pk"), CharField()),
        )
    )


def detail_pages(
    site: Site, items: Iterable[SiteItem], seen_from: Page | None = None
) -> dict[int, tuple[str, bool]]:
    """The URL of the live detail page of each item on this Site, for visitors who see the given
    page (by default the root page): no page that is more private than that one.

    Returns ``{item pk: (url, whether it has the form)}``. Of pages in several languages it is the
    one in the active language. A detail page has the item in a ``MeetingBlock``, in a
    ``RegistrationFormBlock`` or in a field of its own (``ZoomMeetingPageMixin``). Four queries for
    any number of items.
    """
    item_ids = {str(item.pk) for item in items}
    if not item_ids:
        return {}
    types = ContentType.objects.get_for_models(SiteItem, BlockUsage)
    rows = ReferenceIndex.objects.filter(
        Q(to_content_type=types[SiteItem], to_object_id__in=item_ids)
        | Q(to_content_type=types[BlockUsage], to_object_id__in=DETAIL_USAGES),
        base_content_type=ContentType.objects.get_for_model(Page),
    ).values_list("object_id", "to_content_type", "to_object_id", "content_path")
    usages: dict[str, dict[str, str]] = defaultdict(dict)
    item_references: list[tuple[str, str, str]] = []
    for page_id, type_id, target_id, path in rows:
        if type_id == types[BlockUsage].pk:
            usages[page_id][path] = target_id
        else:
            item_references.append((page_id, target_id, path))
    candidates: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for page_id, target_id, path in item_references:
        if "." not in path:
            # A field of the page itself, as in ZoomMeetingPageMixin.
            candidates[int(target_id)].append(
                (DETAIL_USAGES.index(BlockUsage.MEETING), page_id, "")
            )
        for usage_path, usage in usages[page_id].items():
            if path == usage_path or path.startswith(f"{usage_path}."):
                candidates[int(target_id)].append(
                    (DETAIL_USAGES.index(usage), page_id, _anchor(usage_path))
                )
    return _best_urls(site, candidates, seen_from or site.root_page)


def meeting_page_url(site: Site, item: SiteItem, seen_from: Page) -> str:
    """The URL of the live page that has the item in a field of its own (``ZoomMeetingPageMixin``),
    for visitors who see the given page; empty without one."""
    types = ContentType.objects.get_for_models(SiteItem, Page)
    references = ReferenceIndex.objects.filter(
        base_content_type=types[Page], to_content_type=types[SiteItem], to_object_id=str(item.pk)
    ).exclude(content_path__contains=".")
    rank = DETAIL_USAGES.index(BlockUsage.MEETING)
    candidates = [(rank, page_id, "") for page_id in references.values_list("object_id", flat=True)]
    return _best_urls(site, {item.pk: candidates}, seen_from).get(item.pk, ("", False))[0]


def dates_page(site: Site, seen_from: Page) -> Page | None:
    """The first live page of the Site whose type has a URL for each occurrence
    (``ZoomDatesPageMixin``), in the active language where there is one."""
    models = [model for model in get_page_models() if hasattr(model, "zoom_date_path")]
    pages = Page.objects.live().filter(
        page_tree.site_pages(site),
        page_tree.seen_from(seen_from),
        content_type__in=ContentType.objects.get_for_models(*models).values(),
    )
    if page_tree.i18n_enabled():
        pages = pages.select_related("locale")
    first = min(pages, key=lambda page: (_language_distance(page, site), page.path), default=None)
    return first.specific if first else None


def _best_urls(
    site: Site, candidates: dict[int, list[tuple[int, str, str]]], seen_from: Page
) -> dict[int, tuple[str, bool]]:
    page_ids = {
        page_id for references in candidates.values() for _rank, page_id, _anchor in references
    }
    if not page_ids:
        return {}
    pages = Page.objects.live().filter(
        page_tree.site_pages(site), page_tree.seen_from(seen_from), pk__in=page_ids
    )
    if page_tree.i18n_enabled():
        pages = pages.select_related("locale")
    urls = {str(page.pk): page.get_url(current_site=site) for page in pages}
    distances = {str(page.pk): _language_distance(page, site) for page in pages}
    best = {}
    for item_id, references in candidates.items():
        for rank, page_id, anchor in sorted(
            references, key=lambda reference: (distances.get(reference[1], 0), reference)
        ):
            if urls.get(page_id):
                is_form = DETAIL_USAGES[rank] == BlockUsage.REGISTRATION
                best[item_id] = (f"{urls[page_id]}{anchor}", is_form)
                break
    return best


def _language_distance(page: Page, site: Site) -> int:
    """Sort key of a page: 0 in the active language, 1 in the Site's own, 2 in another."""
    if not page_tree.i18n_enabled() or page.locale.language_code == get_language():
        return 0
    return 1 if page.path.startswith(site.root_page.path) else 2


def pages_with_blocks(site: Site) -> list[tuple[Page, bool]]:
    """Live pages of a Site that hold one of our blocks or one of its items.

    The flag is true when the page reaches one of them through a referenced object such as a
    snippet (at most two steps), where the page's own streams do not show it.
    """
    types = ContentType.objects.get_for_models(SiteItem, BlockUsage)
    page_type = ContentType.objects.get_for_model(Page).pk
    item_ids = {str(pk) for pk in SiteItem.objects.for_site(site).values_list("pk", flat=True)}
    rows = ReferenceIndex.objects.filter(
        Q(to_content_type=types[BlockUsage]) | Q(to_content_type=types[SiteItem])
    ).values_list("base_content_type", "object_id", "to_content_type", "to_object_id")
    sources = {
        (type_id, pk)
        for type_id, pk, target_type_id, target_id in rows
        if target_type_id == types[BlockUsage].pk or target_id in item_ids
    }
    direct = {int(pk) for type_id, pk in sources if type_id == page_type and pk.isdigit()}
    through_snippets: set[int] = set()
    snippets = {source for source in sources if source[0] != page_type}
    for _step in range(2):
        snippets = _referrers(snippets)
        through_snippets |= {
            int(pk) for type_id, pk in snippets if type_id == page_type and pk.isdigit()
        }
        snippets = {source for source in snippets if source[0] != page_type}
    pages = Page.objects.live().filter(page_tree.site_pages(site), pk__in=direct | through_snippets)
    return [(page, page.pk in through_snippets) for page in pages.specific()]


def _referrers(targets: set[tuple[int, str]]) -> set[tuple[int, str]]:
    """The objects that reference these, as (content type, primary key)."""
    if not targets:
        return set()
    condition = Q(pk__in=[])
    ids_by_type: dict[int, set[str]] = defaultdict(set)
    for type_id, pk in targets:
        ids_by_type[type_id].add(pk)
    for type_id, pks in ids_by_type.items():
        condition |= Q(to_content_type=type_id, to_object_id__in=pks)
    rows = ReferenceIndex.objects.filter(condition)
    return set(rows.values_list("base_content_type", "object_id"))
