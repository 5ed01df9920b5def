"""Matches the occurrences of Zoom's answer to the stored ones, and updates these.

Registrations, calendar entries and links refer to our own id, so a stored occurrence must survive
what people do to a series. Zoom's occurrence id stays when one date moves; all ids are new when
the rule, the hour, the zone or the type (single or series) changes. So a whole answer is matched
at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ..mapping.meetings import MappedOccurrence
from ..models import Meeting, Occurrence, Registration, RegistrationDate
from ..models.mirror import ENDED_STATES, planned_end

LISTED_AT_MOST = 60
"""Occurrences in one answer of Zoom's. Later ones exist although they are not listed."""
PEOPLE_AT_ZOOM = (Registration.State.PENDING, Registration.State.APPROVED)


@dataclass(frozen=True)
class OccurrenceChange:
    """A change of one occurrence: ``code`` is created, moved, resized, renamed, cancelled or
    restored."""

    code: str
    occurrence: Occurrence
    old_start: datetime | None = None


class RegistrantsNeeded(Exception):
    """Whether some occurrences were moved or replaced depends on who is registered at Zoom.

    ``meetings``: those whose registrants have to be looked up before they can be stored.
    """

    def __init__(self, meetings: Sequence[Meeting]) -> None:
        super().__init__(f"The registrants of {len(meetings)} meetings are needed.")
        self.meetings = list(meetings)


def apply_occurrences(
    mapped: Mapping[int, tuple[Meeting, Iterable[MappedOccurrence]]],
    *,
    now: datetime | None = None,
    former_zones: Mapping[int, str] | None = None,
    still_registered: Mapping[str, bool] | None = None,
) -> list[OccurrenceChange]:
    """Bring the occurrences of some meetings in line with Zoom's answer (by the meeting's pk).

    Few statements, whatever the number of meetings.

    Args:
        former_zones: the time zone of a meeting before this answer, where it has changed.
        still_registered: by meeting number, whether Zoom still lists the registrants.

    Raises:
        RegistrantsNeeded: ``still_registered`` lacks a meeting that needs it. Nothing is written.
    """
    now = now or timezone.now()
    stored: dict[int, list[Occurrence]] = defaultdict(list)
    for row in Occurrence.objects.filter(meeting__in=list(mapped)).order_by("start", "pk"):
        stored[row.meeting_id].append(row)
    matches: list[tuple[Meeting, OccurrenceMatch]] = []
    for pk, (meeting, occurrences) in mapped.items():
        zones = ((former_zones or {}).get(pk, meeting.timezone), meeting.timezone)
        match = OccurrenceMatch(stored[pk], list(occurrences), now, *zones)
        matches.append((meeting, match))
    _decide_reordered(matches, still_registered or {})
    changes = [change for meeting, match in matches for change in _apply_match(meeting, match, now)]
    created = [change.occurrence for change in changes if change.code == "created"]
    updated = [change.occurrence for change in changes if change.code != "created"]
    renamed = [row.pk for _meeting, match in matches for row in match.renamed]
    with transaction.atomic():
        # Before the new ones: a moved occurrence may free the id that a new one takes.
        Occurrence.objects.bulk_update(updated, UPDATED_COLUMNS, batch_size=200)
        Occurrence.objects.bulk_create(created, batch_size=500)
        if renamed:
            # What is sent to Zoom about a registration names the date by Zoom's present id.
            current = Occurrence.objects.filter(pk=OuterRef("occurrence")).values("zoom_id")
            RegistrationDate.objects.filter(occurrence__in=renamed).update(
                zoom_occurrence_id=Subquery(current)
            )
    return changes


UPDATED_COLUMNS = (
    "zoom_id", "start", "end", "duration", "has_end", "previous_start",
    "state", "state_since", "sequence", "updated_at",
)  # fmt: skip


