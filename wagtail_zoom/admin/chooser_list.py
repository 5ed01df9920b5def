"""What the chooser lists: by next date, searched without accents, with what visitors see.

Accents are compared in Python: databases compare them by their collation, or not at all. The items
of a Site are read with a fixed number of queries, however many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..frontend.visibility_reasons import explain
from ..models import ItemTag, Meeting, Occurrence, SiteItem
from ..models.mirror import CLOSED_STATES, REGISTRATION_TYPES, UNDATED_TYPES, is_live_at
from ..utils.text import fold
from . import formatting, reasons
from .listings.columns import Cell
from .listings.items import decision_note

MAX_WORDS = 8


class Section(IntEnum):
    """The sections of the list, in their order."""

    DATED = 0
    """Meetings with a date to come, soonest first; recordings, newest first."""
    UNDATED = 1
    """Meetings without a fixed date, by title."""
    OVER = 2
    """Latest first. Also those whose dates to come are all cancelled."""


@dataclass(frozen=True)
class Entry:
    """One item of the list, with what it is sorted and found by."""

    pk: int
    section: Section
    start: datetime | None
    """The start of the next date, otherwise of the last one, or of a recording."""
    title: str
    """The title, folded."""
    text: str
    """Own title, topic and tags, folded."""
    host: str = ""
    """Its host's name; empty if the user may not read it."""
    tags: tuple[str, ...] = ()
    is_visible: bool = True
    takes_registration: bool | None = None
    """Whether Zoom registers people for it; None where no row is read."""

    def matches(self, words: Iterable[str]) -> bool:
        """Whether each of these folded words is in its text."""
        host = fold(self.host)
        return all(word in self.text or word in host for word in words)

    @property
    def day_label(self) -> str:
        """Its day, for the page of the list that begins with it."""
        if self.start is None:
            return _("No date")
        day = formatting.short_day(self.start)
        return _("over, %(day)s") % {"day": day} if self.section == Section.OVER else day


def search_words(text: str) -> list[str]:
    """The words of a query, folded."""
    return fold(text).split()[:MAX_WORDS]


def upcoming_dates() -> Q:
    """Occurrences that take place and are not over."""
    now = timezone.now()
    return (Q(end__gte=now) | is_live_at(now)) & ~Q(state__in=CLOSED_STATES)


def meeting_entries(
    items: QuerySet[SiteItem], visibilities: Iterable[SiteVisibility], host_sites: Container[int]
) -> list[Entry]:
    """Meetings and webinars: next date first, then those without one, then what is over.

    Args:
        items: items whose rows their Sites may read now.
        visibilities: of these Sites.
        host_sites: primary keys of Sites whose hosts the user may read.
    """
    occurrences = Occurrence.objects.filter(meeting=OuterRef("meeting"))
    upcoming = occurrences.filter(upcoming_dates()).order_by("start").values("start")
    latest = occurrences.order_by("-start").values("start")
    rows = items.annotate(next_at=Subquery(upcoming[:1]), last_at=Subquery(latest[:1]))
    dates = {}
    for pk, next_at, last_at, zoom_type in rows.order_by().values_list(
        "pk", "next_at", "last_at", "meeting__zoom_type"
    ):
        if next_at:
            dates[pk] = (Section.DATED, next_at)
        else:
            is_undated = zoom_type in UNDATED_TYPES
            dates[pk] = (Section.UNDATED, None) if is_undated else (Section.OVER, last_at)
    entries = _entries(items, "meeting", dates, visibilities, host_sites)
    return sorted(entries, key=lambda entry: (entry.section, _order(entry), entry.title, entry.pk))


def recording_entries(
    items: QuerySet[SiteItem], visibilities: Iterable[SiteVisibility], host_sites: Container[int]
) -> list[Entry]:
    """Recordings, newest first. The arguments are those of ``meeting_entries``."""
    starts = items.order_by().values_list("pk", "recording__start")
    dates = {pk: (Section.DATED, start) for pk, start in starts}
    entries = _entries(items, "recording", dates, visibilities, host_sites)
    return sorted(entries, key=lambda entry: (-_order(entry), entry.title, entry.pk))


def titles_only(items: QuerySet[SiteItem]) -> list[Entry]:
    """Items of too many Sites, by title: nothing of their rows is read."""
    entries = [
        Entry(pk, Section.UNDATED, None, fold(title or last), fold(f"{title}\n{last}"))
        for pk, title, last in items.order_by().values_list("pk", "title", "last_title")
    ]
    return sorted(entries, key=lambda entry: (entry.title, entry.pk))


def _order(entry: Entry) -> float:
    seconds = entry.start.timestamp() if entry.start else 0.0
    return -seconds if entry.section == Section.OVER else seconds


