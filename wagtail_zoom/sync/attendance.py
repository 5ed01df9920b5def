"""Reads who of the people registered here came, after the end of a date.

A date may have several parts at Zoom (a look-in, a pause): the lists of all of them are read 15
minutes, an hour and a day after the end, because Zoom completes them late. Two equal readings are
final. Whoever is not in a list that may be incomplete is "not known yet", never absent.

Rows of Zoom's lists exist in memory only, page by page. Stored is what concerns registrations of
Sites that record attendance, and a number of people.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from wagtail.models import Site

from ..client import Priority, ZoomClient, client_for_reading
from ..client.error_policy import ErrorOutcome, ErrorPolicy
from ..client.responses import PAID_ONLY_CODE
from ..exceptions import (
    ZoomConfigurationError,
    ZoomError,
    ZoomNotFound,
    ZoomRejected,
    ZoomScopeMissing,
)
from ..mapping.parsing import parse_datetime, single_line
from ..mapping.participants import PeopleCounter, Presence, Stay, map_stay
from ..models import (
    Activity,
    Attendance,
    AttendanceInstance,
    AttendanceReading,
    ExposedHost,
    Grant,
    Meeting,
    Occurrence,
    Registration,
    RegistrationDate,
    ZoomAccount,
    ZoomSettings,
    fetch_scope,
)
from ..models.mirror import ENDED_STATES
from ..models.outbox import CONNECTION_DELAY, Outbox
from ..oauth.scopes import attendance_scope, has_scope
from ..signals import attendance_recorded
from ..utils.emails import email_indexes
from ..utils.leases import LeaseLost
from ..utils.logging import get_logger, log_context
from . import runs
from .event_effects import START_MATCH_WINDOW, nearest_occurrence

logger = get_logger("attendance")
State = AttendanceReading.State

DELAYS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=24))
"""After the end of a date: when its lists are read."""
LIVE_DELAY = timedelta(minutes=15)
PLAN_DELAY = timedelta(hours=24)
HIDDEN_DELAY = timedelta(hours=6)
"""While nobody shows the host or the kind. Showing them again does not wait for it."""
GIVE_UP_AFTER = timedelta(days=30)
"""After the end: nothing is read of older dates."""
LEASE = timedelta(minutes=5)
MAX_PER_SWEEP = 50
PAGE_TOKEN_CODE = 300
TOO_OLD_CODE = 12702
OUTBOX = Outbox(AttendanceReading, task="read_attendance", lease=LEASE)

LOGGED_ERRORS = ("scope", "plan", "old", "missing", "refused")
"""Reasons that an owner reads in the activity log."""


# When a date has ended


def record_end(
    account: ZoomAccount,
    zoom_id: str,
    uuid: str,
    started_at: datetime | None,
    ended_at: datetime,
) -> None:
    """Zoom reports the end of a part of a meeting: read who was there after the date is over."""
    if not ZoomSettings.objects.filter(account=account, record_attendance=True).exists():
        return
    meeting = Meeting.objects.filter(account=account, zoom_id=zoom_id).first()
    if meeting is None or meeting.uses_personal_room:
        return
    occurrence = nearest_occurrence(meeting, started_at or ended_at)
    if occurrence is None:
        return
    occurrence.meeting = meeting
    reading = _open_reading(occurrence, ended_at)
    if reading is None or not uuid:
        return
    with OUTBOX.edit_row(reading.pk) as row:
        part, is_new = AttendanceInstance.objects.get_or_create(
            reading=row, uuid=uuid, defaults={"started_at": started_at, "ended_at": ended_at}
        )
        if not is_new and part.ended_at == ended_at:
            return
        AttendanceInstance.objects.filter(pk=part.pk).update(
            started_at=started_at, ended_at=ended_at
        )
        row.ended_at = max(row.ended_at, ended_at)
        _start_again(row)


def _open_reading(occurrence: Occurrence, ended_at: datetime) -> AttendanceReading | None:
    """The reading of a date; created if a Site records attendance and somebody registered there."""
    rows = AttendanceReading.objects.filter(occurrence_public_id=occurrence.public_id)
    reading = rows.first()
    if reading is not None:
        return reading
    end = max(occurrence.end, ended_at)
    meeting = occurrence.meeting
    sites = _recording_sites(meeting, end, fetched=False)
    if not sites or not _registrations(occurrence, sites).exists():
        return None
    with transaction.atomic():
        reading, is_new = AttendanceReading.objects.get_or_create(
            occurrence_public_id=occurrence.public_id,
            defaults={
                "account_id": occurrence.account_id,
                "meeting_zoom_id": meeting.zoom_id,
                "host_zoom_id": meeting.host_zoom_id,
                "kind": meeting.kind,
                "start": occurrence.start,
                "ended_at": end,
                "next_try_at": end + DELAYS[0],
            },
        )
        if is_new:
            _add_registrations(reading, occurrence, sites)
    return reading


def _start_again(row: AttendanceReading) -> None:
    """Another part belongs to a date: what was final is no longer."""
    row.clear_error()
    row.digest = ""
    row.state = State.PROVISIONAL if row.read_at else State.WAITING
    row.next_try_at = row.ended_at + DELAYS[0]


def _recording_sites(meeting: Meeting, ended_at: datetime, *, fetched: bool = True) -> set[int]:
    """Sites that record who attends this meeting, and did so when the date ended.

    Args:
        fetched: only those that may fetch now, so no paused ones.
    """
    scope = fetch_scope(meeting.account)
    hosts = (scope.fetch if fetched else scope.read).get(meeting.kind, {})
    sites = hosts.get(meeting.host_id or 0, set())
    rows = ZoomSettings.objects.filter(
        account=meeting.account_id,
        site__in=sites,
        record_attendance=True,
        attendance_since__lte=ended_at,  # guard: attendance-not-retroactive
    )
    return set(rows.values_list("site_id", flat=True))


def _registrations(occurrence: Occurrence, sites: Iterable[int]) -> QuerySet[Registration]:
    """Registrations of these Sites for a date: for this one, or for all dates of the meeting."""
    dates = RegistrationDate.objects.filter(registration=OuterRef("pk"))
    is_for_date = Exists(dates.filter(occurrence=occurrence, cancelled_at=None))
    is_for_all = ~Exists(dates) & Q(created_at__lte=occurrence.end)
    return Registration.objects.filter(
        is_for_date | is_for_all,
        account=occurrence.account_id,
        meeting_zoom_id=occurrence.meeting.zoom_id,
        site__in=list(sites),  # guard: attendance-of-recording-sites
        state=Registration.State.APPROVED,
    )


def _add_registrations(
    reading: AttendanceReading, occurrence: Occurrence, sites: Iterable[int]
) -> None:
    """Everybody who is registered for the date gets a row, "not known yet"."""
    present = Attendance.objects.filter(reading=reading).values("registration")
    missing = _registrations(occurrence, sites).exclude(pk__in=present).order_by("pk")
    Attendance.objects.bulk_create(
        [
            Attendance(reading=reading, registration_id=pk)
            for pk in missing.values_list("pk", flat=True)
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


# Every minute


def sweep(now: datetime) -> dict[str, int]:
    """Every minute: find dates whose end no event reported, and wake the worker for due ones."""
    created = _open_missed(now)
    return {"created": created, "due": OUTBOX.sweep(now)}


def _open_missed(now: datetime) -> int:
    """Open a reading for dates that are over and have none, because the event was lost."""
    accounts = ZoomSettings.objects.filter(record_attendance=True, grant__isnull=False)
    account_ids = list(accounts.values_list("account_id", flat=True).distinct())
    if not account_ids:
        return 0
    number = OuterRef("meeting__zoom_id")
    readings = AttendanceReading.objects.filter(occurrence_public_id=OuterRef("public_id"))
    registered = Registration.objects.filter(
        account=OuterRef("account"),
        meeting_zoom_id=number,
        site__zoomsettings__account=OuterRef("account"),
        site__zoomsettings__record_attendance=True,
        site__zoomsettings__attendance_since__lte=OuterRef("end"),
        state=Registration.State.APPROVED,
    )
    shown = ExposedHost.objects.filter(
        settings__record_attendance=True, host=OuterRef("meeting__host")
    )
    rows = Occurrence.objects.filter(
        ~Exists(readings),
        Exists(registered),
        Exists(shown),
        account__in=account_ids,
        state__in=ENDED_STATES,
        end__gt=now - GIVE_UP_AFTER,
    )
    count = 0
    for occurrence in rows.select_related("meeting__account").order_by("-end")[:MAX_PER_SWEEP]:
        count += _open_reading(occurrence, occurrence.end) is not None
    return count


def read_due() -> None:
    """As a task: read what is due, unless all workers but one are busy already."""
    if runs.has_free_worker():
        OUTBOX.run(process)


def resume(account_id: int) -> None:
    """A connection has been renewed: read at once what waited for it, and what it lacked."""
    now = timezone.now()
    rows = AttendanceReading.objects.filter(account_id=account_id, ended_at__gt=now - GIVE_UP_AFTER)
    waiting = rows.filter(error_class__in=WAITING_ERRORS, next_try_at__gt=now)
    unknown = Attendance.objects.filter(reading=OuterRef("pk"), came=None)
    lacking = rows.filter(Exists(unknown), state=State.FINAL)
    count = waiting.update(next_try_at=now) + lacking.update(
        state=State.PROVISIONAL, digest="", next_try_at=now
    )
    if count:
        OUTBOX.wake_worker()


# Reading


@dataclass
class Result:
    """What the lists of all parts of a date say together."""

    presences: dict[int, Presence] = field(default_factory=lambda: defaultdict(Presence))
    """By registration; those who came only."""
    row_count: int = 0
    people: int = 0
    missing_parts: int = 0
    """Parts of the date without a list (yet)."""

    def digest(self, registration_pks: Iterable[int]) -> str:
        """Equal for equal results; holds numbers and times of registrations only."""
        lines = [f"{self.row_count} {self.people}"]
        for pk in sorted(registration_pks):
            presence = self.presences.get(pk)
            if presence is not None:
                lines.append(f"{pk} {presence.seconds} {presence.first_arrival}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Matcher:
    """Which registrations a row of Zoom's list is about: by Zoom's id, else by the address."""

    def __init__(self, registrations: Iterable[tuple[int, str, str]]) -> None:
        self.by_registrant: dict[str, list[int]] = defaultdict(list)
        self.by_email: dict[str, list[int]] = defaultdict(list)
        for pk, registrant_id, index in registrations:
            if registrant_id:
                self.by_registrant[registrant_id].append(pk)
            self.by_email[index].append(pk)

    def registrations(self, stay: Stay) -> list[int]:
        """Primary keys; empty for people who did not register here."""
        if stay.registrant_id in self.by_registrant:
            return self.by_registrant[stay.registrant_id]
        if "@" not in stay.email:
            return []
        for index in email_indexes(stay.email):
            if index in self.by_email:
                return self.by_email[index]
        return []


@sensitive_variables()
def add_rows(
    result: Result, rows: Iterable[dict[str, Any]], matcher: Matcher, people: PeopleCounter
) -> None:
    """Add a page of Zoom's rows. What is about people who did not register here is only counted."""
    for row in rows:
        stay = map_stay(row)
        if stay is None:
            continue
        result.row_count += 1
        people.add(stay.person)
        for pk in matcher.registrations(stay):
            presence = result.presences[pk]
            if stay.joined_at is not None and stay.left_at is not None:
                presence.add(stay.joined_at, stay.left_at)


