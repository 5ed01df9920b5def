"""The local copy of Zoom's data, keyed by account. Its rows have no Site and are never edited.

Times are in UTC; the meeting's IANA time zone has a column of its own. Ids are text.
Start URLs, host emails and download tokens have no column, so they cannot be stored.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..utils.crypto import DecryptionError
from ..utils.fields import Secret, SecretField, ZoomIdField
from ..utils.secret_text import KnownValues, passcodes_in
from .accounts import ZoomAccount


class MeetingType(models.IntegerChoices):
    """Zoom's types of meetings and webinars. Stored rows may have others, which Zoom adds later."""

    INSTANT = 1
    SCHEDULED = 2
    NO_FIXED_TIME = 3
    PERSONAL_ROOM = 4
    WEBINAR = 5
    WEBINAR_NO_FIXED_TIME = 6
    PERSONAL_ROOM_IN_EVENTS = 7
    """The personal room again, in webhook events."""
    SERIES = 8
    WEBINAR_SERIES = 9


SINGLE_TYPES = (MeetingType.SCHEDULED, MeetingType.WEBINAR)
"""Types with one occurrence."""
DATED_SERIES_TYPES = (MeetingType.SERIES, MeetingType.WEBINAR_SERIES)
"""Types with a list of occurrences."""
UNDATED_TYPES = (MeetingType.NO_FIXED_TIME, MeetingType.WEBINAR_NO_FIXED_TIME)
"""Series without fixed times have no occurrences and are not listed."""
SERIES_TYPES = (*UNDATED_TYPES, *DATED_SERIES_TYPES)
SHOWABLE_TYPES = (*SINGLE_TYPES, *SERIES_TYPES)
"""Types that a Site may show; any other is hidden."""
PERSONAL_ROOM_TYPES = (MeetingType.PERSONAL_ROOM, MeetingType.PERSONAL_ROOM_IN_EVENTS)
UNSCHEDULED_TYPES = (MeetingType.INSTANT, *PERSONAL_ROOM_TYPES)
WEBINAR_TYPES = (
    MeetingType.WEBINAR,
    MeetingType.WEBINAR_NO_FIXED_TIME,
    MeetingType.WEBINAR_SERIES,
)
MAX_MINUTES = 60 * 24 * 31
"""Longer durations are cut to this."""
OVERRUN = timedelta(hours=6)
"""How long after its planned end a date may still be running, unless Zoom has reported its end."""
UNKNOWN_DURATION = timedelta(hours=1)
"""How long a date is expected to last for which Zoom gives no duration."""


def planned_end(start: datetime, minutes: int) -> datetime:
    """When a date is expected to end; ``minutes`` is 0 where Zoom gives no duration."""
    return start + (timedelta(minutes=minutes) if minutes else UNKNOWN_DURATION)


def revealed(secret: Secret) -> str:
    """The text of a secret; empty when it cannot be decrypted."""
    try:
        return secret.reveal()
    except DecryptionError:
        return ""


class Kind(models.TextChoices):
    """Kinds of Zoom objects; also the switches of the settings panel (with registration)."""

    MEETING = "meeting", _("Meeting")
    WEBINAR = "webinar", _("Webinar")
    RECORDING = "recording", _("Recording")


SUMMARY = "summary"
"""Used like a kind for items, archives and fetch scopes: summaries of meetings, only for Sites
whose owners have switched them on."""
MEETING_KINDS = (Kind.MEETING, Kind.WEBINAR)
"""Kinds that have dates."""


