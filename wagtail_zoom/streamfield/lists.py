"""What blocks of many rows have in common: narrowing, pages, the empty list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from ..admin.choosers import ItemChooserBlock
from ..frontend.bulk_queries import Found, Part, Wanted, can_gather, gather
from ..frontend.cache.html import Keeper
from ..frontend.context import Shared, gate
from ..frontend.pagination import MOST_PAGES, Asked, Link, Pages, pages_counted
from ..frontend.presenters import Detail
from ..frontend.queries import Dates, Films, Narrowed, dates, films, touches, words
from ..frontend.related import look_up
from ..frontend.visibility import Exposure
from ..models import Kind
from .base import ZoomBlock

LIKELY_PAGES = 10
"""Pages of a list that are purged when nobody can tell how many there were."""
KINDS = [(Kind.MEETING.value, _("Only meetings")), (Kind.WEBINAR.value, _("Only webinars"))]


@dataclass(frozen=True)
class Empty:
    """What stands where a list has no rows."""

    text: str
    hint: str = ""
    link: Link | None = None


class NamesBlock(blocks.CharBlock):
    """Names that are compared with what is stored: the same in every language of the page."""

    def get_translatable_segments(self, value: Any) -> list[Any]:
        """wagtail-localize asks: nothing here is to be translated."""
        return []

    def restore_translated_segments(self, value: Any, segments: Any) -> Any:
        return value


def typed(label: Any, help_text: Any) -> blocks.CharBlock:
    return NamesBlock(
        label=label,
        required=False,
        default="",
        max_length=200,
        search_index=False,
        help_text=help_text,
    )


def narrowed(value: Any) -> Narrowed:
    """The editor's narrowing. A picked item that was deleted still narrows."""
    picked = list(value["items"])
    return Narrowed(
        hosts=words(value["hosts"]),
        tags=words(value["tags"]),
        items=tuple(item.pk for item in picked if item is not None),
        picked=bool(picked),
    )


def detail_of(context: Mapping[str, Any]) -> Detail | None:
    """How the page at hand addresses single dates, if its type does (``ZoomDatesPageMixin``)."""
    page, request = context.get("page"), context.get("request")
    if not hasattr(page, "zoom_date_path") or page is None:
        return None
    base = page.get_url(request) or ""
    found = gate(context)
    if not base or found is None or found.choice is None:
        return None
    site_id = found.choice.site_id
    return lambda row: base + page.zoom_date_path(site_id, row)


class ZoomNarrowedBlock(ZoomBlock):
    """A block of what the page's Site shows, narrowed by its editor. Never widened: chosen rows of
    another Site count for nothing."""

    hosts = typed(_("Only these hosts"), _("Names, separated by commas."))
    tags = typed(_("Only what is tagged"), _("Tags, separated by commas."))


class ZoomDatesBlock(ZoomNarrowedBlock):
    """Dates of meetings and webinars, in whatever form."""

    kind = blocks.ChoiceBlock(label=_("What"), required=False, choices=KINDS, search_index=False)
    items = blocks.ListBlock(
        ItemChooserBlock(label=_("Meeting or series")),
        label=_("Only these meetings and series"),
        default=[],
        search_index=False,
    )

    def concerns(self, value: Any, found: Exposure, change: Any) -> bool:
        return change.removed or touches(found, narrowed(value), value["kind"], change.meetings)


