"""Attendance in the admin: who came, and why it is not known, as owners read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..client.error_policy import COMMON_MESSAGES
from ..models import Attendance, AttendanceReading, Kind, Registration, ZoomSettings
from ..oauth.scopes import attendance_scope, has_scope
from . import formatting
from .site_status import SiteStatus

CAME, ABSENT, UNKNOWN = "came", "absent", "unknown"
CHOICES = [
    (CAME, gettext_lazy("Attended")),
    (ABSENT, gettext_lazy("Did not attend")),
    (UNKNOWN, gettext_lazy("Not known yet")),
]
ICONS = {CAME: ("success", "good"), ABSENT: ("minus", "plain"), UNKNOWN: ("time", "work")}
REASONS: dict[str, str | Promise] = {
    **COMMON_MESSAGES,
    "scope": gettext_lazy(
        "Zoom has not allowed this site to read who attended. Connect Zoom again once the app has "
        "this permission."
    ),
    "plan": gettext_lazy("Zoom provides attendance lists only for paid plans."),
    "old": gettext_lazy("Zoom has no attendance lists older than a year."),
    "missing": gettext_lazy("Zoom has no complete attendance list for this date."),
    "refused": gettext_lazy("Zoom refused access to the attendance list."),
    "unreachable": gettext_lazy("Zoom did not answer. It is retried automatically."),
    "connection": gettext_lazy("Waiting until Zoom is connected and not paused."),
    "quarantined": gettext_lazy("This installation is a copy; nothing is read from Zoom."),
    "not_shown": gettext_lazy("Waiting until this site shows the host and the meeting again."),
    "switched_off": gettext_lazy(
        "Recording who attended was switched off before Zoom had the whole list."
    ),
    "cancelled": gettext_lazy("This date was cancelled."),
}
"""Sentences for ``AttendanceReading.error_class``."""


def state_of(attendance: Attendance) -> str:
    """``came``, ``absent`` or ``unknown``."""
    if attendance.came is None:
        return UNKNOWN
    return CAME if attendance.came else ABSENT


def minutes_text(attendance: Attendance) -> str:
    """How long the person was there; empty unless they came."""
    if not attendance.came or attendance.minutes is None:
        return ""
    if not attendance.minutes:
        return _("less than a minute")
    n = attendance.minutes
    return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}


def missing_permission(site_settings: ZoomSettings) -> str:
    """The sentence when Zoom has not allowed it to the Site's own grant, as far as we know."""
    grant = site_settings.grant
    if grant is None or not grant.scope:
        return ""
    kinds = [kind for kind in (Kind.MEETING, Kind.WEBINAR) if kind in site_settings.kinds]
    lacking = [kind for kind in kinds if not has_scope(grant.scopes, attendance_scope(kind))]
    return str(REASONS["scope"]) if lacking else ""


def reason(attendance: Attendance, site_settings: ZoomSettings) -> str:
    """Why it is not known (yet) whether somebody came."""
    reading = attendance.reading
    if reading.error_class in REASONS:
        return str(REASONS[reading.error_class])
    if reading.state == AttendanceReading.State.FINAL:
        return missing_permission(site_settings) or str(REASONS["missing"])
    if reading.next_try_at is not None:
        return _("Zoom’s list is read at %(time)s.") % {
            "time": formatting.date_time(reading.next_try_at)
        }
    return ""