class Mirrored(models.Model):
    """Sync columns of every copied row.

    Rows are written often, and each index with them. Indexes that begin with the account serve
    lookups by account, so its foreign keys have none of their own (``db_index=False``).
    """

    content_hash = models.CharField(max_length=64, blank=True)
    """Keyed digest of the mapped fields: equal means nothing to write (S8)."""
    provider_ts = models.DateTimeField(null=True, blank=True)
    """Time at Zoom of the newest data applied; older data never overwrites newer data."""
    fetched_at = models.DateTimeField(null=True, blank=True)
    """When the read that filled this row *began*."""
    seen_run = models.PositiveBigIntegerField(default=0)
    missing_since = models.DateTimeField(null=True, blank=True)
    missed_run = models.PositiveBigIntegerField(default=0)
    """The run that missed it for the second time: only this run may remove it."""
    removed_at = models.DateTimeField(null=True, blank=True)
    """Soft delete: deleted at Zoom (missing twice, or confirmed)."""
    created_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True


class UserType(models.IntegerChoices):
    """Zoom's types of users."""

    UNKNOWN = 0
    BASIC = 1
    LICENSED = 2
    UNASSIGNED = 4
    NONE = 99


class Host(Mirrored):
    """A Zoom user of the account: the directory from which owners select hosts. No email."""

    account = models.ForeignKey(ZoomAccount, on_delete=models.CASCADE, related_name="hosts")
    zoom_id = ZoomIdField()
    display_name = models.CharField(max_length=255, blank=True)
    pmi = ZoomIdField(blank=True, default="", db_default="")
    """Number of the personal room: what is held there is never published automatically."""
    user_type = models.PositiveSmallIntegerField(default=UserType.UNKNOWN)
    status = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    """``{kind: total}`` from the first page of a listing, before anything is fetched."""

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "zoom_id"], name="wagtail_zoom_host_identity"
            )
        ]

    def __str__(self) -> str:
        return self.display_name or self.zoom_id

    @property
    def is_licensed(self) -> bool:
        return self.user_type == UserType.LICENSED


class ApprovalType(models.IntegerChoices):
    """How registrants of a meeting are approved."""

    AUTOMATIC = 0
    MANUAL = 1
    NONE = 2
    """Without registration."""


REGISTRATION_TYPES = (ApprovalType.AUTOMATIC, ApprovalType.MANUAL)


class RegistrationType(models.IntegerChoices):
    """What registrants of a series register for."""

    ALL_DATES = 1
    EACH_DATE = 2
    SEVERAL_DATES = 3


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def taking_registration(self) -> MeetingQuerySet:
        """Meetings for which people must register."""
        return self.filter(approval_type__in=REGISTRATION_TYPES)

    def not_over(self, now: datetime) -> MeetingQuerySet:
        """Meetings with a date that has not ended, and those without fixed times."""
        upcoming = Occurrence.objects.filter(meeting=OuterRef("pk"), end__gt=now)
        return self.filter(Q(Exists(upcoming)) | Q(zoom_type__in=UNDATED_TYPES))


