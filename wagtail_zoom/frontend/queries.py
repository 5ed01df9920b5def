"""Queries of list blocks. They filter the visible rows and never add any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import SUMMARY, ItemTag, Kind, Meeting, Occurrence, Recording, Summary
from ..models.mirror import ENDED_STATES, MAX_MINUTES, OVERRUN, is_live_at
from ..utils.text import without_null
from .availability import is_open_at
from .datetimes import YEARS, get_zone, nearest_day
from .text_search import (
    items_matching,
    occurrences_matching,
    recordings_matching,
    summaries_matching,
)
from .visibility import Audience, Channel, SiteVisibility, date_not_hidden

M = TypeVar("M", bound=Model)
MAX_DURATION = timedelta(minutes=MAX_MINUTES)
"""No occurrence lasts longer. Limits the start, which is indexed, for occurrences not yet over."""
CLOCK_TOLERANCE = timedelta(days=1)
"""Maximum difference between Zoom's clock and ours, for the start of ended occurrences."""
MEETINGS_COUNTED = 200
"""How many meetings are looked at for the clock of a block."""


def comma_separated(text: str | None) -> tuple[str, ...]:
    """Names that an editor typed, separated by commas."""
    return tuple(word for word in (part.strip() for part in (text or "").split(",")) if word)


@dataclass(frozen=True)
class Filters:
    """The filters that both types of lists have. Without any, all visible rows are shown."""

    hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    items: tuple[int, ...] = ()
    """Primary keys of picked ``SiteItem`` rows; those of other Sites match nothing."""
    picked: bool = False
    """Items were picked. If none of them belongs to this Site, nothing is shown."""


def visitor_filters(
    visibility: SiteVisibility, hosts: Iterable[str], tags: Iterable[str]
) -> Filters:
    """Filters from a URL. Where the Site hides the names of hosts, filtering by host matches
    nothing; otherwise the names could be guessed letter by letter."""
    hosts = tuple(without_null(name) for name in hosts if name)
    tags = tuple(without_null(name) for name in tags if name)
    names_shown = visibility.site_settings is not None and visibility.site_settings.show_host_names
    return Filters(hosts=hosts, tags=tags, picked=bool(hosts) and not names_shown)


def known_filters(visibility: SiteVisibility, hosts: Iterable[str], tags: Iterable[str]) -> Filters:
    """``visitor_filters`` in the names that this Site has: they match the same rows, and there are
    no more of them than names, so that made-up ones cannot fill a cache."""
    filters, site_settings = visitor_filters(visibility, hosts, tags), visibility.site_settings
    nothing = Filters(picked=True)
    if site_settings is None or filters.picked:
        return nothing
    known_hosts: set[str] = set()
    known_tags: set[str] = set()
    if filters.hosts:
        rows = visibility.usable_hosts().filter(_by_host(filters.hosts, ""))
        known_hosts = set(rows.values_list("display_name", flat=True))
    if filters.tags:
        tag_rows = ItemTag.objects.filter(_by_tag(filters.tags, ""), item__site=site_settings.site)
        known_tags = set(tag_rows.values_list("name", flat=True))
    if (filters.hosts and not known_hosts) or (filters.tags and not known_tags):
        return nothing
    return Filters(hosts=tuple(sorted(known_hosts)), tags=tuple(sorted(known_tags)))


@dataclass(frozen=True)
class ListQuery:
    """Which rows a list shows."""

    filters: Filters = field(default_factory=Filters)
    search: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class OccurrenceQuery(ListQuery):
    """Which occurrences a list shows."""

    kind: str = ""
    period: str = "upcoming"
    """``upcoming``, ``past``, ``range`` or ``live``."""
    first: date | None = None
    last: date | None = None
    """Days of a range, both included."""
    zone: str = ""
    """The time zone of these days; empty: the installation's."""
    overlapping: bool = False
    """A range with what began before it and is not over on its first day."""
    next_only: bool = False
    """One occurrence of each series: the next one, or the latest if all are over."""
    order: str = ""
    """``soonest`` or ``latest``; empty: the default of the period."""
    with_places: bool = False

    @property
    def since(self) -> datetime | None:
        """When the range begins."""
        return midnight(nearest_day(self.first), self.zone) if self.first else None

    @property
    def until(self) -> datetime | None:
        """When the range is over."""
        return end_of(self.last, self.zone) if self.last else None

    def is_over(self, now: datetime) -> bool:
        """Whether it selects past occurrences only."""
        ended = self.until is not None and self.until <= now
        return self.period == "past" or (self.period == "range" and ended)


@dataclass(frozen=True)
class RecordingQuery(ListQuery):
    """Which recordings a list shows."""

    order: str = "newest"
    """``newest``, ``oldest`` or ``title``."""
    year: int = 0