class ZoomListBlock(ZoomNarrowedBlock):
    """A list with pages."""

    limit = blocks.IntegerBlock(
        label=_("How many"), default=10, min_value=1, max_value=100, search_index=False
    )
    paging = blocks.BooleanBlock(
        label=_("Further pages, when there are more"),
        required=False,
        default=True,
        search_index=False,
    )
    empty = blocks.CharBlock(
        label=_("Sentence when there is nothing"), required=False, default="", max_length=300
    )

    def page_asked(self, value: Any, asked: Asked) -> int:
        """The page of the list that is asked for; 0 for the first."""
        number = asked.number("page") if value["paging"] else 0
        return number if number > 1 else 0

    def is_worth_keeping(self, context: Mapping[str, Any]) -> bool:
        """Pages that there are: anything may be asked for."""
        number = self.page_asked(context["self"], context["asked"])
        return not number or number == context["pages"].number

    def every_variant(self, value: Any) -> list[dict[str, Any]]:
        """Each filter, and of each the first pages."""
        asked: list[dict[str, Any]] = [{}, *self.every_filter(value)]
        pages = range(2, LIKELY_PAGES + 1) if value["paging"] else ()
        return [*asked[1:], *({**each, "page": number} for each in asked for number in pages)]

    def every_filter(self, value: Any) -> list[dict[str, Any]]:
        """The parameters of each filter that visitors are offered."""
        return []

    def plan(self, value: Any, asked: Asked) -> Wanted | None:
        """What the block reads for this visitor; None when the lists of a page cannot know."""
        return None

    def with_texts(self, value: Any) -> bool:
        """Whether it shows what was said in recordings."""
        return False

    def with_films(self, value: Any) -> bool:
        """Whether dates lead to their recordings."""
        return False

    def rows_of(
        self, found: Exposure, wanted: Wanted, value: Any, context: Mapping[str, Any]
    ) -> tuple[list[Any], int]:
        """The rows of the page asked for, and how many there are in all.

        First pages of all lists on a page are read together.
        """
        asked, size = context["asked"], value["limit"] or 10
        if self.page_asked(value, asked) or not can_gather(wanted):
            rows = dates(found, wanted) if isinstance(wanted, Dates) else films(found, wanted)
            return self.slice(rows, value, asked.number("page"))
        together = found.kept.setdefault("lists", Together(found))
        rows, total = together.read(self, wanted, value, context)
        return rows[:size], min(total, pages_counted(1) * size) if value["paging"] else len(
            rows[:size]
        )

    def slice(self, rows: Any, value: Any, page: int) -> tuple[list[Any], int]:
        """The rows of a page (of the nearest one there is), and how many there are in all."""
        size = value["limit"] or 10
        if not value["paging"]:
            found = list(rows[:size])
            return found, len(found)
        total = self.total(rows, size, pages_counted(page))
        first = (Pages.nearest(page, total, size) - 1) * size
        return list(rows[first : first + size]) if total else [], total

    @staticmethod
    def total(rows: Any, size: int, pages: int = MOST_PAGES) -> int:
        """How many rows there are, as far as this many pages have room for them."""
        return int(rows.order_by()[: pages * size].count())


def _part(value: Any) -> Part:
    """What one list needs of its selection."""
    size = value["limit"] or 10
    return Part(size, pages_counted(1) * size if value["paging"] else 0)


class Together:
    """The lists of one page that are rendered for a visitor: whatever they show is read once."""

    def __init__(self, gate: Exposure) -> None:
        self.gate = gate
        self.found: dict[Wanted, tuple[Part, Found]] = {}

    def read(
        self, block: ZoomListBlock, wanted: Wanted, value: Any, context: Mapping[str, Any]
    ) -> Found:
        """The rows of one list, and with the first list those of all others."""
        known, mine = self.found.get(wanted), _part(value)
        if known is None or known[0].size < mine.size or known[0].most < mine.most:
            lists = [(block, wanted, value), *([] if self.found else self._others(context))]
            self._gather(lists, Keeper.of(context))
        return self.found[wanted][1]

    def _others(self, context: Mapping[str, Any]) -> Iterator[tuple[ZoomListBlock, Wanted, Any]]:
        page, request = context.get("page"), context.get("request")
        if request is None:
            return  # nothing is shared then
        shared, keeper = Shared.of(context), Keeper.of(context)
        for each in shared.blocks(page):
            if not isinstance(each.block, ZoomListBlock) or (keeper and keeper.has(each.value)):
                continue
            asked = Asked.read(request, shared.name(context, each.value))
            wanted = each.block.plan(each.value, asked)
            if wanted and can_gather(wanted) and not each.block.page_asked(each.value, asked):
                yield each.block, wanted, each.value

    def _gather(
        self, lists: Iterable[tuple[ZoomListBlock, Wanted, Any]], keeper: Keeper | None
    ) -> None:
        parts: dict[Wanted, Part] = {}
        with_films, with_texts = set(), set()
        for block, wanted, value in lists:
            mine, before = _part(value), parts.get(wanted, Part(0))
            parts[wanted] = Part(max(mine.size, before.size), max(mine.most, before.most))
            if block.with_films(value):
                with_films.add(wanted)
            if block.with_texts(value):
                with_texts.add(wanted)
        turns = keeper.turns() if keeper else None
        found = gather(self.gate, parts, turns.asked if turns else None)
        if keeper and turns:
            rows = (vars(row) for each in found for row in found[each][0])
            asked = next((row for row in rows if turns.asked.keys() <= row.keys()), None)
            keeper.turn = turns.first(asked) if asked else None
        self.found.update({wanted: (parts[wanted], found[wanted]) for wanted in parts})
        look_up(
            self.gate,
            dates=[row for each in found if isinstance(each, Dates) for row in found[each][0]],
            over=[row for each in with_films for row in found[each][0]],
            films=[row for each in found if isinstance(each, Films) for row in found[each][0]],
            said=[row for each in with_texts for row in found[each][0]],
        )