class Meeting(Mirrored):
    """A meeting or webinar number with everything its occurrences share."""

    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="meetings", db_index=False
    )
    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="meetings")
    host_zoom_id = ZoomIdField()
    kind = models.CharField(max_length=10, choices=Kind)
    zoom_id = ZoomIdField()
    uuid = ZoomIdField(blank=True)
    zoom_type = models.PositiveSmallIntegerField(default=0)
    """A ``MeetingType``."""
    topic = models.CharField(max_length=300, blank=True)
    """Without what opens the meeting, as ``agenda``."""
    agenda = models.TextField(blank=True)
    cut_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    """``listing_digest`` of the texts as Zoom has them, if something was cut from them."""
    start = models.DateTimeField(null=True, blank=True)
    duration = models.PositiveIntegerField(default=0)
    """Minutes."""
    timezone = models.CharField(max_length=64, blank=True)

    is_private = models.BooleanField(default=False)
    uses_personal_room = models.BooleanField(default=False)
    unclear_setting = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Zoom's name of a setting with a value that we do not know: hidden until it is known."""
    is_events_webinar = models.BooleanField(default=False)
    """Belongs to Zoom Events, which handles the registration."""
    requires_login = models.BooleanField(default=False)
    """Visitors need a Zoom account to join (``meeting_authentication``)."""
    login_domains = models.CharField(max_length=255, blank=True)

    approval_type = models.PositiveSmallIntegerField(
        choices=ApprovalType, default=ApprovalType.NONE
    )
    registration_type = models.PositiveSmallIntegerField(default=RegistrationType.ALL_DATES)
    close_registration = models.BooleanField(default=False)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    """The limit of registrations; None without one."""
    registrant_count = models.PositiveIntegerField(null=True, blank=True)
    """Approved and pending registrants at Zoom; None while it is not known."""
    registrants_counted_at = models.DateTimeField(null=True, blank=True)
    """When they were last counted; None if somebody has registered or cancelled since."""
    zoom_confirms = models.BooleanField(default=True)
    """Zoom emails registrants (``registrants_confirmation_email``)."""
    zoom_notifies = models.BooleanField(default=True)
    """Zoom emails about approval, denial and cancellation (``registrants_email_notification``)."""
    registration_block = models.CharField(max_length=20, blank=True)
    """Why Zoom recently refused registrations for the whole meeting, such as ``full``."""
    registration_block_at = models.DateTimeField(null=True, blank=True)
    questions = models.JSONField(default=dict, blank=True)
    """``{"questions": [...], "custom_questions": [...]}`` as Zoom gives them."""
    questions_at = models.DateTimeField(null=True, blank=True)

    join_url = SecretField()
    passcode = SecretField()
    has_join_link = models.BooleanField(default=True, db_default=True)
    """Pages do not load ``join_url``; without a link they offer no joining."""
    unknown_link_host = models.CharField(max_length=100, blank=True, default="", db_default="")
    """Where the link leads that Zoom gave, if it was dropped because this is not Zoom."""

    detail_at = models.DateTimeField(null=True, blank=True)
    """When the detail was read; without it the meeting is not shown."""
    live_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    """Zoom dropped the number after it was over: still shown, from our copy."""

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "zoom_id"], name="wagtail_zoom_meeting_identity"
            )
        ]
        indexes = [
            models.Index(fields=["account", "kind", "host"], name="wagtail_zoom_meeting_scope")
        ]

    def __str__(self) -> str:
        return self.topic

    def secret_binding(self) -> str:
        return f"{self.account_id}:{self.zoom_id}"

    def question_binding(self) -> str:
        """What the encrypted titles of its questions are bound to."""
        return f"wagtail_zoom.meeting.questions|{self.secret_binding()}"

    @property
    def is_unclear(self) -> bool:
        """Zoom sent a value that we do not know: hidden, and its owner reads why."""
        known_types = (*SHOWABLE_TYPES, *UNSCHEDULED_TYPES)
        return bool(self.unclear_setting) or self.zoom_type not in known_types

    @property
    def is_never_shown(self) -> bool:
        """Private, personal-room and instant meetings: no owner can show them."""
        is_unscheduled = self.uses_personal_room or self.zoom_type in UNSCHEDULED_TYPES
        return (self.is_private or is_unscheduled) and not self.is_unclear

    @property
    def known_values(self) -> KnownValues:
        """What opens it, to be cut from texts. Values that cannot be decrypted are left out."""
        passcodes = [revealed(self.passcode), *passcodes_in(revealed(self.join_url))]
        numbers = [self.zoom_id, self.host.pmi if self.host else ""]
        return KnownValues.of(numbers=numbers, passcodes=passcodes)

    @property
    def is_series(self) -> bool:
        return self.zoom_type in SERIES_TYPES

    @property
    def has_fixed_time(self) -> bool:
        """Whether it has occurrences."""
        return self.zoom_type not in (*UNDATED_TYPES, *UNSCHEDULED_TYPES)

    @property
    def takes_registration(self) -> bool:
        return self.approval_type in REGISTRATION_TYPES

    @property
    def places(self) -> tuple[int, int] | None:
        """Places left and total places; None without a limit or while the count is not known."""
        if not self.capacity or self.registrant_count is None:
            return None
        return max(0, self.capacity - self.registrant_count), self.capacity

    @property
    def zoom_sends_details(self) -> bool:
        """Whether Zoom emails the joining details to registrants.

        With manual approval they come with the email about the approval, which has its own switch.
        """
        is_manual = self.approval_type == ApprovalType.MANUAL
        return self.zoom_notifies if is_manual else self.zoom_confirms