@sensitive_variables()
def process(pk: int, lease: str) -> None:
    """Read what is due for one claimed row, and save the outcome. Never raises ``ZoomError``."""
    reading = AttendanceReading.objects.select_related("account").get(pk=pk)
    with log_context(account=reading.account_id):
        try:
            outcome = _attempt(reading, lease)
        except LeaseLost:
            return
        except (ZoomError, ZoomConfigurationError) as error:
            outcome = POLICY.classify(error, reading.attempts)
        if outcome is not None:
            _record_outcome(reading, lease, outcome)


def _attempt(reading: AttendanceReading, lease: str) -> ErrorOutcome | None:
    """Read all lists of a date.

    Raises:
        ZoomError: Zoom did not answer, or refused.
    """
    now = timezone.now()
    rows = Occurrence.objects.select_related("meeting__account", "meeting__host")
    occurrence = rows.filter(
        account=reading.account_id, public_id=reading.occurrence_public_id
    ).first()
    if occurrence is None:
        return ErrorOutcome("not_shown", now + HIDDEN_DELAY)
    if occurrence.state == Occurrence.State.CANCELLED:
        return ErrorOutcome("cancelled")
    meeting = occurrence.meeting
    reading.start = occurrence.start
    reading.ended_at = _end(reading, occurrence)
    if occurrence.is_live(now):
        return ErrorOutcome("", now + LIVE_DELAY)
    if reading.ended_at + DELAYS[0] > now:
        return ErrorOutcome("", reading.ended_at + DELAYS[0])
    readers = _recording_sites(meeting, reading.ended_at, fetched=False)
    if not readers:
        is_off = not ZoomSettings.objects.filter(
            account=reading.account_id, record_attendance=True
        ).exists()
        return (
            ErrorOutcome("switched_off")
            if is_off
            else ErrorOutcome("not_shown", now + HIDDEN_DELAY)
        )
    sites = _recording_sites(meeting, reading.ended_at)
    if not sites:
        return ErrorOutcome("connection", now + CONNECTION_DELAY)
    grants = _allowed_grants(sites, meeting.kind)
    if not grants:
        return ErrorOutcome("scope", now + CONNECTION_DELAY)
    _add_registrations(reading, occurrence, grants)
    grant = next(iter(grants.values()))
    client = client_for_reading(
        meeting.account, meeting.host_zoom_id, Priority.RECONCILE, grant=grant
    )
    _find_parts(client, reading, occurrence, grant)
    parts = [
        part
        for part in reading.instances.order_by("started_at", "pk")
        if _belongs(part.started_at, occurrence)
    ]
    uuids = [part.uuid for part in parts]
    result, pks = _read_parts(client, reading, uuids, list(grants), lease)
    _save(reading, lease, result, pks, meeting)
    return None


