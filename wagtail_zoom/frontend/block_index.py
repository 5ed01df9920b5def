"""Where our blocks stand: on a page at hand (its streams), and anywhere (the reference index).

Used for parameter names, for "which page tells about this meeting", and for purging.
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
from wagtail.models import Page, ReferenceIndex, Site

from ..models import Placement, SiteItem
from . import page_tree

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Placed:
    """One of our blocks in a stream."""

    ident: str
    block: Block
    value: Any


def short_name(ident: str) -> str:
    """A block's anchor and parameter prefix, from its id in the stream."""
    return f"wz-{hashlib.sha256(ident.encode()).hexdigest()[:6]}"


def _anchor(place: str) -> str:
    """The anchor of the block at a content path of the reference index; none for a field."""
    parts = place.split(".")
    last = max((at for at, part in enumerate(parts) if _UUID.fullmatch(part)), default=0)
    return f"#{short_name('.'.join(parts[last:]))}" if last else ""


def blocks_on(page: Page) -> list[Placed]:
    """Our blocks in the page's own streams, however deeply nested. Reads no other table."""
    found: list[Placed] = []
    for field in page._meta.get_fields():
        if isinstance(field, StreamField):
            value = getattr(page, field.name)
            found.extend(_walk(field.stream_block, value, field.name))
    return found


def _walk(block: Block, value: Any, ident: str) -> Iterator[Placed]:
    if getattr(block, "zoom_placement", None):
        yield Placed(ident, block, value)
    elif isinstance(value, StreamValue):
        for child in value:
            yield from _walk(child.block, child.value, child.id or ident)
    elif isinstance(value, StructValue):
        for name, bound in value.bound_blocks.items():
            yield from _walk(bound.block, bound.value, f"{ident}.{name}")
    elif isinstance(value, ListValue):
        for bound in value.bound_blocks:
            yield from _walk(bound.block, bound.value, bound.id or ident)


TELLS = (Placement.REGISTRATION, Placement.MEETING)
"""Kinds of blocks that make a page the place of one meeting; a form first."""


def is_told() -> Exists:
    """For a query of items: whether any page may tell about each, so that nobody asks in vain."""
    types = ContentType.objects.get_for_models(SiteItem, Page)
    return Exists(
        ReferenceIndex.objects.filter(
            base_content_type=types[Page],
            to_content_type=types[SiteItem],
            to_object_id=Cast(OuterRef("pk"), CharField()),
        )
    )


def telling_pages(site: Site, items: Iterable[SiteItem]) -> dict[int, tuple[str, bool]]:
    """For items: the URL of the live page of this Site that tells about each.

    Returns ``{item pk: (url, whether it has the form)}``, of pages in several languages the one in
    the active language. A page tells about an item when one of its ``MeetingBlock`` or
    ``RegistrationFormBlock`` holds it, or its own field does (``ZoomMeetingPageMixin``). Four
    queries, whatever the number of items.
    """
    wanted = {str(item.pk) for item in items}
    if not wanted:
        return {}
    types = ContentType.objects.get_for_models(SiteItem, Placement)
    rows = ReferenceIndex.objects.filter(
        Q(to_content_type=types[SiteItem], to_object_id__in=wanted)
        | Q(to_content_type=types[Placement], to_object_id__in=TELLS),
        base_content_type=ContentType.objects.get_for_model(Page),
    ).values_list("object_id", "to_content_type", "to_object_id", "content_path")
    marks: dict[str, dict[str, str]] = defaultdict(dict)
    held: list[tuple[str, str, str]] = []
    for page, kind, target, path in rows:
        if kind == types[Placement].pk:
            marks[page][path] = target
        else:
            held.append((page, target, path))
    found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for page, target, path in held:
        if "." not in path:
            # A field of the page itself, as ZoomMeetingPageMixin has it.
            found[int(target)].append((TELLS.index(Placement.MEETING), page, ""))
        for place, mark in marks[page].items():
            if path == place or path.startswith(f"{place}."):
                found[int(target)].append((TELLS.index(mark), page, _anchor(place)))
    return _urls(site, found)


def _urls(site: Site, found: dict[int, list[tuple[int, str, str]]]) -> dict[int, tuple[str, bool]]:
    ids = {page for places in found.values() for _rank, page, _anchor in places}
    if not ids:
        return {}
    pages = Page.objects.live().public().filter(page_tree.pages_of(site), pk__in=ids)
    if page_tree.in_languages():
        pages = pages.select_related("locale")
    urls = {str(page.pk): page.get_url(current_site=site) for page in pages}
    distance = {str(page.pk): _distance(page, site) for page in pages}
    answer = {}
    for item, places in found.items():
        for rank, page, anchor in sorted(
            places, key=lambda place: (distance.get(place[1], 0), place)
        ):
            if urls.get(page):
                is_form = TELLS[rank] == Placement.REGISTRATION
                answer[item] = (f"{urls[page]}{anchor}", is_form)
                break
    return answer


def _distance(page: Page, site: Site) -> int:
    """How far a page is from the reader: first the active language, then the Site's own."""
    if not page_tree.in_languages() or page.locale.language_code == get_language():
        return 0
    return 1 if page.path.startswith(site.root_page.path) else 2


def pages_with_blocks(site: Site) -> list[tuple[Page, bool]]:
    """Live pages of a Site that hold one of our blocks or an item of it.

    The flag says that at least one of them stands in something the page refers to (a snippet,
    two steps at most), where the page's own streams do not show it.
    """
    types = ContentType.objects.get_for_models(SiteItem, Placement)
    page_type = ContentType.objects.get_for_model(Page).pk
    own = {str(pk) for pk in SiteItem.objects.for_site(site).values_list("pk", flat=True)}
    rows = ReferenceIndex.objects.filter(
        Q(to_content_type=types[Placement]) | Q(to_content_type=types[SiteItem])
    ).values_list("base_content_type", "object_id", "to_content_type", "to_object_id")
    sources = {
        (kind, pk)
        for kind, pk, to_kind, target in rows
        if to_kind == types[Placement].pk or target in own
    }
    direct = {int(pk) for kind, pk in sources if kind == page_type and pk.isdigit()}
    through: set[int] = set()
    held = {source for source in sources if source[0] != page_type}
    for _step in range(2):
        held = _holders(held)
        through |= {int(pk) for kind, pk in held if kind == page_type and pk.isdigit()}
        held = {source for source in held if source[0] != page_type}
    pages = Page.objects.live().filter(page_tree.pages_of(site), pk__in=direct | through)
    return [(page, page.pk in through) for page in pages.specific()]


def _holders(things: set[tuple[int, str]]) -> set[tuple[int, str]]:
    """What refers to these things."""
    if not things:
        return set()
    wanted = Q(pk__in=[])
    by_kind: dict[int, set[str]] = defaultdict(set)
    for kind, pk in things:
        by_kind[kind].add(pk)
    for kind, pks in by_kind.items():
        wanted |= Q(to_content_type=kind, to_object_id__in=pks)
    rows = ReferenceIndex.objects.filter(wanted)
    return set(rows.values_list("base_content_type", "object_id"))
