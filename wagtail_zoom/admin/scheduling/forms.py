"""Forms that schedule a meeting, change it, or change one of its dates."""

from __future__ import annotations

import datetime
import uuid
from datetime import date, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.http import QueryDict
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.widgets import AdminAutoHeightTextInput, AdminDateInput, AdminTimeInput

from ...frontend.datetimes import zone_city
from ...models import Kind
from ...models.mirror import UserType
from ...scheduling import Frequency, MeetingValues, RecurrenceRule
from ...scheduling.recurrence import DAYS_OF_WEEK, LAST_WEEK, MAX_DATES, weekday_name, weekday_of
from ..concurrent_edits import digest
from .access import SchedulingAccess
from .texts import RECORDING_LABELS, REGISTRATION_LABELS

PRESETS = (30, 45, 60, 90, 120)
"""Minutes of the buttons beside the duration."""
RULE_FIELDS = (
    "repeats", "interval", "weekdays", "month_by", "month_day", "month_week", "month_weekday",
    "ends", "until", "count",
)  # fmt: skip
RULE_CHOICES = {"weekdays", "month_by", "month_week", "month_weekday", "ends"}
LAST_DAY = MaxValueValidator(date(2999, 12, 31))
"""Later days cannot be converted between time zones."""
SERVICE_FIELDS = {"start": "time", "waiting_room": "security", "cloud_recording": "recording"}
"""The field at which an error of the service is shown, where it has another name."""


