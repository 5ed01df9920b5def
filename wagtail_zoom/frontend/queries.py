"""Which rows a list block shows: narrowing what the gate lets through, never widening it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..models import Kind, Meeting, Occurrence, Recording
from ..models.mirror import LONGEST_MINUTES
from .text_search import dates_saying, films_saying, items_of
from .visibility import Audience, Exposure, Surface

OVERRUN = timedelta(hours=6)
"""How long past its planned end a meeting may still be live when Zoom has not said it ended."""
LONGEST = timedelta(minutes=LONGEST_MINUTES)
"""No date lasts longer, so what is not over yet has not begun before that: indexes hold starts."""
EARLIEST_END = timedelta(days=1)
"""What is over has begun, or Zoom's clock and ours differ by less than this."""
GONE = (Occurrence.State.OVER, Occurrence.State.EXPIRED)
TAKES = (Meeting.ApprovalType.AUTOMATIC, Meeting.ApprovalType.MANUAL)


def words(text: str | None) -> tuple[str, ...]:
    """Names that an editor typed, separated by commas."""
    return tuple(word for word in (part.strip() for part in (text or "").split(",")) if word)


@dataclass(frozen=True)
class Narrowed:
    """What both kinds of lists can be narrowed to. Everything empty: all that is exposed."""

    hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    items: tuple[int, ...] = ()
    """Primary keys of picked ``SiteItem`` rows; those of other Sites count for nothing."""
    picked: bool = False
    """Something was picked, even if none of it is of this Site: then nothing is shown."""


def asked_for(gate: Exposure, hosts: Iterable[str], tags: Iterable[str]) -> Narrowed:
    """What visitors narrow to in an address. Where the owner shows no names of hosts, nothing is
    found by them: they could else be guessed, letter by letter."""
    hosts = tuple(name for name in hosts if name)
    named = gate.choice is not None and gate.choice.show_host_names
    return Narrowed(hosts=hosts, tags=tuple(tags), picked=bool(hosts) and not named)