def _end(reading: AttendanceReading, occurrence: Occurrence) -> datetime:
    ends = reading.instances.exclude(ended_at=None).values_list("ended_at", flat=True)
    return max([occurrence.end, *(end for end in ends if end)])


def _allowed_grants(sites: Iterable[int], kind: str) -> dict[int, Grant]:
    """The Sites' own grants with which Zoom gives lists of who took part, as far as we know."""
    rows = ZoomSettings.objects.filter(site__in=list(sites)).select_related("grant")
    scope = attendance_scope(kind)
    return {
        row.site_id: row.grant
        for row in rows.order_by("site_id")
        if row.grant is not None
        and (
            not row.grant.scope or has_scope(row.grant.scopes, scope)
        )  # guard: attendance-scope-of-own-grant
    }


def _find_parts(
    client: ZoomClient, reading: AttendanceReading, occurrence: Occurrence, grant: Grant
) -> None:
    """Add parts of the date whose end no event reported, if Zoom lists them for this grant."""
    scope = attendance_scope(reading.kind, instances=True)
    if grant.scope and not has_scope(grant.scopes, scope):
        return
    try:
        listed = client.past_instances(reading.meeting_zoom_id, reading.kind)
    except (ZoomNotFound, ZoomRejected, ZoomScopeMissing) as error:
        logger.info("The parts of a date are not listed (%s).", type(error).__name__)
        return
    parts = []
    for item in listed:
        started_at = parse_datetime(item.get("start_time"))
        uuid = single_line(item.get("uuid"), 100)
        if not uuid or started_at is None:
            continue
        if _belongs(started_at, occurrence):
            parts.append(AttendanceInstance(reading=reading, uuid=uuid, started_at=started_at))
    AttendanceInstance.objects.bulk_create(parts, ignore_conflicts=True)