class TimeForm(forms.Form):
    """Day, time and duration: of one date of a series."""

    day = forms.DateField(label=gettext_lazy("Day"), widget=AdminDateInput, validators=[LAST_DAY])
    time = forms.TimeField(label=gettext_lazy("Start time"), widget=AdminTimeInput)
    duration = forms.IntegerField(
        label=gettext_lazy("Duration in minutes"), min_value=1, max_value=1440, initial=60
    )
    agenda = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("Up to 2,000 characters. Visitors see it too."),
        widget=AdminAutoHeightTextInput,
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        seen: MeetingValues,
        initial: dict[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        initial = {"key": str(uuid.uuid4()), **self.initial_of(seen), **(initial or {})}
        super().__init__(data, initial=initial, prefix=prefix)
        self.seen = seen

    @property
    def query(self) -> QueryDict:
        """What was sent."""
        return cast(QueryDict, self.data)

    @classmethod
    def initial_of(cls, values: MeetingValues) -> dict[str, Any]:
        """What the fields show of these values."""
        initial: dict[str, Any] = {"agenda": values.agenda}
        if values.duration:
            initial["duration"] = values.duration
        if values.start is not None:
            local = values.start.astimezone(ZoneInfo(values.zone))
            initial |= {"day": local.date(), "time": local.time()}
        return initial

    def zone_name(self) -> str:
        return self.seen.zone

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if {"day", "time"} <= cleaned.keys():
            cleaned["start"] = self._start(cleaned["day"], cleaned["time"])
        return cleaned

    def _start(self, day: date, hour: datetime.time) -> datetime.datetime | None:
        zone_name = self.zone_name()
        zone = ZoneInfo(zone_name)
        local = datetime.datetime.combine(day, hour)
        start = local.replace(tzinfo=zone)
        if start == self.seen.start:
            return start
        values = {"time": f"{hour:%H:%M}", "zone": zone_city(zone_name)}
        if day < timezone.localdate(timezone=zone):
            self.add_error("day", _("This day is in the past. Choose today or a later day."))
            return None
        is_real = start.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) == local
        if not is_real:
            text = _(
                "%(time)s does not exist on this day (%(zone)s), because clocks change. Choose "
                "another time."
            )
            self.add_error("time", text % values)
        elif start.utcoffset() != start.replace(fold=1).utcoffset():
            text = _(
                "%(time)s happens twice on this day (%(zone)s), because clocks change. Choose "
                "another time."
            )
            self.add_error("time", text % values)
        elif start < timezone.now():
            self.add_error("time", _("This time has passed. Choose a later time."))
        else:
            return start
        return None

    def values(self) -> MeetingValues:
        """What was entered."""
        cleaned = self.cleaned_data
        return MeetingValues(
            topic=self.seen.topic, agenda=self._entered("agenda"), start=cleaned["start"],
            duration=self.entered_duration, zone=self.seen.zone, rule=self.seen.rule,
            registration=self.seen.registration, waiting_room=self.seen.waiting_room,
            recording=self.seen.recording,
        )  # fmt: skip

    def _entered(self, name: str) -> str:
        """The text that was entered; Zoom's, if only line ends or spaces around it differ."""
        text: str = self.cleaned_data[name]
        present: str = getattr(self.seen, name)
        is_same = text.strip().splitlines() == present.strip().splitlines()
        return present if is_same else text

    def request_key(self) -> str:
        """The key of what was entered: sent again it is one request, with other values another."""
        values = self.cleaned_data.items()
        return digest([f"{name}={getattr(value, 'pk', value)}" for name, value in values])

    @property
    def entered_duration(self) -> int:
        """Zoom gives some meetings no duration; what the field then shows first is no change."""
        minutes: int = self.cleaned_data["duration"]
        is_first = minutes == self.fields["duration"].initial
        return self.seen.duration if is_first and not self.seen.duration else minutes

    def add_errors(self, error: ValidationError) -> None:
        """Show what the service refuses beside the fields."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            field = SERVICE_FIELDS.get(name, name)
            self.add_error(field if field in self.fields else None, errors)


class MeetingForm(TimeForm):
    """A whole meeting. Subclasses say what is new or changed."""

    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        max_length=200,
        help_text=gettext_lazy("The title in Zoom and on this site."),
        error_messages={"required": gettext_lazy("Enter a topic.")},
    )
    repeats = forms.ChoiceField(
        label=gettext_lazy("Repeats"),
        choices=[
            (Frequency.NEVER.value, gettext_lazy("Does not repeat")),
            (Frequency.DAILY.value, gettext_lazy("Daily")),
            (Frequency.WEEKLY.value, gettext_lazy("Weekly")),
            (Frequency.MONTHLY.value, gettext_lazy("Monthly")),
        ],
        initial=Frequency.NEVER.value,
    )
    interval = forms.IntegerField(
        label=gettext_lazy("Interval"),
        required=False,
        initial=1,
        help_text=gettext_lazy("1 is every day, week or month, 2 is every second one."),
    )
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these days"),
        required=False,
        choices=[(str(number), WEEKDAYS_ABBR[(number + 5) % 7]) for number in DAYS_OF_WEEK],
        widget=forms.CheckboxSelectMultiple,
    )
    month_by = forms.ChoiceField(
        label=gettext_lazy("In the month"),
        required=False,
        choices=[
            ("day", gettext_lazy("On a day of the month")),
            ("weekday", gettext_lazy("On a weekday")),
        ],
        initial="day",
        widget=forms.RadioSelect,
    )
    month_day = forms.IntegerField(label=gettext_lazy("Day of the month"), required=False)
    month_week = forms.TypedChoiceField(
        label=gettext_lazy("Which one"),
        required=False,
        coerce=int,
        choices=[
            (1, gettext_lazy("First")),
            (2, gettext_lazy("Second")),
            (3, gettext_lazy("Third")),
            (4, gettext_lazy("Fourth")),
            (LAST_WEEK, gettext_lazy("Last")),
        ],
    )
    month_weekday = forms.TypedChoiceField(
        label=gettext_lazy("Weekday"), required=False, coerce=int, choices=[]
    )
    ends = forms.ChoiceField(
        label=gettext_lazy("Ends"),
        required=False,
        choices=[
            ("until", gettext_lazy("On a date")),
            ("count", gettext_lazy("After a number of dates")),
        ],
        initial="until",
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label=gettext_lazy("Last possible day"),
        required=False,
        widget=AdminDateInput,
        validators=[LAST_DAY],
    )
    count = forms.IntegerField(label=gettext_lazy("Number of dates"), required=False)
    registration = forms.ChoiceField(
        label=gettext_lazy("Registration"),
        help_text=gettext_lazy("Needs a host with a Zoom licence."),
        choices=list(REGISTRATION_LABELS.items()),
        initial="none",
        widget=forms.RadioSelect,
    )
    passcode = forms.CharField(
        label=gettext_lazy("Passcode"),
        required=False,
        max_length=10,
        help_text=gettext_lazy("At most 10 characters: letters, digits or @ - _ *"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, access: SchedulingAccess, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access = access
        weekday: Any = self.fields["month_weekday"]
        weekday.choices = [(number, weekday_name(number)) for number in DAYS_OF_WEEK]

    @classmethod
    def initial_of(cls, values: MeetingValues) -> dict[str, Any]:
        initial = super().initial_of(values) | {"topic": values.topic}
        if values.registration:
            initial["registration"] = values.registration
        rule = values.rule
        if rule is not None:
            initial |= {
                "repeats": rule.frequency.value,
                "interval": rule.interval,
                "weekdays": [str(day) for day in sorted(rule.weekdays)],
                "month_by": "weekday" if rule.month_week is not None else "day",
                "month_day": rule.month_day,
                "month_week": rule.month_week,
                "month_weekday": rule.month_weekday,
                "ends": "count" if rule.count is not None else "until",
                "until": rule.until,
                "count": rule.count,
            }
        return initial

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "repeats" in cleaned:
            cleaned["rule"] = self._rule(cleaned)
        return cleaned

    def _rule(self, cleaned: dict[str, Any]) -> RecurrenceRule | None:
        """The rule; what does not belong to the chosen repetition is ignored."""
        frequency = Frequency(cleaned["repeats"])
        if frequency is Frequency.NEVER:
            return RecurrenceRule()
        if RULE_CHOICES & self.errors.keys():
            return None
        day = cleaned.get("day")
        values: dict[str, Any] = {"interval": cleaned.get("interval") or 1}
        if frequency is Frequency.WEEKLY:
            values["weekdays"] = frozenset(int(number) for number in cleaned["weekdays"])
        elif frequency is Frequency.MONTHLY and cleaned["month_by"] == "weekday":
            values["month_week"] = cleaned["month_week"] or 1
            values["month_weekday"] = cleaned["month_weekday"] or (weekday_of(day) if day else 2)
        elif frequency is Frequency.MONTHLY:
            values["month_day"] = cleaned.get("month_day") or (day.day if day else None)
        ends = "count" if cleaned["ends"] == "count" else "until"
        values[ends] = cleaned.get(ends)
        if ends in self.errors:
            return None
        if values[ends] is None:
            text = _("Enter the last day.") if ends == "until" else _("Enter a number of dates.")
            self.add_error(ends, text)
            return None
        rule = RecurrenceRule(frequency, **values)
        if rule == self.seen.rule:
            return rule
        try:
            rule.clean(day or timezone.localdate())
        except ValidationError as error:
            self.add_errors(error)
            return None
        if day is not None and not (set(values) & self.errors.keys()):
            self._check_dates(rule, day, ends)
        return rule

    def _check_dates(self, rule: RecurrenceRule, day: date, ends: str) -> None:
        dates = rule.preview_dates(day, limit=10 * MAX_DATES)
        if not dates:
            self.add_error(ends, _("This rule makes no date before then. Choose a later day."))
        elif len(dates) > MAX_DATES:
            text = _("This rule makes %(n)d dates. Zoom allows %(most)d. Choose an earlier day.")
            self.add_error(ends, text % {"n": len(dates), "most": MAX_DATES})

    @property
    def entered_passcode(self) -> str:
        passcode: str = self.cleaned_data["passcode"]
        return passcode


class ScheduleForm(MeetingForm):
    """A new meeting or webinar."""

    class Media:
        js = ["wagtail_zoom/admin/scheduling.js"]
        css = {"all": ["wagtail_zoom/admin/panel.css", "wagtail_zoom/admin/scheduling.css"]}

    kind = forms.ChoiceField(label=gettext_lazy("Type"), widget=forms.RadioSelect)
    host: Any = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Host"),
        help_text=gettext_lazy("Hosts of this site."),
        empty_label=None,
    )
    template = forms.CharField(
        label=gettext_lazy("Template"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Saved by this host in Zoom. What you choose here comes before it."),
        widget=forms.Select(choices=[("", gettext_lazy("No template"))]),
    )
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)
    security = forms.ChoiceField(
        label=gettext_lazy("Passcode and waiting room"),
        choices=[
            ("host", gettext_lazy("Use the host’s Zoom settings")),
            ("own", gettext_lazy("Set them for this meeting")),
        ],
        initial="host",
        help_text=gettext_lazy(
            "A security policy of the Zoom account can still require one of them."
        ),
        widget=forms.RadioSelect,
    )
    waiting_room = forms.BooleanField(label=gettext_lazy("Waiting room"), required=False)
    recording = forms.ChoiceField(
        label=gettext_lazy("Recording"),
        required=False,
        choices=[
            ("", gettext_lazy("Use the host’s Zoom settings")),
            ("cloud", RECORDING_LABELS["cloud"]),
            ("none", RECORDING_LABELS["none"]),
        ],
        widget=forms.RadioSelect,
    )
    show = forms.BooleanField(
        label=gettext_lazy("Show on this site"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Visitors see it as soon as Zoom has created it. Clear the box to add an image and a "
            "summary first."
        ),
    )

    def __init__(self, *args: Any, access: SchedulingAccess, **kwargs: Any) -> None:
        super().__init__(*args, access=access, **kwargs)
        kind: Any = self.fields["kind"]
        labels = {Kind.MEETING: _("Meeting"), Kind.WEBINAR: _("Webinar")}
        kind.choices = [(kind.value, labels[kind]) for kind in access.allowed_kinds]
        self.initial.setdefault("kind", kind.choices[0][0] if kind.choices else None)
        if len(kind.choices) == 1:
            kind.widget = forms.HiddenInput()
        self.fields["host"].queryset = access.hosts  # type: ignore[attr-defined]
        hosts = list(access.hosts)
        if hosts:
            self.initial.setdefault("host", hosts[0].pk)
        if not access.reads_templates:
            del self.fields["template"]
        elif chosen := self["template"].value():
            # The script fetches the names.
            widget: Any = self.fields["template"].widget
            widget.choices = [*widget.choices, (chosen, chosen)]
        zone: Any = self.fields["zone"]
        zone.choices = [("", _zone_label(hosts)), *_zone_choices()]

    def zone_name(self) -> str:
        host = self.cleaned_data.get("host")
        return self.cleaned_data.get("zone") or (host.timezone if host else "") or "UTC"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        host = cleaned.get("host")
        registers = cleaned.get("registration") in ("automatic", "approval")
        if registers and host is not None and host.user_type != UserType.LICENSED:
            text = _(
                "Zoom accepts registration for Licensed hosts only, and %(host)s is not licensed. "
                "Choose another host or no registration."
            )
            self.add_error("registration", text % {"host": host})
        return cleaned

    def values(self) -> MeetingValues:
        cleaned = self.cleaned_data
        return MeetingValues(
            topic=cleaned["topic"], agenda=cleaned["agenda"], start=cleaned["start"],
            duration=cleaned["duration"], zone=self.zone_name(), rule=cleaned["rule"],
            registration=cleaned["registration"], waiting_room=self._waiting_room(),
            recording=cleaned["recording"] or None,
        )  # fmt: skip

    def _waiting_room(self) -> bool | None:
        is_own = self.cleaned_data["security"] == "own"
        return bool(self.cleaned_data["waiting_room"]) if is_own else None

    def service_values(self) -> dict[str, Any]:
        """What ``scheduling.schedule`` and ``scheduling.edit`` take."""
        values = self.values()
        is_own = self.cleaned_data["security"] == "own"
        return {
            "host": self.cleaned_data["host"],
            "topic": values.topic,
            "agenda": values.agenda,
            "start": values.start,
            "duration": values.duration,
            "zone": values.zone,
            "rule": values.rule,
            "registration": values.registration,
            "passcode": self.entered_passcode if is_own else None,
            "waiting_room": values.waiting_room,
            "cloud_recording": None if values.recording is None else values.recording == "cloud",
            "show": self.cleaned_data.get("show", True),
        }


class ChangeForm(MeetingForm):
    """An existing meeting, as Zoom has it."""

    waiting_room = forms.BooleanField(label=gettext_lazy("Waiting room"), required=False)
    recording = forms.ChoiceField(label=gettext_lazy("Recording"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, is_webinar: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ["none", "cloud"]
        if self.seen.recording == "local":
            names.append("local")
        recording: Any = self.fields["recording"]
        recording.choices = [(name, RECORDING_LABELS[name]) for name in names]
        self.fields["passcode"].help_text = _(
            "Leave it empty to keep the present one. At most 10 characters: letters, digits or "
            "@ - _ *"
        )
        if is_webinar:
            del self.fields["waiting_room"]
        if self.seen.rule is None:
            for name in RULE_FIELDS:
                del self.fields[name]
        if self.seen.start is None:
            for name in ("day", "time", *RULE_FIELDS):
                self.fields.pop(name, None)

    @classmethod
    def initial_of(cls, values: MeetingValues) -> dict[str, Any]:
        return super().initial_of(values) | {
            "waiting_room": values.waiting_room,
            "recording": values.recording or "none",
        }

    def values(self) -> MeetingValues:
        cleaned, seen = self.cleaned_data, self.seen
        recording = cleaned["recording"]
        if recording == "none" and seen.recording is None:
            recording = None
        registration = cleaned["registration"]
        if registration == "none" and seen.registration is None:
            registration = None
        return MeetingValues(
            topic=self._entered("topic"), agenda=self._entered("agenda"),
            start=cleaned.get("start", seen.start), duration=self.entered_duration,
            zone=seen.zone, rule=cleaned.get("rule", seen.rule),
            registration=registration,
            waiting_room=cleaned.get("waiting_room", seen.waiting_room)
            if seen.waiting_room is not None
            else None,
            recording=recording,
        )  # fmt: skip


def _zone_label(hosts: list[Any]) -> str:
    zones = {host.timezone for host in hosts if host.timezone}
    if len(zones) == 1:
        return _("The host’s (%(zone)s)") % {"zone": zone_city(zones.pop())}
    return _("The host’s")


def _zone_choices() -> list[tuple[str, str]]:
    names = sorted(name for name in available_timezones() if "/" in name)
    places = [name for name in names if not name.startswith(("Etc/", "SystemV/"))]
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]


def schedule_form(
    access: SchedulingAccess, data: Any = None, *, topic: str = "", prefix: str | None = None
) -> ScheduleForm:
    """The form of a new meeting, filled in as far as possible."""
    host = access.hosts.first()
    zone = (host.timezone if host else "") or timezone.get_current_timezone_name()
    evening = timezone.now().astimezone(ZoneInfo(zone)) + timedelta(days=1)
    start = evening.replace(hour=18, minute=0, second=0, microsecond=0)
    seen = MeetingValues(start=start, zone=zone, duration=60)
    return ScheduleForm(data, seen=seen, access=access, initial={"topic": topic}, prefix=prefix)