class Occurrence(models.Model):
    """Every dated instance of a meeting, also the only one of a single meeting.

    Lists, calendar entries and registrations refer to it. ``public_id`` is our own id: Zoom's
    occurrence ids change with the rule, hour, zone or type of a series, so registrations, calendar
    UIDs and links use ours.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        MOVED = "moved", _("New time")
        LIVE = "live", _("Live now")
        OVER = "over", _("Over")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Over, no longer at Zoom")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="occurrences")
    account = models.ForeignKey(
        ZoomAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    zoom_id = ZoomIdField(blank=True)
    """Zoom's occurrence id; empty for the only occurrence of a single meeting."""
    start = models.DateTimeField()
    end = models.DateTimeField()
    """The planned end; an hour after the start where Zoom gives no duration."""
    duration = models.PositiveIntegerField(default=0)
    """Minutes; 0 where Zoom gives none."""
    has_end = models.BooleanField(default=True, db_default=True)
    """False where Zoom gives no duration: then no end is shown."""
    previous_start = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    state_since = models.DateTimeField(default=timezone.now)
    sequence = models.PositiveIntegerField(default=0)
    """Increases with every change that calendars must receive (RFC 5545 SEQUENCE)."""
    updated_at = models.DateTimeField(default=timezone.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("date")
        verbose_name_plural = _("dates")
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "zoom_id"], name="wagtail_zoom_occurrence_identity"
            )
        ]
        indexes = [
            models.Index(fields=["account", "start"], name="wagtail_zoom_occ_start"),
            models.Index(fields=["account", "end"], name="wagtail_zoom_occ_end"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.start:%Y-%m-%d %H:%M}Z"

    @property
    def planned_state(self) -> str:
        """Its state while nobody is in the room and it is neither over nor cancelled."""
        return self.State.MOVED if self.previous_start else self.State.SCHEDULED

    def is_live(self, now: datetime) -> bool:
        """Somebody is in the room, as far as we know."""
        return self.state == self.State.LIVE and self.end + OVERRUN >= now

    def is_over(self, now: datetime) -> bool:
        """Its planned end has passed, and nobody is known to be in the room."""
        return self.state in ENDED_STATES or (self.end < now and not self.is_live(now))

    def may_be_running(self, now: datetime) -> bool:
        """Whether it is not over, or may be running although Zoom has not reported its start.

        Without these reports the room counts as empty only when the overrun has passed.
        """
        if not self.is_over(now):
            return True
        is_reported = self.meeting.ended_at is not None and self.meeting.ended_at >= self.start
        return self.state not in CLOSED_STATES and not is_reported and self.end + OVERRUN >= now


ENDED_STATES = (Occurrence.State.OVER, Occurrence.State.EXPIRED)
CLOSED_STATES = (*ENDED_STATES, Occurrence.State.CANCELLED)
"""States of occurrences that take place no more."""
PLANNED_STATES = (Occurrence.State.SCHEDULED, Occurrence.State.MOVED)


def is_live_at(now: datetime) -> Q:
    """The condition of ``Occurrence.is_live``."""
    return Q(state=Occurrence.State.LIVE, end__gte=now - OVERRUN)


def is_known_to_be_empty() -> Q:
    """Zoom has reported the end of this date: nobody is in the room unless it starts again."""
    return Q(meeting__ended_at__gte=F("start"))