def _belongs(started_at: datetime | None, occurrence: Occurrence) -> bool:
    """Whether a part that began at this time is of this date, which may have moved since."""
    if started_at is None:
        return True
    if abs(started_at - occurrence.start) > START_MATCH_WINDOW:
        return False
    return nearest_occurrence(occurrence.meeting, started_at) == occurrence


@sensitive_variables()
def _read_parts(
    client: ZoomClient, reading: AttendanceReading, uuids: list[str], sites: list[int], lease: str
) -> tuple[Result, list[int]]:
    """Read the lists of all parts, page by page. Also returns the registrations of the Sites."""
    rows = Attendance.objects.filter(reading=reading, registration__site__in=sites)
    registrations = list(
        rows.values_list(
            "registration_id", "registration__zoom_registrant_id", "registration__email_index"
        )
    )
    matcher, people, result = Matcher(registrations), PeopleCounter(), Result()
    result.missing_parts = 0 if uuids else 1
    for uuid in uuids:
        rows_before = result.row_count
        is_listed = False
        try:
            for page in client.participants(uuid, reading.kind):
                is_listed = is_listed or bool(page.items)
                add_rows(result, page.items, matcher, people)
                _extend_lease(reading, lease)
        except ZoomNotFound as error:
            logger.info("Who took part is not known yet (%s).", error.code)
            is_listed = False
        if not is_listed and result.row_count == rows_before:
            # Even the host is not in it: the list is not there yet.
            result.missing_parts += 1  # guard: empty-list-proves-nothing
    result.people = people.count
    return result, [pk for pk, _registrant, _index in registrations]


