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
from .block_index import is_told, telling_pages
from .queries import shown_films
from .visibility import Audience, Exposure, Surface

COVER = "fill-640x360"
"""The rendition of an owner's image on a card."""
EXCERPT = 600
"""Letters of a transcript that stand in a list; the rest has a page of its own."""


def curated(gate: Exposure, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SiteItem]:
    """The Site's items for (kind, key) pairs, with their images: three queries at most.

    Items hold titles, summaries and images of the owner's, and the id in public addresses.
    """
    wanted, known = set(keys), gate.kept.setdefault("items", {})
    missing = wanted - known.keys()
    if missing and gate.choice is not None:
        rows = SiteItem.objects.for_site(gate.choice.site_id).filter(
            account=gate.choice.account_id,
            kind__in={kind for kind, _ in missing},
            key__in={key for _, key in missing},
        )
        rows = rows.annotate(is_told=is_told())
        images = get_image_model().objects.prefetch_renditions(COVER)
        rows = rows.prefetch_related(Prefetch("image", queryset=images))
        found = {(item.kind, item.key): item for item in rows}
        known.update({pair: found.get(pair) for pair in missing})
    return {pair: known[pair] for pair in wanted if known.get(pair) is not None}


def telling(gate: Exposure, items: Iterable[SiteItem]) -> dict[int, tuple[str, bool]]:
    """``telling_pages``, asked once for each item while a page renders."""
    known = gate.kept.setdefault("pages", {})
    missing = [item for item in items if item.pk not in known]
    known.update({item.pk: ("", False) for item in missing})
    told = [item for item in missing if getattr(item, "is_told", True)]
    if told and gate.choice:
        known.update(telling_pages(gate.choice.site, told))
    return known


def films_of(gate: Exposure, rows: Sequence[Occurrence]) -> list[Recording]:
    """The recordings of some dates, asked once for each date while a page renders."""
    known: dict[int, list[Recording]] = gate.kept.setdefault("films of dates", {})
    missing = [row.pk for row in rows if row.pk not in known]
    if missing:
        known.update({pk: [] for pk in missing})
        for film in shown_films(gate).filter(occurrence__in=missing):
            known[film.occurrence_id or 0].append(film)
    return [film for row in rows for film in known[row.pk]]


def texts_of(gate: Exposure, rows: list[Recording]) -> dict[int, str]:
    """The beginning of each text: the database hands out no more than is shown."""
    known: dict[int, str] = gate.kept.setdefault("said", {})
    missing = [row.pk for row in rows if row.pk not in known]
    if missing:
        shown = gate.transcripts(Audience.VISITOR, Surface.PAGE).filter(recording__in=missing)
        begun = shown.annotate(begin=Substr("text", 1, EXCERPT + 1))
        known.update(
            {**dict.fromkeys(missing, ""), **dict(begun.values_list("recording", "begin"))}
        )
    return known


def look_up(
    gate: Exposure,
    dates: Iterable[Occurrence],
    over: Sequence[Occurrence],
    films: Iterable[Recording],
    said: Iterable[Recording],
) -> None:
    """Read at once what views of all these rows will need: of dates, of ``over`` with their
    recordings, of recordings, of ``said`` with their texts. The gate keeps it."""
    reels = films_of(gate, over) if over else []
    pairs = [(row.meeting.kind, row.meeting.zoom_id) for row in dates]
    own = {*pairs, *((str(Kind.RECORDING), row.uuid) for row in (*films, *reels))}
    items = curated(gate, own)
    telling(gate, (items[pair] for pair in dict.fromkeys(pairs) if pair in items))
    if gate.choice and gate.choice.show_transcripts:
        texts_of(gate, [*said, *reels])