@dataclass(frozen=True)
class Dates:
    """A selection of dates."""

    narrowed: Narrowed = field(default_factory=Narrowed)
    kind: str = ""
    period: str = "upcoming"
    """``upcoming``, ``past``, ``range`` or ``live``."""
    first: date | None = None
    last: date | None = None
    """Days of a range, both included, in the installation's zone."""
    next_only: bool = False
    """One date of each series: the next one, or the latest where all have been."""
    order: str = ""
    """``soonest`` or ``latest``; empty: as the period suggests."""
    with_places: bool = False
    search: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether it asks for nothing but what has been."""
        ended = self.last is not None and midnight(self.last + timedelta(days=1)) <= now
        return self.period == "past" or (self.period == "range" and ended)


@dataclass(frozen=True)
class Films:
    """A selection of recordings."""

    narrowed: Narrowed = field(default_factory=Narrowed)
    order: str = "newest"
    """``newest``, ``oldest`` or ``title``."""
    year: int = 0
    search: str = ""


def dates(gate: Exposure, wanted: Dates, surface: Surface = Surface.PAGE) -> QuerySet[Occurrence]:
    """Dates in order, ready to be counted and sliced."""
    now = timezone.now()
    rows = shown_dates(gate, surface)
    rows = _narrow(gate, rows, wanted.narrowed, "meeting__kind", "meeting__zoom_id", "meeting__")
    if wanted.kind:
        rows = rows.filter(meeting__kind=wanted.kind)
    rows = _period(rows, wanted, now)
    if wanted.search:
        rows = dates_saying(gate, rows, wanted.search)
    if wanted.with_places:
        rows = rows.filter(
            Q(meeting__capacity=None)
            | Q(meeting__registrant_count=None)
            | Q(meeting__registrant_count__lt=F("meeting__capacity")),
            Q(meeting__close_registration=False) | Q(start__gt=now),
            meeting__approval_type__in=TAKES,
        ).exclude(state=Occurrence.State.CANCELLED)
    if wanted.next_only:
        rows = rows.filter(pk=_one_of_series(wanted, now))
    latest = wanted.order == "latest" or (not wanted.order and wanted.period == "past")
    return rows.order_by("-start", "-pk") if latest else rows.order_by("start", "pk")


def _one_of_series(wanted: Dates, now: datetime) -> Subquery | Coalesce:
    """The key of that date which stands for the outer row's series: in what is over the latest,
    else the next one; in a range that has begun the latest where none is to come in it."""
    rows = Occurrence.objects.filter(meeting=OuterRef("meeting")).values("pk")
    rows = _period(rows, wanted, now).exclude(state=Occurrence.State.CANCELLED)
    latest = Subquery(rows.order_by("-start", "-pk")[:1])
    if wanted.is_over(now):
        return latest
    live = Q(state=Occurrence.State.LIVE, end__gte=now - OVERRUN)
    coming = rows.filter(Q(end__gte=now) | live).exclude(state__in=GONE).order_by("start", "pk")
    begun = wanted.first is None or midnight(wanted.first) <= now
    if wanted.period == "range" and begun:
        return Coalesce(Subquery(coming[:1]), latest)
    return Subquery(coming[:1])


def shown_dates(gate: Exposure, surface: Surface = Surface.PAGE) -> QuerySet[Occurrence]:
    """What the gate lets visitors see of dates; its rules are put together once for a page."""
    known = gate.kept.setdefault("shown dates", {})
    if surface not in known:
        known[surface] = gate.occurrences(Audience.VISITOR, surface)
    return known[surface].all()


def shown_films(gate: Exposure, surface: Surface = Surface.PAGE) -> QuerySet[Recording]:
    """The same of recordings."""
    known = gate.kept.setdefault("shown films", {})
    if surface not in known:
        known[surface] = gate.recordings(Audience.VISITOR, surface)
    return known[surface].all()


def _period(rows: QuerySet[Occurrence], wanted: Dates, now: datetime) -> QuerySet[Occurrence]:
    live = Q(state=Occurrence.State.LIVE, end__gte=now - OVERRUN)
    if wanted.period == "live":
        return rows.filter(live, start__gte=now - OVERRUN - LONGEST)
    if wanted.period == "past":
        over = Q(end__lt=now) | Q(state__in=GONE)
        return (
            rows.filter(over, start__lt=now + EARLIEST_END)
            .exclude(live)
            .exclude(state=Occurrence.State.CANCELLED)
        )
    if wanted.period == "range":
        if wanted.first:
            rows = rows.filter(start__gte=midnight(wanted.first))
        if wanted.last:
            rows = rows.filter(start__lt=midnight(wanted.last + timedelta(days=1)))
        return rows
    begun = now - OVERRUN - LONGEST
    return rows.filter(Q(end__gte=now) | live, start__gte=begun).exclude(state__in=GONE)


def midnight(day: date) -> datetime:
    """The beginning of a day in the installation's zone."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def films(gate: Exposure, wanted: Films, surface: Surface = Surface.PAGE) -> QuerySet[Recording]:
    """Recordings in order, ready to be counted and sliced."""
    rows = shown_films(gate, surface)
    rows = _narrow(gate, rows, wanted.narrowed, Kind.RECORDING, "uuid", "")
    if wanted.year:
        rows = rows.filter(start__year=wanted.year)
    if wanted.search:
        rows = films_saying(gate, rows, wanted.search)
    order = {"oldest": ("start", "pk"), "title": ("topic", "-start", "pk")}
    return rows.order_by(*order.get(wanted.order, ("-start", "-pk")))


def years(gate: Exposure, wanted: Films) -> list[int]:
    """Years of the recordings that a list has without its year filter, newest first."""
    known = gate.kept.setdefault("years", {})
    if wanted.narrowed not in known:
        rows = films(gate, Films(narrowed=wanted.narrowed)).order_by()
        found = {moment.year for moment in rows.datetimes("start", "year")}
        known[wanted.narrowed] = sorted(found, reverse=True)
    return list(known[wanted.narrowed])


def _narrow(
    gate: Exposure, rows: QuerySet, wanted: Narrowed, kind: str, key: str, path: str
) -> QuerySet:
    if wanted.hosts:
        named = Q()
        for name in wanted.hosts:
            named |= Q(**{f"{path}host__display_name__icontains": name})
        rows = rows.filter(named)
    if wanted.tags:
        tagged = Q()
        for name in wanted.tags:
            tagged |= Q(tags__name__iexact=name)
        rows = rows.filter(Exists(items_of(gate, kind, key).filter(tagged)))
    if wanted.picked:
        rows = rows.filter(Exists(items_of(gate, kind, key).filter(pk__in=wanted.items)))
    return rows


def touches(gate: Exposure, wanted: Narrowed, kind: str | None, meetings: Collection[int]) -> bool:
    """Whether a list narrowed like this can show any of these meetings, now or before."""
    rows = Meeting.objects.filter(pk__in=meetings)
    if kind:
        rows = rows.filter(kind=kind)
    return bool(meetings) and _narrow(gate, rows, wanted, "kind", "zoom_id", "").exists()


def touches_films(gate: Exposure, wanted: Narrowed, recordings: Collection[int]) -> bool:
    """Whether a list narrowed like this can show any of these recordings, now or before."""
    rows = Recording.objects.filter(pk__in=recordings)
    return bool(recordings) and _narrow(gate, rows, wanted, Kind.RECORDING, "uuid", "").exists()