def _extend_lease(reading: AttendanceReading, lease: str) -> None:
    rows = AttendanceReading.objects.filter(pk=reading.pk, lease_owner=lease)
    if not rows.update(lease_until=timezone.now() + LEASE):
        raise LeaseLost


def _save(
    reading: AttendanceReading,
    lease: str,
    result: Result,
    pks: list[int],
    meeting: Meeting,
) -> None:
    """Store a reading; decide whether it is final, and when to read again."""
    now = timezone.now()
    with OUTBOX.edit_row(reading.pk, lease) as row:
        if row.lease_owner != lease:
            raise LeaseLost
        end = max(reading.ended_at, row.ended_at)
        next_try_at = next((end + delay for delay in DELAYS if end + delay > now), None)
        if row.next_try_at != reading.next_try_at:
            # An event has reported another part meanwhile.
            result.missing_parts += 1
            next_try_at = row.next_try_at
        is_complete = not result.missing_parts
        digest = result.digest(pks) if is_complete else ""
        is_equal = bool(digest) and digest == row.digest
        is_final = is_complete and (is_equal or next_try_at is None)
        row.clear_error()
        row.start, row.ended_at, row.digest, row.read_at = reading.start, end, digest, now
        row.row_count = result.row_count
        if result.row_count:
            row.people = result.people
        row.next_try_at = None if is_final else next_try_at
        row.state = State.PROVISIONAL if result.row_count else State.WAITING
        if is_final:
            row.state = State.FINAL
        elif next_try_at is None:
            row.state, row.error_class = State.UNAVAILABLE, "missing"
        _save_attendances(row, result, pks, is_final=is_final)
        if is_final:
            _announce(row, meeting)
        elif row.state == State.UNAVAILABLE:
            _log_problem(row, "missing", meeting.topic)


def _save_attendances(
    row: AttendanceReading, result: Result, pks: list[int], *, is_final: bool
) -> None:
    """Store who came. Who is not in the lists did not come only if they are final."""
    attendances = Attendance.objects.filter(reading=row, registration__in=pks)
    changed = []
    for attendance in attendances:
        presence = result.presences.get(attendance.registration_id)
        values: tuple[bool | None, int | None, datetime | None] = (None, None, None)
        if presence is not None:
            values = (True, presence.minutes, presence.first_arrival)
        elif is_final:  # guard: absent-only-when-final
            values = (False, None, None)
        elif result.missing_parts and attendance.came:
            continue  # what was read of a part that is missing now
        if values != (attendance.came, attendance.minutes, attendance.first_arrival):
            attendance.came, attendance.minutes, attendance.first_arrival = values
            changed.append(attendance)
    Attendance.objects.bulk_update(changed, ["came", "minutes", "first_arrival"], batch_size=200)


def _announce(row: AttendanceReading, meeting: Meeting) -> None:
    """It is final: write it to the activity of each Site, and send the signal after the commit."""
    rows = Attendance.objects.filter(reading=row, came__isnull=False)
    sites: dict[int, list[bool]] = defaultdict(list)
    for site_id, came in rows.values_list("registration__site_id", "came"):
        sites[site_id].append(bool(came))
    for site_id, values in sites.items():
        data = {
            "topic": meeting.topic,
            "start": row.start.isoformat(),
            "registered": len(values),
            "came": sum(values),
        }
        Activity.log(
            [site_id], "registration", "attendance_recorded", outcome=Activity.Outcome.GOOD,
            data=data, account=row.account,
        )  # fmt: skip
        transaction.on_commit(_signal_sender(row.pk, site_id), robust=True)


