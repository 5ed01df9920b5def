"""Loads related objects of rows: items, detail pages, recordings and transcripts.

Each is read once while a page renders, for all rows together if they are known (``prefetch``), and
stored in ``SiteVisibility.memo``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import Prefetch, Q
from django.db.models.functions import Substr
from wagtail.images import get_image_model

from ..models import SUMMARY, Kind, Occurrence, Recording, SiteItem, Summary
from . import links
from .block_index import detail_pages, has_detail_page
from .queries import visible_recordings, visible_summaries
from .visibility import Audience, Channel, SiteVisibility

K = TypeVar("K", int, str)
CARD_IMAGE_SPEC = "fill-640x360"
"""The rendition of an owner's image on a card."""
DATA_IMAGE_SPEC = "fill-1280x720"
"""The rendition in structured data and link previews: search engines want 720 pixels and more."""
EXCERPT_LENGTH = 600
"""Characters of a transcript that a list shows; the whole transcript has its own page."""


def items_for(
    visibility: SiteVisibility, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], SiteItem]:
    """The Site's items for (kind, key) pairs, with their images: three queries at most.

    Items have the owner's titles, summaries and images, and the id for public URLs.
    """
    pairs, cached = set(keys), visibility.memo.setdefault("items", {})
    missing = pairs - cached.keys()
    if missing and visibility.site_settings is not None:
        rows = SiteItem.objects.for_site(visibility.site_settings.site_id).filter(
            account=visibility.site_settings.account_id,
            kind__in={kind for kind, _ in missing},
            key__in={key for _, key in missing},
        )
        rows = rows.annotate(has_detail_page=has_detail_page())
        images = get_image_model().objects.prefetch_renditions(CARD_IMAGE_SPEC, DATA_IMAGE_SPEC)
        rows = rows.prefetch_related(Prefetch("image", queryset=images))
        items = {(item.kind, item.key): item for item in rows}
        cached.update({pair: items.get(pair) for pair in missing})
    return {pair: cached[pair] for pair in pairs if cached.get(pair) is not None}


def detail_pages_for(
    visibility: SiteVisibility, items: Iterable[SiteItem]
) -> dict[int, tuple[str, bool]]:
    """``detail_pages``, read once for each item while a page renders."""
    cached: dict[int, tuple[str, bool]] = visibility.memo.setdefault("pages", {})
    missing = [item for item in items if item.pk not in cached]
    cached.update({item.pk: ("", False) for item in missing})
    with_detail_page = [item for item in missing if getattr(item, "has_detail_page", True)]
    if with_detail_page and visibility.site_settings:
        site = visibility.site_settings.site
        cached.update(detail_pages(site, with_detail_page, visibility.page))
    return cached


def recordings_for(visibility: SiteVisibility, rows: Sequence[Occurrence]) -> list[Recording]:
    """The recordings of occurrences, read once for each while a page renders."""
    cached: dict[int, list[Recording]] = visibility.memo.setdefault("recordings by occurrence", {})
    missing = [row.pk for row in rows if row.pk not in cached]
    if missing:
        cached.update({pk: [] for pk in missing})
        for recording in visible_recordings(visibility).filter(occurrence__in=missing):
            cached[recording.occurrence_id or 0].append(recording)
    return [recording for row in rows for recording in cached[row.pk]]


def transcripts_for(visibility: SiteVisibility, rows: list[Recording]) -> dict[int, str]:
    """The beginning of each transcript. The database returns no more than is shown."""
    cached: dict[int, str] = visibility.memo.setdefault("transcripts", {})
    missing = [row.pk for row in rows if row.pk not in cached]
    if missing:
        transcripts = visibility.transcripts(Audience.VISITOR, Channel.PAGE).filter(
            recording__in=missing
        )
        excerpts = transcripts.annotate(begin=Substr("text", 1, EXCERPT_LENGTH + 1))
        cached.update(
            {**dict.fromkeys(missing, ""), **dict(excerpts.values_list("recording", "begin"))}
        )
    return cached


def summary_urls_of_dates(visibility: SiteVisibility, rows: Sequence[Occurrence]) -> dict[int, str]:
    """The pages with the summaries of these occurrences, by the occurrence's primary key."""
    summaries = _summaries_for(visibility, "occurrence", [row.pk for row in rows])
    return _summary_urls(visibility, {row.occurrence_id or 0: row for row in summaries})


def summary_urls_of_recordings(
    visibility: SiteVisibility, rows: Sequence[Recording]
) -> dict[str, str]:
    """The pages with the summaries of the recorded instances, by their UUID."""
    summaries = _summaries_for(visibility, "uuid", [row.uuid for row in rows])
    return _summary_urls(visibility, {row.uuid: row for row in summaries})


def _summaries_for(visibility: SiteVisibility, column: str, keys: Sequence[Any]) -> list[Summary]:
    """Visible summaries, the latest of a date last; read once for each key. No query where the Site
    shows none."""
    if visibility.site_settings is None or not visibility.site_settings.show_summaries:
        return []
    cached: dict[Any, list[Summary]] = visibility.memo.setdefault(f"summaries by {column}", {})
    missing = [key for key in keys if key not in cached]
    if missing:
        cached.update({key: [] for key in missing})
        rows = visible_summaries(visibility).filter(Q(**{f"{column}__in": missing}))
        for row in rows.order_by("start", "pk"):
            cached[row.uuid if column == "uuid" else row.occurrence_id].append(row)
    return [row for key in keys for row in cached[key]]


def _summary_urls(visibility: SiteVisibility, rows: dict[K, Summary]) -> dict[K, str]:
    items = items_for(visibility, ((SUMMARY, row.uuid) for row in rows.values()))
    return {
        key: links.summary_url(items[SUMMARY, row.uuid], visibility.page_id)
        for key, row in rows.items()
        if (SUMMARY, row.uuid) in items
    }


def prefetch(
    visibility: SiteVisibility,
    occurrences: Iterable[Occurrence],
    ended: Sequence[Occurrence],
    recordings: Sequence[Recording],
    with_transcripts: Iterable[Recording],
) -> None:
    """Load the related objects for the view models of all these rows: recordings and summaries for
    ``ended``, transcripts for ``with_transcripts``."""
    ended_recordings = recordings_for(visibility, ended) if ended else []
    pairs = [(row.meeting.kind, row.meeting.zoom_id) for row in occurrences]
    keys = {*pairs, *((str(Kind.RECORDING), row.uuid) for row in (*recordings, *ended_recordings))}
    items = items_for(visibility, keys)
    summary_urls_of_dates(visibility, ended)
    summary_urls_of_recordings(visibility, [*recordings, *ended_recordings])
    detail_pages_for(visibility, (items[pair] for pair in dict.fromkeys(pairs) if pair in items))
    if visibility.site_settings and visibility.site_settings.show_transcripts:
        transcripts_for(visibility, [*with_transcripts, *ended_recordings])