def _entries(
    items: QuerySet[SiteItem],
    link: str,
    dates: Mapping[int, tuple[Section, datetime | None]],
    visibilities: Iterable[SiteVisibility],
    host_sites: Container[int],
) -> list[Entry]:
    tags = defaultdict(list)
    tag_rows = ItemTag.objects.filter(item__in=items.order_by().values("pk"))
    for pk, name in tag_rows.values_list("item", "name"):
        tags[pk].append(name)
    shown = _visible_ids(link, visibilities)
    rows = items.order_by().values_list(
        *("pk", "site", "title", "last_title", f"{link}__topic", f"{link}__host__display_name"),
        "meeting__approval_type",
    )
    return [
        Entry(
            pk=pk,
            section=dates[pk][0],
            start=dates[pk][1],
            title=fold(title or last_title),
            host=host if host and site in host_sites else "",
            text=fold("\n".join((title, topic or last_title, *tags[pk]))),
            tags=tuple(tags[pk]),
            is_visible=pk in shown,
            takes_registration=approval_type in REGISTRATION_TYPES,
        )
        for pk, site, title, last_title, topic, host, approval_type in rows
        if pk in dates
    ]


def _visible_ids(link: str, visibilities: Iterable[SiteVisibility]) -> set[int]:
    """Primary keys of the items of these Sites that visitors see."""
    shown: set[int] = set()
    for visibility in visibilities:
        rows = visibility.meetings if link == "meeting" else visibility.recordings
        visible = rows(Audience.VISITOR, Channel.PAGE).order_by().values("pk")
        items = visibility.items().filter(**{f"{link}__in": visible})
        shown |= set(items.values_list("pk", flat=True))
    return shown


def set_cells(
    items: list[Any], entries: dict[int, Entry], visibilities: list[SiteVisibility], user: Any
) -> None:
    """Set the cells of the items of one page of the list, which the columns read."""
    rows: dict[int, Any] = {}
    hosts: dict[int, set[int]] = {}
    settings_by_site = {}
    for visibility in visibilities:
        site_settings = visibility.site_settings
        if site_settings is None:
            continue
        own_items = [item for item in items if item.site_id == site_settings.site_id]
        if own_items:
            rows |= visibility.rows_of(own_items)
            settings_by_site[site_settings.site_id] = site_settings
            hosts[site_settings.site_id] = reasons.exposed_host_ids(site_settings)
    meeting_ids = [row.pk for row in rows.values() if isinstance(row, Meeting)]
    upcoming = Occurrence.objects.filter(upcoming_dates(), meeting__in=meeting_ids)
    counts = dict(upcoming.order_by().values_list("meeting").annotate(n=Count("pk")))
    for item in items:
        entry, row = entries[item.pk], rows.get(item.pk)
        item.title_note = _title_note(item, row, entry)
        item.when_cell = _when_cell(entry, row, counts.get(getattr(row, "pk", 0), 0))
        item.host_cell = Cell(entry.host)
        item.visitors_cell = _visitors_cell(
            item, row, entry, user, settings_by_site.get(item.site_id), hosts.get(item.site_id)
        )


def _title_note(item: SiteItem, row: Any, entry: Entry) -> str:
    parts = []
    if row is not None and item.title and row.topic and row.topic != item.title:
        parts.append(_("Zoom: %(topic)s") % {"topic": row.topic})
    if entry.tags:
        names = ", ".join(entry.tags)
        parts.append(
            ngettext("tag: %(names)s", "tags: %(names)s", len(entry.tags)) % {"names": names}
        )
    return " · ".join(parts)


def is_cancelled(entry: Entry) -> bool:
    """Whether it has dates to come, but none that takes place."""
    return bool(entry.section == Section.OVER and entry.start and entry.start > timezone.now())


def has_time(entry: Entry) -> bool:
    """Whether its cell names a time of day: of its next date, or of a cancelled one."""
    return entry.start is not None and (entry.section == Section.DATED or is_cancelled(entry))


def _when_cell(entry: Entry, row: Any, upcoming_count: int) -> Cell:
    if entry.start is None:
        return Cell(_("No fixed date"))
    if not has_time(entry):
        return Cell(_("Over since %(day)s") % {"day": formatting.day(entry.start)})
    notes = []
    if upcoming_count > 1:
        n = upcoming_count - 1
        notes.append(ngettext("%(n)d more date", "%(n)d more dates", n) % {"n": n})
    if isinstance(row, Meeting) and row.takes_registration:
        notes.append(_("takes registrations"))
    return Cell(formatting.relative_date_time(entry.start), ", ".join(notes))


def _visitors_cell(
    item: SiteItem, row: Any, entry: Entry, user: Any, site_settings: Any, hosts: Any
) -> Cell:
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return Cell(_("Hidden"), decision_note(item, user), tag="plain")
    if not entry.is_visible:
        reason = explain(site_settings, row, item=item, exposed_hosts=hosts) if row else ""
        return Cell(_("Not shown"), reason, tag="plain")
    if is_cancelled(entry):
        return Cell(_("Cancelled"), tag="plain")
    if entry.section == Section.OVER:
        return Cell(_("Over"), tag="plain")
    return Cell(_("Shown"), tag="primary")
