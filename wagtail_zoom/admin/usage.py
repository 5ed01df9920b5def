"""Which pages of a Site use data from Zoom, by Wagtail's reference index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from wagtail.models import Page, ReferenceIndex, Site

from ..frontend import page_tree
from ..models import BlockUsage, SiteItem
from . import formatting

MAX_PATHS = 100
"""For more Sites all pages with our blocks are read: SQLite joins at most 500 conditions."""


def pages_using_zoom(site: Site) -> QuerySet[Any]:
    """Pages of this Site with one of our blocks or items.

    An item of another Site on such a page is not rendered, but the page still counts.
    """
    pages = Page.objects.filter(page_tree.site_pages(site))
    return pages.filter(_uses_zoom()).order_by("path")


def _uses_zoom() -> Exists:
    """A condition for queries of pages: with one of our blocks or items."""
    targets = ContentType.objects.get_for_models(BlockUsage, SiteItem).values()
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type__in=targets,
    )
    return Exists(references)


def sites_with_public_pages(sites: Iterable[Site]) -> set[int]:
    """Primary keys of those Sites of which a published page uses data from Zoom: two queries.

    Without one, visitors see nothing of what the rules let them see.
    """
    rows = Site.objects.filter(pk__in=[site.pk for site in sites]).select_related("root_page")
    rows = rows.only("root_page__path", "root_page__translation_key")
    roots = page_tree.root_paths(rows)
    pages = Page.objects.filter(_uses_zoom(), live=True)
    if len(roots) <= MAX_PATHS:
        below = Q(pk__in=[])
        for paths in roots.values():
            for path in paths:
                below |= Q(path__startswith=path)
        pages = pages.filter(below)
    public_paths = sorted(pages.order_by().values_list("path", flat=True))

    def has_page_below(path: str) -> bool:
        index = bisect_left(public_paths, path)
        return index < len(public_paths) and public_paths[index].startswith(path)

    return {pk for pk, paths in roots.items() if any(map(has_page_below, paths))}


def pages_with_blocks(site: Site, *block_types: str) -> QuerySet[Any]:
    """Pages of this Site with a block of one of these types."""
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type=ContentType.objects.get_for_model(BlockUsage),
        to_object_id__in=block_types,
    )
    pages = Page.objects.filter(page_tree.site_pages(site))
    return pages.filter(Exists(references))


def pages_using_item(item: SiteItem) -> QuerySet[Any]:
    """Pages of the item's Site that use it."""
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type=ContentType.objects.get_for_model(SiteItem),
        to_object_id=str(item.pk),
    )
    pages = Page.objects.filter(page_tree.site_pages(item.site))
    return pages.filter(Exists(references))


def is_used() -> Exists:
    """A condition for queries of Site items: used on some page."""
    references = ReferenceIndex.objects.filter(
        to_content_type=ContentType.objects.get_for_model(SiteItem),
        to_object_id=Cast(OuterRef("pk"), CharField()),
    )
    return Exists(references)


def page_counts(items: list[SiteItem]) -> dict[int, int]:
    """Number of pages that use each of these items, by item: one query."""
    rows = (
        ReferenceIndex.objects.filter(
            to_content_type=ContentType.objects.get_for_model(SiteItem),
            to_object_id__in=[str(item.pk) for item in items],
        )
        .values("to_object_id")
        .annotate(n=Count("object_id", distinct=True))
    )
    return {int(row["to_object_id"]): row["n"] for row in rows}


def block_names() -> dict[str, str]:
    """What each type of block puts on a page."""
    return {
        BlockUsage.MEETING_LIST: _("dates"),
        BlockUsage.CALENDAR: _("calendar"),
        BlockUsage.MEETING: _("single meeting"),
        BlockUsage.RECORDING_LIST: _("recordings"),
        BlockUsage.REGISTRATION: _("registration form"),
    }


def with_block_names(pages: list[Any]) -> list[Any]:
    """The pages with ``zoom_blocks`` set to the names of their Zoom blocks: one query."""
    targets = ContentType.objects.get_for_model(BlockUsage)
    rows = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id__in=[str(page.pk) for page in pages],
        to_content_type=targets,
    )
    blocks_on_pages = set(rows.values_list("object_id", "to_object_id"))
    for page in pages:
        names = [
            name for key, name in block_names().items() if (str(page.pk), key) in blocks_on_pages
        ]
        page.zoom_blocks = formatting.join_list(names)
    return pages
