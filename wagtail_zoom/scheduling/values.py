"""The values of a meeting as a person sees them: from Zoom, and from a form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from ..client import ZoomClient
from ..exceptions import ZoomWriteRefused
from ..mapping.meetings import texts_without_secrets
from ..mapping.parsing import (
    get_dict,
    get_list,
    parse_datetime,
    parse_flag,
    parse_int,
    parse_timezone,
)
from ..models import Meeting
from ..models.mirror import ApprovalType
from ..utils.secret_text import KnownValues
from .recurrence import RecurrenceRule, UnknownRule

REGISTRATION = {
    "automatic": ApprovalType.AUTOMATIC,
    "approval": ApprovalType.MANUAL,
    "none": ApprovalType.NONE,
}


@dataclass(frozen=True)
class MeetingValues:
    """What can be scheduled and changed of a meeting, or of one date of it.

    None: Zoom gives no value, or the host's own settings apply.
    """

    topic: str = ""
    agenda: str = ""
    start: datetime | None = None
    """Of the meeting; of a series the next date at its usual hour."""
    duration: int = 0
    """Minutes."""
    zone: str = "UTC"
    rule: RecurrenceRule | None = RecurrenceRule()
    """None: Zoom has a rule that cannot be edited here."""
    registration: str | None = None
    """``none``, ``automatic`` or ``approval``."""
    waiting_room: bool | None = None
    recording: str | None = None
    """``none``, ``local`` or ``cloud``."""

    @classmethod
    def from_zoom(
        cls,
        detail: dict[str, Any],
        occurrence_id: str = "",
        known_values: KnownValues | None = None,
    ) -> MeetingValues:
        """The values of a meeting's detail, or of one of its dates.

        Args:
            known_values: what opens the meeting, beside what the detail holds: cut from the texts.
        """
        topic, agenda = texts_without_secrets(detail, known_values)
        zone = ZoneInfo(parse_timezone(detail.get("timezone")) or "UTC")
        dates = [
            date for date in get_list(detail, "occurrences") if date.get("status") != "deleted"
        ]
        settings = get_dict(detail, "settings")
        names = {value.value: name for name, value in REGISTRATION.items()}
        values = cls(
            topic=topic,
            agenda=agenda,
            start=_usual_start(dates, zone) or parse_datetime(detail.get("start_time")),
            duration=parse_int(detail.get("duration")) or 0,
            zone=zone.key,
            registration=names.get(parse_int(settings.get("approval_type")) or 0),
            waiting_room=_bool(settings.get("waiting_room")),
            recording=settings.get("auto_recording") or None,
        )
        if occurrence_id:
            return values._of_date(dates, occurrence_id)
        first = values.start.astimezone(zone).date() if values.start else timezone.localdate()
        try:
            rule = RecurrenceRule.from_zoom(detail.get("recurrence"), zone, first)
        except UnknownRule:
            return replace(values, rule=None)
        return replace(values, rule=_rule_from_now(rule, get_list(detail, "occurrences")))

    @classmethod
    def read(
        cls, client: ZoomClient, number: str, kind: str, occurrence_id: str, meeting: Meeting | None
    ) -> MeetingValues:
        """What Zoom has now: one call.

        Raises:
            ZoomWriteRefused: it has become private there.
            ZoomError: as the client's.
        """
        detail = client.meeting(number, kind)
        is_private = parse_flag(get_dict(detail, "settings").get("private_meeting"))
        if is_private:  # guard: private-meeting-not-opened
            raise ZoomWriteRefused("private")
        return cls.from_zoom(detail, occurrence_id, meeting.known_values if meeting else None)

    def _of_date(self, dates: list[dict[str, Any]], occurrence_id: str) -> MeetingValues:
        for date in dates:
            if str(date.get("occurrence_id")) == occurrence_id:
                start = parse_datetime(date.get("start_time"))
                minutes = parse_int(date.get("duration")) or self.duration
                return replace(self, start=start, duration=minutes)
        return replace(self, start=None)

    def differences(self, other: MeetingValues) -> list[str]:
        """The names of the values that differ."""
        return [
            field.name
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]

    def as_json(self) -> dict[str, Any]:
        """Values that can be stored, to be compared later with what Zoom has then."""
        zone = ZoneInfo(self.zone)
        return {
            "topic": self.topic,
            "agenda": self.agenda,
            "start": self.start.isoformat() if self.start else None,
            "duration": self.duration,
            "zone": self.zone,
            "rule": self.rule.to_zoom(zone) if self.rule is not None else "unknown",
            "registration": self.registration,
            "waiting_room": self.waiting_room,
            "recording": self.recording,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> MeetingValues:
        """The values of ``as_json``.

        Raises:
            KeyError, TypeError, ValueError: they are not of ``as_json``.
        """
        zone, start = ZoneInfo(values["zone"]), parse_datetime(values["start"])
        rule, stored_rule = None, values["rule"]
        if stored_rule != "unknown":
            first = start.astimezone(zone).date() if start else timezone.localdate()
            rule = RecurrenceRule.from_zoom(stored_rule, zone, first)
        given = {
            name: values[name]
            for name in (
                "topic", "agenda", "duration", "registration", "waiting_room", "recording"
            )
        }  # fmt: skip
        return cls(start=start, zone=zone.key, rule=rule, **given)


def _rule_from_now(rule: RecurrenceRule, dates: list[dict[str, Any]]) -> RecurrenceRule:
    """A rule with a number of dates, from the next one on: Zoom counts from the first one."""
    starts = [start for date in dates if (start := parse_datetime(date.get("start_time")))]
    ahead = [start for start in starts if start > timezone.now()]
    if rule.count is None or len(ahead) == len(starts):
        return rule
    return replace(rule, count=max(1, len(ahead)))


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _usual_start(dates: list[dict[str, Any]], zone: ZoneInfo) -> datetime | None:
    """The next date at the hour that most dates to come have: a moved one has another."""
    now = timezone.now()
    starts = [start for date in dates if (start := parse_datetime(date.get("start_time")))]
    ahead = sorted(start for start in starts if start > now)
    if not ahead:
        return max(starts, default=None)
    hours = Counter(start.astimezone(zone).time() for start in ahead)
    [(usual, _count)] = hours.most_common(1)
    return next(start for start in ahead if start.astimezone(zone).time() == usual)
