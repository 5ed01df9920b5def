"""Queries of list blocks. They filter the visible rows and never add any."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import Kind, Meeting, Occurrence, Recording
from ..models.mirror import MAX_MINUTES
from .text_search import items_matching, occurrences_matching, recordings_matching
from .visibility import Audience, Channel, SiteVisibility

MAX_OVERRUN = timedelta(hours=6)
"""How long after its planned end a meeting counts as live without an end event from Zoom."""
MAX_DURATION = timedelta(minutes=MAX_MINUTES)
"""No occurrence lasts longer. Limits the start, which is indexed, for occurrences not yet over."""
CLOCK_TOLERANCE = timedelta(days=1)
"""Maximum difference between Zoom's clock and ours, for the start of ended occurrences."""
ENDED_STATES = (Occurrence.State.OVER, Occurrence.State.EXPIRED)
OPEN_APPROVAL_TYPES = (Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL)


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
    hosts = tuple(name for name in hosts if name)
    names_shown = visibility.site_settings is not None and visibility.site_settings.show_host_names
    return Filters(hosts=hosts, tags=tuple(tags), picked=bool(hosts) and not names_shown)


@dataclass(frozen=True)
class OccurrenceQuery:
    """Which occurrences a list shows."""

    filters: Filters = field(default_factory=Filters)
    kind: str = ""
    period: str = "upcoming"
    """``upcoming``, ``past``, ``range`` or ``live``."""
    first: date | None = None
    last: date | None = None
    """Days of a range, both included, in the installation's time zone."""
    next_only: bool = False
    """One occurrence of each series: the next one, or the latest if all are over."""
    order: str = ""
    """``soonest`` or ``latest``; empty: the default of the period."""
    with_places: bool = False
    search: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether it selects past occurrences only."""
        ended = self.last is not None and midnight(self.last + timedelta(days=1)) <= now
        return self.period == "past" or (self.period == "range" and ended)


@dataclass(frozen=True)
class RecordingQuery:
    """Which recordings a list shows."""

    filters: Filters = field(default_factory=Filters)
    order: str = "newest"
    """``newest``, ``oldest`` or ``title``."""
    year: int = 0
    search: str = ""


def occurrences_of(
    visibility: SiteVisibility, query: OccurrenceQuery, channel: Channel = Channel.PAGE
) -> QuerySet[Occurrence]:
    """The ordered queryset of a query."""
    now = timezone.now()
    rows = visible_occurrences(visibility, channel)
    rows = _apply_filters(
        visibility, rows, query.filters, "meeting__kind", "meeting__zoom_id", "meeting__"
    )
    if query.kind:
        rows = rows.filter(meeting__kind=query.kind)
    rows = _filter_period(rows, query, now)
    if query.search:
        rows = occurrences_matching(visibility, rows, query.search)
    if query.with_places:
        rows = rows.filter(
            Q(meeting__capacity=None)
            | Q(meeting__registrant_count=None)
            | Q(meeting__registrant_count__lt=F("meeting__capacity")),
            Q(meeting__close_registration=False) | Q(start__gt=now),
            meeting__approval_type__in=OPEN_APPROVAL_TYPES,
        ).exclude(state=Occurrence.State.CANCELLED)
    if query.next_only:
        rows = rows.filter(pk=_one_per_series(query, now))
    latest = query.order == "latest" or (not query.order and query.period == "past")
    return rows.order_by("-start", "-pk") if latest else rows.order_by("start", "pk")


def _one_per_series(query: OccurrenceQuery, now: datetime) -> Subquery | Coalesce:
    """The primary key of the occurrence that represents the outer row's series: the latest in a
    past period, otherwise the next one; in a range that has begun the latest if none follows."""
    rows = Occurrence.objects.filter(meeting=OuterRef("meeting")).values("pk")
    rows = _filter_period(rows, query, now).exclude(state=Occurrence.State.CANCELLED)
    latest = Subquery(rows.order_by("-start", "-pk")[:1])
    if query.is_over(now):
        return latest
    live = Q(state=Occurrence.State.LIVE, end__gte=now - MAX_OVERRUN)
    upcoming = (
        rows.filter(Q(end__gte=now) | live).exclude(state__in=ENDED_STATES).order_by("start", "pk")
    )
    has_begun = query.first is None or midnight(query.first) <= now
    if query.period == "range" and has_begun:
        return Coalesce(Subquery(upcoming[:1]), latest)
    return Subquery(upcoming[:1])


def visible_occurrences(
    visibility: SiteVisibility, channel: Channel = Channel.PAGE
) -> QuerySet[Occurrence]:
    """Occurrences that visitors may see. The queryset is built once for a page."""
    querysets = visibility.memo.setdefault("visible occurrences", {})
    if channel not in querysets:
        querysets[channel] = visibility.occurrences(Audience.VISITOR, channel)
    return querysets[channel].all()


def visible_recordings(
    visibility: SiteVisibility, channel: Channel = Channel.PAGE
) -> QuerySet[Recording]:
    """Recordings that visitors may see. The queryset is built once for a page."""
    querysets = visibility.memo.setdefault("visible recordings", {})
    if channel not in querysets:
        querysets[channel] = visibility.recordings(Audience.VISITOR, channel)
    return querysets[channel].all()


def _filter_period(
    rows: QuerySet[Occurrence], query: OccurrenceQuery, now: datetime
) -> QuerySet[Occurrence]:
    live = Q(state=Occurrence.State.LIVE, end__gte=now - MAX_OVERRUN)
    if query.period == "live":
        return rows.filter(live, start__gte=now - MAX_OVERRUN - MAX_DURATION)
    if query.period == "past":
        over = Q(end__lt=now) | Q(state__in=ENDED_STATES)
        return (
            rows.filter(over, start__lt=now + CLOCK_TOLERANCE)
            .exclude(live)
            .exclude(state=Occurrence.State.CANCELLED)
        )
    if query.period == "range":
        if query.first:
            rows = rows.filter(start__gte=midnight(query.first))
        if query.last:
            rows = rows.filter(start__lt=midnight(query.last + timedelta(days=1)))
        return rows
    earliest_start = now - MAX_OVERRUN - MAX_DURATION
    return rows.filter(Q(end__gte=now) | live, start__gte=earliest_start).exclude(
        state__in=ENDED_STATES
    )


def midnight(day: date) -> datetime:
    """The start of a day in the installation's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def recordings_of(
    visibility: SiteVisibility, query: RecordingQuery, channel: Channel = Channel.PAGE
) -> QuerySet[Recording]:
    """The ordered queryset of a query for recordings."""
    rows = visible_recordings(visibility, channel)
    rows = _apply_filters(visibility, rows, query.filters, Kind.RECORDING, "uuid", "")
    if query.year:
        rows = rows.filter(start__year=query.year)
    if query.search:
        rows = recordings_matching(visibility, rows, query.search)
    order = {"oldest": ("start", "pk"), "title": ("topic", "-start", "pk")}
    return rows.order_by(*order.get(query.order, ("-start", "-pk")))