def _signal_sender(pk: int, site_id: int) -> Callable[[], None]:
    def send_signal() -> None:
        reading = AttendanceReading.objects.filter(pk=pk).first()
        site = Site.objects.filter(pk=site_id).first()
        if reading is not None and site is not None:
            attendances = reading.attendances.filter(registration__site=site_id)
            attendance_recorded.send_robust(
                sender=AttendanceReading, reading=reading, site=site, attendances=attendances
            )

    return send_signal


# What did not succeed

WAITING_ERRORS = ("scope", "connection", "quarantined", "not_shown", "plan")
"""Errors that end when somebody connects again, or shows the kind and the host again."""


class ReadingErrors(ErrorPolicy):
    """What Zoom refuses may be allowed tomorrow: a refusal is final only for lists too old."""

    retry_seconds = (60, 300, 900, 1800, 3600)

    def refused(self, error: ZoomNotFound | ZoomRejected, failures: int) -> ErrorOutcome:
        """Ask again tomorrow, or as after no answer when only the page was no longer there."""
        tomorrow = timezone.now() + PLAN_DELAY
        if isinstance(error, ZoomRejected) and error.code == PAID_ONLY_CODE:
            return ErrorOutcome("plan", tomorrow, error.code)
        if isinstance(error, ZoomRejected) and error.code == TOO_OLD_CODE:
            return ErrorOutcome("old", code=error.code)
        if error.code == PAGE_TOKEN_CODE:
            return self.unreachable(error, failures)
        return ErrorOutcome("refused", tomorrow, error.code)


POLICY = ReadingErrors()


def _record_outcome(reading: AttendanceReading, lease: str, outcome: ErrorOutcome) -> None:
    """Wait, or give up. What is known stays, what is not known stays unknown."""
    with OUTBOX.edit_row(reading.pk, lease) as row:
        if row.lease_owner != lease:
            return
        before = row.error_class
        row.start, row.ended_at = reading.start, reading.ended_at
        row.error_class, row.error_code = outcome.error, outcome.code
        row.attempts = row.attempts + 1 if outcome.counts_as_failure else 0
        row.next_try_at = outcome.retry_at
        if outcome.retry_at is not None and outcome.retry_at > row.ended_at + GIVE_UP_AFTER:
            row.next_try_at = None
        if row.next_try_at is None:
            row.state = State.UNAVAILABLE
        others = AttendanceReading.objects.filter(
            account=row.account_id, error_class=outcome.error, next_try_at__isnull=False
        ).exclude(pk=row.pk)
        is_known = outcome.error in ("scope", "plan") and others.exists()
        if outcome.error != before and outcome.error in LOGGED_ERRORS and not is_known:
            topics = Meeting.objects.filter(
                account=row.account_id, zoom_id=row.meeting_zoom_id
            ).values_list("topic", flat=True)
            _log_problem(row, outcome.error, topics.first() or "")


def _log_problem(row: AttendanceReading, error: str, topic: str) -> None:
    """Tell the Sites whose registrations are not known, and that record attendance."""
    attendances = Attendance.objects.filter(reading=row)
    sites = set(attendances.values_list("registration__site_id", flat=True))
    recording = ZoomSettings.objects.filter(
        site__in=sites, account=row.account_id, record_attendance=True
    )
    Activity.log(
        recording.values_list("site_id", flat=True), "registration", "attendance_unavailable",
        outcome=Activity.Outcome.FAILED,
        data={"topic": topic, "start": row.start.isoformat(), "reason": error},
        account=row.account,
    )  # fmt: skip


def outdated(now: datetime) -> QuerySet[AttendanceReading]:
    """Readings whose registrations are deleted, and that nothing waits for any more."""
    attendances = Attendance.objects.filter(reading=OuterRef("pk"))
    return AttendanceReading.objects.filter(~Exists(attendances), ended_at__lt=now - GIVE_UP_AFTER)
