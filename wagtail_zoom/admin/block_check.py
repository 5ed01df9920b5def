"""What an editor is warned about: blocks that show visitors less than their options say.

Warnings block nothing: a hidden meeting can be shown later, a tag be set later. Each says what
visitors read, why, and what can be done. All blocks of a page are checked with a fixed number of
queries; on a Site with several time zones, a list between two days takes one more for its clock.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from wagtail.models import Site

from ..frontend.availability import RegistrationState, availability
from ..frontend.bulk_queries import ListRequest, Query, fetch_lists
from ..frontend.queries import Filters, OccurrenceQuery, comma_separated, main_zone
from ..frontend.visibility import Audience, Channel, ItemRow, SiteVisibility
from ..models import (
    MEETING_KINDS,
    BlockUsage,
    ItemTag,
    Kind,
    Meeting,
    Occurrence,
    SiteItem,
)
from ..utils.text import fold, without_null
from . import formatting, links
from .chooser_list import (
    Entry,
    Section,
    has_time,
    is_cancelled,
    meeting_entries,
    recording_entries,
    set_cells,
    upcoming_dates,
)
from .item_access import ItemAccess
from .permissions import parse_pk

MAX_BLOCKS, MAX_ITEMS, MAX_NAMES, MAX_RANGES = 200, 500, 100, 20
"""Limits of one check, over all blocks; what is beyond them is not checked."""
MAX_LISTED = 12
"""Names of hosts or tags that a warning lists."""
LATER = ("upcoming", "live", "")
"""Periods of a list that leave out what is over; empty: of the next meeting."""


@dataclass(frozen=True)
class BlockOptions:
    """What decides whether a block shows anything."""

    key: str
    usage: str
    """One of ``BlockUsage``."""
    label: str
    """The name of its type."""
    items: tuple[int, ...] = ()
    hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kind: str = ""
    period: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, key: str, usage: str, label: str, value: Mapping[str, Any]) -> BlockOptions:
        """The options of a block's value, or of the same as the editor's script sends it."""
        picked = [value.get("item"), *(value.get("items") or ())]
        ids = (parse_pk(str(getattr(item, "pk", item))) for item in picked if item is not None)
        return cls(
            key=key,
            usage=usage,
            label=label,
            items=tuple(pk for pk in ids if pk is not None)[:MAX_ITEMS],
            hosts=_names(value.get("hosts")),
            tags=_names(value.get("tags")),
            kind=str(value.get("kind") or ""),
            period=str(value.get("period") or ""),
            first=_day(value.get("first")),
            last=_day(value.get("last")),
        )

    @property
    def is_single(self) -> bool:
        """Whether it shows one chosen item."""
        return self.usage in (BlockUsage.MEETING, BlockUsage.REGISTRATION)

    @property
    def has_range(self) -> bool:
        """Whether it lists what is between two days, or after or before one."""
        is_range = self.usage == BlockUsage.MEETING_LIST and self.period == "range"
        return is_range and bool(self.first or self.last)

    @property
    def leaves_out_past(self) -> bool:
        return self.usage == BlockUsage.MEETING_LIST and self.period in LATER

    @property
    def shows_recordings(self) -> bool:
        return self.usage == BlockUsage.RECORDING_LIST


def _day(value: Any) -> date | None:
    """A day, also as it is typed in the form; None for anything else."""
    if isinstance(value, date):
        return value
    try:
        return forms.DateField(required=False).clean(str(value or ""))
    except ValidationError:
        return None


def _names(text: Any) -> tuple[str, ...]:
    names = comma_separated(without_null(str(text or ""))[:500])
    return tuple(dict.fromkeys(names))[:MAX_NAMES]


@dataclass(frozen=True)
class WayOut:
    """A button of a warning: a link, another choice, or another text in an option."""

    label: str
    url: str = ""
    option: str = ""
    """The option that gets ``value``; without it and without URL: choose another item."""
    value: str = ""


@dataclass(frozen=True)
class BlockWarning:
    """One warning below a block."""

    title: str
    text: str = ""
    ways_out: tuple[WayOut, ...] = ()


@dataclass(frozen=True)
class BlockNote:
    """What the editor reads about one block."""

    options: BlockOptions
    name: str = ""
    """The title of its item, if it has one and the user may read it."""
    details: str = ""
    """When and with whom the chosen item is."""
    warnings: tuple[BlockWarning, ...] = ()


class BlockCheck:
    """Checks blocks of pages of one Site for one user. Valid for one request."""

    def __init__(self, site: Site, access: ItemAccess) -> None:
        self.site = site
        self.access = access
        self.visibility = SiteVisibility.for_site(site)
        self.is_owner = site.pk in access.owned_ids

    def check(self, blocks: Iterable[BlockOptions]) -> list[BlockNote]:
        """The notes of these blocks, in their order."""
        self.blocks = list(blocks)[:MAX_BLOCKS]
        return [self._check_block(options) for options in self.blocks]

    def _check_block(self, options: BlockOptions) -> BlockNote:
        note = self._item_note(options)
        site_warnings = self._site_warnings(options)
        if site_warnings:
            return replace(note, warnings=site_warnings)
        item_warnings = [
            warning for pk in options.items for warning in self._item_warnings(options, pk)
        ]
        if options.is_single:
            return replace(note, warnings=tuple(item_warnings))
        names = (*self._host_warnings(options), *self._tag_warnings(options))
        # A name that nothing has empties the list, too.
        days = (*self._unused_days(options), *(() if names else self._empty_range(options)))
        return replace(note, warnings=(*item_warnings, *names, *days))

    # The Site

    def _site_warnings(self, options: BlockOptions) -> tuple[BlockWarning, ...]:
        site_settings = self.visibility.site_settings
        if site_settings is None or not site_settings.shows_data:
            title = _("This site shows nothing from Zoom.")
            text = _("It is not connected, or nothing has been chosen yet. Visitors see nothing.")
            return (BlockWarning(title, text, self._panel_way()),)
        if options.is_single:
            return ()
        needed_kinds = {options.kind} if options.kind else {Kind.MEETING, Kind.WEBINAR}
        if options.shows_recordings:
            needed_kinds = {Kind.RECORDING}
        if needed_kinds & {str(kind) for kind in site_settings.kinds}:
            return ()
        if options.shows_recordings:
            title = _("This site shows no recordings.")
        elif options.kind == Kind.WEBINAR:
            title = _("This site shows no webinars.")
        elif options.kind == Kind.MEETING:
            title = _("This site shows no meetings.")
        else:
            title = _("This site shows no meetings and no webinars.")
        text = _("They are switched off under “What to show”. The list is empty.")
        return (BlockWarning(title, text, self._panel_way()),)

    def _panel_way(self) -> tuple[WayOut, ...]:
        if not self.is_owner:
            return ()
        url = f"{links.panel_url_of(self.site.pk)}#tab-choices"
        return (WayOut(_("Open “What to show”"), url),)

    # Chosen items

    @cached_property
    def _ids(self) -> list[int]:
        picked = dict.fromkeys(pk for options in self.blocks for pk in options.items)
        return list(picked)[:MAX_ITEMS]

    @cached_property
    def _items(self) -> dict[int, SiteItem]:
        items = SiteItem.objects.select_related("site", "decided_by").in_bulk(self._ids)
        own_items = [item for item in items.values() if item.pk in self._entries]
        set_cells(own_items, self._entries, [self.visibility], self.access.user)
        return items

    @cached_property
    def _entries(self) -> dict[int, Entry]:
        """The chosen items whose rows this Site may read now."""
        if not self._ids:
            return {}
        items = self.visibility.items().filter(pk__in=self._ids)
        is_named = self.is_owner or (
            self.visibility.site_settings is not None
            and self.visibility.site_settings.show_host_names
        )
        host_sites = {self.site.pk} if is_named else set()
        entries = [
            *meeting_entries(items.filter(kind__in=MEETING_KINDS), [self.visibility], host_sites),
            *recording_entries(items.filter(kind=Kind.RECORDING), [self.visibility], host_sites),
        ]
        return {entry.pk: entry for entry in entries}

    def _item_note(self, options: BlockOptions) -> BlockNote:
        item = self._items.get(options.items[0]) if options.is_single and options.items else None
        if item is None or not self.access.may_read_title(item):
            return BlockNote(options)
        entry = self._entries.get(item.pk)
        if entry is None:
            return BlockNote(options, item.display_title)
        when: Any = item.when_cell  # type: ignore[attr-defined]  # by set_cells
        time = formatting.with_zone(when.text) if has_time(entry) else when.text
        details = (time, when.note, entry.host)
        return BlockNote(
            options, item.display_title, " · ".join(detail for detail in details if detail)
        )

    def _item_warnings(self, options: BlockOptions, pk: int) -> Iterable[BlockWarning]:
        item = self._items.get(pk)
        if item is None:
            return ()
        name = (
            item.display_title if self.access.may_read_title(item) else ""
        )  # guard: block-notes-hide-titles
        warning = self._item_warning(options, item)
        if warning is None:
            return ()
        if not options.is_single and name:
            title = _("%(name)s: %(warning)s") % {"name": name, "warning": warning.title}
            warning = replace(warning, title=title)
        return (warning,)

    def _item_warning(self, options: BlockOptions, item: SiteItem) -> BlockWarning | None:
        choose = (WayOut(_("Choose another one")),) if options.is_single else ()
        if item.site_id != self.site.pk:
            title = _("This one belongs to another site.")
            return BlockWarning(title, self._instead(options), choose)
        entry = self._entries.get(item.pk)
        if entry is None:
            why = _(
                "Its host is not ticked, it is switched off under “What to show”, or it belongs to "
                "another Zoom account."
            )
            return BlockWarning(
                _("This site has no data of it at present."),
                f"{why} {self._instead(options)}",
                (*self._panel_way(), *choose),
            )
        if not entry.is_visible:
            return self._hidden(options, item, choose)
        if entry.section == Section.OVER and (options.is_single or options.leaves_out_past):
            return self._over(options, entry, choose)
        if options.usage == BlockUsage.REGISTRATION:
            return self._closed(item, choose)
        return None

    def _instead(self, options: BlockOptions) -> str:
        """What visitors read instead of an item that they may not see."""
        if not options.is_single:
            return _("It is left out of the list.")
        return _visitors_read(_("This meeting is no longer available."))

    def _hidden(
        self, options: BlockOptions, item: SiteItem, choose: tuple[WayOut, ...]
    ) -> BlockWarning:
        cell: Any = item.visitors_cell  # type: ignore[attr-defined]  # by set_cells
        row = self._rows.get(item.pk)
        if row is not None and row.removed_at:
            text = self._instead(options)
            if isinstance(row, Meeting) and options.is_single:
                text = _("Visitors read that it is cancelled until its planned end has passed.")
            return BlockWarning(_("It is no longer in Zoom."), text, choose)
        title = _("Visitors do not see it.")
        if not self.is_owner:
            text = _("Ask the person who manages Zoom for this site to show it.")
            return BlockWarning(title, f"{text} {self._instead(options)}", choose)
        is_hidden = item.visibility == SiteItem.Visibility.HIDDEN
        reason = _("It was hidden %(by)s.") % {"by": cell.note} if is_hidden and cell.note else ""
        reason = reason or (_("It is hidden.") if is_hidden else cell.note)
        label = _("Open the recording") if item.kind == Kind.RECORDING else _("Open the meeting")
        ways_out = (WayOut(label, links.item_url(item)), *choose)
        return BlockWarning(title, f"{reason} {self._instead(options)}".strip(), ways_out)

    def _over(
        self, options: BlockOptions, entry: Entry, choose: tuple[WayOut, ...]
    ) -> BlockWarning:
        if is_cancelled(entry):
            title, parts = _("It is cancelled."), []
        else:
            day = formatting.day(entry.start) if entry.start else ""
            title, parts = _("It is over."), [_("It was on %(day)s.") % {"day": day}] if day else []
        if not options.is_single:
            parts.append(self._instead(options))
        elif options.usage == BlockUsage.REGISTRATION:
            parts.append(_("No form appears. Visitors read why."))
        else:
            parts.append(_("Visitors read that, and find its recording here if one is published."))
        return BlockWarning(title, " ".join(parts), choose)

    # Registration

    @cached_property
    def _rows(self) -> dict[int, ItemRow]:
        """The rows of the chosen items, by the item's primary key."""
        return self.visibility.rows_of(self._items.values())

    @cached_property
    def _dates(self) -> dict[int, list[Occurrence]]:
        """Dates to come of the chosen meetings, by the meeting's primary key."""
        ids = {row.pk for row in self._rows.values() if isinstance(row, Meeting)}
        rows = self.visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        dates: dict[int, list[Occurrence]] = {pk: [] for pk in ids}
        for row in rows.filter(upcoming_dates(), meeting__in=ids).order_by("start", "pk"):
            dates[row.meeting_id].append(row)
        return dates

    def _closed(self, item: SiteItem, choose: tuple[WayOut, ...]) -> BlockWarning | None:
        meeting, site_settings = self._rows.get(item.pk), self.visibility.site_settings
        if not isinstance(meeting, Meeting) or site_settings is None:
            return None
        if site_settings.account is None:
            return None
        meeting.account = site_settings.account
        state = availability(meeting, site_settings, self._dates[meeting.pk])
        if state.is_open:
            return None
        reads = _visitors_read(str(state.sentence))
        if state.code == RegistrationState.NOT_NEEDED:
            title = _("It takes no registrations.")
            why = _("Registration is not turned on for it in Zoom, so no form appears.")
            if self._dates[meeting.pk]:
                reads = f"{reads} {_('They also read the next date and how to join.')}"
            return BlockWarning(title, f"{why} {reads}", choose)
        if state.code == RegistrationState.OFF:
            title = _("This site takes no registrations.")
            return BlockWarning(title, reads, self._panel_way())
        return BlockWarning(_("No form appears at present."), reads, choose)

    # Days

    @cached_property
    def _range_queries(self) -> dict[str, OccurrenceQuery]:
        """By the key of a block, what it shows between its two days."""
        ranges = [options for options in self.blocks if options.has_range][:MAX_RANGES]
        return {options.key: self._range_query(options) for options in ranges}

    def _range_query(self, options: BlockOptions) -> OccurrenceQuery:
        filters = Filters(options.hosts, options.tags, options.items, picked=bool(options.items))
        return OccurrenceQuery(
            filters=filters,
            kind=options.kind,
            period="range",
            first=options.first,
            last=options.last,
            zone=main_zone(self.visibility, filters, options.kind),
        )

    @cached_property
    def _without_dates(self) -> set[str]:
        """Keys of the blocks between whose two days visitors see no date."""
        queries: Iterable[Query] = self._range_queries.values()
        requests = dict.fromkeys(queries, ListRequest(1))
        results = fetch_lists(self.visibility, requests)
        return {key for key, query in self._range_queries.items() if not results[query][0]}

    def _unused_days(self, options: BlockOptions) -> Iterable[BlockWarning]:
        has_days = options.usage == BlockUsage.MEETING_LIST and (options.first or options.last)
        if has_days and options.period != "range":
            yield BlockWarning(
                _("“From” and “Until” are not used."),
                _("They apply only if “When” is set to “Between two days”."),
            )

    def _empty_range(self, options: BlockOptions) -> Iterable[BlockWarning]:
        if options.key in self._without_dates:
            yield BlockWarning(_("Nothing is on these days."), _effect(is_empty=True))

    # Names of hosts and tags

    @cached_property
    def _hosts_without(self) -> set[str]:
        """Those of the names in the blocks that no host of this Site has."""
        names = {name for options in self.blocks for name in options.hosts}
        return _unmatched(self.visibility.usable_hosts(), "display_name__icontains", names)

    @cached_property
    def _host_names(self) -> list[str]:
        """Names of this Site's hosts, if the user may read them."""
        site_settings = self.visibility.site_settings
        if site_settings is None or not (self.is_owner or site_settings.show_host_names):
            return []
        names = self.visibility.usable_hosts().order_by("display_name")
        return list(names.values_list("display_name", flat=True))

    def _tags(self, *, recordings: bool) -> Any:
        kinds = [Kind.RECORDING] if recordings else MEETING_KINDS
        site_settings = self.visibility.site_settings
        rows = ItemTag.objects.filter(item__site=self.site)
        if site_settings is not None:
            rows = rows.filter(item__account=site_settings.account_id)
        return rows.filter(item__kind__in=kinds)

    @cached_property
    def _tags_without(self) -> dict[bool, set[str]]:
        """Names that no meeting has as a tag, and (``True``) that no recording has."""
        return {
            recordings: _unmatched(
                self._tags(recordings=recordings),
                "name__iexact",
                {
                    name
                    for options in self.blocks
                    if options.shows_recordings == recordings
                    for name in options.tags
                },
            )
            for recordings in (False, True)
        }

    @cached_property
    def _tag_names(self) -> dict[bool, list[str]]:
        return {
            recordings: sorted(
                set(self._tags(recordings=recordings).order_by().values_list("name", flat=True))
            )
            for recordings in (False, True)
        }

    def _host_warnings(self, options: BlockOptions) -> Iterable[BlockWarning]:
        missing = [name for name in options.hosts if name in self._hosts_without]
        for name in missing:
            site_names = self._host_names
            text = _effect(len(missing) == len(options.hosts))
            if site_names:
                listed = formatting.join_list(site_names[:MAX_LISTED])
                text += f" {_('Hosts of this site: %(names)s.') % {'names': listed}}"
            yield BlockWarning(
                _("No host is called “%(name)s”.") % {"name": name},
                text,
                tuple(_name_ways("hosts", options.hosts, name, site_names)),
            )

    def _tag_warnings(self, options: BlockOptions) -> Iterable[BlockWarning]:
        missing = [
            name for name in options.tags if name in self._tags_without[options.shows_recordings]
        ]
        for name in missing:
            site_names = self._tag_names[options.shows_recordings]
            text = _effect(len(missing) == len(options.tags))
            if site_names:
                listed = formatting.join_list(site_names[:MAX_LISTED])
                text += f" {_('Tags of this site: %(names)s.') % {'names': listed}}"
            yield BlockWarning(
                _("Nothing has the tag “%(name)s”.") % {"name": name},
                text,
                tuple(_name_ways("tags", options.tags, name, site_names)),
            )