def years(visibility: SiteVisibility, query: RecordingQuery) -> list[int]:
    """Years of the recordings of a list without its year filter, newest first."""
    years_by_filters = visibility.memo.setdefault("years", {})
    if query.filters not in years_by_filters:
        rows = recordings_of(visibility, RecordingQuery(filters=query.filters)).order_by()
        distinct_years = {start.year for start in rows.datetimes("start", "year")}
        years_by_filters[query.filters] = sorted(distinct_years, reverse=True)
    return list(years_by_filters[query.filters])


def _apply_filters(
    visibility: SiteVisibility, rows: QuerySet, filters: Filters, kind: str, key: str, path: str
) -> QuerySet:
    if filters.hosts:
        by_host = Q()
        for name in filters.hosts:
            by_host |= Q(**{f"{path}host__display_name__icontains": name})
        rows = rows.filter(by_host)
    if filters.tags:
        by_tag = Q()
        for name in filters.tags:
            by_tag |= Q(tags__name__iexact=name)
        rows = rows.filter(Exists(items_matching(visibility, kind, key).filter(by_tag)))
    if filters.picked:
        rows = rows.filter(
            Exists(items_matching(visibility, kind, key).filter(pk__in=filters.items))
        )
    return rows


def matches_meetings(
    visibility: SiteVisibility, filters: Filters, kind: str | None, meetings: Collection[int]
) -> bool:
    """Whether a list with these filters can show any of these meetings, now or before."""
    rows = Meeting.objects.filter(pk__in=meetings)
    if kind:
        rows = rows.filter(kind=kind)
    return (
        bool(meetings) and _apply_filters(visibility, rows, filters, "kind", "zoom_id", "").exists()
    )


def matches_recordings(
    visibility: SiteVisibility, filters: Filters, recordings: Collection[int]
) -> bool:
    """Whether a list with these filters can show any of these recordings, now or before."""
    rows = Recording.objects.filter(pk__in=recordings)
    return (
        bool(recordings)
        and _apply_filters(visibility, rows, filters, Kind.RECORDING, "uuid", "").exists()
    )