class ItemPath(NamedTuple):
    """How the rows of a query lead to their items and to their host."""

    kind: str
    """Name of the column with the kind of the item, or the kind of all of them."""
    key: str
    prefix: str = ""


OCCURRENCES = ItemPath("meeting__kind", "meeting__zoom_id", "meeting__")
MEETINGS = ItemPath("kind", "zoom_id")
RECORDINGS = ItemPath(Kind.RECORDING, "uuid")
SUMMARIES = ItemPath(SUMMARY, "uuid")


def occurrences_of(
    visibility: SiteVisibility, query: OccurrenceQuery, channel: Channel = Channel.PAGE
) -> QuerySet[Occurrence]:
    """The ordered queryset of a query."""
    now = timezone.now()
    rows = visible_occurrences(visibility, channel)
    rows = _apply_filters(visibility, rows, query.filters, OCCURRENCES)
    if query.kind:
        rows = rows.filter(meeting__kind=query.kind)
    rows = _filter_period(rows, query, now)
    if query.search:
        rows = occurrences_matching(visibility, rows, query.search)
    if query.with_places:
        site_settings = visibility.site_settings
        rows = rows.filter(is_open_at(site_settings, now)) if site_settings else rows.none()
    if query.next_only:
        rows = rows.filter(pk=_one_per_series(visibility, query, now))
    latest = query.order == "latest" or (not query.order and query.period == "past")
    return rows.order_by("-start", "-pk") if latest else rows.order_by("start", "pk")


def _one_per_series(
    visibility: SiteVisibility, query: OccurrenceQuery, now: datetime
) -> Subquery | Coalesce:
    """The primary key of the occurrence that represents the outer row's series: the latest in a
    past period, otherwise the next one; in a range that has begun the latest if none follows."""
    rows = Occurrence.objects.filter(meeting=OuterRef("meeting"))
    rows = _filter_period(rows, query, now).exclude(state=Occurrence.State.CANCELLED)
    if visibility.site_settings is not None:
        rows = rows.filter(date_not_hidden(visibility.site_settings))
    latest = Subquery(rows.order_by("-start", "-pk").values("pk")[:1])
    if query.is_over(now):
        return latest
    live = is_live_at(now)
    running = rows.filter(Q(end__gte=now) | live).exclude(state__in=ENDED_STATES)
    upcoming = running.order_by("start", "pk").values("pk")
    has_begun = query.since is None or query.since <= now
    if query.period == "range" and has_begun:
        return Coalesce(Subquery(upcoming[:1]), latest)
    return Subquery(upcoming[:1])


def visible_occurrences(
    visibility: SiteVisibility, channel: Channel = Channel.PAGE
) -> QuerySet[Occurrence]:
    """Occurrences that visitors may see."""
    return _built_once(visibility, SiteVisibility.occurrences, channel)


def visible_recordings(
    visibility: SiteVisibility, channel: Channel = Channel.PAGE
) -> QuerySet[Recording]:
    """Recordings that visitors may see."""
    return _built_once(visibility, SiteVisibility.recordings, channel)


def visible_summaries(
    visibility: SiteVisibility, channel: Channel = Channel.PAGE
) -> QuerySet[Summary]:
    """Summaries that visitors may read."""
    return _built_once(visibility, SiteVisibility.summaries, channel)


def _built_once(
    visibility: SiteVisibility,
    build: Callable[[SiteVisibility, Audience, Channel], QuerySet[M]],
    channel: Channel,
) -> QuerySet[M]:
    """Rows for visitors. Their queryset takes long to build, and is built once for a page."""
    querysets = visibility.memo.setdefault("rows for visitors", {})
    if (build, channel) not in querysets:
        querysets[build, channel] = build(visibility, Audience.VISITOR, channel)
    rows: QuerySet[M] = querysets[build, channel]
    return rows.all()


def _filter_period(
    rows: QuerySet[Occurrence], query: OccurrenceQuery, now: datetime
) -> QuerySet[Occurrence]:
    live = is_live_at(now)
    if query.period == "live":
        return rows.filter(live, start__gte=now - OVERRUN - MAX_DURATION)
    if query.period == "past":
        over = Q(end__lt=now) | Q(state__in=ENDED_STATES)
        return (
            rows.filter(over, start__lt=now + CLOCK_TOLERANCE)
            .exclude(live)
            .exclude(state=Occurrence.State.CANCELLED)
        )
    if query.period == "range":
        if query.since and query.overlapping:
            began = Q(start__gte=query.since) | Q(end__gt=query.since)
            rows = rows.filter(began, start__gte=query.since - MAX_DURATION)
        elif query.since:
            rows = rows.filter(start__gte=query.since)
        return rows.filter(start__lt=query.until) if query.until else rows
    earliest_start = now - OVERRUN - MAX_DURATION
    return rows.filter(Q(end__gte=now) | live, start__gte=earliest_start).exclude(
        state__in=ENDED_STATES
    )