@dataclass
class OccurrenceMatch:
    """Which stored occurrence is which one of Zoom's answer, for one meeting.

    In this order: same id; same instant; the same shift of the wall clock for all that are left;
    the same day; the same order, if as many vanished as came and none moves by more than half the
    interval of the series (``pair_in_order``, which also depends on the registrants).
    """

    rows: list[Occurrence]
    mapped: list[MappedOccurrence]
    now: datetime
    old_zone: str = ""
    new_zone: str = ""
    pairs: list[tuple[Occurrence, MappedOccurrence]] = field(default_factory=list)
    deleted: list[Occurrence] = field(default_factory=list)
    """Zoom lists them as deleted."""
    vanished: list[Occurrence] = field(default_factory=list)
    """Upcoming ones that no occurrence of the answer was matched to."""
    new: list[MappedOccurrence] = field(default_factory=list)
    renamed: list[Occurrence] = field(default_factory=list)
    """Those that Zoom calls by another id now."""

    def __post_init__(self) -> None:
        self._lapsed: list[Occurrence] = []
        self._half_interval = self._interval() / 2
        self._match_by_id()
        self._match_by_instant()
        if self.new:
            self._match_by_shift()
            self._match_by_day()
            self._match_single()
            self._drop_history()

    # The answer and the stored rows -------------------------------------------------------------

    def _match_by_id(self) -> None:
        by_id = {row.zoom_id: row for row in self.rows}
        matched: set[int] = set()
        for item in self.mapped:
            row = by_id.get(item.zoom_id)
            if item.deleted:
                if row is not None:
                    self.deleted.append(row)
            elif row is None:
                self.new.append(item)
            else:
                matched.add(row.pk)
                self.pairs.append((row, item))
        deleted = {row.pk for row in self.deleted}
        listed = max((item.start for item in self.mapped), default=None)
        is_cut = len(self.mapped) >= LISTED_AT_MOST
        for row in self.rows:
            if row.pk in matched:
                continue
            is_cancelled = row.pk in deleted or row.state == Occurrence.State.CANCELLED
            if is_cancelled or not _is_upcoming(row, self.now):
                self._lapsed.append(row)
            elif not (is_cut and listed is not None and row.start > listed):
                self.vanished.append(row)

    def _match_by_instant(self) -> None:
        by_start = {item.start: item for item in self.new}
        for row in [*self.vanished, *self._lapsed]:
            item = by_start.get(row.start)
            if item is not None and self._may_pair(row, item):
                del by_start[row.start]
                self._pair(row, item)

    def _match_by_shift(self) -> None:
        """A series moved by an hour, to another day of the week or zone, or over a change of
        clocks: all that are left (of the smaller side) have moved equally by the wall clock."""
        rows = self.vanished or [row for row in self._lapsed if _is_upcoming(row, self.now)]
        by_wall = {_wall(item.start, self.new_zone): item for item in self.new}
        needed = min(len(rows), len(by_wall))
        if needed < 2:
            return  # one alone has no common shift
        shifts: Counter[timedelta] = Counter()
        for row in rows:
            walls = _walls(row, self.old_zone)
            shifts.update({wall - old for wall in by_wall for old in walls})
        candidates: list[tuple[bool, timedelta, timedelta]] = []
        for shift, count in shifts.items():
            if count < needed:
                continue
            pairs = self._shifted(rows, by_wall, shift)
            same_day = all(_is_same_day(row, item, self) for row, item in pairs)
            if len(pairs) == needed and (same_day or abs(shift) <= self._half_interval):
                candidates.append((not same_day, abs(shift), shift))
        if not candidates:
            return
        shift = min(candidates)[2]
        # Cancelled and past dates of the series move with it, as far as Zoom lists them.
        for row, item in self._shifted([*rows, *self._lapsed], by_wall, shift):
            if row in self.vanished or row in self._lapsed:
                self._pair(row, item)

    def _shifted(
        self,
        rows: Iterable[Occurrence],
        by_wall: Mapping[datetime, MappedOccurrence],
        shift: timedelta,
    ) -> list[tuple[Occurrence, MappedOccurrence]]:
        """Each row once, and each occurrence of the answer once."""
        left, pairs, seen = dict(by_wall), [], set()
        for row in rows:
            for wall in _walls(row, self.old_zone):
                item = left.get(wall + shift)
                if item is not None and row.pk not in seen and self._may_pair(row, item):
                    del left[wall + shift]
                    seen.add(row.pk)
                    pairs.append((row, item))
        return pairs

    def _match_by_day(self) -> None:
        """Where one date went and one came on the same day, it is the same one."""
        for rows in (list(self.vanished), list(self._lapsed)):
            by_day: dict[object, list[Occurrence]] = defaultdict(list)
            for row in rows:
                by_day[_wall(row.start, self.old_zone).date()].append(row)
            items: dict[object, list[MappedOccurrence]] = defaultdict(list)
            for item in self.new:
                items[_wall(item.start, self.new_zone).date()].append(item)
            for day, new in items.items():
                if len(new) == 1 and len(by_day[day]) == 1:
                    row = by_day[day][0]
                    if self._may_pair(row, new[0]):
                        self._pair(row, new[0])

    def _match_single(self) -> None:
        """A single meeting became a series, or a series a single meeting, at another time."""
        for row in list(self.vanished):
            items = [item for item in self.new if "" in (row.zoom_id, item.zoom_id)]
            nearest = min(items, key=lambda item: abs(item.start - row.start), default=None)
            if nearest and abs(nearest.start - row.start) <= self._half_interval:
                self._pair(row, nearest)

    def _drop_history(self) -> None:
        """Zoom may list what is over at the hours of a new rule. It took place at the old ones."""
        past = [row for row in self.rows if not _is_upcoming(row, self.now)]
        for item in list(self.new):
            if planned_end(item.start, item.duration) > self.now:
                continue
            if any(abs(row.start - item.start) <= self._half_interval for row in past):
                self.new.remove(item)

    # What is left --------------------------------------------------------------------------------

    @property
    def is_reordered(self) -> bool:
        """As many vanished as came, and none would move by more than half the interval."""
        return (
            bool(self.vanished)
            and len(self.vanished) == len(self.new)
            and all(
                abs(item.start - row.start) <= self._half_interval for row, item in self._in_order()
            )
        )

    def pair_in_order(self) -> None:
        """Take what came as what vanished, in the same order."""
        for row, item in self._in_order():
            self._pair(row, item)

    def _in_order(self) -> list[tuple[Occurrence, MappedOccurrence]]:
        items = sorted(self.new, key=lambda item: item.start)
        return list(zip(sorted(self.vanished, key=lambda row: row.start), items, strict=True))

    def _may_pair(self, row: Occurrence, item: MappedOccurrence) -> bool:
        """What is over does not become what is still to come."""
        return _is_upcoming(row, self.now) or planned_end(item.start, item.duration) <= self.now

    def _pair(self, row: Occurrence, item: MappedOccurrence) -> None:
        self.new.remove(item)
        for rows in (self.vanished, self._lapsed, self.deleted):
            if row in rows:
                rows.remove(row)
        if not _is_upcoming(row, self.now) and planned_end(item.start, item.duration) <= self.now:
            return  # over at both times: it stays as it took place
        self.pairs.append((row, item))

    def _interval(self) -> timedelta:
        """The usual time between two dates of the series; any for a single date.

        Dates that were cancelled alone leave gaps between the others, and those of a former rule
        stand between them: so neither these dates nor those decide on their own.
        """
        taking_place = [row for row in self.rows if row.state != Occurrence.State.CANCELLED]
        usual = _usual_gap(row.start for row in taking_place)
        others = (
            _usual_gap(row.start for row in self.rows),
            _usual_gap(item.start for item in self.mapped),
        )
        limit = max((gap for gap in others if gap), default=None)
        gaps = [gap for gap in (usual, limit) if gap]
        return min(gaps, default=timedelta(days=3650))


