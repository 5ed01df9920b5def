"""Where data from Zoom stands: pages of a Site that hold one of our blocks."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from wagtail.models import Page, ReferenceIndex, Site

from ..frontend import page_tree
from ..models import Placement, SiteItem
from . import formatting


def pages_of(site: Site) -> QuerySet[Any]:
    """Pages of this Site that show something from Zoom, by Wagtail's reference index.

    An item of another Site on such a page shows nothing, but the page still holds our block.
    """
    targets = ContentType.objects.get_for_models(Placement, SiteItem).values()
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type__in=targets,
    )
    pages = Page.objects.filter(page_tree.pages_of(site))
    return pages.filter(Exists(references)).order_by("path")


def pages_with(site: Site, *placements: str) -> QuerySet[Any]:
    """Pages of this Site that hold a block of one of these kinds."""
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type=ContentType.objects.get_for_model(Placement),
        to_object_id__in=placements,
    )
    pages = Page.objects.filter(page_tree.pages_of(site))
    return pages.filter(Exists(references))


def pages_for(item: SiteItem) -> QuerySet[Any]:
    """Pages of the item's Site on which it was chosen."""
    references = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id=Cast(OuterRef("pk"), CharField()),
        to_content_type=ContentType.objects.get_for_model(SiteItem),
        to_object_id=str(item.pk),
    )
    pages = Page.objects.filter(page_tree.pages_of(item.site))
    return pages.filter(Exists(references))


def is_chosen() -> Exists:
    """For a query over Site items: chosen on some page."""
    references = ReferenceIndex.objects.filter(
        to_content_type=ContentType.objects.get_for_model(SiteItem),
        to_object_id=Cast(OuterRef("pk"), CharField()),
    )
    return Exists(references)


def counts_of(items: list[SiteItem]) -> dict[int, int]:
    """On how many pages each of these items was chosen, by item: one query."""
    rows = (
        ReferenceIndex.objects.filter(
            to_content_type=ContentType.objects.get_for_model(SiteItem),
            to_object_id__in=[str(item.pk) for item in items],
        )
        .values("to_object_id")
        .annotate(n=Count("object_id", distinct=True))
    )
    return {int(row["to_object_id"]): row["n"] for row in rows}


def contents() -> dict[str, str]:
    """What the kinds of blocks put on a page, in an owner's words."""
    return {
        Placement.MEETING_LIST: _("dates"),
        Placement.CALENDAR: _("calendar"),
        Placement.MEETING: _("single meeting"),
        Placement.RECORDING_LIST: _("recordings"),
        Placement.REGISTRATION: _("sign-up form"),
    }


def with_contents(pages: list[Any]) -> list[Any]:
    """The pages, each with ``zoom_contents``: what of Zoom stands on it. One query."""
    targets = ContentType.objects.get_for_model(Placement)
    rows = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        object_id__in=[str(page.pk) for page in pages],
        to_content_type=targets,
    )
    found = set(rows.values_list("object_id", "to_object_id"))
    for page in pages:
        words = [word for key, word in contents().items() if (str(page.pk), key) in found]
        page.zoom_contents = formatting.listing(words)
    return pages