def midnight(day: date, zone: str = "") -> datetime:
    """The start of a day in a time zone; the installation's by default."""
    return datetime.combine(day, time.min, get_zone(zone))


def end_of(day: date, zone: str = "") -> datetime:
    """When a day is over in a time zone, at most the last one of ``YEARS``."""
    return midnight(nearest_day(day) + timedelta(days=1), zone)


def main_zone(visibility: SiteVisibility, filters: Filters, kind: str) -> str:
    """The most frequent time zone of a selection: the clock of a block that shows several.

    It is the same for each page and month of the block. One query for a Site with one zone.
    """
    of_site = _zones(visibility, Filters(), "")
    zones = _zones(visibility, filters, kind) if len(of_site) > 1 else of_site
    return zones.most_common(1)[0][0] if zones else ""


def _zones(visibility: SiteVisibility, filters: Filters, kind: str) -> Counter[str]:
    """How many of the newest meetings of a selection have each time zone."""
    counted: dict[tuple[Filters, str], Counter[str]] = visibility.memo.setdefault("zones", {})
    if (filters, kind) not in counted:
        rows = visibility.meetings(Audience.VISITOR, Channel.PAGE)
        rows = _apply_filters(visibility, rows, filters, MEETINGS)
        rows = rows.filter(kind=kind) if kind else rows
        names = rows.order_by("-pk").values_list("timezone", flat=True)[:MEETINGS_COUNTED]
        counted[filters, kind] = Counter(names)
    return counted[filters, kind]


def recordings_of(
    visibility: SiteVisibility, query: RecordingQuery, channel: Channel = Channel.PAGE
) -> QuerySet[Recording]:
    """The ordered queryset of a query for recordings."""
    rows = visible_recordings(visibility, channel)
    rows = _apply_filters(visibility, rows, query.filters, RECORDINGS)
    if query.year in YEARS:
        rows = rows.filter(start__year=query.year)
    if query.search:
        rows = recordings_matching(visibility, rows, query.search)
    order = {"oldest": ("start", "pk"), "title": ("topic", "-start", "pk")}
    return rows.order_by(*order.get(query.order, ("-start", "-pk")))


def summaries_of(
    visibility: SiteVisibility, query: ListQuery, channel: Channel = Channel.PAGE
) -> QuerySet[Summary]:
    """The summaries of a query, the newest first."""
    rows = visible_summaries(visibility, channel)
    rows = _apply_filters(visibility, rows, query.filters, SUMMARIES)
    if query.search:
        rows = summaries_matching(visibility, rows, query.search)
    return rows.order_by("-start", "-pk")


def years(visibility: SiteVisibility, query: RecordingQuery) -> list[int]:
    """Years of the recordings of a list without its year filter, newest first."""
    years_by_filters = visibility.memo.setdefault("years", {})
    if query.filters not in years_by_filters:
        rows = recordings_of(visibility, RecordingQuery(filters=query.filters)).order_by()
        distinct_years = {start.year for start in rows.datetimes("start", "year")}
        years_by_filters[query.filters] = sorted(distinct_years, reverse=True)
    return list(years_by_filters[query.filters])


def _by_host(names: Iterable[str], path: str) -> Q:
    condition = Q()
    for name in names:
        condition |= Q(**{f"{path}display_name__icontains": name})
    return condition


def _by_tag(names: Iterable[str], path: str) -> Q:
    condition = Q()
    for name in names:
        condition |= Q(**{f"{path}name__iexact": name})
    return condition


def _apply_filters(
    visibility: SiteVisibility, rows: QuerySet[M], filters: Filters, path: ItemPath
) -> QuerySet[M]:
    if filters.hosts:
        rows = rows.filter(_by_host(filters.hosts, f"{path.prefix}host__"))
    if filters.tags or filters.picked:
        items = items_matching(visibility, path.kind, path.key)
        if filters.tags:
            rows = rows.filter(Exists(items.filter(_by_tag(filters.tags, "tags__"))))
        if filters.picked:
            rows = rows.filter(Exists(items.filter(pk__in=filters.items)))
    return rows


def matches_meetings(
    visibility: SiteVisibility, filters: Filters, kind: str | None, meetings: Collection[int]
) -> bool:
    """Whether a list with these filters can show any of these meetings, now or before."""
    rows = Meeting.objects.filter(pk__in=meetings)
    rows = rows.filter(kind=kind) if kind else rows
    return bool(meetings) and _apply_filters(visibility, rows, filters, MEETINGS).exists()


def matches_recordings(
    visibility: SiteVisibility, filters: Filters, recordings: Collection[int]
) -> bool:
    """Whether a list with these filters can show any of these recordings, now or before."""
    rows = Recording.objects.filter(pk__in=recordings)
    return bool(recordings) and _apply_filters(visibility, rows, filters, RECORDINGS).exists()