def _usual_gap(starts: Iterable[datetime]) -> timedelta | None:
    ordered = sorted(set(starts))
    gaps = [later - start for start, later in zip(ordered, ordered[1:], strict=False)]
    return timedelta(seconds=median(gap.total_seconds() for gap in gaps)) if gaps else None


def _wall(value: datetime, zone: str) -> datetime:
    return value.astimezone(ZoneInfo(zone or "UTC")).replace(tzinfo=None)


def _walls(row: Occurrence, zone: str) -> list[datetime]:
    """Its planned start, and where it was in the series before it was moved alone."""
    starts = [row.start, row.previous_start, _first_planned_start(row)]
    return list(dict.fromkeys(_wall(start, zone) for start in starts if start))


def _first_planned_start(row: Occurrence) -> datetime | None:
    """Zoom's id is the first planned start in milliseconds (seen, not documented)."""
    if row.state != Occurrence.State.MOVED or not row.zoom_id.isdecimal():
        return None
    seconds = int(row.zoom_id) // 1000
    is_near = abs(seconds - row.start.timestamp()) < timedelta(days=366).total_seconds()
    return datetime.fromtimestamp(seconds, UTC) if is_near else None


def _is_same_day(row: Occurrence, item: MappedOccurrence, match: OccurrenceMatch) -> bool:
    day = _wall(item.start, match.new_zone).date()
    return any(wall.date() == day for wall in _walls(row, match.old_zone))