@dataclass
class PersonAttendance:
    """All dates of one registration, in order."""

    rows: list[Attendance] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Of all dates together: ``came`` to one of them, if to any; empty without a date."""
        states = {state_of(row) for row in self.rows}
        return next((state for state in (CAME, UNKNOWN, ABSENT) if state in states), "")

    @property
    def label(self) -> str:
        return str(dict(CHOICES).get(self.state, ""))

    @property
    def minutes(self) -> int | None:
        """Of all dates together."""
        values = [row.minutes for row in self.rows if row.minutes is not None]
        return sum(values) if values else None

    @property
    def first_arrival(self) -> Any:
        return min((row.first_arrival for row in self.rows if row.first_arrival), default=None)

    def note(self, site_settings: ZoomSettings) -> str:
        """Below the state in a list."""
        if len(self.rows) > 1:
            attended = sum(row.came is True for row in self.rows)
            counts = {"came": attended, "dates": formatting.date_count(len(self.rows))}
            return _("%(came)d of %(dates)s") % counts
        if not self.rows:
            return ""
        return minutes_text(self.rows[0]) or (
            reason(self.rows[0], site_settings) if self.state == UNKNOWN else ""
        )


def attendances_of(registrations: Iterable[Registration]) -> dict[int, PersonAttendance]:
    """By registration: one query."""
    persons: dict[int, PersonAttendance] = defaultdict(PersonAttendance)
    rows = Attendance.objects.filter(registration__in=[row.pk for row in registrations])
    for row in rows.select_related("reading").order_by("reading__start", "pk"):
        persons[row.registration_id].rows.append(row)
    return persons


def detail_rows(registration: Registration, site_settings: ZoomSettings) -> list[dict[str, str]]:
    """``start``, ``text`` and ``note`` of each date, for the page of a registration."""
    details = []
    for row in attendances_of([registration])[registration.pk].rows:
        parts = [str(dict(CHOICES)[state_of(row)]), minutes_text(row)]
        note = reason(row, site_settings) if row.came is None else ""
        if row.first_arrival:
            note = _("First arrival: %(time)s") % {"time": formatting.date_time(row.first_arrival)}
        text = ", ".join(part for part in parts if part)
        start = formatting.date_time(row.reading.start)
        details.append({"start": start, "text": text, "note": note})
    return details


def filter_registrations(rows: QuerySet[Registration], value: str) -> QuerySet[Registration]:
    """Registrations of people who came (to any date), did not, or of whom it is not known yet."""
    own = Attendance.objects.filter(registration=OuterRef("pk"))
    came, unknown = Exists(own.filter(came=True)), Exists(own.filter(came=None))
    if value == CAME:
        return rows.filter(came)
    if value == UNKNOWN:
        return rows.filter(unknown, ~came)
    return rows.filter(Exists(own.filter(came=False)), ~came, ~unknown)


def is_shown(site_settings: ZoomSettings) -> bool:
    """Whether lists have a column of it: it is recorded, or was, and is not deleted yet."""
    if site_settings.record_attendance:
        return True
    return Attendance.objects.filter(registration__site=site_settings.site_id).exists()


@dataclass(frozen=True)
class LatestDate:
    """The newest date of a Site that was read, or waits for it."""

    text: str
    note: str
    warning: str


def latest_date(site_status: SiteStatus) -> LatestDate | None:
    """For the panel: how many registered here and came; None if it is not recorded."""
    site_settings = site_status.site_settings
    if not site_settings.record_attendance or site_status.account is None:
        return None
    warning = missing_permission(site_settings)
    own = Attendance.objects.filter(
        reading=OuterRef("pk"), registration__site=site_settings.site_id
    )
    readings = AttendanceReading.objects.filter(Exists(own), account=site_status.account)
    reading = readings.order_by("-ended_at", "-pk").first()
    if reading is None:
        return LatestDate(_("No date has ended since it was switched on."), "", warning)
    rows = Attendance.objects.filter(
        reading=reading, registration__site=site_settings.site_id
    ).order_by("pk")
    counts = rows.aggregate(registered=Count("pk"), came=Count("pk", filter=Q(came=True)))
    first = rows.select_related("registration").first()
    topic = first.registration.snapshot.get("topic") or "" if first is not None else ""
    note = _("%(topic)s, %(time)s") % {"topic": topic, "time": formatting.date_time(reading.start)}
    if reading.people is not None:
        n = reading.people
        about = ngettext(
            "About %(n)d person attended in total.", "About %(n)d people attended in total.", n
        )
        note = f"{note}. {about % {'n': n}}"
    if reading.read_at is None:
        text = ngettext(
            "%(registered)d registered here; attendance is not known yet",
            "%(registered)d registered here; attendance is not known yet",
            counts["registered"],
        )
    else:
        text = ngettext(
            "%(registered)d registered here, %(came)d attended",
            "%(registered)d registered here, %(came)d attended",
            counts["registered"],
        )
    if not warning and reading.error_class in REASONS:
        warning = str(REASONS[reading.error_class])
    return LatestDate(text % counts, note, warning)