def _visitors_read(sentence: str) -> str:
    return _("Visitors read “%(sentence)s”") % {"sentence": sentence}


def _effect(is_empty: bool) -> str:
    if is_empty:
        return _("The list is empty.")
    return _("The list shows the items that match the other names.")


def _unmatched(rows: Any, lookup: str, names: set[str]) -> set[str]:
    """The names that match no row, by the database's own comparison: one query for all."""
    ordered = sorted(names)[:MAX_NAMES]
    if not ordered:
        return set()
    counts = rows.order_by().aggregate(
        **{
            f"n{index}": Count("pk", filter=Q(**{lookup: name}))
            for index, name in enumerate(ordered)
        }
    )
    return {name for index, name in enumerate(ordered) if not counts[f"n{index}"]}


def _name_ways(
    option: str, names: tuple[str, ...], missing: str, site_names: list[str]
) -> Iterable[WayOut]:
    """Another spelling, if one is close, and to remove the name."""
    by_folded = {fold(name): name for name in site_names}
    folded = fold(missing)
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.7)
    close = close or [name for name in by_folded if folded and folded in name][:1]
    for name in close:
        others = [by_folded[name] if other == missing else other for other in names]
        label = _("Use “%(name)s”") % {"name": by_folded[name]}
        yield WayOut(label, option=option, value=", ".join(dict.fromkeys(others)))
    others = [other for other in names if other != missing]
    yield WayOut(_("Remove “%(name)s”") % {"name": missing}, option=option, value=", ".join(others))