def _decide_reordered(
    matches: Iterable[tuple[Meeting, OccurrenceMatch]], still_registered: Mapping[str, bool]
) -> None:
    """Pair in order where nobody is affected, or where Zoom still lists those who are."""
    unknown: list[Meeting] = []
    for meeting, match in matches:
        if not match.is_reordered:
            continue
        listed = still_registered.get(meeting.zoom_id)
        if listed is None and people_of(meeting, match.vanished).exists():
            unknown.append(meeting)
        elif listed is not False:
            match.pair_in_order()
    if unknown:
        raise RegistrantsNeeded(unknown)


def people_of(meeting: Meeting, occurrences: Iterable[Occurrence] = ()) -> QuerySet[Registration]:
    """Registrations that Zoom has, for a meeting or for some of its occurrences."""
    rows = Registration.objects.filter(
        account=meeting.account_id, meeting_zoom_id=meeting.zoom_id, state__in=PEOPLE_AT_ZOOM
    )
    chosen = [row.pk for row in occurrences]
    if chosen:
        rows = rows.filter(Q(dates=None) | Q(dates__occurrence__in=chosen)).distinct()
    return rows


def _apply_match(meeting: Meeting, match: OccurrenceMatch, now: datetime) -> list[OccurrenceChange]:
    changes: list[OccurrenceChange] = []
    for row, item in match.pairs:
        changes += _update(row, item, match, now)
    for row in match.deleted:
        if row.state != Occurrence.State.CANCELLED and _is_upcoming(row, now):
            changes.append(_cancel(row, now))
    for row in match.vanished:
        # In the room: it takes place, whatever has become of the series.
        if row.state not in (Occurrence.State.CANCELLED, Occurrence.State.LIVE):
            changes.append(_cancel(row, now))
    changes += [
        OccurrenceChange("created", _new_occurrence(meeting, occurrence, now))
        for occurrence in match.new
    ]
    return changes


def _is_upcoming(row: Occurrence, now: datetime) -> bool:
    """Zoom may leave out past occurrences; only an upcoming one counts as gone."""
    return row.end > now and row.state not in ENDED_STATES


def _update(
    row: Occurrence, mapped: MappedOccurrence, match: OccurrenceMatch, now: datetime
) -> list[OccurrenceChange]:
    """Apply Zoom's answer to a stored occurrence."""
    renamed = row.zoom_id != mapped.zoom_id
    if renamed:
        row.zoom_id = mapped.zoom_id
        match.renamed.append(row)
    end = planned_end(mapped.start, mapped.duration)
    if row.start != mapped.start:
        return [_move(row, mapped, end, now)]
    is_resized = row.end != end or row.has_end != bool(mapped.duration)
    row.end, row.duration, row.has_end = end, mapped.duration, bool(mapped.duration)
    if row.state == Occurrence.State.CANCELLED:
        return [_record_change(row, row.planned_state, "restored", now)]
    if is_resized:
        return [_record_change(row, row.state, "resized", now)]
    return [OccurrenceChange("renamed", row)] if renamed else []


def _move(
    row: Occurrence, mapped: MappedOccurrence, end: datetime, now: datetime
) -> OccurrenceChange:
    old_start = row.start
    was_over = not _is_upcoming(row, now)
    row.start, row.end, row.duration = mapped.start, end, mapped.duration
    row.has_end = bool(mapped.duration)
    # A number used again for a new date is not a move of the old one.
    row.previous_start = None if was_over else old_start
    state = row.state if row.state == Occurrence.State.LIVE else row.planned_state
    return _record_change(row, state, "moved", now, old_start)


def _cancel(row: Occurrence, now: datetime) -> OccurrenceChange:
    return _record_change(row, Occurrence.State.CANCELLED, "cancelled", now)


def _record_change(
    row: Occurrence, state: str, code: str, now: datetime, old_start: datetime | None = None
) -> OccurrenceChange:
    if row.state != state:
        row.state, row.state_since = state, now
    row.sequence += 1
    row.updated_at = now
    return OccurrenceChange(code, row, old_start)


def _new_occurrence(meeting: Meeting, mapped: MappedOccurrence, now: datetime) -> Occurrence:
    return Occurrence(
        meeting=meeting,
        account_id=meeting.account_id,
        zoom_id=mapped.zoom_id,
        start=mapped.start,
        end=planned_end(mapped.start, mapped.duration),
        duration=mapped.duration,
        has_end=bool(mapped.duration),
        state_since=now,
        updated_at=now,
    )
