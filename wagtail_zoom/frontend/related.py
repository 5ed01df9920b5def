"""What views need beside their rows: items, pages, recordings, texts.

Each is read once while a page renders, for all rows at once where they are known (``look_up``), and
kept by the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Prefetch
from django.db.models.functions import Substr
from wagtail.images import get_image_model

from ..models import Kind, Occurrence, Recording, SiteItem
from .block_index import detail_pages, has_detail_page
from .queries import visible_recordings
from .visibility import Audience, Channel, SiteVisibility

CARD_IMAGE = "fill-640x360"
"""The rendition of an owner's image on a card."""
EXCERPT = 600
"""Letters of a transcript that stand in a list; the rest has a page of its own."""


def items_for(
    visibility: SiteVisibility, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], SiteItem]:
    """The Site's items for (kind, key) pairs, with their images: three queries at most.

    Items hold titles, summaries and images of the owner's, and the id in public addresses.
    """
    wanted, known = set(keys), visibility.kept.setdefault("items", {})
    missing = wanted - known.keys()
    if missing and visibility.site_settings is not None:
        rows = SiteItem.objects.for_site(visibility.site_settings.site_id).filter(
            account=visibility.site_settings.account_id,
            kind__in={kind for kind, _ in missing},
            key__in={key for _, key in missing},
        )
        rows = rows.annotate(has_detail_page=has_detail_page())
        images = get_image_model().objects.prefetch_renditions(CARD_IMAGE)
        rows = rows.prefetch_related(Prefetch("image", queryset=images))
        found = {(item.kind, item.key): item for item in rows}
        known.update({pair: found.get(pair) for pair in missing})
    return {pair: known[pair] for pair in wanted if known.get(pair) is not None}


def detail_pages_for(
    visibility: SiteVisibility, items: Iterable[SiteItem]
) -> dict[int, tuple[str, bool]]:
    """``telling_pages``, asked once for each item while a page renders."""
    known = visibility.kept.setdefault("pages", {})
    missing = [item for item in items if item.pk not in known]
    known.update({item.pk: ("", False) for item in missing})
    told = [item for item in missing if getattr(item, "has_detail_page", True)]
    if told and visibility.site_settings:
        known.update(detail_pages(visibility.site_settings.site, told))
    return known


def recordings_for(visibility: SiteVisibility, rows: Sequence[Occurrence]) -> list[Recording]:
    """The recordings of some dates, asked once for each date while a page renders."""
    known: dict[int, list[Recording]] = visibility.kept.setdefault("films of dates", {})
    missing = [row.pk for row in rows if row.pk not in known]
    if missing:
        known.update({pk: [] for pk in missing})
        for recording in visible_recordings(visibility).filter(occurrence__in=missing):
            known[recording.occurrence_id or 0].append(recording)
    return [recording for row in rows for recording in known[row.pk]]


def transcripts_for(visibility: SiteVisibility, rows: list[Recording]) -> dict[int, str]:
    """The beginning of each text: the database hands out no more than is shown."""
    known: dict[int, str] = visibility.kept.setdefault("said", {})
    missing = [row.pk for row in rows if row.pk not in known]
    if missing:
        shown = visibility.transcripts(Audience.VISITOR, Channel.PAGE).filter(recording__in=missing)
        begun = shown.annotate(begin=Substr("text", 1, EXCERPT + 1))
        known.update(
            {**dict.fromkeys(missing, ""), **dict(begun.values_list("recording", "begin"))}
        )
    return known


def prefetch(
    visibility: SiteVisibility,
    dates: Iterable[Occurrence],
    over: Sequence[Occurrence],
    recordings: Iterable[Recording],
    said: Iterable[Recording],
) -> None:
    """Read at once what views of all these rows will need: of dates, of ``over`` with their
    recordings, of recordings, of ``said`` with their texts. The gate keeps it."""
    reels = recordings_for(visibility, over) if over else []
    pairs = [(row.meeting.kind, row.meeting.zoom_id) for row in dates]
    own = {*pairs, *((str(Kind.RECORDING), row.uuid) for row in (*recordings, *reels))}
    items = items_for(visibility, own)
    detail_pages_for(visibility, (items[pair] for pair in dict.fromkeys(pairs) if pair in items))
    if visibility.site_settings and visibility.site_settings.show_transcripts:
        transcripts_for(visibility, [*said, *reels])
